//! Options that everything that publishes shares.

use std::time::Duration;

use twinsite_sync::lock::Lease;

/// Lock, replication and invalidation.
#[derive(Clone, Copy, Debug)]
pub struct PublishOptions {
    /// Whether to wait until the invalidation has completed at every edge location.
    pub wait_for_invalidation: WaitForInvalidation,
    /// How long to wait for replication before the remaining objects are copied.
    pub parity_timeout: Duration,
    /// How long to wait for the lock.
    pub lock_timeout: Duration,
    /// How long the lock lasts without renewal.
    pub lock_ttl: Duration,
}

/// Whether to wait until an invalidation has completed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitForInvalidation {
    /// Until CloudFront has accepted it.
    #[default]
    Accepted,
    /// Until it has completed at every edge location.
    Completed,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self {
            wait_for_invalidation: WaitForInvalidation::Accepted,
            parity_timeout: Duration::from_mins(1),
            lock_timeout: Duration::from_mins(5),
            lock_ttl: Lease::default().ttl,
        }
    }
}
