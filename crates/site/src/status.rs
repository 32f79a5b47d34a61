//! The state of a site in one result. Read-only.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_cdn::{self as cdn, OriginChoice};
use twinsite_core::{Mode, Plan, Run, Side};
use twinsite_s3_site::{ActualBucket, Adopt};
use twinsite_sync::release;

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::failover::read_origin_choice;
use crate::releases::{ReleaseSummary, rfc3339};
use crate::state::SiteState;
use crate::verify::compare_buckets;

const OPERATION: &str = "read the status of the site";

/// The state of a site.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Status {
    /// The domain name.
    pub domain: String,
    /// `dns`, `origin` or `layered`.
    pub mode: String,
    /// The certificate that is in use or will be; `null` if there is none.
    pub certificate: Option<CertificateState>,
    /// The distribution; `null` if there is none.
    pub distribution: Option<DistributionState>,
    /// The records of the domain.
    pub records: Vec<RecordState>,
    /// The health checks of the site.
    pub health_checks: Vec<HealthCheckState>,
    /// Where DNS leads visitors now; `null` if it could not be determined.
    pub visitors: Option<VisitorTarget>,
    /// The primary bucket.
    pub primary: BucketState,
    /// The backup bucket.
    pub backup: BucketState,
    /// The number of objects that differ between the buckets, 0 when they are in sync; `null` unless both exist.
    pub out_of_sync: Option<usize>,
    /// Whether the site was failed over by hand: the failover switch is set, or the key value store says that edges serve from the backup.
    pub failed_over_by_hand: bool,
    /// From which origin edges serve, by the key value store: `primary`, `backup` or a percentage such as `10% primary`; `null` without
    /// a store.
    pub served_from: Option<String>,
    /// The live release; `null` before the first deploy.
    pub release: Option<ReleaseSummary>,
    /// Alarms that are not in state `OK`.
    pub alarms: Vec<AlarmState>,
    /// Subscriptions that wait for confirmation.
    pub unconfirmed_emails: Vec<UnconfirmedEmail>,
    /// The number of steps that `apply` would execute.
    pub pending_steps: usize,
}

/// The state of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CertificateState {
    /// Its ARN.
    pub arn: String,
    /// Whether it can be used.
    pub state: CertificateStatus,
    /// ACM's reason for a failure.
    pub failure_reason: Option<String>,
    /// When it expires, as RFC 3339.
    pub expires: Option<String>,
}

/// Whether a certificate can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateStatus {
    /// It can be used.
    Issued,
    /// ACM waits for its validation record.
    PendingValidation,
    /// ACM did not issue it.
    Failed,
}

/// The state of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DistributionState {
    /// Its id.
    pub id: String,
    /// Its host name.
    pub host: String,
    /// Whether it serves requests.
    pub enabled: bool,
    /// Whether its last change has reached every edge location.
    pub deployed: bool,
}

/// A record set of the domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct RecordState {
    /// The record type.
    pub r#type: String,
    /// Its routing and values.
    pub description: String,
}

/// The state of a health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct HealthCheckState {
    /// What it checks: `primary`, `backup`, `edge`…
    pub role: String,
    /// Its id.
    pub id: String,
    /// What the checkers report.
    pub health: Health,
}

/// What health checkers report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// At least 18 % of the checkers report success.
    Healthy,
    /// Fewer do.
    Unhealthy,
    /// No checker has reported yet.
    Unknown,
}

/// Where DNS leads visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VisitorTarget {
    /// What answers them.
    pub target: Target,
    /// The last name or address in the response of the name servers.
    pub address: String,
}

/// What answers visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The distribution.
    CloudFront,
    /// The backup's website endpoint.
    Backup,
}

/// The state of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct BucketState {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub existence: BucketExistence,
    /// The region it is in.
    pub region: Option<String>,
    /// Whether versioning is enabled.
    pub versioned: bool,
    /// The bucket it replicates to, if replication is enabled.
    pub replicates_to: Option<String>,
}

/// Whether a bucket exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BucketExistence {
    /// It does not.
    Absent,
    /// It does.
    Present,
    /// The name belongs to another account.
    OtherAccount,
    /// It exists in another region.
    OtherRegion,
}

/// An alarm that is not in state `OK`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AlarmState {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
}

/// A subscription that waits for confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UnconfirmedEmail {
    /// The address.
    pub email: String,
    /// The region of its topic.
    pub region: String,
}

/// Reads the state of a site.
///
/// # Errors
/// Calls that failed.
pub async fn status(site: &SiteContext, run: &Run) -> Result<Status, Error> {
    let state = site.observe(Adopt::Refuse, OPERATION).await?;
    state.warn_of_former_buckets(run);
    state.warn_of_others(run);
    let healthy = site.services.dns.check_health(&state.dns.actual.checks).await.context(OPERATION)?;
    let mut checks: Vec<_> = state.dns.actual.checks.iter().collect();
    checks.sort_by_key(|check| check.purpose);
    let health_checks = checks.iter().map(|check| HealthCheckState {
        role: check.purpose.to_string(),
        id: check.id.to_string(),
        health: match healthy.get(&check.purpose) {
            Some(true) => Health::Healthy,
            Some(false) => Health::Unhealthy,
            None => Health::Unknown,
        },
    });
    let exists = |side| matches!(state.s3.actual.buckets.get(side), ActualBucket::Present(_));
    let both_exist = exists(Side::Primary) && exists(Side::Backup);
    let (mut out_of_sync, mut failed_over_by_hand, mut release) = (None, false, None);
    if both_exist {
        let compared = compare_buckets(&site.stores(), &Run::silent()).await.context(OPERATION)?;
        out_of_sync = Some(compared.differences.len());
        failed_over_by_hand = site.site.mode.public_buckets()
            && site.services.s3.has_failover_switch(&site.site).await.context(OPERATION)?;
    }
    if exists(Side::Primary) {
        let newest = Box::pin(release::newest(&site.store(Side::Primary))).await.context(OPERATION)?;
        release = newest.as_ref().map(ReleaseSummary::from);
    }
    let choice = read_origin_choice(&state.cdn.actual).filter(|_| site.site.mode != Mode::Dns);
    failed_over_by_hand |= choice.is_some_and(|choice| choice != OriginChoice::Primary);
    Ok(Status {
        served_from: choice.map(|choice| choice.to_string()),
        domain: site.site.domain.to_string(),
        mode: site.site.mode.to_string(),
        certificate: certificate(&state),
        distribution: distribution(&state),
        records: records(&state),
        health_checks: health_checks.collect(),
        visitors: visitors(site, &state).await,
        primary: bucket(&state, Side::Primary),
        backup: bucket(&state, Side::Backup),
        out_of_sync,
        failed_over_by_hand,
        release,
        alarms: alarms(&state),
        unconfirmed_emails: unconfirmed_emails(&state),
        pending_steps: Plan::new(state.steps()?).context(OPERATION)?.len(),
    })
}

fn records(state: &SiteState) -> Vec<RecordState> {
    let sets = state.dns.actual.zone.sets.iter();
    sets.map(|set| RecordState { r#type: set.r#type.clone(), description: set.properties.clone() }).collect()
}

async fn visitors(site: &SiteContext, state: &SiteState) -> Option<VisitorTarget> {
    let network = site.probe_network(state).await.ok()?;
    let answer = network.dns_query(site.site.domain.as_str()).await.ok()?;
    let name = answer.names().last().map(str::to_owned);
    let address = name.or_else(|| answer.addresses().next().map(|address| address.to_string()))?;
    let target = if address.contains("s3-website") { Target::Backup } else { Target::CloudFront };
    Some(VisitorTarget { target, address })
}

/// The certificate in use, or the one that will be.
fn certificate(state: &SiteState) -> Option<CertificateState> {
    use cdn::CertificateStatus as Status;
    let certificates = &state.cdn.actual.certificates;
    let all = certificates.covering.iter().chain(&certificates.configured);
    let best = all.max_by_key(|one| (one.status == Status::Issued, !one.used_by.is_empty()))?;
    let (status, failure_reason) = match &best.status {
        Status::Issued => (CertificateStatus::Issued, None),
        Status::PendingValidation => (CertificateStatus::PendingValidation, None),
        Status::Failed(reason) => {
            (CertificateStatus::Failed, Some(format!("{reason}: {}", cdn::explain_failure(reason))))
        }
    };
    let (arn, expires) = (best.arn.to_string(), best.not_after.map(rfc3339));
    Some(CertificateState { arn, state: status, failure_reason, expires })
}

fn distribution(state: &SiteState) -> Option<DistributionState> {
    let found = state.cdn.actual.distribution.as_ref()?;
    let (id, host) = (found.id.to_string(), found.host.to_string());
    Some(DistributionState { id, host, enabled: found.enabled, deployed: found.deployed })
}

fn alarms(state: &SiteState) -> Vec<AlarmState> {
    let mut all = Vec::new();
    for (region, regional) in &state.alerts.actual {
        let firing = regional.alarms.iter().filter(|(_, alarm)| alarm.state != "OK");
        all.extend(firing.map(|(name, alarm)| AlarmState {
            name: name.clone(),
            region: region.to_string(),
            state: alarm.state.clone(),
        }));
    }
    all
}

fn unconfirmed_emails(state: &SiteState) -> Vec<UnconfirmedEmail> {
    let mut all = Vec::new();
    for (region, regional) in &state.alerts.actual {
        let emails = regional.topic.iter().flat_map(|topic| &topic.emails);
        let unconfirmed = emails.filter(|(_, subscription)| subscription.is_none());
        all.extend(unconfirmed.map(|(email, _)| UnconfirmedEmail { email: email.clone(), region: region.to_string() }));
    }
    all
}

fn bucket(state: &SiteState, side: Side) -> BucketState {
    let site = &state.s3.desired.site;
    let absent = BucketState {
        name: site.buckets.get(side).to_string(),
        existence: BucketExistence::Absent,
        region: None,
        versioned: false,
        replicates_to: None,
    };
    match state.s3.actual.buckets.get(side) {
        ActualBucket::Absent => absent,
        ActualBucket::Inaccessible => BucketState { existence: BucketExistence::OtherAccount, ..absent },
        ActualBucket::OtherRegion(region) => {
            BucketState { existence: BucketExistence::OtherRegion, region: Some(region.clone()), ..absent }
        }
        ActualBucket::Present(found) => {
            let rule = found.replication.managed.as_ref().filter(|rule| rule.enabled);
            BucketState {
                existence: BucketExistence::Present,
                region: Some(site.regions.get(side).to_string()),
                versioned: found.versioned,
                replicates_to: rule.map(|rule| rule.destination.trim_start_matches("arn:aws:s3:::").to_owned()),
                ..absent
            }
        }
    }
}
