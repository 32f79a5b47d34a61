//! `twinsite status`: one screen; reads only.

use std::time::Duration;

use twinsite_core::wait::pause;
use twinsite_core::{Pair, Plan, Run, Side};
use twinsite_s3_site::{Adopt, Found};
use twinsite_sync::release::{self, Summary};

use super::{Outcome, verify};
use crate::args::{self, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::{SiteChange, Stack, Whole};

/// What a site looks like now.
pub(crate) struct Status {
    pub(crate) domain: String,
    pub(crate) mode: String,
    pub(crate) certificate: String,
    pub(crate) distribution: String,
    pub(crate) records: Vec<String>,
    pub(crate) checks: Vec<String>,
    /// Where a visitor who asks now is led.
    pub(crate) leads: Option<String>,
    /// Whether both buckets hold the same.
    pub(crate) level: String,
    /// What is live.
    pub(crate) release: Option<Summary>,
    pub(crate) alerts: Vec<String>,
    pub(crate) buckets: Pair<String>,
    /// What `apply` would do.
    pub(crate) plan: Plan<SiteChange>,
}

const WHAT: &str = "look at the site";

/// How often it is looked again.
const AGAIN: Duration = Duration::from_secs(10);

pub(crate) async fn status(
    global: &Global,
    options: &args::Status,
    run: &Run,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let plane = if options.watch { stack.open_plane(global, 1).await? } else { None };
    let mut found = Box::pin(look(&stack, run)).await?;
    while options.watch && !run.is_cancelled() {
        screen.status(&found);
        pause(run, AGAIN).await;
        if !run.is_cancelled() {
            found = Box::pin(look(&stack, run)).await?;
        }
    }
    if let Some(plane) = plane {
        plane.close().await;
    }
    Ok(if options.watch { Outcome::Watched } else { Outcome::Status(Box::new(found)) })
}

async fn look(stack: &Stack, run: &Run) -> Result<Status, Failure> {
    let whole = stack.observe(Adopt::Refuse, WHAT).await?;
    let verdicts = stack.services.dns.verdicts(&whole.dns.1.checks).await;
    let verdicts = verdicts.map_err(|error| Failure::aws(WHAT, &error))?;
    let leads = leads(stack, &whole).await;
    let level = level(stack, &whole).await?;
    let release = release(stack, &whole).await?;
    whole.name_former(run);
    let mut checks: Vec<_> = whole.dns.1.checks.iter().collect();
    checks.sort_by_key(|check| check.role);
    let plan = Plan::new(whole.steps()?).map_err(|error| Failure::new(WHAT, error))?;
    let health = |role| match verdicts.get(&role) {
        Some(true) => "healthy",
        Some(false) => "unhealthy",
        None => "no verdict",
    };
    Ok(Status {
        domain: stack.site.domain.to_string(),
        mode: stack.site.mode.to_string(),
        certificate: certificate(&whole, now()),
        distribution: distribution(&whole),
        records: whole.dns.1.zone.sets.iter().map(|set| format!("{} {}", set.r#type, set.words)).collect(),
        checks: checks.iter().map(|check| format!("{} {} {}", check.role, check.id, health(check.role))).collect(),
        leads,
        level,
        release,
        alerts: alerts(&whole),
        buckets: Pair::from_fn(|side| bucket(&whole, side)),
        plan,
    })
}

/// Where a visitor who asks now is led; nothing where nobody can be asked.
async fn leads(stack: &Stack, whole: &Whole) -> Option<String> {
    let ground = stack.ground(whole).await.ok()?;
    let answer = ground.names(stack.site.domain.as_str()).await.ok()?;
    let last =
        answer.names().last().map(str::to_owned).or_else(|| answer.addresses().next().map(|ip| ip.to_string()))?;
    let side = if last.contains("s3-website") { "the backup" } else { "the front door" };
    Some(format!("{side}: {last}"))
}

async fn release(stack: &Stack, whole: &Whole) -> Result<Option<Summary>, Failure> {
    if !matches!(whole.s3.1.buckets.primary, Found::Bucket(_)) {
        return Ok(None);
    }
    Box::pin(release::newest(&stack.stores().primary)).await.map_err(|error| Failure::sync(WHAT, &error))
}

/// Whether both buckets hold the same.
async fn level(stack: &Stack, whole: &Whole) -> Result<String, Failure> {
    let both = Side::BOTH.iter().all(|side| matches!(whole.s3.1.buckets.get(*side), Found::Bucket(_)));
    if !both {
        return Ok("there are no two buckets yet".to_owned());
    }
    let differences = verify::with_each_other(&stack.stores(), &Run::silent()).await;
    let differences = differences.map(|found| found.differences).map_err(|error| Failure::sync(WHAT, &error))?;
    let stopped = stack.site.mode.public_buckets()
        && stack.services.s3.is_stopped(&stack.site).await.map_err(|error| Failure::aws(WHAT, &error))?;
    let by_hand = if stopped { "; visitors are sent to the backup by hand" } else { "" };
    Ok(match differences.len() {
        0 => format!("both sides hold the same{by_hand}"),
        count => format!("{count} objects differ: see `twinsite verify`{by_hand}"),
    })
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
