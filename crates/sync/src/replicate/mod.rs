//! Keeping a second bucket equal to the first: what replication does not do, or not yet.
//!
//! Replication copies only what is put after its rule, gives up on what failed, and promises no order. So the two buckets
//! are compared, by content and by what objects are served with, and what is missing is copied by S3 itself: no byte passes
//! through this machine.
//!
//! ```
//! use twinsite_core::Run;
//! use twinsite_sync::{MemoryStore, Rules, Headers, Store, md5, replicate};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (primary, backup, run) = (MemoryStore::default(), MemoryStore::default(), Run::silent());
//! primary.put(&"index.html".parse()?, &Headers::default(), ("hello".into(), md5(b"hello"))).await?;
//! let compared = replicate::compare(&primary, &backup, &run).await?;
//! for copy in &compared.copies {
//!     println!("{}: {}", copy.object.key, copy.cause);
//! }
//! let filled = replicate::fill(compared, &primary, &backup, &Rules::web(), &run).await?;
//! assert_eq!(filled.copied, 1);
//! assert!(replicate::compare(&primary, &backup, &run).await?.is_in_sync());
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! What replication leaves out: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>

mod compare;
pub(crate) mod confirm;
pub(crate) mod fill;
mod join;
pub(crate) mod marker;
mod replication;
mod versions;

use std::collections::HashMap;
use std::fmt;

use twinsite_core::Side;

pub use crate::transfer::copy::{ObjectCopy, Redirect, copy_object};
use crate::{ETag, Key, ListedObject, ReleaseId, RemoteObject};
pub(crate) use compare::{KnownObjects, compare_listed};
pub use compare::{compare, compare_everything};
pub use fill::{Filled, fill};
pub use replication::{ReplicationState, ReplicationWaiter};
pub use versions::copy_versions;

/// Why an object is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The second bucket does not have it.
    Absent,
    /// Its size differs.
    Size,
    /// Its bytes differ.
    Content,
    /// These headers differ.
    Metadata(Vec<&'static str>),
    /// It did not get there in time, or replication gave up on it.
    Late,
}

impl Cause {
    /// The one word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Size => "size",
            Self::Content => "content",
            Self::Metadata(_) => "metadata",
            Self::Late => "late",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(names) if !names.is_empty() => write!(f, "metadata ({})", names.join(", ")),
            _ => f.write_str(self.word()),
        }
    }
}

/// An object that is to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// As it is in the first bucket.
    pub object: RemoteObject,
    /// Why.
    pub cause: Cause,
}

/// A part of a release record that is copied back to the first bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredRecord {
    /// The release.
    pub id: ReleaseId,
    /// The object in the second bucket.
    pub object: RemoteObject,
    /// The entity tag of the damaged object in the first.
    pub replaces: ETag,
}

/// Objects of the second bucket that were found, or made, to be copies of the first one's, where a listing alone does not tell: by key, the
/// entity tags of original and copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies(HashMap<Key, CopyTags>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct CopyTags {
    original: ETag,
    copy: ETag,
}

impl Copies {
    fn add(&mut self, key: &Key, original: &ETag, copy: ETag) {
        self.0.insert(key.clone(), CopyTags { original: original.clone(), copy });
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether these are an original and its copy.
    fn contains(&self, original: &RemoteObject, copy: &ETag) -> bool {
        self.0.get(&original.key).is_some_and(|tags| tags.original == original.etag && tags.copy == *copy)
    }
}

/// How two buckets differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What is to be copied, in the order of the keys.
    pub copies: Vec<Needed>,
    /// What was deleted in the first bucket and not in the second.
    pub gone: Vec<ListedObject>,
    /// What the second bucket has and the first never had. It stays.
    pub foreign: Vec<Key>,
    /// Parts of release records that are damaged in the first bucket and whole in the second: they are copied back.
    pub damaged: Vec<RestoredRecord>,
    /// How many objects are the same.
    pub in_sync: usize,
    /// The side of the second bucket, for progress: the backup, unless the primary is brought level with it.
    pub side: Option<Side>,
    /// Since when the first bucket has not changed, in seconds since the epoch.
    pub(crate) until: i64,
    /// Since when the second one has not.
    pub(crate) made: i64,
    /// Whether the second bucket has objects whose equality had to be asked for.
    pub(crate) asked: bool,
}

impl Compared {
    /// True when the second bucket has everything as the first has it.
    pub fn is_in_sync(&self) -> bool {
        self.copies.is_empty() && self.gone.is_empty() && self.damaged.is_empty()
    }

    /// The size of what is to be copied, in bytes.
    pub fn bytes(&self) -> u64 {
        self.copies.iter().map(|copy| copy.object.size).sum()
    }
}
