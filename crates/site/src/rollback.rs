//! Rollback: an older release is published again from the object versions that the buckets keep.

use twinsite_core::{Pair, Run, Side, wait};
use twinsite_sync::active_side::newest_change;
use twinsite_sync::prefix;
use twinsite_sync::release::{self, ReleaseList};
use twinsite_sync::{
    Deletes, Guard, Index, Key, Notes, Options, Prepared, ReleaseId, Rules, Sending, StoreError, SyncError,
    VersionedStore,
};

use crate::active_side::{BackupAlone, SECOND_LOOK, does_not_answer};
use crate::bucket_checks::check_backup_exists;
use crate::config::PublishConfig;
use crate::context::{PrimaryRegion, SiteContext};
use crate::deploy::{PublishRequest, deploy, prepare, publish};
use crate::error::{Cause, Context, Error};
use crate::failover::keep_visitors;
use crate::invalidation::Invalidator;
use crate::options::{DeployRequest, PublishOptions, VisitorCheck};
use crate::publish_result::{BackupState, DeployPlan, DeployResult};
use crate::purge::leave_out_purged;
use crate::releases::{find_release, parse_id};
use crate::scoped_stores::{BucketStore, TakeOver};
use crate::source_directory::SourceDirectory;
use crate::source_notices;
use crate::warnings::warn_if_not_served;

const OPERATION: &str = "roll back";

/// Which release to bring back, and how.
#[derive(Clone, Debug, Default)]
pub struct RollbackRequest {
    /// The id of the release; the one before the newest if `None`.
    pub release: Option<String>,
    /// A description of the new release.
    pub message: Option<String>,
    /// The limit beyond which nothing is deleted; that of the configuration if `None`.
    pub guard: Option<Guard>,
    /// Lock, replication and invalidation.
    pub options: PublishOptions,
}

/// An older release, ready to be published to a pair of stores.
#[derive(Debug)]
pub struct RollbackSource {
    source: twinsite_sync::Source,
    plan: Options,
    notes: Notes,
    index: Index,
    options: PublishOptions,
    /// Keys of the release that were purged since.
    left_out: Vec<Key>,
    /// Keys of the release that belong to a prefix since.
    below_prefixes: Vec<Key>,
    /// Why only the backup is published to, if it is.
    alone: Option<BackupAlone>,
}

impl RollbackSource {
    /// Reads the record of a release.
    ///
    /// # Errors
    /// The release does not exist, or could not be read.
    pub async fn read<S: VersionedStore>(
        store: &S,
        id: ReleaseId,
        rules: &Rules,
        plan: Options,
        message: Option<String>,
    ) -> Result<Self, Error> {
        let mut release = find_release(store, id).await?;
        let left_out = leave_out_purged(store, &mut release).await.context(OPERATION)?;
        // What was the main site's then may belong to a prefix now.
        let prefixes = prefix::list(store).await.map_err(SyncError::from).context(OPERATION)?;
        let below = release.entries.extract_if(.., |entry| prefixes.owner_of(&entry.key).is_some());
        let below_prefixes = below.map(|entry| entry.key).collect();
        let commit = release.summary.notes.commit.clone();
        let notes = Notes { message, commit, who: None, restores: Some(id) };
        let options = PublishOptions::default();
        let source = release.source(rules);
        Ok(Self { source, plan, notes, index: Index::memory(), options, left_out, below_prefixes, alone: None })
    }

    /// Keys of the release whose objects were purged since, or belong to a prefix since: they are not brought back.
    pub fn left_out(&self) -> Vec<Key> {
        self.left_out.iter().chain(&self.below_prefixes).cloned().collect()
    }

    /// The same with other options for lock, replication and invalidation.
    #[must_use]
    pub fn with_options(self, options: PublishOptions) -> Self {
        Self { options, ..self }
    }

    fn request<'a>(&'a self, rules: &'a Rules) -> PublishRequest<'a> {
        PublishRequest {
            source: &self.source,
            rules,
            plan: self.plan,
            notes: self.notes.clone(),
            index: &self.index,
            command: "rollback",
            skip_older_in: None,
            options: self.options,
            take_over: TakeOver::Refuse,
            alone: self.alone.clone(),
        }
    }

    /// Plans the rollback. Read-only.
    ///
    /// # Errors
    /// As [`prepare`].
    pub async fn prepare<S: VersionedStore>(
        &self,
        stores: &Pair<S>,
        rules: &Rules,
        run: &Run,
    ) -> Result<Prepared, Error> {
        prepare(stores, &self.request(rules), run).await
    }

    /// Publishes the release.
    ///
    /// # Errors
    /// As [`publish`].
    pub async fn publish<S: VersionedStore, I: Invalidator>(
        &self,
        stores: &Pair<S>,
        invalidator: &I,
        rules: &Rules,
        run: &Run,
    ) -> Result<DeployResult, Error> {
        let prepared = self.prepare(stores, rules, run).await?;
        self.publish_prepared(stores, invalidator, rules, prepared, run).await
    }

    async fn publish_prepared<S: VersionedStore, I: Invalidator>(
        &self,
        stores: &Pair<S>,
        invalidator: &I,
        rules: &Rules,
        prepared: Prepared,
        run: &Run,
    ) -> Result<DeployResult, Error> {
        let mut result = publish(stores, invalidator, self.request(rules), prepared, run).await?;
        if let DeployResult::Published(published) = &mut result {
            published.left_out = self.left_out().iter().map(ToString::to_string).collect();
        }
        Ok(result)
    }
}

/// Brings an older release back to both buckets. No bytes are uploaded: S3 copies object versions.
///
/// # Errors
/// What failed, and how much was done before. Rolling back again finishes the rest.
pub async fn rollback(site: &SiteContext, request: &RollbackRequest, run: &Run) -> Result<DeployResult, Error> {
    site.check_protection().await?;
    let mut result = Box::pin(rollback_of(RollbackTarget::of(site)?, &site.invalidator(), request, run)).await?;
    if let DeployResult::Published(published) = &mut result {
        if published.backup.state == BackupState::Alone {
            published.moved = keep_visitors(site, run).await;
        }
        warn_if_not_served(site, published, run);
    }
    Ok(result)
}

/// [`rollback`] for any pair of buckets.
pub(crate) async fn rollback_of<I: Invalidator>(
    target: RollbackTarget<'_>,
    invalidator: &I,
    request: &RollbackRequest,
    run: &Run,
) -> Result<DeployResult, Error> {
    let Rollback { stores, source, rules, prepared } = prepare_rollback(target, request, run).await?;
    let result = Box::pin(source.publish_prepared(&stores, invalidator, &rules, prepared, run)).await?;
    Ok(match result {
        DeployResult::Published(result) => {
            DeployResult::Published(Box::new(result.of_active_side(source.alone.as_ref())))
        }
        skipped @ DeployResult::Skipped { .. } => skipped,
    })
}

/// Plans a rollback. Read-only.
///
/// # Errors
/// As [`rollback`].
pub async fn plan_rollback(site: &SiteContext, request: &RollbackRequest, run: &Run) -> Result<DeployPlan, Error> {
    Box::pin(plan_rollback_of(RollbackTarget::of(site)?, request, run)).await
}

/// [`plan_rollback`] for any pair of buckets.
pub(crate) async fn plan_rollback_of(
    target: RollbackTarget<'_>,
    request: &RollbackRequest,
    run: &Run,
) -> Result<DeployPlan, Error> {
    let Rollback { stores, source, prepared, .. } = prepare_rollback(target, request, run).await?;
    Ok(DeployPlan { left_out: source.left_out(), ..DeployPlan::new(prepared, &stores) })
}

/// A rollback deletes what the release did not have: it cannot keep it, as a deploy can.
fn hint_of_rollback(mut error: Error) -> Error {
    if let Cause::Sync(SyncError::TooManyDeletes { count, .. }) = &*error.cause {
        error.hints = vec![
            "choose another release: `twinsite releases`".to_owned(),
            format!("allow it with --max-delete {count}"),
        ];
    }
    error
}

/// What a rollback is applied to.
pub(crate) struct RollbackTarget<'a> {
    /// The site; `None` for plain buckets.
    pub(crate) site: Option<&'a SiteContext>,
    pub(crate) stores: Pair<BucketStore>,
    pub(crate) rules: Rules,
    pub(crate) config: &'a PublishConfig,
    /// The caller, where known.
    pub(crate) caller: Option<&'a str>,
    pub(crate) outage: OnOutage,
    pub(crate) region: PrimaryRegion,
}

/// What to do if the primary cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnOutage {
    /// Publish to the backup alone, and make it the active side.
    BackupAlone,
    /// Fail: of plain buckets, either can be published to by its own URL.
    Fail,
}

impl<'a> RollbackTarget<'a> {
    fn of(site: &'a SiteContext) -> Result<Self, Error> {
        let rules = site.config.rules().context("use the configuration")?;
        Ok(Self {
            site: Some(site),
            stores: site.stores(),
            rules,
            config: &site.config.publish,
            caller: site.caller.as_deref(),
            outage: OnOutage::BackupAlone,
            region: site.primary_region,
        })
    }
}

struct Rollback {
    /// The buckets; twice the backup if it alone is published to.
    stores: Pair<BucketStore>,
    source: RollbackSource,
    rules: Rules,
    prepared: Prepared,
}

/// Finds the release, and plans its publish.
async fn prepare_rollback(target: RollbackTarget<'_>, request: &RollbackRequest, run: &Run) -> Result<Rollback, Error> {
    let RollbackTarget { site, mut stores, rules, config, caller, outage, region } = target;
    let silent = match region {
        PrimaryRegion::DoesNotAnswer => does_not_answer(&stores.primary, run).await,
        PrimaryRegion::Unknown => None,
    };
    let listed = match silent {
        Some(reason) => Err(SyncError::Store(StoreError::Unreachable(reason))),
        None => Box::pin(list_twice(&stores.primary, run)).await,
    };
    let newest = newest_change(&stores.backup).await;
    let (releases, alone) = match (listed, newest) {
        // A backup that cannot be read now is brought in sync by the next deploy, and is not the active side as far as anybody knows.
        (Ok(releases), newest) => match BackupAlone::of_change(newest.unwrap_or_default()) {
            Some(alone) => (Box::pin(release::list_all(&stores.backup)).await.context(OPERATION)?, Some(alone)),
            None => (releases, None),
        },
        (Err(error), Ok(newest)) if error.is_unreachable() && outage == OnOutage::BackupAlone => {
            let releases = Box::pin(release::list_all(&stores.backup)).await.context(OPERATION)?;
            (releases, Some(BackupAlone::of_outage(newest, error.to_string())))
        }
        (Err(error), _) => return Err(Error::new(OPERATION, error)),
    };
    if let Some(alone) = &alone {
        alone.tell(run);
        stores.primary = stores.backup.clone();
    }
    let id = match &request.release {
        Some(id) => parse_id(id)?,
        None => previous(&releases)?,
    };
    // A release was a whole site, so that how many pages it has is no sign of a failed build.
    let guard = request.guard.unwrap_or(Guard { pages_percent: 100, ..config.guard });
    let plan = Options { deletes: Deletes::Owned, keep: config.keep, guard, send: Sending::Changed, side: None };
    let mut source = RollbackSource::read(&stores.primary, id, &rules, plan, request.message.clone()).await?;
    source_notices::tell_of_release(&source.source, run);
    source_notices::tell_left_out(&source.left_out, run);
    source_notices::tell_below_prefixes(&source.below_prefixes, run);
    source.notes.who = caller.map(str::to_owned);
    source.options = request.options;
    source.alone = alone;
    let prepared = source.prepare(&stores, &rules, run).await.map_err(hint_of_rollback)?;
    if let Some(site) = site {
        check_backup_exists(site, &prepared).await?;
    }
    Ok(Rollback { stores, source, rules, prepared })
}

/// The releases of the primary. That it cannot be reached counts only if it occurs twice.
async fn list_twice<S: VersionedStore>(primary: &S, run: &Run) -> Result<ReleaseList, SyncError> {
    match Box::pin(release::list_all(primary)).await {
        Err(error) if error.is_unreachable() => {
            wait::pause(run, SECOND_LOOK).await;
            run.check()?;
            Box::pin(release::list_all(primary)).await
        }
        listed => listed,
    }
}

/// The release before the newest one. A newest one whose record is damaged is live all the same.
fn previous(all: &ReleaseList) -> Result<ReleaseId, Error> {
    let ids = || all.releases.iter().map(|summary| summary.id);
    let newest = ids().chain(all.damaged.iter().map(|record| record.id)).max();
    let previous = ids().filter(|id| Some(*id) < newest).max();
    previous.ok_or_else(|| {
        Error::usage(OPERATION, "there is no release before the newest").hint("a rollback needs at least two releases")
    })
}

/// Deploys a directory and, if visitors do not get what was published, rolls back to the release before it.
///
/// # Errors
/// As [`deploy`]; after a rollback, the error of the check with the outcome of the rollback as a hint.
pub async fn deploy_or_roll_back(
    site: &SiteContext,
    source: SourceDirectory,
    request: &DeployRequest,
    run: &Run,
) -> Result<DeployResult, Error> {
    let request = DeployRequest { check: VisitorCheck::Check, ..request.clone() };
    let error = match Box::pin(deploy(site, source, &request, run)).await {
        Ok(result) => return Ok(result),
        Err(error) => error,
    };
    let Cause::NotServed { release: failed, .. } = *error.cause else { return Err(error) };
    let rolled_back = async {
        let mut until_failed = Box::pin(release::list_all(&site.store(Side::Primary))).await.context(OPERATION)?;
        until_failed.releases.retain(|one| one.id.0 <= failed);
        until_failed.damaged.retain(|one| one.id.0 <= failed);
        let id = previous(&until_failed)?;
        let request = RollbackRequest {
            release: Some(id.to_string()),
            message: Some(format!("release {failed} failed its check")),
            guard: request.guard,
            options: request.options,
        };
        Box::pin(rollback(site, &request, run)).await.map(|_| id)
    };
    let outcome = match rolled_back.await {
        Ok(id) => format!("rolled back to release {id}"),
        Err(failure) => format!("the rollback failed: {}", failure.cause),
    };
    Err(Error { hints: vec![outcome], ..error })
}
