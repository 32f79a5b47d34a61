//! Multipart uploads on their way.

use std::collections::BTreeMap;
use std::time::SystemTime;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{Condition, Fault, Headers, NewObject, Part, Version, World};

/// The least bytes of every part but the last.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MIN_PART: u64 = 5 << 20;

/// An upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The key it is for.
    pub key: String,
    /// When it was begun.
    pub begun: SystemTime,
    /// What the object is to be served with.
    pub headers: Headers,
    /// The object's tags.
    pub tags: BTreeMap<String, String>,
    /// The checksum algorithm asked for, and whether it is of the whole object.
    pub checksum: Option<(String, bool)>,
    /// The parts so far.
    pub parts: BTreeMap<i32, Part>,
}

/// A part as `CompleteMultipartUpload` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRef {
    /// Its number.
    pub number: i32,
    /// Its entity tag without quotes.
    pub etag: String,
}

impl World {
    /// Begins an upload.
    pub fn begin(&self, bucket: &str, upload: Upload) -> Result<(), Fault> {
        let mut state = self.write();
        let there = state.buckets.get_mut(bucket).ok_or(Fault::NoSuchBucket)?;
        self.keep(|disk| disk.upload(bucket, &upload))?;
        there.uploads.insert(upload.id.clone(), upload);
        Ok(())
    }

    /// An upload by its id, if it is for this key.
    pub fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Upload, Fault> {
        let state = self.read();
        let bucket = state.buckets.get(bucket).ok_or(Fault::NoSuchBucket)?;
        bucket.uploads.get(id).filter(|upload| upload.key == key).cloned().ok_or(Fault::NoSuchUpload)
    }

    /// All uploads of a bucket, by key and then by age.
    pub fn uploads(&self, bucket: &str) -> Result<Vec<Upload>, Fault> {
        let state = self.read();
        let bucket = state.buckets.get(bucket).ok_or(Fault::NoSuchBucket)?;
        let mut uploads: Vec<_> = bucket.uploads.values().cloned().collect();
        uploads.sort_by(|a, b| (&a.key, a.begun, &a.id).cmp(&(&b.key, b.begun, &b.id)));
        Ok(uploads)
    }

    /// Adds a part, or replaces the one of the same number.
    pub fn add_part(&self, bucket: &str, id: &str, part: Part) -> Result<(), Fault> {
        let mut state = self.write();
        let there = state.buckets.get_mut(bucket).ok_or(Fault::NoSuchBucket)?;
        let upload = there.uploads.get_mut(id).ok_or(Fault::NoSuchUpload)?;
        upload.parts.insert(part.number, part);
        let upload = upload.clone();
        self.keep(|disk| disk.upload(bucket, &upload))
    }

    /// Throws an upload and its parts away.
    pub fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<(), Fault> {
        self.upload(bucket, key, id)?;
        self.forget(bucket, id)
    }

    fn forget(&self, bucket: &str, id: &str) -> Result<(), Fault> {
        let mut state = self.write();
        self.keep(|disk| disk.drop_upload(bucket, id))?;
        if let Some(bucket) = state.buckets.get_mut(bucket) {
            bucket.uploads.remove(id);
        }
        Ok(())
    }

    /// Makes an object of the parts named. No byte is moved.
    pub fn complete(
        &self,
        bucket: &str,
        upload: &Upload,
        refs: &[PartRef],
        (condition, checksums): (&Condition, super::Checksums),
    ) -> Result<std::sync::Arc<Version>, Fault> {
        let parts = chosen(upload, refs)?;
        let digests: Vec<u8> = parts.iter().flat_map(|part| hex::decode(&part.etag).unwrap_or_default()).collect();
        let object = NewObject {
            key: upload.key.clone(),
            etag: format!("{}-{}", hex::encode(Md5::digest(&digests)), parts.len()),
            headers: upload.headers.clone(),
            tags: upload.tags.clone(),
            checksums,
            parts,
        };
        let version = self.put(bucket, object, condition)?;
        self.forget(bucket, &upload.id)?;
        Ok(version)
    }
}

fn chosen(upload: &Upload, refs: &[PartRef]) -> Result<Vec<Part>, Fault> {
    if refs.is_empty() {
        return Err(Fault::InvalidPart);
    }
    if refs.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(Fault::InvalidPartOrder);
    }
    let found = refs.iter().map(|wanted| upload.parts.get(&wanted.number).filter(|part| part.etag == wanted.etag));
    let parts = found.collect::<Option<Vec<_>>>().ok_or(Fault::InvalidPart)?;
    let small = parts[..parts.len() - 1].iter().any(|part| part.size < MIN_PART);
    if small { Err(Fault::EntityTooSmall) } else { Ok(parts.into_iter().cloned().collect()) }
}
