//! S3 Batch Replication: for so many objects that copying them one by one would take too long, S3 does it in its own time.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html>

mod calls;

use std::time::Duration;

use serde_json::json;
use twinsite_aws::{AwsError, Owner};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Event, Phase, Run, Side, Site};

use crate::S3Site;
use crate::role::{Calls, batch_name};

/// Where a job writes its report: the private corner of the primary.
pub const REPORTS: &str = ".twinsite/batch";

/// Jobs of millions of objects take hours.
const PATIENCE: PollPolicy =
    PollPolicy { first: Duration::from_millis(200), most: Duration::from_secs(30), total: Duration::from_hours(72) };

/// A new role is known everywhere within seconds.
const PROPAGATION: PollPolicy =
    PollPolicy { first: Duration::from_secs(1), most: Duration::from_secs(5), total: Duration::from_mins(1) };

/// What a job did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// Versions that it was about.
    pub total: u64,
    /// Those that it replicated.
    pub succeeded: u64,
    /// Those that it could not; the report in the primary, under [`REPORTS`], names them.
    pub failed: u64,
}

/// How far a job has got.
enum State {
    UnderWay,
    Complete,
    /// Not as it should have: `Failed`, `Cancelled`.
    Ended(String),
}

impl S3Site {
    /// Has S3 replicate every object of the primary that is older than its replication rule, or that replication gave up
    /// on, and follows the job to its end. The role that the job works as is made before and taken away afterwards.
    ///
    /// `token` tells this job from any other: a repeated call with the same one makes no second job.
    ///
    /// # Errors
    /// [`AwsError`] when the job could not be made, failed, or the run was stopped; the job itself then goes on.
    pub async fn replicate_existing(&self, site: &Site, token: &str, run: &Run) -> Result<Batch, AwsError> {
        let name = batch_name(site);
        let role = Calls { client: &self.iam, name: &name };
        let owner = Owner::new(site.domain.clone());
        if let Some(there) = role.observe().await?
            && !owner.owns(&there.tags)
        {
            let why = "a role of that name is there and was not made for this site";
            return Err(AwsError::unexpected("CreateRole", &name, why));
        }
        role.create_role(&trust(site), &owner.created()).await?;
        role.put_role_policy(&permissions(site)).await?;
        let done = Box::pin(self.follow(site, token, run)).await;
        // A job that goes on without us needs its role; the next run takes it away.
        if !run.is_cancelled() {
            role.delete_role().await?;
        }
        done
    }

    async fn follow(&self, site: &Site, token: &str, run: &Run) -> Result<Batch, AwsError> {
        let id = self.create_job(site, token, run).await?;
        let started = std::time::Instant::now();
        let told = std::cell::Cell::new(0);
        let side = Some(Side::Backup);
        run.emit(&Event::PhaseStarted { phase: Phase::Copy, side, objects: None, bytes: None });
        let what = format!("batch job {id}");
        let done = poll_until(run, PATIENCE, &what, || async {
            let (status, batch) = self.describe_job(site, &id).await?;
            Ok::<_, AwsError>(match status {
                State::Complete => Poll::Ready(Ok(batch)),
                State::Ended(status) => Poll::Ready(Err(status)),
                State::UnderWay => {
                    let moved = batch.succeeded + batch.failed;
                    let news = moved.saturating_sub(told.replace(moved));
                    run.emit(&Event::Progress { phase: Phase::Copy, side, objects: news, bytes: 0 });
                    Poll::NotYet
                }
            })
        });
        let done = done.await;
        run.emit(&Event::PhaseDone { phase: Phase::Copy, side, took: started.elapsed() });
        match done {
            Ok(Ok(batch)) => Ok(batch),
            Ok(Err(status)) => {
                let why = format!(
                    "the job ended as {}: look at it in the S3 console under Batch Operations",
                    status.as_str()
                );
                Err(AwsError::unexpected("DescribeJob", &what, why))
            }
            // The job itself continues; the next run compares what is left.
            Err(ended) => Err(AwsError::from_wait("DescribeJob", &what, ended)),
        }
    }
}

fn trust(site: &Site) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "batchoperations.s3.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": site.account.as_str()}},
    }]})
    .to_string()
}

fn permissions(site: &Site) -> String {
    let bucket = format!("arn:{}:s3:::{}", site.regions.primary.partition(), site.buckets.primary);
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:InitiateReplication", "Resource": format!("{bucket}/*")},
        {
            "Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"],
            "Resource": bucket,
        },
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": format!("{bucket}/{REPORTS}/*")},
    ]})
    .to_string()
}
