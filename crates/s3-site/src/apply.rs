//! Carrying out changes: each arm is one call.

mod calls;
mod empty;

use std::fmt::Display;

use twinsite_aws::{AwsError, Kind, Tags};
use twinsite_core::wait::{Look, Patience, WaitError, until};
use twinsite_core::{Apply, Handle, Made, Run};

use crate::S3Site;
use crate::change::{Change, Setting, What};

impl Apply<Change> for S3Site {
    type Error = AwsError;

    async fn apply(&self, change: &Change, _: &Made) -> Result<Vec<Handle>, AwsError> {
        let Change { side, bucket, what } = change;
        let calls = calls::Calls { client: self.clients.get(*side), bucket };
        match what {
            What::Create { region, tags } => {
                calls.create_bucket(region).await?;
                // Tags cannot be part of the creation everywhere; an interruption right here leaves a bucket that has to
                // be adopted or deleted by hand, which is said then.
                calls.put_bucket_tagging(tags).await?;
            }
            What::Set(Setting::Versioning) => calls.put_bucket_versioning().await?,
            What::Set(Setting::Ownership) => calls.put_bucket_ownership_controls().await?,
            What::Set(Setting::Encryption) => calls.put_bucket_encryption().await?,
            What::Set(Setting::Block { have: _, want }) => calls.put_public_access_block(*want).await?,
            What::Website { have: _, want } => calls.put_bucket_website(want).await?,
            What::Lifecycle { have: _, want } => calls.put_bucket_lifecycle_configuration(*want).await?,
            What::Policy { have: _, want } => put_policy(&calls, want).await?,
            What::Tags { have: _, want } => calls.put_bucket_tagging(want).await?,
            What::Delete { objects: _ } => {
                empty::empty(&calls).await?;
                calls.delete_bucket().await?;
            }
            What::Release { policy, tags } => release(&calls, policy.as_deref(), tags).await?,
        }
        Ok(Vec::new())
    }
}

/// For some seconds after a public access block was lifted, S3 may still refuse a public policy: that is state on its way,
/// not an error to be retried.
async fn put_policy(calls: &calls::Calls<'_>, policy: &str) -> Result<(), AwsError> {
    let patience = Patience { total: std::time::Duration::from_secs(20), ..Patience::SECONDS };
    let denied = std::sync::Mutex::new(None);
    let run = Run::silent();
    let put = until(&run, patience, "the public access block to lift", || async {
        match calls.put_bucket_policy(policy).await {
            Ok(()) => Ok(Look::Ready(())),
            Err(error) if error.kind == Kind::Denied => {
                *denied.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                Ok(Look::NotYet)
            }
            Err(error) => Err(error),
        }
    });
    match put.await {
        Ok(()) => Ok(()),
        Err(WaitError::Look(error)) => Err(error),
        Err(WaitError::TimedOut { .. } | WaitError::Cancelled { .. }) => {
            let last = denied.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            Err(last.unwrap_or_else(|| odd("PutBucketPolicy", calls.bucket, "it was never tried")))
        }
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
