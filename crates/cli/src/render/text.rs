//! Results as text.

use std::fmt::Write;

use twinsite_site::{
    BackfillResult, BackupResult, BackupState, DamagedRelease, DeployPlanSummary, Error, Estimate, InvalidationResult,
    ListedRelease, MovedBy, PlannedBackup, PolicyDocument, PrimaryResult, PrimaryState, ReleaseDetails,
    ReleaseDifference, ReleaseSummary, Releases, UnreadBucket, VerifyResult,
};

use super::drill::{drill, drills};
use super::moved::{failed_back, failed_over};
use super::plan;
use super::printable::one_line;
use super::public;
use super::shell_word;
use super::wording::{count, size, wrapped};
use crate::result::{CommandResult, DeployedResult, WrittenResult};
#[cfg(feature = "local")]
use crate::served::{Addresses, DnsTarget, LocalState};

/// How many lines are shown without `--verbose`.
const SHOWN: usize = 50;

pub(super) fn result(result: &CommandResult, verbose: bool) -> String {
    match result {
        CommandResult::Written(written) => configuration(written),
        CommandResult::Plan(planned) => {
            let mut text = plan::plan(&planned.plan, verbose);
            if let Some(estimate) = planned.estimate.as_ref().filter(|_| !planned.plan.steps.is_empty()) {
                text.push('\n');
                text.push_str(&self::estimate(estimate));
            }
            text
        }
        CommandResult::Applied(applied) => match (applied.steps, &applied.backfilled) {
            (0, _) => "nothing was changed".to_owned(),
            (steps, None) => format!("applied: {}", count(steps, "step")),
            (steps, Some(copied)) => format!(
                "applied: {}; {} ({}) older than the replication rule copied to the backup",
                count(steps, "step"),
                count(copied.objects, "object"),
                size(copied.bytes)
            ),
        },
        CommandResult::DryRun(plan) => deploy_plan(plan),
        CommandResult::Deployed(deployed) => self::deployed(deployed, verbose),
        CommandResult::Skipped { reason } => format!("nothing was published: {reason}"),
        CommandResult::Verified(verified) => self::verified(verified, verbose),
        CommandResult::BackfillDryRun(planned) => format!(
            "backup ({})\n{}  {} to copy ({}), {} to delete, {} in sync\ndry run: nothing was changed",
            planned.bucket,
            planned_backup(planned, verbose),
            planned.copy.len(),
            size(planned.copy.iter().map(|copy| copy.bytes).sum()),
            planned.delete.len(),
            planned.unchanged
        ),
        CommandResult::Backfilled(backfilled) => self::backfilled(backfilled),
        CommandResult::Releases(releases) => self::releases(releases),
        CommandResult::Release(release) => self::release(release, verbose),
        CommandResult::ReleasesCompared { differences } => compared(differences, verbose),
        CommandResult::Status(status) => super::status::status(status, ""),
        CommandResult::Doctor(doctor) => super::doctor::doctor(doctor, ""),
        CommandResult::ManPages { directory, pages } => {
            format!("wrote {} into {directory}", count(pages.len(), "man page"))
        }
        CommandResult::CertificateImported { arn } => {
            format!(
                "imported: {arn}\nnext: run `twinsite apply`; import the renewed certificate before this one expires"
            )
        }
        CommandResult::Destroyed { steps: 0 } => "nothing to destroy: twinsite created nothing here".to_owned(),
        CommandResult::Destroyed { steps } => format!("destroyed: {}", count(*steps, "step")),
        CommandResult::Drilled(drilled) => drill(drilled),
        CommandResult::Drills(history) => drills(history),
        CommandResult::DrillSchedule { text, .. } => text.trim_end().to_owned(),
        CommandResult::FailedOver(switched) => failed_over(switched),
        CommandResult::FailedBack(done) => failed_back(done),
        CommandResult::Restored { outage: None, damaged: false, .. } => {
            "nothing to restore: no drill was interrupted".to_owned()
        }
        CommandResult::Restored { outage: None, .. } => {
            "nothing to restore: the journal of a drill was damaged, and nothing that a drill breaks differs from the configuration"
                .to_owned()
        }
        CommandResult::Restored { outages, damaged: true, .. } => {
            let outages = outages.join(", ");
            format!(
                "restored from the configuration, because the journal of the drill was damaged: {outages}; visitors return as soon as \
                 health checks and DNS follow"
            )
        }
        CommandResult::Restored { outage: Some(outage), .. } => {
            format!("restored: {outage}; visitors return as soon as health checks and DNS follow")
        }
        CommandResult::Declined => "not confirmed; nothing was changed".to_owned(),
        CommandResult::Served { kept: true } => "stopped; the state was saved".to_owned(),
        CommandResult::Served { kept: false } => "stopped; the state was in memory and is gone".to_owned(),
        CommandResult::Stopped => "stopped at once; run the same command again to finish the rest".to_owned(),
        CommandResult::Policy { documents } => policy(documents),
        CommandResult::Watched | CommandResult::Document(_) => String::new(),
    }
}

pub(super) fn error(error: &Error, hints: &[String]) -> String {
    let reason = error.cause.to_string().replace('\n', "\n  ");
    let mut text = format!("error: could not {}\n  {reason}", error.operation);
    for hint in hints {
        let _ = write!(text, "\nhint: {hint}");
    }
    text
}

/// The document of a policy, or an array of them if one would be too large.
pub(super) fn policy(documents: &[PolicyDocument]) -> String {
    let all: Vec<_> = documents.iter().map(|document| document.document.clone()).collect();
    let text = match &all[..] {
        [one] => format!("{one:#}"),
        several => format!("{:#}", serde_json::Value::from(several)),
    };
    text + "\n"
}

fn estimate(estimate: &Estimate) -> String {
    let fixed =
        format!("costs about ${:.2} a month at list prices: {}; and by usage:", estimate.monthly_usd, estimate.fixed);
    let mut text = format!("\n{}", wrapped("", &fixed));
    for line in &estimate.by_usage {
        let _ = write!(text, "\n{}", wrapped("  ", line));
    }
    text.push_str("\nwhat it survives:");
    for line in &estimate.survives {
        let _ = write!(text, "\n{}", wrapped("  ", line));
    }
    text
}

fn deploy_plan(plan: &DeployPlanSummary) -> String {
    let primary = &plan.primary;
    let below = plan.prefix.as_ref().map(|prefix| format!(" below {}", one_line(prefix))).unwrap_or_default();
    let mut text = format!("primary ({}){below}\n", primary.bucket);
    for put in &primary.put {
        let _ = writeln!(text, "  put      {}  {} ({})", one_line(&put.key), put.reason, size(put.bytes));
    }
    for rewrite in &primary.rewrite {
        let _ = writeln!(text, "  rewrite  {}  {}", one_line(&rewrite.key), rewrite.reason);
    }
    for delete in &primary.delete {
        let _ = writeln!(text, "  delete   {}  {} ({})", one_line(&delete.key), delete.reason, size(delete.bytes));
    }
    for key in primary.foreign.iter().map(|key| one_line(key)) {
        let _ = writeln!(text, "  keep     {key}  not published by twinsite");
    }
    let (puts, rewrites, deletes) = (primary.put.len(), primary.rewrite.len(), primary.delete.len());
    let _ = write!(text, "  {puts} to put ({}), {rewrites} to rewrite, {deletes} to delete", size(primary.bytes));
    let superseded = match primary.superseded {
        0 => String::new(),
        superseded => format!(", {superseded} kept for earlier releases"),
    };
    let _ = writeln!(text, ", {} unchanged{superseded}", primary.unchanged);
    if let Some(backup) = &plan.backup {
        let _ = writeln!(text, "backup ({}) follows", backup.bucket);
        text.push_str(&planned_backup(backup, true));
    }
    text.push_str(&public::planned(plan));
    text + "dry run: nothing was changed"
}

fn planned_backup(planned: &PlannedBackup, all: bool) -> String {
    let mut text = String::new();
    if let Some(error) = &planned.error {
        let _ = writeln!(text, "  cannot be read: {error}");
    }
    let shown = if all { usize::MAX } else { SHOWN };
    for copy in planned.copy.iter().take(shown) {
        let _ = writeln!(text, "  copy     {}  {} ({})", one_line(&copy.key), copy.reason, size(copy.bytes));
    }
    if planned.copy.len() > shown {
        let _ = writeln!(text, "  … and {} more (-v lists all)", planned.copy.len() - shown);
    }
    for key in planned.delete.iter().map(|key| one_line(key)) {
        let _ = writeln!(text, "  delete   {key}  deleted in the primary");
    }
    for key in planned.foreign.iter().map(|key| one_line(key)) {
        let _ = writeln!(text, "  keep     {key}  not published by twinsite");
    }
    text
}

fn deployed(deployed: &DeployedResult, verbose: bool) -> String {
    let DeployedResult { publish, purged, checked, requests } = deployed;
    let below = publish.prefix.as_ref().map(|prefix| format!("prefix   {}\n", one_line(prefix))).unwrap_or_default();
    let mut text = format!("{below}primary  {}\nbackup   {}\n", primary(&publish.primary), backup(&publish.backup));
    if let Some(release) = &publish.release {
        let restores = release.restores.map(|id| format!(", restores release {id}")).unwrap_or_default();
        let _ = writeln!(text, "release  {}{restores}", release.id);
    }
    let collected = &publish.collected;
    if !collected.releases.is_empty() {
        let ids: Vec<String> = collected.releases.iter().map(ToString::to_string).collect();
        let versions = count(collected.versions, "unreferenced version");
        let noun = if ids.len() == 1 { "release" } else { "releases" };
        let _ = writeln!(text, "expired  {noun} {}, {versions} deleted ({})", ids.join(", "), size(collected.bytes));
    }
    match &publish.invalidation {
        InvalidationResult::Accepted { paths, usd } => {
            let paths = count(*paths, "path");
            let _ = writeln!(
                text,
                "cdn      {paths} invalidated (free among the account's first 1,000 a month, else ${usd:.3})"
            );
        }
        InvalidationResult::Pending { .. } => {
            text.push_str("cdn      invalidation pending: the next deploy requests it\n");
        }
        InvalidationResult::None => {}
    }
    text.push_str(&public::rules(&publish.rules));
    if *checked == Some(true) {
        text.push_str("visitors get the release: checked under the domain and in both buckets\n");
    }
    if let Some(moved) = &publish.moved {
        text.push_str(match moved.by {
            MovedBy::SwitchObject => "visitors kept at the backup: DNS leads there within minutes\n",
            _ => "visitors kept at the backup: edges of CloudFront serve from it\n",
        });
    }
    text.push_str(&public::still_public(&publish.still_public, verbose));
    text.extend(purged.as_ref().map(public::purged));
    if let Some(requests) = requests {
        let list: Vec<String> = requests.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let _ = writeln!(text, "{}", wrapped("requests ", &list.join(", ")));
        text.push_str("to view it: `twinsite local`, or add --serve\n");
    } else {
        for (name, url) in [("primary", &publish.primary.url), ("backup", &publish.backup.url)] {
            if let Some(url) = url {
                let _ = writeln!(text, "{name:<8} {url}");
            }
        }
    }
    if let Some(url) = &publish.url {
        let _ = writeln!(text, "site     {url}");
    }
    text
}

fn primary(primary: &PrimaryResult) -> String {
    match primary.state {
        PrimaryState::Published => published(primary),
        PrimaryState::Unreachable => {
            format!("unreachable, not published to: {}", primary.error.as_deref().unwrap_or_default())
        }
        PrimaryState::NotActive => "not active, not published to: `twinsite failback` makes it active again".to_owned(),
    }
}

fn published(primary: &PrimaryResult) -> String {
    let mut text = written(primary);
    if !primary.replaced.is_empty() {
        let objects = count(primary.replaced.len(), "object");
        let _ =
            write!(text, "; {objects} replaced or deleted by another program meanwhile: {}", names(&primary.replaced));
        text.push_str("; deploy again when it is done");
    }
    text
}

/// The first keys of a list.
fn names(keys: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("`{}`", one_line(key))).collect();
    let more = keys.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn written(primary: &PrimaryResult) -> String {
    let PrimaryResult { put, rewritten, deleted, unchanged, bytes, seconds, .. } = primary;
    if put + rewritten + deleted == 0 {
        return format!("nothing to do: {} up to date", count(*unchanged, "object"));
    }
    format!(
        "{put} put ({}), {rewritten} rewritten, {deleted} deleted, {unchanged} unchanged, {seconds:.1} s",
        size(*bytes)
    )
}

fn backup(backup: &BackupResult) -> String {
    let reason = backup.error.as_deref().unwrap_or_default();
    match backup.state {
        BackupState::NotAwaited => {
            return "not awaited: stopped on request; the next deploy or `twinsite backfill` brings it in sync"
                .to_owned();
        }
        BackupState::OutOfSync if !backup.differing.is_empty() => {
            return format!("out of sync: {reason}; deploy again when it is done, or delete what only the backup has");
        }
        BackupState::OutOfSync => return format!("out of sync: {reason}; `twinsite backfill` repairs that"),
        BackupState::Alone => {
            let written = backup.alone.as_ref().map(written).unwrap_or_default();
            return format!("{written}; published alone: `twinsite failback` copies it to the primary");
        }
        BackupState::None => return "none".to_owned(),
        BackupState::InSync => {}
    }
    let in_sync = match (backup.replicated, backup.copied.len() + backup.backfilled + backup.deleted) {
        (0, 0) => "in sync".to_owned(),
        (replicated, 0) => format!("in sync: {} replicated", count(replicated, "object")),
        (0, copied) => format!("in sync: {} copied", count(copied, "object")),
        (replicated, copied) => format!("in sync: {} replicated, {copied} copied", count(replicated, "object")),
    };
    if backup.foreign.is_empty() {
        return in_sync;
    }
    let objects = count(backup.foreign.len(), "object");
    format!("{in_sync}; {objects} that only the backup has: {}", names(&backup.foreign))
}

fn verified(verified: &VerifyResult, verbose: bool) -> String {
    let VerifyResult { active, differences, foreign, unreachable, .. } = verified;
    let mut text = String::new();
    for one in unreachable {
        let _ = writeln!(text, "{}  not compared: {}", one.bucket, one_line(&one.reason));
    }
    let shown = if verbose { usize::MAX } else { SHOWN };
    for one in differences.iter().take(shown) {
        let _ = writeln!(text, "{}  {}  {}", one.bucket, one_line(&one.key), one.reason);
    }
    if differences.len() > shown {
        let _ = writeln!(text, "… and {} more (-v lists all)", differences.len() - shown);
    }
    for one in foreign.iter().take(shown) {
        let _ = writeln!(text, "{}  {}  {}; kept", one.bucket, one_line(&one.key), one.reason);
    }
    match differences.len() {
        0 if !unreachable.is_empty() => text + "no differences in what could be compared",
        0 => text + "no differences",
        // Of plain buckets as well, the primary is the active side, and the caller knows what to do.
        differences if *active == "backup" && unreachable.is_empty() => {
            text + &count(differences, "difference")
                + "; the backup is the active side: `twinsite failback` copies it to the primary"
        }
        differences => text + &count(differences, "difference"),
    }
}

fn backfilled(backfilled: &BackfillResult) -> String {
    let BackfillResult { copied, bytes, deleted, missed, foreign, in_sync, seconds, versions, job, .. } = backfilled;
    let mut text = String::new();
    for key in foreign.iter().take(SHOWN).map(|key| one_line(key)) {
        let _ = writeln!(text, "{key}  exists in the backup only, not published by twinsite; kept");
    }
    if let Some(job) = job {
        let _ = writeln!(
            text,
            "job {} replicated {} of {}, {} failed",
            job.id,
            job.succeeded,
            count(job.total, "version"),
            job.failed
        );
        if job.failed > 0 {
            let _ = writeln!(
                text,
                "its report is in the primary bucket under {}/job-{}/",
                twinsite_s3_site::BATCH_REPORT_PREFIX,
                job.id
            );
        }
    }
    if *versions > 0 {
        let _ = writeln!(text, "{} copied", count(*versions, "noncurrent version"));
    }
    if job.is_none() && *copied + *deleted + missed.len() == 0 {
        return format!("{text}nothing to do: {} in sync", count(*in_sync, "object"));
    }
    let _ =
        write!(text, "{copied} copied ({}), {deleted} deleted, {in_sync} in sync before, {seconds:.1} s", size(*bytes));
    if !missed.is_empty() {
        let _ = write!(text, "\n{} changed meanwhile: run `twinsite backfill` again", count(missed.len(), "object"));
    }
    text
}

fn releases(found: &Releases) -> String {
    let mut text = String::new();
    let all: Vec<&ListedRelease> = found.releases.iter().collect();
    for ListedRelease { release: one, buckets, .. } in all.iter().rev() {
        let commit: String = one.commit.iter().flat_map(|commit| commit.chars().take(10)).collect();
        let only = match (buckets.as_slice(), found.unread.is_empty()) {
            (["primary"], true) => Some("only in the primary".to_owned()),
            (["backup"], true) => Some("only in the backup".to_owned()),
            _ => None,
        };
        let restores = one.restores.map(|id| format!("restores {id}"));
        let description = [only, restores, one.message.clone()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let live = if Some(one.id) == found.live { "*" } else { " " };
        let (id, time, objects, changed) = (one.id, &one.time, one.objects, one.changed);
        let noun = if objects == 1 { "object, " } else { "objects," };
        let (commit, description) = (one_line(&commit), one_line(&description));
        let line =
            format!("{live}{id:>5}  {time}  {objects:>6} {noun} {changed:>6} changed  {commit:<10}  {description}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for DamagedRelease { id, bucket, reason, .. } in &found.damaged {
        let _ = writeln!(text, "the record of release {id} in the {bucket} is damaged: {}", one_line(reason));
    }
    for UnreadBucket { bucket, error, .. } in &found.unread {
        let _ = writeln!(text, "the {bucket} could not be read: {}", one_line(error));
    }
    if found.active == "backup" {
        text.push_str("the backup is the active side: `twinsite failback` copies its releases to the primary\n");
    }
    match (all.is_empty(), found.damaged.is_empty()) {
        (true, true) => text + "nothing has been published yet",
        (true, false) => text + "no release can be read; the next deploy makes a new one",
        (false, _) => {
            let starred = all.iter().any(|one| Some(one.release.id) == found.live);
            let live = match found.live {
                Some(_) if starred => "* is live; ".to_owned(),
                Some(id) => format!("release {id} is live; "),
                None => String::new(),
            };
            let older =
                all.iter().map(|one| one.release.id).filter(|id| found.live.is_some_and(|live| *id < live)).max();
            match older {
                Some(id) => text + &live + &format!("to bring an older one back: `twinsite rollback {id}`"),
                None => (text + &live).trim_end_matches("; ").to_owned(),
            }
        }
    }
}

fn release(details: &ReleaseDetails, verbose: bool) -> String {
    let ReleaseSummary { id, time, message, commit, publisher, restores, objects, bytes, changed, .. } =
        &details.release;
    let mut text = format!("release {id} of {time}\n");
    let restores = restores.map(|id| format!("release {id}"));
    for (name, value) in [("message", message), ("commit", commit), ("publisher", publisher), ("restores", &restores)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{name:<12} {}", one_line(value));
        }
    }
    let _ = writeln!(text, "{} ({}), {changed} changed", count(*objects, "object"), size(*bytes));
    let shown = if verbose { usize::MAX } else { SHOWN };
    for object in details.objects.iter().take(shown) {
        let _ = writeln!(text, "  {}  {}  ({})", one_line(&object.key), object.etag, size(object.bytes));
    }
    if details.objects.len() > shown {
        let _ = writeln!(text, "  … and {} more (-v lists all)", details.objects.len() - shown);
    }
    text
}

fn compared(differences: &[ReleaseDifference], verbose: bool) -> String {
    let shown = if verbose { usize::MAX } else { SHOWN };
    let mut text = String::new();
    for one in differences.iter().take(shown) {
        let _ = writeln!(text, "{:<9} {}", one.kind, one_line(&one.key));
    }
    if differences.len() > shown {
        let _ = writeln!(text, "… and {} more (-v lists all)", differences.len() - shown);
    }
    text + &count(differences.len(), "difference")
}

#[cfg(feature = "local")]
pub(super) fn serving(addresses: &Addresses) -> String {
    let Addresses { api, websites, buckets, visitors, authority, domain, kept } = addresses;
    let stops = if *kept {
        "Ctrl-C stops it; the state is kept."
    } else {
        "Ctrl-C stops it; the state is in memory and is lost then."
    };
    let (dns, http, https) = (visitors.ports.dns, visitors.ports.http, visitors.ports.https);
    let authority = authority.display();
    format!(
        "the embedded cloud is served\n\
         \n  as a visitor: query the name servers, then request the address\
         \n    dig +short @127.0.0.1 -p {dns} {domain}\
         \n    curl --connect-to {domain}:80:ADDRESS:{http} http://{domain}/\
         \n    curl --cacert {authority} --connect-to {domain}:443:ADDRESS:{https} https://{domain}/\
         \n  every address serves HTTP at port {http} and HTTPS at port {https}\
         \n\
         \n  primary website  http://{}/  (bucket {})\
         \n  backup website   http://{}/  (bucket {})\
         \n  all APIs         http://{api}\
         \n\
         \n  other tools: AWS_ACCESS_KEY_ID=embedded AWS_SECRET_ACCESS_KEY=embedded-secret \\\
         \n               aws --endpoint-url http://{api} s3 ls s3://{}\
         \n\
         \n{stops}",
        websites.primary, buckets.primary, websites.backup, buckets.backup, buckets.primary
    )
}

#[cfg(feature = "local")]
pub(super) fn local_state(state: &LocalState) -> String {
    let dns = match state.dns {
        DnsTarget::CloudFront => "the distribution",
        DnsTarget::Backup => "the backup",
        DnsTarget::Alias => "the distribution or a website endpoint (alias)",
        DnsTarget::NoRecord => "nothing: run `twinsite apply`",
        DnsTarget::Unavailable => "nothing: no response of the name servers",
    };
    let health = |healthy: &bool| if *healthy { "healthy" } else { "unhealthy" };
    let checks: Vec<String> =
        state.health_checks.iter().map(|(name, healthy)| format!("{name} {}", health(healthy))).collect();
    let checks = if checks.is_empty() { "no health checks".to_owned() } else { checks.join(", ") };
    format!("DNS leads to {dns} · {checks} · {} waiting for replication", count(state.replication_backlog, "object"))
}
/// A configuration that was written, and the commands to type next.
fn configuration(written: &WrittenResult) -> String {
    let WrittenResult { path, estimate, generator, directory, ignored } = written;
    let mut text = format!("wrote {path}\n");
    if let Some(file) = ignored {
        let _ = writeln!(text, "added .twinsite/ to {file}");
    }
    if let Some(generator) = generator {
        let _ = writeln!(text, "found {}, which builds into {}", generator.name, generator.output);
        if let Some(note) = generator.note {
            let _ = writeln!(text, "before it is published: {note}");
        }
    }
    let deploy = format!("`twinsite deploy {}`", shell_word(directory));
    let width = deploy.chars().count();
    let (plan, apply) = ("`twinsite plan`", "`twinsite apply`");
    let _ = write!(
        text,
        "{}\n\nnext: {plan:width$}  (what would be created)\n      {apply:width$}  (create it)\n      {deploy}  (publish it)",
        self::estimate(estimate)
    );
    text
}
