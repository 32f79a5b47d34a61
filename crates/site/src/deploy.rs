//! Publishes a directory, or an older release, to both buckets: prepare → lock → upload → invalidate ∥ record ∥ follow → delete →
//! collect.
//!
//! [`deploy`] reads a directory; [`publish`] is the part that deploys and rollbacks share. It works on any pair of
//! [`VersionedStore`] stores and with any [`Invalidator`], so tests run exactly what is shipped.

mod collect;
mod first_publish;

use std::collections::BTreeSet;

use futures::future::join;
use twinsite_aws::AwsError;
use twinsite_core::{Pair, Run, Side, clean_up, wait};
use twinsite_sync::active_side::{ListedChange, newest_change};
use twinsite_sync::lock::{self, Lease, Lock, Owner, UnfinishedPublish};
use twinsite_sync::release::{self, Commit};
use twinsite_sync::{
    Index, Interrupted, Key, Notes, Options, Prepared, Publish, Published, Publishing, REDIRECT_TABLE, ReleaseId,
    Report, Rules, Source, SyncError, VersionedStore, prepare as prepare_publish,
};

use collect::collect;
pub use first_publish::{check_first_publish, take_prefix};

use crate::active_side::{BackupAlone, SECOND_LOOK, check_primary_is_active, does_not_answer};
use crate::bucket_checks::check_prepared;
use crate::commit;
use crate::context::{PrimaryRegion, SiteContext};
use crate::error::{Context, Error};
use crate::failover::keep_visitors;
use crate::invalidation::{Changes, Invalidator};
use crate::options::{DeployRequest, OlderCommit, PublishOptions};
use crate::publish_result::{DeployPlan, DeployResult, PublishResult, StillPublic, publish_result, unchanged};
use crate::purge::finish_purges;
use crate::scoped_stores::TakeOver;
use crate::source_directory::{SourceDirectory, save_index};
use crate::source_notices;
use crate::store_limits::KnownLimits;
use crate::unfinished::{Invalidated, UnfinishedRecord, free_lock, record_unfinished, settle_invalidation, warn};
use crate::visitor_check::{PublishedSite, check_as_visitor};
use crate::warnings::{warn_if_not_served, warn_of_encrypted_website, warn_of_other_encryption};

const OPERATION: &str = "publish";

/// What is published, from wherever it comes.
#[derive(Debug)]
pub struct PublishRequest<'a> {
    /// The objects.
    pub source: &'a Source,
    /// Their headers and order.
    pub rules: &'a Rules,
    /// Deletes, guard and retention.
    pub plan: Options,
    /// What the release record says of the release.
    pub notes: Notes,
    /// Digests of local files.
    pub index: &'a Index,
    /// `deploy` or `rollback`, for whoever waits for the lock.
    pub command: &'static str,
    /// The directory in whose git repository commits are compared, if an older commit is not to be published.
    pub skip_older_in: Option<&'a std::path::Path>,
    /// Lock, replication and invalidation.
    pub options: PublishOptions,
    /// Whether the first publish of a prefix takes over what the main site has below it.
    pub take_over: TakeOver,
    /// Why only the backup is published to, if it is: the stores are then the backup twice. See [`prepare_active`].
    pub alone: Option<BackupAlone>,
}

/// Plans a deploy. Read-only.
///
/// # Errors
/// As [`deploy`].
pub async fn plan_deploy(
    site: &SiteContext,
    mut source: SourceDirectory,
    request: &DeployRequest,
    run: &Run,
) -> Result<DeployPlan, Error> {
    if let Some(prehasher) = source.prehasher.take() {
        prehasher.end().await;
    }
    site.check_protection().await?;
    source_notices::tell(&source.source, site.config.not_found.as_deref(), run);
    site.warn_of_unreachable(&source.source, run);
    let rules = source.take_rules(site.site.mode, run);
    let commit = source.commit.take();
    let mut publish_request = publish_request(site, request, &source.source, &source.rules, &source.index, commit);
    let planned = Box::pin(prepare_active(&site.stores(), &mut publish_request, site.primary_region, run)).await;
    let planned = planned?;
    check_prepared(site, &planned.prepared, run).await?;
    check_first_publish(&planned, &publish_request).await?;
    let ActivePlan { stores, prepared } = planned;
    warn_of_encrypted_website(site, prepared.plan.opaque(), run);
    warn_of_other_encryption(site, &prepared.plan, run);
    Ok(DeployPlan { rules: rules.result, ..DeployPlan::new(prepared, &stores) })
}

/// Publishes a directory to both buckets and invalidates what has changed.
///
/// # Errors
/// What failed, and how much was done before. Deploying again finishes the rest.
pub async fn deploy(
    site: &SiteContext,
    mut source: SourceDirectory,
    request: &DeployRequest,
    run: &Run,
) -> Result<DeployResult, Error> {
    if let Some(prehasher) = source.prehasher.take() {
        prehasher.end().await;
    }
    site.check_protection().await?;
    source_notices::tell(&source.source, site.config.not_found.as_deref(), run);
    site.warn_of_unreachable(&source.source, run);
    let rules = source.take_rules(site.site.mode, run);
    let commit = source.commit.take();
    let mut publish_request = publish_request(site, request, &source.source, &source.rules, &source.index, commit);
    if request.older == OlderCommit::Skip {
        publish_request.skip_older_in = Some(&source.dir);
    }
    let planned = Box::pin(prepare_active(&site.stores(), &mut publish_request, site.primary_region, run)).await;
    let planned = planned?;
    check_prepared(site, &planned.prepared, run).await?;
    let ActivePlan { stores, prepared } = Box::pin(take_prefix(planned, &publish_request, run)).await?;
    let opaque_before = prepared.plan.opaque();
    let alone = publish_request.alone.clone();
    warn_of_other_encryption(site, &prepared.plan, run);
    let published = Box::pin(publish(&stores, &site.invalidator(), publish_request, prepared, run)).await;
    save_index(&source.index, run);
    let mut result = match published? {
        DeployResult::Published(result) => Box::new(result.of_active_side(alone.as_ref())),
        skipped @ DeployResult::Skipped { .. } => return Ok(skipped),
    };
    warn_of_encrypted_website(site, result.primary.opaque.max(opaque_before), run);
    if alone.is_some() {
        result.moved = keep_visitors(site, run).await;
    }
    warn_if_not_served(site, &result, run);
    result.url = Some(site.published_at(&site.url()));
    result.primary.url = Some(site.published_at(&site.website_url(Side::Primary)));
    result.backup.url = Some(site.published_at(&site.website_url(Side::Backup)));
    result.rules = rules.result.clone();
    check_as_visitor(site, PublishedSite { source: &source.source, rules: &rules }, request, &result, run).await?;
    Ok(DeployResult::Published(result))
}

fn publish_request<'a>(
    site: &SiteContext,
    request: &DeployRequest,
    source: &'a Source,
    rules: &'a Rules,
    index: &'a Index,
    commit: Option<Commit>,
) -> PublishRequest<'a> {
    let config = &site.config.publish;
    let guard = request.guard.unwrap_or(config.guard);
    PublishRequest {
        source,
        rules,
        plan: Options { deletes: request.deletes, keep: config.keep, guard, send: request.send, side: None },
        notes: Notes { message: request.message.clone(), commit, who: site.caller.clone(), restores: None },
        index,
        command: "deploy",
        skip_older_in: None,
        options: request.options,
        take_over: request.take_over,
        alone: None,
    }
}

/// Lists both buckets and plans. Read-only.
///
/// # Errors
/// Stores that cannot be read, files that cannot be published, and guards.
pub async fn prepare<S: VersionedStore>(
    stores: &Pair<S>,
    request: &PublishRequest<'_>,
    run: &Run,
) -> Result<Prepared, Error> {
    let PublishRequest { source, index, .. } = request;
    let plan = &Options { side: request.alone.as_ref().map(|_| Side::Backup), ..request.plan };
    let both = (&stores.primary, &stores.backup);
    let mut prepared = Box::pin(prepare_publish(source, both, plan, index, run)).await.context(OPERATION)?;
    Box::pin(release::find_versions(&mut prepared.plan, &stores.primary)).await.context(OPERATION)?;
    Ok(prepared)
}

/// A publish that was planned for the active side.
#[derive(Debug)]
pub struct ActivePlan<S> {
    /// The buckets to publish to; twice the backup if it is published to alone.
    pub stores: Pair<S>,
    /// What was planned.
    pub prepared: Prepared,
}

/// Plans a publish for the active side: the primary, or the backup alone if it is active, or if the primary cannot be reached, twice.
/// Then the request says so. Read-only.
///
/// # Errors
/// As [`prepare`], of whichever bucket is published to.
pub async fn prepare_active<S: VersionedStore>(
    stores: &Pair<S>,
    request: &mut PublishRequest<'_>,
    region: PrimaryRegion,
    run: &Run,
) -> Result<ActivePlan<S>, Error> {
    if region == PrimaryRegion::DoesNotAnswer
        && let Some(reason) = does_not_answer(&stores.primary, run).await
    {
        let newest = newest_change(&stores.backup).await.context("publish")?;
        return prepare_alone(BackupAlone::of_outage(newest, reason), stores, request, run).await;
    }
    let planned = match Box::pin(prepare(stores, request, run)).await {
        Err(error) if error.is_unreachable() && region == PrimaryRegion::Unknown => {
            wait::pause(run, SECOND_LOOK).await;
            run.check().context("publish")?;
            Box::pin(prepare(stores, request, run)).await
        }
        planned => planned,
    };
    let alone = match planned {
        Ok(prepared) => match BackupAlone::of_change(ListedChange::newest(&prepared.notes)) {
            Some(alone) => alone,
            None => return Ok(ActivePlan { stores: stores.clone(), prepared }),
        },
        Err(error) if error.is_unreachable() => match newest_change(&stores.backup).await {
            Ok(newest) => BackupAlone::of_outage(newest, error.cause.to_string()),
            // Neither can be reached: the network of this machine is the likelier cause.
            Err(_) => return Err(error),
        },
        Err(error) => return Err(error),
    };
    prepare_alone(alone, stores, request, run).await
}

async fn prepare_alone<S: VersionedStore>(
    alone: BackupAlone,
    stores: &Pair<S>,
    request: &mut PublishRequest<'_>,
    run: &Run,
) -> Result<ActivePlan<S>, Error> {
    alone.tell(run);
    let stores = Pair::new(stores.backup.clone(), stores.backup.clone());
    request.alone = Some(alone);
    let prepared = Box::pin(prepare(&stores, request, run)).await?;
    Ok(ActivePlan { stores, prepared })
}

/// Publishes what was prepared: takes the lock, uploads to the primary, invalidates while the release is recorded and the backup follows,
/// deletes, and collects expired releases.
///
/// # Errors
/// What failed, and how much was done before. Preparing and publishing again finishes the rest.
pub async fn publish<S: VersionedStore, I: Invalidator>(
    stores: &Pair<S>,
    invalidator: &I,
    request: PublishRequest<'_>,
    prepared: Prepared,
    run: &Run,
) -> Result<DeployResult, Error> {
    if let Some(reason) = newer_release(&request, &prepared, &stores.primary).await? {
        return Ok(DeployResult::Skipped { reason });
    }
    if prepared.is_empty() {
        let report = Report { kept: prepared.plan.kept(), ..Report::default() };
        let prefix = request.source.prefix().map(ToString::to_string);
        let mut result = PublishResult { prefix, still_public: StillPublic::of(&prepared.plan), ..unchanged(&report) };
        let foreign = prepared.drift.iter().flat_map(|drift| &drift.foreign).filter(|key| !key.is_reserved());
        result.backup.foreign = foreign.map(ToString::to_string).collect();
        return Ok(DeployResult::Published(Box::new(result)));
    }

    // Lock. A store that was never published to is tested for conditional writes.
    let limits = KnownLimits::read(stores, prepared.has_limits(), OPERATION).await?;
    let lease = Lease {
        ttl: request.options.lock_ttl,
        timeout: request.options.lock_timeout,
        probe: prepared.plan.releases().is_empty() && !prepared.has_limits(),
    };
    let owner = Owner { who: request.notes.who.clone(), ..Owner::here(request.command) };
    let pending = UnfinishedPublish { record: true, ..prepared.unfinished() };
    let side = if request.alone.is_some() { Side::Backup } else { Side::Primary };
    let taken = Box::pin(lock::take_on(side, &stores.primary, owner, pending, lease, run)).await;
    let mut lock = taken.map_err(SyncError::from).context(OPERATION)?;
    let done = Box::pin(publish_locked(stores, invalidator, &request, prepared, &mut lock, run)).await;
    Box::pin(clean_up(limits.report(stores, run))).await;
    if done.as_ref().is_err_and(Error::is_lost_lock) {
        // It stays until it expires, or was taken over already: its successor finishes what this publish has left.
        return done;
    }
    // If it was taken over already, this publish is at its end all the same.
    drop(free_lock(lock, run).await);
    done
}

/// How often a publish is planned again because objects were changed by somebody who does not take the lock.
const MAX_PLANS: usize = 3;

async fn publish_locked<S: VersionedStore, I: Invalidator>(
    stores: &Pair<S>,
    invalidator: &I,
    request: &PublishRequest<'_>,
    prepared: Prepared,
    lock: &mut Lock<'_, S>,
    run: &Run,
) -> Result<DeployResult, Error> {
    let mut pending = lock.inherited().clone();
    let transferred = transfer_planned(stores, invalidator, request, prepared, lock, &mut pending, run);
    let done = match Box::pin(transferred).await {
        Ok(Attempt::Done(done)) => done,
        Ok(Attempt::Skipped(reason)) => {
            record_unfinished(&stores.primary, &pending, run).await;
            return Ok(DeployResult::Skipped { reason });
        }
        Err(error) => {
            // Whoever has taken over the lock has inherited all this with it.
            if !error.is_lost_lock() {
                record_unfinished(&stores.primary, &pending, run).await;
            }
            return Err(error);
        }
    };
    // Requests of a holder that was stopped may still arrive: the next publish deletes what they create.
    let is_published = |key: &String| key.parse().is_ok_and(|key| request.source.get(&key).is_some());
    let inherited = lock.inherited().created.iter().filter(|key| !is_published(key)).cloned().collect();
    let finishing = while_locked(lock, run, async |run| {
        let Done { transferred, recorded_before, purge, still_public } = *done;
        let Transferred { published, invalidation, has_distribution } = transferred;
        let left = UnfinishedPublish { created: inherited, purge, ..UnfinishedPublish::default() };
        let before = UnfinishedRecord { exists: recorded_before, left };
        let invalidation = settle_invalidation(&stores.primary, invalidation, &pending, before, &run).await;
        let collected = collect(stores, request.plan.keep, &published, &run).await;
        let result = publish_result(published, &collected, invalidation);
        let prefix = request.source.prefix().map(ToString::to_string);
        Ok(PublishResult { prefix, still_public, has_distribution, ..result })
    });
    Ok(DeployResult::Published(Box::new(finishing.await?)))
}

/// How the attempts to transfer ended, unless they failed.
enum Attempt {
    Done(Box<Done>),
    /// Nothing was published, for this reason.
    Skipped(String),
}

/// Transfers what was planned; plans again if another deploy has published since the listing, and if objects are not as they were
/// listed. `pending` is what is left to do if it fails.
async fn transfer_planned<S: VersionedStore, I: Invalidator>(
    stores: &Pair<S>,
    invalidator: &I,
    request: &PublishRequest<'_>,
    prepared: Prepared,
    lock: &mut Lock<'_, S>,
    pending: &mut UnfinishedPublish,
    run: &Run,
) -> Result<Attempt, Error> {
    let waited = lock.was_waited_for();
    let refreshed =
        while_locked(lock, run, async |run| Box::pin(refresh(stores, request, prepared, waited, &run)).await);
    let mut prepared = match refreshed.await? {
        Refreshed::Prepared(prepared) => *prepared,
        Refreshed::Skip(reason) => return Ok(Attempt::Skipped(reason)),
    };
    let first_release = if let Some(alone) = &request.alone {
        let newest = prepared.plan.releases().last().copied().unwrap_or_default();
        let claim = while_locked(lock, run, async |_| {
            alone.claim(&stores.backup, newest, request.notes.who.as_deref()).await.context(OPERATION)
        });
        Box::pin(claim).await?
    } else {
        check_primary_is_active(&prepared.notes).context(OPERATION)?;
        ReleaseId::default()
    };
    let mut plans = 1;
    loop {
        Box::pin(lock.add_unfinished(prepared.unfinished())).await.map_err(SyncError::from).context(OPERATION)?;
        let mut recorded_before = prepared.has_unfinished();
        let mut earlier = lock.inherited().clone();
        if recorded_before {
            earlier.join(
                Box::pin(lock::read_unfinished(&stores.primary)).await.map_err(SyncError::from).context(OPERATION)?,
            );
        }
        pending.clone_from(lock.unfinished());
        pending.join(earlier.clone());
        if pending.is_large() {
            record_unfinished(&stores.primary, pending, run).await;
            recorded_before = true;
        }
        let stores_of_run = stores.clone();
        let finishing = while_locked(lock, run, async |run| {
            let fenced = stores_of_run.as_ref().map(|store| store.fenced(&run));
            let finished = finish_purges(&fenced, &earlier, request.source, &request.options, &run);
            Box::pin(finished).await.context(OPERATION)
        });
        let still_arriving = finishing.await?;
        // From here on, invalidating after a failure would let edges cache the objects that have not changed yet.
        pending.record = true;
        let still_public = StillPublic::of(&prepared.plan);
        let transfer = Transfer { stores, invalidator, request, first_release, pending, earlier: &earlier };
        let (done, lost) = Box::pin(lock.hold(run, async |run| Box::pin(transfer.run(prepared, &run)).await)).await;
        let stopped = match done {
            Ok(transferred) => {
                let purge = still_arriving.purge;
                return Ok(Attempt::Done(Box::new(Done { transferred, recorded_before, purge, still_public })));
            }
            Err(stopped) => stopped,
        };
        if let Some(lost) = lost {
            return Err(Error::new(OPERATION, SyncError::Lock(lost)));
        }
        let Some(key) = stopped.changed().filter(|_| plans < MAX_PLANS) else {
            return Err(Error::new(OPERATION, stopped));
        };
        let text = format!("`{key}` was changed by another program during the deploy; the deploy is planned again");
        warn(run, text, "write to the buckets with twinsite only: its lock keeps two deploys apart");
        plans += 1;
        prepared = Box::pin(prepare_again(stores, request, lock, run)).await?;
    }
}

/// Plans again, if the lock has not been taken over: then the deploy that has it changed the objects, and this one is at its end.
async fn prepare_again<S: VersionedStore>(
    stores: &Pair<S>,
    request: &PublishRequest<'_>,
    lock: &mut Lock<'_, S>,
    run: &Run,
) -> Result<Prepared, Error> {
    Box::pin(lock.confirm()).await.map_err(SyncError::from).context(OPERATION)?;
    while_locked(lock, run, async |run| Box::pin(prepare(stores, request, &run)).await).await
}

/// A publish that holds the lock.
struct Transfer<'a, S, I> {
    stores: &'a Pair<S>,
    invalidator: &'a I,
    request: &'a PublishRequest<'a>,
    first_release: ReleaseId,
    /// What this publish and earlier ones have to invalidate.
    pending: &'a UnfinishedPublish,
    /// Of that, what earlier ones have left.
    earlier: &'a UnfinishedPublish,
}

/// What a transfer did.
struct Transferred {
    published: Published,
    /// The number of paths, if any had to be invalidated.
    invalidation: Invalidated,
    /// Whether there is a distribution; `None` if it was not looked up.
    has_distribution: Option<bool>,
}

/// A transfer that is complete, but for what is left to record.
struct Done {
    transferred: Transferred,
    /// Whether earlier publishes had recorded pending invalidations.
    recorded_before: bool,
    /// Purged keys of which a version may still arrive from the other bucket.
    purge: BTreeSet<String>,
    still_public: StillPublic,
}

impl<S: VersionedStore, I: Invalidator> Transfer<'_, S, I> {
    /// Uploads, invalidates, records the release, follows the backup, deletes.
    async fn run(&self, prepared: Prepared, run: &Run) -> Result<Transferred, Interrupted> {
        let uploaded = Changes::uploaded(&prepared, self.request.source, self.pending, self.earlier);
        let deleted = Changes::deleted(&prepared, self.request.source, self.pending);
        let changes = !uploaded.is_empty() || !deleted.is_empty();
        let matters = !uploaded.held.is_empty() || !deleted.held.is_empty() || uploaded.has_redirect_table();
        let how = Publishing {
            source: self.request.source,
            rules: self.request.rules,
            patience: self.request.options.parity_timeout,
            notes: self.request.notes.clone(),
            first_release: self.first_release,
        };
        let mut publish = Publish::new(prepared, self.stores, how, run);

        // Upload, and look up the distribution meanwhile.
        let find_distribution = async { if changes { self.invalidator.prepare().await } else { Ok(None) } };
        let (sent, distribution) = join(publish.upload(self.request.index), Box::pin(find_distribution)).await;
        sent?;
        let has_distribution = distribution.as_ref().ok().filter(|_| changes).map(Option::is_some);
        // Without a lookup, what the configuration says of edges holds: if nothing is to be invalidated, nothing is missing.
        let distribution = if matters { distribution } else { Ok(distribution.unwrap_or_default()) };

        // The primary serves the release: invalidate, while it is recorded and the backup follows.
        let recording = async {
            publish.record().await?;
            publish.follow().await;
            Ok::<_, Interrupted>(())
        };
        let (recorded, invalidated) =
            join(Box::pin(recording), Box::pin(self.invalidate(&distribution, &uploaded, run))).await;
        recorded?;

        // Delete what neither bucket refers to any more. Edges would cache it again if it was invalidated before: from either bucket, as an
        // origin group looks for a missing object in the second one.
        publish.delete().await?;
        publish.follow().await;
        let invalidated_deletes = Box::pin(self.invalidate(&distribution, &deleted, run)).await;
        let invalidation = match (distribution, invalidated, invalidated_deletes) {
            (Err(error), ..) | (_, Err(error), _) | (_, _, Err(error)) => {
                let mut pending = uploaded.pending();
                pending.join(deleted.pending());
                Err((error, pending))
            }
            (Ok(_), Ok(first), Ok(second)) => Ok(first.into_iter().chain(second).reduce(|a, b| a + b)),
        };
        Ok(Transferred { published: Box::pin(publish.end()).await, invalidation, has_distribution })
    }

    async fn invalidate(
        &self,
        distribution: &Result<Option<I::Target>, AwsError>,
        changes: &Changes<'_>,
        run: &Run,
    ) -> Result<Option<usize>, AwsError> {
        match distribution {
            Ok(Some(target)) if !changes.is_empty() => {
                let wait = self.request.options.wait_for_invalidation;
                let invalidated = self.invalidator.invalidate(target, changes, wait, run).await;
                // Whatever became of the invalidation: neither must wait for the other to be possible.
                if changes.has_redirect_table() {
                    let table = self.stores.primary.get(&Key::redirect_table()).await;
                    let table = table.map_err(|error| AwsError::unexpected("GetObject", REDIRECT_TABLE, error))?;
                    self.invalidator.put_redirects(target, table.as_deref(), run).await?;
                }
                invalidated
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

/// Runs `work` while the lock is renewed. If the lock is lost, `work` is cancelled.
async fn while_locked<S: VersionedStore, T>(
    lock: &mut Lock<'_, S>,
    run: &Run,
    work: impl AsyncFnOnce(Run) -> Result<T, Error>,
) -> Result<T, Error> {
    match Box::pin(lock.hold(run, work)).await {
        (Err(_), Some(lost)) => Err(Error::new(OPERATION, SyncError::Lock(lost))),
        (done, _) => done,
    }
}

enum Refreshed {
    Prepared(Box<Prepared>),
    Skip(String),
}

async fn refresh<S: VersionedStore>(
    stores: &Pair<S>,
    request: &PublishRequest<'_>,
    prepared: Prepared,
    waited: bool,
    run: &Run,
) -> Result<Refreshed, Error> {
    let fresh = !waited && Box::pin(prepared.is_fresh(&stores.primary)).await.context(OPERATION)?;
    if fresh {
        return Ok(Refreshed::Prepared(Box::new(prepared)));
    }
    let prepared = prepare(stores, request, run).await?;
    Ok(match newer_release(request, &prepared, &stores.primary).await? {
        Some(reason) => Refreshed::Skip(reason),
        None => Refreshed::Prepared(Box::new(prepared)),
    })
}

/// Why an older commit is not published; `None` if it is not older, or may be published all the same.
async fn newer_release<S: VersionedStore>(
    request: &PublishRequest<'_>,
    prepared: &Prepared,
    primary: &S,
) -> Result<Option<String>, Error> {
    match request.skip_older_in {
        Some(dir) => commit::newer_release(dir, request.notes.commit.as_ref(), prepared, primary).await,
        None => Ok(None),
    }
}
