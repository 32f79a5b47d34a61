//! A publish to two buckets: the primary is written, the backup follows by replication, and what was done is recorded.
//!
//! ```
//! use std::time::Duration;
//! use twinsite_core::{Pair, Run};
//! use twinsite_sync::lock::{Lease, Owner, take};
//! use twinsite_sync::{Index, MemoryStore, Notes, Options, Publish, Publishing, ReleaseId, Rules, prepare, walk};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # std::fs::write(dir.path().join("index.html"), "<h1>hello</h1>")?;
//! let (rules, index, run) = (Rules::web(), Index::memory(), Run::silent());
//! let stores = Pair::new(MemoryStore::default(), MemoryStore::default());
//! let source = walk(dir.path(), &rules)?;
//! let prepared = prepare(&source, (&stores.primary, &stores.backup), &Options::default(), &index, &run).await?;
//! let pending = prepared.unfinished();
//! let mut lock = take(&stores.primary, Owner::here("deploy"), pending, Lease::default(), &run).await?;
//! let how = Publishing { source: &source, rules: &rules, patience: Duration::from_secs(30), notes: Notes::default(),
//!     first_release: ReleaseId::default() };
//! let work = async |run| {
//!     let mut publish = Publish::new(prepared, &stores, how, &run);
//!     publish.upload(&index).await?;
//!     // Visitors have the release. Here the CDN is told what has changed.
//!     publish.record().await?;
//!     publish.follow().await;
//!     publish.delete().await?;
//!     publish.follow().await;
//!     Ok::<_, twinsite_sync::Interrupted>(publish.end().await)
//! };
//! let (published, lost) = lock.hold(&run, work).await;
//! assert!(lost.is_none());
//! assert_eq!(published?.release.map(|release| release.id.0), Some(1));
//! lock.free().await?;
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use futures::future::join;
use tokio::task::JoinSet;
use twinsite_core::{Event, Pair, Phase, Run, Side};

use crate::lock::{self, UnfinishedPublish};
use crate::manifest::{self, Entries, Entry, Substitute, Tags};
use crate::model::release_id::{listed as listed_releases, releases_key};
use crate::plan::PlannedManifest;
use crate::plan::listing::list;
use crate::plan::{Listed, plan_with};
use crate::release::{self, Notes, RecordBuilder, Summary};
use crate::replicate::confirm::{Before, Confirming};
use crate::replicate::fill::copy_needed;
use crate::replicate::{Compared, Copies, Filled, KnownObjects, ReplicationState, ReplicationWaiter, compare_listed};
use crate::source::prehash::Prehasher;
use crate::store::{VersionedStore, list_prefix};
use crate::transfer::{Transfer, Uploads};
use crate::{
    Delete, Headers, Index, Interrupted, Key, Options, Prefix, Prefixes, ReleaseId, RemoteObject, Report, Rules,
    Source, Store, StoreError, SyncError, SyncPlan,
};

/// A publish that was planned, and nothing changed yet.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about the listings")]
pub struct Prepared {
    /// What happens to the first bucket.
    pub plan: SyncPlan,
    /// How the second bucket differs from the first where the plan changes nothing; an error when it cannot be reached, which
    /// does not keep a publish from the first.
    pub drift: Result<Compared, SyncError>,
    /// Notes of other commands in the second bucket.
    pub notes: Vec<Key>,
    seen: Vec<(Key, i64)>,
    before: Before,
    unfinished: bool,
    has_unfinished: bool,
    has_limits: bool,
    is_first: bool,
}

impl Prepared {
    /// True if it is recorded that the first bucket's store lacks a part of S3: [`lock::read_limits`] tells which.
    pub fn has_limits(&self) -> bool {
        self.has_limits
    }

    /// True when one of the buckets has no record of any publish: it may be somebody else's of the same name.
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let level = self.drift.as_ref().is_ok_and(Compared::is_in_sync);
        self.plan.is_empty() && self.plan.manifest.current && level && !self.unfinished && !self.has_unfinished
    }

    /// True when an earlier publish noted that visitors may still be served old copies.
    pub fn has_unfinished(&self) -> bool {
        self.has_unfinished
    }

    /// What is left to do should the publish not come to its end: older objects that edges may hold, and objects that are new and in no
    /// manifest yet.
    pub fn unfinished(&self) -> UnfinishedPublish {
        let held = self.older_objects().filter(|(_, served)| served.is_none_or(Headers::are_held));
        let keys = held.map(|(key, _)| key.to_string()).collect();
        let created = self.plan.puts().iter().filter(|put| put.replaces.is_none());
        let created = created.map(|put| put.object.key.to_string()).collect();
        UnfinishedPublish { created, ..UnfinishedPublish::new(keys) }
    }

    /// Keys of objects that are replaced, rewritten or deleted, and that edges ask for again within a second: nothing need be
    /// invalidated for them.
    pub fn revalidated(&self) -> BTreeSet<String> {
        let brief = self.older_objects().filter(|(_, served)| served.is_some_and(|served| !served.are_held()));
        brief.map(|(key, _)| key.to_string()).collect()
    }

    /// Objects that are replaced, rewritten or deleted, and the headers that they are served with, where known.
    fn older_objects(&self) -> impl Iterator<Item = (&Key, Option<&Headers>)> {
        let replaced = self.plan.puts().iter().filter(|put| put.replaces.is_some());
        let replaced = replaced.map(|put| (&put.object.key, put.served.as_deref()));
        let rewrites = self.plan.rewrites().iter().map(|one| (&one.object.key, one.served.as_ref()));
        let deletes = self.plan.deletes().iter().map(|one| (&one.key, one.served.as_ref()));
        replaced.chain(rewrites).chain(deletes)
    }

    /// True when nobody has published since this was planned, as far as a look at the records tells.
    ///
    /// # Errors
    /// [`SyncError`] when the bucket could not be read.
    pub async fn is_fresh(&self, primary: &impl Store) -> Result<bool, SyncError> {
        Ok(records_of(&list_prefix(primary, crate::PRIVATE).await?) == self.seen)
    }
}

/// Fails if a source has what belongs to a prefix.
fn check_below_prefixes(source: &Source, prefixes: &Prefixes) -> Result<(), SyncError> {
    for prefix in prefixes.iter() {
        let keys = source.objects.iter().map(|object| &object.key).filter(|key| prefix.contains(key));
        let keys: Vec<Key> = keys.cloned().collect();
        if !keys.is_empty() {
            return Err(SyncError::BelowPrefix { prefix: prefix.clone(), keys });
        }
    }
    Ok(())
}

/// What a publish leaves behind, and when: by this it is seen that there was one, or that a prefix was taken.
fn records_of(listing: &[RemoteObject]) -> Vec<(Key, i64)> {
    let is_record = |key: &Key| key.is_reserved() && key.is_replicated() || Prefix::of_record(key).is_some();
    let records = listing.iter().filter(|object| is_record(&object.key));
    records.map(|object| (object.key.clone(), object.modified)).collect()
}

/// Plans a publish: lists both buckets at once, compares the first with the source and the second with the first.
///
/// # Errors
/// [`SyncError`]; nothing has been changed then.
pub async fn prepare<S: VersionedStore>(
    source: &Source,
    (primary, backup_store): (&S, &S),
    options: &Options,
    index: &Index,
    run: &Run,
) -> Result<Prepared, SyncError> {
    let started = Instant::now();
    run.emit(&Event::PhaseStarted { phase: Phase::List, side: None, objects: None, bytes: None });
    let ahead = Prehasher::start(source, index);
    let (listing, other) = join(list(source, primary), list(source, backup_store)).await;
    let (mut listing, mut other) = (listing?, other);
    run.emit(&Event::PhaseDone { phase: Phase::List, side: None, took: started.elapsed() });
    let seen = records_of(&listing);
    let mut prefixes = Prefixes::of(&listing);
    prefixes.extend(other.as_deref().map(Prefixes::of).unwrap_or_default());
    check_below_prefixes(source, &prefixes)?;
    prefixes.without(&mut listing);
    if let Ok(other) = &mut other {
        prefixes.without(other);
    }
    let options = Options { side: options.side.or(Some(Side::Primary)), ..*options };
    let locks: Vec<&Key> = manifest::notes(&listing).filter(|note| lock::is_lock(note)).collect();
    let locked = !locks.is_empty();
    let has_unfinished = manifest::notes(&listing).any(lock::has_unfinished);
    let has_limits = manifest::notes(&listing).any(lock::is_limits);
    let created = created_before(primary, &locks, has_unfinished).await?;
    let listed = Listed { store: primary, listing: &listing, created: &created, substitute: None };
    let mut plan = plan_with(source, listed, &options, (index, ahead), run).await?;
    if let Some(damaged) = plan.damaged.take() {
        let backup = other.as_deref().unwrap_or_default();
        let lost =
            LostManifest { damaged, listings: Pair::new(&listing, backup), stores: Pair::new(primary, backup_store) };
        let substitute = Some(Box::pin(lost.substitute(run)).await?);
        let listed = Listed { store: primary, listing: &listing, created: &created, substitute };
        plan = plan_with(source, listed, &options, (index, Prehasher::start(source, index)), run).await?;
    }
    let before = Before::of(&listing);
    let known = |listing: &[RemoteObject]| !manifest::listed(listing).is_empty();
    let is_first = plan.is_first() || other.as_ref().is_ok_and(|listing| !known(listing));
    let notes = other.iter().flat_map(|listing| manifest::notes(listing)).cloned().collect();
    let before = before.with_deleted(&plan.deletes, other.as_deref().unwrap_or_default());
    let drift = match other {
        Ok(other) => {
            let (copies, redirects) = (Copies::default(), source.redirects());
            let known = KnownObjects { copies: &copies, redirects: &redirects };
            let (listings, stores) = (Pair::new(listing, other), Pair::new(primary, backup_store));
            compare_listed(listings, stores, known, &changing(&plan), run).await
        }
        Err(error) => Err(error.into()),
    };
    let foreign = drift.as_ref().map(|drift| drift.foreign.as_slice()).unwrap_or_default();
    let before = before.with_foreign(foreign);
    Ok(Prepared { plan, drift, notes, seen, before, unfinished: locked, has_unfinished, has_limits, is_first })
}

/// The newest manifest of the primary is damaged. Without it, nothing would count as published by twinsite, and what the source loses would
/// stay public for ever.
struct LostManifest<'a, S> {
    damaged: Key,
    listings: Pair<&'a [RemoteObject]>,
    stores: Pair<&'a S>,
}

impl<S: Store> LostManifest<'_, S> {
    /// What takes its place: another manifest of either bucket, or else the records of the releases. Says which it is.
    async fn substitute(&self, run: &Run) -> Result<Substitute, SyncError> {
        let Self { damaged, listings, stores } = self;
        let say = |what: &str, hint: Option<String>| {
            let text = format!("the manifest `{damaged}` in the primary is damaged: {what}");
            run.emit(&Event::Warning { text, hint });
        };
        for side in [Side::Primary, Side::Backup] {
            let (listing, store) = (listings.get(side), stores.get(side));
            let others = manifest::listed(listing).into_iter().rev();
            for other in others.filter(|other| side == Side::Backup || other.key != *damaged) {
                if let Some(entries) = manifest::read(*store, &other.key).await? {
                    say(&format!("`{}` in the {side} is used, and a new one is written", other.key), None);
                    return Ok(Substitute { entries, written: other.modified });
                }
            }
        }
        for side in [Side::Primary, Side::Backup] {
            let mut entries = Entries::new();
            let mut newest = None;
            for (id, _) in listed_releases(listings.get(side)).into_iter().rev() {
                let release = match release::read(*stores.get(side), id).await {
                    Ok(Some(release)) => release,
                    Ok(None) | Err(SyncError::DamagedRecord { .. }) => continue,
                    Err(error) => return Err(error),
                };
                let is_newest = *newest.get_or_insert(id) == id;
                for release::Entry { key, headers, .. } in release.entries {
                    let headers =
                        release.headers.get(headers as usize).filter(|_| is_newest).map(manifest::fingerprint);
                    entries.entry(key).or_insert(Entry { headers, release: Some(id.0), ..Entry::default() });
                }
            }
            if newest.is_some() {
                say(&format!("the records of releases in the {side} are used, and a new one is written"), None);
                return Ok(Substitute { entries, written: i64::MIN });
            }
        }
        let hint = "objects that are not part of the source are named below as not published by twinsite; `deploy --delete all` deletes them";
        say("and nothing else tells what twinsite has published", Some(hint.to_owned()));
        Ok(Substitute { entries: Entries::new(), written: i64::MIN })
    }
}

/// Keys that unfinished publishes have created: no manifest names them yet.
async fn created_before(primary: &impl Store, locks: &[&Key], has_unfinished: bool) -> Result<HashSet<Key>, SyncError> {
    let mut unfinished = UnfinishedPublish::default();
    for lock in locks {
        unfinished.join(lock::unfinished_of_holder(primary, lock).await?);
    }
    if has_unfinished {
        unfinished.join(lock::read_unfinished(primary).await?);
    }
    Ok(unfinished.created.iter().filter_map(|key| key.parse().ok()).collect())
}

fn changing(plan: &SyncPlan) -> BTreeSet<Key> {
    let puts = plan.puts().iter().map(|put| &put.object.key);
    let rewrites = plan.rewrites().iter().map(|rewrite| &rewrite.object.key);
    let deletes = plan.deletes().iter().map(|delete| &delete.key);
    let changes = puts.chain(rewrites).chain(deletes);
    let PlannedManifest { name, listed, .. } = &plan.manifest;
    let manifests = listed.iter().map(|object| object.key.clone());
    let manifests = manifests.chain([name.key(Tags::None), name.key(Tags::Named)]);
    let manifests = manifests.filter(|_| !plan.is_empty() || !plan.manifest.current);
    changes.cloned().chain(manifests).collect()
}

/// How to publish.
#[derive(Clone, Debug)]
pub struct Publishing<'a> {
    /// What was planned for.
    pub source: &'a Source,
    /// The order of uploads.
    pub rules: &'a Rules,
    /// How long replication is waited for, after the last upload, before what is late is copied.
    pub patience: Duration,
    /// What people write about the release.
    pub notes: Notes,
    /// The least number of the release: see [`active_side`](crate::active_side).
    pub first_release: ReleaseId,
}

/// What a publish did.
#[derive(Debug)]
pub struct Published {
    /// What was done to the primary. Its duration ends with the last upload: from then on, visitors have the release.
    pub report: Report,
    /// What the backup lacked beforehand.
    pub drift: Filled,
    /// How the backup followed.
    pub replication: ReplicationState,
    /// The release; `None` if nothing changed.
    pub release: Option<Summary>,
    /// Keys of the source that another program replaced or deleted in the primary meanwhile.
    pub replaced: Vec<Key>,
    /// Keys that only the backup has, and had before.
    pub foreign: Vec<Key>,
}

/// A publish in progress. The caller holds the lock, and calls [`upload`](Self::upload), [`record`](Self::record),
/// [`follow`](Self::follow), [`delete`](Self::delete), `follow` and [`end`](Self::end) in this order.
///
/// Uploads wait for nothing but the primary. Deletes wait for the backup: replication keeps no order, and a page of the backup must not
/// name what is deleted already.
pub struct Publish<'a, S> {
    transfer: Transfer<'a, S>,
    waiter: ReplicationWaiter<'a, S>,
    /// Both send nothing after the lease has expired.
    stores: Pair<S>,
    how: Publishing<'a>,
    run: &'a Run,
    uploads: Option<Uploads>,
    deletes: Vec<Delete>,
    manifest: Option<PlannedManifest>,
    drift: Option<Result<Compared, SyncError>>,
    draft: Option<Recalled>,
    /// Whether the plan changes any object.
    changes: bool,
    filled: Filled,
    release: Option<Summary>,
    /// How many of the objects that were written, and of those that were deleted, the backup has followed.
    followed: (usize, usize),
    /// What the buckets held before.
    before: Before,
    /// Whether objects had to be looked at to know that they are in sync.
    asked: bool,
}

impl<S> std::fmt::Debug for Publish<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publish").field("release", &self.release).finish_non_exhaustive()
    }
}

impl<'a, S: VersionedStore> Publish<'a, S> {
    /// The execution of what was prepared.
    pub fn new(prepared: Prepared, stores: &'a Pair<S>, how: Publishing<'a>, run: &'a Run) -> Self {
        let Prepared { plan, drift, mut before, unfinished, has_unfinished, .. } = prepared;
        let (changes, previous) = (!plan.is_empty(), plan.releases().last().copied());
        // Objects that stayed for an earlier release may be part of this one again, and then nothing need be sent.
        let doubtful = unfinished || has_unfinished || !plan.manifest.current;
        let draft = (changes || doubtful || previous.is_none())
            .then(|| RecordBuilder::of(&plan, how.source).not_before(how.first_release));
        let stores = stores.as_ref().map(|store| store.fenced(run));
        let draft = draft.map(|draft| recalled(draft, stores.primary.clone()));
        let SyncPlan { puts, rewrites, deletes, kept, manifest, side, .. } = plan;
        let asked = drift.as_ref().is_ok_and(|drift| drift.asked);
        let waiter = ReplicationWaiter::new(stores.clone(), how.patience, run).knowing(how.source);
        let waiter = waiter.deleting(before.take_deleted());
        Self {
            transfer: Transfer::new(stores.primary.clone(), run, side, kept),
            waiter,
            stores,
            run,
            uploads: Some(Uploads { puts, rewrites }),
            deletes,
            manifest: Some(manifest),
            drift: Some(drift),
            draft,
            changes,
            filled: Filled::default(),
            release: None,
            followed: (0, 0),
            before,
            asked,
            how,
        }
    }

    /// Whether objects are to be deleted.
    pub fn has_deletes(&self) -> bool {
        !self.deletes.is_empty()
    }

    /// Uploads to the primary: assets, pages, entry documents.
    ///
    /// # Errors
    /// [`Interrupted`]: what was done. Planning and publishing again finishes it.
    pub async fn upload(&mut self, index: &Index) -> Result<(), Interrupted> {
        match self.uploads.take() {
            Some(uploads) => Box::pin(self.transfer.upload(uploads, index)).await,
            None => Ok(()),
        }
    }

    /// Writes the release record, whose number only one publish can take, and the manifest unless objects are to be deleted first.
    ///
    /// # Errors
    /// As [`Self::upload`]; [`SyncError::Raced`] if another publish has taken the number.
    pub async fn record(&mut self) -> Result<(), Interrupted> {
        if let Err(error) = self.write_record().await {
            return Err(self.transfer.interrupted(vec![(releases_key(), error)], self.deletes.len()));
        }
        if self.has_deletes() { Ok(()) } else { self.write_manifest().await }
    }

    async fn write_record(&mut self) -> Result<(), SyncError> {
        let Some(mut recalled) = self.draft.take() else { return Ok(()) };
        let draft = match recalled.join_next().await {
            None => return Ok(()),
            Some(Ok(draft)) => draft?,
            Some(Err(stopped)) => return Err(StoreError::Broken(stopped.to_string()).into()),
        };
        if !self.changes && draft.has_previous() {
            return Ok(());
        }
        self.run.check()?;
        let notes = std::mem::take(&mut self.how.notes);
        let deletes = self.deletes.len();
        let (made, wrote) = release::write(&self.stores.primary, draft, &self.transfer.report, deletes, notes).await?;
        self.release = Some(made);
        self.transfer.report.wrote.extend(wrote);
        Ok(())
    }

    async fn write_manifest(&mut self) -> Result<(), Interrupted> {
        match self.manifest.take() {
            Some(manifest) => self.transfer.write_manifest(manifest).await,
            None => Ok(()),
        }
    }

    /// Deletes from the primary, and writes the manifest.
    ///
    /// # Errors
    /// As [`Self::upload`].
    pub async fn delete(&mut self) -> Result<(), Interrupted> {
        if !self.has_deletes() {
            return Ok(());
        }
        let deletes = std::mem::take(&mut self.deletes);
        Box::pin(self.transfer.delete(deletes)).await?;
        self.write_manifest().await
    }

    /// Waits until the backup has what was written and deleted since the last call. What the backup lacked before, and what is late, is
    /// copied. Failures are in [`Published::replication`]: the primary does not depend on them.
    pub async fn follow(&mut self) {
        let Pair { primary, backup } = &self.stores;
        match self.drift.take() {
            None => {}
            Some(Ok(drift)) if drift.is_in_sync() => {}
            Some(Ok(drift)) => match Box::pin(copy_needed(drift, primary, backup, self.how.rules, self.run)).await {
                Ok(mut done) => {
                    self.waiter.state.copies.extend(std::mem::take(&mut done.copies));
                    self.filled = done;
                }
                Err(stopped) => {
                    let (error, cancelled) = (stopped.failed.into_iter().next(), SyncError::Cancelled);
                    self.waiter.state.trouble = Some(error.map_or(cancelled, |(_, error)| error));
                }
            },
            Some(Err(error)) => self.waiter.state.trouble = Some(error),
        }
        let report = &self.transfer.report;
        let wrote = report.wrote.get(self.followed.0..).unwrap_or_default();
        let removed = report.removed.get(self.followed.1..).unwrap_or_default();
        if wrote.is_empty() && removed.is_empty() {
            return;
        }
        self.waiter.end(wrote, removed).await;
        self.followed = (report.wrote.len(), report.removed.len());
    }

    /// Compares both buckets as they are now, because other programs may have written to them, copies to the backup what differs, and
    /// returns what was done. Large sites are not listed once more: of them, only what was written and deleted was followed.
    pub async fn end(self) -> Published {
        let Self { transfer, waiter, stores, filled, release, asked, before, how, run, .. } = self;
        let mut replication = waiter.state;
        // Copies are younger than their originals, and opaque entity tags differ between the buckets.
        let opaque = transfer.report.wrote.iter().any(|wrote| wrote.digest.is_some()) || asked || waiter.has_opaque;
        let notes = opaque || filled.copied > 0 || !replication.copied.is_empty();
        let (source, rules, wrote) = (how.source, how.rules, transfer.report.wrote.as_slice());
        let confirming = Confirming { source, rules, before: &before, wrote, notes };
        let replaced = if before.is_large() && !notes {
            Vec::new()
        } else {
            Box::pin(confirming.run(stores.as_ref(), &mut replication, run)).await.unwrap_or_else(|error| {
                replication.trouble.get_or_insert(error);
                Vec::new()
            })
        };
        let foreign = before.into_foreign();
        Published { report: transfer.report, drift: filled, replication, release, replaced, foreign }
    }
}

/// A draft whose release before is read while objects are sent.
type Recalled = JoinSet<Result<RecordBuilder, SyncError>>;

fn recalled<S: VersionedStore>(mut draft: RecordBuilder, primary: S) -> Recalled {
    let mut recalled = JoinSet::new();
    recalled.spawn(async move { draft.load_previous(&primary).await.map(|()| draft) });
    recalled
}
