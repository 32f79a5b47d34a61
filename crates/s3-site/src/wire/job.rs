//! Batch jobs, and the account's public access block.

use aws_sdk_s3control::error::BuildError;
use aws_sdk_s3control::types::{
    JobDescriptor, JobManifestGenerator, JobManifestGeneratorFilter, JobOperation, JobReport, JobReportFormat,
    JobReportScope, JobStatus as SdkJobStatus, PublicAccessBlockConfiguration, ReplicationStatus,
    S3JobManifestGenerator, S3ReplicateObjectOperation,
};
use twinsite_core::AccountId;

use crate::model::{BATCH_REPORT_PREFIX, BatchJobSummary, JobStatus, PublicAccessBlock};

pub(crate) fn public_access_block(block: &PublicAccessBlockConfiguration) -> PublicAccessBlock {
    PublicAccessBlock {
        block_public_acls: block.block_public_acls().unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls().unwrap_or_default(),
        block_public_policy: block.block_public_policy().unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets().unwrap_or_default(),
    }
}

pub(crate) fn replicate_operation() -> JobOperation {
    JobOperation::builder().s3_replicate_object(S3ReplicateObjectOperation::builder().build()).build()
}

/// Everything that was not replicated, or whose replication failed.
pub(crate) fn manifest_generator(account: &AccountId, source: &str) -> Result<JobManifestGenerator, BuildError> {
    let filter = JobManifestGeneratorFilter::builder()
        .eligible_for_replication(true)
        .object_replication_statuses(ReplicationStatus::None)
        .object_replication_statuses(ReplicationStatus::Failed)
        .build();
    let generator = S3JobManifestGenerator::builder().source_bucket(source).filter(filter);
    let generator = generator.expected_bucket_owner(account.as_str()).enable_manifest_output(false).build()?;
    Ok(JobManifestGenerator::S3JobManifestGenerator(generator))
}

pub(crate) fn report(bucket: &str) -> JobReport {
    let report = JobReport::builder().enabled(true).bucket(bucket).prefix(BATCH_REPORT_PREFIX);
    report.format(JobReportFormat::ReportCsv20180820).report_scope(JobReportScope::FailedTasksOnly).build()
}

pub(crate) fn status(job: &JobDescriptor) -> JobStatus {
    match job.status() {
        Some(SdkJobStatus::Complete) => JobStatus::Complete,
        Some(status @ (SdkJobStatus::Failed | SdkJobStatus::Cancelled)) => {
            let reason = job.failure_reasons().iter().find_map(|failure| failure.failure_reason());
            JobStatus::Ended(reason.map_or_else(|| status.to_string(), |reason| format!("{status} ({reason})")))
        }
        Some(_) | None => JobStatus::InProgress,
    }
}

pub(crate) fn summary(id: &str, job: &JobDescriptor) -> BatchJobSummary {
    let progress = job.progress_summary();
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    BatchJobSummary {
        id: id.to_owned(),
        total: count(progress.and_then(|progress| progress.total_number_of_tasks)),
        succeeded: count(progress.and_then(|progress| progress.number_of_tasks_succeeded)),
        failed: count(progress.and_then(|progress| progress.number_of_tasks_failed)),
    }
}
