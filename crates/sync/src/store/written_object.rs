//! An object that a publish has written.

use super::Written;
use crate::{ETag, Key};

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenObject {
    /// Its key.
    pub key: Key,
    /// Its entity tag.
    pub etag: ETag,
    /// The digest of its bytes, as an entity tag would have it, where its own does not tell and it is known.
    pub digest: Option<ETag>,
    /// Its size in bytes.
    pub size: u64,
    /// The id of its version, where the bucket keeps versions.
    pub version: Option<String>,
    /// Where only its headers changed: since when it has them, in seconds since the epoch.
    pub since: Option<i64>,
    /// `x-amz-website-redirect-location`, which neither replication nor a copy carries over.
    pub redirect: Option<String>,
}

impl WrittenObject {
    /// A record or a manifest.
    pub(crate) fn record(key: Key, size: u64, digest: ETag, written: Written) -> Self {
        let Written { version, etag, .. } = written;
        Self { key, etag: etag.unwrap_or(digest), digest: None, size, version, since: None, redirect: None }
    }
}
