//! Jobs of S3 Batch Replication.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html>

use serde_json::json;
use twinsite_core::{Side, Site};

use super::bucket_arn;
use super::role::{arn_of_role, trust_policy_of};

/// The prefix of job reports in the primary bucket. The bucket policy denies public access to it.
pub const BATCH_REPORT_PREFIX: &str = ".twinsite/batch";

/// The result of a completed job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchJobSummary {
    /// The job's id.
    pub id: String,
    /// Object versions in its manifest.
    pub total: u64,
    /// Versions that were replicated.
    pub succeeded: u64,
    /// Versions that failed. The report under [`BATCH_REPORT_PREFIX`] lists them.
    pub failed: u64,
}

/// The status of a job.
pub(crate) enum JobStatus {
    InProgress,
    Complete,
    /// `Failed` or `Cancelled`, with the reason.
    Ended(String),
}

/// The name of the role that a job assumes.
pub(crate) fn batch_role_name(site: &Site) -> String {
    format!("twinsite-{}-batch", site.slug())
}

/// The ARN of the role that a job assumes.
pub(crate) fn batch_role_arn(site: &Site) -> String {
    arn_of_role(site, &batch_role_name(site))
}

/// The trust policy of the role that a job assumes, exactly as documented.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html>
pub(crate) fn batch_trust_policy() -> String {
    trust_policy_of("batchoperations.s3.amazonaws.com")
}

/// The permissions of the role that a job assumes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html>
pub(crate) fn batch_permissions(site: &Site) -> String {
    let bucket = bucket_arn(site, Side::Primary);
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:InitiateReplication", "Resource": format!("{bucket}/*")},
        {
            "Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"],
            "Resource": bucket,
        },
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": format!("{bucket}/{BATCH_REPORT_PREFIX}/*")},
    ]})
    .to_string()
}
