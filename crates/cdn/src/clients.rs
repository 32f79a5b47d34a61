//! The clients that this crate works with.

use twinsite_aws::{AwsError, outlast_refusals};
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Arn, ResourceId, Run};
use twinsite_rules::{Protection, Table};

use crate::calls::{invalidation, store};
use crate::model::{
    CreatedInvalidation, Desired, InvalidationPaths, ORIGIN_KEY, OriginChoice, SITE_KEY, StoreContents,
};

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

    /// Whether the key value store of the site has the users of its protected paths, which `apply` puts once the function asks for
    /// passwords.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn has_users(&self, desired: &Desired) -> Result<bool, AwsError> {
        let Some(store) = Box::pin(self.find_store(desired)).await? else { return Ok(false) };
        Ok(store::get_key(&self.keys, &store, Protection::HEAD).await? == desired.auth.head())
    }

    /// Brings the redirect table in the site's key value store into the desired state, and leaves its other keys as they are; returns the
    /// number of keys that were changed. Edges follow within seconds. A table with many changes is put in several requests, so that for as
    /// long edges may answer by old rules and new ones.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed, or the site has no store, or its keys do not name
    /// the site.
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_kvs_UpdateKeys.html>
    pub async fn put_redirects(&self, desired: &Desired, table: &Table, run: &Run) -> Result<usize, AwsError> {
        let name = desired.resource_name();
        outlast_refusals(run, "UpdateKeys", || async {
            let Some(store) = Box::pin(self.find_store(desired)).await? else {
                return Err(AwsError::refused("UpdateKeys", &name, "there is no key value store of this name"));
            };
            let site = store::get_key(&self.keys, &store, SITE_KEY).await?;
            if site.as_deref() != Some(desired.site.domain.as_str()) {
                return Err(AwsError::refused("UpdateKeys", &store, "the key value store does not name this site"));
            }
            Box::pin(store::put_redirects(&self.keys, &store, table)).await
        })
        .await
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
