//! Everything that an operation works on, opened once: the configuration, the session, the site and its services.

mod change;
mod embedded;
mod ground;
mod outlook;
mod plane;
mod whole;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use twinsite_aws::{AwsError, Kind};
use twinsite_aws_session::{Access, Session};
use twinsite_cdn::Cdn;
use twinsite_core::wait::PollPolicy;
use twinsite_core::{AccountId, Pair, Region, Run, Side, Site};
use twinsite_dns_failover::DnsFailover;
use twinsite_dns_failover::notice::Notices;
use twinsite_local::{Attached, Cloud, attach_or_open, remote, requests_at, world};
use twinsite_s3_site::{Adopt, Desired, S3Site, steps};
use twinsite_sync::S3Store;

pub(crate) use change::{Services, SiteChange};
pub(crate) use ground::Ground;
pub(crate) use outlook::Outlook;
pub(crate) use whole::Whole;

use crate::args::Global;
use crate::config::Config;
use crate::error::Failure;

/// A site that can be planned, applied and published.
pub(crate) struct Stack {
    pub(crate) config: Config,
    pub(crate) site: Site,
    pub(crate) services: Services,
    /// Who works on it.
    who: Option<String>,
    /// The embedded cloud, when this process has it open.
    pub(crate) cloud: Option<Cloud>,
    /// Where the embedded cloud is served, when another process has it open.
    served: Option<SocketAddr>,
    session: Session,
    local: bool,
    alone: bool,
    run: Run,
}

impl Stack {
    /// Opens a site. The first request to AWS is made here: it tells the account.
    pub(crate) async fn open(global: &Global, run: &Run) -> Result<Self, Failure> {
        let config = config(global)?;
        let (session, cloud, served) = session(global).await?;
        let caller = match session.caller().await {
            // The region where one usually asks may be the one that is gone.
            Err(error) if error.kind == Kind::Network => {
                let other = session.caller_in(config.regions.backup.as_str()).await;
                other.map_err(|_| no_account(global, &error))
            }
            other => other.map_err(|error| no_account(global, &error)),
        }?;
        let stack = Self::over(config, session, (caller.account, global.local), run).await?;
        Ok(Self { who: Some(caller.arn), cloud, served, ..stack })
    }

    /// A site of a configuration in an account; `local` when that is the embedded cloud's.
    async fn over(
        config: Config,
        session: Session,
        (account, local): (AccountId, bool),
        run: &Run,
    ) -> Result<Self, Failure> {
        let site = Site::new(config.domain.clone(), config.mode, account, config.regions.clone());
        let site = site.map_err(|invalid| Failure::usage("use the configuration", invalid))?;
        let clients = site.regions.as_ref().map(|region| session.s3(region));
        if local {
            match embedded::have_zone(&session.route53(), &site.domain).await {
                // It is out of order on purpose; what needs it will say so.
                Err(error) if error.kind == Kind::Network => {}
                known => known.map_err(|error| Failure::aws("open the embedded cloud", &error))?,
            }
        }
        let patience = if local { embedded::PATIENCE } else { PollPolicy::MINUTES };
        let services = Services {
            s3: S3Site::new(clients, session.s3control(&site.regions.primary), session.iam()),
            cdn: Cdn::new(session.acm(), session.cloudfront()).polling(patience),
            dns: DnsFailover::new(session.route53()).polling(patience),
            notices: notices(&session, &site),
        };
        Ok(Self {
            config,
            site,
            services,
            who: None,
            cloud: None,
            served: None,
            session,
            local,
            alone: false,
            run: run.clone(),
        })
    }

    /// What the buckets should be like.
    pub(crate) fn desired(&self, adopt: Adopt) -> Desired {
        let mut want = Desired::new(self.site.clone());
        want.index.clone_from(&self.config.index);
        want.not_found.clone_from(&self.config.not_found);
        want.replicate_back = self.config.replicate_back;
        want.time_control = self.config.time_control;
        want.adopt = adopt;
        want
    }

    /// Fails when one of the buckets is not this site's.
    pub(crate) async fn check_buckets(&self) -> Result<(), Failure> {
        const WHAT: &str = "make sure that the buckets are this site's";
        let want = self.desired(Adopt::Refuse);
        let have = Box::pin(self.services.s3.observe(&want)).await.map_err(|error| Failure::aws(WHAT, &error))?;
        steps(&want, &have).map(drop).map_err(|unfit| Failure::unfit(WHAT, &unfit))
    }

    /// From now on the backup stands for both: the primary is gone.
    pub(crate) fn forget_primary(&mut self) {
        self.alone = true;
    }

    /// Who works on it, where that is known.
    pub(crate) fn who(&self) -> Option<String> {
        self.who.clone().filter(|who| !who.is_empty())
    }

    /// True on the embedded cloud.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// The two buckets as stores.
    pub(crate) fn stores(&self) -> Pair<S3Store> {
        Pair::from_fn(|side| {
            let side = if self.alone { Side::Backup } else { side };
            let client = self.session.s3(self.site.regions.get(side));
            S3Store::new(client, self.site.buckets.get(side).as_str())
        })
    }

    /// Says so when a drill was interrupted and the primary is still broken. That it cannot be found out just now is no news.
    pub(crate) async fn mind_the_drill(&self) {
        if let Ok(Some(_)) = self.services.s3.read_journal(&self.site).await {
            let text = "a drill was interrupted: the primary is broken on purpose, and still is".to_owned();
            let hint = Some("put it back: `twinsite drill --restore`".to_owned());
            self.run.emit(&twinsite_core::Event::Warning { text, hint });
        }
    }

    /// Makes what was done on the embedded cloud durable.
    pub(crate) fn keep(&self) -> Result<(), Failure> {
        keep(self.cloud.as_ref())
    }

    /// What the site costs and survives.
    pub(crate) fn outlook(&self) -> Outlook {
        Outlook::of(&self.config)
    }

    /// Requests by operation since they were last forgotten, where they can be counted: in the embedded cloud.
    pub(crate) async fn requests(&self) -> Option<BTreeMap<String, u64>> {
        match (&self.cloud, self.served) {
            (Some(cloud), _) => Some(cloud.requests()),
            (None, Some(address)) => requests_at(address, false).await,
            (None, None) => None,
        }
    }

    /// Starts counting requests anew.
    pub(crate) async fn forget_requests(&self) {
        match (&self.cloud, self.served) {
            (Some(cloud), _) => cloud.forget_requests(),
            (None, Some(address)) => drop(requests_at(address, true).await),
            (None, None) => {}
        }
    }

    /// Where visitors find one side.
    pub(crate) fn url(&self, side: Side) -> String {
        format!("http://{}/", self.site.website_host(side))
    }
}

fn notices(session: &Session, site: &Site) -> Notices {
    let clients = |region: Region| {
        let both = (session.sns(&region), session.cloudwatch(&region));
        (region, both)
    };
    Notices::new(Notices::regions(site).into_iter().map(clients).collect())
}

/// The account that the credentials belong to.
pub(crate) async fn account_of(global: &Global) -> Result<AccountId, Failure> {
    let (session, _, _) = session(global).await?;
    session.caller().await.map(|caller| caller.account).map_err(|error| no_account(global, &error))
}

fn no_account(global: &Global, error: &AwsError) -> Failure {
    let failure = Failure::aws("find out the AWS account", error);
    match &global.profile {
        Some(name) if error.kind == Kind::NoCredentials => {
            failure.hint(format!("the profile `{name}` is unknown or has none: see `aws configure list-profiles`"))
        }
        Some(_) | None => failure,
    }
}

/// The configuration; with `--local` a missing one is replaced by an example.
pub(crate) fn config(global: &Global) -> Result<Config, Failure> {
    if global.local && !global.config.exists() { Ok(Config::example()) } else { Config::read(&global.config) }
}

/// A session, and the embedded cloud behind it, if that is where it leads.
pub(crate) struct Opened {
    pub(crate) session: Session,
    cloud: Option<Cloud>,
}

impl Opened {
    /// Makes what was done on the embedded cloud durable.
    pub(crate) fn keep(&self) -> Result<(), Failure> {
        keep(self.cloud.as_ref())
    }
}

fn keep(cloud: Option<&Cloud>) -> Result<(), Failure> {
    let Some(cloud) = cloud else { return Ok(()) };
    cloud.world().flush().map_err(|fault| Failure::new("keep the embedded cloud's state", fault))
}

/// Opens a session, and makes no request.
pub(crate) async fn open_session(global: &Global) -> Result<Opened, Failure> {
    let (session, cloud, _) = session(global).await?;
    Ok(Opened { session, cloud })
}

async fn session(global: &Global) -> Result<(Session, Option<Cloud>, Option<SocketAddr>), Failure> {
    let Global { profile, endpoint_url, .. } = global;
    if !global.local {
        let access =
            Access { profile: profile.clone(), endpoint: endpoint_url.clone(), embedded: None, attempts: None };
        return Ok((Session::open(access).await, None, None));
    }
    let (client, cloud, served) = match attach_or_open(&global.state).map_err(|error| Failure::world(&error))? {
        Attached::Own(cloud) => (cloud.http_client(), Some(cloud), None),
        Attached::Remote(address) => (remote(address), None, Some(address)),
    };
    Ok((Session::open(Access { embedded: Some(client), ..Access::default() }).await, cloud, served))
}

/// The site of the embedded cloud, whose account is always the same.
pub(crate) fn local_site(config: &Config) -> Result<Site, Failure> {
    let invalid = |invalid| Failure::usage("use the configuration", invalid);
    let account = world::ACCOUNT.parse().map_err(invalid)?;
    Site::new(config.domain.clone(), config.mode, account, config.regions.clone()).map_err(invalid)
}

#[cfg(test)]
mod tests;
