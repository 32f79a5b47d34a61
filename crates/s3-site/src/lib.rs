#![doc = include_str!("../README.md")]

mod apply;
mod batch;
mod bucket_status;
mod calls;
mod clients;
mod diff;
mod drill;
mod existing;
mod failover_switch;
mod journal;
mod log_bucket;
mod model;
mod observe;
mod replication_probe;
pub mod step_ids;
mod store_record;
mod wire;

pub use bucket_status::BucketStatus;
pub use clients::S3Site;
pub use diff::{plan_changes, plan_destruction, plan_former_destruction};
pub use existing::{ExistingBucket, FoundBucket};
pub use journal::DRILL_JOURNAL_KEY;
pub use log_bucket::LogBucket;
pub use model::{
    ALIAS_RECORD_KEY, ARCHIVED_CLASSES, Actual, ActualBucket, ActualRedirectBucket, Adopt, ArchivedObject,
    BATCH_REPORT_PREFIX, BatchJobSummary, BucketChange, BucketChangeKind, BucketOutage, BucketPolicy, BucketSettings,
    Change, Conflict, Conflicts, Contents, DefaultEncryption, Denial, Desired, FormerBucket, FormerContents, Lifecycle,
    LifecycleEffect, LifecycleRisk, PublicAccessBlock, RedirectBucket, RedirectProblem, ReplicationRule,
    ReplicationRules, RestoreAction, Role, RoleChange, RoleChangeKind, RoutingRule, STORE_RECORD_KEY, Website,
    WebsiteRedirect, WebsiteSnapshot, denials,
};
pub use replication_probe::REPLICATION_PROBE_KEY;
