//! S3 Batch Operations: jobs that replicate what was there before the rule, or has failed.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html>

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::replication::allowed;
use super::{Account, Fault, NewObject, Part, Replicated, State, Version, World};

/// Versions that a job deals with each time somebody looks.
const STRIDE: usize = 2000;

/// What S3 Control refuses, with its own error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobFault {
    /// `InvalidRequest`.
    #[error("{0}")]
    Invalid(&'static str),
    /// `NoSuchJob`.
    #[error("The specified job does not exist")]
    NoSuchJob,
    /// The state could not be written.
    #[error("{0}")]
    Disk(String),
}

impl From<Fault> for JobFault {
    fn from(fault: Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

/// A job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// By which a repeated request is recognised.
    pub token: String,
    /// `Preparing`, `Active`, `Complete`, `Failed`.
    pub status: String,
    /// The role that it works as, by its ARN.
    pub role: String,
    /// The bucket whose objects are replicated.
    pub source: String,
    /// Which of them, by their replication status; all when empty.
    pub statuses: Vec<String>,
    /// Where the report goes: bucket and prefix.
    pub report: Option<(String, String)>,
    /// Versions that it is about.
    pub total: u64,
    /// Those that have arrived.
    pub succeeded: u64,
    /// Those that have not: key and version.
    pub failed: Vec<(String, String)>,
    /// Why it has failed.
    pub why: Option<String>,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// The last key that was dealt with.
    pub behind: String,
}

/// All jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Jobs {
    jobs: BTreeMap<String, Job>,
}

impl World {
    /// Makes a job; the same again for a repeated request.
    pub fn create_job(&self, job: Job) -> Result<String, JobFault> {
        self.replicate().map_err(JobFault::from)?;
        let known = self.account(|account, _| {
            account.batch.jobs.values().find(|there| there.token == job.token).map(|there| there.id.clone())
        });
        if let Some(id) = known {
            return Ok(id);
        }
        let has_rule = self.read().buckets.get(&job.source).is_some_and(|bucket| bucket.rules.is_some());
        if !has_rule {
            return Err(JobFault::Invalid("The source bucket has no replication configuration"));
        }
        let id = super::random_id();
        self.change_account(|account, moment| {
            if !trusts(account, &job.role) {
                return Err(JobFault::Invalid(
                    "Invalid role: it does not exist, or S3 Batch Operations may not assume it",
                ));
            }
            let status = "Preparing".to_owned();
            let made = Job { id: id.clone(), status, created: Some(moment.now), ..job };
            account.batch.jobs.insert(id.clone(), made);
            Ok(id.clone())
        })
    }

    /// A job as it is now. Looking moves it on: it works while somebody waits for it.
    pub fn job(&self, id: &str) -> Result<Job, JobFault> {
        let (job, due) = self.account(|account, moment| {
            let job = account.batch.jobs.get(id).cloned().ok_or(JobFault::NoSuchJob)?;
            let due = job.created.is_none_or(|made| moment.now >= made + moment.delays.replication);
            Ok::<_, JobFault>((job, due))
        })?;
        let shown = job.clone();
        let next = match job.status.as_str() {
            "Preparing" if due => self.prepare(job),
            "Active" => self.stride(job)?,
            _ => job,
        };
        if next != shown {
            self.change_account(|account, _| {
                account.batch.jobs.insert(id.to_owned(), next);
                Ok::<_, Fault>(())
            })?;
        }
        Ok(shown)
    }

    /// The manifest.
    fn prepare(&self, job: Job) -> Job {
        let state = self.read();
        let total = todo(&state, &job, "").count();
        let may = allowed(&state.account, &job.role, "s3:InitiateReplication", &job.source);
        let why = (!may).then(|| "The role may not initiate replication in the source bucket".to_owned());
        let status = if may { "Active" } else { "Failed" }.to_owned();
        Job { total: total as u64, status, why, ..job }
    }

    fn stride(&self, mut job: Job) -> Result<Job, Fault> {
        let mut state = self.write();
        let work: Vec<Arc<Version>> = todo(&state, &job, &job.behind).take(STRIDE).cloned().collect();
        for version in &work {
            if self.carry_over(&mut state, &job.source, version)? == Replicated::Completed {
                job.succeeded += 1;
            } else {
                job.failed.push((version.key.clone(), version.id.clone()));
            }
            job.behind.clone_from(&version.key);
        }
        drop(state);
        if work.is_empty() {
            "Complete".clone_into(&mut job.status);
            self.report(&job)?;
        }
        Ok(job)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html>
    fn report(&self, job: &Job) -> Result<(), Fault> {
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
            let chunk = self.store(text.clone().into())?;
            let etag = hex::encode(<md5::Md5 as md5::Digest>::digest(text.as_bytes()));
            let size = text.len() as u64;
            let part = Part { number: 1, etag: etag.clone(), size, chunks: vec![chunk], ..Part::default() };
            let object = NewObject { key, etag, parts: vec![part], ..NewObject::default() };
            self.put(bucket, object, &super::Condition::None)?;
        }
        Ok(())
    }
}

/// Versions that a job is about, behind a key.
fn todo<'a>(state: &'a State, job: &'a Job, behind: &str) -> impl Iterator<Item = &'a Arc<Version>> {
    let bucket = state.buckets.get(&job.source);
    let rules = bucket.and_then(|bucket| bucket.rules.clone());
    let start = if behind.is_empty() { Bound::Unbounded } else { Bound::Excluded(behind.to_owned()) };
    let keys = bucket.into_iter().flat_map(move |bucket| bucket.keys.range((start.clone(), Bound::Unbounded)));
    let wanted = |version: &Version| {
        let status = version.replicated.map_or("NONE", Replicated::as_str);
        job.statuses.is_empty() || job.statuses.iter().any(|one| one == status)
    };
    keys.flat_map(|(_, versions)| versions).filter(move |version| {
        let eligible = rules.as_ref().is_some_and(|rules| rules.leads_somewhere(version));
        eligible && !version.is_marker() && wanted(version)
    })
}

fn trusts(account: &Account, role: &str) -> bool {
    account.iam.by_arn(role).is_some_and(|role| role.trust.contains("batchoperations.s3.amazonaws.com"))
}
