//! A whole site on the embedded cloud: applied, with replication, distribution and records.

use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudfront::types::DistributionConfig;
use twinsite_aws_session::{Access, RetryConfig, Session};
use twinsite_core::wait::PollPolicy;
use twinsite_local::{ACCOUNT, Cloud, Delays};
use twinsite_site::{
    AdoptBuckets, BackfillRequest, BackfillResult, Config, DeployRequest, DeployResult, Environment, Error, Guard,
    Network, Pair, PublishOptions, RollbackRequest, Run, SiteContext, SourceDirectory, apply, backfill, deploy, plan,
    plan_backfill, rollback,
};

pub(crate) const POLLING: PollPolicy =
    PollPolicy { first: Duration::from_millis(1), most: Duration::from_millis(20), total: Duration::from_secs(20) };

/// A lock that is not renewed expires soon; replication is awaited as by the command, but not for a minute.
pub(crate) const OPTIONS: PublishOptions = PublishOptions {
    wait_for_invalidation: twinsite_site::WaitForInvalidation::Accepted,
    parity_timeout: Duration::from_secs(2),
    lock_timeout: Duration::from_secs(20),
    lock_ttl: Duration::from_secs(1),
};

pub(crate) struct TestSite {
    pub(crate) cloud: Cloud,
    pub(crate) context: SiteContext,
}

impl TestSite {
    /// An applied site. Requests are attempted twice, so the fast path of small uploads is on, as it is in the command.
    pub(crate) async fn applied() -> Self {
        Self::applied_with(|_| {}).await
    }

    /// The same, with a configuration of one's own.
    pub(crate) async fn applied_with(configure: impl FnOnce(&mut Config)) -> Self {
        let cloud = Cloud::memory();
        cloud.world().set_delays(Delays::NONE);
        let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
        let route53 = Session::open(access).await.unwrap().route53();
        route53.create_hosted_zone().name("example.com").caller_reference("zone").send().await.unwrap();
        let site = Self::open(cloud, configure).await;
        let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
        Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
        site
    }

    /// The site in a cloud, with a configuration of one's own.
    pub(crate) async fn open(cloud: Cloud, configure: impl FnOnce(&mut Config)) -> Self {
        let pause = Duration::from_millis(1);
        let retry = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(pause).with_max_backoff(pause);
        let access = Access { embedded: Some(cloud.http_client()), retry: Some(retry), ..Access::default() };
        let session = Session::open(access.clone()).await.unwrap();
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let mut config = Config::new("www.example.com".parse().unwrap(), regions);
        config.publish.guard = Guard::OFF;
        configure(&mut config);
        let environment = Environment { access, polling: POLLING, network: Network::Unavailable, outages: None };
        let context = SiteContext::with_session(config, session, ACCOUNT.parse().unwrap(), environment).unwrap();
        Self { cloud, context }
    }

    /// Changes the distribution as others do.
    pub(crate) async fn change_distribution(&self, change: impl FnOnce(&mut DistributionConfig)) {
        let access = Access { embedded: Some(self.cloud.http_client()), ..Access::default() };
        let client = Session::open(access).await.unwrap().cloudfront();
        let all = client.list_distributions().send().await.unwrap().distribution_list.unwrap();
        let id = all.items()[0].id().to_owned();
        let current = client.get_distribution_config().id(&id).send().await.unwrap();
        let mut config = current.distribution_config.unwrap();
        change(&mut config);
        let update = client.update_distribution().id(&id).distribution_config(config);
        update.set_if_match(current.e_tag).send().await.unwrap();
    }

    pub(crate) async fn deploy(&self, dir: &Path) -> Result<DeployResult, Error> {
        self.deploy_with(dir, OPTIONS).await
    }

    pub(crate) async fn deploy_with(&self, dir: &Path, options: PublishOptions) -> Result<DeployResult, Error> {
        let source = SourceDirectory::read(self.context.config(), dir, None, None).await?;
        let request = DeployRequest { options, ..DeployRequest::default() };
        Box::pin(deploy(&self.context, source, &request, &Run::silent())).await
    }

    pub(crate) async fn roll_back(&self, release: &str) -> Result<DeployResult, Error> {
        self.roll_back_with(release, OPTIONS).await
    }

    pub(crate) async fn roll_back_with(&self, release: &str, options: PublishOptions) -> Result<DeployResult, Error> {
        let request = RollbackRequest { release: Some(release.to_owned()), options, ..RollbackRequest::default() };
        Box::pin(rollback(&self.context, &request, &Run::silent())).await
    }

    pub(crate) async fn backfill(&self) -> Result<BackfillResult, Error> {
        let request = BackfillRequest {
            lock_timeout: OPTIONS.lock_timeout,
            lock_ttl: OPTIONS.lock_ttl,
            ..BackfillRequest::default()
        };
        let planned = Box::pin(plan_backfill(&self.context, request, &Run::silent())).await?;
        Box::pin(backfill(&self.context, planned, &Run::silent())).await
    }

    /// Whether CloudFront was asked to invalidate a path.
    pub(crate) fn has_invalidated(&self, path: &str) -> bool {
        self.cloud.world().account(|account, _| {
            let all = account.cloudfront.distributions().flat_map(|distribution| &distribution.invalidations);
            let paths = all.flat_map(|invalidation| &invalidation.paths);
            paths
                .into_iter()
                .any(|one| one == path || one.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix)))
        })
    }
}
