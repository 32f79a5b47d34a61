//! What a publish leaves to its successors, should it not come to its end: invalidations that CloudFront has not accepted, the release
//! record, and the keys that it created.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, Serializer};

use crate::store::Store;
use crate::{Headers, Key, StoreError};

/// Where this is recorded by a publish that ends before it is complete. A publish that dies leaves it in its lock.
const KEY: &str = ".twinsite/owed";

/// Above this number of keys, everything is invalidated.
const MAX_KEYS: usize = 5000;

/// Above this number of keys, the keys that a publish creates are recorded once instead of with each renewal of the lock.
const MAX_IN_LOCK: usize = 1000;

/// The version of the stored form.
const VERSION: u32 = 1;

/// What is left to do for a publish that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnfinishedPublish {
    /// Keys that edges may hold older objects of: pending invalidations.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Whether every key is to be invalidated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Whether its release record is not written yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub record: bool,
    /// Keys that were absent and that it uploads: they are the site's although no manifest names them yet, so that a later publish may
    /// delete them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub created: BTreeSet<String>,
    /// Keys that are to be purged from both buckets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub purge: BTreeSet<String>,
}

impl UnfinishedPublish {
    /// Pending invalidations of these keys.
    pub fn new(keys: BTreeSet<String>) -> Self {
        let all = keys.len() > MAX_KEYS;
        Self { keys: if all { BTreeSet::new() } else { keys }, all, ..Self::default() }
    }

    /// True if nothing is left to do.
    pub fn is_empty(&self) -> bool {
        let Self { keys, all, record, created, purge } = self;
        keys.is_empty() && !all && !record && created.is_empty() && purge.is_empty()
    }

    /// True if it is too large for the lock, which is written again and again, and has to be recorded at once.
    pub fn is_large(&self) -> bool {
        self.created.len() > MAX_IN_LOCK
    }

    /// Adds what is left to do for another publish; true if there is more to do than before.
    pub fn join(&mut self, other: Self) -> bool {
        let extent = |one: &Self| (one.keys.len(), one.all, one.record, one.created.len(), one.purge.len());
        let before = extent(self);
        let Self { keys, all, record, created, purge } = other;
        self.keys.extend(keys);
        self.created.extend(created);
        self.purge.extend(purge);
        self.record |= record;
        self.all |= all || self.keys.len() > MAX_KEYS;
        if self.all {
            self.keys.clear();
        }
        before != extent(self)
    }
}

/// What the lock says of it: everything, but for a large number of keys, which are recorded apart.
pub(super) fn in_lock<S: Serializer>(unfinished: &UnfinishedPublish, serializer: S) -> Result<S::Ok, S::Error> {
    if !unfinished.is_large() {
        return unfinished.serialize(serializer);
    }
    let said = UnfinishedPublish { created: BTreeSet::new(), ..unfinished.clone() };
    said.serialize(serializer)
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    version: u32,
    #[serde(flatten)]
    unfinished: Cow<'a, UnfinishedPublish>,
}

fn key() -> Key {
    KEY.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// True for the key of the record.
pub(crate) fn has_unfinished(key: &Key) -> bool {
    key.as_str() == KEY
}

/// Records what is left to do, for the next publish.
///
/// # Errors
/// [`StoreError`] if it could not be written.
pub async fn record_unfinished<S: Store>(store: &S, unfinished: &UnfinishedPublish) -> Result<(), StoreError> {
    let stored = Stored { version: VERSION, unfinished: Cow::Borrowed(unfinished) };
    let bytes: bytes::Bytes =
        serde_json::to_vec(&stored).map_err(|error| StoreError::Broken(error.to_string()))?.into();
    let digest = crate::md5(&bytes);
    let headers = Headers { content_type: Some("application/json".to_owned()), ..Headers::default() };
    store.put(&key(), &headers, (bytes.into(), digest)).await.map(drop)
}

/// What earlier publishes have left to do. If the record cannot be read, everything is to be invalidated.
///
/// # Errors
/// [`StoreError`] if the store could not be read.
pub async fn read_unfinished<S: Store>(store: &S) -> Result<UnfinishedPublish, StoreError> {
    let everything = UnfinishedPublish { all: true, record: true, ..UnfinishedPublish::default() };
    let bytes = match store.get(&key()).await {
        Err(StoreError::TooLarge { .. }) => return Ok(everything),
        read => read?,
    };
    let Some(bytes) = bytes else { return Ok(UnfinishedPublish::default()) };
    let stored = serde_json::from_slice::<Stored<'_>>(&bytes).ok().filter(|stored| stored.version == VERSION);
    Ok(stored.map_or(everything, |stored| stored.unfinished.into_owned()))
}

/// Nothing is left to do.
///
/// # Errors
/// [`StoreError`] if the record could not be deleted.
pub async fn clear_unfinished<S: Store>(store: &S) -> Result<(), StoreError> {
    store.delete(&[key()]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_invalidations_add_up_and_become_everything() {
        let some = |from: usize, to: usize| UnfinishedPublish::new((from..to).map(|n| n.to_string()).collect());
        let mut unfinished = some(0, 10);
        unfinished.join(some(5, 15));
        assert_eq!((unfinished.keys.len(), unfinished.all), (15, false));
        unfinished.join(some(0, MAX_KEYS + 1));
        assert_eq!((unfinished.keys.len(), unfinished.all, unfinished.is_empty()), (0, true, false));
    }

    #[test]
    fn the_stored_form_is_that_of_version_1() {
        let unfinished = UnfinishedPublish {
            keys: ["a.html".to_owned()].into(),
            record: true,
            created: ["new.css".to_owned()].into(),
            purge: ["id_rsa".to_owned()].into(),
            ..UnfinishedPublish::default()
        };
        let stored =
            serde_json::to_string(&Stored { version: VERSION, unfinished: Cow::Borrowed(&unfinished) }).unwrap();
        assert_eq!(stored, r#"{"version":1,"keys":["a.html"],"record":true,"created":["new.css"],"purge":["id_rsa"]}"#);
        let read: Stored<'_> = serde_json::from_str(&stored).unwrap();
        assert_eq!(*read.unfinished, unfinished);
    }
}
