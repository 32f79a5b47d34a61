//! Nothing is broken on purpose unless both sides are well: the drill would be an outage.

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_core::{Pair, Plan, Run, Side};
use twinsite_s3_site::Adopt;

use super::Journal;
use super::timeline::{Sample, is_back};
use super::watch::Watcher;
use crate::error::Failure;
use crate::ops::{Difference, verify};
use crate::stack::{Stack, Whole};

const WHAT: &str = "begin the drill";

/// How long checkers may take to come to a verdict, in the world's seconds; a busy machine may need longer for its own.
const PATIENCE: f64 = 120.0;
const BUSY: Duration = Duration::from_secs(10);

/// Everything is well.
pub(super) struct Ready {
    pub(super) watcher: Watcher,
    /// The last look before.
    pub(super) sample: Sample,
}

/// Makes sure that both sides are healthy and level.
pub(super) async fn check(stack: &Stack, run: &Run) -> Result<Ready, Failure> {
    nothing_is_broken(stack).await?;
    let whole = stack.observe(Adopt::Refuse, WHAT).await?;
    let plan = Plan::new(whole.steps()?).map_err(|error| Failure::new(WHAT, error))?;
    if !plan.is_empty() {
        let why = format!("the site is not as configured: {} steps are to be done", plan.len());
        return Err(Failure::new(WHAT, why).hint("look at `twinsite plan`, then `twinsite apply`"));
    }
    both_are_level(stack).await?;
    let mut watcher = watcher(stack, &whole).await?;
    loop {
        let sample = Box::pin(watcher.look()).await;
        let wrong = wrong(&sample);
        if wrong.is_empty() && sample.health.len() == watcher.checks() {
            return Ok(Ready { watcher, sample });
        }
        let patient = watcher.elapsed() < PATIENCE || watcher.on_this_machine() < BUSY;
        if !patient || run.is_cancelled() {
            let unknown = || vec!["some health checkers have no verdict yet".to_owned()];
            let wrong = if wrong.is_empty() { unknown() } else { wrong };
            let hint = "the drill begins when both sides are healthy: see `twinsite status`";
            return Err(Failure::new(WHAT, wrong.join("\n")).hint(hint));
        }
        watcher.pause(run).await;
    }
}

async fn nothing_is_broken(stack: &Stack) -> Result<(), Failure> {
    let (s3, site) = (&stack.services.s3, &stack.site);
    let aws = |error| Failure::aws(WHAT, &error);
    if let Some(text) = s3.read_journal(site).await.map_err(aws)? {
        let how = Journal::read(&text)?.undo.how();
        let why = format!("an earlier drill has left the primary broken ({how})");
        return Err(Failure::new(WHAT, why).hint("put it back first: `twinsite drill --restore`"));
    }
    let public = site.mode.public_buckets();
    if public && AwsError::absent(s3.is_stopped(site).await).map_err(aws)? == Some(true) {
        let why = "visitors are sent to the backup by hand";
        return Err(Failure::new(WHAT, why).hint("`twinsite failback` lets them come back"));
    }
    Ok(())
}

async fn both_are_level(stack: &Stack) -> Result<(), Failure> {
    let differences = verify::with_each_other(&stack.stores(), &Run::silent()).await;
    let differences = differences.map(|found| found.differences).map_err(|error| Failure::sync(WHAT, &error))?;
    let Some(first) = differences.first() else { return Ok(()) };
    let (count, Difference { bucket: _, key, why }) = (differences.len(), first);
    let why = format!("the backup is not level with the primary: {count} objects differ, first `{key}` ({why})");
    Err(Failure::new(WHAT, why).hint("fill it: `twinsite backfill`; see them all: `twinsite verify`"))
}

async fn watcher(stack: &Stack, whole: &Whole) -> Result<Watcher, Failure> {
    let (s3, site) = (&stack.services.s3, &stack.site);
    let aws = |error| Failure::aws(WHAT, &error);
    let versions = Pair::new(
        s3.probe_version(site, Side::Primary).await.map_err(aws)?,
        s3.probe_version(site, Side::Backup).await.map_err(aws)?,
    );
    let ground = stack.ground(whole).await?;
    let checks = whole.dns.1.checks.clone();
    let front = whole.cdn.1.front.distribution.as_ref().map(|distribution| distribution.host.clone());
    Ok(Watcher::new(site.clone(), ground, (stack.services.dns.clone(), checks), versions, front))
}

/// What is not as it should be before the primary is broken.
fn wrong(sample: &Sample) -> Vec<String> {
    let mut wrong = Vec::new();
    if !is_back(sample) {
        wrong.push("visitors are not served by the primary".to_owned());
    }
    if !sample.backup {
        wrong.push("the backup does not serve the site".to_owned());
    }
    wrong.extend(
        sample
            .health
            .iter()
            .filter(|(_, well)| !**well)
            .map(|(role, _)| format!("the health check `{role}` is unhealthy")),
    );
    wrong
}
