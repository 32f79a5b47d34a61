//! Writing records, reading them, and finding the versions that they name.

use std::collections::HashMap;
use std::sync::Arc;

use super::record::{self, Damaged};
use super::{Entry, Notes, Release, Summary, now};
use crate::ReleaseId;
use crate::model::layout::RELEASES;
use crate::model::release_id::listed;
use crate::plan::SameObject;
use crate::store::{Condition, Store, VersionedStore, list_prefix};
use crate::{Body, ETag, Headers, Key, Report, Source, SourceObject, StoreError, SyncError, SyncPlan, WrittenObject};

/// An object of a release in the making.
#[derive(Clone, Debug)]
struct Drafted {
    object: Arc<SourceObject>,
    /// What the bucket has, if it stays as it is.
    same: Option<SameObject>,
    /// A place in the sets of headers.
    headers: u32,
}

/// A release in the making: everything but what the transfer will tell.
#[derive(Clone, Debug)]
pub struct RecordBuilder {
    id: ReleaseId,
    previous: Option<ReleaseId>,
    headers: Vec<Headers>,
    objects: Vec<Drafted>,
    /// The release before, once it was read.
    before: Option<Release>,
}

impl RecordBuilder {
    /// The release that a plan will make of a source.
    pub fn of(plan: &SyncPlan, source: &Source) -> Self {
        let (mut known, mut headers) = (HashMap::new(), Vec::new());
        let mut objects = Vec::with_capacity(source.objects.len());
        for (object, same) in source.objects.iter().zip(&plan.same) {
            let place = *known.entry(&object.headers).or_insert_with(|| {
                headers.push(Headers::clone(&object.headers));
                u32::try_from(headers.len() - 1).unwrap_or(u32::MAX)
            });
            objects.push(Drafted { object: Arc::clone(object), same: same.clone(), headers: place });
        }
        let previous = plan.releases().last().copied();
        Self { id: previous.unwrap_or_default().next(), previous, headers, objects, before: None }
    }

    /// The same with at least this number.
    #[must_use]
    pub fn not_before(self, first: ReleaseId) -> Self {
        Self { id: self.id.max(first), ..self }
    }

    /// Reads the release before, whose record tells the versions of what stays. [`write()`] does it if nobody has; it can be done
    /// while objects are sent.
    ///
    /// # Errors
    /// [`SyncError`] when the record could not be read.
    pub async fn load_previous(&mut self, store: &impl Store) -> Result<(), SyncError> {
        if let (Some(previous), None) = (self.previous, &self.before) {
            self.before = match read(store, previous).await {
                // Versions are then found by listing them.
                Err(SyncError::DamagedRecord { .. }) => None,
                read => read?,
            };
        }
        Ok(())
    }

    /// True when the release before is made of the very same objects.
    pub(crate) fn has_previous(&self) -> bool {
        self.before.as_ref().is_some_and(|before| self.is(before))
    }

    fn is(&self, release: &Release) -> bool {
        let same = |(mine, theirs): (&Drafted, &Entry)| {
            let headers = self.headers.get(mine.headers as usize) == release.headers.get(theirs.headers as usize);
            mine.object.key == theirs.key && mine.same.as_ref().is_some_and(|same| same.etag == theirs.etag) && headers
        };
        self.objects.len() == release.entries.len() && self.objects.iter().zip(&release.entries).all(same)
    }

    /// The number that it will have.
    pub fn id(&self) -> ReleaseId {
        self.id
    }
}

fn damaged(id: ReleaseId, why: &Damaged) -> SyncError {
    SyncError::DamagedRecord { id, reason: why.to_string(), is_newer: why.is_newer }
}

/// Writes the record of a release, its first part last: without it there is no release. `deletes` is the number of objects that will be
/// deleted afterwards. Returns what was written.
///
/// # Errors
/// [`SyncError::Raced`] when somebody else has written a release of that number.
pub async fn write<S: VersionedStore>(
    store: &S,
    mut draft: RecordBuilder,
    report: &Report,
    deletes: usize,
    notes: Notes,
) -> Result<(Summary, Vec<WrittenObject>), SyncError> {
    draft.load_previous(store).await?;
    let RecordBuilder { id, previous: _, headers: sets, objects, before: old } = draft;
    let mut written: Vec<&WrittenObject> = report.wrote.iter().collect();
    written.sort_unstable_by_key(|wrote| &wrote.key);
    let mut all = Vec::with_capacity(objects.len());
    for Drafted { object, same, headers } in objects {
        let (key, size) = (object.key.clone(), object.size);
        let wrote = written.binary_search_by_key(&&key, |wrote| &wrote.key).ok().map(|at| written[at]);
        let (etag, digest, version) = match (wrote, same) {
            (Some(wrote), _) => (wrote.etag.clone(), wrote.digest.clone(), wrote.version.clone()),
            (None, Some(SameObject { etag, digest })) => {
                let before = old.as_ref().and_then(|old| old.get(&key)).filter(|old| old.etag == etag);
                let version = before.and_then(|old| old.version.clone());
                (etag, digest, version)
            }
            (None, None) => continue,
        };
        all.push(Entry { key, version, etag, digest, size, headers });
    }
    fill_versions(store, &mut all).await?;
    let bytes = all.iter().map(|entry| entry.size).sum();
    let summary =
        Summary { id, time: now(), notes, objects: all.len(), bytes, changed: report.changed.len() + deletes };
    let release = Release { summary, headers: sets, entries: all };
    let wrote = put(store, &release).await?;
    Ok((release.summary, wrote))
}

/// Objects that were there before the first record: a listing of versions tells which they are.
async fn fill_versions<S: VersionedStore>(store: &S, entries: &mut [Entry]) -> Result<(), SyncError> {
    if entries.iter().all(|entry| entry.version.is_some()) {
        return Ok(());
    }
    let mut behind = None;
    loop {
        let page = store.versions("", behind.as_ref()).await?;
        for past in page.past.into_iter().filter(|past| past.latest) {
            let at = entries.binary_search_by(|entry| entry.key.cmp(&past.key));
            if let Some(entry) = at.ok().map(|at| &mut entries[at])
                && entry.version.is_none()
                && past.etag.as_ref() == Some(&entry.etag)
                && past.version != "null"
            {
                entry.version = Some(past.version);
            }
        }
        behind = page.next;
        if behind.is_none() {
            return Ok(());
        }
    }
}

async fn put(store: &impl Store, release: &Release) -> Result<Vec<WrittenObject>, SyncError> {
    let id = release.summary.id;
    let parts = record::parts(release).map_err(|why| damaged(id, &why))?;
    let mut wrote = Vec::new();
    for (part, bytes) in parts.into_iter().enumerate().rev() {
        let (key, digest, size) = (id.key(part), crate::md5(&bytes), bytes.len() as u64);
        // The first part, written last, takes the number.
        let condition = if part > 0 { Condition::None } else { Condition::Absent };
        match store.put_if(&key, &Headers::of_record("application/gzip"), (bytes.into(), digest), &condition).await {
            Err(StoreError::Changed(_)) => {
                return Err(SyncError::Raced(format!("release {id} was made by another deploy meanwhile")));
            }
            written => wrote.push(WrittenObject::record(key, size, ETag::Md5(digest), written?)),
        }
    }
    Ok(wrote)
}

/// The releases of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseList {
    /// The releases in short, the oldest first.
    pub releases: Vec<Summary>,
    /// Records that cannot be read.
    pub damaged: Vec<DamagedRecord>,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRecord {
    /// The number in its key.
    pub id: ReleaseId,
    /// What is wrong with it.
    pub reason: String,
}

/// The releases of a bucket in short, the oldest first. Damaged records are left out.
///
/// # Errors
/// [`SyncError`] if the bucket cannot be read.
pub async fn list(store: &impl Store) -> Result<Vec<Summary>, SyncError> {
    Ok(list_all(store).await?.releases)
}

/// The releases of a bucket in short, and the records that are damaged.
///
/// # Errors
/// As [`list`].
pub async fn list_all(store: &impl Store) -> Result<ReleaseList, SyncError> {
    let mut found = ReleaseList::default();
    for (id, _) in listed_ids(store).await? {
        match summary(store, id).await {
            Ok(Some(summary)) => found.releases.push(summary),
            Ok(None) => {}
            Err(SyncError::DamagedRecord { id, reason, .. }) => found.damaged.push(DamagedRecord { id, reason }),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The newest release of a bucket whose record is not damaged, in short.
///
/// # Errors
/// As [`list`].
pub async fn newest(store: &impl Store) -> Result<Option<Summary>, SyncError> {
    for (id, _) in listed_ids(store).await?.into_iter().rev() {
        match summary(store, id).await {
            Ok(None) | Err(SyncError::DamagedRecord { .. }) => {}
            found => return found,
        }
    }
    Ok(None)
}

/// The live release of a bucket in short: that with the greatest number.
///
/// # Errors
/// As [`summary`]: a damaged record is an error, as the release before it is not live.
pub async fn live(store: &impl Store) -> Result<Option<Summary>, SyncError> {
    match list_ids(store).await?.pop() {
        Some(id) => summary(store, id).await,
        None => Ok(None),
    }
}

/// A release in short; `None` if there is no record of it.
///
/// # Errors
/// [`SyncError::DamagedRecord`], and [`SyncError::Store`] if it cannot be read.
pub async fn summary(store: &impl Store, id: ReleaseId) -> Result<Option<Summary>, SyncError> {
    let bytes = match store.get(&id.key(0)).await {
        Err(StoreError::TooLarge { .. }) => return Err(damaged(id, &Damaged::too_large())),
        read => read?,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let summary = record::summary(&bytes).map_err(|why| damaged(id, &why))?;
    if summary.id == id { Ok(Some(summary)) } else { Err(damaged(id, &Damaged::other(summary.id))) }
}

/// The numbers of the releases of a bucket, the oldest first.
///
/// # Errors
/// As [`list`].
pub async fn list_ids(store: &impl Store) -> Result<Vec<ReleaseId>, SyncError> {
    Ok(listed_ids(store).await?.into_iter().map(|(id, _)| id).collect())
}

/// The numbers of the releases of a bucket, the oldest first, and when each record was written.
pub(super) async fn listed_ids(store: &impl Store) -> Result<Vec<(ReleaseId, i64)>, SyncError> {
    Ok(listed(&list_prefix(store, RELEASES).await?))
}

/// A release, whole; `None` when there is no record of it.
///
/// # Errors
/// [`SyncError`] when the bucket or the record cannot be read.
pub async fn read(store: &impl Store, id: ReleaseId) -> Result<Option<Release>, SyncError> {
    let bytes = match store.get(&id.key(0)).await {
        Err(StoreError::TooLarge { .. }) => return Err(damaged(id, &Damaged::too_large())),
        read => read?,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let record::FirstPart { mut release, parts, version } = record::first(&bytes).map_err(|why| damaged(id, &why))?;
    if release.summary.id != id {
        return Err(damaged(id, &Damaged::other(release.summary.id)));
    }
    for part in 1..parts {
        let bytes = store.get(&id.key(part)).await?;
        let bytes = bytes.ok_or_else(|| damaged(id, &Damaged::missing(part)))?;
        release.entries.extend(record::more(&bytes, version).map_err(|why| damaged(id, &why))?);
    }
    Ok(Some(release))
}

/// Whether a bucket has every object of its newest release as it was published: what visitors get is one release, and not a part of
/// another one. Other objects may be beside them. False as well if there is no release, if its record is damaged, and if the bucket
/// gave its objects entity tags of its own, which tell nothing of their bytes.
///
/// # Errors
/// [`SyncError`] if the bucket cannot be read.
pub async fn is_live_whole(store: &impl Store) -> Result<bool, SyncError> {
    let Some(newest) = list_ids(store).await?.pop() else { return Ok(false) };
    let release = match read(store, newest).await {
        Err(SyncError::DamagedRecord { .. }) | Ok(None) => return Ok(false),
        read => read?,
    };
    let mut expected: HashMap<Key, Entry> =
        release.into_iter().flat_map(|release| release.entries).map(|entry| (entry.key.clone(), entry)).collect();
    let mut after = None;
    loop {
        let page = store.page(after.as_deref()).await?;
        for object in &page.objects {
            let Some(entry) = expected.remove(&object.key) else { continue };
            if object.etag != entry.etag && object.etag != *entry.identity() {
                return Ok(false);
            }
        }
        match page.objects.last() {
            Some(last) if page.more && !expected.is_empty() => after = Some(last.key.as_str().to_owned()),
            _ => return Ok(expected.is_empty()),
        }
    }
}

/// Looks versions up one by one below this number, and lists all of them above.
const FEW: usize = 24;

/// Makes sure that this bucket has every older version that a plan wants to bring back. The bucket may be another one
/// than that of the record: a replica has the id of its original, and a copy its entity tag unless that is opaque.
///
/// # Errors
/// [`SyncError::Lost`] names what is not kept any more; nothing has been changed then.
pub async fn find_versions<S: VersionedStore>(plan: &mut SyncPlan, store: &S) -> Result<(), SyncError> {
    let mut wanted: HashMap<Key, &mut Body> = HashMap::new();
    for put in &mut plan.puts {
        if let Body::Version { .. } = &put.object.body {
            let object = Arc::make_mut(&mut put.object);
            wanted.insert(object.key.clone(), &mut object.body);
        }
    }
    if wanted.len() <= FEW {
        let mut found = Vec::new();
        for (key, body) in &mut wanted {
            if let Body::Version { version: Some(version), .. } = &**body
                && let Some(look) = store.look(key, Some(version)).await?
            {
                take_version(body, look.head.etag, version.clone());
                found.push(key.clone());
            }
        }
        for key in &found {
            wanted.remove(key);
        }
    }
    let mut behind = None;
    while !wanted.is_empty() {
        let page = store.versions("", behind.as_ref()).await?;
        for past in page.past {
            let Some(there) = past.etag else { continue };
            let fits = wanted.get(&past.key).is_some_and(|body| {
                matches!(&**body, Body::Version { etag, version, .. }
                    if there == *etag || version.as_ref() == Some(&past.version))
            });
            if fits && let Some(body) = wanted.remove(&past.key) {
                take_version(body, there, past.version);
            }
        }
        behind = page.next;
        if behind.is_none() {
            break;
        }
    }
    let mut lost: Vec<Key> = wanted.into_keys().collect();
    lost.sort();
    if lost.is_empty() { Ok(()) } else { Err(SyncError::Lost(lost)) }
}

/// Names the version as this bucket has it: under its own entity tag, with the digest that the record's tag told.
fn take_version(body: &mut Body, there: ETag, id: String) {
    let Body::Version { etag, digest, version } = body else { return };
    if *etag != there {
        digest.get_or_insert_with(|| etag.clone());
        *etag = there;
    }
    *version = Some(id);
}
