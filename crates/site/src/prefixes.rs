//! Prefixes of a site: parts of its buckets that are published on their own, each with its own manifest, releases and lock.
//!
//! [`PublishConfig::prefix`](crate::PublishConfig) says which part is published; without it, it is the main site, which has everything but
//! what is below a prefix. The stores of a site, or of plain buckets, are then those of that part: see
//! [`ScopedStore`](twinsite_sync::ScopedStore).

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_sync::prefix;
use twinsite_sync::release;
use twinsite_sync::{ScopedStore, SyncError};

use crate::releases::ReleaseSummary;
use crate::scoped_stores::BucketStore;

/// A prefix, and what was published below it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PrefixState {
    /// The prefix, with a slash at its end.
    pub prefix: String,
    /// Its live release; `null` if it was taken and not published yet.
    pub release: Option<ReleaseSummary>,
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
