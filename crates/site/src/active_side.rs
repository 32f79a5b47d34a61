//! Which bucket is written: the primary, or the backup alone while it is the active side.
//!
//! When the primary cannot be reached, a deploy or a rollback publishes to the backup alone and makes it the active side. From then on
//! only the backup is written, also when the primary can be reached again, until [`level_primary`] has copied to the primary what was
//! published meanwhile and has made it active again. So nothing that is published during an outage is lost, and no release number is
//! given twice: see [`twinsite_sync::active_side`].

use std::time::Duration;

use futures::future::{FutureExt, LocalBoxFuture};
use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Event, Pair, Run, Side};
use twinsite_sync::active_side::{
    ChangeDetails, ListedChange, SideChange, change_side, first_release_after, newest_change, read_change,
};
use twinsite_sync::lock::{self, Lease, Owner, UnfinishedPublish};
use twinsite_sync::replicate::{compare, fill};
use twinsite_sync::{Key, ReleaseId, Rules, ScopedStore, Store, SyncError, VersionedStore, prefix, release};

use crate::error::{Context, Error};
use crate::options::PublishOptions;
use crate::releases::rfc3339;
use crate::response_limit::in_time;
use crate::unfinished::{free_lock, record_unfinished};

/// How long after a failure the primary is asked once more, before it counts as unreachable.
pub(crate) const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Why only the backup is written.
#[derive(Clone, Debug)]
pub struct BackupAlone {
    /// The newest change of sides when the publish was planned.
    before: Option<ListedChange>,
    /// Why the primary could not be reached; `None` if it can, and the backup is the active side all the same.
    pub unreachable: Option<String>,
}

impl BackupAlone {
    /// The backup alone if it is the active side; `None` if the primary is.
    pub(crate) fn of_change(newest: Option<ListedChange>) -> Option<Self> {
        ListedChange::to_backup(newest).map(|active| Self { before: Some(active), unreachable: None })
    }

    /// The backup alone, because the primary cannot be reached.
    pub(crate) fn of_outage(newest: Option<ListedChange>, reason: String) -> Self {
        Self { before: newest, unreachable: Some(reason) }
    }

    /// Says that, and why, only the backup is written.
    pub(crate) fn tell(&self, run: &Run) {
        let text = match &self.unreachable {
            Some(reason) => format!("the primary cannot be reached, so only the backup is published to: {reason}"),
            None => "the backup is the active side since the primary was unreachable: only the backup is published to"
                .to_owned(),
        };
        let hint = "once the primary can be reached, `twinsite failback` copies what was published meanwhile, and makes it active again";
        run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
    }

    /// Makes the backup the active side, unless it is already. The caller holds the backup's lock. Returns the least number of the
    /// release that is about to be made.
    pub(crate) async fn claim<S: VersionedStore>(
        &self,
        backup: &S,
        newest: ReleaseId,
        who: Option<&str>,
    ) -> Result<ReleaseId, SyncError> {
        let now = newest_change(backup).await?;
        if now != self.before {
            return Err(SyncError::Raced("the active side was changed by another command meanwhile".to_owned()));
        }
        let change = if let Some(active) = ListedChange::to_backup(self.before) {
            read_change(backup, active).await?
        } else {
            let details = ChangeDetails {
                who: who.map(str::to_owned),
                reason: self.unreachable.clone().unwrap_or_default(),
                first_release: first_release_after(newest),
                ..ChangeDetails::default()
            };
            change_side(backup, self.before, Side::Backup, details).await?
        };
        Ok(change.details.first_release)
    }
}

/// Why the primary does not answer; `None` if it does, whatever it answers.
pub(crate) async fn does_not_answer<S: VersionedStore>(primary: &S, run: &Run) -> Option<String> {
    match in_time(run, primary.page(None)).await {
        Err(_) if run.is_cancelled() => None,
        Err(none) => Some(none.to_string()),
        Ok(Err(error)) => {
            let error = SyncError::from(error);
            error.is_unreachable().then(|| error.to_string())
        }
        Ok(Ok(_)) => None,
    }
}

/// Fails if the backup was made the active side since a publish to the primary was planned.
pub(crate) fn check_primary_is_active(notes: &[Key]) -> Result<(), SyncError> {
    match ListedChange::to_backup(ListedChange::newest(notes)) {
        Some(_) => Err(SyncError::Raced("the backup was made the active side meanwhile".to_owned())),
        None => Ok(()),
    }
}

/// Fails if the backup is the active side: then the primary must not be copied over it.
///
/// # Errors
/// It is, or the backup could not be read.
pub(crate) async fn refuse_active_backup<S: VersionedStore>(backup: &S, operation: &str) -> Result<(), Error> {
    if ListedChange::to_backup(newest_change(backup).await.context(operation)?).is_none() {
        return Ok(());
    }
    let why = "the backup is the active side: it has releases that the primary lacks";
    Err(Error::refused(operation, why).hint("copy them to the primary first: `twinsite failback`"))
}

/// What was copied to the primary when it was made active again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Leveled {
    /// Objects copied.
    pub copied: usize,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// Objects deleted.
    pub deleted: usize,
    /// Since when the backup was the active side, as RFC 3339, if it is known.
    pub since: String,
    /// Releases that only the primary had: they were published to it while the backup was active, or just before, and are superseded by what
    /// the backup has.
    pub superseded: Vec<u64>,
}

const LEVEL: &str = "bring the primary level with the backup";

/// If the backup is the active side, copies to the primary what it lacks, of the main site and of all prefixes, and makes the primary active
/// again. Holds the locks of both buckets, and those of all prefixes. `None` if the primary is active already.
///
/// # Errors
/// What could not be read or copied. The backup then stays active; repeating this finishes the rest.
pub async fn level_primary<S: VersionedStore>(
    stores: &Pair<S>,
    rules: &Rules,
    options: PublishOptions,
    run: &Run,
) -> Result<Option<Leveled>, Error> {
    let Some(active) = active_backup(&stores.backup).await? else { return Ok(None) };
    let prefixes = prefix::list_both(stores).await.map_err(SyncError::from).context(LEVEL)?;
    let owners = std::iter::once(None).chain(prefixes.iter().cloned().map(Some));
    let owners: Vec<Owned<S>> = owners
        .map(|prefix| Owned {
            stores: stores.as_ref().map(|store| ScopedStore::new(store.clone(), prefix.clone())),
            rules: rules.clone().below(prefix),
        })
        .collect();
    let lease = Lease { ttl: options.lock_ttl, timeout: options.lock_timeout, probe: false };
    level_owners(&owners, Leveling { active, lease }, run).await.map(Some)
}

/// The main site, or a prefix, in both buckets.
struct Owned<S> {
    stores: Pair<ScopedStore<S>>,
    rules: Rules,
}

#[derive(Clone, Copy)]
struct Leveling {
    active: ListedChange,
    lease: Lease,
}

/// Brings the primary level with the backup, one owner after the other. The locks of all of them are held until the primary is active, so
/// that none publishes to the backup after it was leveled.
fn level_owners<'a, S: VersionedStore>(
    owners: &'a [Owned<S>],
    leveling: Leveling,
    run: &'a Run,
) -> LocalBoxFuture<'a, Result<Leveled, Error>> {
    let work = async move {
        let Leveling { active, lease } = leveling;
        let Some((Owned { stores, rules }, others)) = owners.split_first() else {
            return Err(Error::refused(LEVEL, "there is nothing to bring level"));
        };
        let take = |side, store| {
            let (owner, none) = (Owner::here("failback"), UnfinishedPublish::default());
            lock::take_on(side, store, owner, none, lease, run)
        };
        let mut backup = take(Side::Backup, &stores.backup).await.map_err(SyncError::from).context(LEVEL)?;
        let mut left = match refuse_half_release(&stores.backup, backup.inherited(), run).await {
            Ok(left) => left,
            Err(error) => {
                drop(free_lock(backup, run).await);
                return Err(error);
            }
        };
        let (done, lost) = backup
            .hold(run, async |run| {
                // Somebody else's lock of the primary may have to be waited for, so that the backup's is renewed already.
                let mut primary = take(Side::Primary, &stores.primary).await.map_err(SyncError::from).context(LEVEL)?;
                left.join(primary.inherited().clone());
                let level_one = async |run: Run| {
                    let mut leveled = Box::pin(level_locked(stores, active, rules, &run)).await?;
                    if others.is_empty() {
                        activate_primary(stores, active, &run).await?;
                    } else {
                        let rest = level_owners(others, leveling, &run).await?;
                        leveled.copied += rest.copied;
                        leveled.bytes += rest.bytes;
                        leveled.deleted += rest.deleted;
                    }
                    left.join(lock::read_unfinished(&stores.primary).await.map_err(SyncError::from).context(LEVEL)?);
                    // What visitors get is whole on both sides now.
                    left.record = false;
                    if !left.is_empty() {
                        record_unfinished(&stores.primary, &left, &run).await;
                        lock::clear_unfinished(&stores.backup).await.map_err(SyncError::from).context(LEVEL)?;
                    }
                    Ok(leveled)
                };
                let (done, lost) = primary.hold(&run, level_one).await;
                drop(free_lock(primary, &run).await);
                match (done, lost) {
                    (Err(_), Some(lost)) => Err(Error::new(LEVEL, SyncError::from(lost))),
                    (done, _) => done,
                }
            })
            .await;
        drop(free_lock(backup, run).await);
        match (done, lost) {
            (Err(_), Some(lost)) => Err(Error::new(LEVEL, SyncError::from(lost))),
            (done, _) => done,
        }
    };
    work.boxed_local()
}

async fn activate_primary<S: VersionedStore>(
    stores: &Pair<ScopedStore<S>>,
    active: ListedChange,
    run: &Run,
) -> Result<(), Error> {
    run.check().context(LEVEL)?;
    let backup = stores.backup.fenced(run);
    change_side(&backup, Some(active), Side::Primary, ChangeDetails::default()).await.map(drop).context(LEVEL)
}

/// What interrupted publishes to the backup have left to do, which the next publish to the primary has to do instead.
///
/// # Errors
/// What the backup has is a part of a release. What is left to do stays recorded.
async fn refuse_half_release<S: VersionedStore>(
    backup: &ScopedStore<S>,
    inherited: &UnfinishedPublish,
    run: &Run,
) -> Result<UnfinishedPublish, Error> {
    let mut left = inherited.clone();
    left.join(lock::read_unfinished(backup).await.map_err(SyncError::from).context(LEVEL)?);
    // A publish that died before its first page, or after its record, has left whole what visitors get.
    if !left.record || release::is_live_whole(backup).await.context(LEVEL)? {
        return Ok(left);
    }
    record_unfinished(backup, &left, run).await;
    let (of, flag) = match backup.prefix() {
        None => (String::new(), String::new()),
        Some(prefix) => (format!(" of the prefix `{prefix}`"), format!(" --prefix {prefix}")),
    };
    let why = format!("a publish{of} to the backup was interrupted, so that the backup may have half of a release");
    let hint = format!("complete it first: `twinsite deploy{flag}`, or go back: `twinsite rollback{flag}`");
    Err(Error::refused(LEVEL, why).hint(hint))
}

async fn active_backup<S: VersionedStore>(backup: &S) -> Result<Option<ListedChange>, Error> {
    Ok(ListedChange::to_backup(newest_change(backup).await.context(LEVEL)?))
}

async fn level_locked<S: VersionedStore>(
    stores: &Pair<S>,
    active: ListedChange,
    rules: &Rules,
    run: &Run,
) -> Result<Leveled, Error> {
    // Under the locks, nobody changes the side any more.
    if active_backup(&stores.backup).await? != Some(active) {
        let raced = SyncError::Raced("the active side was changed by another command meanwhile".to_owned());
        return Err(Error::new(LEVEL, raced));
    }
    let SideChange { details, .. } = read_change(&stores.backup, active).await.context(LEVEL)?;
    let known = release::list_ids(&stores.backup).await.context(LEVEL)?;
    let there = release::list_ids(&stores.primary).await.context(LEVEL)?;
    let superseded = there.into_iter().filter(|id| known.binary_search(id).is_err()).map(|id| id.0).collect();
    let fenced = stores.as_ref().map(|store| store.fenced(run));
    let mut compared = compare(&fenced.backup, &fenced.primary, run).await.context(LEVEL)?;
    compared.side = Some(Side::Primary);
    let filled = fill(compared, &fenced.backup, &fenced.primary, rules, run).await.context(LEVEL)?;
    if let Some(key) = filled.missed.first() {
        let raced = SyncError::Raced(format!("`{key}` was changed by another program meanwhile"));
        return Err(Error::new(LEVEL, raced));
    }
    let (copied, bytes, deleted) = (filled.copied, filled.bytes, filled.deleted);
    // Of a damaged record, only the side is known.
    let since = if details.since == 0 { "an unknown time".to_owned() } else { rfc3339(details.since) };
    Ok(Leveled { copied, bytes, deleted, since, superseded })
}
