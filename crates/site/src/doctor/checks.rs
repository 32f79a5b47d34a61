//! What the results of all reads mean. Pure.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twinsite_aws_session::{Caller, Session};
use twinsite_core::{Side, shell_word};
use twinsite_dns_failover::HostedZone;
use twinsite_sync::IndexState;

use super::local_files::{GitState, LocalState, SourceState};
use super::preconditions::{NamePreconditions, Preconditions};
use super::{Check, CheckName, CheckResult, DoctorRequest};
use crate::config::Config;
use crate::error::Error;
use crate::others::{About, ForeignSetting, judge_caa};
use crate::status::{
    CertificateStatus, Failure, FailureKind, Finding, Level, Part, ReadStatus, Status, Subject, Unread, unread,
};

/// AWS refuses requests whose time differs by more than this many seconds; S3 by more than fifteen minutes.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>
const MAX_CLOCK_OFFSET: i64 = 300;

/// From this many seconds on, it is likely to be more soon.
const NOTABLE_CLOCK_OFFSET: i64 = 60;

/// ACM gives up a certificate that is not validated within 72 hours.
/// <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>
const VALIDATION_HOURS: i64 = 72;

/// The record sets that a hosted zone may have without a request to AWS.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
const RECORD_SETS: u64 = 10_000;

/// What signs in or sets credentials.
const SIGN_IN: &str = "sign in (`aws sso login`), or set AWS_PROFILE, --profile or AWS_ACCESS_KEY_ID";

const FIRST_CREDENTIALS: &str = "first solve what is wrong with the credentials";
const FIRST_OTHERS: &str = "first solve what keeps the others from being asked";

const SET_CLOCK: &str = if cfg!(target_os = "macos") {
    "set the clock of this machine: `sudo sntp -sS time.apple.com`"
} else if cfg!(windows) {
    "set the clock of this machine: `w32tm /resync`"
} else {
    "set the clock of this machine: `sudo timedatectl set-ntp true`"
};

/// How the clock of AWS was compared with that of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ComparedClock {
    /// An embedded cloud has a time of its own.
    Embedded,
    /// No response had a date.
    NoResponse,
    /// AWS's is ahead by so many seconds.
    Ahead(i64),
}

#[derive(Debug, Default)]
pub(super) struct Checks(pub(super) Vec<Check>);

impl Checks {
    fn ok(&mut self, check: CheckName, text: impl Into<String>) {
        self.0.push(Check { check, result: CheckResult::Ok, text: text.into(), next: None });
    }

    fn add(&mut self, check: CheckName, result: CheckResult, text: impl Into<String>, next: impl Into<String>) {
        self.0.push(Check { check, result, text: text.into(), next: Some(next.into()) });
    }

    /// A part that could not be read.
    fn unknown(&mut self, check: CheckName, what: &str, unread: &Unread<'_>) {
        let Unread { kind, action, reason, .. } = unread;
        if *kind == Some(FailureKind::Credentials) {
            // Each service says at length which; that is the result of another check.
            let text = format!("{what} could not be read: the credentials were not accepted");
            return self.add(check, CheckResult::Unknown, text, FIRST_CREDENTIALS);
        }
        let next = match (kind, action) {
            (_, Some(action)) => {
                format!("allow {action}: `twinsite iam-policy --role reader` prints all permissions that this needs")
            }
            (Some(FailureKind::AccountUnknown), _) => FIRST_CREDENTIALS.to_owned(),
            (Some(FailureKind::NotAsked), _) => FIRST_OTHERS.to_owned(),
            _ => "ask again in a minute: `twinsite doctor`; see https://health.aws.amazon.com/".to_owned(),
        };
        self.add(check, CheckResult::Unknown, format!("{what} could not be read: {reason}"), next);
    }

    /// Findings of `status`, or that there are none.
    fn findings(&mut self, check: CheckName, findings: Vec<Finding>, ok: impl Into<String>) {
        if findings.is_empty() {
            return self.ok(check, ok);
        }
        for Finding { level, text, next } in findings {
            let result = match level {
                Level::Problem => CheckResult::Problem,
                Level::Unknown => CheckResult::Unknown,
                Level::Notice => CheckResult::Warning,
            };
            self.0.push(Check { check, result, text, next });
        }
    }

    fn foreign(&mut self, check: CheckName, found: ForeignSetting) {
        let result = if found.is_problem { CheckResult::Problem } else { CheckResult::Warning };
        self.add(check, result, found.text, found.next);
    }

    /// A configuration that was read. Its regions may still be unknown.
    pub(super) fn judge_configuration(&mut self, config: &Config, session: &Session) {
        let known = if session.s3_endpoint().is_some() { Ok(()) } else { config.check_regions() };
        match known {
            Ok(()) => {
                let (mode, regions) = (config.mode, &config.regions);
                let text = format!("mode {mode}, primary in {}, backup in {}", regions.primary, regions.backup);
                self.ok(CheckName::Configuration, text);
            }
            Err(fault) => self.configuration_fault(&fault),
        }
    }

    pub(super) fn configuration_fault(&mut self, fault: &Error) {
        let next = fault.hints.first().cloned().unwrap_or_else(|| "correct it".to_owned());
        self.add(CheckName::Configuration, CheckResult::Problem, fault.cause.to_string(), next);
    }

    pub(super) fn judge_local(&mut self, local: &LocalState, request: &DoctorRequest) {
        let LocalState { git, index, source } = local;
        match (source, &request.source) {
            (Some(SourceState::Fit(files)), Some(dir)) => {
                let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
                self.ok(CheckName::Source, format!("{files} of `{}` can be published", dir.display()));
            }
            (Some(SourceState::Unfit(why)), _) => {
                let next = "build the site, then name its output directory: `twinsite doctor DIR`";
                self.add(CheckName::Source, CheckResult::Problem, why, next);
            }
            (Some(SourceState::Late), Some(dir)) => {
                let text = format!("`{}` could not be read in time: it is large, or its disk is slow", dir.display());
                let next = format!("see what would be published: `twinsite deploy {} --dry-run`", dir.display());
                self.add(CheckName::Source, CheckResult::Unknown, text, next);
            }
            (None, _) | (_, None) => {}
        }
        match git {
            Some(GitState { ignores_state: false, ignore_file }) => self.add(
                CheckName::GitIgnore,
                CheckResult::Warning,
                "git does not ignore the folder `.twinsite`, which belongs to this machine",
                format!("ignore it: `printf '\\n.twinsite/\\n' >> {}`", shell_word(&ignore_file.display().to_string())),
            ),
            Some(_) => self.ok(CheckName::GitIgnore, "git ignores the folder `.twinsite`"),
            None => self.ok(CheckName::GitIgnore, "the directory is in no git repository"),
        }
        let file = request.index.display();
        let remove =
            || format!("delete it, the next deploy writes a new one: `rm -rf {}`", shell_word(&file.to_string()));
        match index {
            IndexState::Missing => self.ok(CheckName::Index, "no index of file digests yet: a deploy writes it"),
            IndexState::Readable => self.ok(CheckName::Index, "the index of file digests can be read"),
            IndexState::Unreadable(why) => {
                let text = format!("the index `{file}` cannot be read ({why}): every deploy reads every file");
                self.add(CheckName::Index, CheckResult::Warning, text, remove());
            }
            IndexState::Damaged => {
                let text =
                    format!("the index `{file}` is damaged or of another version: the next deploy reads every file");
                self.add(CheckName::Index, CheckResult::Warning, text, remove());
            }
        }
    }

    /// The clock. True if it is so wrong that AWS refuses signatures.
    fn judge_clock(&mut self, clock: ComparedClock) -> bool {
        let offset = match clock {
            ComparedClock::Embedded => {
                self.ok(CheckName::Clock, "the embedded cloud has a clock of its own, and accepts any time");
                return false;
            }
            ComparedClock::NoResponse => {
                let text = "the clock could not be compared: nothing has responded";
                self.add(CheckName::Clock, CheckResult::Unknown, text, FIRST_OTHERS);
                return false;
            }
            ComparedClock::Ahead(offset) => offset,
        };
        let (apart, direction) = (offset.abs(), if offset > 0 { "behind" } else { "ahead of" });
        let duration = if apart >= 120 { format!("{} minutes", apart / 60) } else { format!("{apart} seconds") };
        let text = format!("the clock of this machine is {duration} {direction} that of AWS");
        match apart {
            MAX_CLOCK_OFFSET.. => {
                let text = format!("{text}: requests are signed with the time, and refused if it differs by 5 minutes");
                self.add(CheckName::Clock, CheckResult::Problem, text, SET_CLOCK);
                true
            }
            NOTABLE_CLOCK_OFFSET.. => {
                self.add(CheckName::Clock, CheckResult::Warning, text, SET_CLOCK);
                false
            }
            _ => {
                self.ok(CheckName::Clock, "the clock of this machine agrees with that of AWS");
                false
            }
        }
    }

    /// Who uses the credentials: `names` are the account and the ARN.
    fn judge_identity<T>(&mut self, identity: &Part<T>, names: impl Fn(&T) -> (&str, &str), clock_is_wrong: bool) {
        let Some(unread) = unread(identity) else {
            if let Some((account, arn)) = identity.known().map(names) {
                let arn = if arn.is_empty() { "an endpoint without accounts" } else { arn };
                self.ok(CheckName::Credentials, format!("account {account}, {arn}"));
            }
            return;
        };
        match unread {
            Unread { kind: Some(FailureKind::Credentials), reason, .. } if clock_is_wrong => {
                let text = format!("whether the credentials are valid is not known while the clock is wrong: {reason}");
                self.add(CheckName::Credentials, CheckResult::Unknown, text, SET_CLOCK);
            }
            Unread { kind: Some(FailureKind::Credentials), reason, .. } => {
                self.add(CheckName::Credentials, CheckResult::Problem, reason, SIGN_IN);
            }
            unread => self.unknown(CheckName::Credentials, "the account", &unread),
        }
    }

    /// The caller, if nothing else is read.
    pub(super) fn judge_caller(&mut self, caller: Option<Result<Caller, Failure>>, clock: ComparedClock) {
        let late = || Err(Failure::new(FailureKind::TimedOut, "STS has not responded"));
        let caller = Part::from(caller.unwrap_or_else(late));
        let clock_is_wrong = self.judge_clock(clock);
        self.judge_identity(&caller, |caller| (caller.account.as_str(), &caller.arn), clock_is_wrong);
    }

    /// Clock, credentials and permissions.
    pub(super) fn judge_access(&mut self, status: &Status, preconditions: &Preconditions, clock: ComparedClock) {
        let clock_is_wrong = self.judge_clock(clock);
        self.judge_identity(&status.identity, |found| (&found.account, &found.arn), clock_is_wrong);
        let plan = unread(&status.pending_steps);
        let names = preconditions.names.iter().filter_map(|name| unread(&name.records));
        let more = unread(&preconditions.account_conflicts).into_iter().chain(names);
        let all: Vec<Unread<'_>> = status.unread().into_iter().chain(plan).chain(more).collect();
        let mut missing: Vec<&str> = all.iter().filter_map(|unread| unread.action).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let text = format!("the credentials may not {}", missing.join(", "));
            let next = "give the role what its policy has: `twinsite iam-policy --role reader`";
            self.add(CheckName::Permissions, CheckResult::Problem, text, next);
        } else if all.iter().any(|unread| unread.kind == Some(FailureKind::Credentials)) {
            let text = "which permissions the credentials have is not known: they were not accepted";
            self.add(CheckName::Permissions, CheckResult::Unknown, text, FIRST_CREDENTIALS);
        } else {
            // Simulating a policy takes a permission that none of the roles has.
            let text = "the credentials may read what `status` and `plan` read; changes were not tried";
            self.ok(CheckName::Permissions, text);
        }
    }

    /// Whether both regions respond, and are enabled.
    pub(super) fn judge_regions(&mut self, status: &Status, config: &Config) {
        for (side, state) in [(Side::Primary, &status.primary), (Side::Backup, &status.backup)] {
            let check = match side {
                Side::Primary => CheckName::PrimaryRegion,
                Side::Backup => CheckName::BackupRegion,
            };
            let region = config.regions.get(side);
            match unread(&state.bucket) {
                None => self.ok(check, format!("S3 in {region} responds")),
                Some(unread) if unread.action.is_some() => self.ok(check, format!("S3 in {region} responds")),
                Some(Unread { kind: Some(FailureKind::Credentials), reason, .. })
                    if status.identity.is_known() && region.is_opt_in() =>
                {
                    let text = format!(
                        "{region} ({side}) does not accept the credentials, which another region does: {reason}"
                    );
                    let next = format!(
                        "enable the region for the account: `aws account enable-region --region-name {region}`"
                    );
                    self.add(check, CheckResult::Problem, text, next);
                }
                Some(Unread {
                    kind: Some(FailureKind::TimedOut | FailureKind::Unreachable | FailureKind::ServerError),
                    reason,
                    ..
                }) => {
                    let text = format!("S3 in {region} ({side}) does not respond: {reason}");
                    let next = match side {
                        Side::Primary => {
                            "if visitors are not served (`twinsite status`), send them to the backup: `twinsite failover`"
                        }
                        Side::Backup => "see https://health.aws.amazon.com/, and ask again: `twinsite doctor`",
                    };
                    self.add(check, CheckResult::Unknown, text, next);
                }
                Some(unread) => self.unknown(check, &format!("the {side} bucket in {region}"), &unread),
            }
        }
    }

    /// What the account and DNS have to allow.
    pub(super) fn judge_preconditions(&mut self, status: &Status, preconditions: &Preconditions) {
        let Preconditions { account_conflicts, names } = preconditions;
        let check = CheckName::PublicAccessBlock;
        match (account_conflicts, unread(account_conflicts)) {
            (Part::Known { value }, _) if value.is_empty() => {
                self.ok(check, "the account does not block what visitors need");
            }
            (Part::Known { value }, _) => {
                let settings: Vec<String> = value.iter().map(ToString::to_string).collect();
                let account = status.identity.known().map_or("ACCOUNT", |found| found.account.as_str());
                let block =
                    "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=false";
                let next = format!(
                    "allow public policies (`aws s3control put-public-access-block --account-id {account} \
                     --public-access-block-configuration {block}`), or set mode = \"origin\""
                );
                self.add(check, CheckResult::Problem, settings.join("; "), next);
            }
            (_, Some(unread)) => self.unknown(check, "the account's public access block", &unread),
            (_, None) => {}
        }
        let issued = status
            .certificate
            .known()
            .and_then(Option::as_ref)
            .is_some_and(|found| found.state == CertificateStatus::Issued);
        for name in names {
            self.judge_name(name, issued, names.len() > 1);
        }
    }

    /// The delegation of the hosted zone of a name, and its CAA records. Of several names, it is said which one is meant.
    fn judge_name(&mut self, preconditions: &NamePreconditions, issued: bool, is_one_of_several: bool) {
        let NamePreconditions { name, zone, records, delegation } = preconditions;
        let of = |what: &str| if is_one_of_several { format!("{what} of `{name}`") } else { what.to_owned() };
        if let Some(zone) = unread(zone) {
            match zone.kind {
                Some(FailureKind::Conflict) => {
                    let next = "create it in Route 53, enter its name servers at the registrar, or set dns.zone_id";
                    self.add(CheckName::Delegation, CheckResult::Problem, zone.reason, next);
                }
                _ => self.unknown(CheckName::Delegation, &of("the hosted zone"), &zone),
            }
        } else {
            match (delegation, unread(delegation)) {
                (Part::Known { value }, _) => match value.judge() {
                    Some(found) => self.foreign(CheckName::Delegation, found),
                    None => self.ok(
                        CheckName::Delegation,
                        format!("{} is delegated to its name servers", of("the hosted zone")),
                    ),
                },
                (_, Some(unread)) => {
                    self.unknown(CheckName::Delegation, &of("the delegation of the hosted zone"), &unread);
                }
                (_, None) => {}
            }
        }
        match (records, unread(records)) {
            (Part::Known { value }, _) => match judge_caa(value, issued) {
                Some(found) => self.foreign(CheckName::Caa, found),
                None => self.ok(CheckName::Caa, of("Amazon may issue certificates").replace(" of ", " for ")),
            },
            // A conflict was said above.
            (_, Some(unread)) if unread.kind != Some(FailureKind::Conflict) => {
                self.unknown(CheckName::Caa, &of("the CAA records"), &unread);
            }
            (_, _) => {}
        }
    }

    /// What has been created, by the findings of `status`.
    pub(super) fn judge_site(&mut self, read: &ReadStatus, behind_proxy: bool) {
        let ReadStatus { status, foreign } = read;
        if status.is_not_created() {
            // A certificate may be left of an `apply` that was interrupted, or wait for one.
            if matches!(status.certificate, Part::Known { value: Some(_) }) {
                self.judge_certificate(status);
            }
            let next = "create the site: `twinsite apply`";
            return self.add(CheckName::Drift, CheckResult::Warning, "nothing has been applied yet", next);
        }
        let about = |subject| status.findings_about(subject, behind_proxy);
        self.judge_certificate(status);
        match unread(&status.distribution) {
            Some(unread) => self.unknown(CheckName::Distribution, "the distribution", &unread),
            None => self.findings(CheckName::Distribution, about(Subject::Distribution), "enabled and deployed"),
        }
        self.judge_drift(status);
        let others = foreign.iter().filter(|found| found.about == About::Other);
        for found in others.clone() {
            self.foreign(CheckName::ForeignSettings, found.clone());
        }
        if others.count() == 0 {
            match unread(&status.pending_steps) {
                Some(unread) => self.unknown(CheckName::ForeignSettings, "what others have set", &unread),
                None => self.ok(CheckName::ForeignSettings, "no settings of others are in the way"),
            }
        }
        let publishing = about(Subject::Publishing);
        let [primary, backup] = [&status.primary, &status.backup].map(|side| unread(&side.publish));
        match primary.or(backup).or(unread(&status.drill_interrupted)).filter(|_| publishing.is_empty()) {
            Some(unread) => self.unknown(CheckName::Publishing, "whether publishes and drills were completed", &unread),
            None => self.findings(CheckName::Publishing, publishing, "every publish and drill was completed"),
        }
        let backup = about(Subject::Buckets);
        match unread(&status.out_of_sync).filter(|_| backup.is_empty()) {
            Some(unread) => self.unknown(CheckName::Backup, "the difference between the buckets", &unread),
            None => self.findings(CheckName::Backup, backup, "the backup is in sync"),
        }
        match unread(&status.health_checks) {
            Some(unread) => self.unknown(CheckName::Failover, "the health checks", &unread),
            None => self.findings(CheckName::Failover, about(Subject::Failover), "no health check is unhealthy"),
        }
        self.findings(CheckName::Visitors, about(Subject::Visitors), "visitors are served");
        if !status.alerts.is_empty() {
            self.findings(CheckName::Alerts, about(Subject::Alerts), "no alarm is on");
        }
    }

    fn judge_certificate(&mut self, status: &Status) {
        if let Some(unread) = unread(&status.certificate) {
            return self.unknown(CheckName::Certificate, "the certificate", &unread);
        }
        let mut found = status.findings_about(Subject::Certificate, false);
        for finding in &mut found {
            finding.text.push_str(&pending_since(status));
        }
        let days = status.certificate.known().and_then(Option::as_ref).and_then(|found| found.days_left);
        let days = days.map(|days| format!(", {days} days left")).unwrap_or_default();
        self.findings(CheckName::Certificate, found, format!("issued{days}"));
    }

    fn judge_drift(&mut self, status: &Status) {
        let check = CheckName::Drift;
        match &status.pending_steps {
            Part::Known { value } if value.is_empty() => self.ok(check, "the site is as configured"),
            Part::Known { value } => {
                let step = |step: &crate::plan::PlannedStep| {
                    let changed: Vec<&str> = step.changes.iter().map(|change| change.property.as_str()).collect();
                    let changed = if changed.is_empty() { String::new() } else { format!(": {}", changed.join(", ")) };
                    format!(
                        "{} {} {} `{}`{changed}",
                        step.action, step.resource.service, step.resource.kind, step.resource.name
                    )
                };
                let named: Vec<String> = value.iter().take(3).map(step).collect();
                let more = value.len().saturating_sub(named.len());
                let more = if more == 0 { String::new() } else { format!("; and {more} more") };
                let text = format!("the site is not as configured: {}{more}", named.join("; "));
                let next = "see what differs with `twinsite plan`, and correct it with `twinsite apply`";
                self.add(check, CheckResult::Problem, text, next);
            }
            Part::Unavailable { kind: FailureKind::Conflict, reason } => {
                let reason = reason.lines().collect::<Vec<_>>().join("; ");
                self.add(
                    check,
                    CheckResult::Problem,
                    format!("nothing can be planned: {reason}"),
                    "see `twinsite plan`",
                );
            }
            Part::Unavailable { .. } | Part::Forbidden { .. } => {
                if let Some(unread) = unread(&status.pending_steps) {
                    self.unknown(check, "the plan", &unread);
                }
            }
        }
    }

    pub(super) fn judge_quotas(&mut self, preconditions: &Preconditions) {
        for zone in preconditions.names.iter().filter_map(|name| name.zone.known()) {
            self.judge_zone_quota(zone);
        }
    }

    fn judge_zone_quota(&mut self, zone: &HostedZone) {
        let Some(used) = zone.record_sets else { return };
        let name = zone.name.trim_end_matches('.');
        let text = format!("the hosted zone `{name}` has {used} of {RECORD_SETS} record sets");
        // The records of a site, its validation record, and room for more.
        if used + 100 > RECORD_SETS {
            let next =
                format!("delete unused records, or request more in the Route 53 console under Quotas of `{name}`");
            self.add(CheckName::Quotas, CheckResult::Warning, text, next);
        } else {
            self.ok(CheckName::Quotas, text);
        }
    }
}

/// How long ACM has waited for the validation of a certificate.
#[expect(clippy::disallowed_methods, reason = "how long it is pending depends on the time")]
fn pending_since(status: &Status) -> String {
    let Some(found) = status.certificate.known().and_then(Option::as_ref) else { return String::new() };
    let requested = found.requested.as_deref().and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
    match (found.state, requested) {
        (CertificateStatus::PendingValidation, Some(requested)) => {
            let hours = (OffsetDateTime::from(std::time::SystemTime::now()) - requested).whole_hours();
            let since = if hours == 0 { "less than an hour".to_owned() } else { format!("{hours} h") };
            format!(", for {since}; ACM gives up after {VALIDATION_HOURS} h")
        }
        _ => String::new(),
    }
}
