//! The past of the first bucket, in the second one: so that older releases can be brought back there as well.

use std::collections::{BTreeMap, HashSet};

use twinsite_core::{Event, Run, Side, Verb};

use crate::store::{Condition, ObjectVersion, VersionedStore};
use crate::transfer::copy::{ObjectCopy, Redirect, copy_object};
use crate::{ETag, Key, SyncError};

/// Copies versions that the second bucket has never had, the oldest first, and then what is current once more, so that it
/// stays current. Returns how many versions were copied. Delete markers are not copied.
///
/// # Errors
/// [`SyncError`] when a request failed. Doing it again goes on from there.
pub async fn copy_versions<S: VersionedStore>(first: &S, second: &S, run: &Run) -> Result<usize, SyncError> {
    let (here, there) = (all(first).await?, all(second).await?);
    let mut copied = 0;
    for (key, versions) in here.into_iter().filter(|(key, _)| key.is_replicated() && !key.is_reserved()) {
        let known: HashSet<&ETag> =
            there.get(&key).into_iter().flatten().filter_map(|past| past.etag.as_ref()).collect();
        let mut missing: Vec<&ObjectVersion> = versions
            .iter()
            .filter(|past| !past.latest && past.etag.as_ref().is_some_and(|etag| !known.contains(etag)))
            .collect();
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
