//! What a bucket that keeps versions can do beside holding objects: tell of its past, and take objects from elsewhere
//! without a byte passing through this machine.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Condition, Head, Store, Written};
use crate::{ETag, Headers, Key, StoreError, TagKind};

/// How far a version has got on its way to another bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplicationStatus {
    /// No rule is about it.
    None,
    /// On its way.
    Pending,
    /// There.
    Completed,
    /// It did not get there, and S3 does not try again.
    Failed,
    /// It came from another bucket.
    Replica,
}

/// Everything that a look at one version tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionHead {
    /// What a publish compares.
    pub head: Head,
    /// The version's id; `None` where the bucket keeps none.
    pub version: Option<String>,
    /// When it was written, in seconds since the epoch.
    pub modified: i64,
    /// How far it has got.
    pub replication: ReplicationStatus,
    /// `Expires`, as it was sent.
    pub expires: Option<String>,
    /// The checksum over the whole object and its algorithm, where there is one.
    pub checksum: Option<(String, String)>,
}

impl VersionHead {
    /// The checksum over the whole object as algorithm and value.
    pub fn checksum(&self) -> Option<(&str, &str)> {
        self.checksum.as_ref().map(|(algorithm, sum)| (algorithm.as_str(), sum.as_str()))
    }

    /// Whether two versions have the same bytes; `None` if neither their ids, their entity tags nor their checksums tell. A replica has
    /// the id of its original.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html>
    pub fn same_bytes(&self, other: &Self) -> Option<bool> {
        let is_same_version = self.version.is_some() && self.version == other.version;
        if self.head.size != other.head.size {
            return Some(false);
        }
        if is_same_version || self.head.etag == other.head.etag {
            return Some(true);
        }
        if let (Some((algorithm, sum)), Some((other_algorithm, other_sum))) = (self.checksum(), other.checksum())
            && algorithm == other_algorithm
        {
            return Some(sum == other_sum);
        }
        // Objects of several parts have the same bytes and other tags if their parts are others.
        let is_md5 = |look: &Self| look.head.tag_kind == TagKind::Digest && matches!(look.head.etag, ETag::Md5(_));
        (is_md5(self) && is_md5(other)).then_some(false)
    }
}

impl From<VersionHead> for Written {
    fn from(VersionHead { head, version, modified, .. }: VersionHead) -> Self {
        Self { version, etag: Some(head.etag), tag_kind: head.tag_kind, modified: Some(modified) }
    }
}

/// A version or a delete marker, as a listing of versions shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// The object's key.
    pub key: Key,
    /// The version's id.
    pub version: String,
    /// Its entity tag; `None` for a delete marker.
    pub etag: Option<ETag>,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in seconds since the epoch.
    pub modified: i64,
    /// Whether it is the current one.
    pub latest: bool,
}

/// One page of a listing of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionsPage {
    /// Versions and delete markers by key, the newest of a key first.
    pub past: Vec<ObjectVersion>,
    /// Where the next page starts; `None` when this is the last.
    pub next: Option<(String, String)>,
}

/// An object to be taken from another bucket, or from an older version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copying {
    /// Its key, there and here.
    pub key: Key,
    /// Which version; the current one unless given.
    pub version: Option<String>,
    /// The entity tag that it must still have there.
    pub etag: ETag,
    /// What it is to be served with; as it is there unless given.
    pub headers: Option<Headers>,
    /// `x-amz-website-redirect-location`, which S3 leaves behind when it copies.
    pub redirect: Option<String>,
    /// The precondition of the write, on the object that is replaced.
    pub condition: Condition,
}

/// What became of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It is here.
    Done(Written),
    /// It is no longer there, or is no longer what it was.
    Gone,
}

/// A store that keeps versions.
pub trait VersionedStore: Store {
    /// Versions of keys that begin so, up to a thousand, behind a key and a version of it.
    fn versions(
        &self,
        prefix: &str,
        behind: Option<&(String, String)>,
    ) -> impl Future<Output = Result<VersionsPage, StoreError>> + Send;

    /// Looks at one version; the current one unless named.
    fn look(
        &self,
        key: &Key,
        version: Option<&str>,
    ) -> impl Future<Output = Result<Option<VersionHead>, StoreError>> + Send;

    /// The tags of a version.
    fn tags(
        &self,
        key: &Key,
        version: Option<&str>,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, StoreError>> + Send;

    /// Whether this store can copy from that one. If not, the bytes pass through this process, without checksums and tags of the original.
    fn can_copy_from(&self, from: &Self) -> bool {
        let _ = from;
        true
    }

    /// Takes an object of up to 5 GiB from another store, or from this one's past, in one request.
    fn copy(&self, from: &Self, copying: &Copying) -> impl Future<Output = Result<Copied, StoreError>> + Send;

    /// Begins to take a large one.
    fn begin_copy(
        &self,
        key: &Key,
        look: &VersionHead,
        tags: &BTreeMap<String, String>,
    ) -> impl Future<Output = Result<String, StoreError>> + Send;

    /// Takes a part of a large one, and returns its entity tag; `None` when it is no longer there as it was.
    fn part_copy(
        &self,
        from: &Self,
        upload: (&Copying, &str),
        number: u32,
        bytes: Range<u64>,
    ) -> impl Future<Output = Result<Option<ETag>, StoreError>> + Send;

    /// Removes up to a thousand versions for good, and returns those it could not with the reasons.
    fn delete_versions(
        &self,
        versions: &[(Key, String)],
    ) -> impl Future<Output = Result<Vec<(Key, String)>, StoreError>> + Send;
}
