//! Where objects are kept, in the engine's own words.

mod limits;
mod memory;
#[cfg(feature = "s3")]
mod s3;
mod scoped;
mod versioned;
mod written_object;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use twinsite_core::{Invalid, Run};

use crate::{Content, ETag, FileRange, Headers, Key, Md5, RemoteObject, StoreError, TagKind};
pub use limits::Limit;
pub(crate) use limits::Limits;
pub use memory::MemoryStore;
#[cfg(feature = "s3")]
pub use s3::S3Store;
pub use scoped::ScopedStore;
pub use versioned::{Copied, Copying, ObjectVersion, ReplicationStatus, VersionHead, VersionedStore, VersionsPage};
pub use written_object::WrittenObject;

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
    /// What that is.
    pub tag_kind: TagKind,
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
    /// What that is.
    pub tag_kind: TagKind,
    /// When it was written, in seconds since the epoch, where the answer tells it.
    pub modified: Option<i64>,
}

/// All objects whose keys begin so, in the order of their keys.
pub(crate) async fn list_prefix(store: &impl Store, prefix: &str) -> Result<Vec<RemoteObject>, StoreError> {
    let mut found = Vec::new();
    let mut after = prefix.to_owned();
    loop {
        let page = store.page(Some(&after)).await?;
        let last = page.objects.last().map(|object| object.key.as_str().to_owned());
        found.extend(page.objects.into_iter().take_while(|object| object.key.as_str().starts_with(prefix)));
        match last {
            Some(last) if page.more && last.starts_with(prefix) => after = last,
            _ => return Ok(found),
        }
    }
}

/// The precondition of a write. If it does not hold, nothing is written, and the call fails with [`StoreError::Changed`].
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// None.
    #[default]
    None,
    /// There is no object with this key: `If-None-Match: *`.
    Absent,
    /// The object has this entity tag: `If-Match`.
    Is(ETag),
}

impl Condition {
    /// That the key is as a listing showed it: absent, or an object with this entity tag.
    pub fn unchanged(listed: Option<&ETag>) -> Self {
        listed.map_or(Self::Absent, |etag| Self::Is(etag.clone()))
    }

    /// Whether it holds of an object with this entity tag, or of no object.
    pub fn holds(&self, etag: Option<&ETag>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => etag.is_none(),
            Self::Is(wanted) => etag == Some(wanted),
        }
    }
}

/// An object as a listing showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: Key,
    /// Its entity tag.
    pub etag: ETag,
}

/// An object that was to be deleted and was not.
#[derive(Debug)]
pub struct NotDeleted {
    /// Its key.
    pub key: Key,
    /// Why: [`StoreError::Changed`] if its entity tag is another one by now.
    pub error: StoreError,
}

/// A small object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadObject {
    /// Its content.
    pub bytes: Bytes,
    /// Its entity tag.
    pub etag: ETag,
    /// How long ago it was written, by the store's own clock; `None` if the store does not tell.
    pub age: Option<Duration>,
}

/// A part that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartMade {
    /// Its number, from 1.
    pub number: u32,
    /// Its entity tag, by which the upload is completed: its MD5, unless tags are opaque.
    pub etag: ETag,
    /// Its size in bytes.
    pub size: u64,
}

impl PartMade {
    /// Its MD5, if its entity tag has the form of one.
    pub(crate) fn md5(&self) -> Option<Md5> {
        match self.etag {
            ETag::Md5(md5) => Some(md5),
            ETag::Multipart(..) | ETag::Opaque(_) => None,
        }
    }
}

/// How new objects are encrypted.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// By which kind of key.
    pub algorithm: EncryptionAlgorithm,
    /// The id or ARN of a key of KMS in the bucket's region; `None`: the bucket's default key, or the one that AWS manages for S3.
    pub kms_key: Option<String>,
}

/// By which kind of key objects are encrypted: `x-amz-server-side-encryption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EncryptionAlgorithm {
    /// `AES256`: keys of S3 (SSE-S3).
    Aes256,
    /// `aws:kms`: a key of KMS (SSE-KMS).
    Kms,
    /// `aws:kms:dsse`: two layers with a key of KMS (DSSE-KMS).
    KmsDsse,
}

impl EncryptionAlgorithm {
    /// The value of the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "aws:kms",
            Self::KmsDsse => "aws:kms:dsse",
        }
    }

    /// Whether objects are encrypted with a key of KMS.
    pub fn is_kms(self) -> bool {
        matches!(self, Self::Kms | Self::KmsDsse)
    }
}

impl std::str::FromStr for EncryptionAlgorithm {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "AES256" => Ok(Self::Aes256),
            "aws:kms" => Ok(Self::Kms),
            "aws:kms:dsse" => Ok(Self::KmsDsse),
            "SSE-C" | "sse-c" => {
                let why = "needs a key of the customer with every request, which visitors, CloudFront and replication do not have";
                Err(Invalid::new("encryption", text, why))
            }
            _ => Err(Invalid::unknown("encryption", text, &["AES256", "aws:kms", "aws:kms:dsse"])),
        }
    }
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

    /// Puts an object whose bytes have this MD5, whatever is there.
    fn put(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
    ) -> impl Future<Output = Result<Written, StoreError>> + Send {
        async move { self.put_if(key, headers, body, &Condition::None).await }
    }

    /// Puts an object from a range of a file whose bytes have this CRC-64/NVME, if the condition holds. The checksum is computed in a
    /// tenth of the time of an MD5, and S3 verifies it; the response has the MD5 as entity tag. By default, the bytes are put with their MD5.
    ///
    /// How S3 verifies uploads: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
    fn put_range(
        &self,
        key: &Key,
        headers: &Headers,
        (range, sum): (FileRange, u64),
        condition: &Condition,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send {
        async move {
            let read = tokio::task::spawn_blocking(move || Content::File(range).bytes()).await;
            let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
            let bytes = read.map_err(|stopped| broken(&stopped))?.map_err(|error| broken(&error))?;
            if crate::model::checksum::crc64(&bytes) != sum {
                return Err(StoreError::Corrupted(key.clone()));
            }
            let md5 = crate::md5(&bytes);
            let written = self.put_if(key, headers, (bytes.into(), md5), condition).await?;
            Ok(Written { etag: written.etag.or(Some(ETag::Md5(md5))), ..written })
        }
    }

    /// Puts an object whose bytes have this MD5, if the condition holds. That the response to an earlier attempt was lost does not
    /// count as a failed condition.
    ///
    /// Its errors: [`StoreError::Changed`] if the condition does not hold.
    fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// The same for the lock, which must not be written without its condition: a store that turns out to support no conditions
    /// writes nothing.
    ///
    /// Its errors: [`StoreError::Unconditional`] in that case.
    fn put_exclusively(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send {
        async move { self.put_if(key, headers, body, condition).await }
    }

    /// Deletes up to a thousand objects that are as they were listed, and returns those that were not deleted. An object that is
    /// absent counts as deleted.
    fn delete_if(&self, objects: &[ListedObject]) -> impl Future<Output = Result<Vec<NotDeleted>, StoreError>> + Send;

    /// Replaces the headers of an object that has this entity tag, by a copy onto itself; no bytes are sent.
    fn rewrite(
        &self,
        object: &ListedObject,
        headers: &Headers,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Deletes up to a thousand objects, and returns those it could not with the reasons.
    fn delete(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<(Key, String)>, StoreError>> + Send;

    /// Looks at one object.
    fn head(&self, key: &Key) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// Reads one small object.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Reads one small object, and the entity tag that a condition may name.
    fn read(&self, key: &Key) -> impl Future<Output = Result<Option<ReadObject>, StoreError>> + Send;

    /// The same, for an object that is read only if it has no more bytes than this.
    ///
    /// Its errors: [`StoreError::TooLarge`], with entity tag and age, if it has more.
    fn read_up_to(&self, key: &Key, limit: u64) -> impl Future<Output = Result<Option<ReadObject>, StoreError>> + Send {
        async move {
            let read = self.read(key).await?;
            match read {
                Some(ReadObject { bytes, etag, age }) if bytes.len() as u64 > limit => {
                    let (key, size, etag) = (key.clone(), bytes.len() as u64, Some(etag));
                    Err(StoreError::TooLarge { key, size, limit, etag, age })
                }
                read => Ok(read),
            }
        }
    }

    /// Uploads to these keys that were begun and not completed.
    fn pending(&self, prefix: &Key) -> impl Future<Output = Result<Option<Pending>, StoreError>> + Send;

    /// Begins a multipart upload.
    fn begin(&self, key: &Key, headers: &Headers) -> impl Future<Output = Result<String, StoreError>> + Send;

    /// Sends a part, and returns its entity tag.
    fn part(
        &self,
        upload: (&Key, &str),
        number: u32,
        body: (Content, Md5),
    ) -> impl Future<Output = Result<ETag, StoreError>> + Send;

    /// Makes an object of the parts, if the condition holds.
    fn complete(
        &self,
        upload: (&Key, &str),
        parts: &[PartMade],
        condition: &Condition,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send;

    /// Throws an upload away.
    fn abort(&self, upload: (&Key, &str)) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The same store, for the work of this run: once the run's right to go on has expired, no request is sent any more, not even the
    /// next attempt of one that has failed.
    #[must_use]
    fn fenced(&self, run: &Run) -> Self;

    /// What the store was found to lack of S3 so far.
    fn limits(&self) -> BTreeSet<Limit> {
        BTreeSet::new()
    }

    /// That the store lacks this: it is not used any more.
    fn add_limit(&self, limit: Limit) {
        let _ = limit;
    }

    /// How often the store has asked for slower requests so far.
    fn throttled(&self) -> u64;
}
