//! Results for programs: one object a line, described in `docs/json.md`.

use serde_json::{Value, json};
use twinsite_core::{Change as _, Plan, Side};

use super::history;
use crate::error::Failure;
use crate::ops::Outcome;
use crate::ops::local::Addresses;
use crate::ops::status::Status;
use crate::stack::{Outlook, SiteChange};

pub(super) fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Written { path, outlook } => {
            json!({"event": "written", "path": path.display().to_string(), "outlook": self::outlook(outlook)})
        }
        Outcome::Planned { plan, outlook, .. } => {
            let mut value = self::plan(plan);
            value["outlook"] = self::outlook(outlook);
            value
        }
        Outcome::Status(status) => self::status(status),
        Outcome::Imported(arn) => json!({"event": "imported", "arn": arn}),
        Outcome::Document(document) => document.clone(),
        Outcome::Applied { done, filled } => {
            let copied = filled.as_ref().map(|filled| filled.copied);
            json!({"event": "applied", "done": done, "backfilled": copied})
        }
        Outcome::DryRun { prepared, buckets } => history::dry_run_json(prepared, buckets),
        Outcome::Deployed(deployed) => history::deployed_json(deployed),
        Outcome::Skipped { why } => json!({"event": "skipped", "why": why}),
        Outcome::Verified(verified) => history::verified_json(verified),
        Outcome::Lacking { compared, bucket } => history::lacking_json(compared, bucket),
        Outcome::Filled { filled, foreign, level, job, versions } => {
            history::filled_json(filled, foreign, (*level, *versions), job.as_ref())
        }
        Outcome::Releases(all) => json!({"event": "releases", "releases": all}),
        Outcome::Release(release) => history::release_json(release),
        Outcome::Compared(differences) => history::compared_json(differences),
        Outcome::Destroyed { done } => json!({"event": "destroyed", "done": done}),
        Outcome::Drilled(drilled) => super::drill::json(drilled),
        Outcome::FailedOver { backup } => json!({"event": "failed-over", "backup": backup}),
        Outcome::FailedBack { was } => json!({"event": "failed-back", "was": was}),
        Outcome::Restored { how } => json!({"event": "restored", "how": how.map(twinsite_s3_site::How::as_str)}),
        Outcome::Declined => json!({"event": "declined"}),
        Outcome::Served => json!({"event": "served"}),
        Outcome::Stopped | Outcome::Watched | Outcome::Completions(_) => json!({"event": "stopped"}),
    }
}

pub(super) fn failure(failure: &Failure) -> Value {
    let Failure { what, why, hints, exit } = failure;
    json!({"event": "error", "what": what, "why": why, "hints": hints, "exit": exit.code()})
}

pub(super) fn plan(plan: &Plan<SiteChange>) -> Value {
    let steps: Vec<Value> = plan
        .waves()
        .iter()
        .enumerate()
        .flat_map(|(wave, steps)| steps.iter().map(move |step| (wave, step)))
        .map(|(wave, step)| {
            let fields = step.change.fields();
            let fields: Vec<Value> =
                fields.iter().map(|f| json!({"name": f.name, "actual": f.actual, "desired": f.desired})).collect();
            json!({
                "step": step.id.as_str(), "action": step.action.as_str(), "reason": step.reason.to_string(),
                "wave": wave, "fields": fields, "usually": step.change.usually(),
            })
        })
        .collect();
    json!({"event": "plan", "fingerprint": plan.fingerprint(), "steps": steps})
}

fn outlook(outlook: &Outlook) -> Value {
    let Outlook { monthly, made_of, by_use, survives } = outlook;
    json!({"monthly_usd": monthly, "made_of": made_of, "by_use": by_use, "survives": survives})
}

pub(super) fn status(status: &Status) -> Value {
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
    json!({
        "event": "status", "domain": domain, "mode": mode, "certificate": certificate, "distribution": distribution,
        "records": records, "checks": checks, "leads": leads, "level": level, "release": release, "alerts": alerts, "primary": buckets.primary, "backup": buckets.backup, "steps": plan.len(),
    })
}

fn both(make: impl Fn(Side) -> Value) -> Value {
    json!({"primary": make(Side::Primary), "backup": make(Side::Backup)})
}

pub(super) fn serving(addresses: &Addresses) -> Value {
    let Addresses { api, websites, buckets, visitors, authority, domain } = addresses;
    let mut value =
        both(|side| json!({"website": format!("http://{}/", websites.get(side)), "bucket": buckets.get(side)}));
    value["event"] = "serving".into();
    value["api"] = format!("http://{api}").into();
    value["domain"] = domain.as_str().into();
    value["dns"] = visitors.ports.dns.into();
    value["http"] = visitors.ports.http.into();
    value["https"] = visitors.ports.https.into();
    value["authority"] = authority.display().to_string().into();
    value
}
