//! The history of a site: what each publish made of it, kept beside it in the bucket.
//!
//! A release record names every object with its version, entity tag, size and headers. Versions keep the bytes; the record
//! says which of them belonged together. So going back is a publish like any other, only that its source is the past:
//! no byte is sent, because the bucket still has all of them.
//!
//! ```
//! use twinsite_core::Run;
//! use twinsite_sync::{Index, MemoryStore, Notes, Options, Rules, plan, release, transfer, walk};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let (store, index, run) = (MemoryStore::default(), Index::memory(), Run::silent());
//! for text in ["one", "two"] {
//!     std::fs::write(dir.path().join("index.html"), text)?;
//!     let source = walk(dir.path(), &Rules::web())?;
//!     let plan = plan(&source, &store, &Options::default(), &index, &run).await?;
//!     let draft = release::RecordBuilder::of(&plan, &source);
//!     let report = transfer(plan, &store, &index, &run).await?;
//!     release::write(&store, draft, &report, 0, Notes::default()).await?;
//! }
//! let releases = release::list(&store).await?;
//! let first = release::read(&store, releases[0].id).await?.expect("it was just written");
//! let source = first.source(&Rules::web());
//! let mut back = plan(&source, &store, &Options::default(), &index, &run).await?;
//! release::find_versions(&mut back, &store).await?;
//! transfer(back, &store, &index, &run).await?;
//! assert_eq!(store.contents()[&"index.html".parse()?].0, "one");
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod compare;
mod record;
mod retention;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use crate::model::time::now;
use crate::{ETag, Headers, Key, ReleaseId, Rules, Source, SourceObject};
pub use compare::{Difference, Kind, compare};
pub use retention::{Collected, collect, is_due_at};
pub use write::{
    DamagedRecord, RecordBuilder, ReleaseList, find_versions, is_live_whole, list, list_all, list_ids, live, newest,
    read, summary, write,
};

/// Where a publish came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// When it was committed, in seconds since the epoch.
    pub time: i64,
}

/// What people write about a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The source's commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Who published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The release that it brought back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restores: Option<ReleaseId>,
}

/// A release in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its number.
    pub id: ReleaseId,
    /// When it was complete, in seconds since the epoch.
    pub time: i64,
    /// What people wrote about it.
    #[serde(flatten)]
    pub notes: Notes,
    /// How many objects it is made of.
    pub objects: usize,
    /// Their size together, in bytes.
    pub bytes: u64,
    /// How many objects it changed: put, rewritten or deleted.
    pub changed: usize,
}

/// An object of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// The version that it was, in the bucket that the record was first written to.
    pub version: Option<String>,
    /// Its entity tag, in the bucket that the record was first written to.
    pub etag: ETag,
    /// The digest of its bytes, as an entity tag would have it, where its own does not tell.
    pub digest: Option<ETag>,
    /// Its size in bytes.
    pub size: u64,
    /// What it was served with: a place in [`Release::headers`].
    pub headers: u32,
}

/// A release, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// In short.
    pub summary: Summary,
    /// The sets of headers that its objects share.
    pub headers: Vec<Headers>,
    /// Its objects, in the order of their keys.
    pub entries: Vec<Entry>,
}

impl Entry {
    /// What tells its bytes: two objects with the same one are the same.
    pub(crate) fn identity(&self) -> &ETag {
        self.digest.as_ref().unwrap_or(&self.etag)
    }
}

impl Release {
    /// What an object was served with.
    pub fn headers(&self, entry: &Entry) -> Headers {
        self.headers.get(entry.headers as usize).cloned().unwrap_or_default()
    }

    /// The website redirect of an object, if it is served as one.
    pub(crate) fn redirect(&self, entry: &Entry) -> Option<&str> {
        self.headers.get(entry.headers as usize)?.website_redirect.as_deref()
    }

    /// An object by its key.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.binary_search_by(|entry| entry.key.cmp(key)).ok().map(|at| &self.entries[at])
    }

    /// The release as something to be published: the same waves, the same guards, the same headers as then.
    pub fn source(&self, rules: &Rules) -> Source {
        let sets: Vec<Arc<Headers>> = self.headers.iter().cloned().map(Arc::new).collect();
        let object = |entry: &Entry| {
            let key = entry.key.clone();
            let Entry { etag, digest, version, .. } = entry.clone();
            let body = crate::Body::Version { etag, digest, version };
            let headers = sets.get(entry.headers as usize).cloned().unwrap_or_default();
            let wave = rules.wave(&key);
            SourceObject { key, body, size: entry.size, headers, wave }
        };
        Source::of(self.entries.iter().map(object), rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RetentionPolicy;

    fn found(count: u64, every: i64) -> Vec<(ReleaseId, i64)> {
        (1..=count).map(|n| (ReleaseId(n), i64::try_from(n).unwrap() * every)).collect()
    }

    #[test]
    fn count_and_age_both_keep() {
        let day = 86_400;
        let all = found(20, day);
        let now = 20 * day;
        let oldest = |releases, days| RetentionPolicy { releases, days }.oldest(&all, now).map(|id| id.0);
        assert_eq!(oldest(10, 0), Some(11));
        assert_eq!(oldest(30, 0), Some(1));
        // Release 13 was live until day 14, and day 14 is six days ago.
        assert_eq!(oldest(3, 6), Some(13));
        assert_eq!(oldest(10, 3), Some(11));
        assert_eq!(oldest(0, 0), Some(20));
    }

    #[test]
    fn no_publish_for_two_years_removes_nothing() {
        let all = found(4, 86_400);
        let now = 800 * 86_400;
        assert_eq!(RetentionPolicy { releases: 10, days: 30 }.oldest(&all, now), Some(ReleaseId(1)));
        assert_eq!(RetentionPolicy { releases: 1, days: 30 }.oldest(&all, now), Some(ReleaseId(4)));
        assert_eq!(RetentionPolicy { releases: 3, days: 0 }.oldest_with_next(&all, now), Some(ReleaseId(3)));
    }
}
