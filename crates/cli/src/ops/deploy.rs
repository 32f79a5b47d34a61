//! `twinsite deploy`: one directory, two buckets, nothing sent that is there already.

use std::path::{Path, PathBuf};
use std::pin::pin;

use futures::future::{Either, join, select};
use twinsite_core::{Event, Run};
use twinsite_s3_site::JOURNAL;
use twinsite_sync::release::Commit;
use twinsite_sync::{
    Ahead, Deletes, Guard, Index, Keep, Notes, Options, ReleaseId, Rules, Sending, Source, SourceError, walk,
};

use super::publish::{Carried, Order};
use super::{Deployed, Outcome, apply, commit, local, probe, rollback};
use crate::args::{self, Deploy, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::{Stack, config};

const WHAT: &str = "publish";

pub(crate) async fn deploy(global: &Global, options: &Deploy, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    // Everything that can be wrong on this machine is found before anything else is asked than who one is.
    let config = config(global)?;
    let guard = options.max_delete.as_deref().map_or(Ok(config.guard), guard)?;
    let rules = config.rules()?;
    let index = Index::open(&index_file(global));
    let (source, commit, stack) = Box::pin(begin((global, options), &rules, &index, run)).await?;
    let applied = options.apply && !options.dry_run;
    if applied {
        apply::ensure(&stack, run).await?;
    }
    stack.forget_requests().await;
    let notes = Notes { message: options.message.clone(), commit: commit.clone(), who: stack.who(), restores: None };
    let order = Order {
        what: WHAT,
        verb: "deploy",
        source: &source,
        rules: &rules,
        options: options_for(options, guard, stack.config.keep),
        notes,
        flags: &options.publish,
        index: &index,
        newer_than: options.if_newer.then_some(&*options.dir),
    };
    let stores = stack.stores();
    let prepared = order.prepare(&stores, run).await?;
    // The listing tells without another request; `apply` has looked for it already.
    if !applied && prepared.notes.iter().any(|note| note.as_str() == JOURNAL) {
        stack.mind_the_drill().await;
    }
    // A bucket with a ledger is ours; one without may be somebody else's of the same name, and its tags tell.
    if !applied && prepared.is_first() {
        stack.check_buckets().await?;
    }
    if options.dry_run {
        let buckets = stores.map(|store| store.bucket().to_owned());
        return Ok(Outcome::DryRun { prepared: Box::new(prepared), buckets });
    }
    let newer = options.if_newer.then_some(&*options.dir);
    if let Some(why) = commit::is_older(newer, commit.as_ref(), &prepared, &stores.primary).await? {
        return Ok(Outcome::Skipped { why });
    }
    let deployed = order.carry_out(&stack, prepared, run).await;
    save(&index, run);
    let deployed = match deployed? {
        Carried::Done(deployed) => deployed,
        Carried::Skipped(why) => return Ok(Outcome::Skipped { why }),
    };
    Box::pin(look(&stack, (global, options), (&source, &rules, guard), &deployed, run)).await?;
    if options.serve { serve(&stack, &deployed, global, (run, screen)).await } else { Ok(Outcome::Deployed(deployed)) }
}

/// Finds the files, and opens the site meanwhile; what time is left then is used for hashing.
async fn begin(
    (global, options): (&Global, &Deploy),
    rules: &Rules,
    index: &Index,
    run: &Run,
) -> Result<(Source, Option<Commit>, Stack), Failure> {
    let looking = pin!(join(find(&options.dir, rules), commit::of(&options.dir, options.commit.as_deref())));
    let mut opening = pin!(Stack::open(global, run));
    // The embedded cloud comes into being when it is opened, which is more than a question.
    let (found, opened) = if global.local {
        (looking.await, None)
    } else {
        match select(looking, opening.as_mut()).await {
            Either::Left((found, _)) => (found, None),
            Either::Right((opened, looking)) => (looking.await, Some(opened)),
        }
    };
    let (source, commit) = (found.0?, found.1?);
    if let Some(opened) = opened {
        return Ok((source, commit, opened?));
    }
    let ahead = Ahead::start(&source, index);
    let opened = opening.await;
    ahead.end().await;
    Ok((source, commit, opened?))
}

/// If wanted, fails when visitors do not get what was published, after the release before was brought back, should that be wanted.
async fn look(
    stack: &Stack,
    (global, options): (&Global, &Deploy),
    (source, rules, guard): (&Source, &Rules, Guard),
    deployed: &Deployed,
    run: &Run,
) -> Result<(), Failure> {
    let wanted = options.probe || options.rollback_on_failure || stack.config.probe && !options.no_probe;
    let Some(release) = deployed.release.as_ref().filter(|_| wanted) else { return Ok(()) };
    let faults = probe::entry_pages(stack, global, source, run).await?;
    if faults.is_empty() {
        return Ok(());
    }
    let failure = Failure::new("see what was published", faults.join("\n"));
    let before = release.id.0.checked_sub(1).filter(|before| *before > 0).map(ReleaseId);
    let Some(before) = before.filter(|_| options.rollback_on_failure) else {
        return Err(failure
            .hint("it is published all the same: look at it, or bring the one before back with `twinsite rollback`"));
    };
    let message = Some(format!("release {} could not be seen by visitors", release.id));
    let back = Box::pin(rollback::bring_back(stack, (before, message), (rules, guard), (&options.publish, false), run));
    match back.await {
        Ok(_) => Err(failure.hint(format!("release {before} was brought back"))),
        Err(error) => Err(failure.hint(format!("release {before} could not be brought back: {}", error.why))),
    }
}

/// Shows what was published, and serves it.
async fn serve(
    stack: &Stack,
    deployed: &Deployed,
    global: &Global,
    (run, screen): (&Run, &Screen),
) -> Result<Outcome, Failure> {
    screen.deployed(deployed);
    let cloud = stack.cloud.clone();
    let cloud = cloud.ok_or_else(|| Failure::new("serve", "another process serves this embedded cloud already"))?;
    Box::pin(local::serve(&cloud, &stack.site, (&global.state, local::Serving::ANY), (run, screen))).await
}

async fn find(dir: &Path, rules: &Rules) -> Result<Source, Failure> {
    let (dir, rules) = (dir.to_owned(), rules.clone());
    let found = tokio::task::spawn_blocking(move || walk(dir, &rules)).await;
    let found = found.map_err(|stopped| Failure::new(WHAT, stopped))?;
    found.map_err(|error: SourceError| Failure::source(WHAT, &error))
}

/// Beside the configuration, so that every site has its own.
pub(super) fn index_file(global: &Global) -> PathBuf {
    global.config.parent().unwrap_or(Path::new("")).join(".twinsite/index")
}

fn options_for(options: &Deploy, guard: Guard, keep: Keep) -> Options {
    let deletes = match options.delete {
        args::Deletes::None => Deletes::None,
        args::Deletes::Owned => Deletes::Owned,
        args::Deletes::All => Deletes::All,
    };
    let send = if options.force { Sending::All } else { Sending::Changed };
    Options { deletes, keep, guard, send, side: None }
}

/// Reads `100` or `25%`.
pub(super) fn guard(text: &str) -> Result<Guard, Failure> {
    let wrong =
        || Failure::usage("read --max-delete", format!("`{text}` is neither a number nor a share, as 100 or 25%"));
    match text.strip_suffix('%').map(str::parse) {
        Some(Ok(percent)) if percent <= 100 => Ok(Guard { count: 0, percent }),
        Some(_) => Err(wrong()),
        None => text.parse().map(|count| Guard { count, percent: 0 }).map_err(|_| wrong()),
    }
}

/// The index only spares work, so that it could not be kept is worth a word and no more.
pub(super) fn save(index: &Index, run: &Run) {
    if let Err(error) = index.save() {
        let text = format!("the index of file digests could not be kept: {error}");
        let hint = Some("the next deploy reads every file again; nothing else depends on it".to_owned());
        run.emit(&Event::Warning { text, hint });
    }
}
