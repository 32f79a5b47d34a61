//! Comparison of both buckets with each other, and with a directory. Read-only.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws::Kind;
use twinsite_core::wait::within;
use twinsite_core::{Pair, Run, Side};
use twinsite_sync::replicate::compare;
use twinsite_sync::{
    Guard, Index, Key, Options, RetentionPolicy, S3Store, Source, SourceChecks, Store, StoreError, SyncError,
    VersionedStore, plan,
};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::source_directory::{SourceDirectory, SourceOptions};

const OPERATION: &str = "compare the buckets";

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VerifyResult {
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

/// Compares the backup with the primary and, if a directory is given, the primary with the directory. If only one of them can be
/// reached, that one is compared with the directory.
///
/// # Errors
/// The directory or the buckets could not be read.
pub async fn verify(site: &SiteContext, dir: Option<PathBuf>, run: &Run) -> Result<VerifyResult, Error> {
    /// What is compared need not be fit to be published.
    const ANY: SourceChecks = SourceChecks { index: false, output_only: false };
    let source = match dir {
        Some(dir) => {
            let options = SourceOptions::default();
            Some(Box::pin(SourceDirectory::read_with(&site.config, dir, ANY, options)).await?.source)
        }
        None => None,
    };
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
    stores: &Pair<S3Store>,
    with: VerifySource,
    run: &Run,
) -> Result<VerifyResult, Error> {
    let VerifySource { source, keep } = with;
    let (mut found, side) = match Box::pin(compare_buckets(stores, run)).await {
        Ok(found) => (found, Side::Primary),
        Err(error) if is_out_of_reach(&error) => match Box::pin(side_within_reach(stores, run)).await {
            Some(reachable) if source.is_some() => reachable,
            Some((_, side)) => {
                let hint = format!("the {side} can be reached: compare it with a directory, `twinsite verify DIR`");
                return Err(Error::new(OPERATION, error).hint(hint));
            }
            None => return Err(Error::new(OPERATION, error)),
        },
        Err(error) => return Err(Error::new(OPERATION, error)),
    };
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

/// Whether a bucket does not respond, or only that it is out of service.
fn is_out_of_reach(error: &SyncError) -> bool {
    use Kind::{Network, TimedOut, Unavailable};
    matches!(error, SyncError::Store(StoreError::Aws(error)) if matches!(error.kind, Network | TimedOut | Unavailable))
}

/// The side that responds if the other one does not, and what is said of the other one.
async fn side_within_reach(stores: &Pair<S3Store>, run: &Run) -> Option<(VerifyResult, Side)> {
    /// A store that can be reached responds sooner.
    const LIMIT: Duration = Duration::from_secs(5);
    let ask = async |side: Side| within(run, LIMIT, Box::pin(stores.get(side).page(None))).await;
    let (primary, backup) = futures::join!(ask(Side::Primary), ask(Side::Backup));
    let is_up = |answer: &Option<Result<_, _>>| matches!(answer, Some(Ok(_)));
    let (side, other, answer) = match (is_up(&primary), is_up(&backup)) {
        (true, false) => (Side::Primary, Side::Backup, backup),
        (false, true) => (Side::Backup, Side::Primary, primary),
        _ => return None,
    };
    let reason = match answer {
        Some(Err(error)) => error.to_string(),
        _ => format!("no response within {} s", LIMIT.as_secs()),
    };
    let bucket = stores.get(other).bucket().to_owned();
    Some((VerifyResult { unreachable: vec![UnreachableBucket { bucket, reason }], ..VerifyResult::default() }, side))
}

/// How the backup differs from the primary.
pub(crate) async fn compare_buckets(stores: &Pair<S3Store>, run: &Run) -> Result<VerifyResult, SyncError> {
    compare_stores(stores, stores.backup.bucket(), run).await
}

async fn compare_stores<S: VersionedStore>(
    stores: &Pair<S>,
    bucket: &str,
    run: &Run,
) -> Result<VerifyResult, SyncError> {
    let compared = compare(&stores.primary, &stores.backup, run).await?;
    let copies = compared.copies.iter().map(|copy| Difference::new(bucket, &copy.object.key, &copy.cause));
    let gone = compared.gone.iter().map(|object| Difference::new(bucket, &object.key, &"deleted in the primary"));
    let foreign = compared.foreign.iter().map(|key| Difference::new(bucket, key, &"not in the primary"));
    let (differences, foreign) = (copies.chain(gone).collect(), foreign.collect());
    Ok(VerifyResult { differences, foreign, unreachable: Vec::new() })
}
