//! A note in the second bucket that it was level: an object without content, whose name tells up to which second of the first bucket
//! and up to which second of the second one. Copies are younger than their originals, and so would have to be asked for their headers
//! each time; what was level then and has not been touched since need not be.
//!
//! Both seconds are those of the listings that were compared, never that of the note: what another program wrote between the two was not
//! compared.

use crate::store::Store;
use crate::{Headers, Key, RemoteObject, StoreError};

const PREFIX: &str = ".twinsite/mirror/";

/// What a note tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// Originals up to this second,
    until: i64,
    /// and copies up to this one.
    made: i64,
}

/// True for a note.
pub(crate) fn is(object: &RemoteObject) -> bool {
    object.key.as_str().starts_with(PREFIX)
}

impl Note {
    /// `None` for what is no note. A note of an earlier version tells only the second of the first bucket, and was written at the other.
    /// None vouches for what is younger than itself, whatever its name says.
    pub(crate) fn of(object: &RemoteObject) -> Option<Self> {
        let name = object.key.as_str().strip_prefix(PREFIX)?;
        let (until, made) = match name.split_once('-') {
            Some((until, made)) => (until.parse().ok()?, made.parse().ok()?),
            None => (name.parse().ok()?, object.modified),
        };
        Some(Self { until: object.modified.min(until), made: object.modified.min(made) })
    }

    /// True when neither was touched since.
    pub(crate) fn vouches(self, here: &RemoteObject, there: &RemoteObject) -> bool {
        here.modified <= self.until && there.modified <= self.made
    }
}

/// Notes that the second bucket is level, its objects of up to the second `made` with those of the first of up to the second `until`, and
/// takes earlier notes away.
pub(crate) async fn write<S: Store>(store: &S, until: i64, made: i64) -> Result<(), StoreError> {
    let name = format!("{PREFIX}{until:012}-{made:012}");
    let key: Key = name.parse().unwrap_or_else(|_| unreachable!("a short text is a key"));
    let empty = (bytes::Bytes::new().into(), crate::md5(b""));
    store.put(&key, &Headers::default(), empty).await?;
    let page = store.page(Some(PREFIX)).await?;
    let old = page.objects.into_iter().filter(|object| is(object) && object.key != key);
    let old: Vec<Key> = old.map(|object| object.key).collect();
    if !old.is_empty() {
        store.delete(&old).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ETag;

    fn object(key: &str, modified: i64) -> RemoteObject {
        RemoteObject { key: key.parse().unwrap(), size: 0, etag: ETag::parse("x"), modified }
    }

    /// Names of notes are stored, and those of earlier versions are read.
    #[tokio::test]
    async fn notes_have_an_explicit_name_and_vouch_for_nothing_younger_than_themselves() {
        let store = crate::MemoryStore::default();
        write(&store, 5, 7).await.unwrap();
        let keys: Vec<Key> = store.contents().into_keys().collect();
        assert_eq!(keys, [".twinsite/mirror/000000000005-000000000007".parse().unwrap()]);
        let note = |name: &str, modified| Note::of(&object(name, modified));
        assert_eq!(note(keys[0].as_str(), 9), Some(Note { until: 5, made: 7 }));
        assert_eq!(note(".twinsite/mirror/000000000005", 9), Some(Note { until: 5, made: 9 }), "an earlier version's");
        assert_eq!(
            note(".twinsite/mirror/9999999999999-9999999999999", 9),
            Some(Note { until: 9, made: 9 }),
            "planted"
        );
        assert_eq!(note(".twinsite/mirror/x", 9), None);
        assert_eq!(note(".twinsite/mirror/99999999999999999999-1", 9), None);
    }
}
