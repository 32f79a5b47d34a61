//! Whole operations. They return what happened as a value and never print.

pub(crate) mod apply;
pub(crate) mod backfill;
pub(crate) mod cert;
mod commit;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod drill;
pub(crate) mod failover;
pub(crate) mod iam_policy;
pub(crate) mod init;
pub(crate) mod local;
pub(crate) mod plan;
mod probe;
mod publish;
pub(crate) mod releases;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod verify;

use std::path::PathBuf;

use clap_complete::Shell;
use twinsite_core::{Pair, Plan};
use twinsite_s3_site::Batch;
use twinsite_sync::mirror::{Compared, Filled, Level};
use twinsite_sync::release::{self, Collected, Release, Summary};
use twinsite_sync::{Prepared, Report};

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
    Applied { done: usize, filled: Option<Filled> },
    /// A publish was planned, to be looked at.
    DryRun { prepared: Box<Prepared>, buckets: Pair<String> },
    /// A directory was published, or an older release brought back.
    Deployed(Box<Deployed>),
    /// Nothing was published, and why.
    Skipped { why: String },
    /// Buckets were compared.
    Verified(Verified),
    /// The backup was compared with the primary, to be looked at.
    Lacking { compared: Box<Compared>, bucket: String },
    /// The backup was given what it lacked.
    Filled { filled: Filled, foreign: Vec<String>, level: usize, job: Option<Batch>, versions: usize },
    /// What has been published so far.
    Releases(Vec<Summary>),
    /// One release, whole.
    Release(Box<Release>),
    /// What differs between two releases.
    Compared(Vec<release::Difference>),
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
    /// What was done to the primary.
    pub(crate) report: Report,
    /// What the backup had lacked before.
    pub(crate) drift: Filled,
    /// How the backup followed.
    pub(crate) level: Level,
    /// The release that was made; `None` when nothing changed.
    pub(crate) release: Option<Summary>,
    /// What was let go of.
    pub(crate) collected: Collected,
    pub(crate) urls: Pair<String>,
    pub(crate) local: bool,
    /// How many paths CloudFront was told to forget; `None` when none.
    pub(crate) forgotten: Option<usize>,
    /// Requests by operation, where they can be counted.
    pub(crate) requests: Option<std::collections::BTreeMap<String, u64>>,
}

/// What a comparison found.
#[derive(Default)]
pub(crate) struct Verified {
    pub(crate) differences: Vec<Difference>,
    /// What is in a bucket and was never published there. It stays, and is no difference.
    pub(crate) foreign: Vec<Difference>,
}

/// A key that is not as it should be in a bucket.
pub(crate) struct Difference {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) why: String,
}
