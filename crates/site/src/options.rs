//! Options that everything that publishes shares.

use std::time::Duration;

use twinsite_sync::lock::Lease;
use twinsite_sync::{Deletes, Guard, Sending};

use crate::scoped_stores::TakeOver;

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

/// What to deploy, and how.
#[derive(Clone, Debug)]
pub struct DeployRequest {
    /// What is deleted.
    pub deletes: Deletes,
    /// The limit beyond which nothing is deleted; that of the configuration if `None`.
    pub guard: Option<Guard>,
    /// Whether unchanged objects are uploaded, too.
    pub send: Sending,
    /// A description of the release.
    pub message: Option<String>,
    /// Whether to publish if the live release was built from a newer commit.
    pub older: OlderCommit,
    /// Whether the entry pages are checked as a visitor afterwards.
    pub check: VisitorCheck,
    /// Whether the first deploy to a prefix takes over what the main site has below it.
    pub take_over: TakeOver,
    /// Lock, replication and invalidation.
    pub options: PublishOptions,
}

/// Whether to publish a commit that is older than the live release's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OlderCommit {
    /// Publish it.
    #[default]
    Publish,
    /// Publish nothing.
    Skip,
}

/// Whether a deploy checks the entry pages as a visitor, and fails if they are not what was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VisitorCheck {
    /// As configured by `publish.probe`.
    #[default]
    Configured,
    /// No check.
    Skip,
    /// Check, and fail.
    Check,
}

impl Default for DeployRequest {
    fn default() -> Self {
        Self {
            deletes: Deletes::Owned,
            guard: None,
            send: Sending::Changed,
            message: None,
            older: OlderCommit::Publish,
            check: VisitorCheck::Configured,
            take_over: TakeOver::Refuse,
            options: PublishOptions::default(),
        }
    }
}
