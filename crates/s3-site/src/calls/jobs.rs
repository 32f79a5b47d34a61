//! Operations of S3 Control: batch jobs, and the account's public access block.

use aws_sdk_s3control::Client;
use twinsite_aws::AwsError;
use twinsite_core::{AccountId, Side, Site};

use super::call;
use crate::model::{BatchJobSummary, JobStatus, PublicAccessBlock, bucket_arn};
use crate::wire::job as wire;

/// The public access block of the account.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>
pub(crate) async fn get_account_public_access_block(
    client: &Client,
    account: &AccountId,
) -> Result<Option<PublicAccessBlock>, AwsError> {
    let request = client.get_public_access_block().account_id(account.as_str());
    let response = AwsError::absent(call!("GetPublicAccessBlock", format!("account {account}"), request))?;
    let block = response.and_then(|response| response.public_access_block_configuration);
    Ok(block.as_ref().map(wire::public_access_block))
}

/// A job to create.
pub(crate) struct JobRequest<'a> {
    /// Calls with the same token create one job.
    pub(crate) token: &'a str,
    /// The ARN of the role that the job assumes.
    pub(crate) role: &'a str,
}

/// Creates a job that replicates everything in the primary that was not replicated, or whose replication failed.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html>
pub(crate) async fn create_job(client: &Client, site: &Site, job: &JobRequest<'_>) -> Result<String, AwsError> {
    const OPERATION: &str = "CreateJob";
    let source = bucket_arn(site, Side::Primary);
    let generator = wire::manifest_generator(&site.account, &source);
    let generator = generator.map_err(|error| AwsError::unexpected(OPERATION, &source, error))?;
    let request = client
        .create_job()
        .account_id(site.account.as_str())
        .client_request_token(job.token)
        .confirmation_required(false)
        .description(format!("twinsite: fill the backup of {}", site.domain))
        .operation(wire::replicate_operation())
        .manifest_generator(generator)
        .report(wire::report(&source))
        .priority(10)
        .role_arn(job.role);
    let response = call!(OPERATION, &source, request)?;
    response.job_id.ok_or_else(|| AwsError::unexpected(OPERATION, &source, "`JobId` is missing"))
}

/// A job's status and progress.
pub(crate) struct JobState {
    pub(crate) status: JobStatus,
    pub(crate) summary: BatchJobSummary,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html>
pub(crate) async fn describe_job(client: &Client, site: &Site, id: &str) -> Result<JobState, AwsError> {
    const OPERATION: &str = "DescribeJob";
    let request = client.describe_job().account_id(site.account.as_str()).job_id(id);
    let job = call!(OPERATION, id, request)?.job;
    let job = job.ok_or_else(|| AwsError::unexpected(OPERATION, id, "`Job` is missing"))?;
    Ok(JobState { status: wire::status(&job), summary: wire::summary(id, &job) })
}
