//! `twinsite rollback`: an older release, published again from the versions that the buckets keep.

use twinsite_core::{Event, Run};
use twinsite_sync::release::{self, Release, Summary};
use twinsite_sync::{Deletes, Guard, Index, Notes, Options, ReleaseId, Rules, S3Store, Sending, SyncError};

use super::publish::{Carried, Order};
use super::{Outcome, deploy, releases};
use crate::args::{Global, Publish, Rollback};
use crate::error::Failure;
use crate::stack::{Stack, config};

const WHAT: &str = "bring the release back";

pub(crate) async fn rollback(global: &Global, options: &Rollback, run: &Run) -> Result<Outcome, Failure> {
    let config = config(global)?;
    let guard = options.max_delete.as_deref().map_or(Ok(config.guard), deploy::guard)?;
    let rules = config.rules()?;
    let mut stack = Stack::open(global, run).await?;
    stack.mind_the_drill().await;
    stack.forget_requests().await;
    let stores = stack.stores();
    let (all, alone) = match Box::pin(release::list(&stores.primary)).await {
        Ok(all) => (all, false),
        Err(error) => (without_primary(&stores.backup, &error, run).await?, true),
    };
    if alone {
        stack.forget_primary();
    }
    let wanted = choose(&all, options.id.as_deref())?;
    let Rollback { message, dry_run, publish, .. } = options;
    Box::pin(bring_back(&stack, (wanted, message.clone()), (&rules, guard), (publish, *dry_run), run)).await
}

/// Publishes an older release again.
pub(super) async fn bring_back(
    stack: &Stack,
    (wanted, message): (ReleaseId, Option<String>),
    (rules, guard): (&Rules, Guard),
    (flags, dry_run): (&Publish, bool),
    run: &Run,
) -> Result<Outcome, Failure> {
    let stores = stack.stores();
    let release: Release = releases::find(&stores.primary, wanted).await?;
    let source = release.source(rules);
    let commit = release.summary.notes.commit.clone();
    let notes = Notes { message, commit, who: stack.who(), restores: Some(wanted) };
    let keep = stack.config.keep;
    let options = Options { deletes: Deletes::Owned, keep, guard, send: Sending::Changed, side: None };
    let index = Index::memory();
    let (what, verb) = (WHAT, "rollback");
    let order = Order { what, verb, source: &source, rules, options, notes, flags, index: &index, newer_than: None };
    let prepared = order.prepare(&stores, run).await?;
    if dry_run {
        let buckets = stores.map(|store| store.bucket().to_owned());
        return Ok(Outcome::DryRun { prepared: Box::new(prepared), buckets });
    }
    Ok(match order.carry_out(stack, prepared, run).await? {
        Carried::Done(deployed) => Outcome::Deployed(deployed),
        Carried::Skipped(why) => Outcome::Skipped { why },
    })
}

/// The backup has the records and the versions as well.
async fn without_primary(backup: &S3Store, why: &SyncError, run: &Run) -> Result<Vec<Summary>, Failure> {
    let all = Box::pin(release::list(backup)).await.map_err(|_| Failure::sync(WHAT, why))?;
    let text = format!("the primary cannot be read, so only the backup is brought back: {why}");
    let hint = "when the primary is there again, deploy or roll back once more: that makes both level";
    run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
    Ok(all)
}

/// The release named, or the one before the newest.
fn choose(all: &[Summary], named: Option<&str>) -> Result<ReleaseId, Failure> {
    if let Some(named) = named {
        return named.parse().map_err(|invalid| Failure::usage(WHAT, invalid));
    }
    let before = all.iter().rev().nth(1).map(|summary| summary.id);
    let hint = "there is something to go back to after the second deploy";
    before.ok_or_else(|| Failure::usage(WHAT, "there is no release before the newest").hint(hint))
}
