//! How two buckets differ, from their listings, and from looks at what listings cannot tell.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::future::try_join;
use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::{Event, Pair, Phase, Run};

use super::fill::newest_release;
use super::join::{Cursor, Meeting, is_compared, next};
use super::marker::{self, Note};
use super::{Cause, Compared, Copies, Needed, RestoredRecord};
use crate::plan::diff::header_changes;
use crate::release;
use crate::store::{Store, VersionHead, VersionedStore};
use crate::{ETag, Key, ListedObject, Prefix, Prefixes, ReleaseId, RemoteObject, SyncError};

/// Objects looked at at once.
const WIDTH: usize = 48;

/// Compares two buckets, but for what is below the prefixes that they have: that belongs to others.
///
/// # Errors
/// [`SyncError`] when one of them could not be read.
pub async fn compare<S: VersionedStore>(first: &S, second: &S, run: &Run) -> Result<Compared, SyncError> {
    compare_extent(first, second, Extent::OneOwner, run).await
}

/// The same with what is below prefixes. Only to be shown: what belongs to others may be about to change.
///
/// # Errors
/// As [`compare`].
pub async fn compare_everything<S: VersionedStore>(first: &S, second: &S, run: &Run) -> Result<Compared, SyncError> {
    compare_extent(first, second, Extent::Everything, run).await
}

async fn compare_extent<S: VersionedStore>(
    first: &S,
    second: &S,
    extent: Extent,
    run: &Run,
) -> Result<Compared, SyncError> {
    let started = std::time::Instant::now();
    run.emit(&Event::PhaseStarted { phase: Phase::Verify, side: None, objects: None, bytes: None });
    let (copies, redirects) = (Copies::default(), redirects_of_newest_release(first).await?);
    let mut comparison = Comparison::new(KnownObjects { copies: &copies, redirects: &redirects });
    comparison.extent = extent;
    comparison.walk(Cursor::of(first), Cursor::of(second), &BTreeSet::new()).await?;
    let found = comparison.decide(first, second, run).await?;
    run.emit(&Event::PhaseDone { phase: Phase::Verify, side: None, took: started.elapsed() });
    Ok(found)
}

/// The keys whose objects are served as redirects in the newest release. Its record may be damaged, which others look at.
async fn redirects_of_newest_release<S: Store>(store: &S) -> Result<BTreeSet<Key>, SyncError> {
    let Some(newest) = newest_release(store).await? else { return Ok(BTreeSet::new()) };
    let found = match release::read(store, newest).await {
        Err(SyncError::DamagedRecord { .. }) => None,
        read => read?,
    };
    let Some(found) = found else { return Ok(BTreeSet::new()) };
    let redirects = found.entries.iter().filter(|entry| found.redirect(entry).is_some());
    Ok(redirects.map(|entry| entry.key.clone()).collect())
}

/// What is known of objects beside their listings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownObjects<'k> {
    /// These are known to be copies of their originals.
    pub(crate) copies: &'k Copies,
    /// These are served as redirects. A replica of such an object looks like its original in a listing, and is not served as one, so
    /// that only a look tells.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>
    pub(crate) redirects: &'k BTreeSet<Key>,
}

/// Compares two listings that were made before, but for keys that are about to change.
pub(crate) async fn compare_listed<S: VersionedStore>(
    listings: Pair<Vec<RemoteObject>>,
    stores: Pair<&S>,
    known: KnownObjects<'_>,
    changing: &BTreeSet<Key>,
    run: &Run,
) -> Result<Compared, SyncError> {
    let fits = |object: &RemoteObject| is_compared(&object.key) || marker::is(object);
    let pages = |listing: Vec<RemoteObject>| Cursor::<S>::listed(listing.into_iter().filter(fits).collect());
    let mut comparison = Comparison::new(known);
    comparison.walk(pages(listings.primary), pages(listings.backup), changing).await?;
    comparison.decide(stores.primary, stores.backup, run).await
}

/// Whose objects are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Those of the main site, or of the prefix that the store is the part of.
    OneOwner,
    /// Those of the main site and of all prefixes.
    Everything,
}

/// What the listings tell.
struct Comparison<'c> {
    known: KnownObjects<'c>,
    extent: Extent,
    /// The prefixes that the listings have shown so far.
    prefixes: Prefixes,
    found: Compared,
    note: Option<Note>,
    unsure: Vec<(RemoteObject, RemoteObject)>,
    /// What may be a replica of a redirect: no note vouches for its headers, since it may have come after the note.
    replicas: Vec<(RemoteObject, RemoteObject)>,
    extra: Vec<RemoteObject>,
    /// Parts of release records that differ.
    records: Vec<RestoredRecord>,
}

impl<'c> Comparison<'c> {
    fn new(known: KnownObjects<'c>) -> Self {
        let found = Compared::default();
        Self {
            known,
            extent: Extent::OneOwner,
            prefixes: Prefixes::default(),
            found,
            note: None,
            unsure: Vec::new(),
            replicas: Vec::new(),
            extra: Vec::new(),
            records: Vec::new(),
        }
    }

    async fn walk<S: Store>(
        &mut self,
        mut first: Cursor<'_, S>,
        mut second: Cursor<'_, S>,
        changing: &BTreeSet<Key>,
    ) -> Result<(), SyncError> {
        while let Some(meeting) = next(&mut first, &mut second).await? {
            let (Meeting::First(met) | Meeting::Second(met) | Meeting::Both(met, _)) = &meeting;
            // Records of prefixes come before everything that is below one, in either listing.
            self.prefixes.learn(&met.key);
            if self.extent == Extent::OneOwner && self.prefixes.own(&met.key) || Prefix::of_record(&met.key).is_some() {
                continue;
            }
            match meeting {
                Meeting::First(here) if marker::is(&here) || changing.contains(&here.key) => {}
                Meeting::First(here) => self.need(here, Cause::Absent),
                Meeting::Second(there) | Meeting::Both(_, there) if marker::is(&there) => self.note = Note::of(&there),
                Meeting::Second(there) if changing.contains(&there.key) => {}
                Meeting::Second(there) => self.extra.push(there),
                Meeting::Both(here, _) if changing.contains(&here.key) => {}
                Meeting::Both(here, there) => self.merge_join(here, there),
            }
        }
        Ok(())
    }

    fn need(&mut self, object: RemoteObject, cause: Cause) {
        self.found.until = self.found.until.max(object.modified);
        self.found.copies.push(Needed { object, cause });
    }

    fn merge_join(&mut self, here: RemoteObject, there: RemoteObject) {
        self.found.until = self.found.until.max(here.modified);
        self.found.made = self.found.made.max(there.modified);
        if here.size != there.size {
            self.note_record(&here, &there);
            self.need(here, Cause::Size);
        } else if here.etag == there.etag && here.modified == there.modified {
            // A replica has its original's time, and came with everything but a redirect.
            if self.known.redirects.contains(&here.key) && !self.known.copies.contains(&here, &there.etag) {
                self.replicas.push((here, there));
            } else {
                self.found.in_sync += 1;
            }
        } else if self.known.copies.contains(&here, &there.etag)
            || self.note.is_some_and(|note| note.vouches(&here, &there))
        {
            self.found.in_sync += 1;
        } else {
            self.unsure.push((here, there));
        }
    }

    /// A record that differs may be damaged.
    fn note_record(&mut self, here: &RemoteObject, there: &RemoteObject) {
        if let Some(id) = ReleaseId::of_part(&here.key) {
            self.records.push(RestoredRecord { id, object: there.clone(), replaces: here.etag.clone() });
        }
    }

    async fn decide<S: VersionedStore>(mut self, first: &S, second: &S, run: &Run) -> Result<Compared, SyncError> {
        let note = self.note;
        let (sure, unsure): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unsure)
            .into_iter()
            .partition(|(here, there)| note.is_some_and(|note| note.vouches(here, there)));
        self.found.in_sync += sure.len();
        self.found.asked = !unsure.is_empty();
        // Entity tags that differ may be opaque, on one side or both: only a look tells.
        let looks = unsure.into_iter().chain(std::mem::take(&mut self.replicas)).map(|(here, there)| async move {
            if run.is_cancelled() {
                return Err(SyncError::Cancelled);
            }
            let looks = try_join(first.look(&here.key, None), second.look(&here.key, None)).await?;
            Ok::<_, SyncError>((cause(looks), here, there))
        });
        let mut looks = stream::iter(looks).buffer_unordered(WIDTH);
        let mut differing = Vec::new();
        while let Some((cause, here, there)) = looks.try_next().await? {
            match cause {
                Some(cause) => differing.push((cause, here, there)),
                None => self.found.in_sync += 1,
            }
        }
        drop(looks);
        for (cause, object, there) in differing {
            if cause == Cause::Content {
                self.note_record(&object, &there);
            }
            self.found.copies.push(Needed { object, cause });
        }
        self.found.copies.sort_by(|a, b| a.object.key.cmp(&b.object.key));
        self.found.damaged = damaged(self.records, first, second).await?;
        let restored: HashSet<&Key> = self.found.damaged.iter().map(|record| &record.object.key).collect();
        self.found.copies.retain(|copy| !restored.contains(&copy.object.key));
        let deleted = deleted_of(first, second, &self.extra).await?;
        for object in self.extra {
            let RemoteObject { key, etag, .. } = object;
            if deleted.contains(&key) {
                self.found.gone.push(ListedObject { key, etag });
            } else {
                self.found.foreign.push(key);
            }
        }
        Ok(self.found)
    }
}

/// Those of records that differ which are damaged in the first bucket and whole in the second.
async fn damaged<S: Store>(
    records: Vec<RestoredRecord>,
    first: &S,
    second: &S,
) -> Result<Vec<RestoredRecord>, SyncError> {
    let ids: BTreeSet<ReleaseId> = records.iter().map(|record| record.id).collect();
    let mut damaged = HashSet::new();
    for id in ids {
        let is_damaged = match release::read(first, id).await {
            Err(SyncError::DamagedRecord { .. }) => true,
            read => read.map(|_| false)?,
        };
        if is_damaged && matches!(release::read(second, id).await, Ok(Some(_))) {
            damaged.insert(id);
        }
    }
    Ok(records.into_iter().filter(|record| damaged.contains(&record.id)).collect())
}

/// Keys whose versions are listed one by one; above that all versions are.
const FEW: usize = 16;

/// Those of the second bucket's objects that the first one had, these very ones, and has deleted. Only they are deleted in
/// the second one too.
async fn deleted_of<S: VersionedStore>(
    first: &S,
    second: &S,
    extra: &[RemoteObject],
) -> Result<HashSet<Key>, SyncError> {
    let wanted: HashMap<&Key, &ETag> = extra.iter().map(|object| (&object.key, &object.etag)).collect();
    let all = extra.len() > FEW;
    let prefixes: Vec<&str> = if all { vec![""] } else { extra.iter().map(|object| object.key.as_str()).collect() };
    let (mut marked, mut had, mut sizes) = (HashSet::new(), HashSet::new(), HashSet::new());
    for prefix in prefixes {
        let mut behind = None;
        loop {
            let page = first.versions(prefix, behind.as_ref()).await?;
            for past in page.past {
                let Some(etag) = wanted.get(&past.key) else { continue };
                if past.etag.is_none() && past.latest {
                    marked.insert(past.key);
                } else if past.etag.as_ref() == Some(*etag) {
                    had.insert(past.key);
                } else {
                    sizes.insert((past.key, past.size));
                }
            }
            behind = page.next;
            // Longer keys that begin the same come later, and are not asked about.
            if behind.is_none() || !all {
                break;
            }
        }
    }
    // With another entity tag, which may be opaque, it may still be the same.
    let doubtful = extra.iter().filter(|object| {
        let key = &object.key;
        marked.contains(key) && !had.contains(key) && sizes.contains(&(key.clone(), object.size))
    });
    let looks = doubtful.map(|object| async move {
        Ok::<_, SyncError>(had_version(first, second, &object.key).await?.then(|| object.key.clone()))
    });
    let looks: Vec<_> = looks.collect();
    let same: Vec<Option<Key>> = stream::iter(looks).buffer_unordered(WIDTH).try_collect().await?;
    had.extend(same.into_iter().flatten());
    Ok(marked.intersection(&had).cloned().collect())
}

/// Whether the first bucket has a version with the bytes of the second one's object: a replica has the id of its original, and a copy
/// its checksum.
pub(super) async fn had_version<S: VersionedStore>(first: &S, second: &S, key: &Key) -> Result<bool, SyncError> {
    let Some(there) = second.look(key, None).await? else { return Ok(false) };
    // Longer keys that begin the same come later.
    let page = first.versions(key.as_str(), None).await?;
    for past in page.past.into_iter().filter(|past| past.key == *key && past.size == there.head.size) {
        if past.etag.is_none() {
            continue;
        }
        let same = match first.look(key, Some(&past.version)).await? {
            Some(look) => look.same_bytes(&there) == Some(true),
            None => false,
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What two looks at the same key tell. What neither ids, entity tags nor checksums tell to be the same is copied once more; the marker
/// then says that it is.
fn cause(looks: (Option<VersionHead>, Option<VersionHead>)) -> Option<Cause> {
    let (Some(first), second) = looks else { return None };
    let Some(second) = second else { return Some(Cause::Absent) };
    if first.same_bytes(&second) != Some(true) {
        return Some(Cause::Content);
    }
    let mut changes = header_changes(&second.head.headers, &first.head.headers);
    if first.expires != second.expires {
        changes.push("expires");
    }
    (!changes.is_empty()).then_some(Cause::Metadata(changes))
}
