//! `twinsite status`: one screen; reads only.

use twinsite_core::{Pair, Plan, Run, Side};
use twinsite_s3_site::{Adopt, Found};

use super::Outcome;
use crate::args::Global;
use crate::error::Failure;
use crate::stack::{SiteChange, Stack, Whole};

/// What a site looks like now.
pub(crate) struct Status {
    pub(crate) domain: String,
    pub(crate) mode: String,
    pub(crate) certificate: String,
    pub(crate) distribution: String,
    pub(crate) records: Vec<String>,
    pub(crate) checks: Vec<String>,
    pub(crate) alerts: Vec<String>,
    pub(crate) buckets: Pair<String>,
    /// What `apply` would do.
    pub(crate) plan: Plan<SiteChange>,
}

const WHAT: &str = "look at the site";

pub(crate) async fn status(global: &Global, run: &Run) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let whole = stack.observe(Adopt::Refuse, WHAT).await?;
    whole.name_former(run);
    let mut checks: Vec<_> = whole.dns.1.checks.iter().collect();
    checks.sort_by_key(|check| check.role);
    let plan = Plan::new(whole.steps()?).map_err(|error| Failure::new(WHAT, error))?;
    Ok(Outcome::Status(Box::new(Status {
        domain: stack.site.domain.to_string(),
        mode: stack.site.mode.to_string(),
        certificate: certificate(&whole, now()),
        distribution: distribution(&whole),
        records: whole.dns.1.zone.sets.iter().map(|set| format!("{} {}", set.r#type, set.words)).collect(),
        checks: checks.iter().map(|check| format!("{} {}", check.role, check.id)).collect(),
        alerts: alerts(&whole),
        buckets: Pair::from_fn(|side| bucket(&whole, side)),
        plan,
    })))
}

#[expect(clippy::disallowed_methods, reason = "how many days are left depends on the day")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The one that is used, or the one that will be.
fn certificate(whole: &Whole, now: i64) -> String {
    use twinsite_cdn::CertificateStatus as State;
    let all = whole.cdn.1.certificates.covering.iter().chain(&whole.cdn.1.certificates.named);
    let Some(best) = all.max_by_key(|one| (one.status == State::Issued, !one.used_by.is_empty())) else {
        return "none".to_owned();
    };
    let state = match &best.status {
        State::Issued => "issued".to_owned(),
        State::Pending => "waits for its validation record".to_owned(),
        State::Failed(reason) => format!("failed ({reason}): {}", twinsite_cdn::explain(reason)),
    };
    let left = best.not_after.map(|end| format!(", {} days left", (end - now) / 86_400)).unwrap_or_default();
    format!("{state}{left}")
}

/// Alarms that are not at rest, and addresses whose owners have not said yes.
fn alerts(whole: &Whole) -> Vec<String> {
    let mut lines = Vec::new();
    for (region, (topic, alarms)) in &whole.notice.1 {
        let loud = alarms.iter().filter(|(_, alarm)| alarm.state != "OK");
        lines.extend(loud.map(|(name, alarm)| format!("{name} in {region}: {}", alarm.state)));
        let waiting = topic.iter().flat_map(|topic| &topic.emails).filter(|(_, confirmed)| confirmed.is_none());
        lines.extend(
            waiting.map(|(email, _)| {
                format!("{email} in {region}: not written to until the link in AWS's mail is clicked")
            }),
        );
    }
    lines
}

fn distribution(whole: &Whole) -> String {
    let Some(there) = &whole.cdn.1.front.distribution else { return "none".to_owned() };
    let deployed = if there.deployed { "deployed" } else { "on its way to the edges" };
    let enabled = if there.enabled { "" } else { ", disabled" };
    format!("{} at {}, {deployed}{enabled}", there.id, there.host)
}

fn bucket(whole: &Whole, side: Side) -> String {
    let (want, have) = &whole.s3;
    let name = want.site.buckets.get(side);
    match have.buckets.get(side) {
        Found::Nothing => format!("{name}: none"),
        Found::Forbidden => format!("{name}: somebody else's"),
        Found::Elsewhere(region) => format!("{name}: in {region}"),
        Found::Bucket(state) => {
            let region = want.site.regions.get(side);
            let rule = state.replication.rule.as_ref().filter(|rule| rule.enabled);
            let to =
                rule.map(|rule| format!(", replicates to {}", rule.destination.trim_start_matches("arn:aws:s3:::")));
            let versions = if state.versioned { "keeps versions" } else { "keeps no versions" };
            format!("{name} in {region}, {versions}{}", to.unwrap_or_default())
        }
    }
}
