//! Prefixes of a site: parts of its buckets that are published on their own, each with its own manifest, releases and lock.
//!
//! [`PublishConfig::prefix`](crate::PublishConfig) says which part is published; without it, it is the main site, which has everything but
//! what is below a prefix. The stores of a site, or of plain buckets, are then those of that part: see
//! [`ScopedStore`](twinsite_sync::ScopedStore).

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Pair, Run, Side};
use twinsite_sync::lock::Lease;
use twinsite_sync::prefix::{self, Claim, MainObjects};
use twinsite_sync::release;
use twinsite_sync::{Prefix, Prepared, S3Store, ScopedStore, Store, SyncError, VersionedStore};

use crate::deploy::{ActivePlan, PublishRequest, prepare};
use crate::error::{Context, Error};
use crate::releases::ReleaseSummary;

const OPERATION: &str = "publish";

/// A bucket, or what belongs to one of its prefixes.
pub(crate) type BucketStore = ScopedStore<S3Store>;

/// A prefix, and what was published below it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PrefixState {
    /// The prefix, with a slash at its end.
    pub prefix: String,
    /// Its live release; `null` if it was taken and not published yet.
    pub release: Option<ReleaseSummary>,
}

/// Whether a publish takes over what the main site has below its prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakeOver {
    /// Fail if the main site has anything there.
    #[default]
    Refuse,
    /// Take it over.
    MainSite,
}

/// The whole buckets.
pub(crate) fn whole<S: Store>(stores: &Pair<ScopedStore<S>>) -> Pair<S> {
    stores.as_ref().map(|store| store.whole().clone())
}

/// The same buckets, and what belongs to a prefix of them.
pub(crate) fn scoped(stores: &Pair<BucketStore>, prefix: Option<&Prefix>) -> Pair<BucketStore> {
    whole(stores).map(|store| ScopedStore::new(store, prefix.cloned()))
}

fn claim_of<'a>(prefix: &'a Prefix, request: &PublishRequest<'_>) -> Claim<'a> {
    Claim {
        prefix,
        who: request.notes.who.clone(),
        main: match request.take_over {
            TakeOver::Refuse => MainObjects::Refuse,
            TakeOver::MainSite => MainObjects::TakeOver,
        },
        side: if request.alone.is_some() { Side::Backup } else { Side::Primary },
        lease: Lease { ttl: request.options.lock_ttl, timeout: request.options.lock_timeout, probe: false },
    }
}

/// The prefix of these stores, if it was never published.
fn unpublished<'s, S>(stores: &'s Pair<ScopedStore<S>>, prepared: &Prepared) -> Option<&'s Prefix> {
    stores.primary.prefix().filter(|_| prepared.plan.is_first())
}

/// Fails if the prefix of these stores cannot be published because of what others have. Read-only.
///
/// # Errors
/// Another prefix, or objects of the main site.
pub async fn check_first_publish<S: VersionedStore>(
    plan: &ActivePlan<ScopedStore<S>>,
    request: &PublishRequest<'_>,
) -> Result<(), Error> {
    match unpublished(&plan.stores, &plan.prepared) {
        None => Ok(()),
        Some(prefix) => {
            let checked = Box::pin(prefix::check(&whole(&plan.stores), &claim_of(prefix, request))).await;
            checked.map(drop).context(OPERATION)
        }
    }
}

/// Before the first publish of the prefix of these stores: takes it, and plans again what may have changed with that.
///
/// # Errors
/// As [`check_first_publish`]; the prefix is then as free as before.
pub async fn take_prefix<S: VersionedStore>(
    plan: ActivePlan<ScopedStore<S>>,
    request: &PublishRequest<'_>,
    run: &Run,
) -> Result<ActivePlan<ScopedStore<S>>, Error> {
    let Some(prefix) = unpublished(&plan.stores, &plan.prepared) else { return Ok(plan) };
    let stores = whole(&plan.stores);
    Box::pin(prefix::claim(&stores, claim_of(prefix, request), run)).await.context(OPERATION)?;
    let prepared = Box::pin(prepare(&plan.stores, request, run)).await?;
    Ok(ActivePlan { prepared, ..plan })
}

/// The prefixes of one bucket, and what was published below each last.
pub(crate) async fn read_prefixes(store: &BucketStore) -> Result<Vec<PrefixState>, SyncError> {
    let mut found = Vec::new();
    for prefix in prefix::list(store.whole()).await?.iter() {
        let own = ScopedStore::new(store.whole().clone(), Some(prefix.clone()));
        let release = match Box::pin(release::live(&own)).await {
            Err(SyncError::DamagedRecord { .. }) => None,
            live => live?,
        };
        found.push(PrefixState { prefix: prefix.to_string(), release: release.as_ref().map(ReleaseSummary::from) });
    }
    Ok(found)
}
