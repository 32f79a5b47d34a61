//! Letting go of releases that are not kept, and of the versions that only they name.
//!
//! What is live is never in question: only versions that are not current go, and only those whose key and bytes a dropped
//! record names and no kept one does. Age alone removes nothing.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::write::listed_ids;
use super::{Entry, Release, now, read};
use crate::model::layout::RELEASES;
use crate::model::prefix::PREFIXES;
use crate::store::{ObjectVersion, Store, VersionedStore, list_prefix};
use crate::{ETag, Key, Prefixes, StoreError, SyncError};
use crate::{ReleaseId, RetentionPolicy};

/// Keys whose versions are listed one by one; above that all versions are.
const FEW: usize = 16;

/// What a collection removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Releases that are no longer kept.
    pub releases: Vec<ReleaseId>,
    /// Versions that only they named.
    pub versions: usize,
    /// Their size together, in bytes.
    pub bytes: u64,
}

/// True when it is likely that so many releases are beyond what is kept that collecting is worth its requests: about each
/// time that half as many have been made as are kept.
pub fn is_due_at(newest: ReleaseId, keep: &RetentionPolicy) -> bool {
    let kept = keep.releases.max(1) as u64;
    newest.0 > kept && (newest.0 - kept).is_multiple_of((kept / 2).max(1))
}

/// Key and bytes of an object in short. Two that meet by chance are kept, both.
fn short(key: &Key, etag: &impl Hash) -> u64 {
    let mut hash = DefaultHasher::new();
    (key, etag).hash(&mut hash);
    hash.finish()
}

/// Removes what no kept release needs.
///
/// # Errors
/// [`SyncError`] when something could not be read or removed. The next collection goes on from there: records go last.
pub async fn collect<S: VersionedStore>(store: &S, keep: &RetentionPolicy) -> Result<Collected, SyncError> {
    let all = listed_ids(store).await?;
    let Some(oldest) = keep.oldest(&all, now()) else { return Ok(Collected::default()) };
    let (dropped, kept): (Vec<_>, Vec<_>) = all.into_iter().map(|(id, _)| id).partition(|id| *id < oldest);
    if dropped.is_empty() {
        return Ok(Collected::default());
    }
    let mut needed = Needed::default();
    for id in kept {
        match read(store, id).await {
            Ok(Some(release)) => needed.add(&release),
            // What it needs is not known, but to the program that wrote it.
            Err(SyncError::DamagedRecord { is_newer: true, .. }) => return Ok(Collected::default()),
            // Nobody can bring it back any more, so that nothing is kept for it.
            Ok(None) | Err(SyncError::DamagedRecord { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    // What the main site had below a prefix before that was taken may be what the releases of the prefix refer to.
    let prefixes = Prefixes::of(&list_prefix(store, PREFIXES).await?);
    let mut spare = Spare::default();
    for id in &dropped {
        match read(store, *id).await {
            Ok(Some(mut release)) => {
                release.entries.retain(|entry| !prefixes.own(&entry.key));
                spare.add(release, &needed);
            }
            Err(SyncError::DamagedRecord { is_newer: true, .. }) => return Ok(Collected::default()),
            // What only it named stays as noncurrent versions.
            Ok(None) | Err(SyncError::DamagedRecord { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let old = find(store, &spare).await?;
    let mut done = Collected { releases: dropped, versions: old.len(), bytes: old.iter().map(|past| past.size).sum() };
    for batch in old.chunks(1000) {
        let batch: Vec<(Key, String)> = batch.iter().map(|past| (past.key.clone(), past.version.clone())).collect();
        check(store.delete_versions(&batch).await?)?;
    }
    tidy(store).await?;
    let records = records(store, &done.releases).await?;
    for batch in records.chunks(1000) {
        check(store.delete(batch).await?)?;
    }
    done.releases.sort();
    Ok(done)
}

/// What lock, manifests and notes were before is of no use to anybody, and no release names it.
async fn tidy<S: VersionedStore>(store: &S) -> Result<(), SyncError> {
    let mut old = Vec::new();
    let mut behind = None;
    loop {
        let page = store.versions(crate::PRIVATE, behind.as_ref()).await?;
        let is_own = |key: &Key| key.is_reserved() && !key.as_str().starts_with(PREFIXES);
        let past = page.past.into_iter().filter(|past| !past.latest && is_own(&past.key));
        old.extend(past.map(|past| (past.key, past.version)));
        behind = page.next;
        if behind.is_none() {
            break;
        }
    }
    for batch in old.chunks(1000) {
        check(store.delete_versions(batch).await?)?;
    }
    Ok(())
}

/// What kept releases name, in short.
#[derive(Default)]
struct Needed {
    objects: HashSet<u64>,
    versions: HashSet<u64>,
}

impl Needed {
    fn add(&mut self, release: &Release) {
        for Entry { key, etag, version, .. } in &release.entries {
            self.objects.insert(short(key, etag));
            self.versions.extend(version.as_ref().map(|version| short(key, version)));
        }
    }
}

/// What only dropped releases name. In the bucket that a record was not written to, replicas have the ids of their originals, and
/// their entity tags unless these are opaque.
#[derive(Default)]
struct Spare {
    objects: HashSet<(Key, ETag)>,
    versions: HashSet<(Key, String)>,
}

impl Spare {
    fn add(&mut self, release: Release, needed: &Needed) {
        for Entry { key, etag, version, .. } in release.entries {
            if needed.objects.contains(&short(&key, &etag)) {
                continue;
            }
            if let Some(version) = version.filter(|version| !needed.versions.contains(&short(&key, version))) {
                self.versions.insert((key.clone(), version));
            }
            self.objects.insert((key, etag));
        }
    }

    fn contains(&self, past: &ObjectVersion) -> bool {
        let Some(etag) = past.etag.clone() else { return false };
        self.objects.contains(&(past.key.clone(), etag))
            || self.versions.contains(&(past.key.clone(), past.version.clone()))
    }
}

fn check(failed: Vec<(Key, String)>) -> Result<(), SyncError> {
    match failed.into_iter().next() {
        None => Ok(()),
        Some((key, why)) => Err(StoreError::Broken(format!("an old version of `{key}` was not removed: {why}")).into()),
    }
}

/// The versions of these keys and bytes that are not current.
async fn find<S: VersionedStore>(store: &S, spare: &Spare) -> Result<Vec<ObjectVersion>, SyncError> {
    let keys: HashSet<&Key> = spare.objects.iter().map(|(key, _)| key).collect();
    let prefixes: Vec<&str> = if keys.len() <= FEW { keys.iter().map(|key| key.as_str()).collect() } else { vec![""] };
    let mut old = Vec::new();
    for prefix in prefixes {
        let mut behind = None;
        loop {
            let page = store.versions(prefix, behind.as_ref()).await?;
            let fits = |past: &ObjectVersion| {
                !past.latest && (prefix.is_empty() || past.key.as_str() == prefix) && spare.contains(past)
            };
            old.extend(page.past.into_iter().filter(fits));
            behind = page.next;
            if behind.is_none() {
                break;
            }
        }
    }
    Ok(old)
}

/// All parts of the records of these releases.
async fn records(store: &impl Store, dropped: &[ReleaseId]) -> Result<Vec<Key>, SyncError> {
    let names: HashSet<String> = dropped.iter().map(|id| id.key(0).as_str().to_owned()).collect();
    let is_part = |key: &Key| {
        let first = key.as_str().split_inclusive(".gz").next().unwrap_or_default();
        names.contains(first)
    };
    let keys = list_prefix(store, RELEASES).await?.into_iter().map(|object| object.key);
    let mut found: Vec<Key> = keys.filter(is_part).collect();
    // The first part says that there is a release, so it goes last.
    found.reverse();
    Ok(found)
}
