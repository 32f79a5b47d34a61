//! What follows from the parts of a site's state: whether it is healthy, and what to do next.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::Side;

use super::part::{FailureKind, Part};
use super::state::{
    BucketExistence, BucketState, CertificateStatus, Health, HealthCheckState, PublishState, SideName, VisitState,
    VisitorState,
};
use super::{RegionalAlerts, SideState, Status};
use crate::others::ForeignSetting;

/// The state of a site in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SiteHealth {
    /// Everything was read, and nothing is wrong.
    Healthy,
    /// Something is wrong.
    Degraded,
    /// Nothing that was read is wrong, but not everything could be read.
    Unknown,
}

/// The importance of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Something is wrong.
    Problem,
    /// Something could not be found out.
    Unknown,
    /// It is worth knowing, and harmless by itself.
    Notice,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Finding {
    /// How important it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What to do about it. Commands are in backticks.
    pub next: Option<String>,
}

/// A certificate that is not renewed by so many days before its end needs attention: ACM renews sixty days before.
/// <https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html>
const DAYS_LEFT: i64 = 30;

/// What findings are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// What visitors get.
    Visitors,
    /// Drills, locks, publishes that were not completed, and the active side.
    Publishing,
    /// The buckets, and whether they are in sync.
    Buckets,
    /// The distribution.
    Distribution,
    /// The certificate.
    Certificate,
    /// The records and the health checks.
    Failover,
    /// Alarms and subscriptions.
    Alerts,
}

impl Subject {
    const ALL: [Self; 7] = [
        Self::Visitors,
        Self::Publishing,
        Self::Buckets,
        Self::Distribution,
        Self::Certificate,
        Self::Failover,
        Self::Alerts,
    ];
}

pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, level: Level, text: impl Into<String>, next: Option<&str>) {
        self.0.push(Finding { level, text: text.into(), next: next.map(str::to_owned) });
    }

    pub(super) fn problem(&mut self, text: impl Into<String>, next: &str) {
        self.add(Level::Problem, text, Some(next));
    }
}

impl Status {
    /// The parts that could not be read, by name, and why.
    pub fn unread(&self) -> Vec<Unread<'_>> {
        let mut all = Vec::new();
        let mut add = |what, failure: Option<_>| all.extend(failure.map(|failure| Unread { what, ..failure }));
        add("the account".to_owned(), unread(&self.identity));
        for (name, side) in [("primary", &self.primary), ("backup", &self.backup)] {
            let SideState { region, bucket, release, publish } = side;
            add(format!("the {name} bucket in {region}"), unread(bucket));
            add(format!("the live release in the {name}"), unread(release));
            add(format!("the lock in the {name}"), unread(publish));
        }
        add("the difference between the buckets".to_owned(), unread(&self.out_of_sync));
        add("the failover switch".to_owned(), unread(&self.failed_over_by_hand));
        add("the key value store".to_owned(), unread(&self.served_from));
        add("the active side".to_owned(), unread(&self.active));
        add("the journal of drills".to_owned(), unread(&self.drill_interrupted));
        add("the health checks".to_owned(), unread(&self.health_checks));
        add("the distribution".to_owned(), unread(&self.distribution));
        add("the certificate".to_owned(), unread(&self.certificate));
        add("the hosted zone".to_owned(), unread(&self.zone));
        for RegionalAlerts { region, alarms, unconfirmed_emails } in &self.alerts {
            add(format!("the alarms in {region}"), unread(alarms));
            add(format!("the subscriptions in {region}"), unread(unconfirmed_emails));
        }
        all
    }

    /// The side that deploys lock, and its state: the active side or, if that cannot be read, the other one.
    pub fn publishing(&self) -> Option<(SideName, &PublishState)> {
        let primary = self.primary.publish.known().map(|publish| (SideName::Primary, publish));
        let backup = self.backup.publish.known().map(|publish| (SideName::Backup, publish));
        if self.active.known() == Some(&SideName::Backup) { backup.or(primary) } else { primary.or(backup) }
    }

    /// Derives findings, the health and the next steps.
    pub(super) fn judge(&mut self, behind_proxy: bool, foreign: Vec<ForeignSetting>) {
        let mut findings = Findings(Vec::new());
        if self.is_not_created() {
            findings.problem("the site has not been created yet", "create it: `twinsite apply`");
        } else {
            for subject in Subject::ALL {
                findings.0.extend(self.findings_about(subject, behind_proxy));
            }
        }
        for ForeignSetting { is_problem, text, next, about: _ } in foreign {
            findings.add(if is_problem { Level::Problem } else { Level::Notice }, text, Some(&next));
        }
        self.judge_unread(&mut findings);
        match &self.pending_steps {
            Part::Known { value } if value.is_empty() => {}
            Part::Unavailable { kind: FailureKind::NotAsked, .. } => {}
            Part::Known { .. } if self.is_not_created() => {}
            Part::Known { value } => {
                let steps =
                    if value.len() == 1 { "1 step is".to_owned() } else { format!("{} steps are", value.len()) };
                findings.add(
                    Level::Notice,
                    format!("the site differs from its configuration: {steps} pending"),
                    Some("see which: `twinsite plan`"),
                );
            }
            Part::Unavailable { reason, .. } | Part::Forbidden { reason, .. } => {
                findings.add(
                    Level::Notice,
                    format!("whether the site matches its configuration is unknown: {reason}"),
                    Some("plan without a deadline: `twinsite plan`"),
                );
            }
        }
        let mut findings = findings.0;
        findings.sort_by_key(|finding| finding.level);
        self.health = match findings.first().map(|finding| finding.level) {
            Some(Level::Problem) => SiteHealth::Degraded,
            Some(Level::Unknown) => SiteHealth::Unknown,
            Some(Level::Notice) | None => SiteHealth::Healthy,
        };
        let mut next: Vec<String> = Vec::new();
        for step in findings.iter().filter_map(|finding| finding.next.as_ref()) {
            if !next.contains(step) {
                next.push(step.clone());
            }
        }
        (self.findings, self.next) = (findings, next);
    }

    /// What follows from the parts about one subject.
    pub(crate) fn findings_about(&self, subject: Subject, behind_proxy: bool) -> Vec<Finding> {
        let mut findings = Findings(Vec::new());
        match subject {
            Subject::Visitors => {
                self.judge_visitors(behind_proxy, &mut findings);
                self.judge_aliases(&mut findings);
            }
            Subject::Publishing => self.judge_publishing(&mut findings),
            Subject::Buckets => self.judge_buckets(&mut findings),
            Subject::Distribution => self.judge_distribution(&mut findings),
            Subject::Certificate => self.judge_certificate(&mut findings),
            Subject::Failover => self.judge_failover(&mut findings),
            Subject::Alerts => self.judge_alerts(&mut findings),
        }
        findings.0
    }

    /// True if nothing of the site exists.
    pub(crate) fn is_not_created(&self) -> bool {
        let absent =
            |side: &SideState| side.bucket.known().is_some_and(|bucket| bucket.existence == BucketExistence::Absent);
        absent(&self.primary) && absent(&self.backup) && matches!(self.distribution, Part::Known { value: None })
    }

    /// Whether any service has responded: otherwise it is probably this machine that has no network.
    fn is_online(&self) -> bool {
        let unread = self.unread();
        let sides = [&self.primary, &self.backup];
        let known = self.identity.is_known()
            || sides.iter().any(|side| side.bucket.is_known())
            || self.distribution.is_known()
            || self.certificate.is_known()
            || self.zone.is_known();
        known || unread.iter().any(|part| part.is_answered)
    }

    fn judge_visitors(&self, behind_proxy: bool, findings: &mut Findings) {
        let VisitorState { dns, http, https, side } = &self.visitors;
        let by_hand = self.failed_over_by_hand.known() == Some(&true);
        match self.primary_percent() {
            Some(percent @ 1..=99) => {
                let more = (percent.saturating_mul(3)).min(50).max(percent + 1);
                let text = format!(
                    "by hand, {percent} % of the visitors are served by the primary and the others by the backup"
                );
                let more = format!("`twinsite failback --percent {more}`");
                findings.problem(text, &format!("send more to the primary, {more}, or all: `twinsite failback`"));
            }
            _ if by_hand => findings.problem("the site is failed over to the backup by hand", FAILBACK),
            _ => {}
        }
        let served = |visit: &Part<VisitState>| visit.known().is_some_and(VisitState::is_served);
        let not_asked = |visit: &Part<VisitState>| {
            matches!(visit, Part::Unavailable { kind: FailureKind::NotAsked, .. }) || !self.is_online() || behind_proxy
        };
        let backup_name = *side == Some(SideName::Backup);
        // A redirect to HTTPS serves nobody whom HTTPS does not serve.
        let leads_to_https = http.known().is_some_and(VisitState::leads_to_https);
        match (served(https), served(http) && !leads_to_https) {
            (true, _) if backup_name && !by_hand => {
                findings
                    .problem("visitors are served by the backup", "find out why: the health checks and both buckets");
            }
            (true, _) => {}
            (false, _) if https.known().is_none() && not_asked(https) => {
                let why = said(https).unwrap_or_default();
                let text = format!("what visitors get could not be found out from here: {why}");
                findings.add(Level::Unknown, text, Some("ask from elsewhere: `curl -I` the domain"));
            }
            (false, true) => {
                let why = said(https).unwrap_or_default();
                findings.problem(
                    format!("HTTPS fails ({why}); visitors are served over HTTP only"),
                    if by_hand { FAILBACK } else { "check the distribution and the certificate: `twinsite plan`" },
                );
            }
            (false, false) => {
                let why = said(https).or_else(|| said(dns)).unwrap_or_default();
                let next = match (self.is_unpublished(), by_hand, self.mode == "origin") {
                    (true, _, _) => "publish it: `twinsite deploy`",
                    (false, false, false) => "send visitors to the backup: `twinsite failover`",
                    (false, _, _) => "check the buckets and the distribution: `twinsite plan`, `twinsite verify`",
                };
                findings.problem(format!("visitors get no page: {why}"), next);
            }
        }
    }

    fn is_unpublished(&self) -> bool {
        matches!(self.primary.release, Part::Known { value: None })
            && !matches!(self.backup.release, Part::Known { value: Some(_) })
    }

    fn judge_publishing(&self, findings: &mut Findings) {
        if self.drill_interrupted.known() == Some(&true) {
            findings.problem(
                "a drill has not been completed: the primary may still be broken on purpose",
                "restore it: `twinsite drill --restore`",
            );
        }
        if self.active.known() == Some(&SideName::Backup) {
            findings.problem(
                "the backup is the active side: the primary lacks what was published in the outage",
                "copy it once the primary can be reached, and send visitors back: `twinsite failback`",
            );
        }
        if let Some((side, publish)) = self.publishing() {
            let side = match side {
                SideName::Primary => Side::Primary,
                SideName::Backup => Side::Backup,
            };
            match &publish.lock {
                Some(lock) if lock.abandoned => {
                    let owner = lock.owner.as_deref().unwrap_or("a publish");
                    findings.problem(
                        format!(
                            "{owner} was interrupted: its lock is left in the {side}, and its release may be incomplete"
                        ),
                        "publish again, which takes the lock over and completes it: `twinsite deploy`",
                    );
                }
                Some(lock) => {
                    let owner = lock.owner.as_deref().unwrap_or("a publish");
                    findings.add(Level::Notice, format!("{owner} is running"), None);
                }
                None if publish.unfinished => {
                    findings.problem(
                        format!("an earlier publish to the {side} has not been completed"),
                        "publish again, which completes it: `twinsite deploy`",
                    );
                }
                None => {}
            }
        }
        if self.is_unpublished() {
            findings.problem("nothing has been published yet", "publish it: `twinsite deploy`");
        }
    }

    fn judge_buckets(&self, findings: &mut Findings) {
        for (side, state) in [(Side::Primary, &self.primary), (Side::Backup, &self.backup)] {
            if let Some(bucket) = state.bucket.known() {
                judge_bucket(side, bucket, findings);
            }
        }
        let lock = self.publishing().and_then(|(_, publish)| publish.lock.as_ref());
        let is_running = lock.is_some_and(|lock| !lock.abandoned);
        match &self.out_of_sync {
            Part::Known { value: 0 } => {}
            // That the primary lacks objects then, and what to do about it, is said above.
            Part::Known { .. } if self.active.known() == Some(&SideName::Backup) => {}
            Part::Known { value } => {
                let objects = if *value == 1 { "1 object".to_owned() } else { format!("{value} objects") };
                let (text, next) = (
                    format!("the buckets are out of sync: {objects}"),
                    "list them with `twinsite verify`, and copy them with `twinsite backfill`",
                );
                if is_running { findings.add(Level::Notice, text, None) } else { findings.problem(text, next) }
            }
            Part::Unavailable { .. } | Part::Forbidden { .. } => {
                let (primary, backup) = (self.primary.release.known(), self.backup.release.known());
                if let (Some(Some(primary)), Some(Some(backup))) = (primary, backup)
                    && primary.id != backup.id
                {
                    findings.problem(
                        format!("the primary has release {}, and the backup has release {}", primary.id, backup.id),
                        "list what differs with `twinsite verify`, and copy it with `twinsite backfill`",
                    );
                }
            }
        }
    }

    fn judge_distribution(&self, findings: &mut Findings) {
        match self.distribution.known() {
            Some(None) => findings.problem("there is no distribution", "create it: `twinsite apply`"),
            Some(Some(found)) if !found.enabled => {
                findings.problem("the distribution is disabled", "enable it: `twinsite apply`");
            }
            Some(Some(found)) if !found.deployed => {
                findings.add(Level::Notice, "the last change of the distribution is being deployed", None);
            }
            Some(Some(_)) | None => {}
        }
    }

    fn judge_certificate(&self, findings: &mut Findings) {
        match self.certificate.known() {
            Some(None) => findings.problem("there is no certificate", "request one: `twinsite apply`"),
            Some(Some(found)) => match (found.state, found.days_left) {
                (CertificateStatus::Failed, _) => {
                    let why = found.failure_reason.as_deref().unwrap_or("no reason given");
                    findings.problem(format!("the certificate was not issued: {why}"), "request another: `twinsite apply`");
                }
                (CertificateStatus::PendingValidation, _) => {
                    findings.problem("the certificate waits for its validation record", "create it: `twinsite apply`");
                }
                (CertificateStatus::Issued, Some(days)) if days < DAYS_LEFT => findings.problem(
                    format!("the certificate expires in {days} days"),
                    "check why ACM does not renew it: its validation record with `twinsite plan`; or import one with `twinsite cert import`",
                ),
                (CertificateStatus::Issued, _) => {}
            },
            None => {}
        }
    }

    fn judge_failover(&self, findings: &mut Findings) {
        if self.zone.known().is_some_and(|zone| zone.records.is_empty()) {
            findings.problem("the domain has no records", "create them: `twinsite apply`");
        }
        let by_hand = self.failed_over_by_hand.known() == Some(&true);
        for check in self.health_checks.known().into_iter().flatten() {
            judge_check(check, by_hand, findings);
        }
    }

    fn judge_alerts(&self, findings: &mut Findings) {
        let mut unconfirmed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for RegionalAlerts { region, alarms, unconfirmed_emails } in &self.alerts {
            for alarm in alarms.known().into_iter().flatten() {
                let text = format!("the alarm `{}` in {region} is in state {}", alarm.name, alarm.state);
                // A new alarm is in state INSUFFICIENT_DATA.
                if alarm.state == "ALARM" {
                    findings.problem(text, "see its metric in CloudWatch");
                }
            }
            for email in unconfirmed_emails.known().into_iter().flatten() {
                unconfirmed.entry(email).or_default().push(region);
            }
        }
        for (email, regions) in unconfirmed {
            findings.add(
                Level::Notice,
                format!("{email} has not confirmed the subscription in {}", regions.join(", ")),
                Some("confirm the subscription by the link in the email from AWS"),
            );
        }
    }

    /// Whether a part cannot be read because the bucket that it is in cannot be reached.
    fn follows_from_bucket(&self, what: &str) -> bool {
        let is_out = |side: &SideState| {
            use FailureKind::{ServerError, TimedOut, Unreachable};
            matches!(side.bucket, Part::Unavailable { kind: ServerError | TimedOut | Unreachable, .. })
        };
        for side in [&self.primary, &self.backup].into_iter().filter(|side| is_out(side)) {
            let region = &side.region;
            if [format!("the alarms in {region}"), format!("the subscriptions in {region}")]
                .iter()
                .any(|one| one == what)
            {
                return true;
            }
        }
        match what {
            "the live release in the primary" | "the lock in the primary" => is_out(&self.primary),
            "the live release in the backup"
            | "the lock in the backup"
            | "the failover switch"
            | "the journal of drills" => is_out(&self.backup),
            "the difference between the buckets" => is_out(&self.primary) || is_out(&self.backup),
            _ => false,
        }
    }

    /// What could not be read. What follows from something else that is reported is left out.
    fn judge_unread(&self, findings: &mut Findings) {
        let releases_match = match (self.primary.release.known(), self.backup.release.known()) {
            (Some(Some(primary)), Some(Some(backup))) => primary.id == backup.id,
            _ => false,
        };
        let credentials = matches!(self.identity, Part::Unavailable { kind: FailureKind::Credentials, .. });
        for Unread { what, kind, action, reason, .. } in self.unread() {
            let follows = kind == Some(FailureKind::AccountUnknown)
                || self.follows_from_bucket(&what)
                || (credentials && kind == Some(FailureKind::Credentials) && what != "the account");
            if follows {
                continue;
            }
            let text = format!("{what} could not be read: {reason}");
            let next = match (kind, action) {
                (_, Some(action)) => {
                    format!(
                        "allow {action}: `twinsite iam-policy --role reader` prints all permissions that this needs"
                    )
                }
                (Some(FailureKind::Credentials), _) => {
                    "sign in (`aws sso login`), or check AWS_PROFILE and --profile".to_owned()
                }
                (Some(FailureKind::Conflict), _) => "see `twinsite plan`".to_owned(),
                (Some(FailureKind::Damaged), _) => {
                    "publish again, which makes a new release: `twinsite deploy`; or bring one back: `twinsite rollback`".to_owned()
                }
                _ => "ask again in a minute, and see https://health.aws.amazon.com/".to_owned(),
            };
            let level = match kind {
                Some(FailureKind::Conflict | FailureKind::Damaged) => Level::Problem,
                // A comparison of large buckets takes longer than the deadline.
                Some(FailureKind::TimedOut) if what == "the difference between the buckets" && releases_match => {
                    Level::Notice
                }
                _ => Level::Unknown,
            };
            findings.add(level, text, Some(&next));
        }
    }
}

/// A part that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread<'a> {
    /// What it is.
    pub what: String,
    /// The class of the reason; `None` if a permission is missing.
    pub kind: Option<FailureKind>,
    /// The IAM action that is not allowed.
    pub action: Option<&'a str>,
    /// The reason.
    pub reason: &'a str,
    /// Whether the service has responded, if only with an error.
    pub is_answered: bool,
}

pub(crate) fn unread<T>(part: &Part<T>) -> Option<Unread<'_>> {
    let (kind, action, reason) = match part {
        Part::Known { .. } => return None,
        Part::Unavailable { kind, reason } => (Some(*kind), None, reason),
        Part::Forbidden { action, reason } => (None, Some(action.as_str()), reason),
    };
    Some(Unread { what: String::new(), kind, action, reason, is_answered: part.is_answered() })
}

/// Why visitors get nothing.
fn said<T: Said>(part: &Part<T>) -> Option<String> {
    match part {
        Part::Known { value } => value.said(),
        Part::Unavailable { reason, .. } | Part::Forbidden { reason, .. } => Some(reason.clone()),
    }
}

trait Said {
    fn said(&self) -> Option<String>;
}

impl Said for VisitState {
    fn said(&self) -> Option<String> {
        (!self.is_served()).then(|| format!("HTTP status {}", self.status))
    }
}

impl Said for super::state::DnsState {
    fn said(&self) -> Option<String> {
        self.values.is_empty().then(|| "the name has no address".to_owned())
    }
}

fn judge_bucket(side: Side, bucket: &BucketState, findings: &mut Findings) {
    let name = &bucket.name;
    match bucket.existence {
        BucketExistence::Absent => {
            findings.problem(format!("the {side} bucket `{name}` does not exist"), "create it: `twinsite apply`");
        }
        BucketExistence::OtherAccount => findings.problem(
            format!("the {side} bucket `{name}` belongs to another account, or denies access"),
            "check the credentials (--profile) and the policy of the bucket",
        ),
        BucketExistence::OtherRegion => {
            let region = bucket.region.as_deref().unwrap_or("another region");
            findings.problem(
                format!("the {side} bucket `{name}` is in {region}"),
                "name that region in the configuration, or choose another domain",
            );
        }
        BucketExistence::Present => {}
    }
}

const FAILBACK: &str = "send visitors back when the primary is healthy: `twinsite failback`";

fn judge_check(check: &HealthCheckState, by_hand: bool, findings: &mut Findings) {
    if check.health != Health::Unhealthy {
        return;
    }
    let (text, next) = match check.role.as_str() {
        "primary" if by_hand => (
            "the checkers of Route 53 find the primary unhealthy",
            "see what its bucket serves, and the AWS Health Dashboard",
        ),
        "primary" => (
            "the checkers of Route 53 find the primary unhealthy",
            "see what its bucket serves, and the AWS Health Dashboard; visitors can be moved with `twinsite failover`",
        ),
        "backup" => (
            "the checkers of Route 53 find the backup unhealthy: it cannot take over",
            "see what its bucket serves: `twinsite verify`, `twinsite plan`",
        ),
        "edge" => (
            "the checkers of Route 53 find CloudFront unhealthy",
            "see the AWS Health Dashboard; DNS fails over by itself",
        ),
        "stop" => ("the failover switch is set, as the checkers of Route 53 see it", FAILBACK),
        "serving" => ("DNS leads to the backup", "find out why: the health checks and both buckets"),
        other => return findings.problem(format!("the health check `{other}` is unhealthy"), "see it in Route 53"),
    };
    findings.problem(text, next);
}
