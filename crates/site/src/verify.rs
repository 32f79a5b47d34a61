//! Comparison of both buckets with each other, and with a directory. Read-only.

use std::fmt::Display;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws::{AwsError, Kind};
use twinsite_core::{Pair, Run, Side};
use twinsite_sync::active_side::newest_change;
use twinsite_sync::replicate::compare_everything;
use twinsite_sync::{
    Guard, Index, Key, Options, RetentionPolicy, Source, SourceChecks, Store, StoreError, SyncError, plan, release,
};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::response_limit::{NoResponse, in_time};
use crate::scoped_stores::BucketStore;
use crate::source_directory::{SourceDirectory, SourceOptions};

const OPERATION: &str = "compare the buckets";

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VerifyResult {
    /// The active side, with which the other one was compared: `primary` or `backup`.
    pub active: &'static str,
    /// Keys that differ.
    pub differences: Vec<Difference>,
    /// Keys that twinsite did not publish. They are kept and do not count as differences.
    pub foreign: Vec<Difference>,
    /// Buckets that could not be reached, so that they are not compared.
    pub unreachable: Vec<UnreachableBucket>,
}

/// A bucket that could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UnreachableBucket {
    /// The bucket.
    pub bucket: String,
    /// Why.
    pub reason: String,
}

/// A key that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Difference {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// How it differs.
    pub reason: String,
}

impl Difference {
    fn new(bucket: &str, key: &Key, reason: &dyn Display) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_string(), reason: reason.to_string() }
    }
}

/// Compares the other side with the active one and, if a directory is given, the active side with the directory. If only one of the buckets
/// can be reached, that one is compared with the directory.
///
/// # Errors
/// The directory or the buckets could not be read.
pub async fn verify(site: &SiteContext, dir: Option<PathBuf>, run: &Run) -> Result<VerifyResult, Error> {
    /// What is compared need not be fit to be published.
    const ANY: SourceChecks = SourceChecks { index: false, output_only: false };
    let read = match dir {
        Some(dir) => {
            let options = SourceOptions::default();
            Some(Box::pin(SourceDirectory::read_with(&site.config, dir, ANY, options)).await?)
        }
        None => None,
    };
    // The files of an archive exist as long as what was read of it.
    let source = read.as_ref().map(|read| read.source.clone());
    verify_stores(&site.stores(), VerifySource { source, keep: site.config.publish.keep }, run).await
}

/// What two buckets are compared with.
pub(crate) struct VerifySource {
    /// The directory, if any.
    pub(crate) source: Option<Source>,
    /// Which releases are kept.
    pub(crate) keep: RetentionPolicy,
}

/// [`verify`] for any pair of buckets.
pub(crate) async fn verify_stores(
    stores: &Pair<BucketStore>,
    with: VerifySource,
    run: &Run,
) -> Result<VerifyResult, Error> {
    let VerifySource { source, keep } = with;
    let comparing = async {
        let active = active_side(stores, run).await?;
        Box::pin(compare_active(stores, active, run)).await.map(|found| (found, active))
    };
    let (mut found, side) = match Box::pin(comparing).await {
        Ok(found) => found,
        Err(error) if is_out_of_reach(&error) => match Box::pin(side_within_reach(stores, run)).await {
            Some(reachable) if source.is_some() => reachable,
            Some((_, side)) => {
                let hint = format!(
                    "the {side} can be reached: compare it with the directory: `twinsite verify public`, or another one"
                );
                return Err(Error::new(OPERATION, error).hint(hint));
            }
            None => return Err(Error::new(OPERATION, error)),
        },
        Err(error) => return Err(Error::new(OPERATION, error)),
    };
    for (side, store) in stores.iter() {
        let is_unread = found.unreachable.iter().any(|one| one.bucket == store.bucket());
        if is_unread || (side == Side::Backup && stores.primary.bucket() == store.bucket()) {
            continue;
        }
        match Box::pin(release::live(store)).await {
            Err(damaged @ SyncError::DamagedRecord { id, .. }) => {
                found.differences.push(Difference::new(store.bucket(), &id.key(0), &damaged));
            }
            Ok(_) => {}
            Err(error) => return Err(Error::new(OPERATION, error)),
        }
    }
    if let Some(source) = source {
        // Nothing is deleted, so the guard is off.
        let guard = Guard::OFF;
        let options = Options { keep, guard, side: Some(side), ..Options::default() };
        let store = stores.get(side);
        let plan = Box::pin(plan(&source, store, &options, &Index::memory(), run)).await.context(OPERATION)?;
        let bucket = store.bucket();
        let puts = plan.puts().iter().map(|put| Difference::new(bucket, &put.object.key, &put.reason));
        let rewrites = plan.rewrites().iter().map(|one| Difference::new(bucket, &one.object.key, &one.reason));
        let deletes = plan.deletes().iter().map(|one| Difference::new(bucket, &one.key, &"not in the directory"));
        let foreign = plan.foreign().iter().map(|key| Difference::new(bucket, key, &"not published by twinsite"));
        found.differences.splice(0..0, puts.chain(rewrites).chain(deletes));
        found.foreign.splice(0..0, foreign);
    }
    Ok(found)
}

/// The active side, once both buckets have responded.
async fn active_side(stores: &Pair<BucketStore>, run: &Run) -> Result<Side, SyncError> {
    let (primary, change) =
        futures::join!(in_time(run, stores.primary.page(None)), in_time(run, newest_change(&stores.backup)));
    run.check()?;
    primary??;
    Ok(change??.map_or(Side::Primary, |change| change.side))
}

/// Whether a bucket does not respond, or only that it is out of service.
fn is_out_of_reach(error: &SyncError) -> bool {
    let timed_out = |error: &AwsError| error.kind == Kind::TimedOut;
    error.is_unreachable() || matches!(error, SyncError::Store(StoreError::Aws(error)) if timed_out(error))
}

/// The side that responds if the other one does not, and what is said of the other one.
async fn side_within_reach(stores: &Pair<BucketStore>, run: &Run) -> Option<(VerifyResult, Side)> {
    let ask = async |side: Side| in_time(run, stores.get(side).page(None)).await;
    let (primary, backup) = futures::join!(ask(Side::Primary), ask(Side::Backup));
    let is_up = |answer: &Result<Result<_, _>, _>| matches!(answer, Ok(Ok(_)));
    let (side, other, answer) = match (is_up(&primary), is_up(&backup)) {
        (true, false) => (Side::Primary, Side::Backup, backup),
        (false, true) => (Side::Backup, Side::Primary, primary),
        _ => return None,
    };
    let reason = match answer {
        Ok(Err(error)) => error.to_string(),
        Ok(Ok(_)) | Err(_) => NoResponse.to_string(),
    };
    let bucket = stores.get(other).bucket().to_owned();
    let unreachable = vec![UnreachableBucket { bucket, reason }];
    Some((VerifyResult { active: side.as_str(), differences: Vec::new(), foreign: Vec::new(), unreachable }, side))
}

/// How the backup differs from the primary.
pub(crate) async fn compare_buckets(stores: &Pair<BucketStore>, run: &Run) -> Result<VerifyResult, SyncError> {
    compare_active(stores, Side::Primary, run).await
}

/// How the other side differs from the active one.
async fn compare_active(stores: &Pair<BucketStore>, active: Side, run: &Run) -> Result<VerifyResult, SyncError> {
    let other = active.other();
    let bucket = stores.get(other).bucket();
    let compared = compare_everything(stores.get(active), stores.get(other), run).await?;
    let copies = compared.copies.iter().map(|copy| Difference::new(bucket, &copy.object.key, &copy.cause));
    let (gone, foreign) = (format!("deleted in the {active}"), format!("not in the {active}"));
    let gone = compared.gone.iter().map(|object| Difference::new(bucket, &object.key, &gone));
    let foreign = compared.foreign.iter().map(|key| Difference::new(bucket, key, &foreign));
    let (differences, foreign) = (copies.chain(gone).collect(), foreign.collect());
    Ok(VerifyResult { active: active.as_str(), differences, foreign, unreachable: Vec::new() })
}
