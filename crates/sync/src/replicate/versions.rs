//! The past of the first bucket, in the second one: so that older releases can be brought back there as well.

use std::collections::{BTreeMap, HashSet};

use twinsite_core::{Event, Run, Side, Verb};

use crate::store::{Condition, ObjectVersion, VersionedStore};
use crate::transfer::copy::{ObjectCopy, Redirect, copy_object};
use crate::{ETag, Key, Prefixes, SyncError};

/// Copies versions that the second bucket has never had, the oldest first, and then what is current once more, so that it
/// stays current. Returns how many versions were copied. Delete markers are not copied.
///
/// # Errors
/// [`SyncError`] when a request failed. Doing it again goes on from there.
pub async fn copy_versions<S: VersionedStore>(first: &S, second: &S, run: &Run) -> Result<usize, SyncError> {
    let (here, there) = (all(first).await?, all(second).await?);
    let mut prefixes = Prefixes::default();
    here.keys().chain(there.keys()).for_each(|key| prefixes.learn(key));
    let mut copied = 0;
    for (key, versions) in
        here.into_iter().filter(|(key, _)| key.is_replicated() && !key.is_reserved() && !prefixes.own(key))
    {
        let copies: Vec<&ObjectVersion> =
            there.get(&key).into_iter().flatten().filter(|past| past.etag.is_some()).collect();
        let known: HashSet<&ETag> = copies.iter().filter_map(|past| past.etag.as_ref()).collect();
        let ids: HashSet<&String> = copies.iter().map(|past| &past.version).collect();
        let mut missing = Vec::new();
        for past in versions.iter().filter(|past| !past.latest) {
            let Some(etag) = &past.etag else { continue };
            // A replica has the id of its original, and a copy its entity tag unless that is opaque.
            let there = known.contains(etag) || ids.contains(&past.version);
            if !there && !has_copy(first, second, past, &copies).await? {
                missing.push(past);
            }
        }
        // The newest of a key comes first in a listing.
        missing.reverse();
        let current = versions.iter().find(|past| past.latest && past.etag.is_some());
        if missing.is_empty() {
            continue;
        }
        let gone =
            current.is_none() && there.get(&key).is_none_or(|all| all.first().is_none_or(|past| past.etag.is_none()));
        for past in missing.into_iter().chain(current) {
            copied += usize::from(copy(first, second, past, run).await?);
        }
        if gone {
            // It is not in the first bucket any more: its past is all that was wanted.
            second.delete(&[key]).await?;
        }
    }
    Ok(copied)
}

/// Whether one of the second bucket's versions has the bytes of a version of the first, by their checksums.
async fn has_copy<S: VersionedStore>(
    first: &S,
    second: &S,
    past: &ObjectVersion,
    copies: &[&ObjectVersion],
) -> Result<bool, SyncError> {
    let candidates: Vec<_> = copies.iter().filter(|copy| copy.size == past.size).collect();
    if candidates.is_empty() {
        return Ok(false);
    }
    let Some(original) = first.look(&past.key, Some(&past.version)).await? else { return Ok(false) };
    for candidate in candidates {
        let look = second.look(&past.key, Some(&candidate.version)).await?;
        if look.is_some_and(|look| look.same_bytes(&original) == Some(true)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn copy<S: VersionedStore>(first: &S, second: &S, past: &ObjectVersion, run: &Run) -> Result<bool, SyncError> {
    if run.is_cancelled() {
        return Err(SyncError::Cancelled);
    }
    let Some(etag) = past.etag.clone() else { return Ok(false) };
    let (key, version) = (past.key.clone(), Some(past.version.clone()));
    let one = ObjectCopy {
        key,
        version,
        etag,
        size: past.size,
        headers: None,
        redirect: Redirect::Ask,
        condition: Condition::None,
    };
    let done = copy_object(first, second, &one, run).await?.is_some();
    let (side, key) = (Some(Side::Backup), past.key.to_string());
    run.emit(&Event::Object { verb: Verb::Copy, side, key, reason: "version", bytes: 0 });
    Ok(done)
}

/// Every version of every key, the newest of a key first.
async fn all<S: VersionedStore>(store: &S) -> Result<BTreeMap<Key, Vec<ObjectVersion>>, SyncError> {
    let mut all: BTreeMap<Key, Vec<ObjectVersion>> = BTreeMap::new();
    let mut behind = None;
    loop {
        let page = store.versions("", behind.as_ref()).await?;
        for past in page.past {
            all.entry(past.key.clone()).or_default().push(past);
        }
        behind = page.next;
        if behind.is_none() {
            return Ok(all);
        }
    }
}
