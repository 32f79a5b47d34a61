//! What the store is known to lack of S3, recorded beside the lock, so that it is found out once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::store::{Condition, Limit, Store};
use crate::{Headers, Key, StoreError};

/// Where it is recorded. To have a store examined anew, this object is deleted.
const KEY: &str = ".twinsite/limits";

/// The prefix of the objects with which a store is tested.
const PROBES: &str = ".twinsite/probe-";

/// The version of the stored form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    limits: BTreeSet<Limit>,
}

fn key() -> Key {
    KEY.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// True for the key of the record.
pub(crate) fn is_record(key: &Key) -> bool {
    key.as_str() == KEY
}

/// Reads what is recorded of a store, and does not use it any more.
///
/// # Errors
/// [`StoreError`] if the record could not be read. One that this program cannot read counts as none.
pub async fn read_limits<S: Store>(store: &S) -> Result<(), StoreError> {
    let bytes = match store.get(&key()).await {
        Err(StoreError::TooLarge { .. }) => None,
        read => read?,
    };
    let stored = bytes.and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
    for limit in stored.filter(|stored| stored.version == VERSION).into_iter().flat_map(|stored| stored.limits) {
        store.add_limit(limit);
    }
    Ok(())
}

/// Records what was found out about a store.
///
/// # Errors
/// [`StoreError`] if it could not be written.
pub async fn record_limits<S: Store>(store: &S) -> Result<(), StoreError> {
    let stored = Stored { version: VERSION, limits: store.limits() };
    let bytes: bytes::Bytes =
        serde_json::to_vec(&stored).map_err(|error| StoreError::Broken(error.to_string()))?.into();
    let digest = crate::md5(&bytes);
    let headers = Headers { content_type: Some("application/json".to_owned()), ..Headers::default() };
    store.put(&key(), &headers, (bytes.into(), digest)).await.map(drop)
}

/// Whether the store refuses a write whose condition does not hold. Some ignore conditions without a word.
pub(super) async fn enforces_conditions<S: Store>(store: &S) -> Result<bool, StoreError> {
    let probe: Key = format!("{PROBES}{:016x}", fastrand::u64(..)).parse().map_err(|_| broken())?;
    let bytes = bytes::Bytes::from_static(b"Tests whether the store supports conditional writes; may be deleted.\n");
    let (digest, headers) = (crate::md5(&bytes), Headers::default());
    let other = bytes::Bytes::from_static(b"This must not be written.\n");
    let other_digest = crate::md5(&other);
    let write = async |condition: Condition| {
        let body = match condition {
            Condition::None => (bytes.clone().into(), digest),
            Condition::Absent | Condition::Is(_) => (other.clone().into(), other_digest),
        };
        store.put_exclusively(&probe, &headers, body, &condition).await
    };
    write(Condition::None).await?;
    let mut enforced = true;
    for condition in [Condition::Absent, Condition::Is(crate::ETag::Md5(crate::md5(b"")))] {
        match write(condition).await {
            Ok(_) | Err(StoreError::Unconditional(_)) => enforced = false,
            Err(StoreError::Changed(_)) => {}
            Err(error) => return Err(error),
        }
    }
    store.delete(&[probe]).await?;
    Ok(enforced)
}

fn broken() -> StoreError {
    StoreError::Broken("the name of a test object is no key".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_that_of_version_1() {
        let limits = BTreeSet::from([
            Limit::Conditions,
            Limit::CopyConditions,
            Limit::Checksums,
            Limit::BatchDeletes,
            Limit::Copies,
            Limit::Versions,
        ]);
        let stored = serde_json::to_string(&Stored { version: VERSION, limits: limits.clone() }).unwrap();
        let expected = "{\"version\":1,\"limits\":[\"conditions\",\"copy-conditions\",\"checksums\",\"batch-deletes\",\
                        \"copies\",\"versions\"]}";
        assert_eq!(stored, expected);
        assert_eq!(serde_json::from_str::<Stored>(&stored).unwrap().limits, limits);
    }
}
