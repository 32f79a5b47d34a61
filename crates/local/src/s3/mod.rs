//! S3: buckets, objects, versions, multipart uploads, replication and website endpoints.

mod blobs;
mod bucket;
mod encryption;
mod error;
mod list;
mod object;
mod replication;
mod upload;
pub(crate) mod website;
mod wire;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use bytes::Bytes;
use futures::Stream;
use redb::TableDefinition;

use crate::context::{Clock, Disk, DiskError, ServiceError, rows};
use crate::iam::{Caller, Iam, Policy, Verdict};

use blobs::Blobs;
pub use blobs::{CHUNK, Chunk};
use bucket::Bucket;
pub use bucket::{BucketSettings, Doc, PublicAccessBlock, Versioning};
pub use encryption::Kms;
pub(crate) use error::{complete, no_such_bucket, no_such_key};
pub use list::{ListQuery, ObjectsPage, VersionEntry, VersionMarker, VersionsPage};
pub use object::{Checksums, Headers, Part, Version};
pub use replication::ReplicationStatus;
use replication::{Permissions, Queue};
pub use upload::{PartRef, Upload};
pub(crate) use wire::{authorize, aws_host, operation, service, with_creation_tags};
pub use write::{Condition, Deleted, NewObject};

const BUCKETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("buckets");
const VERSIONS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("versions");
const UPLOADS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("uploads");

/// The current version of a key.
#[derive(Clone, Debug)]
pub enum Current {
    /// An object.
    Object(Arc<Version>),
    /// A delete marker.
    DeleteMarker(Arc<Version>),
    /// The key does not exist.
    Missing,
}

/// What S3 reads of the rest of the account. The world replaces it whenever the account changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountView {
    pub(crate) iam: Iam,
    pub(crate) block: Option<PublicAccessBlock>,
}

type Buckets = BTreeMap<String, Bucket>;

/// S3 in all regions. Clones share the same state.
#[derive(Clone, Debug)]
pub struct S3 {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    buckets: RwLock<Buckets>,
    account: RwLock<Arc<AccountView>>,
    blobs: Blobs,
    disk: Option<Arc<Disk>>,
    clock: Clock,
    queue: Queue,
    permissions: Permissions,
}

impl S3 {
    /// An empty S3 in memory.
    pub(crate) fn memory(clock: Clock) -> Self {
        Self::new(Buckets::new(), Blobs::memory(), None, clock)
    }

    /// S3 as stored on disk. Blobs that nothing refers to are deleted.
    pub(crate) fn open(dir: &Path, disk: &Arc<Disk>, clock: Clock) -> Result<Self, DiskError> {
        let mut buckets = Buckets::new();
        rows(disk, BUCKETS, |name, settings: BucketSettings| {
            buckets.insert(name.to_owned(), Bucket::empty(settings));
        })?;
        rows(disk, VERSIONS, |(bucket, key), versions: Vec<Version>| {
            if let Some(bucket) = buckets.get_mut(bucket) {
                bucket.keys.insert(key.to_owned(), versions.into_iter().map(Arc::new).collect());
            }
        })?;
        rows(disk, UPLOADS, |(bucket, _), upload: Upload| {
            if let Some(bucket) = buckets.get_mut(bucket) {
                bucket.uploads.insert(upload.id.clone(), upload);
            }
        })?;
        let blobs = Blobs::files(dir, &used_files(&buckets))?;
        Ok(Self::new(buckets, blobs, Some(Arc::clone(disk)), clock))
    }

    fn new(buckets: Buckets, blobs: Blobs, disk: Option<Arc<Disk>>, clock: Clock) -> Self {
        let queue = Queue::of_pending(&buckets);
        let (buckets, account, permissions) = (RwLock::new(buckets), RwLock::default(), Permissions::default());
        Self { inner: Arc::new(Inner { buckets, account, blobs, disk, clock, queue, permissions }) }
    }

    /// When the newest version was written.
    pub(crate) fn newest(&self) -> Option<SystemTime> {
        let buckets = self.read();
        buckets.values().flat_map(|bucket| bucket.keys.values()).flatten().map(|version| version.modified).max()
    }

    pub(crate) fn set_account(&self, view: AccountView) {
        *self.inner.account.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        self.inner.permissions.clear();
    }

    pub(crate) fn account(&self) -> Arc<AccountView> {
        Arc::clone(&self.inner.account.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn read(&self) -> RwLockReadGuard<'_, Buckets> {
        self.inner.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Buckets> {
        self.inner.buckets.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    fn persist(&self, write: impl FnOnce(&Disk) -> Result<(), DiskError>) -> Result<(), ServiceError> {
        self.inner.disk.as_deref().map_or(Ok(()), write).map_err(ServiceError::internal)
    }

    /// The settings of a bucket; `None` when it does not exist.
    pub fn bucket(&self, name: &str) -> Option<BucketSettings> {
        self.read().get(name).map(|bucket| bucket.settings.clone())
    }

    /// The buckets of an account.
    pub fn buckets(&self, owner: &str) -> Vec<BucketSettings> {
        let buckets = self.read();
        buckets.values().map(|bucket| &bucket.settings).filter(|settings| settings.owner == owner).cloned().collect()
    }

    /// Every bucket's settings and number of keys.
    pub(crate) fn summary(&self) -> Vec<(BucketSettings, usize)> {
        self.read().values().map(|bucket| (bucket.settings.clone(), bucket.keys.len())).collect()
    }

    /// The current version of a key.
    pub fn current(&self, bucket: &str, key: &str) -> Result<Current, ServiceError> {
        let buckets = self.read();
        let versions = buckets.get(bucket).ok_or_else(no_such_bucket)?.keys.get(key);
        Ok(match versions.and_then(|versions| versions.last()) {
            None => Current::Missing,
            Some(marker) if marker.is_marker() => Current::DeleteMarker(Arc::clone(marker)),
            Some(version) => Current::Object(Arc::clone(version)),
        })
    }

    /// An object: its current version, or the one named.
    pub fn object(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Arc<Version>, ServiceError> {
        let Some(id) = version else {
            return match self.current(bucket, key)? {
                Current::Object(version) => Ok(version),
                Current::DeleteMarker(marker) => {
                    let error = no_such_key().with("Key", key).with_header("x-amz-delete-marker", "true");
                    Err(error.with_header("x-amz-version-id", &marker.id))
                }
                Current::Missing => Err(no_such_key().with("Key", key)),
            };
        };
        let buckets = self.read();
        let versions = buckets.get(bucket).ok_or_else(no_such_bucket)?.keys.get(key);
        match versions.and_then(|all| all.iter().find(|version| version.id == id)) {
            None => Err(error::no_such_version().with("Key", key).with("VersionId", id)),
            Some(marker) if marker.is_marker() => Err(error::method_not_allowed()),
            Some(version) => Ok(Arc::clone(version)),
        }
    }

    /// The bytes of an object in `range`, chunk by chunk.
    pub fn body(
        &self,
        version: &Version,
        range: Range<u64>,
    ) -> impl Stream<Item = std::io::Result<Bytes>> + Send + Sync + use<> {
        futures::stream::iter(self.chunks(version, range))
    }

    /// Like [`S3::body`], as an iterator that may block.
    pub fn chunks(
        &self,
        version: &Version,
        range: Range<u64>,
    ) -> impl Iterator<Item = std::io::Result<Bytes>> + Send + Sync + use<> {
        blobs::read(self.clone(), version.chunks().cloned().collect(), range)
    }

    /// Stores bytes for an object or a part that is created later.
    pub fn store_chunk(&self, bytes: Bytes) -> Result<Chunk, ServiceError> {
        self.inner.blobs.store(bytes).map_err(ServiceError::internal)
    }

    /// Whether an object can be read without credentials.
    pub fn anonymous_may_read(&self, bucket: &str, key: &str) -> bool {
        self.anonymous_may(bucket, "s3:GetObject", &format!("/{key}"))
    }

    /// Whether a bucket can be listed without credentials.
    pub fn anonymous_may_list(&self, bucket: &str) -> bool {
        self.anonymous_may(bucket, "s3:ListBucket", "")
    }

    fn anonymous_may(&self, bucket: &str, action: &str, path: &str) -> bool {
        let Some(settings) = self.bucket(bucket) else { return false };
        let restricted = |block: &PublicAccessBlock| block.restrict_public_buckets;
        if restricted(&settings.block) || self.account().block.as_ref().is_some_and(restricted) {
            return false;
        }
        let Some(policy) = settings.policy.as_deref().and_then(|text| Policy::parse(text).ok()) else { return false };
        policy.verdict(&Caller::Anonymous, action, &format!("arn:aws:s3:::{bucket}{path}")) == Verdict::Allow
    }
}

/// The blob files that objects and uploads refer to.
fn used_files(buckets: &Buckets) -> HashSet<String> {
    let versions = buckets.values().flat_map(|bucket| bucket.keys.values().flatten());
    let uploads = buckets.values().flat_map(|bucket| bucket.uploads.values()).flat_map(|upload| upload.parts.values());
    let parts = versions.flat_map(|version| version.all_parts()).chain(uploads);
    parts.flat_map(|part| &part.chunks).filter_map(|chunk| chunk.file.clone()).collect()
}
