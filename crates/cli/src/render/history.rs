//! Publishes, releases and copies: in words, and for programs.

use std::fmt::Write;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twinsite_core::Pair;
use twinsite_s3_site::{Batch, REPORTS};
use twinsite_sync::mirror::{Compared, Filled, Level};
use twinsite_sync::release::{Difference, Release, Summary};
use twinsite_sync::{Prepared, Report, SyncError};

use super::human::size;
use crate::ops::{Deployed, Verified};

/// So many lines are shown unless more are asked for.
const SHOWN: usize = 50;

/// Seconds since the epoch as a date.
fn date(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| seconds.to_string())
}

pub(super) fn dry_run(prepared: &Prepared, buckets: &Pair<String>) -> String {
    let plan = &prepared.plan;
    let mut text = format!("primary ({})\n", buckets.primary);
    for put in plan.puts() {
        let _ = writeln!(text, "  put      {}  {} ({})", put.object.key, put.reason, size(put.object.size));
    }
    for rewrite in plan.rewrites() {
        let _ = writeln!(text, "  rewrite  {}  {}", rewrite.object.key, rewrite.reason);
    }
    for delete in plan.deletes() {
        let _ = writeln!(text, "  delete   {}  extraneous ({})", delete.key, size(delete.size));
    }
    for key in plan.foreign() {
        let _ = writeln!(text, "  leave    {key}  twinsite did not put it there");
    }
    let (puts, rewrites, deletes) = (plan.puts().len(), plan.rewrites().len(), plan.deletes().len());
    let _ = write!(text, "  {puts} to put ({}), {rewrites} to rewrite, {deletes} to delete", size(plan.bytes()));
    let superseded = plan.superseded();
    let stay = if superseded == 0 { String::new() } else { format!(", {superseded} kept for earlier releases") };
    let _ = writeln!(text, ", {} unchanged{stay}", plan.kept());
    let _ = writeln!(text, "backup ({}) follows", buckets.backup);
    match &prepared.drift {
        Ok(drift) => text.push_str(&drifted(drift, true)),
        Err(error) => {
            let _ = writeln!(text, "  cannot be reached: {error}");
        }
    }
    text + "dry run: nothing was changed"
}

/// What a bucket lacks, line by line.
fn drifted(drift: &Compared, all: bool) -> String {
    let mut text = String::new();
    let most = if all { usize::MAX } else { SHOWN };
    for copy in drift.copies.iter().take(most) {
        let _ = writeln!(text, "  copy     {}  {} ({})", copy.object.key, copy.cause, size(copy.object.size));
    }
    if drift.copies.len() > most {
        let _ = writeln!(text, "  … and {} more (-v names them all)", drift.copies.len() - most);
    }
    for key in &drift.gone {
        let _ = writeln!(text, "  delete   {key}  deleted in the primary");
    }
    for key in &drift.foreign {
        let _ = writeln!(text, "  leave    {key}  nobody published it");
    }
    text
}

pub(super) fn dry_run_json(prepared: &Prepared, buckets: &Pair<String>) -> Value {
    let plan = &prepared.plan;
    let put = |put: &twinsite_sync::Put| json!({"key": put.object.key.as_str(), "reason": put.reason.word(), "bytes": put.object.size});
    let rewrite = |rewrite: &twinsite_sync::Rewrite| json!({"key": rewrite.object.key.as_str(), "reason": rewrite.reason.to_string()});
    let drift = prepared.drift.as_ref().ok();
    let mut backup = drift.map_or_else(|| json!({}), compared_fields);
    backup["bucket"] = buckets.backup.as_str().into();
    backup["trouble"] = json!(prepared.drift.as_ref().err().map(ToString::to_string));
    json!({
        "event": "dry-run",
        "primary": {
            "bucket": buckets.primary,
            "put": plan.puts().iter().map(put).collect::<Vec<_>>(),
            "rewrite": plan.rewrites().iter().map(rewrite).collect::<Vec<_>>(),
            "delete": plan.deletes().iter().map(|delete| delete.key.as_str()).collect::<Vec<_>>(),
            "foreign": plan.foreign().iter().map(twinsite_sync::Key::as_str).collect::<Vec<_>>(),
            "unchanged": plan.kept(), "superseded": plan.superseded(),
        },
        "backup": backup,
    })
}

fn compared_fields(compared: &Compared) -> Value {
    let copy = |copy: &twinsite_sync::mirror::Needed| json!({"key": copy.object.key.as_str(), "reason": copy.cause.to_string(), "bytes": copy.object.size});
    json!({
        "copy": compared.copies.iter().map(copy).collect::<Vec<_>>(),
        "delete": compared.gone.iter().map(twinsite_sync::Key::as_str).collect::<Vec<_>>(),
        "foreign": compared.foreign.iter().map(twinsite_sync::Key::as_str).collect::<Vec<_>>(),
        "unchanged": compared.level,
    })
}

pub(super) fn deployed(deployed: &Deployed) -> String {
    let Deployed { report, drift, level, release, collected, urls, local, requests, forgotten } = deployed;
    let mut text = format!("primary  {}\nbackup   {}\n", published(report), followed(level, drift));
    if let Some(release) = release {
        let restores = release.notes.restores.map(|id| format!(", which brings release {id} back")).unwrap_or_default();
        let _ = writeln!(text, "release  {}{restores}", release.id);
    }
    if !collected.releases.is_empty() {
        let (count, bytes) = (collected.versions, size(collected.bytes));
        let ids: Vec<String> = collected.releases.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "let go   of releases {}, with {count} versions ({bytes}) that only they named",
            ids.join(", ")
        );
    }
    if let Some(paths) = forgotten {
        let _ = writeln!(text, "cdn      {paths} paths invalidated (1,000 a month are free, then $0.005 each)");
    }
    if let Some(requests) = requests {
        let list: Vec<String> = requests.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let _ = writeln!(text, "requests {}", list.join(", "));
    }
    if *local {
        text.push_str("look at it: twinsite local, or add --serve");
    } else {
        let _ = write!(text, "primary  {}\nbackup   {}", urls.primary, urls.backup);
    }
    text
}

fn published(report: &Report) -> String {
    let Report { put, rewritten, deleted, kept, bytes, took, .. } = report;
    if put + rewritten + deleted == 0 {
        return format!("nothing to do: {kept} objects are as they should be");
    }
    let seconds = took.as_secs_f64();
    format!("{put} put ({}), {rewritten} rewritten, {deleted} deleted, {kept} unchanged, {seconds:.1} s", size(*bytes))
}

fn followed(level: &Level, drift: &Filled) -> String {
    let Level { replicated, copied, waited: _, trouble } = level;
    if matches!(trouble, Some(SyncError::Cancelled)) {
        return "was not waited for: stopped on request; the next deploy or `twinsite backfill` levels it".to_owned();
    }
    if let Some(trouble) = trouble {
        return format!("is not level: {trouble}; `twinsite backfill` mends that");
    }
    let copied = copied.len() + drift.copied + drift.deleted;
    match (replicated, copied) {
        (0, 0) => "is level".to_owned(),
        (replicated, 0) => format!("is level: {replicated} objects replicated"),
        (0, copied) => format!("is level: {copied} objects copied"),
        (replicated, copied) => format!("is level: {replicated} objects replicated, {copied} copied"),
    }
}

pub(super) fn deployed_json(deployed: &Deployed) -> Value {
    let Deployed { report, drift, level, release, collected, urls, local: _, requests, forgotten } = deployed;
    let Report { put, rewritten, deleted, kept, bytes, took, .. } = report;
    let names = |keys: &[twinsite_sync::Key]| keys.iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
    json!({
        "event": "deployed",
        "primary": {
            "put": put, "rewritten": rewritten, "deleted": deleted, "unchanged": kept, "bytes": bytes,
            "seconds": took.as_secs_f64(), "url": urls.primary,
        },
        "backup": {
            "level": level.trouble.is_none(), "replicated": level.replicated, "copied": names(&level.copied),
            "backfilled": drift.copied, "deleted": drift.deleted, "waited": level.waited.as_secs_f64(),
            "trouble": level.trouble.as_ref().map(ToString::to_string), "url": urls.backup,
        },
        "release": release, "collected": {
            "releases": collected.releases, "versions": collected.versions, "bytes": collected.bytes,
        },
        "requests": requests, "invalidated": forgotten,
    })
}

pub(super) fn verified(verified: &Verified, verbose: bool) -> String {
    let Verified { differences, foreign } = verified;
    let mut text = String::new();
    let most = if verbose { usize::MAX } else { SHOWN };
    for one in differences.iter().take(most) {
        let _ = writeln!(text, "{}  {}  {}", one.bucket, one.key, one.why);
    }
    if differences.len() > most {
        let _ = writeln!(text, "… and {} more (-v names them all)", differences.len() - most);
    }
    for one in foreign.iter().take(most) {
        let _ = writeln!(text, "{}  {}  {}; it stays", one.bucket, one.key, one.why);
    }
    match differences.len() {
        0 => text.push_str("no differences"),
        count => {
            let _ = write!(text, "{count} differences");
        }
    }
    text
}

pub(super) fn verified_json(verified: &Verified) -> Value {
    let one = |d: &crate::ops::Difference| json!({"bucket": d.bucket, "key": d.key, "why": d.why});
    let list = |all: &[crate::ops::Difference]| all.iter().map(one).collect::<Vec<_>>();
    json!({"event": "verified", "differences": list(&verified.differences), "foreign": list(&verified.foreign)})
}

pub(super) fn lacking(compared: &Compared, bucket: &str, verbose: bool) -> String {
    let (copies, gone) = (compared.copies.len(), compared.gone.len());
    let bytes = size(compared.bytes());
    let lines = drifted(compared, verbose);
    format!(
        "backup ({bucket})\n{lines}  {copies} to copy ({bytes}), {gone} to delete, {} level\ndry run: nothing was changed",
        compared.level
    )
}

pub(super) fn lacking_json(compared: &Compared, bucket: &str) -> Value {
    let mut value = compared_fields(compared);
    value["event"] = "backfill-dry-run".into();
    value["bucket"] = bucket.into();
    value
}

pub(super) fn filled(
    filled: &Filled,
    foreign: &[String],
    (level, versions): (usize, usize),
    job: Option<&Batch>,
) -> String {
    let Filled { copied, bytes, deleted, missed, took } = filled;
    let mut text = String::new();
    for key in foreign.iter().take(SHOWN) {
        let _ = writeln!(text, "{key}  is in the backup only, and nobody published it; it stays");
    }
    if let Some(Batch { id, total, succeeded, failed }) = job {
        let _ = writeln!(text, "job {id} replicated {succeeded} of {total} versions, {failed} failed");
        if *failed > 0 {
            let _ = writeln!(text, "its report is in the primary, under {REPORTS}/job-{id}/");
        }
    }
    if versions > 0 {
        let _ = writeln!(text, "{versions} versions copied that the backup had never had");
    }
    if job.is_none() && copied + deleted + missed.len() == 0 {
        return format!("{text}nothing to do: {level} objects are level");
    }
    let seconds = took.as_secs_f64();
    let _ = write!(text, "{copied} copied ({}), {deleted} deleted, {level} were level, {seconds:.1} s", size(*bytes));
    if !missed.is_empty() {
        let _ = write!(text, "\n{} changed meanwhile: run it again", missed.len());
    }
    text
}

pub(super) fn filled_json(
    filled: &Filled,
    foreign: &[String],
    (level, versions): (usize, usize),
    job: Option<&Batch>,
) -> Value {
    let Filled { copied, bytes, deleted, missed, took } = filled;
    let missed: Vec<&str> = missed.iter().map(twinsite_sync::Key::as_str).collect();
    json!({
        "event": "backfilled", "copied": copied, "bytes": bytes, "deleted": deleted, "missed": missed,
        "foreign": foreign, "level": level, "seconds": took.as_secs_f64(),
        "versions": versions, "job": job.map(|job| json!({"id": job.id, "total": job.total, "succeeded": job.succeeded, "failed": job.failed})),
    })
}

pub(super) fn releases(all: &[Summary]) -> String {
    let Some(newest) = all.last() else { return "nothing has been published yet".to_owned() };
    let line = |one: &Summary| {
        let commit = one.notes.commit.as_ref().map(|commit| commit.id.chars().take(10).collect::<String>());
        let restores = one.notes.restores.map(|id| format!("brings {id} back"));
        let words = [restores, one.notes.message.clone()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let live = if one.id == newest.id { "*" } else { " " };
        format!(
            "{live}{:>5}  {}  {:>6} objects, {:>6} changed  {:<10}  {words}",
            one.id,
            date(one.time),
            one.objects,
            one.changed,
            commit.unwrap_or_default()
        )
        .trim_end()
        .to_owned()
    };
    let lines: Vec<String> = all.iter().rev().map(line).collect();
    format!("{}\n* is live; bring an older one back: twinsite rollback ID", lines.join("\n"))
}

/// A release in a line.
pub(super) fn live(summary: &Summary) -> String {
    let Summary { id, time, notes, objects, .. } = summary;
    let message = notes.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    format!("{id} of {}, {objects} objects{message}", date(*time))
}

pub(super) fn release(release: &Release, verbose: bool) -> String {
    let Summary { id, time, notes, objects, bytes, changed } = &release.summary;
    let mut text = format!("release {id} of {}\n", date(*time));
    for (name, value) in [
        ("message", notes.message.clone()),
        ("commit", notes.commit.as_ref().map(|commit| commit.id.clone())),
        ("by", notes.who.clone()),
        ("brings back", notes.restores.map(|id| format!("release {id}"))),
    ] {
        if let Some(value) = value {
            let _ = writeln!(text, "{name:<12} {value}");
        }
    }
    let _ = writeln!(text, "{objects} objects ({}), {changed} of them changed", size(*bytes));
    let most = if verbose { usize::MAX } else { SHOWN };
    for entry in release.entries.iter().take(most) {
        let _ = writeln!(text, "  {}  {}  ({})", entry.key, entry.etag, size(entry.size));
    }
    if release.entries.len() > most {
        let _ = writeln!(text, "  … and {} more (-v names them all)", release.entries.len() - most);
    }
    text
}

pub(super) fn release_json(release: &Release) -> Value {
    let mut value = json!(release.summary);
    value["event"] = "release".into();
    let entry = |entry: &twinsite_sync::release::Entry| {
        json!({
            "key": entry.key.as_str(), "version": entry.version, "etag": entry.etag.to_string(), "bytes": entry.size,
            "headers": release.headers(entry),
        })
    };
    value["entries"] = release.entries.iter().map(entry).collect();
    value
}

pub(super) fn compared(differences: &[Difference], verbose: bool) -> String {
    let most = if verbose { usize::MAX } else { SHOWN };
    let mut text = String::new();
    for one in differences.iter().take(most) {
        let _ = writeln!(text, "{:<9} {}", one.kind.word(), one.key);
    }
    if differences.len() > most {
        let _ = writeln!(text, "… and {} more (-v names them all)", differences.len() - most);
    }
    let _ = write!(text, "{} differences", differences.len());
    text
}

pub(super) fn compared_json(differences: &[Difference]) -> Value {
    let one = |one: &Difference| json!({"key": one.key.as_str(), "kind": one.kind.word()});
    json!({"event": "compared", "differences": differences.iter().map(one).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_by_people() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
    }
}
