//! Putting and deleting objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bucket::Bucket;
use super::{Checksums, Fault, Headers, Part, Version, Versioning, World};

/// An object to be put.
#[derive(Clone, Debug, Default)]
pub struct NewObject {
    /// Its key.
    pub key: String,
    /// Its entity tag without quotes.
    pub etag: String,
    /// What it is served with.
    pub headers: Headers,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its checksums.
    pub checksums: Checksums,
    /// Its body.
    pub parts: Vec<Part>,
}

/// What must hold of the current object for a write to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// There must be none: `If-None-Match: *`.
    Absent,
    /// Its entity tag must be this one: `If-Match`.
    Is(String),
}

/// What a delete did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that was removed or the marker that was made; none when versioning is off.
    pub version: Option<String>,
    /// True when a delete marker was made or removed.
    pub marker: bool,
}

impl Condition {
    fn check(&self, bucket: &Bucket, key: &str) -> Result<(), Fault> {
        let current = bucket.keys.get(key).and_then(|versions| versions.last()).filter(|v| !v.is_marker());
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Is(etag), Some(version)) if version.etag == *etag => Ok(()),
            (Self::Is(_), None) => Err(Fault::NoSuchKey),
            (Self::Absent | Self::Is(_), Some(_)) => Err(Fault::PreconditionFailed),
        }
    }
}

impl World {
    /// Puts an object.
    pub fn put(&self, bucket: &str, object: NewObject, condition: &Condition) -> Result<Arc<Version>, Fault> {
        let NewObject { key, etag, headers, tags, checksums, parts } = object;
        let modified = self.clock().second();
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
        };
        let mut state = self.write();
        let there = state.buckets.get_mut(bucket).ok_or(Fault::NoSuchBucket)?;
        condition.check(there, &version.key)?;
        self.add(bucket, there, version)
    }

    /// Deletes an object: one version for good, or the current one behind a delete marker.
    pub fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &Condition,
    ) -> Result<Deleted, Fault> {
        let mut state = self.write();
        let there = state.buckets.get_mut(bucket).ok_or(Fault::NoSuchBucket)?;
        condition.check(there, key)?;
        match (version, there.settings.versioning) {
            (Some(id), _) => self.remove(bucket, there, (key, id)),
            (None, Versioning::Off) => self.remove(bucket, there, (key, NULL)).map(|_| Deleted::default()),
            (None, Versioning::Enabled | Versioning::Suspended) => {
                let marker = Version {
                    key: key.to_owned(),
                    id: String::new(),
                    modified: self.clock().second(),
                    etag: String::new(),
                    headers: Headers::default(),
                    tags: BTreeMap::new(),
                    checksums: Checksums::new(),
                    parts: None,
                    replicated: None,
                };
                let marker = self.add(bucket, there, marker)?;
                Ok(Deleted { version: Some(marker.id.clone()), marker: true })
            }
        }
    }

    /// Replaces the tags of a version, in place.
    pub fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<Version>, Fault> {
        let id = self.object(bucket, key, version)?.id.clone();
        let mut state = self.write();
        let there = state.buckets.get_mut(bucket).ok_or(Fault::NoSuchBucket)?;
        let versions = there.keys.get_mut(key).ok_or(Fault::NoSuchKey)?;
        let slot = versions.iter_mut().find(|version| version.id == id).ok_or(Fault::NoSuchVersion)?;
        let changed = Arc::new(Version { tags, ..(**slot).clone() });
        *slot = Arc::clone(&changed);
        self.keep(|disk| disk.versions(bucket, key, versions))?;
        Ok(changed)
    }

    /// Appends a version; without versioning it takes the place of the null version.
    fn add(&self, name: &str, bucket: &mut Bucket, mut version: Version) -> Result<Arc<Version>, Fault> {
        let keep = bucket.settings.versioning == Versioning::Enabled;
        version.id = if keep { super::disk::random_id() } else { NULL.to_owned() };
        version.replicated = bucket.rules.as_ref().and_then(|rules| rules.standing(&version));
        let mut versions = bucket.keys.get(&version.key).cloned().unwrap_or_default();
        if !keep {
            versions.retain(|there| there.id != NULL);
        }
        let version = Arc::new(version);
        versions.push(Arc::clone(&version));
        self.keep(|disk| disk.versions(name, &version.key, &versions))?;
        bucket.keys.insert(version.key.clone(), versions);
        self.depart(name, &version);
        Ok(version)
    }

    fn remove(&self, name: &str, bucket: &mut Bucket, (key, id): (&str, &str)) -> Result<Deleted, Fault> {
        let Some(versions) = bucket.keys.get_mut(key) else {
            return Ok(Deleted { version: Some(id.to_owned()), marker: false });
        };
        let marker = versions.iter().any(|version| version.id == id && version.is_marker());
        versions.retain(|version| version.id != id);
        self.keep(|disk| disk.versions(name, key, versions))?;
        if versions.is_empty() {
            bucket.keys.remove(key);
        }
        Ok(Deleted { version: Some(id.to_owned()), marker })
    }
}

/// The id of versions written while versioning is off.
const NULL: &str = "null";
