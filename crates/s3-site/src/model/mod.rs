//! Desired and actual state, changes and conflicts: plain data without SDK types.

mod actual;
mod alias_record;
mod batch;
mod change;
mod conflict;
mod desired;
mod outage;
mod policy;
mod properties;
mod redirect;
mod replication;
mod role;
mod settings;
mod store_record;
mod visitors;
mod website;

pub use actual::{
    Actual, ActualBucket, ArchivedObject, BucketSettings, Contents, DefaultEncryption, FormerBucket, FormerContents,
};
pub use alias_record::ALIAS_RECORD_KEY;
pub(crate) use alias_record::{alias_record, recorded_aliases};
pub use batch::{BATCH_REPORT_PREFIX, BatchJobSummary};
pub(crate) use batch::{JobStatus, batch_permissions, batch_role_arn, batch_role_name, batch_trust_policy};
pub use change::{BucketChange, BucketChangeKind, Change, RoleChange, RoleChangeKind};
pub use conflict::{Conflict, Conflicts};
pub use desired::{Adopt, Desired};
pub use outage::{BucketOutage, RestoreAction};
pub use policy::BucketPolicy;
pub(crate) use policy::{
    desired_policy, has_deny_statement, is_same_document, with_deny_statement, without_deny_statement,
    without_managed_statements,
};
pub use redirect::{ActualRedirectBucket, RedirectBucket, RedirectProblem, WebsiteRedirect};
pub(crate) use replication::RuleStatus;
pub use replication::{ReplicationRule, ReplicationRules};
pub use role::Role;
pub(crate) use role::{ROLE_PATH, permissions, role_arn, role_name, trust_policy};
pub use settings::{Lifecycle, PublicAccessBlock};
pub use store_record::STORE_RECORD_KEY;
pub(crate) use store_record::{recorded_store, store_record};
pub use visitors::{ARCHIVED_CLASSES, Denial, LifecycleEffect, LifecycleRisk, denials};
pub use website::{RoutingRule, Website, WebsiteSnapshot};

use twinsite_core::{Side, Site};

/// The ARN of a bucket of the site.
pub(crate) fn bucket_arn(site: &Site, side: Side) -> String {
    format!("arn:{}:s3:::{}", site.regions.get(side).partition(), site.buckets.get(side))
}
