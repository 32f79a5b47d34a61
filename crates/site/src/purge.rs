//! Purge: every version and delete marker of some keys is removed from both buckets, and what edges hold of them is invalidated.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Event, Pair, Run};
use twinsite_sync::lock::{self, Lease, Lock, Owner, UnfinishedPublish};
use twinsite_sync::prefix;
use twinsite_sync::purge::{self as sync_purge, PurgeOf, PurgedKeys, PurgedVersions};
use twinsite_sync::release::{self, Release};
use twinsite_sync::{Key, ReleaseId, Source, SyncError, VersionedStore};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::invalidation::{Changes, InvalidationResult, Invalidator};
use crate::options::PublishOptions;
use crate::scoped_stores::{BucketStore, whole};
use crate::unfinished::{free_lock, record_unfinished, warn};

const OPERATION: &str = "purge";

/// A purge that was planned. What it shows is what [`purge`] removes.
#[derive(Clone, Debug)]
pub struct PurgePlan {
    keys: Vec<PurgedVersions>,
    buckets: Pair<String>,
}

/// What a purge removes, or has removed, of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PurgedKey {
    /// The key.
    pub key: String,
    /// The number of versions and delete markers in the primary bucket.
    pub primary: usize,
    /// The number of versions and delete markers in the backup bucket.
    pub backup: usize,
}

/// What a purge has done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PurgeResult {
    /// What was removed, by key.
    pub keys: Vec<PurgedKey>,
    /// Keys of which a version was still on its way to the other bucket. The next deploy, rollback or purge removes what arrives.
    pub pending: Vec<String>,
    /// What was invalidated.
    pub invalidation: InvalidationResult,
}

impl From<&PurgedVersions> for PurgedKey {
    fn from(PurgedVersions { key, versions }: &PurgedVersions) -> Self {
        Self { key: key.to_string(), primary: versions.primary, backup: versions.backup }
    }
}

impl PurgeResult {
    /// Whether nothing is left to do for the next deploy, rollback or purge.
    pub fn is_complete(&self) -> bool {
        self.pending.is_empty() && !matches!(self.invalidation, InvalidationResult::Pending { .. })
    }
}

impl PurgePlan {
    /// The plan as a result.
    pub fn summary(&self) -> Vec<PurgedKey> {
        self.keys.iter().map(PurgedKey::from).collect()
    }

    /// The names of the buckets.
    pub fn buckets(&self) -> &Pair<String> {
        &self.buckets
    }
}

/// Plans a purge of these keys, which are taken to the byte: no character is a pattern. Read-only.
///
/// # Errors
/// A key that is reserved, that `source`, which is about to be deployed, contains, or that neither bucket has; buckets that belong to
/// another site, or could not be read.
pub async fn plan_purge(site: &SiteContext, keys: &[String], source: Option<&Source>) -> Result<PurgePlan, Error> {
    let keys: BTreeSet<Key> = keys.iter().map(|key| key.parse()).collect::<Result<_, _>>().context(OPERATION)?;
    for key in &keys {
        if key.is_reserved() || key.is_redirect_table() {
            let why = format!("`{key}` is below a reserved prefix");
            return Err(
                Error::usage(OPERATION, why).hint("`.twinsite/` and `.well-known/twinsite/` are twinsite's own")
            );
        }
        if source.is_some_and(|source| source.get(key).is_some()) {
            return Err(part_of("the directory", key));
        }
    }
    site.check_buckets().await?;
    let stores = site.stores();
    let prefixes = prefix::list_both(&whole(&stores)).await.map_err(SyncError::from).context(OPERATION)?;
    let own = site.config.publish.prefix.as_ref();
    for key in &keys {
        let owner = prefixes.owner_of(key).or_else(|| own.filter(|own| own.contains(key)));
        if owner != own {
            let (why, hint) = match owner {
                Some(prefix) => (
                    format!("`{key}` belongs to the prefix `{prefix}`"),
                    format!("purge it there: add --prefix {prefix}"),
                ),
                None => (format!("`{key}` belongs to the main site"), "purge it there: without --prefix".to_owned()),
            };
            return Err(Error::usage(OPERATION, why).hint(hint));
        }
    }
    let mut found = Vec::new();
    for key in &keys {
        let versions = Box::pin(sync_purge::count_versions(&stores, key)).await.context(OPERATION)?;
        if versions.versions == Pair::new(0, 0) {
            let why = format!("neither bucket has an object, a version or a delete marker with the key `{key}`");
            let hint = "keys are literal: without a leading `/`, not percent-encoded, and `*` is a character";
            return Err(Error::usage(OPERATION, why).hint(hint));
        }
        found.push(versions);
    }
    if source.is_none() {
        let live = live_release(&stores.primary).await?;
        if let Some(key) = keys.iter().find(|key| live.get(key).is_some()) {
            return Err(part_of("the live release", key));
        }
    }
    Ok(PurgePlan { keys: found, buckets: stores.map(|store| store.bucket().to_owned()) })
}

fn part_of(what: &str, key: &Key) -> Error {
    Error::usage(OPERATION, format!("`{key}` is part of {what}"))
        .hint("remove it from the directory, or exclude it by a rule in `.twinsiteignore` or publish.ignore, and deploy again")
}

async fn live_release<S: VersionedStore>(primary: &S) -> Result<Release, Error> {
    let newest = Box::pin(release::newest(primary)).await.context(OPERATION)?;
    let missing = || Error::usage(OPERATION, "nothing was deployed yet: there is no release");
    let id = newest.ok_or_else(missing)?.id;
    let found = Box::pin(release::read(primary, id)).await.context(OPERATION)?;
    found.ok_or_else(missing)
}

/// Removes every version and delete marker of the planned keys from both buckets, under the deploy lock, and invalidates their paths.
/// Release records keep their names; a rollback leaves them out.
///
/// # Errors
/// What failed. The lock, or a record in the primary, keeps the keys: the next deploy, rollback or purge finishes it.
pub async fn purge(
    site: &SiteContext,
    plan: PurgePlan,
    options: &PublishOptions,
    run: &Run,
) -> Result<PurgeResult, Error> {
    let stores = site.stores();
    let keys: Vec<Key> = plan.keys.into_iter().map(|one| one.key).collect();
    let names: BTreeSet<String> = keys.iter().map(ToString::to_string).collect();
    let unfinished = UnfinishedPublish { purge: names.clone(), ..UnfinishedPublish::new(names) };
    let lease = Lease { ttl: options.lock_ttl, timeout: options.lock_timeout, ..Lease::default() };
    let owner = Owner { who: site.caller.clone(), ..Owner::here("purge") };
    let taken = Box::pin(lock::take(&stores.primary, owner, unfinished, lease, run)).await;
    let mut lock = taken.map_err(SyncError::from).context(OPERATION)?;
    let work = async |run: Run| Box::pin(purge_locked(site, &stores, &keys, options, &run)).await;
    let (done, lost) = Box::pin(lock.hold(run, work)).await;
    if let Some(lost) = lost {
        return Err(Error::new(OPERATION, SyncError::Lock(lost)));
    }
    let left = match &done {
        Ok(done) => done.left.clone(),
        Err(_) => lock.unfinished().clone(),
    };
    settle(lock, &stores.primary, left, run).await?;
    done.map(|done| done.result)
}

struct Done {
    result: PurgeResult,
    /// What is left to do for the next publish.
    left: UnfinishedPublish,
}

async fn purge_locked(
    site: &SiteContext,
    stores: &Pair<BucketStore>,
    keys: &[Key],
    options: &PublishOptions,
    run: &Run,
) -> Result<Done, Error> {
    let live = live_release(&stores.primary).await?;
    if let Some(key) = keys.iter().find(|key| live.get(key).is_some()) {
        return Err(part_of("the live release", key));
    }
    let stores = stores.as_ref().map(|store| twinsite_sync::Store::fenced(store, run));
    let what = PurgeOf { keys, newest: live.summary.id, patience: options.parity_timeout };
    let purged = Box::pin(sync_purge::purge(&stores, what, run)).await.context(OPERATION)?;
    warn_of_pending(&purged.pending, run);
    let source = live.source(&site.config.rules().context("use the configuration")?);
    let held: BTreeSet<String> = keys.iter().map(ToString::to_string).collect();
    let changes = Changes {
        held: held.clone(),
        revalidated: BTreeSet::new(),
        created: BTreeSet::new(),
        replaced: BTreeSet::new(),
        source: &source,
    };
    let invalidator = site.invalidator();
    let invalidated = async {
        match Box::pin(invalidator.prepare()).await? {
            Some(target) => {
                Box::pin(invalidator.invalidate(&target, &changes, options.wait_for_invalidation, run)).await
            }
            None => Ok(None),
        }
    };
    let purge = purged.pending.iter().map(ToString::to_string).collect();
    let mut left = UnfinishedPublish { purge, ..UnfinishedPublish::default() };
    let invalidation = match invalidated.await {
        Ok(paths) => paths.map_or(InvalidationResult::None, InvalidationResult::accepted),
        Err(error) => {
            let text = format!("CloudFront may serve what was purged until it expires: {error}");
            warn(run, text, "the pending invalidation is recorded in the bucket; the next deploy requests it again");
            left.join(UnfinishedPublish::new(held));
            InvalidationResult::Pending { error: error.to_string() }
        }
    };
    let pending = purged.pending.iter().map(ToString::to_string).collect();
    let result = PurgeResult { keys: purged.keys.iter().map(PurgedKey::from).collect(), pending, invalidation };
    Ok(Done { result, left })
}

/// Frees the lock, after what is left to do was recorded: of this purge, and of a holder that died.
async fn settle(
    lock: Lock<'_, BucketStore>,
    primary: &BucketStore,
    mut left: UnfinishedPublish,
    run: &Run,
) -> Result<(), Error> {
    left.join(lock.inherited().clone());
    if !left.is_empty() {
        left.join(Box::pin(lock::read_unfinished(primary)).await.map_err(SyncError::from).context(OPERATION)?);
        record_unfinished(primary, &left, run).await;
    }
    free_lock(lock, run).await.map_err(SyncError::from).context(OPERATION)
}

/// Finishes the purges that were interrupted before this publish, but for keys that are to be published now.
///
/// # Errors
/// [`SyncError`] if a request failed.
pub(crate) async fn finish_purges<S: VersionedStore>(
    stores: &Pair<S>,
    unfinished: &UnfinishedPublish,
    source: &Source,
    options: &PublishOptions,
    run: &Run,
) -> Result<UnfinishedPublish, SyncError> {
    let keys = unfinished.purge.iter().filter_map(|key| key.parse::<Key>().ok());
    let keys: Vec<Key> = keys.filter(|key| !key.is_reserved() && source.get(key).is_none()).collect();
    if keys.is_empty() {
        return Ok(UnfinishedPublish::default());
    }
    let newest = Box::pin(release::newest(&stores.primary)).await?.map_or(ReleaseId::default(), |newest| newest.id);
    let what = PurgeOf { keys: &keys, newest, patience: options.parity_timeout };
    let purged = Box::pin(sync_purge::purge(stores, what, run)).await?;
    warn_of_pending(&purged.pending, run);
    let versions: usize = purged.keys.iter().map(|one| one.versions.primary + one.versions.backup).sum();
    let text = format!(
        "a purge that was interrupted was finished: {} of {}",
        count(versions, "version"),
        count(keys.len(), "key")
    );
    run.emit(&Event::Warning { text, hint: None });
    let purge = purged.pending.iter().map(ToString::to_string).collect();
    Ok(UnfinishedPublish { purge, ..UnfinishedPublish::default() })
}

fn warn_of_pending(pending: &[Key], run: &Run) {
    for key in pending {
        let text = format!("a version of `{key}` was on its way to the other bucket when it was purged");
        warn(run, text, "the next deploy, rollback or purge removes what has arrived");
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Takes what was purged out of a release that is to be brought back, and returns the keys.
///
/// # Errors
/// [`SyncError`] if the bucket could not be read.
pub(crate) async fn leave_out_purged<S: VersionedStore>(
    store: &S,
    release: &mut Release,
) -> Result<Vec<Key>, SyncError> {
    let purged = Box::pin(PurgedKeys::read(store)).await?;
    let id = release.summary.id;
    let mut left_out = Vec::new();
    release.entries.retain(|entry| {
        let is_purged = purged.is_purged_from(&entry.key, id);
        if is_purged {
            left_out.push(entry.key.clone());
        }
        !is_purged
    });
    Ok(left_out)
}
