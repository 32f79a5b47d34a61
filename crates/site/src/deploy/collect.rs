//! Garbage collection after a publish.

use twinsite_core::{Pair, Run, Side};
use twinsite_sync::release::{self, Collected};
use twinsite_sync::{Published, RetentionPolicy, VersionedStore};

use crate::unfinished::warn;

/// Deletes versions that only expired releases refer to.
pub(super) async fn collect<S: VersionedStore>(
    stores: &Pair<S>,
    keep: RetentionPolicy,
    published: &Published,
    run: &Run,
) -> Collected {
    let mut collected = Collected::default();
    // Ids are consecutive apart from rare races, and being due is only an optimisation.
    let due = published.release.as_ref().is_some_and(|newest| release::is_due_at(newest.id, &keep));
    if !due {
        return collected;
    }
    for (side, store) in [(Side::Backup, &stores.backup), (Side::Primary, &stores.primary)] {
        match Box::pin(release::collect(store, &keep)).await {
            Ok(done) => collected = done,
            Err(error) => {
                let text = format!("expired releases in the {side} bucket could not be collected: {error}");
                warn(run, text, "nothing depends on it; the next deploys try again");
            }
        }
    }
    collected
}
