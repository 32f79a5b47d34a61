//! `twinsite drill`: breaks the primary on purpose, watches visitors move to the backup, puts it back, and tells how long
//! everything took. What it breaks is written down first: whatever happens, somebody can put it back.

mod preflight;
pub(crate) mod report;
pub(crate) mod timeline;
mod watch;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use twinsite_aws::AwsError;
use twinsite_core::{Bracketed, Event, Run, bracket};
use twinsite_dns_failover::budget;
use twinsite_s3_site::{How, Undo};

use super::Outcome;
use crate::args::{Drill, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::Stack;
use report::{Drilled, changes, health_changes};
use timeline::{Sample, Way, lost, marks};
use watch::Watcher;

const WHAT: &str = "run the drill";

/// Attempts times seconds to connect, and the seconds to answer: what the origin group may take for one request.
const ORIGIN_TIMEOUT: u64 = 2 * 3 + 10;

/// Seconds within which nearly everything is replicated, by S3's own word.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html>
const REPLICATED: u64 = 15 * 60;

/// How long it is watched that visitors stay where they are, once they have moved.
const HOLD: f64 = 10.0;

/// What was broken, and by whom: the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// When, in seconds since 1970.
    pub(crate) at: u64,
    /// What puts it back.
    pub(crate) undo: Undo,
}

impl Journal {
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let why = |error| format!("the drill's journal cannot be read: {error}");
        serde_json::from_str(text).map_err(|error| Failure::new("read the journal of a drill", why(error)))
    }
}

pub(crate) async fn drill(global: &Global, options: &Drill, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    if options.restore {
        return restore(&stack).await;
    }
    let how = how(&stack, options)?;
    let way = match (how, stack.site.mode.public_buckets()) {
        (How::Replication, _) => Way::Stay,
        (_, true) => Way::Dns,
        (_, false) => Way::Origin,
    };
    let speed = options.speed.unwrap_or(10);
    let plane = stack.open_plane(global, speed).await?;
    let drilled = Box::pin(with_plane(&stack, (how, way), options, (global, run, screen))).await;
    if let Some(plane) = plane {
        plane.close().await;
    }
    let drilled = drilled?;
    if let Some(path) = &options.html {
        std::fs::write(path, crate::render::html::page(&drilled))
            .map_err(|error| Failure::new(format!("write `{}`", path.display()), error))?;
    }
    Ok(Outcome::Drilled(Box::new(drilled)))
}

fn how(stack: &Stack, options: &Drill) -> Result<How, Failure> {
    let mode = stack.site.mode;
    let how = match &options.how {
        None => How::of(mode),
        Some(text) => text.parse().map_err(|invalid| Failure::usage("read --how", invalid))?,
    };
    if !how.fits(mode) {
        let why = format!("`{how}` breaks nothing that mode `{mode}` would notice");
        return Err(Failure::usage("read --how", why).hint(format!("use --how {}", How::of(mode))));
    }
    Ok(how)
}

/// What is to be done, and how long it may take.
struct Scene {
    undo: Undo,
    way: Way,
    /// How long a failover takes at most, in seconds.
    budget: u64,
    objective: u64,
}

impl Scene {
    /// Twice the longest that anything should take: then it does not come any more.
    fn patience(&self) -> f64 {
        report::secs(2 * self.objective.max(self.budget)) + 60.0
    }
}

async fn with_plane(
    stack: &Stack,
    (how, way): (How, Way),
    options: &Drill,
    (global, run, screen): (&Global, &Run, &Screen),
) -> Result<Drilled, Failure> {
    let ready = Box::pin(preflight::check(stack, run)).await?;
    let budget = match way {
        Way::Dns => budget(stack.config.dns.health).total_most.as_secs(),
        Way::Origin => ORIGIN_TIMEOUT,
        Way::Stay => REPLICATED,
    };
    let objective = options.objective.unwrap_or(budget);
    let question = format!("This breaks the primary of {} ({how}). Type yes to go on: ", stack.site.domain);
    if !global.yes && !global.local && !screen.confirm(&question, "yes") {
        return Err(Failure::new(WHAT, "nobody said yes; nothing was broken").hint("say --yes"));
    }
    let scene = Scene { undo: undo(stack, how).await?, way, budget, objective };
    let started = write(stack, &scene.undo).await?;
    let speed = ready.watcher.speed();
    let (samples, restored) = Box::pin(act(stack, ready, &scene, run)).await?;
    let (marks, lost) = (marks(&samples, way, Some(restored)), lost(&samples));
    let (domain, mode, local) = (stack.site.domain.to_string(), stack.site.mode, global.local);
    Ok(Drilled { domain, mode, how, way, local, speed, started, samples, marks, lost, budget, objective })
}

/// Breaks the primary, watches, puts it back, and watches again. Tells what was seen, and when it was put back.
async fn act(stack: &Stack, ready: preflight::Ready, scene: &Scene, run: &Run) -> Result<(Vec<Sample>, f64), Failure> {
    let preflight::Ready { mut watcher, sample } = ready;
    let (site, s3, clock) = (&stack.site, &stack.services.s3, watcher.clock());
    let mut seen = Record { known: sample.health.clone(), samples: vec![sample] };
    let broken = async {
        say(run, 0.0, &format!("breaking the primary: {}", scene.undo.how()));
        clock.broken();
        s3.break_primary(site, &scene.undo).await
    };
    let body = async |()| {
        put_canary(stack, &mut watcher, scene, "broken").await?;
        watched(&mut watcher, &mut seen, run, scene.patience(), |sample| scene.way.is_over(sample)).await;
        // They should stay there.
        let hold = clock.at() + HOLD;
        watched(&mut watcher, &mut seen, run, hold, |sample| sample.at >= hold).await;
        Ok(())
    };
    let put_back = async || {
        say(run, clock.at(), "putting the primary back");
        s3.restore(site, &scene.undo).await?;
        s3.clear_journal(site).await
    };
    let stop = run.cancel.clone().cancelled_owned();
    let Bracketed { body, restore } = Box::pin(bracket(broken, body, stop, put_back)).await;
    let still = "the primary is still broken: `twinsite drill --restore` puts it back";
    restore.map_err(|error| Failure::aws(WHAT, &error).hint(still))?;
    match body {
        None => return Err(interrupted()),
        Some(done) => done.map_err(|error| Failure::aws(WHAT, &error).hint("the primary was put back"))?,
    }
    let restored = clock.at();
    // What was put while the rule was off never arrives; what is put now has to.
    let sent = put_canary(stack, &mut watcher, scene, "whole").await;
    sent.map_err(|error| Failure::aws(WHAT, &error).hint("the primary was put back"))?;
    let until = restored + scene.patience();
    watched(&mut watcher, &mut seen, run, until, |sample| sample.at > restored && scene.way.is_back(sample)).await;
    if scene.way == Way::Stay {
        s3.drop_canary(site).await.map_err(|error| Failure::aws("tidy up after the drill", &error))?;
    }
    if run.is_cancelled() { Err(interrupted()) } else { Ok((seen.samples, restored)) }
}

/// Puts something into the primary that the backup should have soon.
async fn put_canary(stack: &Stack, watcher: &mut Watcher, scene: &Scene, word: &str) -> Result<(), AwsError> {
    if scene.way == Way::Stay {
        let (s3, text) = (&stack.services.s3, format!("{word} {:.3}\n", watcher.elapsed()));
        s3.put_canary(&stack.site, &text).await?;
        watcher.wait_for(s3.clone(), text);
    }
    Ok(())
}

fn interrupted() -> Failure {
    let stopped = Failure::new(WHAT, "stopped; the primary was put back");
    Failure { exit: crate::exit::Exit::Interrupted, ..stopped }
}

/// What was seen so far.
struct Record {
    samples: Vec<Sample>,
    /// What the checkers thought when they were last asked.
    known: BTreeMap<String, bool>,
}

/// Looks until something holds, or until a moment.
async fn watched(watcher: &mut Watcher, seen: &mut Record, run: &Run, until: f64, holds: impl Fn(&Sample) -> bool) {
    while watcher.clock().at() < until && !run.is_cancelled() {
        let sample = Box::pin(watcher.look()).await;
        let health = health_changes(&mut seen.known, &sample);
        for change in changes(seen.samples.last(), &sample).into_iter().chain(health) {
            say(run, change.at, &format!("{:<19} {}", change.who, change.what));
        }
        let done = holds(&sample);
        seen.samples.push(sample);
        if done {
            return;
        }
        watcher.pause(run).await;
    }
}

fn say(run: &Run, at: f64, what: &str) {
    run.emit(&Event::Drill { at: Duration::try_from_secs_f64(at).unwrap_or_default(), what: what.to_owned() });
}

async fn undo(stack: &Stack, how: How) -> Result<Undo, Failure> {
    let undo = stack.services.s3.undo(&stack.site, how).await;
    undo.map_err(|error| Failure::aws("look at what is about to be broken", &error))
}

/// Writes down what will be broken. Only then it may be.
#[expect(clippy::disallowed_methods, reason = "the journal says when")]
async fn write(stack: &Stack, undo: &Undo) -> Result<u64, Failure> {
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let journal = Journal { at, undo: undo.clone() };
    let text = serde_json::to_string(&journal).map_err(|error| Failure::new(WHAT, error))?;
    let written = stack.services.s3.write_journal(&stack.site, text).await;
    written.map_err(|error| Failure::aws("write the journal of the drill", &error).hint("nothing was broken"))?;
    Ok(at)
}

/// Puts back what a drill has left broken.
async fn restore(stack: &Stack) -> Result<Outcome, Failure> {
    const WHAT: &str = "put the primary back";
    let aws = |error| Failure::aws(WHAT, &error).hint("nothing is lost: run `twinsite drill --restore` again");
    let (s3, site) = (&stack.services.s3, &stack.site);
    let Some(text) = s3.read_journal(site).await.map_err(aws)? else { return Ok(Outcome::Restored { how: None }) };
    let Journal { at: _, undo } = Journal::read(&text)?;
    s3.restore(site, &undo).await.map_err(aws)?;
    s3.clear_journal(site).await.map_err(aws)?;
    stack.keep()?;
    Ok(Outcome::Restored { how: Some(undo.how()) })
}
