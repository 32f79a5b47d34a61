//! Letting go of releases that are not kept, and of the versions that only they name.
//!
//! What is live is never in question: only versions that are not current go, and only those whose key and bytes a dropped
//! record names and no kept one does. Age alone removes nothing.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::write::listed_ids;
use super::{Release, now, read};
use crate::model::layout::RELEASES;
use crate::store::{ObjectVersion, Store, VersionedStore};
use crate::{ETag, Key, StoreError, SyncError};
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
fn short(key: &Key, etag: &ETag) -> u64 {
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
    let mut needed = HashSet::new();
    for id in kept {
        if let Some(release) = read(store, id).await? {
            needed.extend(release.entries.iter().map(|entry| short(&entry.key, &entry.etag)));
        }
    }
    let mut spare: HashSet<(Key, ETag)> = HashSet::new();
    for id in &dropped {
        if let Some(release) = read(store, *id).await? {
            spare.extend(unnamed(release, &needed));
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
        let past = page.past.into_iter().filter(|past| !past.latest && past.key.is_reserved());
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

fn unnamed(release: Release, needed: &HashSet<u64>) -> impl Iterator<Item = (Key, ETag)> {
    let pairs = release.entries.into_iter().map(|entry| (entry.key, entry.etag));
    pairs.filter(|(key, etag)| !needed.contains(&short(key, etag)))
}

fn check(failed: Vec<(Key, String)>) -> Result<(), SyncError> {
    match failed.into_iter().next() {
        None => Ok(()),
        Some((key, why)) => Err(StoreError::Broken(format!("an old version of `{key}` was not removed: {why}")).into()),
    }
}

/// The versions of these keys and bytes that are not current.
async fn find<S: VersionedStore>(store: &S, spare: &HashSet<(Key, ETag)>) -> Result<Vec<ObjectVersion>, SyncError> {
    let keys: HashSet<&Key> = spare.iter().map(|(key, _)| key).collect();
    let prefixes: Vec<&str> = if keys.len() <= FEW { keys.iter().map(|key| key.as_str()).collect() } else { vec![""] };
    let mut old = Vec::new();
    for prefix in prefixes {
        let mut behind = None;
        loop {
            let page = store.versions(prefix, behind.as_ref()).await?;
            let fits = |past: &ObjectVersion| {
                let pair = past.etag.clone().map(|etag| (past.key.clone(), etag));
                !past.latest
                    && (prefix.is_empty() || past.key.as_str() == prefix)
                    && pair.is_some_and(|pair| spare.contains(&pair))
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
    let mut found = Vec::new();
    let mut after = RELEASES.to_owned();
    loop {
        let page = store.page(Some(&after)).await?;
        let mine = page.objects.iter().map(|object| &object.key).filter(|key| {
            let first = key.as_str().split_inclusive(".gz").next().unwrap_or_default();
            names.contains(first)
        });
        found.extend(mine.cloned());
        match page.objects.last().map(|object| object.key.as_str().to_owned()) {
            Some(last) if page.more && last.starts_with(RELEASES) => after = last,
            // The first part says that there is a release, so it goes last.
            _ => {
                found.reverse();
                return Ok(found);
            }
        }
    }
}
