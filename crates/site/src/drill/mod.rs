//! A drill: breaks the primary on purpose, watches visitors move to the backup, restores the primary, and measures how long
//! everything took. A journal is written before anything is broken, so that an interrupted drill can be restored.

mod history;
mod outage;
mod preflight;
mod report;
mod schedule;
mod timeline;
mod watcher;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use twinsite_aws::{AwsError, outlast_refusals};
use twinsite_core::{Bracketed, Cancelled, Event, Mode, Run, bracket};
use twinsite_s3_site::Adopt;

use crate::config::Config;
use crate::context::SiteContext;
use crate::error::{Cause, Context, Error};

pub use crate::outage_injector::{OutOfService, OutageInjector};
pub use history::{Comparison, DamagedDrill, DrillEnd, DrillHistory, Measured, PastDrill, history};
pub use outage::{InjectedOutage, Outage};
pub use preflight::PreparedDrill;
pub use report::{Change, DrillResult, Verdict, timeline};
pub use schedule::{ConfigFile, Scheduler, schedule};
pub use timeline::{ByProtocol, FailoverPath, Lost, Marks, Outcome, Promise, Protocol, Sample, ServedBy};

use history::{Begun, Record, write_record};
use outage::{Means, Undo};
use report::{changes, health_changes};
use timeline::{Allowed, Evidence, is_detected, lost, marks, protocols};
use watcher::Watcher;

const OPERATION: &str = "run the drill";

/// The prefix of the records of drills in the backup bucket. The bucket policy denies public access to it.
pub(crate) const DRILL_RECORDS: &str = ".twinsite/drills/";

/// The longest an origin group waits for the primary, in seconds: two attempts with a connection timeout of three seconds and a response
/// timeout of ten each.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html>
const ORIGIN_TIMEOUT: u64 = 2 * (3 + 10);

/// Seconds within which S3 replicates most objects.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html>
const REPLICATED: u64 = 15 * 60;

/// How long the checkers are waited for after an outage in which they could not be asked, in seconds.
const REPORTED: f64 = 30.0;

/// Seconds for which visitors must stay with the backup once they have reached it.
const HOLD: f64 = 10.0;

impl DrillRequest {
    /// Fails, before anything is opened, if a drill cannot be what is asked for: an outage that proves nothing in the mode, or that only an
    /// embedded cloud can bring about.
    ///
    /// # Errors
    /// Why not, and which outage to use instead.
    pub fn check(&self, config: &Config, is_embedded: bool) -> Result<(), Error> {
        self.outage_in(config.mode).check(config.mode, is_embedded)
    }

    fn outage_in(&self, mode: Mode) -> Outage {
        self.outage.unwrap_or_else(|| Outage::default_for(mode))
    }
}

/// What to break, and how fast visitors must reach the backup.
#[derive(Clone, Copy, Debug, Default)]
pub struct DrillRequest {
    /// The kind of outage; the default of the mode if `None`.
    pub outage: Option<Outage>,
    /// The objective; if `None`, the upper bound that follows from interval, threshold and TTL.
    pub objective: Option<Duration>,
}

/// The record of what a drill has broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    /// When, in seconds since 1970.
    at: u64,
    /// How it is restored.
    undo: Undo,
}

impl Journal {
    /// `None` if it is damaged.
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What was restored after an interrupted drill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Whether there was a journal of a drill.
    pub interrupted: bool,
    /// Whether the journal was damaged. Then everything that a drill may break was compared with the configuration.
    pub damaged: bool,
    /// What was broken.
    pub outages: Vec<Outage>,
}

/// What is broken, and how long it may take.
#[derive(Clone, Debug)]
struct Scenario {
    outage: Outage,
    path: FailoverPath,
    /// The upper bound of a failover, in seconds.
    bound: u64,
    objective: u64,
    /// What tells when the outage was detected.
    evidence: Evidence,
    /// The longest until the health checkers have noticed, in seconds.
    detection: u64,
}

impl Scenario {
    fn new(site: &SiteContext, request: DrillRequest) -> Result<Self, Error> {
        let mode = site.site.mode;
        let outage = request.outage_in(mode);
        outage.check(mode, site.outages.is_some())?;
        let path = outage.path(mode);
        let health = site.config.dns.health.failover_bound();
        let bound = match path {
            FailoverPath::Dns => health.max_total.as_secs(),
            FailoverPath::OriginGroup => ORIGIN_TIMEOUT,
            FailoverPath::None => REPLICATED,
        };
        let objective = request.objective.map_or(bound, |objective| objective.as_secs());
        let has_control_plane = match outage.means() {
            Means::Injected(injected) => !injected.out_of_service(&site.site.regions.primary).control_planes,
            Means::Bucket(_) => true,
        };
        let evidence = match path {
            _ if has_control_plane => Evidence::Checkers,
            FailoverPath::Dns => Evidence::NameServers,
            FailoverPath::OriginGroup | FailoverPath::None => Evidence::CheckersAfterwards,
        };
        Ok(Self { outage, path, bound, objective, evidence, detection: health.max_detection.as_secs() })
    }

    /// Twice the longest that any phase should take.
    fn timeout(&self) -> f64 {
        report::seconds(2 * self.objective.max(self.bound)) + 60.0
    }
}

impl PreparedDrill {
    /// The kind of outage.
    pub fn outage(&self) -> Outage {
        self.scenario.outage
    }

    /// Runs the drill. The primary is restored when the drill fails or `run` is cancelled.
    ///
    /// # Errors
    /// What failed, and whether the primary is still broken.
    pub async fn run(self, site: &SiteContext, run: &Run) -> Result<DrillResult, Error> {
        let Self { scenario, watcher, sample } = self;
        let undo = match scenario.outage.means() {
            Means::Injected(outage) => Undo::Injected(outage),
            Means::Bucket(outage) => {
                let undo = site.services.s3.read_restore_action(&site.site, outage).await;
                Undo::Bucket(undo.context("read what is about to be broken")?)
            }
        };
        if run.is_cancelled() {
            return Err(not_started());
        }
        let started = write_journal(site, &undo).await?;
        if run.is_cancelled() {
            site.services.s3.delete_drill_journal(&site.site).await.context("delete the journal of the drill")?;
            return Err(not_started());
        }
        let speed = watcher.speed();
        let begun = Begun { started, outage: scenario.outage, speed };
        let observed = Box::pin(break_and_watch(site, Watch { watcher, sample }, &scenario, &undo, run)).await;
        let result = observed.map(|observed| result(site, &scenario, begun, observed));
        let record = Record::of(site, begun, result.as_ref());
        Box::pin(write_record(site, begun, &record, run)).await;
        result
    }
}

fn result(site: &SiteContext, scenario: &Scenario, begun: Begun, observed: Observed) -> DrillResult {
    let Observed { samples, restored } = observed;
    let Scenario { outage, path, bound, objective, evidence, detection: _ } = *scenario;
    let Begun { started, speed, .. } = begun;
    DrillResult {
        domain: site.site.domain.to_string(),
        mode: site.site.mode.to_string(),
        outage: outage.as_str(),
        path,
        embedded: !site.is_internet(),
        speed,
        started: crate::releases::rfc3339(i64::try_from(started).unwrap_or(i64::MAX)),
        marks: marks(&samples, path, evidence, Some(restored)),
        checkers_readable: evidence == Evidence::Checkers,
        lost: lost(&samples, bound),
        visitors: protocols(
            &samples,
            outage.promises(site.site.mode, site.config.standby.unwrap_or_default()),
            Allowed { failover: bound, attempts: ORIGIN_TIMEOUT },
        ),
        bound_seconds: bound,
        objective_seconds: objective,
        timeline: timeline(&samples),
        samples,
    }
}

struct Watch {
    watcher: Watcher,
    sample: Sample,
}

struct Observed {
    samples: Vec<Sample>,
    /// Seconds after the outage began.
    restored: f64,
}

async fn break_and_watch(
    site: &SiteContext,
    watch: Watch,
    scenario: &Scenario,
    undo: &Undo,
    run: &Run,
) -> Result<Observed, Error> {
    let Watch { mut watcher, sample } = watch;
    let (s3, clock) = (&site.services.s3, watcher.clock());
    let mut log = SampleLog { health: sample.health.clone(), samples: vec![sample] };
    let breaking = async {
        emit(run, 0.0, &format!("breaking {}: {}", scenario.outage.broken(), scenario.outage));
        clock.mark_broken();
        begin_outage(site, undo, run).await
    };
    let body = async |()| {
        put_probe_object(site, &mut watcher, scenario, "broken").await?;
        // The alarm depends on the checkers, so the outage lasts until they have noticed, whatever visitors notice.
        let (mut failed_over, mut detected) = (false, scenario.path == FailoverPath::None);
        watch_until(&mut watcher, &mut log, run, scenario.timeout(), |sample| {
            failed_over |= scenario.path.is_failed_over(sample);
            detected |= scenario.evidence != Evidence::Checkers || is_detected(sample);
            failed_over && detected
        })
        .await;
        let unnoticed = if scenario.evidence == Evidence::CheckersAfterwards { scenario.detection } else { 0 };
        let hold = (clock.at() + HOLD).max(report::seconds(unnoticed));
        watch_until(&mut watcher, &mut log, run, hold, |sample| sample.at >= hold).await;
        Ok(())
    };
    // In a drill of replication the journal is kept until the probe object is deleted.
    let has_probe_object = scenario.path == FailoverPath::None;
    let restore = async || {
        emit(run, clock.at(), &format!("restoring {}", scenario.outage.broken()));
        end_outage(site, undo, run).await?;
        if has_probe_object { Ok(()) } else { s3.delete_drill_journal(&site.site).await.map_err(Cause::from) }
    };
    // The body ends by itself when the run is cancelled: a put in flight must not arrive after its object was deleted.
    let Bracketed { body, restore } = Box::pin(bracket(breaking, body, std::future::pending(), restore)).await;
    let still_broken = format!("{} is still broken: `twinsite drill --restore` restores it", scenario.outage.broken());
    restore.map_err(|error| Error::new(OPERATION, error).hint(still_broken))?;
    let restored = clock.at();
    let failed_back = async {
        body.unwrap_or(Ok(())).map_err(was_restored)?;
        if !run.is_cancelled() {
            // An object put while replication was off never arrives; one put now must.
            put_probe_object(site, &mut watcher, scenario, "restored").await.map_err(was_restored)?;
        }
        let until = restored + scenario.timeout();
        watcher.ask_checkers_again();
        let mut reported = scenario.evidence != Evidence::CheckersAfterwards;
        let failed_back = |sample: &Sample| {
            reported |= !sample.health.is_empty() || sample.at > restored + REPORTED;
            sample.at > restored && reported && scenario.path.is_failed_back(sample)
        };
        watch_until(&mut watcher, &mut log, run, until, failed_back).await;
        if run.is_cancelled() { Err(was_restored(Cancelled)) } else { Ok(()) }
    };
    let failed_back = Box::pin(failed_back).await;
    if has_probe_object {
        delete_probe_object(site).await?;
    }
    failed_back.map(|()| Observed { samples: log.samples, restored })
}

/// Begins the outage. Idempotent, so that it is repeated while AWS refuses it for a while.
async fn begin_outage(site: &SiteContext, undo: &Undo, run: &Run) -> Result<(), Cause> {
    match undo {
        Undo::Bucket(action) => {
            let begin = || Box::pin(site.services.s3.break_primary(&site.site, action));
            Ok(Box::pin(outlast_refusals(run, "break the primary", begin)).await?)
        }
        Undo::Injected(outage) => match &site.outages {
            Some(outages) => Ok(outages.begin(outage.out_of_service(&site.site.regions.primary)).await?),
            None => Ok(()),
        },
    }
}

/// Ends the outage. Does nothing if nothing is broken.
async fn end_outage(site: &SiteContext, undo: &Undo, run: &Run) -> Result<(), Cause> {
    match undo {
        Undo::Bucket(action) => {
            let end = || Box::pin(site.services.s3.restore_primary(&site.site, action));
            Ok(Box::pin(outlast_refusals(&to_the_end(run), "restore the primary", end)).await?)
        }
        Undo::Injected(outage) => end_injected(site, *outage).await,
    }
}

/// The same run without its cancellation: what a drill has broken is restored whatever happens, also while AWS refuses it for a while.
fn to_the_end(run: &Run) -> Run {
    Run::new(Arc::clone(&run.watch)).with_timer(Arc::clone(&run.timer))
}

/// Ends an injected outage. Elsewhere than in an embedded cloud, there is none.
async fn end_injected(site: &SiteContext, outage: InjectedOutage) -> Result<(), Cause> {
    match &site.outages {
        Some(outages) => Ok(outages.end(outage.out_of_service(&site.site.regions.primary)).await?),
        None => Ok(()),
    }
}

/// Deletes the probe object, whatever the result of the drill, and then the journal.
async fn delete_probe_object(site: &SiteContext) -> Result<(), Error> {
    let deleted = async {
        site.services.s3.delete_replication_probe(&site.site).await?;
        site.services.s3.delete_drill_journal(&site.site).await
    };
    deleted.await.map_err(|error| {
        Error::new("delete the probe object of the drill", error)
            .hint("the primary was restored; `twinsite drill --restore` deletes the object")
    })
}

/// In a drill of replication: puts an object into the primary that the backup should receive.
async fn put_probe_object(
    site: &SiteContext,
    watcher: &mut Watcher,
    scenario: &Scenario,
    word: &str,
) -> Result<(), AwsError> {
    if scenario.path == FailoverPath::None {
        let (s3, text) = (&site.services.s3, format!("{word} {:.3}\n", watcher.elapsed()));
        s3.put_replication_probe(&site.site, &text).await?;
        watcher.expect_replica(s3.clone(), text);
    }
    Ok(())
}

fn was_restored(cause: impl Into<Cause>) -> Error {
    Error::new(OPERATION, cause).hint("the primary was restored")
}

fn not_started() -> Error {
    Error::new("start the drill", Cancelled).hint("nothing was broken")
}

/// The samples so far.
struct SampleLog {
    samples: Vec<Sample>,
    /// What the checkers reported last, by role.
    health: BTreeMap<String, bool>,
}

/// Samples once a second until a condition holds, or until a time.
async fn watch_until(
    watcher: &mut Watcher,
    log: &mut SampleLog,
    run: &Run,
    until: f64,
    mut holds: impl FnMut(&Sample) -> bool,
) {
    while watcher.clock().at() < until && !run.is_cancelled() {
        let Some(sample) = run.cancel.run_until_cancelled(Box::pin(watcher.sample())).await else { return };
        let health = health_changes(&mut log.health, &sample);
        for change in changes(log.samples.last(), &sample).into_iter().chain(health) {
            emit(run, change.at, &format!("{:<19} {}", change.observer, change.observed));
        }
        let done = holds(&sample);
        log.samples.push(sample);
        if done {
            return;
        }
        watcher.pause(run).await;
    }
}

fn emit(run: &Run, at: f64, what: &str) {
    run.emit(&Event::Drill { at: Duration::try_from_secs_f64(at).unwrap_or_default(), what: what.to_owned() });
}

/// Writes the journal, without which nothing may be broken. Returns the time, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the journal records the time")]
async fn write_journal(site: &SiteContext, undo: &Undo) -> Result<u64, Error> {
    const OPERATION: &str = "write the journal of the drill";
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let text = serde_json::to_string(&Journal { at, undo: undo.clone() }).context(OPERATION)?;
    let written = site.services.s3.write_drill_journal(&site.site, &text).await;
    written.map_err(|error| Error::new(OPERATION, error).hint("nothing was broken"))?;
    Ok(at)
}

/// Restores what an interrupted drill has left broken. If its journal is damaged, everything that a drill may break is put back into the
/// configured state: [`restore_to_desired`](twinsite_s3_site::S3Site::restore_to_desired).
///
/// # Errors
/// Calls that failed. Restoring again finishes the rest.
pub async fn restore(site: &SiteContext, run: &Run) -> Result<Restored, Error> {
    let repeat = |error: AwsError| repeat_restore(error.into());
    let s3 = &site.services.s3;
    let Some(text) = s3.read_drill_journal(&site.site).await.map_err(repeat)? else { return Ok(Restored::default()) };
    // Nothing that a drill on AWS has written names an injected outage.
    let possible = |journal: &Journal| matches!(journal.undo, Undo::Bucket(_)) || site.outages.is_some();
    let Some(Journal { at: started, undo }) = Journal::parse(&text).filter(possible) else {
        for outage in InjectedOutage::ALL {
            end_injected(site, outage).await.map_err(repeat_restore)?;
        }
        let outages = s3.restore_to_desired(&site.desired_buckets(Adopt::Refuse)).await.map_err(repeat)?;
        s3.delete_replication_probe(&site.site).await.map_err(repeat)?;
        s3.delete_drill_journal(&site.site).await.map_err(repeat)?;
        let outages = outages.into_iter().map(Outage::from).collect();
        return Ok(Restored { interrupted: true, damaged: true, outages });
    };
    end_outage(site, &undo, run).await.map_err(repeat_restore)?;
    if undo.outage() == Outage::Replication {
        s3.delete_replication_probe(&site.site).await.map_err(repeat)?;
    }
    s3.delete_drill_journal(&site.site).await.map_err(repeat)?;
    let begun = Begun { started, outage: undo.outage(), speed: 0 };
    Box::pin(write_record(site, begun, &Record::unmeasured(site, begun, DrillEnd::Restored), run)).await;
    Ok(Restored { interrupted: true, damaged: false, outages: vec![undo.outage()] })
}

fn repeat_restore(cause: Cause) -> Error {
    Error::new("restore the primary", cause).hint("run `twinsite drill --restore` again")
}
