//! Backfill: S3 copies to the backup what replication did not, because it is older than the rule or has failed.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Event, Pair, Run, clean_up};
use twinsite_s3_site::{Adopt, BatchJobSummary};
use twinsite_sync::lock::{self, Lease, Owner, UnfinishedPublish};
use twinsite_sync::replicate::{self, Compared, Filled};
use twinsite_sync::{Prefix, Rules, SyncError, prefix};

use crate::active_side::refuse_active_backup;
use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::options::PublishOptions;
use crate::publish_result::PlannedBackup;
use crate::scoped_stores::{BucketStore, scoped, whole};

const OPERATION: &str = "backfill the backup";

/// How objects are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// A batch job above `publish.batch_above` objects, else single copies.
    #[default]
    Auto,
    /// One copy request for each object.
    Copy,
    /// One job of S3 Batch Replication.
    Batch,
}

/// What to copy, and how.
#[derive(Clone, Copy, Debug)]
pub struct BackfillRequest {
    /// How objects are copied.
    pub engine: Engine,
    /// Which versions are copied.
    pub versions: Versions,
    /// How long to wait for the deploy lock.
    pub lock_timeout: Duration,
    /// How long the lock lasts without renewal.
    pub lock_ttl: Duration,
}

/// Which versions of an object a backfill copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// The current version.
    #[default]
    Current,
    /// Noncurrent versions, too, so that older releases can be brought back from the backup alone.
    All,
}

impl Default for BackfillRequest {
    fn default() -> Self {
        let PublishOptions { lock_timeout, lock_ttl, .. } = PublishOptions::default();
        Self { engine: Engine::Auto, versions: Versions::Current, lock_timeout, lock_ttl }
    }
}

/// A backfill that was planned.
#[derive(Debug)]
pub struct BackfillPlan {
    compared: Compared,
    bucket: String,
    batch: bool,
    request: BackfillRequest,
    /// What is copied: the main site and all prefixes, or one of them.
    owners: Vec<Option<Prefix>>,
}

/// What a backfill did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct BackfillResult {
    /// Objects copied.
    pub copied: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Objects deleted, because they were deleted in the primary.
    pub deleted: usize,
    /// Keys that changed during the backfill; another one copies them.
    pub missed: Vec<String>,
    /// Keys in the backup that twinsite did not publish. They are kept.
    pub foreign: Vec<String>,
    /// Objects that were in sync before.
    pub in_sync: usize,
    /// Duration of the copies.
    pub seconds: f64,
    /// Noncurrent versions copied.
    pub versions: usize,
    /// The batch job, if there was one.
    pub job: Option<BatchJob>,
}

/// A completed job of S3 Batch Replication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct BatchJob {
    /// Its id.
    pub id: String,
    /// Versions in its manifest.
    pub total: u64,
    /// Versions replicated.
    pub succeeded: u64,
    /// Versions that failed.
    pub failed: u64,
}

/// Objects that were copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Copied {
    /// Their number.
    pub objects: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

impl BackfillPlan {
    /// The plan as a result.
    pub fn summary(&self) -> PlannedBackup {
        PlannedBackup::new(&self.bucket, Ok(&self.compared))
    }

    /// Bytes to copy.
    pub fn bytes(&self) -> u64 {
        self.compared.bytes()
    }

    /// The approximate price in US cents of the batch job, if the plan uses one. Traffic comes on top.
    /// <https://aws.amazon.com/s3/pricing/>
    pub fn batch_cents(&self) -> Option<usize> {
        self.batch.then(|| 25 + self.compared.copies.len() / 10_000)
    }

    fn is_empty(&self) -> bool {
        self.compared.is_in_sync() && self.request.versions == Versions::Current
    }
}

/// Compares the buckets. Read-only.
///
/// # Errors
/// The buckets belong to another site, or could not be read.
pub async fn plan_backfill(site: &SiteContext, request: BackfillRequest, run: &Run) -> Result<BackfillPlan, Error> {
    site.check_buckets().await?;
    let stores = site.stores();
    refuse_active_backup(&stores.backup, OPERATION).await?;
    let (compared, owners) = Box::pin(compare_owners(&stores, run)).await?;
    let batch = match request.engine {
        Engine::Auto => compared.copies.len() > site.config.publish.batch_above,
        Engine::Copy => false,
        Engine::Batch => true,
    };
    Ok(BackfillPlan { compared, bucket: stores.backup.bucket().to_owned(), batch, request, owners })
}

/// Copies what the backup lacks, under the deploy lock.
///
/// # Errors
/// What failed, and how much was done before. Another backfill finishes the rest.
pub async fn backfill(site: &SiteContext, plan: BackfillPlan, run: &Run) -> Result<BackfillResult, Error> {
    let foreign = plan.compared.foreign.iter().map(ToString::to_string).collect();
    let before = BackfillResult { foreign, in_sync: plan.compared.in_sync, ..BackfillResult::default() };
    if plan.is_empty() {
        return Ok(before);
    }
    let BackfillPlan { batch, request, owners, .. } = plan;
    let (stores, rules) = (site.stores(), site.config.rules().context("use the configuration")?);
    let batch = batch.then_some(site);
    let target = BackfillTarget { stores: &stores, rules: &rules, who: site.caller.clone(), batch };
    Ok(copy_owners(target, &owners, request, run).await?.result(before))
}

/// Plans to copy what a second bucket lacks, by single requests. Read-only.
pub(crate) async fn plan_backfill_of(
    stores: &Pair<BucketStore>,
    request: BackfillRequest,
    run: &Run,
) -> Result<BackfillPlan, Error> {
    refuse_active_backup(&stores.backup, OPERATION).await?;
    let (compared, owners) = Box::pin(compare_owners(stores, run)).await?;
    Ok(BackfillPlan { compared, bucket: stores.backup.bucket().to_owned(), batch: false, request, owners })
}

/// [`backfill`] for any pair of buckets.
pub(crate) async fn backfill_of(
    target: BackfillTarget<'_>,
    plan: BackfillPlan,
    run: &Run,
) -> Result<BackfillResult, Error> {
    let foreign = plan.compared.foreign.iter().map(ToString::to_string).collect();
    let before = BackfillResult { foreign, in_sync: plan.compared.in_sync, ..BackfillResult::default() };
    if plan.is_empty() {
        return Ok(before);
    }
    Ok(copy_owners(target, &plan.owners, plan.request, run).await?.result(before))
}

/// How the buckets differ, of each owner apart: the main site and all prefixes, or the prefix of the stores.
async fn compare_owners(stores: &Pair<BucketStore>, run: &Run) -> Result<(Compared, Vec<Option<Prefix>>), Error> {
    let own = stores.primary.prefix().cloned();
    let mut owners = vec![own.clone()];
    if own.is_none() {
        let prefixes = prefix::list_both(&whole(stores)).await.map_err(SyncError::from).context(OPERATION)?;
        owners.extend(prefixes.iter().cloned().map(Some));
    }
    let mut all = Compared::default();
    for owner in &owners {
        let Pair { primary, backup } = scoped(stores, owner.as_ref());
        let Compared { copies, gone, foreign, damaged, in_sync, .. } =
            Box::pin(replicate::compare(&primary, &backup, run)).await.context(OPERATION)?;
        all.copies.extend(copies);
        all.gone.extend(gone);
        all.foreign.extend(foreign);
        all.damaged.extend(damaged);
        all.in_sync += in_sync;
    }
    Ok((all, owners))
}

/// Copies what the backup lacks of each owner, under the lock of each.
async fn copy_owners(
    target: BackfillTarget<'_>,
    owners: &[Option<Prefix>],
    request: BackfillRequest,
    run: &Run,
) -> Result<Done, Error> {
    let BackfillTarget { stores, rules, who, mut batch } = target;
    let mut all = Done { filled: Filled::default(), job: None, versions: 0 };
    for owner in owners {
        let (stores, rules) = (scoped(stores, owner.as_ref()), rules.clone().below(owner.clone()));
        // A job copies the objects of all owners.
        let target = BackfillTarget { stores: &stores, rules: &rules, who: who.clone(), batch: batch.take() };
        let Done { filled, job, versions } = Box::pin(copy_under_lock(target, request, run)).await?;
        all.filled.copied += filled.copied;
        all.filled.bytes += filled.bytes;
        all.filled.deleted += filled.deleted;
        all.filled.missed.extend(filled.missed);
        all.filled.took += filled.took;
        all.versions += versions;
        all.job = all.job.or(job);
    }
    Ok(all)
}

/// The two buckets of a backfill.
pub(crate) struct BackfillTarget<'a> {
    pub(crate) stores: &'a Pair<BucketStore>,
    pub(crate) rules: &'a Rules,
    /// The caller, for whoever waits for the lock.
    pub(crate) who: Option<String>,
    /// The site whose objects a batch job copies, if one does.
    pub(crate) batch: Option<&'a SiteContext>,
}

fn batch_job(summary: BatchJobSummary) -> BatchJob {
    BatchJob { id: summary.id, total: summary.total, succeeded: summary.succeeded, failed: summary.failed }
}

/// Copies what is older than a replication rule that was just created; `None` if nothing is.
pub(crate) async fn backfill_older_than_rule(site: &SiteContext, run: &Run) -> Result<Option<Filled>, Error> {
    let stores = site.stores();
    let (compared, owners) = Box::pin(compare_owners(&stores, run)).await?;
    if compared.is_in_sync() || refuse_active_backup(&stores.backup, OPERATION).await.is_err() {
        return Ok(None);
    }
    if compared.copies.len() > site.config.publish.batch_above {
        let copies = compared.copies.len();
        let noun = if copies == 1 { "object is" } else { "objects are" };
        let text = format!("{copies} {noun} older than the replication rule");
        let hint = "copy them with `twinsite backfill`, which uses a job of S3 Batch Replication".to_owned();
        run.emit(&Event::Warning { text, hint: Some(hint) });
        return Ok(None);
    }
    let rules = site.config.rules().context("use the configuration")?;
    let target = BackfillTarget { stores: &stores, rules: &rules, who: site.caller.clone(), batch: None };
    copy_owners(target, &owners, BackfillRequest::default(), run).await.map(|done| Some(done.filled))
}

struct Done {
    filled: Filled,
    job: Option<BatchJobSummary>,
    versions: usize,
}

impl Done {
    fn result(self, before: BackfillResult) -> BackfillResult {
        let Self { filled, job, versions } = self;
        let Filled { copied, bytes, deleted, missed, took, .. } = filled;
        let missed = missed.iter().map(ToString::to_string).collect();
        let job = job.map(batch_job);
        BackfillResult { copied, bytes, deleted, missed, seconds: took.as_secs_f64(), versions, job, ..before }
    }
}

async fn copy_under_lock(target: BackfillTarget<'_>, request: BackfillRequest, run: &Run) -> Result<Done, Error> {
    let BackfillTarget { stores, rules, who, batch } = target;
    let lease = Lease { ttl: request.lock_ttl, timeout: request.lock_timeout, probe: true };
    let owner = Owner { who, ..Owner::here("backfill") };
    let taken = Box::pin(lock::take(&stores.primary, owner, UnfinishedPublish::default(), lease, run)).await;
    let mut lock = taken.map_err(SyncError::from).context(OPERATION)?;
    let work = async |run: Run| {
        refuse_active_backup(&stores.backup, OPERATION).await?;
        let (mut job, mut versions) = (None, 0);
        if let Some(site) = batch {
            let token = format!("{:032x}", fastrand::u128(..));
            let done =
                Box::pin(site.services.s3.replicate_existing(&site.desired_buckets(Adopt::Refuse), &token, &run)).await;
            job = Some(done.context(OPERATION)?);
        }
        if request.versions == Versions::All {
            let copied = Box::pin(replicate::copy_versions(&stores.primary, &stores.backup, &run)).await;
            versions = copied.context(OPERATION)?;
        }
        // Compares again: for what the job has left, and what was published while waiting for the lock.
        let compared = Box::pin(replicate::compare(&stores.primary, &stores.backup, &run)).await.context(OPERATION)?;
        let filled = Box::pin(replicate::fill(compared, &stores.primary, &stores.backup, rules, &run)).await;
        Ok(Done { filled: filled.context(OPERATION)?, job, versions })
    };
    let (done, lost) = Box::pin(lock.hold(run, work)).await;
    let released = Box::pin(clean_up(release_lock(lock, &stores.primary))).await;
    if let Some(lost) = lost {
        return Err(Error::new(OPERATION, SyncError::Lock(lost)));
    }
    let done = done?;
    released.context(OPERATION)?;
    Ok(done)
}

/// The lock may have been taken over from a publish that died: its pending invalidations stay recorded.
async fn release_lock(lock: lock::Lock<'_, BucketStore>, store: &BucketStore) -> Result<(), SyncError> {
    let mut pending = lock.unfinished().clone();
    if !pending.is_empty() {
        pending.join(lock::read_unfinished(store).await?);
        lock::record_unfinished(store, &pending).await?;
    }
    lock.free().await.map_err(SyncError::Lock)
}
