//! `twinsite verify`: reads only. What a bucket has that it should not, lacks, or has wrong.

use twinsite_core::{Pair, Run, Side};
use twinsite_sync::mirror::compare;
use twinsite_sync::{Guard, Index, Key, Options, S3Store, SyncError, SyncPlan, plan, walk};

use super::{Difference, Outcome, Verified};
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
    let sync = |error: SyncError| Failure::sync(WHAT, &error);
    let mut found = Box::pin(with_each_other(&stores, run)).await.map_err(sync)?;
    if let Some(source) = source {
        let keep = stack.config.keep;
        let options = Options { keep, guard: ALL, side: Some(Side::Primary), ..Options::default() };
        let plan = Box::pin(plan(&source, &stores.primary, &options, &Index::memory(), run)).await.map_err(sync)?;
        found.differences.splice(0..0, differences(stores.primary.bucket(), &plan));
        let bucket = stores.primary.bucket();
        let foreign = plan.foreign().iter().map(|key| one(bucket, key, "nobody published it"));
        found.foreign.splice(0..0, foreign);
    }
    Ok(Outcome::Verified(found))
}

/// Nothing is deleted here, so nothing needs guarding.
const ALL: Guard = Guard { count: usize::MAX, percent: 100 };

fn one(bucket: &str, key: &Key, why: impl Into<String>) -> Difference {
    Difference { bucket: bucket.to_owned(), key: key.to_string(), why: why.into() }
}

fn differences(bucket: &str, plan: &SyncPlan) -> Vec<Difference> {
    let puts = plan.puts().iter().map(|put| one(bucket, &put.object.key, put.reason.to_string()));
    let rewrites = plan.rewrites().iter().map(|rewrite| one(bucket, &rewrite.object.key, rewrite.reason.to_string()));
    let extra = plan.deletes().iter().map(|delete| one(bucket, &delete.key, "not in the directory"));
    puts.chain(rewrites).chain(extra).collect()
}

/// How the backup differs from the primary.
pub(super) async fn with_each_other(stores: &Pair<S3Store>, run: &Run) -> Result<Verified, SyncError> {
    let compared = compare(&stores.primary, &stores.backup, run).await?;
    let bucket = stores.backup.bucket();
    let copies = compared.copies.iter().map(|copy| one(bucket, &copy.object.key, copy.cause.to_string()));
    let gone = compared.gone.iter().map(|key| one(bucket, key, "deleted in the primary"));
    let foreign = compared.foreign.iter().map(|key| one(bucket, key, "not in the primary"));
    Ok(Verified { differences: copies.chain(gone).collect(), foreign: foreign.collect() })
}
