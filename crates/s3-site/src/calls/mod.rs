//! One function per AWS operation, named like it. Only `wire`, this module and the clients know the SDKs.

pub(crate) mod buckets;
pub(crate) mod jobs;
mod objects;
pub(crate) mod replication;
pub(crate) mod roles;
mod versions;

use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::Client;
use twinsite_aws::AwsError;
use twinsite_core::wait::{Poll, PollPolicy, WaitError, poll_until};
use twinsite_core::{BucketName, Run};

pub(crate) use objects::NewObject;

/// One bucket, and the client of its region.
#[derive(Clone, Copy)]
pub(crate) struct BucketClient<'a> {
    pub(crate) client: &'a Client,
    pub(crate) bucket: &'a BucketName,
}

/// Sends a request. Boxed, because the futures of the SDK are large.
macro_rules! call {
    ($operation:expr, $subject:expr, $request:expr) => {
        Box::pin($request.send()).await.map_err(|error| twinsite_aws::AwsError::new($operation, $subject, error))
    };
}
use call;

/// A call that is refused as long as an earlier change is not effective everywhere.
pub(crate) struct EarlyCall<'a> {
    /// Its AWS name.
    pub(crate) operation: &'static str,
    /// What it waits for.
    pub(crate) awaits: &'a str,
    /// How often and how long it is repeated.
    pub(crate) polling: PollPolicy,
    /// True for the refusals that end by themselves.
    pub(crate) is_early: fn(&AwsError) -> bool,
}

impl EarlyCall<'_> {
    /// Repeats the call until it is accepted. At the deadline, the last refusal is the error.
    pub(crate) async fn repeat<T, F>(self, run: &Run, call: impl Fn() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let Self { operation, awaits, polling, is_early } = self;
        let last = Mutex::new(None);
        let accepted = poll_until(run, polling, awaits, || async {
            match call().await {
                Ok(response) => Ok(Poll::Ready(response)),
                Err(error) if is_early(&error) => {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Ok(Poll::NotYet)
                }
                Err(error) => Err(error),
            }
        });
        let ended = accepted.await;
        let refusal = last.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.map_err(|error| match (error, refusal) {
            (WaitError::TimedOut { .. }, Some(refusal)) => refusal,
            (error, _) => AwsError::from_wait(operation, awaits, error),
        })
    }
}
