//! An open site: its configuration, its names, and clients of the services it uses.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use tokio::sync::OnceCell;
use twinsite_aws::{AwsError, Kind};
use twinsite_aws_session::{Access, Caller, Session};
use twinsite_cdn::Cdn;
use twinsite_core::wait::{PollPolicy, within};
use twinsite_core::{AccountId, Event, Pair, Partition, Region, Run, Side, Site, url_path};
use twinsite_dns_failover::DnsFailover;
use twinsite_dns_failover::alerts::{Alerts, RegionalClients};
use twinsite_https_standby::HttpsStandby;
use twinsite_s3_site::{Adopt, Desired, S3Site, plan_changes};
use twinsite_sync::{S3Store, ScopedStore};

use crate::change::Services;
use crate::config::Config;
use crate::error::{Context, Error};
use crate::network::Network;
use crate::outage_injector::OutageInjector;
use crate::scoped_stores::BucketStore;

/// The operation that opens a session.
pub(crate) const SESSION: &str = "use the environment and the AWS profile";

/// Where a site lives: endpoint and credentials, polling intervals, and the network that probes use.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Endpoint and credentials.
    pub access: Access,
    /// How long and how often slow changes are polled.
    pub polling: PollPolicy,
    /// The network that probes use.
    pub network: Network,
    /// What begins and ends outages that no API can cause, if this is an embedded cloud that can be told to.
    pub outages: Option<Arc<dyn OutageInjector>>,
}

impl Default for Environment {
    /// AWS, with the SDK's default credential chain.
    fn default() -> Self {
        Self { access: Access::default(), polling: PollPolicy::MINUTES, network: Network::Internet, outages: None }
    }
}

impl Environment {
    /// Whether it is an embedded cloud, which has a clock of its own.
    pub(crate) fn is_embedded(&self) -> bool {
        self.access.embedded.is_some()
    }
}

/// What is known of the primary before it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrimaryRegion {
    /// Nothing.
    #[default]
    Unknown,
    /// Another service did not answer from its region: the first failure of the bucket is the second look already.
    DoesNotAnswer,
}

/// An open site. Every operation of this crate takes one.
#[derive(Debug)]
pub struct SiteContext {
    pub(crate) config: Config,
    pub(crate) site: Site,
    pub(crate) services: Services,
    pub(crate) network: Network,
    /// The ARN of the caller, where known.
    pub(crate) caller: Option<String>,
    pub(crate) session: Session,
    /// Whether STS answered from the primary's region.
    pub(crate) primary_region: PrimaryRegion,
    pub(crate) outages: Option<Arc<dyn OutageInjector>>,
    drill_warning: OnceCell<()>,
}

impl SiteContext {
    /// Opens a site. The only request asks STS for the account, in the primary's region or, if that is unreachable, in the
    /// backup's.
    ///
    /// # Errors
    /// Credentials that are missing or invalid; regions that cannot be paired.
    pub async fn open(config: Config, environment: Environment) -> Result<Self, Error> {
        Self::open_asking(config, environment, Side::Primary).await
    }

    /// Opens a site as [`Self::open`] does, but asks in the backup's region first: the primary's may hang.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) async fn open_without_primary(config: Config, environment: Environment) -> Result<Self, Error> {
        Self::open_asking(config, environment, Side::Backup).await
    }

    /// Asks STS in the region of one side, or in the one that the environment names for the primary, and then in the other's.
    async fn open_asking(config: Config, environment: Environment, first: Side) -> Result<Self, Error> {
        const OPERATION: &str = "determine the AWS account";
        let profile = environment.access.profile.clone();
        let session = Box::pin(Session::open(environment.access.clone())).await.context(SESSION)?;
        // Another store has regions of other names, too. What moves visitors in an outage is not refused: the site exists then.
        if first == Side::Primary && session.s3_endpoint().is_none() {
            config.check_regions()?;
        }
        let (caller, primary_region) = Box::pin(identify(&session, first, &config.regions)).await;
        let caller = caller.map_err(|error| account_error(OPERATION, profile.as_deref(), error))?;
        Self::with_session(config, session, caller.account, environment).map(|context| Self {
            caller: Some(caller.arn).filter(|arn| !arn.is_empty()),
            primary_region,
            ..context
        })
    }

    /// Opens a site in a known account, without a request.
    ///
    /// # Errors
    /// Regions that cannot be paired.
    pub fn with_session(
        config: Config,
        session: Session,
        account: AccountId,
        environment: Environment,
    ) -> Result<Self, Error> {
        for (_, region) in config.regions.iter() {
            if region.partition() != Partition::Aws {
                let (operation, partition) = ("use the configuration", region.partition());
                let why = format!("the region `{region}` is in the partition {partition}, which is not supported");
                return Err(Error::usage(operation, why).hint(
                    "CloudFront and Route 53 work together with S3 in the partition aws only: choose regions of it",
                ));
            }
        }
        let site = config.site(account).context("use the configuration")?;
        config.check_encryption().context("use the configuration")?;
        config.check_auth().context("use the configuration")?;
        config.check_standby().context("use the configuration")?;
        config.cdn.owner_settings.check(config.mode).context("use the configuration")?;
        let clients = site.regions.as_ref().map(|region| session.s3(region));
        let Environment { access: _, polling, network, outages } = environment;
        let services = Services {
            s3: S3Site::new(clients, session.s3control(&site.regions.primary), session.iam()),
            cdn: Cdn::new(session.acm(), session.cloudfront(), session.key_value_store()).polling(polling),
            dns: DnsFailover::new(session.route53()).polling(polling),
            standby: {
                let region = &site.regions.backup;
                HttpsStandby::new(session.acm_in(region), session.api_gateway(region)).polling(polling)
            },
            network: network.clone(),
            alerts: alerts(&session, &site),
        };
        let (primary_region, drill_warning) = (PrimaryRegion::Unknown, OnceCell::new());
        Ok(Self { config, site, services, network, caller: None, session, primary_region, outages, drill_warning })
    }

    /// The site: its domain, mode, account, regions and buckets.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The service clients, which execute the steps of a plan.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The two buckets, or what belongs to the prefix that [`PublishConfig::prefix`](crate::PublishConfig) names.
    pub fn stores(&self) -> Pair<ScopedStore<S3Store>> {
        Pair::from_fn(|side| self.store(side))
    }

    pub(crate) fn store(&self, side: Side) -> BucketStore {
        let store = S3Store::new(self.session.s3(self.site.regions.get(side)), self.site.buckets.get(side).as_str());
        let store = match self.config.encryption(side, &self.site) {
            Some(encryption) => store.encrypted(encryption),
            None => store,
        };
        ScopedStore::new(store, self.config.publish.prefix.clone())
    }

    /// How long visitors may need until they see an invalidated object: long on the internet, short on an embedded cloud.
    pub(crate) fn is_internet(&self) -> bool {
        matches!(self.network, Network::Internet)
    }

    /// Where what is published is below an address of the site: at its top, or below the prefix.
    pub(crate) fn published_at(&self, url: &str) -> String {
        let prefix = self.config.publish.prefix.as_ref().map_or("", |prefix| prefix.as_str());
        format!("{}{}", url.trim_end_matches('/'), url_path(prefix))
    }

    /// The address of the site.
    pub fn url(&self) -> String {
        let scheme = if self.config.cdn.redirect_to_https == Some(false) { "http" } else { "https" };
        format!("{scheme}://{}/", self.site.domain)
    }

    /// The address of one side's website endpoint.
    pub fn website_url(&self, side: Side) -> String {
        format!("http://{}/", self.site.website_host(side))
    }

    /// The desired state of the buckets.
    pub(crate) fn desired_buckets(&self, adopt: Adopt) -> Desired {
        let mut desired = Desired::new(self.site.clone());
        desired.index.clone_from(&self.config.index);
        desired.not_found.clone_from(&self.config.not_found);
        desired.replicate_back = self.config.replicate_back;
        desired.time_control = self.config.time_control;
        desired.kms_keys = self.config.kms_key_arns(&self.site);
        desired.adopt = adopt;
        desired.replication_role.clone_from(&self.config.replication_role);
        desired.permissions_boundary.clone_from(&self.config.permissions_boundary);
        desired.tags.clone_from(&self.config.tags);
        desired
    }

    /// Fails unless both buckets belong to this site.
    pub(crate) async fn check_buckets(&self) -> Result<(), Error> {
        const OPERATION: &str = "verify that the buckets belong to this site";
        let mut desired = self.desired_buckets(Adopt::Refuse);
        // Nothing is published to redirect buckets.
        desired.site.aliases.clear();
        let actual = Box::pin(self.services.s3.observe(&desired)).await.context(OPERATION)?;
        plan_changes(&desired, &actual).map(drop).map_err(|conflicts| s3_conflicts(OPERATION, &conflicts))
    }

    /// Warns, once per context, if a drill was interrupted, or is still running. A journal that cannot be read now is not
    /// reported.
    pub async fn warn_if_drill_interrupted(&self, run: &Run) {
        let warn = async || {
            /// A journal that takes longer is not waited for: the command has other things to say.
            const LIMIT: Duration = Duration::from_secs(2);
            let read = Box::pin(self.services.s3.read_drill_journal(&self.site));
            if let Some(Ok(Some(_))) = within(run, LIMIT, read).await {
                run.emit(&drill_warning());
            }
        };
        self.drill_warning.get_or_init(warn).await;
    }
}

/// A drill was interrupted, or is still running.
pub(crate) fn drill_warning() -> Event {
    let text = "a drill has not been completed: the primary may still be broken on purpose".to_owned();
    Event::Warning { text, hint: Some("restore it: `twinsite drill --restore`".to_owned()) }
}

pub(crate) fn s3_conflicts(operation: &str, conflicts: &twinsite_s3_site::Conflicts) -> Error {
    let all = conflicts.0.iter().map(|conflict| (conflict.to_string(), conflict.hint().to_owned()));
    Error::conflicts(operation, all.collect())
}

/// How long STS in one region is waited for before the other one is asked as well.
const HEDGE: Duration = Duration::from_secs(2);

/// Asks STS who the caller is: in the region of one side and, if it is slow to answer or cannot be reached, in the other side's. Every
/// region knows the same callers: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_region-endpoints.html>.
async fn identify(session: &Session, first: Side, regions: &Pair<Region>) -> (Result<Caller, AwsError>, PrimaryRegion) {
    let ask = async |side: Side| match side {
        // Or in the region that the environment names.
        Side::Primary => session.caller().await,
        Side::Backup => session.caller_in(regions.backup.as_str()).await,
    };
    let failed = match first {
        Side::Primary => PrimaryRegion::DoesNotAnswer,
        Side::Backup => PrimaryRegion::Unknown,
    };
    let mut asked = Box::pin(ask(first));
    let early = within(&Run::silent(), HEDGE, &mut asked).await;
    let other = Box::pin(ask(first.other()));
    match early {
        Some(Err(error)) if error.is_unavailable() => (other.await.map_err(|_| error), failed),
        Some(answer) => (answer, PrimaryRegion::Unknown),
        None => match select(asked, other).await {
            Either::Left((Err(error), other)) if error.is_unavailable() => (other.await.map_err(|_| error), failed),
            Either::Left((answer, _)) => (answer, PrimaryRegion::Unknown),
            Either::Right((Ok(caller), _)) => (Ok(caller), failed),
            Either::Right((Err(_), asked)) => (asked.await, failed),
        },
    }
}

fn account_error(operation: &str, profile: Option<&str>, error: AwsError) -> Error {
    let missing = error.kind == Kind::NoCredentials;
    let error = Error::new(operation, error);
    match profile.filter(|_| missing) {
        Some(name) => error.hint(format!(
            "the profile `{name}` does not exist or has no credentials: see `aws configure list-profiles`"
        )),
        None => error,
    }
}

fn alerts(session: &Session, site: &Site) -> Alerts {
    let clients = |region: Region| {
        let clients = RegionalClients { sns: session.sns(&region), cloudwatch: session.cloudwatch(&region) };
        (region, clients)
    };
    Alerts::new(Alerts::regions(site).into_iter().map(clients).collect())
}
