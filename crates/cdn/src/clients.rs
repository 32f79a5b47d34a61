//! The clients that this crate works with.

use twinsite_aws::AwsError;
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Arn, ResourceId, Run};

use crate::calls::{invalidation, store};
use crate::model::{CreatedInvalidation, Desired, InvalidationPaths, ORIGIN_KEY, OriginChoice, StoreContents};

/// Observes and changes the certificate and the distribution of a site, and the key value store that its function reads.
#[derive(Clone, Debug)]
pub struct Cdn {
    pub(crate) acm: aws_sdk_acm::Client,
    pub(crate) cloudfront: aws_sdk_cloudfront::Client,
    pub(crate) keys: aws_sdk_cloudfrontkeyvaluestore::Client,
    pub(crate) polling: PollPolicy,
}

impl Cdn {
    /// With a client of ACM in us-east-1, a client of CloudFront and a client of CloudFront `KeyValueStore`.
    pub fn new(
        acm: aws_sdk_acm::Client,
        cloudfront: aws_sdk_cloudfront::Client,
        keys: aws_sdk_cloudfrontkeyvaluestore::Client,
    ) -> Self {
        Self { acm, cloudfront, keys, polling: PollPolicy::MINUTES }
    }

    /// Replaces the polling intervals and the deadline of waits.
    #[must_use]
    pub fn polling(mut self, polling: PollPolicy) -> Self {
        self.polling = polling;
        self
    }

    /// What is in a key value store. Uses the data plane of the store alone, neither CloudFront's control plane nor any region's.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_store(&self, store: &Arn) -> Result<StoreContents, AwsError> {
        store::read_store(&self.keys, store).await
    }

    /// Puts from which origin visitors are served, on condition that no key of the store has changed since its contents were read. Uses
    /// the data plane of the store alone. Edges follow within seconds.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed; of the kind [`Conflict`](twinsite_aws::Kind::Conflict) if a key has changed.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-kvp.html>
    pub async fn put_origin_choice(
        &self,
        store: &Arn,
        read: &StoreContents,
        choice: OriginChoice,
    ) -> Result<(), AwsError> {
        store::put_key(&self.keys, store, ORIGIN_KEY, &choice.to_string(), &read.etag).await
    }

    /// The ARN of the key value store with the site's name, from CloudFront's control plane; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn find_store(&self, desired: &Desired) -> Result<Option<Arn>, AwsError> {
        let found = store::describe_key_value_store(&self.cloudfront, &desired.resource_name()).await?;
        Ok(found.map(|store| store.arn))
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
