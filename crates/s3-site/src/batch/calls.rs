//! One function for each operation of S3 Control, by its AWS name.

use aws_sdk_s3control::error::BuildError;
use aws_sdk_s3control::types::{
    JobManifestGenerator, JobManifestGeneratorFilter, JobOperation, JobReport, JobReportFormat, JobReportScope,
    JobStatus, ReplicationStatus, S3JobManifestGenerator, S3ReplicateObjectOperation,
};
use twinsite_aws::AwsError;
use twinsite_core::wait::{Poll, poll_until};
use twinsite_core::{Run, Site};

use super::{Batch, PROPAGATION, REPORTS, State};
use crate::S3Site;
use crate::role::{PATH, batch_name};

impl S3Site {
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html>
    pub(super) async fn create_job(&self, site: &Site, token: &str, run: &Run) -> Result<String, AwsError> {
        let partition = site.regions.primary.partition();
        let source = format!("arn:{partition}:s3:::{}", site.buckets.primary);
        let generator = generator(site, &source).map_err(|error| AwsError::unexpected("CreateJob", &source, error))?;
        let operation =
            JobOperation::builder().s3_replicate_object(S3ReplicateObjectOperation::builder().build()).build();
        let request = self
            .control
            .create_job()
            .account_id(site.account.as_str())
            .client_request_token(token)
            .confirmation_required(false)
            .description(format!("twinsite: fill the backup of {}", site.domain))
            .operation(operation)
            .manifest_generator(JobManifestGenerator::S3JobManifestGenerator(generator))
            .report(report(&source))
            .priority(10)
            .role_arn(format!("arn:{partition}:iam::{}:role{PATH}{}", site.account, batch_name(site)));
        let made = poll_until(run, PROPAGATION, "the job's role to be known", || async {
            let answer = request.clone().send().await;
            match answer.map_err(|error| AwsError::new("CreateJob", &source, error)) {
                Ok(answer) => Ok(Poll::Ready(answer.job_id.unwrap_or_default())),
                Err(error) if error.message.contains("role") && error.code.as_deref() == Some("InvalidRequest") => {
                    Ok(Poll::NotYet)
                }
                Err(error) => Err(error),
            }
        });
        made.await.map_err(|error| AwsError::from_wait("CreateJob", &source, error))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html>
    pub(super) async fn describe_job(&self, site: &Site, id: &str) -> Result<(State, Batch), AwsError> {
        let answer = self.control.describe_job().account_id(site.account.as_str()).job_id(id).send().await;
        let answer = answer.map_err(|error| AwsError::new("DescribeJob", id, error))?;
        let job = answer.job.ok_or_else(|| AwsError::unexpected("DescribeJob", id, "the answer is empty"))?;
        let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        let sum = job.progress_summary;
        let batch = Batch {
            id: id.to_owned(),
            total: count(sum.as_ref().and_then(|sum| sum.total_number_of_tasks)),
            succeeded: count(sum.as_ref().and_then(|sum| sum.number_of_tasks_succeeded)),
            failed: count(sum.as_ref().and_then(|sum| sum.number_of_tasks_failed)),
        };
        let state = match job.status {
            Some(JobStatus::Complete) => State::Complete,
            Some(status @ (JobStatus::Failed | JobStatus::Cancelled)) => {
                let why = job.failure_reasons.unwrap_or_default().into_iter().find_map(|reason| reason.failure_reason);
                State::Ended(why.map_or_else(|| status.to_string(), |why| format!("{status} ({why})")))
            }
            Some(_) | None => State::UnderWay,
        };
        Ok((state, batch))
    }
}

/// Everything that replication has not copied.
fn generator(site: &Site, source: &str) -> Result<S3JobManifestGenerator, BuildError> {
    let filter = JobManifestGeneratorFilter::builder()
        .eligible_for_replication(true)
        .object_replication_statuses(ReplicationStatus::None)
        .object_replication_statuses(ReplicationStatus::Failed)
        .build();
    let generator = S3JobManifestGenerator::builder().source_bucket(source).filter(filter);
    generator.expected_bucket_owner(site.account.as_str()).enable_manifest_output(false).build()
}

fn report(source: &str) -> JobReport {
    let report = JobReport::builder().enabled(true).bucket(source).prefix(REPORTS);
    report.format(JobReportFormat::ReportCsv20180820).report_scope(JobReportScope::FailedTasksOnly).build()
}
