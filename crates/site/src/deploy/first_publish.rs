//! The first publish of a prefix, which takes it.

use twinsite_core::{Pair, Run, Side};
use twinsite_sync::lock::Lease;
use twinsite_sync::prefix::{self, Claim, MainObjects};
use twinsite_sync::{Prefix, Prepared, ScopedStore, VersionedStore};

use super::{ActivePlan, OPERATION, PublishRequest, prepare};
use crate::error::{Context, Error};
use crate::scoped_stores::{TakeOver, whole};

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
