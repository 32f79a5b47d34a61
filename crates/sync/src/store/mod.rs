//! Where objects are kept, in the engine's own words.

mod memory;
#[cfg(feature = "s3")]
mod s3;
mod versioned;

use bytes::Bytes;

use crate::{Content, ETag, FileRange, Headers, Key, Md5, RemoteObject, StoreError};
pub use memory::MemoryStore;
#[cfg(feature = "s3")]
pub use s3::S3Store;
pub use versioned::{Copied, Copying, ObjectVersion, ReplicationStatus, VersionHead, VersionedStore, VersionsPage};

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects in key order.
    pub objects: Vec<RemoteObject>,
    /// True when there are more behind the last one.
    pub more: bool,
}

/// An object as a look at it alone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it is served with.
    pub headers: Headers,
    /// Its entity tag.
    pub etag: ETag,
    /// Its size in bytes.
    pub size: u64,
    /// The size of its first part in bytes, when it has several.
    pub part_size: Option<u64>,
}

/// What a write left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The id of the new version; `None` where the bucket keeps none.
    pub version: Option<String>,
    /// The new entity tag, where the answer tells it.
    pub etag: Option<ETag>,
    /// When it was written, in seconds since the epoch, where the answer tells it.
    pub modified: Option<i64>,
}

/// What must hold of an object for a write to happen.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// There is none: `If-None-Match: *`.
    Absent,
    /// It is the one with this entity tag: `If-Match`.
    Is(&'a ETag),
}

/// A part that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartMade {
    /// Its number, from 1.
    pub number: u32,
    /// Its MD5.
    pub md5: Md5,
    /// Its size in bytes.
    pub size: u64,
}

/// A multipart upload that was begun and not completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The store's id for it.
    pub id: String,
    /// The parts that have arrived.
    pub parts: Vec<PartMade>,
}

/// Keeps objects. Calls may be repeated: an answer can be lost although the call was carried out. A store is a handle: clones
/// are the same store, so that requests can be made from as many cores as there are.
pub trait Store: Clone + Send + Sync + 'static {
    /// The objects behind a key, up to a thousand.
    fn page(&self, after: Option<&str>) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Puts an object whose bytes have this MD5.
    fn put(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Puts an object from a stretch of a file whose bytes have this CRC-64/NVME, and takes no others. That sum takes a tenth of an
    /// MD5's time, and S3 checks it as well; the answer tells the MD5. A store that does not is given the bytes and their MD5.
    ///
    /// How S3 checks uploads: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
    fn put_range(
        &self,
        key: &Key,
        headers: &Headers,
        (stretch, sum): (FileRange, u64),
    ) -> impl Future<Output = Result<Written, StoreError>> + Send {
        async move {
            let read = tokio::task::spawn_blocking(move || Content::File(stretch).bytes()).await;
            let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
            let bytes = read.map_err(|stopped| broken(&stopped))?.map_err(|error| broken(&error))?;
            if crate::model::checksum::crc64(&bytes) != sum {
                return Err(StoreError::Corrupted(key.clone()));
            }
            let md5 = crate::md5(&bytes);
            let written = self.put(key, headers, (bytes.into(), md5)).await?;
            Ok(Written { etag: Some(ETag::Md5(md5)), ..written })
        }
    }

    /// Puts an object if a condition holds, and returns its new entity tag; `None` when it does not hold.
    fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Bytes, Md5),
        condition: Condition<'_>,
    ) -> impl Future<Output = Result<Option<ETag>, StoreError>> + Send;

    /// Deletes an object if it still is the one with this entity tag; tells whether it was.
    fn delete_if(&self, key: &Key, etag: &ETag) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Replaces an object's headers in place; no bytes are sent.
    fn rewrite(&self, key: &Key, headers: &Headers) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Deletes up to a thousand objects, and returns those it could not with the reasons.
    fn delete(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<(Key, String)>, StoreError>> + Send;

    /// Looks at one object.
    fn head(&self, key: &Key) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// Reads one small object.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Reads one small object, and the entity tag that a condition may name.
    fn read(&self, key: &Key) -> impl Future<Output = Result<Option<(Bytes, ETag)>, StoreError>> + Send;

    /// Uploads to these keys that were begun and not completed.
    fn pending(&self, prefix: &Key) -> impl Future<Output = Result<Option<Pending>, StoreError>> + Send;

    /// Begins a multipart upload.
    fn begin(&self, key: &Key, headers: &Headers) -> impl Future<Output = Result<String, StoreError>> + Send;

    /// Sends a part.
    fn part(
        &self,
        upload: (&Key, &str),
        number: u32,
        body: (Content, Md5),
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes an object of the parts.
    fn complete(
        &self,
        upload: (&Key, &str),
        parts: &[PartMade],
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Throws an upload away.
    fn abort(&self, upload: (&Key, &str)) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How often the store has asked for slower requests so far.
    fn throttled(&self) -> u64;
}
