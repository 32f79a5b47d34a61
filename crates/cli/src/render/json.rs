//! Results for programs: one object a line, described in `docs/json.md`.

use serde_json::{Value, json};
use twinsite_core::{Change as _, Pair, Plan, Side};
use twinsite_sync::{Report, SyncPlan};

use crate::error::Failure;
use crate::ops::local::Addresses;
use crate::ops::status::Status;
use crate::ops::{Deployed, Difference, Outcome};
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
        Outcome::Applied { done } => json!({"event": "applied", "done": done}),
        Outcome::DryRun { plans, buckets } => dry_run(plans, buckets),
        Outcome::Deployed(deployed) => self::deployed(deployed),
        Outcome::Verified(differences) => verified(differences),
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
                fields.iter().map(|f| json!({"name": f.name, "have": f.have, "want": f.want})).collect();
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
        published,
        alerts,
        buckets,
        plan,
    } = status;
    json!({
        "event": "status", "domain": domain, "mode": mode, "certificate": certificate, "distribution": distribution,
        "records": records, "checks": checks, "leads": leads, "level": level, "published": published, "alerts": alerts, "primary": buckets.primary, "backup": buckets.backup, "steps": plan.len(),
    })
}

fn both(make: impl Fn(Side) -> Value) -> Value {
    json!({"primary": make(Side::Primary), "backup": make(Side::Backup)})
}

fn dry_run(plans: &Pair<SyncPlan>, buckets: &Pair<String>) -> Value {
    let mut value = both(|side| {
        let plan = plans.get(side);
        let put = |put: &twinsite_sync::Put| json!({"key": put.object.key.as_str(), "reason": put.reason.word(), "bytes": put.object.size});
        let rewrite = |rewrite: &twinsite_sync::Rewrite| json!({"key": rewrite.object.key.as_str(), "reason": rewrite.reason.to_string()});
        json!({
            "bucket": buckets.get(side),
            "put": plan.puts().iter().map(put).collect::<Vec<_>>(),
            "rewrite": plan.rewrites().iter().map(rewrite).collect::<Vec<_>>(),
            "delete": plan.deletes().iter().map(|delete| delete.key.as_str()).collect::<Vec<_>>(),
            "foreign": plan.foreign().iter().map(twinsite_sync::Key::as_str).collect::<Vec<_>>(),
            "unchanged": plan.kept(),
        })
    });
    value["event"] = "dry-run".into();
    value
}

pub(super) fn deployed(deployed: &Deployed) -> Value {
    let Deployed { reports, urls, local: _, requests, forgotten } = deployed;
    let mut value = both(|side| {
        let Report { put, rewritten, deleted, kept, bytes, took, changed: _ } = reports.get(side);
        json!({
            "put": put, "rewritten": rewritten, "deleted": deleted, "unchanged": kept, "bytes": bytes,
            "seconds": took.as_secs_f64(), "url": urls.get(side),
        })
    });
    value["event"] = "deployed".into();
    value["requests"] = json!(requests);
    value["invalidated"] = json!(forgotten);
    value
}

fn verified(differences: &[Difference]) -> Value {
    let one = |d: &Difference| json!({"bucket": d.bucket, "key": d.key, "why": d.why});
    json!({"event": "verified", "differences": differences.iter().map(one).collect::<Vec<_>>()})
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
