//! The state of a site on a screen of 80 columns: the most important first, and what to do next at the end.

use std::fmt::Write;

use twinsite_site::{
    BucketExistence, BucketState, CertificateState, CertificateStatus, Health, HealthCheckState, Level, Part,
    PublishState, RegionalAlerts, ReleaseSummary, SideName, SideState, SiteHealth, Status, Target, VisitState,
    VisitorState,
};

use super::plan::pending;
use super::printable::one_line;
use super::with_flags;
use super::wording::{count, wrapped};

/// The width of the names of lines.
const NAMES: usize = 14;

pub(super) fn health(status: &Status) -> &'static str {
    match status.health {
        SiteHealth::Healthy => "healthy",
        SiteHealth::Degraded => "DEGRADED",
        SiteHealth::Unknown => "UNKNOWN: not everything could be read",
    }
}

/// A part of a site and its state; without a name, it belongs to the one before.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// `flags` are appended to commands.
pub(super) fn status(status: &Status, flags: &str) -> String {
    let health = health(status);
    let mut text = format!("{}, mode {}: {health}\n", status.domain, status.mode);
    for finding in &status.findings {
        let mark = match finding.level {
            Level::Problem => "! ",
            Level::Unknown => "? ",
            Level::Notice => "- ",
        };
        let _ = writeln!(text, "{}", wrapped(mark, &with_flags(&one_line(&finding.text), flags)));
    }
    text.push('\n');
    for Row { name, value } in rows(status) {
        let _ = writeln!(text, "{}", wrapped(&format!("{name:<NAMES$}"), &with_flags(&one_line(&value), flags)));
    }
    if let Part::Known { value } = &status.pending_steps {
        for step in pending(value) {
            let _ = writeln!(text, "  {}", with_flags(&step, flags));
        }
    }
    text.push('\n');
    if status.next.is_empty() {
        text.push_str("next: nothing needs to be done\n");
    }
    for (index, step) in status.next.iter().enumerate() {
        let label = if index == 0 { "next: " } else { "      " };
        let _ = writeln!(text, "{}", wrapped(label, &with_flags(step, flags)));
    }
    text
}

/// The parts of a site, in the order in which they are shown.
pub(super) fn rows(status: &Status) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut line = |name: &'static str, value: &str| rows.push(Row { name, value: value.to_owned() });
    visitors(&status.visitors, &mut line);
    if let Some(Some(origin)) = status.served_from.known().filter(|origin| origin.as_deref() != Some("primary")) {
        line("failover", &format!("failed over by hand: edges of CloudFront serve from {origin}"));
    } else if status.failed_over_by_hand.known() == Some(&true) {
        line("failover", "failed over to the backup by hand");
    }
    if status.active.known() == Some(&SideName::Backup) {
        line("active side", "the backup: `twinsite failback` copies its releases to the primary");
    }
    line("release", &release(&status.primary, &status.backup));
    if !status.prefixes.is_known() {
        line("prefixes", &known(&status.prefixes, |_| String::new()));
    }
    for state in status.prefixes.known().into_iter().flatten() {
        let release = state
            .release
            .as_ref()
            .map_or("not published yet".to_owned(), |release| format!("release {} of {}", release.id, release.time));
        line("prefix", &format!("{}: {release}", state.prefix));
    }
    line("primary", &known(&status.primary.bucket, bucket));
    line("backup", &known(&status.backup.bucket, bucket));
    line(
        "buckets",
        &known(&status.out_of_sync, |differing| match differing {
            0 => "in sync".to_owned(),
            differing => format!("{} out of sync: see `twinsite verify`", count(*differing, "object")),
        }),
    );
    if let Some(publish) = status.publishing().and_then(|(_, state)| publish(state)) {
        line("publish", &publish);
    }
    if status.drill_interrupted.known() == Some(&true) {
        line("drill", "not completed");
    }
    line("health checks", &known(&status.health_checks, |checks| health_checks(checks)));
    line(
        "distribution",
        &known(&status.distribution, |found| match found {
            None => "none".to_owned(),
            Some(found) => {
                let deployed = if found.deployed { "deployed" } else { "deployment in progress" };
                let enabled = if found.enabled { "" } else { ", disabled" };
                format!("{} at {}, {deployed}{enabled}", found.id, found.host)
            }
        }),
    );
    line(
        "certificate",
        &known(&status.certificate, |found| found.as_ref().map_or_else(|| "none".to_owned(), certificate)),
    );
    match &status.zone {
        Part::Known { value: zone } if zone.records.is_empty() => line("dns", "none"),
        Part::Known { value: zone } => {
            for record in &zone.records {
                line("dns", &format!("{} {}", record.r#type, record.description));
            }
        }
        other => line("dns", &known(other, |_| String::new())),
    }
    for regional in &status.alerts {
        line("alarms", &alerts(regional));
    }
    line(
        "plan",
        &known(&status.pending_steps, |steps| match &steps[..] {
            [] => "nothing to do".to_owned(),
            steps => format!("{} pending", count(steps.len(), "step")),
        }),
    );
    rows
}

/// A part, or why it could not be read.
fn known<T>(part: &Part<T>, show: impl FnOnce(&T) -> String) -> String {
    match part {
        Part::Known { value } => show(value),
        Part::Unavailable { reason, .. } => format!("could not be read: {reason}"),
        Part::Forbidden { action, .. } => format!("not allowed to read: {action}"),
    }
}

fn visitors(visitors: &VisitorState, line: &mut impl FnMut(&'static str, &str)) {
    let VisitorState { dns, http, https, side, .. } = visitors;
    let from = match side {
        Some(SideName::Primary) => "from the primary",
        Some(SideName::Backup) => "from the backup",
        None => "",
    };
    let visit = |visit: &Part<VisitState>| match visit {
        Part::Known { value: VisitState { status, cloudfront, location, .. } } => {
            let through = if *cloudfront { "through CloudFront" } else { "" };
            let location = location.as_ref().map(|location| format!("to {location}")).unwrap_or_default();
            let from = if *status == 200 { from } else { "" };
            let words = [format!("{status}"), location, from.to_owned(), through.to_owned()];
            words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ")
        }
        other => known(other, |_| String::new()),
    };
    line("visitors", &format!("HTTPS {}", visit(https)));
    line("", &format!("HTTP  {}", visit(http)));
    let dns = known(dns, |found| {
        let target = match found.target {
            Some(Target::CloudFront) => "leads to the distribution: ",
            Some(Target::Backup) => "leads to the backup: ",
            None => "",
        };
        let values: Vec<&str> = found.values.iter().map(String::as_str).collect();
        if values.is_empty() { "no address".to_owned() } else { format!("{target}{}", values.join(" ")) }
    });
    line("", &format!("DNS   {dns}"));
}

/// The live release; of each side, if they differ.
fn release(primary: &SideState, backup: &SideState) -> String {
    let one = |release: &Option<ReleaseSummary>| match release {
        None => "none".to_owned(),
        Some(release) => {
            let message = release.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
            format!("{} of {}, {}{message}", release.id, release.time, count(release.objects, "object"))
        }
    };
    let (here, there) = (known(&primary.release, one), known(&backup.release, one));
    if primary.release == backup.release { here } else { format!("primary: {here}; backup: {there}") }
}

fn bucket(bucket: &BucketState) -> String {
    let name = &bucket.name;
    let region = bucket.region.as_deref().unwrap_or("another region");
    match bucket.existence {
        BucketExistence::Absent => format!("{name}: none"),
        BucketExistence::OtherAccount => format!("{name}: belongs to another account, or denies access"),
        BucketExistence::OtherRegion => format!("{name}: exists in {region}"),
        BucketExistence::Present => {
            let versioned = if bucket.versioned { "versioned" } else { "not versioned" };
            let to = bucket.replicates_to.as_ref().map(|to| format!(", replicates to {to}")).unwrap_or_default();
            format!("{name} in {region}, {versioned}{to}")
        }
    }
}

fn publish(publish: &PublishState) -> Option<String> {
    match &publish.lock {
        Some(lock) => {
            let owner = lock.owner.as_deref().unwrap_or("a publish");
            Some(format!("{owner} {}", if lock.abandoned { "was interrupted" } else { "is running" }))
        }
        None => publish.unfinished.then(|| "an earlier publish is not complete".to_owned()),
    }
}

fn health_checks(checks: &[HealthCheckState]) -> String {
    if checks.is_empty() {
        return "none".to_owned();
    }
    let all = checks.iter().map(|check| {
        let health = match check.health {
            Health::Healthy => "healthy",
            Health::Unhealthy => "UNHEALTHY",
            Health::Unknown => "not reported yet",
        };
        format!("{} {health}", check.role)
    });
    all.collect::<Vec<_>>().join(", ")
}

fn certificate(certificate: &CertificateState) -> String {
    let state = match certificate.state {
        CertificateStatus::Issued => "issued".to_owned(),
        CertificateStatus::PendingValidation => "waiting for its validation record".to_owned(),
        CertificateStatus::Failed => {
            format!("failed ({})", certificate.failure_reason.as_deref().unwrap_or("no reason given"))
        }
    };
    state + &certificate.days_left.map(|days| format!(", {days} days left")).unwrap_or_default()
}

fn alerts(regional: &RegionalAlerts) -> String {
    let RegionalAlerts { region, alarms, unconfirmed_emails, .. } = regional;
    let alarms = known(alarms, |alarms| {
        let firing: Vec<_> = alarms.iter().filter(|alarm| alarm.state != "OK").collect();
        if firing.is_empty() {
            return format!("{} OK", count(alarms.len(), "alarm"));
        }
        firing.iter().map(|alarm| format!("{}: {}", alarm.name, alarm.state)).collect::<Vec<_>>().join(", ")
    });
    let emails = match unconfirmed_emails {
        Part::Known { value } if value.is_empty() => String::new(),
        Part::Known { value } => format!("; not confirmed: {}", value.join(", ")),
        other => format!("; subscriptions {}", known(other, |_| String::new())),
    };
    format!("{region}: {alarms}{emails}")
}
