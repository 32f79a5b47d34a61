//! The preconditions of a drill: both sides are healthy and in sync, and nothing is broken already.

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_cdn::OriginChoice;
use twinsite_core::{Pair, Plan, Run, Side};
use twinsite_s3_site::Adopt;

use super::timeline::{Sample, is_served_by_primary};
use super::watcher::{SiteProbes, Watcher};
use super::{DrillRequest, Journal, Scenario, not_started};
use crate::active_side::refuse_active_backup;
use crate::context::SiteContext;
use crate::error::{Cause, Context, Error, ErrorKind};
use crate::failover::read_origin_choice;
use crate::state::SiteState;
use crate::verify::compare_buckets;

const OPERATION: &str = "start the drill";

/// How long checkers may take to report, by the network's clock and by this machine's: a busy machine may need longer.
const REPORT_TIMEOUT: f64 = 120.0;
const REPORT_TIMEOUT_REAL: Duration = Duration::from_secs(10);

/// A drill whose preconditions hold.
#[derive(Debug)]
pub struct PreparedDrill {
    pub(super) scenario: Scenario,
    pub(super) watcher: Watcher,
    /// The last sample before the outage.
    pub(super) sample: Sample,
}

impl PreparedDrill {
    /// Checks the preconditions of a drill. Read-only.
    ///
    /// # Errors
    /// Each precondition that does not hold, and calls that failed.
    pub async fn check(site: &SiteContext, request: DrillRequest, run: &Run) -> Result<Self, Error> {
        let checked = Box::pin(Self::check_preconditions(site, request, run)).await;
        // Requests in flight end with an error then.
        checked.map_err(|error| if run.is_cancelled() { not_started() } else { error })
    }

    async fn check_preconditions(site: &SiteContext, request: DrillRequest, run: &Run) -> Result<Self, Error> {
        let scenario = Scenario::new(site, request)?;
        // What else is not as it must be may follow from this.
        check_nothing_is_broken(site).await?;
        let state = site.observe(Adopt::Refuse, OPERATION).await?;
        if read_origin_choice(&state.cdn.actual).is_some_and(|choice| choice != OriginChoice::Primary) {
            return Err(failed_over_by_hand());
        }
        let mut unmet = Unmet::default();
        unmet.check(check_plan(&state))?;
        unmet.check(check_in_sync(site).await)?;
        site.warn_of_proxy(run);
        let patience = if unmet.0.is_empty() { Patience::UntilHealthy } else { Patience::UntilReported };
        let watched = Box::pin(first_sample(site, &state, patience, run)).await;
        let Some(ready) = unmet.check(watched)? else { return Err(unmet.into_error()) };
        if !unmet.0.is_empty() {
            return Err(unmet.into_error());
        }
        let Ready { watcher, sample } = ready;
        Ok(Self { scenario, watcher, sample })
    }
}

/// The preconditions that do not hold: all that can be found out are reported together.
#[derive(Debug, Default)]
struct Unmet(Vec<(String, String)>);

impl Unmet {
    /// Notes that a precondition does not hold. That it could not be checked is an error, unless another one does not hold: then that may be
    /// why.
    fn check<T>(&mut self, checked: Result<T, Error>) -> Result<Option<T>, Error> {
        match checked {
            Ok(value) => Ok(Some(value)),
            Err(error) if matches!(&*error.cause, Cause::Refused(_)) => {
                self.0.push((error.cause.to_string(), error.hints.join("; ")));
                Ok(None)
            }
            Err(error) if self.0.is_empty() || error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn into_error(self) -> Error {
        let (reasons, hints): (Vec<String>, Vec<String>) = self.0.into_iter().unzip();
        hints.into_iter().fold(Error::refused(OPERATION, reasons.join("\n")), Error::hint)
    }
}

/// How long is waited for what visitors get and the health checkers report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Until everything is healthy: checkers may need a minute after a change.
    UntilHealthy,
    /// Until every checker has reported.
    UntilReported,
}

/// A watcher, and a sample in which everything is healthy.
struct Ready {
    watcher: Watcher,
    sample: Sample,
}

async fn first_sample(site: &SiteContext, state: &SiteState, patience: Patience, run: &Run) -> Result<Ready, Error> {
    let mut watcher = watcher(site, state).await?;
    loop {
        let sample = Box::pin(watcher.sample()).await;
        if run.is_cancelled() {
            return Err(not_started());
        }
        let problems = problems(&sample);
        let all_reported = sample.health.len() == watcher.health_checks();
        if problems.is_empty() && all_reported {
            return Ok(Ready { watcher, sample });
        }
        let expired = watcher.elapsed() >= REPORT_TIMEOUT && watcher.elapsed_real() >= REPORT_TIMEOUT_REAL;
        if expired || (all_reported && patience == Patience::UntilReported) {
            let unknown = "some health checkers have not reported yet".to_owned();
            let why = if problems.is_empty() { unknown } else { problems.join("\n") };
            let hint = "a drill starts when both sides are healthy: see `twinsite status`";
            return Err(Error::refused(OPERATION, why).hint(hint));
        }
        watcher.pause(run).await;
    }
}

/// Fails if the site differs from its configuration.
fn check_plan(state: &SiteState) -> Result<(), Error> {
    let plan = Plan::new(state.steps()?).context(OPERATION)?;
    if plan.is_empty() {
        return Ok(());
    }
    let pending = if plan.len() == 1 { "step is" } else { "steps are" };
    let why = format!("the site differs from its configuration: {} {pending} pending", plan.len());
    Err(Error::refused(OPERATION, why).hint("see `twinsite plan`, then run `twinsite apply`"))
}

async fn check_nothing_is_broken(site: &SiteContext) -> Result<(), Error> {
    let s3 = &site.services.s3;
    if let Some(text) = s3.read_drill_journal(&site.site).await.context(OPERATION)? {
        let why = match Journal::parse(&text) {
            Some(journal) => {
                let outage = journal.undo.outage();
                format!("an interrupted drill has left {} broken ({outage})", outage.broken())
            }
            None => "the journal of an interrupted drill is damaged, and the primary may be broken".to_owned(),
        };
        return Err(Error::refused(OPERATION, why).hint("restore it first: `twinsite drill --restore`"));
    }
    refuse_active_backup(&site.store(Side::Backup), OPERATION).await?;
    let public = site.site.mode.public_buckets();
    if public && AwsError::absent(s3.has_failover_switch(&site.site).await).context(OPERATION)? == Some(true) {
        return Err(failed_over_by_hand());
    }
    Ok(())
}

fn failed_over_by_hand() -> Error {
    let why = "the site was failed over to the backup by hand";
    Error::refused(OPERATION, why).hint("fail back first: `twinsite failback`")
}

async fn check_in_sync(site: &SiteContext) -> Result<(), Error> {
    let compared = compare_buckets(&site.stores(), &Run::silent()).await.context(OPERATION)?;
    let Some(first) = compared.differences.first() else { return Ok(()) };
    let count = compared.differences.len();
    let why = format!(
        "the buckets are out of sync: {}, first `{}` ({})",
        twinsite_sync::objects_differ(count),
        first.key,
        first.reason
    );
    Err(Error::refused(OPERATION, why).hint("run `twinsite backfill`; list them with `twinsite verify`"))
}

async fn watcher(site: &SiteContext, state: &SiteState) -> Result<Watcher, Error> {
    let s3 = &site.services.s3;
    let probes = SiteProbes {
        site: site.site.clone(),
        dns: site.services.dns.clone(),
        health_checks: state.dns.actual.checks.clone(),
        versions: Pair::new(
            s3.health_object_version(&site.site, Side::Primary).await.context(OPERATION)?,
            s3.health_object_version(&site.site, Side::Backup).await.context(OPERATION)?,
        ),
        distribution: state.cdn.actual.distribution.as_ref().map(|distribution| distribution.host.clone()),
    };
    Ok(Watcher::new(probes, site.probe_network(state).await?))
}

/// What is not as it must be before the primary is broken.
fn problems(sample: &Sample) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_served_by_primary(sample) {
        problems.push("visitors are not served by the primary".to_owned());
    }
    if !sample.backup {
        problems.push("the backup does not serve the site".to_owned());
    }
    let unhealthy = sample.health.iter().filter(|(_, healthy)| !**healthy);
    problems.extend(unhealthy.map(|(role, _)| format!("the health check `{role}` is unhealthy")));
    problems
}
