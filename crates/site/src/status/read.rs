//! Reads the parts of a site's state, all at once and each with a deadline of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, Shared, join_all, join3, select_ok};
use futures::join;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twinsite_aws::Kind;
use twinsite_aws_session::{Caller, Session};
use twinsite_cdn as cdn;
use twinsite_core::wait::within;
use twinsite_core::{Mode, Pair, Plan, Region, Run, Side};
use twinsite_dns_failover::alerts::{self, Alerts};
use twinsite_s3_site::{Adopt, BucketStatus};
use twinsite_sync::active_side::newest_change;
use twinsite_sync::lock::{self, Lease};
use twinsite_sync::{Store, StoreError, SyncError, release};

use super::part::{Failure, FailureKind, Part};
use super::state::{
    AlarmState, BucketExistence, BucketState, CertificateState, CertificateStatus, DistributionState, Health,
    HealthCheckState, LockState, PublishState, RecordState, ZoneState,
};
use super::visitors;
use super::{Identity, RegionalAlerts, SideName, SideState, SiteHealth, Status};
use crate::context::SiteContext;
use crate::error::Error;
use crate::others::ForeignSetting;
use crate::plan::{PlannedStep, planned_steps};
use crate::prefixes::{PrefixState, read_prefixes};
use crate::releases::{ReleaseSummary, rfc3339};
use crate::verify::compare_buckets;

/// A site whose account is known, once STS has told it.
pub(crate) type Opened = Shared<BoxFuture<'static, Result<Arc<SiteContext>, Failure>>>;

/// What reading the parts takes.
pub(crate) struct Reader<'a> {
    pub(crate) run: &'a Run,
    /// The deadline of each part.
    pub(crate) deadline: Duration,
    /// The site, whose account is a placeholder: for what does not depend on the account.
    pub(crate) anonymous: &'a SiteContext,
    /// The site with its account.
    pub(crate) opened: Opened,
}

/// Whether the site was failed over, and which side is active.
struct FailoverParts {
    by_hand: Part<bool>,
    served_from: Part<Option<String>>,
    active: Part<SideName>,
}

/// Asks STS in both regions, and in the region of the environment: the first response counts.
pub(super) async fn caller(session: &Session, regions: &Pair<Region>) -> Result<Caller, Failure> {
    let ask = async |region: Option<&Region>| match region {
        Some(region) => session.caller_in(region.as_str()).await,
        None => session.caller().await,
    };
    let (primary, backup) = (Some(&regions.primary), Some(&regions.backup));
    let all = [ask(primary).boxed(), ask(backup).boxed(), ask(None).boxed()];
    match select_ok(all).await {
        Ok((caller, _)) => Ok(caller),
        Err(error) if error.kind == Kind::NoCredentials => {
            Err(Failure::new(FailureKind::Credentials, "no credentials were found"))
        }
        Err(error) => Err(Failure::from(error).of_service("sts")),
    }
}

/// A site in which the name of a bucket is known.
enum BucketOwner<'a> {
    Anonymous(&'a SiteContext),
    Opened(Arc<SiteContext>),
}

impl std::ops::Deref for BucketOwner<'_> {
    type Target = SiteContext;

    fn deref(&self) -> &SiteContext {
        match self {
            Self::Anonymous(site) => site,
            Self::Opened(site) => site,
        }
    }
}

impl Reader<'_> {
    /// Waits for a part until its deadline.
    pub(crate) async fn part<T, E: Into<Failure>>(
        &self,
        service: &str,
        read: impl Future<Output = Result<T, E>>,
    ) -> Part<T> {
        let late = || {
            let waited = self.deadline.as_secs_f64();
            Err(Failure::new(FailureKind::TimedOut, format!("no response within {waited:.0} s")))
        };
        let answer = within(self.run, self.deadline, Box::pin(read)).await;
        Part::from(answer.map_or_else(late, |answer| answer.map_err(|error| error.into().of_service(service))))
    }

    pub(crate) async fn opened(&self) -> Result<Arc<SiteContext>, Failure> {
        self.opened.clone().await
    }

    /// The site for a bucket: with its account, if the name of the bucket follows from the account.
    async fn owner_of(&self, side: Side) -> Result<BucketOwner<'_>, Failure> {
        if side == Side::Backup && self.anonymous.site.mode.public_buckets() {
            return Ok(BucketOwner::Anonymous(self.anonymous));
        }
        self.opened().await.map(BucketOwner::Opened).map_err(|_| {
            Failure::new(FailureKind::AccountUnknown, format!("the name of the {side} bucket follows from the account"))
        })
    }

    /// Reads everything but the plan. Nothing is judged yet.
    pub(super) async fn read(&self, identity: impl Future<Output = Part<Identity>> + Send) -> Status {
        let sides =
            join3(self.side(Side::Primary).boxed(), self.side(Side::Backup).boxed(), self.out_of_sync().boxed());
        let by_hand = futures::future::join4(
            self.failover().boxed(),
            self.drill().boxed(),
            self.alerts().boxed(),
            self.prefixes().boxed(),
        );
        let visitors = join3(
            visitors::ask(self.anonymous, self.run, self.deadline).boxed(),
            self.versions().boxed(),
            identity.boxed(),
        );
        let (certificate, distribution, zone, health_checks, sides, by_hand, visitors) = join!(
            self.certificate().boxed(),
            self.distribution().boxed(),
            self.zone().boxed(),
            self.health_checks().boxed(),
            sides,
            by_hand,
            visitors,
        );
        let (primary, backup, out_of_sync) = sides;
        let (failover, drill_interrupted, alerts, prefixes) = by_hand;
        let (visitors, versions, identity) = visitors;
        Status {
            domain: self.anonymous.site.domain.to_string(),
            mode: self.anonymous.site.mode.to_string(),
            time: crate::releases::rfc3339(now().unix_timestamp()),
            health: SiteHealth::Unknown,
            findings: Vec::new(),
            next: Vec::new(),
            visitors: visitors.state(&versions),
            failed_over_by_hand: failover.by_hand,
            served_from: failover.served_from,
            active: failover.active,
            primary,
            backup,
            prefixes,
            out_of_sync,
            drill_interrupted,
            health_checks,
            distribution,
            certificate,
            zone,
            alerts,
            pending_steps: Part::from(Err(Failure::new(FailureKind::NotAsked, "not planned"))),
            identity,
        }
    }

    async fn certificate(&self) -> Part<Option<CertificateState>> {
        let site = self.anonymous;
        let desired = site.desired_cdn(false);
        let certificates = self.part("acm", site.services.cdn.read_certificates(&desired)).await;
        certificates.map(|certificates| best_certificate(&certificates))
    }

    async fn distribution(&self) -> Part<Option<DistributionState>> {
        let site = self.anonymous;
        let desired = site.desired_cdn(false);
        let found = self.part("cloudfront", site.services.cdn.read_distribution(&desired)).await;
        found.map(|found| {
            found.map(|found| {
                let (id, host) = (found.id.to_string(), found.host.to_string());
                DistributionState { id, host, enabled: found.enabled, deployed: found.deployed }
            })
        })
    }

    async fn zone(&self) -> Part<ZoneState> {
        let site = self.anonymous;
        let read = async {
            let zone = site.services.dns.find_zone(&site.desired_dns(None)).await?;
            let name = (&site.site.domain).into();
            let found = site.services.dns.observe_records(&zone, &name).await?;
            let records = found.sets.into_iter();
            let records = records.map(|set| RecordState { r#type: set.r#type, description: set.properties });
            let (id, name) = (zone.id.to_string(), zone.name.trim_end_matches('.').to_owned());
            Ok::<_, Failure>(ZoneState { id, name, records: records.collect() })
        };
        self.part("route53", read).await
    }

    async fn health_checks(&self) -> Part<Vec<HealthCheckState>> {
        let read = async {
            let site = self.opened().await.map_err(|_| {
                Failure::new(FailureKind::AccountUnknown, "health checks are recognised by the account")
            })?;
            let (route53, desired) = (&site.services.dns, site.desired_dns(None));
            let mut checks = route53.read_health_checks(&desired).await?;
            let healthy = route53.check_health(&checks).await?;
            checks.sort_by_key(|check| check.purpose);
            let states = checks.iter().map(|check| HealthCheckState {
                role: check.purpose.to_string(),
                id: check.id.to_string(),
                health: match healthy.get(&check.purpose) {
                    Some(true) => Health::Healthy,
                    Some(false) => Health::Unhealthy,
                    None => Health::Unknown,
                },
            });
            Ok::<_, Failure>(states.collect())
        };
        self.part("route53", read).await
    }

    async fn side(&self, side: Side) -> SideState {
        let bucket = self.part("s3", async { bucket(&*self.owner_of(side).await?, side).await });
        let release = self.part("s3", async { newest(&self.owner_of(side).await?.store(side)).await });
        let publish = self.part("s3", async { publish(&self.owner_of(side).await?.store(side), side).await });
        let (bucket, release, publish) = join3(bucket.boxed(), release.boxed(), publish.boxed()).await;
        SideState { region: self.anonymous.site.regions.get(side).to_string(), bucket, release, publish }
    }

    /// Of the active side; which that is can be read from the backup alone, and the primary's are the same unless it is out of reach.
    async fn prefixes(&self) -> Part<Vec<PrefixState>> {
        let read = |side| async move {
            let read = async {
                match Box::pin(read_prefixes(&self.owner_of(side).await?.store(side))).await {
                    Err(error) if is_absent(&error) => Ok(Vec::new()),
                    read => read.map_err(Failure::from),
                }
            };
            self.part("s3", read).await
        };
        let (primary, backup) = futures::future::join(read(Side::Primary).boxed(), read(Side::Backup).boxed()).await;
        match (primary, backup) {
            (Part::Known { value: primary }, Part::Known { value: backup }) => {
                let mut newest: BTreeMap<String, PrefixState> = BTreeMap::new();
                for state in primary.into_iter().chain(backup) {
                    let id = |state: &PrefixState| state.release.as_ref().map(|release| release.id);
                    let known = newest.entry(state.prefix.clone()).or_insert_with(|| state.clone());
                    if id(&state) > id(known) {
                        *known = state;
                    }
                }
                Part::Known { value: newest.into_values().collect() }
            }
            (known @ Part::Known { .. }, _) | (_, known @ Part::Known { .. }) => known,
            (primary, _) => primary,
        }
    }

    async fn out_of_sync(&self) -> Part<usize> {
        let read = async {
            let site = self.owner_of(Side::Primary).await?;
            let compared = compare_buckets(&site.stores(), &Run::silent()).await;
            compared.map(|compared| compared.differences.len()).map_err(Failure::from)
        };
        self.part("s3", read).await
    }

    async fn failover(&self) -> FailoverParts {
        let (switch, served_from, active) =
            join3(self.failover_switch().boxed(), self.served_from().boxed(), self.active().boxed()).await;
        let by_edges = served_from.known().and_then(Option::as_deref).is_some_and(|origin| origin != "primary");
        let by_hand = if by_edges { Part::Known { value: true } } else { switch };
        FailoverParts { by_hand, served_from, active }
    }

    async fn failover_switch(&self) -> Part<bool> {
        let site = self.anonymous;
        if !site.site.mode.public_buckets() {
            return Part::Known { value: false };
        }
        self.part("s3", site.services.s3.has_failover_switch(&site.site)).await
    }

    /// By the key value store that the backup bucket records, if it names this site.
    async fn served_from(&self) -> Part<Option<String>> {
        if self.anonymous.site.mode == Mode::Dns {
            return Part::Known { value: None };
        }
        let read = async {
            let services = &self.anonymous.services;
            let site = self.owner_of(Side::Backup).await?;
            let Some(arn) = services.s3.recorded_store(site.site()).await? else { return Ok(None) };
            let contents = services.cdn.read_store(&arn).await?;
            let origin = contents.origin.filter(|_| contents.site.as_deref() == Some(site.site().domain.as_str()));
            let choice = origin.map(|origin| origin.parse::<cdn::OriginChoice>().unwrap_or_default());
            Ok::<_, Failure>(choice.map(|choice| choice.to_string()))
        };
        self.part("cloudfront-keyvaluestore", read).await
    }

    async fn active(&self) -> Part<SideName> {
        let read = async {
            let newest = match newest_change(&self.owner_of(Side::Backup).await?.store(Side::Backup)).await {
                Err(SyncError::Store(StoreError::Aws(error))) if error.kind == Kind::Absent => None,
                newest => newest?,
            };
            Ok::<_, Failure>(newest.map_or(SideName::Primary, |change| change.side.into()))
        };
        self.part("s3", read).await
    }

    async fn drill(&self) -> Part<bool> {
        let read = async {
            let site = self.owner_of(Side::Backup).await?;
            Ok::<_, Failure>(self.anonymous.services.s3.read_drill_journal(site.site()).await?.is_some())
        };
        self.part("s3", read).await
    }

    /// Alarms and topics, region by region. Without addresses to notify there are none.
    async fn alerts(&self) -> Vec<RegionalAlerts> {
        if self.anonymous.config.emails.is_empty() {
            return Vec::new();
        }
        let regions = Alerts::regions(&self.anonymous.site);
        join_all(regions.into_iter().map(|region| self.regional_alerts(region).boxed())).await
    }

    async fn regional_alerts(&self, region: Region) -> RegionalAlerts {
        let unknown = |_| Failure::new(FailureKind::AccountUnknown, "topics are named after the account");
        let alarms = async {
            let desired = desired_alerts(self.anonymous);
            let alarms = self.anonymous.services.alerts.read_alarms(&desired, &region).await?.into_iter();
            let state = |(name, alarm): (String, alerts::ActualAlarm)| AlarmState {
                name,
                region: region.to_string(),
                state: alarm.state,
            };
            Ok::<_, Failure>(alarms.map(state).collect::<Vec<_>>())
        };
        let emails = async {
            let site = self.opened().await.map_err(unknown)?;
            let topic = site.services.alerts.read_topic(&desired_alerts(&site), &region).await?;
            let emails = topic.into_iter().flat_map(|topic| topic.emails);
            let unconfirmed = emails.filter(|(_, subscription)| subscription.is_none()).map(|(email, _)| email);
            Ok::<_, Failure>(unconfirmed.collect::<Vec<_>>())
        };
        let (alarms, unconfirmed_emails) =
            futures::future::join(self.part("cloudwatch", alarms).boxed(), self.part("sns", emails).boxed()).await;
        RegionalAlerts { region: region.to_string(), alarms, unconfirmed_emails }
    }

    /// Without them the sides are told apart by less, so that failures do not matter.
    async fn versions(&self) -> Pair<Option<String>> {
        let read = async |side| {
            let read = async {
                let site = self.owner_of(side).await?;
                Ok::<_, Failure>(site.services.s3.health_object_version(&site.site, side).await?)
            };
            match self.part("s3", read).await {
                Part::Known { value } => value,
                Part::Unavailable { .. } | Part::Forbidden { .. } => None,
            }
        };
        let (primary, backup) = futures::future::join(read(Side::Primary).boxed(), read(Side::Backup).boxed()).await;
        Pair::new(primary, backup)
    }

    /// The pending steps, if everything that a plan depends on can be read in the time that is left.
    /// What others have set is added to `foreign`, whether a plan can be made or not.
    pub(super) async fn pending_steps(
        &self,
        limit: Duration,
        operation: &str,
        foreign: &mut Vec<ForeignSetting>,
    ) -> Part<Vec<PlannedStep>> {
        let read = async {
            let site = self.opened().await?;
            let state = Box::pin(site.observe(Adopt::Refuse, operation)).await?;
            let steps = state.steps();
            if steps.as_ref().is_ok_and(Vec::is_empty) {
                state.warn_of_former_buckets(self.run);
            }
            *foreign = Box::pin(site.foreign_settings(&state, operation)).await?;
            let plan = Plan::new(steps?);
            plan.map(|plan| planned_steps(&plan)).map_err(|error| Failure::from(Error::new(operation, error)))
        };
        Reader { deadline: limit, run: self.run, anonymous: self.anonymous, opened: self.opened.clone() }
            .part("route53", read)
            .await
    }
}

fn desired_alerts(site: &SiteContext) -> alerts::Desired {
    alerts::Desired {
        site: site.site.clone(),
        emails: site.config.emails.clone(),
        checks: Vec::new(),
        certificate: twinsite_core::Deferred::After(cdn::step_ids::CERTIFICATE_ISSUED.into()),
        tags: site.config.tags.clone(),
    }
}

async fn bucket(site: &SiteContext, side: Side) -> Result<BucketState, Failure> {
    let absent = BucketState {
        name: site.site.buckets.get(side).to_string(),
        existence: BucketExistence::Absent,
        region: None,
        versioned: false,
        replicates_to: None,
    };
    Ok(match site.services.s3.bucket_status(&site.site, side).await? {
        BucketStatus::Absent => absent,
        BucketStatus::OtherRegion(region) => {
            BucketState { existence: BucketExistence::OtherRegion, region: Some(region), ..absent }
        }
        BucketStatus::Present { versioned, replicates_to } => BucketState {
            existence: BucketExistence::Present,
            region: Some(site.site.regions.get(side).to_string()),
            versioned,
            replicates_to,
            ..absent
        },
        _ => BucketState { existence: BucketExistence::OtherAccount, ..absent },
    })
}

async fn newest(store: &impl Store) -> Result<Option<ReleaseSummary>, Failure> {
    match Box::pin(release::live(store)).await {
        Ok(found) => Ok(found.as_ref().map(ReleaseSummary::from)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A bucket that does not exist has no releases; that it does not exist is said elsewhere.
fn is_absent(error: &SyncError) -> bool {
    matches!(error, SyncError::Store(StoreError::Aws(error)) if error.kind == Kind::Absent)
}

async fn publish(store: &impl Store, side: Side) -> Result<PublishState, Failure> {
    let held = match Box::pin(lock::look(store, side)).await {
        // The bucket does not exist, which is said elsewhere.
        Err(StoreError::Aws(error)) if error.kind == Kind::Absent => return Ok(PublishState::default()),
        held => held?,
    };
    let unfinished = Box::pin(lock::read_unfinished(store)).await?;
    let state = |held: lock::HeldLock| LockState {
        abandoned: held.is_abandoned(Lease::default().ttl),
        owner: held.owner.map(|owner| owner.to_string()),
        seconds_since_renewal: held.age.map(|age| age.as_secs()),
    };
    Ok(PublishState { lock: held.map(state), unfinished: !unfinished.is_empty() })
}

/// The certificate in use, or the one that will be.
fn best_certificate(certificates: &cdn::Certificates) -> Option<CertificateState> {
    use cdn::CertificateStatus as Status;
    let best = certificates.all().max_by_key(|one| (one.status == Status::Issued, !one.used_by.is_empty()))?;
    let (state, failure_reason) = match &best.status {
        Status::Issued => (CertificateStatus::Issued, None),
        Status::PendingValidation => (CertificateStatus::PendingValidation, None),
        Status::Failed(reason) => {
            (CertificateStatus::Failed, Some(format!("{reason}: {}", cdn::explain_failure(reason))))
        }
    };
    let expires = best.not_after.map(rfc3339);
    let days_left = expires.as_deref().and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
    let days_left = days_left.map(|expires| (expires - now()).whole_days());
    let requested = best.created.map(rfc3339);
    Some(CertificateState { arn: best.arn.to_string(), state, failure_reason, requested, expires, days_left })
}

#[expect(clippy::disallowed_methods, reason = "the remaining days depend on the date")]
fn now() -> OffsetDateTime {
    std::time::SystemTime::now().into()
}
