//! `twinsite backfill`: what replication does not copy, copied by S3 itself.

use std::time::Duration;

use twinsite_core::{Event, Pair, Run};
use twinsite_s3_site::Batch;
use twinsite_sync::lock::{self, Lease, Owed, Owner};
use twinsite_sync::mirror::{Filled, compare, fill, fill_past};
use twinsite_sync::{Rules, S3Store, SyncError};

use super::Outcome;
use crate::args::{Backfill, Engine, Global};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::Stack;

const WHAT: &str = "fill the backup";

pub(crate) async fn backfill(
    global: &Global,
    options: &Backfill,
    run: &Run,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    stack.mind_the_drill().await;
    stack.check_buckets().await?;
    let stores = stack.stores();
    let compared = Box::pin(compare(&stores.primary, &stores.backup, run)).await;
    let compared = compared.map_err(|error| Failure::sync(WHAT, &error))?;
    if options.dry_run {
        let bucket = stores.backup.bucket().to_owned();
        return Ok(Outcome::Lacking { compared: Box::new(compared), bucket });
    }
    let (foreign, level) = (compared.foreign.iter().map(ToString::to_string).collect(), compared.level);
    if compared.is_level() && !options.versions {
        let filled = Filled::default();
        return Ok(Outcome::Filled { filled, foreign, level, job: None, versions: 0 });
    }
    let batch = match options.engine {
        Engine::Auto => compared.copies.len() > stack.config.batch_above,
        Engine::Copy => false,
        Engine::Batch => true,
    };
    let ask = batch && !global.yes && !global.local;
    if ask && !screen.confirm(&price(compared.copies.len()), "yes") {
        return Ok(Outcome::Declined);
    }
    let (filled, job, versions) = under_lock(&stack, (batch, options.versions), options.lock_timeout, run).await?;
    stack.keep()?;
    Ok(Outcome::Filled { filled, foreign, level, job, versions })
}

/// What replication will not copy because it is older than the rule that has just been made; `None` when there is nothing.
pub(super) async fn after_apply(stack: &Stack, run: &Run) -> Result<Option<Filled>, Failure> {
    let stores = stack.stores();
    let compared = Box::pin(compare(&stores.primary, &stores.backup, run)).await;
    let compared = compared.map_err(|error| Failure::sync(WHAT, &error))?;
    if compared.is_level() {
        return Ok(None);
    }
    if compared.copies.len() > stack.config.batch_above {
        let text = format!("{} objects are older than the replication rule", compared.copies.len());
        let hint = "copy them: `twinsite backfill`, which has S3 do it in its own time".to_owned();
        run.emit(&Event::Warning { text, hint: Some(hint) });
        return Ok(None);
    }
    let (filled, ..) = under_lock(stack, (false, false), 300, run).await?;
    Ok(Some(filled))
}

/// Fills the backup while nobody publishes.
async fn under_lock(
    stack: &Stack,
    (batch, past): (bool, bool),
    seconds: u64,
    run: &Run,
) -> Result<(Filled, Option<Batch>, usize), Failure> {
    let stores = stack.stores();
    let sync = |error: &SyncError| Failure::sync(WHAT, error);
    let lease = Lease { timeout: Duration::from_secs(seconds), ..Lease::default() };
    let owner = Owner { who: stack.who(), ..Owner::here("backfill") };
    let lock = Box::pin(lock::take(&stores.primary, owner, Owed::default(), lease, run)).await;
    let mut lock = lock.map_err(|error| sync(&error.into()))?;
    let rules = stack.config.rules()?;
    let token = format!("{:032x}", fastrand::u128(..));
    let (mut job, mut versions) = (None, 0);
    let work = async |run: Run| {
        if batch {
            let done = Box::pin(stack.services.s3.replicate_existing(&stack.site, &token, &run)).await;
            job = Some(done.map_err(|error| Failure::aws(WHAT, &error))?);
        }
        if past {
            let copied = Box::pin(fill_past(&stores.primary, &stores.backup, &run)).await;
            versions = copied.map_err(|error| Failure::sync(WHAT, &error))?;
        }
        // What a job has left, and what was published while the lock was waited for, is found by comparing anew.
        Box::pin(copy(&stores, &rules, &run)).await
    };
    let (filled, lost) = Box::pin(lock.hold(run, work)).await;
    let freed = Box::pin(free(lock, &stores.primary)).await;
    if let Some(lost) = lost {
        return Err(sync(&lost.into()));
    }
    let filled = filled?;
    freed.map_err(|error| sync(&error))?;
    Ok((filled, job, versions))
}

/// What a job costs. <https://aws.amazon.com/s3/pricing/>
fn price(objects: usize) -> String {
    let cents = 25 + objects / 10_000;
    format!(
        "A batch job for {objects} objects costs about ${}.{:02}, and the usual traffic. Go on? Type yes: ",
        cents / 100,
        cents % 100
    )
}

async fn copy(stores: &Pair<S3Store>, rules: &Rules, run: &Run) -> Result<Filled, Failure> {
    let (first, second) = (&stores.primary, &stores.backup);
    let compared = Box::pin(compare(first, second, run)).await.map_err(|error| Failure::sync(WHAT, &error))?;
    let filled = Box::pin(fill(compared, first, second, rules, run)).await;
    filled.map_err(|stopped| Failure::interrupted(WHAT, &stopped))
}

/// The lock may have been inherited from a publish that died: what that one owed stays noted.
async fn free(lock: lock::Lock<'_, S3Store>, store: &S3Store) -> Result<(), SyncError> {
    let mut owed = lock.owed().clone();
    if !owed.is_empty() {
        owed.join(lock::read_owed(store).await?);
        lock::note_owed(store, &owed).await?;
    }
    lock.free().await.map_err(SyncError::Lock)
}
