//! What a publish invalidates, and where.

use std::collections::BTreeSet;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use twinsite_aws::AwsError;
use twinsite_core::{ResourceId, Run};

use crate::context::SiteContext;
use crate::options::WaitForInvalidation;

/// Invalidates changed objects in a CDN.
#[expect(async_fn_in_trait, reason = "futures need not be Send: they are awaited where they are made")]
pub trait Invalidator {
    /// Identifies the distribution.
    type Target;

    /// Looks the distribution up, while objects are transferred; `None` if there is none.
    ///
    /// # Errors
    /// [`AwsError`] if the lookup failed.
    async fn prepare(&self) -> Result<Option<Self::Target>, AwsError>;

    /// Invalidates keys; `*` stands for all. Returns the number of paths, or `None` if nothing had to be invalidated.
    ///
    /// # Errors
    /// [`AwsError`] if the invalidation was not accepted.
    async fn invalidate(
        &self,
        target: &Self::Target,
        keys: &BTreeSet<String>,
        wait: WaitForInvalidation,
        run: &Run,
    ) -> Result<Option<usize>, AwsError>;
}

/// No CDN: nothing is invalidated.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCdn;

impl Invalidator for NoCdn {
    type Target = ();

    async fn prepare(&self) -> Result<Option<()>, AwsError> {
        Ok(None)
    }

    async fn invalidate(
        &self,
        (): &(),
        _: &BTreeSet<String>,
        _: WaitForInvalidation,
        _: &Run,
    ) -> Result<Option<usize>, AwsError> {
        Ok(None)
    }
}

/// The site's CloudFront distribution.
#[derive(Clone, Copy, Debug)]
pub struct CloudFront<'a>(&'a SiteContext);

impl SiteContext {
    /// Invalidates in the site's distribution.
    pub fn invalidator(&self) -> CloudFront<'_> {
        CloudFront(self)
    }
}

impl Invalidator for CloudFront<'_> {
    type Target = ResourceId;

    async fn prepare(&self) -> Result<Option<ResourceId>, AwsError> {
        Box::pin(self.0.services.cdn.find_distribution(&self.0.desired_cdn(false))).await
    }

    #[expect(clippy::disallowed_methods, reason = "two publishes of the same keys are two invalidations")]
    async fn invalidate(
        &self,
        distribution: &ResourceId,
        keys: &BTreeSet<String>,
        wait: WaitForInvalidation,
        run: &Run,
    ) -> Result<Option<usize>, AwsError> {
        let paths = twinsite_cdn::InvalidationPaths::for_keys(keys, &self.0.config.index);
        let digest = hex::encode(&Sha256::digest(paths.as_slice().join(" "))[..8]);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let reference = format!("twinsite-{}-{digest}", now.as_millis());
        let cdn = &self.0.services.cdn;
        let accepted = Box::pin(cdn.invalidate(distribution, &paths, &reference, run)).await?;
        if let (Some(accepted), WaitForInvalidation::Completed) = (&accepted, wait) {
            cdn.await_invalidation(accepted, run).await?;
        }
        Ok(accepted.map(|accepted| accepted.paths))
    }
}
