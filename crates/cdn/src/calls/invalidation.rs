//! Invalidations: need one CloudFront client and a distribution id, nothing else of this crate.

use std::time::Duration;

use aws_sdk_cloudfront::Client;
use twinsite_aws::{AwsError, parse};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{ResourceId, Run};

use super::cloudfront::call;
use super::missing_field;
use crate::model::{CreatedInvalidation, InvalidationPaths};
use crate::wire::cloudfront as wire;

/// For waiting while too many paths are in progress; earlier invalidations usually complete within a minute or two. The SDK
/// does not retry this error.
const QUOTA_POLLING: PollPolicy =
    PollPolicy { most: Duration::from_secs(15), total: Duration::from_mins(5), ..PollPolicy::SECONDS };

/// Invalidates cached paths of a distribution. Returns once CloudFront has accepted the invalidation, or `None` if there are no
/// paths. Calls with the same `reference` and the same paths are one invalidation, so a call can be repeated safely.
///
/// # Errors
/// [`AwsError`] if a call failed, or too many paths were in progress for five minutes.
///
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>
pub async fn invalidate(
    cloudfront: &Client,
    distribution: &ResourceId,
    paths: &InvalidationPaths,
    reference: &str,
    run: &Run,
) -> Result<Option<CreatedInvalidation>, AwsError> {
    if paths.is_empty() {
        return Ok(None);
    }
    let created = poll_until(run, QUOTA_POLLING, "earlier invalidations to complete", async || {
        match Box::pin(create_invalidation(cloudfront, distribution, paths, reference)).await {
            Ok(id) => Ok(Poll::Ready(id)),
            Err(error) if error.code.as_deref() == Some("TooManyInvalidationsInProgress") => Ok(Poll::NotYet),
            Err(error) => Err(error),
        }
    });
    let id = created.await.map_err(|error| AwsError::from_wait("CreateInvalidation", distribution, error))?;
    Ok(Some(CreatedInvalidation { distribution: distribution.clone(), id, paths: paths.as_slice().len() }))
}

/// Waits until an invalidation has completed in all edge locations.
///
/// # Errors
/// [`AwsError`] if a call failed or the run was cancelled.
///
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetInvalidation.html>
pub async fn await_invalidation(
    cloudfront: &Client,
    created: &CreatedInvalidation,
    polling: PollPolicy,
    run: &Run,
) -> Result<(), AwsError> {
    const OPERATION: &str = "GetInvalidation";
    let CreatedInvalidation { distribution, id, paths: _ } = created;
    let completed = poll_until(run, polling, "the invalidation to complete", async || {
        let request = cloudfront.get_invalidation().distribution_id(distribution.as_str()).id(id.as_str());
        let invalidation = call!(OPERATION, id, request)?.invalidation;
        let completed = invalidation.is_some_and(|invalidation| invalidation.status == "Completed");
        Ok(if completed { Poll::Ready(()) } else { Poll::NotYet })
    });
    completed.await.map_err(|error| AwsError::from_wait(OPERATION, id, error))
}

async fn create_invalidation(
    client: &Client,
    distribution: &ResourceId,
    paths: &InvalidationPaths,
    reference: &str,
) -> Result<ResourceId, AwsError> {
    const OPERATION: &str = "CreateInvalidation";
    let batch = wire::invalidation_batch(paths, reference);
    let batch = batch.map_err(|error| AwsError::unexpected(OPERATION, distribution, error))?;
    let request = client.create_invalidation().distribution_id(distribution.as_str()).invalidation_batch(batch);
    let created = call!(OPERATION, distribution, request)?.invalidation;
    let created = created.ok_or_else(|| missing_field(OPERATION, distribution, "Invalidation"))?;
    parse(OPERATION, distribution, created.id())
}
