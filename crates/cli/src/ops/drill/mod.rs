//! `twinsite drill`: breaks the primary on purpose, watches visitors move to the backup, puts it back, and tells how long
//! everything took. What it breaks is written down first: whatever happens, somebody can put it back.

mod preflight;
pub(crate) mod report;
pub(crate) mod timeline;
mod watch;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
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
    let mut stack = Stack::open(global, run).await?;
    if options.restore {
        return restore(&stack).await;
    }
    let how = how(&stack, options)?;
    let way = if stack.site.mode.public_buckets() { Way::Dns } else { Way::Origin };
    let speed = options.speed.unwrap_or(10);
    let plane = stack.open_plane(global, speed).await?;
    let drilled = Box::pin(with_plane(&mut stack, (how, way), options, (global, run, screen))).await;
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
    if how == How::Replication || !how.fits(mode) {
        let why = format!("`{how}` breaks nothing that mode `{mode}` would notice");
        return Err(Failure::usage("read --how", why).hint(format!("use --how {}", How::of(mode))));
    }
    Ok(how)
}

async fn with_plane(
    stack: &mut Stack,
    (how, way): (How, Way),
    options: &Drill,
    (global, run, screen): (&Global, &Run, &Screen),
) -> Result<Drilled, Failure> {
    let ready = Box::pin(preflight::check(stack, way, run)).await?;
    let mut watcher = ready.watcher;
    let longest = match way {
        Way::Dns => budget(stack.config.dns.health).total_most.as_secs(),
        Way::Origin => ORIGIN_TIMEOUT,
    };
    let objective = options.objective.unwrap_or(longest);
    let question = format!("This breaks the primary of {} ({how}). Type yes to go on: ", stack.site.domain);
    if !global.yes && !global.local && !screen.confirm(&question, "yes") {
        return Err(Failure::new(WHAT, "nobody said yes; nothing was broken").hint("say --yes"));
    }
    let undo = undo(stack, how).await?;
    let started = write(stack, &undo).await?;
    let (site, s3, clock) = (stack.site.clone(), stack.services.s3.clone(), watcher.clock());
    let mut seen = Record { known: ready.sample.health.clone(), samples: vec![ready.sample] };
    // Twice the longest that it should take: then it does not come any more.
    let patience = report::secs(2 * objective.max(longest)) + 60.0;
    let broken = async {
        say(run, 0.0, &format!("breaking the primary: {how}"));
        clock.broken();
        s3.break_primary(&site, &undo).await
    };
    let body = async |()| {
        watched(&mut watcher, &mut seen, run, patience, |sample| way.is_over(sample)).await;
        // They should stay there.
        let hold = clock.at() + HOLD;
        watched(&mut watcher, &mut seen, run, hold, |sample| sample.at >= hold).await;
        Ok(())
    };
    let put_back = async || {
        say(run, clock.at(), "putting the primary back");
        s3.restore(&site, &undo).await?;
        s3.clear_journal(&site).await
    };
    let Bracketed { body, restore } = bracket(broken, body, run.cancel.clone().cancelled_owned(), put_back).await;
    restore.map_err(|error| {
        Failure::aws(WHAT, &error).hint("the primary is still broken: `twinsite drill --restore` puts it back")
    })?;
    match body {
        None => return Err(interrupted()),
        Some(done) => done.map_err(|error| Failure::aws(WHAT, &error).hint("the primary was put back"))?,
    }
    let restored = clock.at();
    let until = restored + patience;
    watched(&mut watcher, &mut seen, run, until, |sample| sample.at > restored && way.is_back(sample)).await;
    if run.is_cancelled() {
        return Err(interrupted());
    }
    let samples = seen.samples;
    let (marks, lost) = (marks(&samples, way, Some(restored)), lost(&samples));
    Ok(Drilled {
        domain: stack.site.domain.to_string(),
        mode: stack.site.mode,
        how,
        way,
        local: global.local,
        speed: ready.speed,
        started,
        samples,
        marks,
        lost,
        budget: longest,
        objective,
    })
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
        let sample = watcher.look().await;
        let health = health_changes(&mut seen.known, &sample);
        for change in changes(seen.samples.last(), &sample).into_iter().chain(health) {
            say(run, change.at, &format!("{:<19} {}", change.who, change.what));
        }
        let done = holds(&sample);
        seen.samples.push(sample);
        if done {
            return;
        }
        watcher.pause().await;
    }
}

fn say(run: &Run, at: f64, what: &str) {
    run.say(&Event::Moment { at: Duration::try_from_secs_f64(at).unwrap_or_default(), what: what.to_owned() });
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
