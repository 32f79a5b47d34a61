//! Stores that do not have all of S3: what they lack is found out once, reported once, and recorded in the primary.

use std::collections::BTreeSet;

use twinsite_core::{Event, Pair, Run};
use twinsite_sync::{Limit, Store, SyncError, VersionedStore, lock};

use crate::error::{Context, Error};
use crate::unfinished::warn;

/// What is known of the two stores before a publish.
#[derive(Debug)]
pub(crate) struct KnownLimits(Pair<BTreeSet<Limit>>);

impl KnownLimits {
    /// Reads what is recorded in the primary, if anything is.
    pub(crate) async fn read<S: VersionedStore>(
        stores: &Pair<S>,
        is_recorded: bool,
        operation: &str,
    ) -> Result<Self, Error> {
        if is_recorded {
            Box::pin(lock::read_limits(&stores.primary)).await.map_err(SyncError::from).context(operation)?;
        }
        Ok(Self(stores.as_ref().map(Store::limits)))
    }

    /// Reports what was found out since, and records it in the primary.
    pub(crate) async fn report<S: VersionedStore>(self, stores: &Pair<S>, run: &Run) {
        let found = stores.as_ref().map(Store::limits);
        let Self(known) = self;
        let primary = found.primary.difference(&known.primary).map(|limit| ("primary", limit));
        let backup = found.backup.difference(&known.backup).map(|limit| ("backup", limit));
        let backup = backup.filter(|(_, limit)| !found.primary.contains(limit));
        // Of conditions, every deploy warns.
        for (side, limit) in primary.chain(backup).filter(|(_, limit)| **limit != Limit::Conditions) {
            run.emit(&Event::Warning { text: format!("the {side}'s store {limit}"), hint: None });
        }
        if found.primary == known.primary {
            return;
        }
        if let Err(error) = Box::pin(lock::record_limits(&stores.primary)).await {
            let text = format!("what the primary's store does not support could not be recorded: {error}");
            warn(run, text, "the next deploy finds it out again");
        }
    }
}
