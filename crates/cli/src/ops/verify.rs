//! `twinsite verify`: reads only. What a bucket has that it should not, lacks, or has wrong.

use futures::future::try_join;
use twinsite_core::{Pair, Run, Side, probe};
use twinsite_s3_site::JOURNAL;
use twinsite_sync::{Deletes, Guard, Index, Options, RemoteObject, S3Store, Store, SyncError, SyncPlan, plan, walk};

use super::{Difference, Outcome};
use crate::args::{Global, Verify};
use crate::error::Failure;
use crate::stack::{Stack, config};

const WHAT: &str = "compare the buckets";

pub(crate) async fn verify(global: &Global, options: &Verify, run: &Run) -> Result<Outcome, Failure> {
    let config = config(global)?;
    let source = match &options.dir {
        None => None,
        Some(dir) => Some(walk(dir, &config.rules()?).map_err(|error| Failure::source(WHAT, &error))?),
    };
    let stack = Stack::open(global, run).await?;
    stack.mind_the_drill().await;
    let stores = stack.stores();
    let found = match source {
        None => with_each_other(&stores).await,
        Some(source) => {
            let one = |side: Side| {
                let options = Options { deletes: Deletes::All, guard: ALL, side: Some(side), ..Options::default() };
                let (source, store) = (&source, stores.get(side));
                async move {
                    let plan = plan(source, store, &options, &Index::memory(), run).await?;
                    Ok::<_, SyncError>(differences(store.bucket(), &plan))
                }
            };
            let both = try_join(Box::pin(one(Side::Primary)), Box::pin(one(Side::Backup))).await;
            both.map(|(primary, backup)| primary.into_iter().chain(backup).collect())
        }
    };
    Ok(Outcome::Verified(found.map_err(|error| Failure::sync(WHAT, &error))?))
}

/// Nothing is deleted here, so nothing needs guarding.
const ALL: Guard = Guard { count: usize::MAX, percent: 100 };

fn differences(bucket: &str, plan: &SyncPlan) -> Vec<Difference> {
    let one =
        |key: &dyn std::fmt::Display, why: String| Difference { bucket: bucket.to_owned(), key: key.to_string(), why };
    let puts = plan.puts().iter().map(|put| one(&put.object.key, put.reason.to_string()));
    let rewrites = plan.rewrites().iter().map(|rewrite| one(&rewrite.object.key, rewrite.reason.to_string()));
    let extra = plan.deletes().iter().map(|delete| one(&delete.key, "not in the directory".to_owned()));
    puts.chain(rewrites).chain(extra).collect()
}

/// Size and entity tag of every object; headers are compared through the ledgers, whose names tell them apart.
pub(super) async fn with_each_other(stores: &Pair<S3Store>) -> Result<Vec<Difference>, SyncError> {
    let (primary, backup) = try_join(Box::pin(listing(&stores.primary)), Box::pin(listing(&stores.backup))).await?;
    let bucket = stores.backup.bucket();
    let one = |key: String, why: &str| Difference { bucket: bucket.to_owned(), key, why: why.to_owned() };
    let mut found = Vec::new();
    let (mut left, mut right) = (primary.into_iter().peekable(), backup.into_iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(here), there) if there.is_none_or(|there| here.key < there.key) => {
                found.push(one(here.key.to_string(), "absent"));
                left.next();
            }
            (here, Some(there)) if here.is_none_or(|here| there.key < here.key) => {
                found.push(one(there.key.to_string(), "not in the primary"));
                right.next();
            }
            (Some(here), Some(there)) => {
                if here.size != there.size {
                    found.push(one(here.key.to_string(), "size"));
                } else if here.etag != there.etag {
                    found.push(one(here.key.to_string(), "content"));
                }
                left.next();
                right.next();
            }
            (_, None) | (None, _) => return Ok(found),
        }
    }
}

/// When a bucket was last published to, in seconds since 1970: when its newest ledger was written.
pub(super) async fn published(store: &S3Store) -> Result<Option<i64>, SyncError> {
    const LEDGERS: &str = ".twinsite/ledger/";
    let page = store.page(Some(LEDGERS)).await?;
    let ledgers = page.objects.iter().filter(|object| object.key.as_str().starts_with(LEDGERS));
    Ok(ledgers.map(|object| object.modified).max())
}

async fn listing(store: &S3Store) -> Result<Vec<RemoteObject>, SyncError> {
    let mut all: Vec<RemoteObject> = Vec::new();
    loop {
        let after = all.last().map(|last| last.key.as_str().to_owned());
        let page = store.page(after.as_deref()).await?;
        all.extend(page.objects);
        if !page.more {
            // The stop object is in the backup only, by design.
            // So is the journal of a drill.
            all.retain(|object| !object.key.as_str().starts_with(probe::FOLDER) && object.key.as_str() != JOURNAL);
            return Ok(all);
        }
    }
}
