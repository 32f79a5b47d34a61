//! `twinsite deploy`: one directory, two buckets, nothing sent that is there already.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join;
use tokio::task::JoinSet;
use twinsite_core::{Event, Pair, Run, Side};
use twinsite_s3_site::JOURNAL;
use twinsite_sync::{
    Deletes, Guard, Index, Interrupted, Options, Report, Rules, S3Store, Sending, Source, SourceError, SyncError,
    SyncPlan, plan, transfer, walk,
};

use super::{Deployed, Outcome, apply, local};
use crate::args::{self, Deploy, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::{Stack, config};

const WHAT: &str = "publish";

pub(crate) async fn deploy(global: &Global, options: &Deploy, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    // Everything that can be wrong on this machine is found before AWS hears of it.
    let config = config(global)?;
    let guard = options.max_delete.as_deref().map_or(Ok(config.guard), guard)?;
    let source = find(&options.dir, &config.rules()?).await?;
    let stack = Stack::open(global, run).await?;
    let applied = options.apply && !options.dry_run;
    if applied {
        apply::ensure(&stack, run).await?;
    }
    stack.forget_requests().await;
    let (stores, index) = (stack.stores(), Arc::new(Index::open(&index_file(global))));
    let options_both = options_for(options, guard);
    let plans = plan_both(&source, &stores, &options_both, &index, run).await;
    let plans = plans.map_err(|error| Failure::sync(WHAT, &error))?;
    // The listing tells without another request; `apply` has looked for it already.
    if !applied && plans.backup.notes().iter().any(|note| note.as_str() == JOURNAL) {
        stack.mind_the_drill().await;
    }
    if !applied && plans.iter().any(|(_, plan)| plan.is_first()) {
        // A bucket with a ledger is ours; one without may be somebody else's of the same name, and its tags tell.
        stack.check_buckets().await?;
    }
    if options.dry_run {
        let buckets = stores.map(|store| store.bucket().to_owned());
        return Ok(Outcome::DryRun { plans, buckets });
    }
    let stale = stale(&plans);
    let reports = transfer_both(plans, &stores, &index, run).await;
    save(&index, run);
    let reports = reports?;
    let forgotten = forget(&stack, &stale, options.wait, run).await;
    let deployed = finish(&stack, reports, forgotten, global.local).await?;
    if !options.serve {
        return Ok(Outcome::Deployed(deployed));
    }
    screen.deployed(&deployed);
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
fn index_file(global: &Global) -> PathBuf {
    global.config.parent().unwrap_or(Path::new("")).join(".twinsite/index")
}

fn options_for(options: &Deploy, guard: Guard) -> Options {
    let deletes = match options.delete {
        args::Deletes::None => Deletes::None,
        args::Deletes::Owned => Deletes::Owned,
        args::Deletes::All => Deletes::All,
    };
    let send = if options.force { Sending::All } else { Sending::Changed };
    Options { deletes, guard, send, side: None }
}

/// Reads `100` or `25%`.
fn guard(text: &str) -> Result<Guard, Failure> {
    let wrong =
        || Failure::usage("read --max-delete", format!("`{text}` is neither a number nor a share, as 100 or 25%"));
    match text.strip_suffix('%').map(str::parse) {
        Some(Ok(percent)) if percent <= 100 => Ok(Guard { count: 0, percent }),
        Some(_) => Err(wrong()),
        None => text.parse().map(|count| Guard { count, percent: 0 }).map_err(|_| wrong()),
    }
}

/// Both sides are planned, and both guards hold, before either is changed.
async fn plan_both(
    source: &Source,
    stores: &Pair<S3Store>,
    options: &Options,
    index: &Index,
    run: &Run,
) -> Result<Pair<SyncPlan>, SyncError> {
    let options = Pair::from_fn(|side| Options { side: Some(side), ..*options });
    let one = |side: Side| Box::pin(plan(source, stores.get(side), options.get(side), index, run));
    let (primary, backup) = join(one(Side::Primary), one(Side::Backup)).await;
    Ok(Pair::new(primary?, backup?))
}

/// Each side is a task of its own, so that both use a core.
async fn transfer_both(
    plans: Pair<SyncPlan>,
    stores: &Pair<S3Store>,
    index: &Arc<Index>,
    run: &Run,
) -> Result<Pair<Report>, Failure> {
    let mut tasks = JoinSet::new();
    for (side, plan) in plans {
        let (store, index, run) = (stores.get(side).clone(), Arc::clone(index), run.clone());
        tasks.spawn(async move { (side, Box::pin(transfer(plan, &store, &index, &run)).await) });
    }
    let mut reports = Pair::<Report>::default();
    let mut stopped: Option<Interrupted> = None;
    while let Some(done) = tasks.join_next().await {
        match done.map_err(|error| Failure::new(WHAT, error))? {
            (side, Ok(report)) => *reports.get_mut(side) = report,
            (_, Err(interrupted)) => stopped = Some(interrupted),
        }
    }
    stopped.map_or(Ok(reports), |stopped| Err(Failure::interrupted(WHAT, &stopped)))
}

/// The index only spares work, so that it could not be kept is worth a word and no more.
fn save(index: &Index, run: &Run) {
    if let Err(error) = index.save() {
        let text = format!("the index of file digests could not be kept: {error}");
        let hint = Some("the next deploy reads every file again; nothing else depends on it".to_owned());
        run.say(&Event::Warning { text, hint });
    }
}

/// The keys that visitors may have seen otherwise than they are now. What is new was never cached.
fn stale(plans: &Pair<SyncPlan>) -> BTreeSet<String> {
    let of = |plan: &SyncPlan| {
        let puts = plan.puts().iter().filter(|put| put.reason.word() != "absent").map(|put| &put.object.key);
        let rewrites = plan.rewrites().iter().map(|rewrite| &rewrite.object.key);
        let deletes = plan.deletes().iter().map(|delete| &delete.key);
        puts.chain(rewrites).chain(deletes).map(ToString::to_string).collect::<Vec<_>>()
    };
    plans.iter().flat_map(|(_, plan)| of(plan)).collect()
}

/// Has CloudFront forget what changed. The site is published by now, so what goes wrong here is worth a word and no more.
async fn forget(stack: &Stack, stale: &BTreeSet<String>, wait: bool, run: &Run) -> Option<usize> {
    let forgotten = stack.invalidate(stale, wait).await;
    forgotten.unwrap_or_else(|error| {
        let text = format!("CloudFront may serve old copies for up to a day: {error}");
        let hint = Some("invalidate `/*` in the CloudFront console, or deploy again after the next change".to_owned());
        run.say(&Event::Warning { text, hint });
        None
    })
}

async fn finish(
    stack: &Stack,
    reports: Pair<Report>,
    forgotten: Option<usize>,
    local: bool,
) -> Result<Deployed, Failure> {
    stack.keep()?;
    let requests = stack.requests().await;
    Ok(Deployed { reports, urls: Pair::from_fn(|side| stack.url(side)), local, requests, forgotten })
}
