//! What a publish owes to visitors until the CDN has heard of it: that it forgets what has changed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::{Headers, Key, StoreError};

/// Where a debt is noted that outlives its publish.
const KEY: &str = ".twinsite/owed";

/// More keys than this are not worth naming one by one.
const MOST: usize = 5000;

/// Keys that visitors may be served old copies of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PendingInvalidations {
    /// The keys.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Or all of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// A publish was stopped half-way: its release record is owed, too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub record: bool,
}

impl PendingInvalidations {
    /// These keys.
    pub fn new(keys: BTreeSet<String>) -> Self {
        let all = keys.len() > MOST;
        Self { keys: if all { BTreeSet::new() } else { keys }, all, record: false }
    }

    /// True when nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.all && !self.record
    }

    /// Adds another debt.
    pub fn join(&mut self, other: Self) {
        self.keys.extend(other.keys);
        let (all, record) = (self.all || other.all, self.record || other.record);
        let joined = Self::new(if all { BTreeSet::new() } else { std::mem::take(&mut self.keys) });
        *self = Self { all: all || joined.all, record, ..joined };
    }
}

fn key() -> Key {
    KEY.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// True when a listing's notes tell of a debt.
pub(crate) fn has_pending(key: &Key) -> bool {
    key.as_str() == KEY
}

/// Notes a debt that this publish could not pay, for the next one.
///
/// # Errors
/// [`StoreError`] when it could not be written.
pub async fn record_pending<S: Store>(store: &S, owed: &PendingInvalidations) -> Result<(), StoreError> {
    let bytes: bytes::Bytes = serde_json::to_vec(owed).map_err(|error| StoreError::Broken(error.to_string()))?.into();
    let digest = crate::md5(&bytes);
    let headers = Headers { content_type: Some("application/json".to_owned()), ..Headers::default() };
    store.put(&key(), &headers, (bytes.into(), digest)).await.map(drop)
}

/// The debt of earlier publishes. A note that cannot be read owes everything.
///
/// # Errors
/// [`StoreError`] when the store could not be asked.
pub async fn read_pending<S: Store>(store: &S) -> Result<PendingInvalidations, StoreError> {
    let Some(bytes) = store.get(&key()).await? else { return Ok(PendingInvalidations::default()) };
    Ok(serde_json::from_slice(&bytes).unwrap_or(PendingInvalidations {
        keys: BTreeSet::new(),
        all: true,
        record: true,
    }))
}

/// The debt is paid.
///
/// # Errors
/// [`StoreError`] when the note could not be deleted.
pub async fn clear_pending<S: Store>(store: &S) -> Result<(), StoreError> {
    store.delete(&[key()]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debts_add_up_and_become_everything() {
        let some = |from: usize, to: usize| PendingInvalidations::new((from..to).map(|n| n.to_string()).collect());
        let mut owed = some(0, 10);
        owed.join(some(5, 15));
        assert_eq!((owed.keys.len(), owed.all), (15, false));
        owed.join(some(0, MOST + 1));
        assert_eq!((owed.keys.len(), owed.all, owed.is_empty()), (0, true, false));
    }
}
