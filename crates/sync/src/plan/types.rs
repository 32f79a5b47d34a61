//! What a plan is made of, and what it goes by.

use std::fmt;
use std::sync::Arc;

use twinsite_core::Side;

use crate::{ETag, Headers, Key, ListedObject, ReleaseId, RetentionPolicy, SourceObject};

/// Why an object moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not in the bucket.
    Absent,
    /// Its size differs.
    Size,
    /// Its size is the same, its bytes are not.
    Content,
    /// These headers differ; its bytes do not.
    Metadata(Vec<&'static str>),
    /// The owner asked for everything to be sent.
    Forced,
}

impl Reason {
    /// The one word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Size => "size",
            Self::Content => "content",
            Self::Metadata(_) => "metadata",
            Self::Forced => "forced",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(names) if !names.is_empty() => write!(f, "metadata ({})", names.join(", ")),
            _ => f.write_str(self.word()),
        }
    }
}

/// Which objects that the source no longer has are deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletes {
    /// None.
    None,
    /// Those that an earlier publish put there.
    #[default]
    Owned,
    /// All but protected ones.
    All,
}

/// The most that one publish may delete. Both limits hold: the first for large sites, of which a small share is many objects, the
/// second for small ones, of which a hundred objects is everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Up to so many objects may be deleted.
    pub count: usize,
    /// Beyond that, up to this share of all objects, in percent.
    pub percent: u8,
    /// At most this share of all pages, in percent, however few they are. Up to two pages may always be deleted.
    pub pages_percent: u8,
}

impl Guard {
    /// A guard that allows everything.
    pub const OFF: Self = Self { count: usize::MAX, percent: 100, pages_percent: 100 };

    /// So many objects, whatever they are.
    pub fn up_to(count: usize) -> Self {
        Self { count, percent: 0, pages_percent: 100 }
    }

    /// This share of all objects in percent, whatever they are.
    pub fn up_to_percent(percent: u8) -> Self {
        Self { count: 0, percent, pages_percent: 100 }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self { count: 100, percent: 25, pages_percent: 50 }
    }
}

/// How to publish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What is deleted.
    pub deletes: Deletes,
    /// For how long assets stay that the source no longer has.
    pub keep: RetentionPolicy,
    /// How much may be deleted.
    pub guard: Guard,
    /// Whether everything is sent, changed or not.
    pub send: Sending,
    /// Which side the bucket is of, for those who watch.
    pub side: Option<Side>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sending {
    /// What differs.
    #[default]
    Changed,
    /// Everything.
    All,
}

/// An object to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The file.
    pub object: Arc<SourceObject>,
    /// Why.
    pub reason: Reason,
    /// The entity tag of the object that it replaces; `None` if the key was absent when it was listed.
    pub replaces: Option<ETag>,
    /// The headers that the replaced object is served with, where the manifest tells.
    pub served: Option<Arc<Headers>>,
}

/// An object whose headers are to be replaced in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The file it was put from.
    pub object: Arc<SourceObject>,
    /// Which headers differ.
    pub reason: Reason,
    /// Its entity tag when it was listed.
    pub etag: ETag,
    /// The digest of its bytes, as an entity tag would have it, where it is known.
    pub digest: Option<ETag>,
    /// The headers that it is served with, where they were read.
    pub served: Option<Headers>,
}

/// An asset that stays although the source does not have it: a kept release names it, and so may open pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupersededObject {
    /// Its key.
    pub key: Key,
    /// The newest release that names it, where it is known.
    pub release: Option<ReleaseId>,
}

/// An object to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// Its key.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// Its entity tag when it was listed.
    pub etag: ETag,
    /// The headers that it is served with, where the manifest tells.
    pub served: Option<Headers>,
}

impl Delete {
    /// The object as it was listed.
    pub(crate) fn listed(&self) -> ListedObject {
        ListedObject { key: self.key.clone(), etag: self.etag.clone() }
    }
}
