//! Whole operations. They return what happened as a value and never print.

pub(crate) mod apply;
pub(crate) mod cert;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod drill;
pub(crate) mod failover;
pub(crate) mod iam_policy;
pub(crate) mod init;
pub(crate) mod local;
pub(crate) mod plan;
pub(crate) mod status;
pub(crate) mod verify;

use std::path::PathBuf;

use clap_complete::Shell;
use twinsite_core::{Pair, Plan};
use twinsite_sync::{Report, SyncPlan};

use crate::stack::{Outlook, SiteChange};

/// What a command did.
pub(crate) enum Outcome {
    /// A configuration was written.
    Written { path: PathBuf, outlook: Box<Outlook> },
    /// A plan was made, to be looked at.
    Planned { plan: Plan<SiteChange>, check: bool, outlook: Box<Outlook> },
    /// A site was looked at.
    Status(Box<status::Status>),
    /// A site was looked at again and again, until Ctrl-C.
    Watched,
    /// A certificate was imported; its ARN.
    Imported(String),
    /// A document is wanted.
    Document(serde_json::Value),
    /// A plan was applied.
    Applied { done: usize },
    /// A publish was planned, to be looked at.
    DryRun { plans: Pair<SyncPlan>, buckets: Pair<String> },
    /// A directory was published.
    Deployed(Deployed),
    /// Buckets were compared.
    Verified(Vec<Difference>),
    /// Buckets were deleted.
    Destroyed { done: usize },
    /// The primary was broken on purpose, and put back.
    Drilled(Box<drill::report::Drilled>),
    /// What a drill had left broken was put back; `None` when nothing was.
    Restored { how: Option<twinsite_s3_site::How> },
    /// Visitors are being sent to the backup, at this address.
    FailedOver { backup: String },
    /// Visitors may come back; `was` when they had been sent away.
    FailedBack { was: bool },
    /// The owner said no.
    Declined,
    /// The embedded cloud was served until Ctrl-C.
    Served,
    /// Ctrl-C came twice.
    Stopped,
    /// A completion script is wanted.
    Completions(Shell),
}

/// A publish.
pub(crate) struct Deployed {
    pub(crate) reports: Pair<Report>,
    pub(crate) urls: Pair<String>,
    pub(crate) local: bool,
    /// How many paths CloudFront was told to forget; `None` when none.
    pub(crate) forgotten: Option<usize>,
    /// Requests by operation, where they can be counted.
    pub(crate) requests: Option<std::collections::BTreeMap<String, u64>>,
}

/// A key that is not as it should be in a bucket.
pub(crate) struct Difference {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) why: String,
}
