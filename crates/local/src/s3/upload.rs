//! Multipart uploads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{Checksums, Condition, Headers, Kms, NewObject, Part, S3, UPLOADS, Version, error, no_such_bucket};
use crate::context::{ServiceError, Tags, insert};

/// The minimum size of every part but the last, in bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MIN_PART_SIZE: u64 = 5 << 20;

/// A multipart upload in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The key of the object.
    pub key: String,
    /// When it was initiated.
    #[serde(rename = "begun")]
    pub initiated: SystemTime,
    /// The headers of the object.
    pub headers: Headers,
    /// The tags of the object.
    pub tags: Tags,
    /// The checksum algorithm that was asked for, and whether the checksum is of the full object.
    pub checksum: Option<(String, bool)>,
    /// The key of KMS that the object is encrypted with; `None` for S3's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms: Option<Kms>,
    /// The parts uploaded so far.
    pub parts: BTreeMap<i32, Part>,
}

/// A part in `CompleteMultipartUpload`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRef {
    /// The part number.
    pub number: i32,
    /// The `ETag` without quotes.
    pub etag: String,
    /// The checksums that the request has for it.
    pub checksums: Checksums,
}

/// An upload that was completed: the same request has the same result for a while.
#[derive(Clone, Debug)]
pub(super) struct CompletedUpload {
    id: String,
    parts: Vec<PartRef>,
    version: Arc<Version>,
}

/// How many completed uploads of a bucket are remembered.
const REMEMBERED: usize = 1000;

impl S3 {
    /// Creates an upload.
    pub fn create_upload(&self, bucket: &str, upload: Upload) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        let uploads = &mut buckets.get_mut(bucket).ok_or_else(no_such_bucket)?.uploads;
        self.persist_upload(bucket, &upload)?;
        uploads.insert(upload.id.clone(), upload);
        Ok(())
    }

    /// An upload of a key by id.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, ServiceError> {
        let buckets = self.read();
        let bucket = buckets.get(bucket).ok_or_else(no_such_bucket)?;
        bucket.uploads.get(id).filter(|upload| upload.key == key).cloned().ok_or_else(error::no_such_upload)
    }

    /// The uploads of a bucket, ordered by key and age.
    pub fn uploads(&self, bucket: &str) -> Result<Vec<Upload>, ServiceError> {
        let buckets = self.read();
        let bucket = buckets.get(bucket).ok_or_else(no_such_bucket)?;
        let mut uploads: Vec<_> = bucket.uploads.values().cloned().collect();
        uploads.sort_by(|a, b| (&a.key, a.initiated, &a.id).cmp(&(&b.key, b.initiated, &b.id)));
        Ok(uploads)
    }

    /// Adds a part, or replaces the one of the same number.
    pub fn add_part(&self, bucket: &str, id: &str, part: Part) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        let uploads = &mut buckets.get_mut(bucket).ok_or_else(no_such_bucket)?.uploads;
        let upload = uploads.get_mut(id).ok_or_else(error::no_such_upload)?;
        upload.parts.insert(part.number, part);
        self.persist_upload(bucket, upload)
    }

    fn persist_upload(&self, bucket: &str, upload: &Upload) -> Result<(), ServiceError> {
        self.persist(|disk| {
            disk.write(|transaction| insert(transaction, UPLOADS, (bucket, upload.id.as_str()), upload))
        })
    }

    /// Aborts an upload.
    pub fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<(), ServiceError> {
        self.upload(bucket, key, id)?;
        self.remove_upload(bucket, id)
    }

    fn remove_upload(&self, bucket: &str, id: &str) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        self.persist(|disk| {
            disk.write(|transaction| Ok(transaction.open_table(UPLOADS)?.remove((bucket, id)).map(drop)?))
        })?;
        if let Some(bucket) = buckets.get_mut(bucket) {
            bucket.uploads.remove(id);
        }
        Ok(())
    }

    /// Creates an object from parts, without copying.
    pub fn complete_upload(
        &self,
        bucket: &str,
        upload: &Upload,
        refs: &[PartRef],
        condition: &Condition,
        checksums: Checksums,
    ) -> Result<Arc<Version>, ServiceError> {
        let parts = select_parts(upload, refs)?;
        let digests: Vec<u8> = parts.iter().flat_map(|part| hex::decode(&part.etag).unwrap_or_default()).collect();
        let object = NewObject {
            key: upload.key.clone(),
            etag: format!("{}-{}", hex::encode(Md5::digest(&digests)), parts.len()),
            headers: upload.headers.clone(),
            tags: upload.tags.clone(),
            checksums,
            parts,
            kms: upload.kms.clone(),
        };
        let version = self.put_object(bucket, object, condition)?;
        self.remove_upload(bucket, &upload.id)?;
        let (id, parts) = (upload.id.clone(), refs.to_vec());
        if let Some(bucket) = self.write().get_mut(bucket) {
            bucket.completed.push_back(CompletedUpload { id, parts, version: Arc::clone(&version) });
            let excess = bucket.completed.len().saturating_sub(REMEMBERED);
            bucket.completed.drain(..excess);
        }
        Ok(version)
    }

    /// The object that was created when an upload was completed from the same parts before.
    pub(crate) fn completed(&self, bucket: &str, key: &str, id: &str, parts: &[PartRef]) -> Option<Arc<Version>> {
        let buckets = self.read();
        let done = buckets.get(bucket)?.completed.iter().find(|done| done.id == id && done.version.key == key)?;
        (done.parts == parts).then(|| Arc::clone(&done.version))
    }
}

fn select_parts(upload: &Upload, refs: &[PartRef]) -> Result<Vec<Part>, ServiceError> {
    if refs.is_empty() {
        return Err(error::invalid_part());
    }
    if refs.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(ServiceError::invalid("InvalidPartOrder", "The list of parts was not in ascending order."));
    }
    let same = |part: &Part, wanted: &PartRef| {
        let known =
            |(name, sum): (&String, &String)| upload.checksum.is_some() && part.checksums.get(name) == Some(sum);
        part.etag == wanted.etag && wanted.checksums.iter().all(known)
    };
    let found = refs.iter().map(|wanted| upload.parts.get(&wanted.number).filter(|part| same(part, wanted)));
    let parts = found.collect::<Option<Vec<_>>>().ok_or_else(error::invalid_part)?;
    let small = parts[..parts.len() - 1].iter().any(|part| part.size < MIN_PART_SIZE);
    if small {
        let message = "Your proposed upload is smaller than the minimum allowed size";
        return Err(ServiceError::invalid("EntityTooSmall", message));
    }
    Ok(parts.into_iter().cloned().collect())
}
