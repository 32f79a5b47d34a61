//! Creating and deleting object versions.

use std::sync::Arc;

use super::bucket::Bucket;
use super::{Checksums, Headers, Kms, Part, S3, VERSIONS, Version, Versioning, error, no_such_bucket, no_such_key};
use crate::context::{ServiceError, Tags, insert, random_id};

/// An object to create.
#[derive(Clone, Debug, Default)]
pub struct NewObject {
    /// The key.
    pub key: String,
    /// The `ETag` without quotes.
    pub etag: String,
    /// Headers and metadata.
    pub headers: Headers,
    /// Tags.
    pub tags: Tags,
    /// Checksums.
    pub checksums: Checksums,
    /// The parts of the body.
    pub parts: Vec<Part>,
    /// The key of KMS that it is encrypted with; `None` for S3's own.
    pub kms: Option<Kms>,
}

/// The precondition of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// None.
    #[default]
    None,
    /// `If-None-Match: *`: the key must not exist.
    Absent,
    /// `If-Match`: the current version must have this `ETag`.
    Is(String),
}

/// The result of a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that was removed or the delete marker that was created; `None` when versioning is off.
    pub version: Option<String>,
    /// Whether a delete marker was created or removed.
    pub marker: bool,
}

impl Condition {
    fn check(&self, bucket: &Bucket, key: &str) -> Result<(), ServiceError> {
        let current = bucket.keys.get(key).and_then(|versions| versions.last()).filter(|v| !v.is_marker());
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Is(etag), Some(version)) if version.etag == *etag => Ok(()),
            (Self::Is(_), None) => Err(no_such_key().with("Key", key)),
            (Self::Absent, Some(_)) => Err(error::precondition_failed("If-None-Match")),
            (Self::Is(_), Some(_)) => Err(error::precondition_failed("If-Match")),
        }
    }
}

impl S3 {
    /// Creates an object.
    pub fn put_object(
        &self,
        bucket: &str,
        object: NewObject,
        condition: &Condition,
    ) -> Result<Arc<Version>, ServiceError> {
        let NewObject { key, etag, headers, tags, checksums, parts, kms } = object;
        let modified = self.clock().now_in_seconds();
        let version = Version {
            key,
            id: String::new(),
            modified,
            etag,
            headers,
            tags,
            checksums,
            parts: Some(parts),
            replicated: None,
            kms,
        };
        let mut buckets = self.write();
        let existing = buckets.get_mut(bucket).ok_or_else(no_such_bucket)?;
        condition.check(existing, &version.key)?;
        self.add_version(bucket, existing, version)
    }

    /// Deletes a version permanently or, without one, the object: with versioning, by a delete marker.
    pub fn delete_object(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> Result<Deleted, ServiceError> {
        let mut buckets = self.write();
        let existing = buckets.get_mut(bucket).ok_or_else(no_such_bucket)?;
        condition.check(existing, key)?;
        match (version, existing.settings.versioning) {
            (Some(id), _) => self.remove_version(bucket, existing, key, id),
            (None, Versioning::Off) => self.remove_version(bucket, existing, key, NULL).map(|_| Deleted::default()),
            (None, Versioning::Enabled | Versioning::Suspended) => {
                let marker = Version {
                    key: key.to_owned(),
                    id: String::new(),
                    modified: self.clock().now_in_seconds(),
                    etag: String::new(),
                    headers: Headers::default(),
                    tags: Tags::new(),
                    checksums: Checksums::new(),
                    parts: None,
                    replicated: None,
                    kms: None,
                };
                let marker = self.add_version(bucket, existing, marker)?;
                Ok(Deleted { version: Some(marker.id.clone()), marker: true })
            }
        }
    }

    /// Adds a version; without versioning it replaces the null version.
    fn add_version(&self, name: &str, bucket: &mut Bucket, mut version: Version) -> Result<Arc<Version>, ServiceError> {
        let versioned = bucket.settings.versioning == Versioning::Enabled;
        version.id = if versioned { random_id() } else { NULL.to_owned() };
        version.replicated = bucket.rules.as_ref().and_then(|rules| rules.initial_status(&version));
        let mut versions = bucket.keys.get(&version.key).cloned().unwrap_or_default();
        if !versioned {
            versions.retain(|other| other.id != NULL);
        }
        let version = Arc::new(version);
        versions.push(Arc::clone(&version));
        self.persist_versions(name, &version.key, &versions)?;
        bucket.keys.insert(version.key.clone(), versions);
        self.enqueue(name, &version);
        Ok(version)
    }

    /// Replaces the tags of a version.
    pub(super) fn set_tags(&self, bucket: &str, version: &Version, tags: Tags) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        let keys = &mut buckets.get_mut(bucket).ok_or_else(no_such_bucket)?.keys;
        let versions = keys.get_mut(&version.key).ok_or_else(no_such_key)?;
        if let Some(slot) = versions.iter_mut().find(|one| one.id == version.id) {
            *slot = Arc::new(Version { tags, ..(**slot).clone() });
        }
        self.persist_versions(bucket, &version.key, versions)
    }

    /// Stores all versions of a key, or removes the key when existing are none.
    pub(super) fn persist_versions(
        &self,
        bucket: &str,
        key: &str,
        versions: &[Arc<Version>],
    ) -> Result<(), ServiceError> {
        let versions: Vec<&Version> = versions.iter().map(AsRef::as_ref).collect();
        self.persist(|disk| {
            disk.write(|transaction| {
                if versions.is_empty() {
                    transaction.open_table(VERSIONS)?.remove((bucket, key))?;
                    return Ok(());
                }
                insert(transaction, VERSIONS, (bucket, key), &versions)
            })
        })
    }

    fn remove_version(&self, name: &str, bucket: &mut Bucket, key: &str, id: &str) -> Result<Deleted, ServiceError> {
        let Some(versions) = bucket.keys.get_mut(key) else {
            return Ok(Deleted { version: Some(id.to_owned()), marker: false });
        };
        let marker = versions.iter().any(|version| version.id == id && version.is_marker());
        versions.retain(|version| version.id != id);
        self.persist_versions(name, key, versions)?;
        if versions.is_empty() {
            bucket.keys.remove(key);
        }
        Ok(Deleted { version: Some(id.to_owned()), marker })
    }
}

/// The id of versions created while versioning is not enabled.
const NULL: &str = "null";
