//! What a publish leaves to the next one: recorded in the primary, and cleared when it is done.

use twinsite_aws::AwsError;
use twinsite_core::{Event, Run, clean_up};
use twinsite_sync::VersionedStore;
use twinsite_sync::lock::{self, Lock, LockError, UnfinishedPublish};

use crate::invalidation::InvalidationResult;

/// The number of paths, if any had to be invalidated; or why they were not, and what is pending.
pub(crate) type Invalidated = Result<Option<usize>, (AwsError, UnfinishedPublish)>;

/// The record of unfinished publishes.
pub(crate) struct UnfinishedRecord {
    /// Whether there is one.
    pub(crate) exists: bool,
    /// What it is to say from now on.
    pub(crate) left: UnfinishedPublish,
}

/// Clears or records what is pending. The objects are published by now, so an invalidation that was not accepted does not
/// undo the deploy.
pub(crate) async fn settle_invalidation<S: VersionedStore>(
    primary: &S,
    invalidation: Invalidated,
    pending: &UnfinishedPublish,
    before: UnfinishedRecord,
    run: &Run,
) -> InvalidationResult {
    match invalidation {
        Ok(paths) => {
            if !before.left.is_empty() {
                record_unfinished(primary, &before.left, run).await;
            } else if before.exists {
                // If the record stays, the next deploy invalidates once more, which is harmless.
                drop(Box::pin(lock::clear_unfinished(primary)).await);
            }
            paths.map_or(InvalidationResult::None, InvalidationResult::accepted)
        }
        Err((error, changed)) => {
            let is_of_table = ["UpdateKeys", "ListKeys", "GetKey", "DescribeKeyValueStore"].contains(&error.operation);
            if is_of_table {
                let text = format!("edges may redirect by the rules of an earlier release: {error}");
                let hint = "that the redirect table is to be put is recorded in the bucket, and the next deploy does it; if it was denied: \
                            `twinsite iam-policy` prints the permissions";
                warn(run, text, hint);
            } else {
                let text = format!("CloudFront may serve outdated objects for up to a day: {error}");
                warn(
                    run,
                    text,
                    "the pending invalidation is recorded in the bucket; the next deploy requests it again",
                );
            }
            let UnfinishedPublish { created, purge, .. } = before.left;
            let mut left = UnfinishedPublish { record: false, created, purge, ..pending.clone() };
            left.join(changed);
            record_unfinished(primary, &left, run).await;
            InvalidationResult::Pending { error: error.to_string() }
        }
    }
}

pub(crate) async fn record_unfinished<S: VersionedStore>(primary: &S, pending: &UnfinishedPublish, run: &Run) {
    if !pending.is_empty()
        && let Err(error) = Box::pin(lock::record_unfinished(primary, pending)).await
    {
        let text = format!("pending invalidations could not be recorded: {error}");
        warn(run, text, "invalidate `/*` in the CloudFront console");
    }
}

/// Releases a lock, also after a cancellation. If the store fails to, that is a warning: the lock expires.
///
/// # Errors
/// [`LockError::Lost`] if somebody else has it already.
pub(crate) async fn free_lock<S: VersionedStore>(lock: Lock<'_, S>, run: &Run) -> Result<(), LockError> {
    match Box::pin(clean_up(lock.free())).await {
        Err(error @ LockError::Store(_)) => {
            let text = format!("the lock could not be released: {error}");
            warn(run, text, "the next deploy waits a minute for it to expire");
            Ok(())
        }
        freed => freed,
    }
}

pub(crate) fn warn(run: &Run, text: String, hint: &str) {
    run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
}
