//! A note in the second bucket that it was level: an object without content, whose name tells up to which second of the
//! first bucket and whose date tells since when. Copies are younger than their originals, and so would have to be asked for
//! their headers each time; what was level then and has not been touched since need not be.

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
    pub(crate) fn of(object: &RemoteObject) -> Option<Self> {
        let until = object.key.as_str().strip_prefix(PREFIX)?.parse().ok()?;
        Some(Self { until, made: object.modified })
    }

    /// True when neither was touched since.
    pub(crate) fn vouches(self, here: &RemoteObject, there: &RemoteObject) -> bool {
        here.modified <= self.until && there.modified <= self.made
    }
}

/// Notes that the second bucket is level now, and takes earlier notes away.
pub(crate) async fn write<S: Store>(store: &S, until: i64) -> Result<(), StoreError> {
    let name = |until: i64| format!("{PREFIX}{until:012}");
    let key: Key = name(until).parse().unwrap_or_else(|_| unreachable!("a short text is a key"));
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
