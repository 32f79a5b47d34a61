//! Carrying out changes: each arm is one call.

mod calls;
mod empty;

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use twinsite_aws::{AwsError, Kind, Tags};
use twinsite_core::wait::{Poll, PollPolicy, WaitError, poll_until};
use twinsite_core::{Apply, Output, Outputs, Run};

use crate::S3Site;
use crate::change::{BucketChange, Change, Setting, What};
use crate::replication::Rule;
use crate::role::{self, RoleChange};

impl Apply<Change> for S3Site {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        match change {
            Change::Bucket(change) => self.apply_to_bucket(change, outputs, run).await?,
            Change::Role(change) => self.apply_to_role(change).await?,
        }
        Ok(Vec::new())
    }
}

impl S3Site {
    async fn apply_to_bucket(&self, change: &BucketChange, outputs: &Outputs, run: &Run) -> Result<(), AwsError> {
        let BucketChange { side, bucket, what } = change;
        let calls = calls::Calls { client: self.clients.get(*side), bucket };
        match what {
            What::Create { region, tags } => {
                calls.create_bucket(region).await?;
                // Tags cannot be part of the creation everywhere; an interruption right here leaves a bucket that has to
                // be adopted or deleted by hand, which is said then.
                calls.put_bucket_tagging(tags).await
            }
            What::Set(Setting::Versioning) => calls.put_bucket_versioning().await,
            What::Set(Setting::Ownership) => calls.put_bucket_ownership_controls().await,
            What::Set(Setting::Encryption) => calls.put_bucket_encryption().await,
            What::Set(Setting::Block { have: _, want }) => calls.put_public_access_block(*want).await,
            What::Website { have: _, want } => calls.put_bucket_website(want).await,
            What::Lifecycle { have: _, want } => calls.put_bucket_lifecycle_configuration(*want).await,
            What::Policy { have: _, want } => {
                let unmade = || AwsError::unexpected("PutBucketPolicy", bucket, "the distribution was not made");
                let policy = want.resolve(outputs).ok_or_else(unmade)?;
                put_policy(&calls, &policy, run).await
            }
            What::Replication { have: _, want } => put_replication(&calls, want.as_ref(), run).await,
            What::Probes { keys, word } => {
                for key in keys {
                    calls.put_probe(key, word).await?;
                }
                Ok(())
            }
            What::Tags { have: _, want } => calls.put_bucket_tagging(want).await,
            What::Delete { objects: _ } => {
                // Without rules, what is deleted here is not deleted there as well.
                AwsError::absent(calls.delete_bucket_replication().await)?;
                empty::empty(&calls).await?;
                calls.delete_bucket().await
            }
            What::Release { policy, tags, replicates } => {
                if *replicates {
                    calls.put_bucket_replication(None).await?;
                }
                release(&calls, policy.as_deref(), tags).await
            }
        }
    }

    async fn apply_to_role(&self, change: &RoleChange) -> Result<(), AwsError> {
        let calls = |name| role::Calls { client: &self.iam, name };
        match change {
            RoleChange::Create { name, trust, policy, tags } => {
                let calls = calls(name);
                calls.create_role(trust, tags).await?;
                calls.put_role_policy(policy).await
            }
            RoleChange::Trust { name, have: _, want } => calls(name).update_assume_role_policy(want).await,
            RoleChange::Policy { name, have: _, want } => calls(name).put_role_policy(want).await,
            RoleChange::Delete { name } => calls(name).delete_role().await,
        }
    }
}

/// For some seconds after a public access block was lifted, S3 may still refuse a public policy.
async fn put_policy(calls: &calls::Calls<'_>, policy: &str, run: &Run) -> Result<(), AwsError> {
    let early = |error: &AwsError| error.kind == Kind::Denied;
    settled("the public access block to lift", 20, run, early, || calls.put_bucket_policy(policy)).await
}

/// For some seconds after a role was created, S3 may not know it yet.
async fn put_replication(calls: &calls::Calls<'_>, rule: Option<&Rule>, run: &Run) -> Result<(), AwsError> {
    let codes = ["InvalidRequest", "InvalidArgument", "AccessDenied"];
    let early = |error: &AwsError| error.code.as_deref().is_some_and(|code| codes.contains(&code));
    settled("the replication role to be known", 60, run, early, || calls.put_bucket_replication(rule)).await
}

/// Repeats a call while it is refused because of state that is on its way, which is no error to be retried; the last refusal is
/// the error when it stays.
async fn settled<F>(
    what: &str,
    seconds: u64,
    run: &Run,
    early: impl Fn(&AwsError) -> bool,
    call: impl Fn() -> F,
) -> Result<(), AwsError>
where
    F: Future<Output = Result<(), AwsError>>,
{
    let patience = PollPolicy { total: Duration::from_secs(seconds), ..PollPolicy::SECONDS };
    let last = Mutex::new(None);
    let put = poll_until(run, patience, what, || async {
        match call().await {
            Ok(()) => Ok(Poll::Ready(())),
            Err(error) if early(&error) => {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Ok(Poll::NotYet)
            }
            Err(error) => Err(error),
        }
    });
    match put.await {
        Ok(()) => Ok(()),
        // The last refusal tells more than the deadline.
        Err(WaitError::TimedOut { what, total }) => {
            let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
            Err(last.unwrap_or_else(|| AwsError::from_wait("wait", what.clone(), WaitError::TimedOut { what, total })))
        }
        Err(ended) => Err(AwsError::from_wait("wait", what, ended)),
    }
}

async fn release(calls: &calls::Calls<'_>, policy: Option<&str>, tags: &Tags) -> Result<(), AwsError> {
    match policy {
        Some(policy) => calls.put_bucket_policy(policy).await?,
        None => calls.delete_bucket_policy().await?,
    }
    if tags.is_empty() { calls.delete_bucket_tagging().await } else { calls.put_bucket_tagging(tags).await }
}

fn odd(operation: &'static str, bucket: impl Display, why: &str) -> AwsError {
    AwsError::unexpected(operation, bucket, why.to_owned())
}
