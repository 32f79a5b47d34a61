//! Removing what should never have been public: every version and delete marker of some keys, from both buckets.
//!
//! Permanent deletes are not replicated, so both buckets are purged:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>. Which keys were purged is recorded in
//! both, because releases of before name them: these are brought back without them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use twinsite_core::{Event, Pair, Run, Side, Verb, wait};

use crate::store::{ObjectVersion, ReplicationStatus, VersionedStore};
use crate::{Headers, Key, ReleaseId, StoreError, SyncError};

/// Where the purged keys are recorded.
const KEY: &str = ".twinsite/purged";

/// The version of the stored form.
const VERSION: u32 = 1;

/// The keys that were purged, each with the release that was the newest then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurgedKeys(BTreeMap<Key, ReleaseId>);

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    keys: BTreeMap<String, u64>,
}

impl PurgedKeys {
    /// The record of a bucket. One that is damaged names no keys.
    ///
    /// # Errors
    /// [`SyncError`] if the bucket could not be read.
    pub async fn read<S: VersionedStore>(store: &S) -> Result<Self, SyncError> {
        let bytes = match store.get(&record_key()).await {
            Err(StoreError::TooLarge { .. }) => None,
            read => read?,
        };
        let stored = bytes.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
        let stored = stored.filter(|stored| stored.version == VERSION).map(|stored| stored.keys).unwrap_or_default();
        let keys = stored.into_iter().filter_map(|(key, id)| Some((key.parse().ok()?, ReleaseId(id))));
        Ok(Self(keys.collect()))
    }

    /// Whether a release has lost the object with this key.
    pub fn is_purged_from(&self, key: &Key, release: ReleaseId) -> bool {
        self.0.get(key).is_some_and(|newest| release <= *newest)
    }

    fn bytes(&self) -> Result<Bytes, StoreError> {
        let keys = self.0.iter().map(|(key, id)| (key.to_string(), id.0)).collect();
        let bytes = serde_json::to_vec(&Stored { version: VERSION, keys });
        bytes.map(Bytes::from).map_err(|error| StoreError::Broken(error.to_string()))
    }
}

fn record_key() -> Key {
    KEY.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// All versions and delete markers of a key, the newest first.
///
/// # Errors
/// [`SyncError`] if the bucket could not be read.
pub async fn versions_of<S: VersionedStore>(store: &S, key: &Key) -> Result<Vec<ObjectVersion>, SyncError> {
    let mut found = Vec::new();
    let mut behind = None;
    loop {
        let page = store.versions(key.as_str(), behind.as_ref()).await?;
        // Longer keys that begin the same come later.
        let is_over = page.past.iter().any(|past| past.key != *key);
        found.extend(page.past.into_iter().filter(|past| past.key == *key));
        behind = page.next;
        if behind.is_none() || is_over {
            return Ok(found);
        }
    }
}

/// What was removed of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgedVersions {
    /// The key.
    pub key: Key,
    /// How many versions and delete markers were removed from each bucket.
    pub versions: Pair<usize>,
}

/// What a purge did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// What was removed, by key.
    pub keys: Vec<PurgedVersions>,
    /// Keys whose versions were still on their way to the other bucket when they were removed: purging once more removes what may have
    /// arrived meanwhile.
    pub pending: Vec<Key>,
}

/// Which keys to purge.
#[derive(Clone, Copy, Debug)]
pub struct PurgeOf<'a> {
    /// The keys, to the byte.
    pub keys: &'a [Key],
    /// The newest release: it and earlier ones lose the keys.
    pub newest: ReleaseId,
    /// How long to wait for versions that are on their way to the other bucket.
    pub patience: Duration,
}

/// Removes every version and delete marker of these keys from both buckets. Purging again finishes what was interrupted.
///
/// # Errors
/// [`SyncError`] if a request failed.
pub async fn purge<S: VersionedStore>(stores: &Pair<S>, what: PurgeOf<'_>, run: &Run) -> Result<Purged, SyncError> {
    // Recorded first: from the first version that is removed on, releases are incomplete.
    for (_, store) in stores.iter() {
        let mut purged = PurgedKeys::read(store).await?;
        purged.0.extend(what.keys.iter().map(|key| (key.clone(), what.newest)));
        let bytes = purged.bytes()?;
        let digest = crate::md5(&bytes);
        let headers = Headers::of_record("application/json");
        store.put(&record_key(), &headers, (bytes.into(), digest)).await?;
    }
    let mut done = Purged { pending: wait_for_replication(stores, what, run).await?, ..Purged::default() };
    for key in what.keys {
        if run.is_cancelled() {
            return Err(SyncError::Cancelled);
        }
        let mut versions = Pair::new(0, 0);
        // A replica may arrive while its original is being removed: the second round finds it.
        for _ in 0..2 {
            for (side, store) in stores.iter() {
                *versions.get_mut(side) += remove_versions(store, key).await?;
            }
        }
        for (side, _) in versions.iter().filter(|(_, removed)| **removed > 0) {
            let key = key.to_string();
            run.emit(&Event::Object { verb: Verb::Delete, side: Some(side), key, reason: "purge", bytes: 0 });
        }
        done.keys.push(PurgedVersions { key: key.clone(), versions });
    }
    Ok(done)
}

async fn remove_versions<S: VersionedStore>(store: &S, key: &Key) -> Result<usize, SyncError> {
    let found = versions_of(store, key).await?;
    let ids: Vec<(Key, String)> = found.into_iter().map(|past| (past.key, past.version)).collect();
    for batch in ids.chunks(1000) {
        if let Some((key, why)) = store.delete_versions(batch).await?.into_iter().next() {
            return Err(StoreError::Broken(format!("a version of `{key}` was not removed: {why}")).into());
        }
    }
    Ok(ids.len())
}

/// Waits until no version of these keys is on its way to the other bucket, where it would arrive after the purge. Returns the keys of
/// which some still are.
async fn wait_for_replication<S: VersionedStore>(
    stores: &Pair<S>,
    what: PurgeOf<'_>,
    run: &Run,
) -> Result<Vec<Key>, SyncError> {
    let started = Instant::now();
    let mut pending: Vec<Key> = what.keys.to_vec();
    let mut pause = Duration::from_millis(100);
    loop {
        let mut left = Vec::new();
        for key in pending {
            if is_pending(&stores.primary, &key).await? || is_pending(&stores.backup, &key).await? {
                left.push(key);
            }
        }
        pending = left;
        if pending.is_empty() || started.elapsed() + pause > what.patience {
            return Ok(pending);
        }
        run.emit(&Event::Waiting {
            what: "replication of what is purged".to_owned(),
            since: started.elapsed(),
            usually: Some("seconds"),
        });
        wait::pause(run, pause).await;
        if run.is_cancelled() {
            return Err(SyncError::Cancelled);
        }
        pause = (pause * 3 / 2).min(Duration::from_secs(5));
    }
}

async fn is_pending<S: VersionedStore>(store: &S, key: &Key) -> Result<bool, SyncError> {
    for past in versions_of(store, key).await?.into_iter().filter(|past| past.etag.is_some()) {
        let look = store.look(key, Some(&past.version)).await?;
        if look.is_some_and(|look| look.replication == ReplicationStatus::Pending) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many versions and delete markers of a key each bucket has.
///
/// # Errors
/// [`SyncError`] if a bucket could not be read.
pub async fn count_versions<S: VersionedStore>(stores: &Pair<S>, key: &Key) -> Result<PurgedVersions, SyncError> {
    let mut versions = Pair::new(0, 0);
    for side in Side::BOTH {
        *versions.get_mut(side) = versions_of(stores.get(side), key).await?.len();
    }
    Ok(PurgedVersions { key: key.clone(), versions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_that_of_version_1() {
        let purged = PurgedKeys([("a b/ü*.txt".parse().unwrap(), ReleaseId(3))].into());
        let stored = purged.bytes().unwrap();
        assert_eq!(stored, r#"{"version":1,"keys":{"a b/ü*.txt":3}}"#);
        let key = "a b/ü*.txt".parse().unwrap();
        assert!(purged.is_purged_from(&key, ReleaseId(3)) && !purged.is_purged_from(&key, ReleaseId(4)));
    }
}
