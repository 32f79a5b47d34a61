//! Listings.

use std::ops::Bound;
use std::sync::Arc;

use super::bucket::Bucket;
use super::{S3, Version, no_such_bucket};
use crate::context::ServiceError;

/// The parameters of a listing.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Only keys with this prefix.
    pub prefix: String,
    /// Keys that contain this after the prefix are grouped into a common prefix.
    pub delimiter: Option<String>,
    /// Only keys and common prefixes after this one.
    pub after: Option<String>,
    /// The maximum number of entries.
    pub limit: usize,
}

/// A page of objects.
#[derive(Clone, Debug, Default)]
pub struct ObjectsPage {
    /// Objects, in key order.
    pub objects: Vec<Arc<Version>>,
    /// Common prefixes, in order.
    pub prefixes: Vec<String>,
    /// The marker of the next page; `None` when this is the last.
    pub next: Option<String>,
}

/// A version in a listing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionEntry {
    /// The version or delete marker.
    pub version: Arc<Version>,
    /// Whether it is the latest of its key.
    pub is_latest: bool,
}

/// Where the next page of versions starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionMarker {
    /// The last key of this page.
    pub key: String,
    /// The last version of this page; `None` after a common prefix.
    pub version: Option<String>,
}

/// A page of versions.
#[derive(Clone, Debug, Default)]
pub struct VersionsPage {
    /// Versions and delete markers, the newest of a key first.
    pub versions: Vec<VersionEntry>,
    /// Common prefixes, in order.
    pub prefixes: Vec<String>,
    /// Where the next page starts; `None` when this is the last.
    pub next: Option<VersionMarker>,
}

impl ListQuery {
    fn start(&self) -> Bound<String> {
        match &self.after {
            Some(after) if *after >= self.prefix => Bound::Excluded(after.clone()),
            Some(_) | None => Bound::Included(self.prefix.clone()),
        }
    }

    /// The common prefix that a key is grouped into.
    fn rollup(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref().filter(|d| !d.is_empty())?;
        let rest = &key[self.prefix.len()..];
        let end = rest.find(delimiter)? + delimiter.len();
        Some(key[..self.prefix.len() + end].to_owned())
    }
}

impl S3 {
    /// A page of the current objects of a bucket.
    pub fn list_objects(&self, bucket: &str, query: &ListQuery) -> Result<ObjectsPage, ServiceError> {
        let buckets = self.read();
        let bucket = buckets.get(bucket).ok_or_else(no_such_bucket)?;
        let mut page = ObjectsPage::default();
        let mut last = None;
        for (key, versions) in keys(bucket, query) {
            let Some(version) = versions.last().filter(|version| !version.is_marker()) else { continue };
            let rolled = query.rollup(key);
            let rolled_before = rolled.as_ref().is_some_and(|prefix| {
                page.prefixes.last() == Some(prefix) || query.after.as_ref().is_some_and(|after| after >= prefix)
            });
            if rolled_before {
                continue;
            }
            if page.objects.len() + page.prefixes.len() >= query.limit {
                page.next = last;
                break;
            }
            last = Some(rolled.clone().unwrap_or_else(|| key.clone()));
            match rolled {
                Some(prefix) => page.prefixes.push(prefix),
                None => page.objects.push(Arc::clone(version)),
            }
        }
        Ok(page)
    }

    /// A page of all versions in a bucket. `after` is the version that the previous page ended with.
    pub fn list_versions(
        &self,
        bucket: &str,
        query: &ListQuery,
        after: Option<&str>,
    ) -> Result<VersionsPage, ServiceError> {
        let buckets = self.read();
        let bucket = buckets.get(bucket).ok_or_else(no_such_bucket)?;
        let mut page = VersionsPage::default();
        let rest = after.and_then(|id| Some((query.after.as_ref()?, id))).and_then(|(key, id)| {
            let versions = bucket.keys.get(key)?;
            let at = versions.iter().position(|version| version.id == id)?;
            Some((key, &versions[..at], versions.len()))
        });
        let rest = rest.into_iter();
        let all = keys(bucket, query).map(|(key, versions)| (key, &versions[..], versions.len()));
        let mut last = None;
        for (key, versions, count) in rest.chain(all) {
            if let Some(prefix) = query.rollup(key) {
                // After a page that ended with the prefix, its keys are not listed again.
                let before = query.after.as_ref().is_some_and(|after| *after >= prefix);
                if before || page.prefixes.last() == Some(&prefix) {
                    continue;
                }
                if page.versions.len() + page.prefixes.len() >= query.limit {
                    page.next = last;
                    return Ok(page);
                }
                last = Some(VersionMarker { key: prefix.clone(), version: None });
                page.prefixes.push(prefix);
                continue;
            }
            for (index, version) in versions.iter().enumerate().rev() {
                if page.versions.len() + page.prefixes.len() >= query.limit {
                    page.next = last;
                    return Ok(page);
                }
                last = Some(VersionMarker { key: key.clone(), version: Some(version.id.clone()) });
                page.versions.push(VersionEntry { version: Arc::clone(version), is_latest: index + 1 == count });
            }
        }
        Ok(page)
    }
}

fn keys<'a>(bucket: &'a Bucket, query: &'a ListQuery) -> impl Iterator<Item = (&'a String, &'a Vec<Arc<Version>>)> {
    let range = bucket.keys.range((query.start(), Bound::Unbounded));
    range.take_while(|(key, _)| key.starts_with(&query.prefix))
}
