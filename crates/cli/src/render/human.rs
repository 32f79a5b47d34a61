//! Results in words.

use std::fmt::Write;

use twinsite_core::{Change as _, Plan};

use super::history;
use crate::error::Failure;
use crate::ops::Outcome;
use crate::ops::local::Addresses;
use crate::ops::status::Status;
use crate::stack::{Outlook, SiteChange};

pub(super) fn outcome(outcome: &Outcome, verbose: bool) -> String {
    match outcome {
        Outcome::Written { path, outlook } => format!(
            "wrote {}\n{}\n\nnext: twinsite plan    (what would be created)\n      twinsite apply   (create it)\n      \
             twinsite deploy  (publish ./public)",
            path.display(),
            self::outlook(outlook)
        ),
        Outcome::Planned { plan, .. } if plan.is_empty() => self::plan(plan),
        Outcome::Planned { plan, outlook, .. } => format!("{}\n{}", self::plan(plan), self::outlook(outlook)),
        Outcome::Status(status) => self::status(status),
        Outcome::Imported(arn) => format!("imported: {arn}\nnext: twinsite apply; import it again before it expires"),
        Outcome::Applied { done: 0, .. } => "nothing to do: everything is as configured".to_owned(),
        Outcome::Applied { done, filled: None } => format!("applied: {done} steps done"),
        Outcome::Applied { done, filled: Some(filled) } => {
            let (copied, bytes) = (filled.copied, size(filled.bytes));
            format!(
                "applied: {done} steps done; {copied} objects ({bytes}) older than the replication rule copied to the backup"
            )
        }
        Outcome::DryRun { prepared, buckets } => history::dry_run(prepared, buckets),
        Outcome::Deployed(deployed) => history::deployed(deployed),
        Outcome::Skipped { why } => format!("nothing was published: {why}"),
        Outcome::Verified(verified) => history::verified(verified, verbose),
        Outcome::Lacking { compared, bucket } => history::lacking(compared, bucket, verbose),
        Outcome::Filled { filled, foreign, level, job, versions } => {
            history::filled(filled, foreign, (*level, *versions), job.as_ref())
        }
        Outcome::Releases(all) => history::releases(all),
        Outcome::Release(release) => history::release(release, verbose),
        Outcome::Compared(differences) => history::compared(differences, verbose),
        Outcome::Destroyed { done: 0 } => "nothing to destroy: twinsite created nothing here".to_owned(),
        Outcome::Destroyed { done } => format!("destroyed: {done} steps done"),
        Outcome::Drilled(drilled) => super::drill::text(drilled),
        Outcome::FailedOver { backup } => format!(
            "visitors are being sent to {backup}\nhealth checks and DNS follow within minutes; `twinsite failback` undoes it"
        ),
        Outcome::FailedBack { was: true } => "visitors come back to the primary within minutes".to_owned(),
        Outcome::FailedBack { was: false } => "nothing to do: visitors are not sent away".to_owned(),
        Outcome::Restored { how: None } => "nothing to put back: no drill has left anything broken".to_owned(),
        Outcome::Restored { how: Some(how) } => {
            format!("put back: {how}; visitors come back as soon as health checks and DNS follow")
        }
        Outcome::Declined => "nothing was changed".to_owned(),
        Outcome::Served => "stopped serving; the state is kept".to_owned(),
        Outcome::Stopped => "stopped at once; run the same command again to finish the rest".to_owned(),
        // Their text goes to stdout, for programs.
        Outcome::Watched | Outcome::Completions(_) | Outcome::Document(_) => String::new(),
    }
}

pub(super) fn failure(failure: &Failure) -> String {
    let Failure { what, why, hints, exit: _ } = failure;
    let why = why.replace('\n', "\n  ");
    let hints: String = hints.iter().fold(String::new(), |mut all, hint| {
        let _ = write!(all, "\nhint: {hint}");
        all
    });
    format!("error: could not {what}\n  {why}{hints}")
}

pub(super) fn plan(plan: &Plan<SiteChange>) -> String {
    if plan.is_empty() {
        return "nothing to do".to_owned();
    }
    let mut text = String::new();
    for step in plan.steps() {
        let usually = step.change.usually().map(|usually| format!(", usually {usually}")).unwrap_or_default();
        let _ = writeln!(text, "{} {:<22} {}{usually}", step.action.symbol(), step.id, step.reason);
        for field in step.change.fields() {
            let _ = writeln!(text, "    {}", shortened(&field.to_string()));
        }
    }
    let _ = write!(text, "\n{} steps in {} waves; fingerprint {}", plan.len(), plan.waves().len(), plan.fingerprint());
    text
}

/// What it costs, and what it does not survive.
fn outlook(outlook: &Outlook) -> String {
    let Outlook { monthly, made_of, by_use, survives } = outlook;
    let mut text = format!("\ncosts about ${monthly:.2} a month at list prices: {made_of};\nand by use:");
    for line in by_use {
        let _ = write!(text, "\n  {line}");
    }
    text.push_str("\nwhat it survives, and what not:");
    for line in survives {
        let _ = write!(text, "\n  {line}");
    }
    text
}

pub(super) fn status(status: &Status) -> String {
    let Status {
        domain,
        mode,
        certificate,
        distribution,
        records,
        checks,
        leads,
        level,
        release,
        alerts,
        buckets,
        plan,
    } = status;
    let mut text = format!("{domain}, mode {mode}\n");
    let _ = writeln!(text, "certificate   {certificate}\ndistribution  {distribution}");
    let none = vec!["none".to_owned()];
    for (name, lines) in [("dns", records), ("health check", checks)] {
        for line in if lines.is_empty() { &none } else { lines } {
            let _ = writeln!(text, "{name:<13} {line}");
        }
    }
    if let Some(leads) = leads {
        let _ = writeln!(text, "visitors go   to {leads}");
    }
    for line in alerts {
        let _ = writeln!(text, "alert         {line}");
    }
    let _ = writeln!(text, "primary       {}\nbackup        {}", buckets.primary, buckets.backup);
    let _ = writeln!(text, "level         {level}");
    let _ = writeln!(text, "release       {}", release.as_ref().map_or_else(|| "none".to_owned(), history::live));
    let _ = match plan.len() {
        0 => write!(text, "plan          nothing to do"),
        steps => write!(text, "plan          {steps} steps: see `twinsite plan`"),
    };
    text
}

/// Policies are long; the plan's JSON has them whole.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

pub(super) fn serving(addresses: &Addresses) -> String {
    let Addresses { api, websites, buckets, visitors, authority, domain } = addresses;
    let (dns, http, https) = (visitors.ports.dns, visitors.ports.http, visitors.ports.https);
    let authority = authority.display();
    format!(
        "the embedded cloud is up\n\
         \n  as visitors see it: ask the name servers, and go where they lead\
         \n    dig +short @127.0.0.1 -p {dns} {domain}\
         \n    curl --connect-to {domain}:80:ADDRESS:{http} http://{domain}/\
         \n    curl --cacert {authority} --connect-to {domain}:443:ADDRESS:{https} https://{domain}/\
         \n  HTTP is at port {http}, HTTPS at port {https}, of every address\
         \n\
         \n  primary website  http://{}/  (bucket {})\
         \n  backup website   http://{}/  (bucket {})\
         \n  all APIs         http://{api}\
         \n\
         \n  other tools: AWS_ACCESS_KEY_ID=embedded AWS_SECRET_ACCESS_KEY=embedded-secret \\\
         \n               aws --endpoint-url http://{api} s3 ls s3://{}\
         \n\
         \nCtrl-C stops it; the state is kept.",
        websites.primary, buckets.primary, websites.backup, buckets.backup, buckets.primary
    )
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
