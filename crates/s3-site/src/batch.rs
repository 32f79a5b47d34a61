//! S3 Batch Replication: replicates existing objects, of which there may be too many to copy one by one.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html>

use std::cell::Cell;
use std::time::{Duration, Instant};

use twinsite_aws::{AwsError, outlast_refusals};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Event, Phase, Run, Side, Site};

use crate::calls::jobs::{self, JobRequest, JobState};
use crate::calls::roles::{NewRole, RoleClient};
use crate::clients::S3Site;
use crate::model::{
    BatchJobSummary, Desired, JobStatus, batch_permissions, batch_role_arn, batch_role_name, batch_trust_policy,
};

/// Jobs of millions of objects take hours.
const JOB: PollPolicy =
    PollPolicy { first: Duration::from_millis(200), most: Duration::from_secs(30), total: Duration::from_hours(72) };

impl S3Site {
    /// Has S3 replicate every object of the primary that is older than the replication rule, or whose replication failed, and
    /// waits until the job is complete. The role that the job assumes is created before and deleted afterwards, unless the site has
    /// a replication role of its own: then it is that.
    ///
    /// `token` identifies the job: calls with the same token create one job. At most 64 characters.
    ///
    /// # Errors
    /// [`AwsError`] if a call or the job failed, or the run was cancelled. The job itself then continues.
    pub async fn replicate_existing(
        &self,
        desired: &Desired,
        token: &str,
        run: &Run,
    ) -> Result<BatchJobSummary, AwsError> {
        let site = &desired.site;
        if let Some(own) = &desired.replication_role {
            return Box::pin(self.run_job(site, &JobRequest { token, role: own.as_str() }, run)).await;
        }
        let name = batch_role_name(site);
        let role = RoleClient { client: &self.iam, role: &name };
        self.prepare_role(&role, desired, run).await?;
        let job_role = batch_role_arn(site);
        let result = Box::pin(self.run_job(site, &JobRequest { token, role: &job_role }, run)).await;
        // A job that continues needs its role; the next run deletes it.
        if !run.is_cancelled() {
            outlast_refusals(run, "DeleteRole", || role.delete_role()).await?;
        }
        result
    }

    /// The role that the job assumes, with its policies.
    async fn prepare_role(&self, role: &RoleClient<'_>, desired: &Desired, run: &Run) -> Result<(), AwsError> {
        let owner = desired.owner();
        let (trust, boundary, tags) = (batch_trust_policy(), desired.boundary_arn(), owner.created());
        let prepare = async || {
            match role.get_role().await? {
                Some(existing) if !owner.owns(&existing.tags) => {
                    let why = "a role of that name exists and does not belong to this site";
                    return Err(AwsError::refused("CreateRole", role.role, why));
                }
                // Left by a job that was not waited for, perhaps of an earlier release.
                Some(_) => role.update_assume_role_policy(&trust).await?,
                None => role.create_role(&NewRole { trust_policy: &trust, boundary: &boundary, tags: &tags }).await?,
            }
            role.put_role_policy(&batch_permissions(&desired.site)).await
        };
        outlast_refusals(run, "PutRolePolicy", || Box::pin(prepare())).await
    }

    async fn run_job(&self, site: &Site, request: &JobRequest<'_>, run: &Run) -> Result<BatchJobSummary, AwsError> {
        let id = self.create_job(site, request, run).await?;
        let (started, reported, side) = (Instant::now(), Cell::new(0), Some(Side::Backup));
        run.emit(&Event::PhaseStarted { phase: Phase::Copy, side, objects: None, bytes: None });
        let subject = format!("batch job {id}");
        let result = poll_until(run, JOB, &subject, || async {
            let JobState { status, summary } = jobs::describe_job(&self.s3control, site, &id).await?;
            match status {
                JobStatus::Complete => Ok(Poll::Ready(summary)),
                JobStatus::Ended(status) => {
                    let why = format!("the job ended as {status}: look at it in the S3 console under Batch Operations");
                    Err(AwsError::refused("DescribeJob", &subject, why))
                }
                JobStatus::InProgress => {
                    let processed = summary.succeeded + summary.failed;
                    let objects = processed.saturating_sub(reported.replace(processed));
                    run.emit(&Event::Progress { phase: Phase::Copy, side, objects, bytes: 0 });
                    Ok(Poll::NotYet)
                }
            }
        });
        let result = result.await;
        run.emit(&Event::PhaseDone { phase: Phase::Copy, side, took: started.elapsed() });
        result.map_err(|error| AwsError::from_wait("DescribeJob", &subject, error))
    }

    async fn create_job(&self, site: &Site, request: &JobRequest<'_>, run: &Run) -> Result<String, AwsError> {
        outlast_refusals(run, "CreateJob", || jobs::create_job(&self.s3control, site, request)).await
    }
}
