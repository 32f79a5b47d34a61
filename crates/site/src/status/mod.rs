//! The state of a site in one result, whatever is out of reach. Read-only.
//!
//! Every part is asked at once and has a deadline of its own. A part that could not be read is part of the result, too, and never an
//! error of the whole: this is what is opened in an outage.

mod findings;
mod part;
mod read;
mod state;
mod visitors;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared};
use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws::status_retries;
use twinsite_aws_session::{Access, Caller, Session};
use twinsite_cdn::OriginChoice;
use twinsite_core::wait::within;
use twinsite_core::{Cancelled, Run};

use crate::config::Config;
use crate::context::{Environment, SESSION, SiteContext, drill_warning};
use crate::error::{Context, Error};
use crate::others::ForeignSetting;
use crate::plan::PlannedStep;
use crate::prefixes::PrefixState;
use crate::releases::ReleaseSummary;
use read::{Opened, caller};

pub(crate) use findings::{Subject, unread};
pub(crate) use part::Failure;
pub(crate) use read::Reader;

pub use findings::{Finding, Level, SiteHealth, Unread};
pub use part::{FailureKind, Part};
pub use state::{
    AlarmState, BucketExistence, BucketState, CertificateState, CertificateStatus, DistributionState, DnsState, Health,
    HealthCheckState, Identity, LockState, PublishState, RecordState, SideName, Target, VisitState, VisitorState,
    ZoneState,
};

const OPERATION: &str = "read the status of the site";

/// How the state is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusRequest {
    /// How long everything may take together. No part is waited for longer.
    pub deadline: Duration,
}

impl StatusRequest {
    /// With a deadline of one's own.
    pub fn within(deadline: Duration) -> Self {
        Self { deadline }
    }
}

impl Default for StatusRequest {
    /// Four and a half seconds: together with the start of the process, less than five.
    fn default() -> Self {
        Self { deadline: Duration::from_millis(4500) }
    }
}

/// The state of a site.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Status {
    /// The domain name.
    pub domain: String,
    /// `dns`, `origin` or `layered`.
    pub mode: String,
    /// When it was read: UTC, as in RFC 3339.
    pub time: String,
    /// The state in one word.
    pub health: SiteHealth,
    /// What is wrong, what could not be found out, and what is worth knowing; the most important first.
    pub findings: Vec<Finding>,
    /// What to do next, the most important first. Commands are in backticks.
    pub next: Vec<String>,
    /// What visitors get from here.
    pub visitors: VisitorState,
    /// Whether the site was failed over by hand: the failover switch is set, or the key value store says that edges serve from the backup.
    pub failed_over_by_hand: Part<bool>,
    /// From which origin edges serve, by the key value store: `primary`, `backup` or a percentage such as `10% primary`; `null` without
    /// a store.
    pub served_from: Part<Option<String>>,
    /// The side that is published to: the backup while the primary lacks what was published to the backup alone.
    pub active: Part<SideName>,
    /// The primary side.
    pub primary: SideState,
    /// The backup side.
    pub backup: SideState,
    /// The prefixes that are published on their own, and the live release of each.
    pub prefixes: Part<Vec<PrefixState>>,
    /// The number of objects that differ between the buckets; 0 when they are in sync.
    pub out_of_sync: Part<usize>,
    /// Whether a drill has not been completed: the primary may be broken on purpose.
    pub drill_interrupted: Part<bool>,
    /// The health checks of the site.
    pub health_checks: Part<Vec<HealthCheckState>>,
    /// The distribution; `null` if there is none.
    pub distribution: Part<Option<DistributionState>>,
    /// The certificate that is in use or will be; `null` if there is none.
    pub certificate: Part<Option<CertificateState>>,
    /// The hosted zone and the records of the domain.
    pub zone: Part<ZoneState>,
    /// The alarms and subscriptions of each region; empty if nobody is to be notified.
    pub alerts: Vec<RegionalAlerts>,
    /// The steps that `apply` would execute, as `plan` shows them; none if the site matches its configuration.
    pub pending_steps: Part<Vec<PlannedStep>>,
    /// Who uses the credentials.
    pub identity: Part<Identity>,
}

impl Status {
    /// How many of a hundred visitors are served by the primary, by the key value store.
    fn primary_percent(&self) -> Option<u8> {
        let origin = self.served_from.known()?.as_deref()?;
        origin.parse().ok().map(OriginChoice::primary_percent)
    }
}

/// One side of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SideState {
    /// Its region.
    pub region: String,
    /// Its bucket.
    pub bucket: Part<BucketState>,
    /// Its newest release; `null` before the first deploy.
    pub release: Part<Option<ReleaseSummary>>,
    /// Whether it is being published to.
    pub publish: Part<PublishState>,
}

/// The alerts in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct RegionalAlerts {
    /// The region.
    pub region: String,
    /// Its alarms.
    pub alarms: Part<Vec<AlarmState>>,
    /// Addresses that have not confirmed their subscription.
    pub unconfirmed_emails: Part<Vec<String>>,
}

/// Reads the state of a site: every service is asked at once, and none is waited for longer than the deadline.
///
/// # Errors
/// A configuration or an environment that cannot be used, and a cancelled run. That a service does not respond, or denies a request, is
/// part of the result.
pub async fn status(
    config: &Config,
    environment: &Environment,
    request: StatusRequest,
    run: &Run,
) -> Result<Status, Error> {
    let session = open_session(environment).await?;
    let reader = SiteReader::new(config, environment, &session)?;
    let anonymous = &reader.anonymous;
    anonymous.warn_of_proxy(run);
    let ReadStatus { mut status, foreign } = Box::pin(reader.read(request.deadline, run)).await?;
    if status.drill_interrupted.known() == Some(&true) {
        run.emit(&drill_warning());
    }
    status.judge(anonymous.is_behind_proxy(), foreign);
    Ok(status)
}

/// A session for reads that report an outage within seconds.
pub(crate) async fn open_session(environment: &Environment) -> Result<Session, Error> {
    let access = Access { default_retry: Some(status_retries()), ..environment.access.clone() };
    Session::open(access).await.context(SESSION)
}

/// A status that is not judged yet.
pub(crate) struct ReadStatus {
    pub(crate) status: Status,
    /// What others have set; empty if nothing could be planned.
    pub(crate) foreign: Vec<ForeignSetting>,
}

/// A site whose account is asked for while everything else is.
pub(crate) struct SiteReader {
    /// The site, whose account is a placeholder.
    pub(crate) anonymous: SiteContext,
    asked: Shared<BoxFuture<'static, Result<Caller, Failure>>>,
    opened: Opened,
}

impl SiteReader {
    pub(crate) fn new(config: &Config, environment: &Environment, session: &Session) -> Result<Self, Error> {
        let (config, session, environment) = (config.clone(), session.clone(), environment.clone());
        let with_account =
            move |account| SiteContext::with_session(config.clone(), session.clone(), account, environment.clone());
        let anonymous = with_account(Caller::unknown().account)?;
        let (session, regions) = (anonymous.session.clone(), anonymous.site.regions.clone());
        let asked = async move { caller(&session, &regions).await }.boxed().shared();
        let answer = asked.clone();
        let opened = async move { with_account(answer.await?.account).map(Arc::new).map_err(Failure::from) };
        Ok(Self { anonymous, asked, opened: opened.boxed().shared() })
    }

    /// Reads parts of the site, none of which is waited for longer than the deadline.
    pub(crate) fn reader<'a>(&'a self, deadline: Duration, run: &'a Run) -> Reader<'a> {
        Reader { run, deadline, anonymous: &self.anonymous, opened: self.opened.clone() }
    }

    /// Reads everything within the deadline, the pending steps last.
    pub(crate) async fn read(&self, deadline: Duration, run: &Run) -> Result<ReadStatus, Error> {
        let started = run.timer.now();
        let reader = self.reader(deadline, run);
        let identity = async {
            let late = || Err(Failure::new(FailureKind::TimedOut, "STS has not responded"));
            let answer = within(run, deadline, self.asked.clone()).await.unwrap_or_else(late);
            Part::from(answer.map(|caller| Identity { account: caller.account.to_string(), arn: caller.arn }))
        };
        let mut status = reader.read(identity).boxed().await;
        let left = deadline.saturating_sub(run.timer.now().saturating_sub(started));
        let mut foreign = Vec::new();
        // A policy that denies reads of objects, to us as to visitors, is found by what a plan reads.
        status.pending_steps = if status.unread().iter().all(|part| part.kind.is_none()) {
            reader.pending_steps(left, OPERATION, &mut foreign).boxed().await
        } else {
            Part::from(Err(Failure::new(FailureKind::NotAsked, "not everything that it depends on could be read")))
        };
        if run.is_cancelled() {
            return Err(Error::new(OPERATION, Cancelled));
        }
        Ok(ReadStatus { status, foreign })
    }
}
