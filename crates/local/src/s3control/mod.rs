//! S3 Control: the public access block of the account, and S3 Batch Operations jobs that replicate existing objects.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html>

mod permissions;
mod wire;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::context::{Now, ServiceError, random_id};
use crate::s3::{Condition, NewObject, Part, ReplicationStatus, S3, Version};
pub(crate) use permissions::permissions;
pub(crate) use wire::{answer, operation};

/// How many versions a job processes each time it is described.
const BATCH: usize = 2000;

/// A job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// The client request token, which makes creation idempotent.
    pub token: String,
    /// `Preparing`, `Active`, `Complete` or `Failed`.
    pub status: String,
    /// The ARN of the role it assumes.
    pub role: String,
    /// The source bucket.
    pub source: String,
    /// Only versions with these replication statuses; all when empty.
    pub statuses: Vec<String>,
    /// The bucket and prefix of the completion report.
    pub report: Option<(String, String)>,
    /// How many versions it processes.
    pub total: u64,
    /// How many were replicated.
    pub succeeded: u64,
    /// The key and version of those that failed.
    pub failed: Vec<(String, String)>,
    /// Why the job failed.
    #[serde(rename = "why")]
    pub failure_reason: Option<String>,
    /// When it was created.
    pub created: Option<SystemTime>,
    /// The last key processed.
    #[serde(rename = "behind")]
    pub last_key: String,
}

impl Job {
    fn selects(&self, version: &Version) -> bool {
        let status = version.replicated.map_or("NONE", ReplicationStatus::as_str);
        self.statuses.is_empty() || self.statuses.iter().any(|one| one == status)
    }
}

/// All jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Jobs {
    jobs: BTreeMap<String, Job>,
}

impl Jobs {
    /// Creates a job, or returns the one with the same client request token.
    fn create(&mut self, s3: &S3, job: Job, now: Now) -> Result<String, ServiceError> {
        if let Some(existing) = self.jobs.values().find(|other| other.token == job.token) {
            return Ok(existing.id.clone());
        }
        let invalid = |message: &str| Err(ServiceError::invalid("InvalidRequest", message));
        if !s3.has_replication(&job.source) {
            return invalid("The source bucket has no replication configuration");
        }
        let account = s3.account();
        let role = account.iam.role_by_arn(&job.role);
        if role.is_none_or(|role| !role.trusts("batchoperations.s3.amazonaws.com")) {
            return invalid("Invalid role: it does not exist, or S3 Batch Operations may not assume it");
        }
        let id = random_id();
        let job = Job { id: id.clone(), status: "Preparing".to_owned(), created: Some(now.time), ..job };
        self.jobs.insert(id.clone(), job);
        Ok(id)
    }

    /// A job as it is now. It progresses only when it is described.
    fn describe(&mut self, s3: &S3, id: &str, now: Now) -> Result<Job, ServiceError> {
        let missing = || ServiceError::new("NoSuchJob", 404, "The specified job does not exist");
        let job = self.jobs.get_mut(id).ok_or_else(missing)?;
        let described = job.clone();
        let due = job.created.is_none_or(|created| now.time >= created + now.delays.replication);
        match job.status.as_str() {
            "Preparing" if due => prepare(job, s3),
            "Active" => process_batch(job, s3)?,
            _ => {}
        }
        Ok(described)
    }
}

/// Generates the manifest.
fn prepare(job: &mut Job, s3: &S3) {
    job.total = s3.replicable(&job.source, "", usize::MAX, |version| job.selects(version)).len() as u64;
    let account = s3.account();
    let role = account.iam.role_by_arn(&job.role);
    if role.is_some_and(|role| role.allows("s3:InitiateReplication", &job.source)) {
        "Active".clone_into(&mut job.status);
    } else {
        "Failed".clone_into(&mut job.status);
        job.failure_reason = Some("The role may not initiate replication in the source bucket".to_owned());
    }
}

fn process_batch(job: &mut Job, s3: &S3) -> Result<(), ServiceError> {
    let batch = s3.replicable(&job.source, &job.last_key, BATCH, |version| job.selects(version));
    for version in &batch {
        if s3.replicate_existing(&job.source, version)? == ReplicationStatus::Completed {
            job.succeeded += 1;
        } else {
            job.failed.push((version.key.clone(), version.id.clone()));
        }
        job.last_key.clone_from(&version.key);
    }
    if batch.is_empty() {
        "Complete".clone_into(&mut job.status);
        write_report(job, s3)?;
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html>
fn write_report(job: &Job, s3: &S3) -> Result<(), ServiceError> {
    let Some((bucket, prefix)) = &job.report else { return Ok(()) };
    let lines: Vec<String> =
        job.failed.iter().map(|(key, id)| format!("{},{key},{id},failed,403,AccessDenied", job.source)).collect();
    let folder = format!("{}/job-{}", prefix.trim_end_matches('/'), job.id);
    let manifest = serde_json::json!({
        "Format": "Report_CSV_20180820", "ReportSchema": "Bucket, Key, VersionId, TaskStatus, HTTPStatusCode, ErrorCode",
        "Results": [{"TaskExecutionStatus": "failed", "Bucket": bucket, "Key": format!("{folder}/results/failed.csv")}],
    });
    for (key, text) in [
        (format!("{folder}/results/failed.csv"), lines.join("\n")),
        (format!("{folder}/manifest.json"), manifest.to_string()),
    ] {
        let etag = hex::encode(<md5::Md5 as md5::Digest>::digest(text.as_bytes()));
        let size = text.len() as u64;
        let chunks = vec![s3.store_chunk(text.into())?];
        let part = Part { number: 1, etag: etag.clone(), size, chunks, ..Part::default() };
        let object = NewObject { key, etag, parts: vec![part], ..NewObject::default() };
        s3.put_object(bucket, object, &Condition::None)?;
    }
    Ok(())
}
