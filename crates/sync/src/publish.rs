//! A publish to two buckets: the first is written, the second follows, and what was done is recorded.
//!
//! ```
//! use std::time::Duration;
//! use twinsite_core::Run;
//! use twinsite_sync::lock::{Lease, Owner, take};
//! use twinsite_sync::{Index, MemoryStore, Notes, Options, Publishing, Rules, prepare, publish, walk};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # std::fs::write(dir.path().join("index.html"), "<h1>hello</h1>")?;
//! let (rules, index, run) = (Rules::web(), Index::memory(), Run::silent());
//! let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
//! let source = walk(dir.path(), &rules)?;
//! let prepared = prepare(&source, (&primary, &backup), &Options::default(), &index, &run).await?;
//! let mut lock = take(&primary, Owner::here("deploy"), prepared.pending_invalidations(), Lease::default(), &run).await?;
//! let patience = Duration::from_secs(30);
//! let how = Publishing { source: &source, rules: &rules, patience, notes: Notes::default() };
//! let (published, lost) =
//!     lock.hold(&run, async |run| publish(prepared, (&primary, &backup), how, &index, &run).await).await;
//! assert!(lost.is_none());
//! assert_eq!(published?.release.map(|release| release.id.0), Some(1));
//! // Here the CDN is told what to forget: `lock.pending_invalidations()`.
//! lock.free().await?;
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join;
use tokio::task::JoinSet;
use twinsite_core::{Event, Phase, Run, Side};

use crate::lock::{self, PendingInvalidations};
use crate::plan::listing::list;
use crate::plan::plan_with;
use crate::release::{self, Notes, RecordBuilder, Summary};
use crate::replicate::{Compared, Filled, ReplicationState, ReplicationWaiter, compare_listed, fill, marker};
use crate::source::prehash::Prehasher;
use crate::store::VersionedStore;
use crate::transfer::{WaveBarrier, transfer_with_barrier};
use crate::{
    Index, Interrupted, Key, Options, RemoteObject, Report, Rules, Source, Store, StoreError, SyncError, SyncPlan,
    WrittenObject,
};

/// A publish that was planned, and nothing changed yet.
#[derive(Debug)]
pub struct Prepared {
    /// What happens to the first bucket.
    pub plan: SyncPlan,
    /// How the second bucket differs from the first where the plan changes nothing; an error when it cannot be reached, which
    /// does not keep a publish from the first.
    pub drift: Result<Compared, SyncError>,
    /// Notes of other commands in the second bucket.
    pub notes: Vec<Key>,
    seen: Vec<(Key, i64)>,
    unfinished: bool,
    has_pending: bool,
    is_first: bool,
}

impl Prepared {
    /// True when one of the buckets has no record of any publish: it may be somebody else's of the same name.
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let level = self.drift.as_ref().is_ok_and(Compared::is_in_sync);
        self.plan.is_empty() && self.plan.ledger.current && level && !self.unfinished && !self.has_pending
    }

    /// True when an earlier publish noted that visitors may still be served old copies.
    pub fn has_pending(&self) -> bool {
        self.has_pending
    }

    /// What visitors may be served old copies of, once this is published. What is new was never cached.
    pub fn pending_invalidations(&self) -> PendingInvalidations {
        let puts = self.plan.puts().iter().filter(|put| put.reason.word() != "absent").map(|put| &put.object.key);
        let rewrites = self.plan.rewrites().iter().map(|rewrite| &rewrite.object.key);
        let deletes = self.plan.deletes().iter().map(|delete| &delete.key);
        PendingInvalidations::new(puts.chain(rewrites).chain(deletes).map(ToString::to_string).collect::<BTreeSet<_>>())
    }

    /// True when nobody has published since this was planned, as far as a look at the records tells.
    ///
    /// # Errors
    /// [`SyncError`] when the bucket could not be read.
    pub async fn is_fresh(&self, primary: &impl Store) -> Result<bool, SyncError> {
        let mut records = Vec::new();
        let mut after = ".twinsite/".to_owned();
        loop {
            let page = primary.page(Some(&after)).await?;
            let last = page.objects.last().map(|object| object.key.as_str().to_owned());
            records.extend(records_of(&page.objects));
            match last {
                Some(last) if page.more && last.starts_with(crate::PRIVATE) => after = last,
                _ => return Ok(records == self.seen),
            }
        }
    }
}

/// What a publish leaves behind, and when: by this it is seen that there was one.
fn records_of(listing: &[RemoteObject]) -> Vec<(Key, i64)> {
    let records = listing.iter().filter(|object| object.key.is_reserved() && object.key.is_replicated());
    records.map(|object| (object.key.clone(), object.modified)).collect()
}

/// Plans a publish: lists both buckets at once, compares the first with the source and the second with the first.
///
/// # Errors
/// [`SyncError`]; nothing has been changed then.
pub async fn prepare<S: VersionedStore>(
    source: &Source,
    (primary, backup): (&S, &S),
    options: &Options,
    index: &Index,
    run: &Run,
) -> Result<Prepared, SyncError> {
    let started = Instant::now();
    run.emit(&Event::PhaseStarted { phase: Phase::List, side: None, objects: None, bytes: None });
    let ahead = Prehasher::start(source, index);
    let (listing, other) = join(list(source, primary), list(source, backup)).await;
    let listing = listing?;
    run.emit(&Event::PhaseDone { phase: Phase::List, side: None, took: started.elapsed() });
    let options = Options { side: Some(Side::Primary), ..*options };
    let plan = plan_with(source, (primary, &listing), &options, (index, ahead), run).await?;
    let seen = records_of(&listing);
    let has = |key: &str| plan.notes().iter().any(|note| note.as_str() == key);
    let (locked, has_pending) = (has(lock::KEY), plan.notes().iter().any(lock::has_pending));
    let known = |listing: &[RemoteObject]| !crate::manifest::ledgers(listing).is_empty();
    let is_first = plan.is_first() || other.as_ref().is_ok_and(|listing| !known(listing));
    let notes = other.as_ref().map(|listing| notes_of(listing)).unwrap_or_default();
    let drift = match other {
        Ok(other) => compare_listed((primary, listing), (backup, other), &changing(&plan), run).await,
        Err(error) => Err(error.into()),
    };
    Ok(Prepared { plan, drift, notes, seen, unfinished: locked, has_pending, is_first })
}

fn notes_of(listing: &[RemoteObject]) -> Vec<Key> {
    listing.iter().map(|object| &object.key).filter(|key| crate::manifest::is_note(key)).cloned().collect()
}

fn changing(plan: &SyncPlan) -> BTreeSet<Key> {
    let puts = plan.puts().iter().map(|put| &put.object.key);
    let rewrites = plan.rewrites().iter().map(|rewrite| &rewrite.object.key);
    let deletes = plan.deletes().iter().map(|delete| &delete.key);
    let changes = puts.chain(rewrites).chain(deletes);
    let ledgers =
        plan.ledger.stale.iter().chain([&plan.ledger.key]).filter(|_| !plan.is_empty() || !plan.ledger.current);
    changes.chain(ledgers).cloned().collect()
}

/// How to publish.
#[derive(Debug)]
pub struct Publishing<'a> {
    /// What was planned for.
    pub source: &'a Source,
    /// The order of things.
    pub rules: &'a Rules,
    /// How long replication is waited for after each wave, before what is late is copied.
    pub patience: Duration,
    /// What people write about the release.
    pub notes: Notes,
}

/// What a publish did.
#[derive(Debug)]
pub struct Published {
    /// What was done to the first bucket.
    pub report: Report,
    /// What the second bucket had to be given beforehand.
    pub drift: Filled,
    /// How the second bucket followed.
    pub replication: ReplicationState,
    /// The release; `None` when nothing changed.
    pub release: Option<Summary>,
}

/// Publishes what was planned. The caller holds the lock.
///
/// # Errors
/// [`Interrupted`] says what was done. Planning and publishing again finishes it.
pub async fn publish<S: VersionedStore>(
    prepared: Prepared,
    (primary, backup): (&S, &S),
    how: Publishing<'_>,
    index: &Index,
    run: &Run,
) -> Result<Published, Interrupted> {
    let Prepared { plan, drift, unfinished, has_pending, .. } = prepared;
    let mut follower = ReplicationWaiter::new(primary, backup, how.patience, run).knowing(how.source);
    let mut filled = Filled::default();
    match drift {
        Ok(drift) if drift.is_in_sync() => {}
        Ok(drift) => match Box::pin(fill(drift, primary, backup, how.rules, run)).await {
            Ok(done) => filled = done,
            Err(stopped) => follower.state.trouble = stopped.failed.into_iter().next().map(|(_, error)| error),
        },
        Err(error) => follower.state.trouble = Some(error),
    }
    let (changes, previous) = (!plan.is_empty(), plan.releases().last().copied());
    // Objects that stayed for an earlier release may be part of this one again, and then nothing need be sent.
    let doubtful = unfinished || has_pending || !plan.ledger.current;
    let draft = (changes || doubtful || previous.is_none()).then(|| RecordBuilder::of(&plan, how.source));
    let draft = draft.map(|draft| recalled(draft, primary.clone()));
    let mut company = PublishContext { follower, primary, draft, changes, notes: how.notes, release: None };
    let report = Box::pin(transfer_with_barrier(plan, primary, index, run, &mut company)).await?;
    let PublishContext { mut follower, release, .. } = company;
    let rest = report.wrote.get(report.followed..).unwrap_or_default();
    if !rest.is_empty() || !report.removed.is_empty() {
        follower.end(rest, &report.removed).await;
    }
    write_sync_marker(&mut follower.state, (primary, backup), release.as_ref()).await;
    Ok(Published { report, drift: filled, replication: follower.state, release })
}

/// A draft whose release before is read while objects are sent.
type Recalled = JoinSet<Result<RecordBuilder, SyncError>>;

fn recalled<S: VersionedStore>(mut draft: RecordBuilder, primary: S) -> Recalled {
    let mut recalled = JoinSet::new();
    recalled.spawn(async move { draft.load_previous(&primary).await.map(|()| draft) });
    recalled
}

/// What goes with a transfer: the second bucket follows it, and a release is made of it.
struct PublishContext<'a, S> {
    follower: ReplicationWaiter<'a, S>,
    primary: &'a S,
    draft: Option<Recalled>,
    /// Whether there is anything new about it.
    changes: bool,
    notes: Notes,
    release: Option<Summary>,
}

impl<S: VersionedStore> WaveBarrier for PublishContext<'_, S> {
    async fn wait_for_backup(&mut self, wrote: &[WrittenObject]) {
        self.follower.end(wrote, &[]).await;
    }

    async fn record(&mut self, report: &Report) -> Result<Vec<WrittenObject>, SyncError> {
        let Some(mut recalled) = self.draft.take() else { return Ok(Vec::new()) };
        let draft = match recalled.join_next().await {
            None => return Ok(Vec::new()),
            Some(Ok(draft)) => draft?,
            Some(Err(stopped)) => return Err(StoreError::Broken(stopped.to_string()).into()),
        };
        if !self.changes && draft.has_previous() {
            return Ok(Vec::new());
        }
        let (made, wrote) = release::write(self.primary, draft, report, std::mem::take(&mut self.notes)).await?;
        self.release = Some(made);
        Ok(wrote)
    }
}

/// Copies are younger than their originals: a note spares looking at them again. That it could not be written costs
/// only those looks.
async fn write_sync_marker<S: VersionedStore>(
    replication: &mut ReplicationState,
    (primary, backup): (&S, &S),
    release: Option<&Summary>,
) {
    let (false, true, Some(release)) = (replication.copied.is_empty(), replication.trouble.is_none(), release) else {
        return;
    };
    if let Ok(Some(look)) = primary.look(&release.id.key(0), None).await {
        drop(marker::write(backup, look.modified).await);
    }
}
