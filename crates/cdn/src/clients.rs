//! The clients that this crate works with.

use twinsite_aws::AwsError;
use twinsite_core::wait::PollPolicy;
use twinsite_core::{ResourceId, Run};

use crate::calls::invalidation;
use crate::model::{CreatedInvalidation, InvalidationPaths};

/// Observes and changes the certificate and the distribution of a site.
#[derive(Clone, Debug)]
pub struct Cdn {
    pub(crate) acm: aws_sdk_acm::Client,
    pub(crate) cloudfront: aws_sdk_cloudfront::Client,
    pub(crate) polling: PollPolicy,
}

impl Cdn {
    /// With a client of ACM in us-east-1 and a client of CloudFront.
    pub fn new(acm: aws_sdk_acm::Client, cloudfront: aws_sdk_cloudfront::Client) -> Self {
        Self { acm, cloudfront, polling: PollPolicy::MINUTES }
    }

    /// Replaces the polling intervals and the deadline of waits.
    #[must_use]
    pub fn polling(mut self, polling: PollPolicy) -> Self {
        self.polling = polling;
        self
    }

    /// Calls [`invalidate`](crate::invalidate()) with this CloudFront client.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed, or too many paths were in progress for five minutes.
    pub async fn invalidate(
        &self,
        distribution: &ResourceId,
        paths: &InvalidationPaths,
        reference: &str,
        run: &Run,
    ) -> Result<Option<CreatedInvalidation>, AwsError> {
        invalidation::invalidate(&self.cloudfront, distribution, paths, reference, run).await
    }

    /// Calls [`await_invalidation`](crate::await_invalidation()) with this CloudFront client.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed or the run was cancelled.
    pub async fn await_invalidation(&self, created: &CreatedInvalidation, run: &Run) -> Result<(), AwsError> {
        invalidation::await_invalidation(&self.cloudfront, created, self.polling, run).await
    }
}
