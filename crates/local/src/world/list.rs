//! Listings, page by page.

use std::ops::Bound;
use std::sync::Arc;

use super::bucket::Bucket;
use super::{Fault, Version, World};

/// What a listing asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only keys that start so.
    pub prefix: String,
    /// Keys that go on behind the next one of these are rolled up into a common prefix.
    pub delimiter: Option<String>,
    /// Only keys (and common prefixes) behind this one.
    pub after: Option<String>,
    /// The most entries of a page.
    pub limit: usize,
}

/// A page of objects.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Objects in key order.
    pub objects: Vec<Arc<Version>>,
    /// Rolled-up prefixes in order.
    pub prefixes: Vec<String>,
    /// Where the next page starts; `None` when this is the last.
    pub next: Option<String>,
}

/// A page of versions.
#[derive(Clone, Debug, Default)]
pub struct VersionsPage {
    /// Versions and delete markers, newest first within a key, and whether each is the latest.
    pub versions: Vec<(Arc<Version>, bool)>,
    /// Rolled-up prefixes in order.
    pub prefixes: Vec<String>,
    /// Where the next page starts: a key, and a version of it.
    pub next: Option<(String, String)>,
}

impl Query {
    fn start(&self) -> Bound<String> {
        match &self.after {
            Some(after) if *after >= self.prefix => Bound::Excluded(after.clone()),
            Some(_) | None => Bound::Included(self.prefix.clone()),
        }
    }

    /// The common prefix that a key is rolled up into.
    fn rollup(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref().filter(|d| !d.is_empty())?;
        let rest = &key[self.prefix.len()..];
        let end = rest.find(delimiter)? + delimiter.len();
        Some(key[..self.prefix.len() + end].to_owned())
    }
}

impl World {
    /// One page of a bucket's current objects.
    pub fn list(&self, bucket: &str, query: &Query) -> Result<Page, Fault> {
        let state = self.read();
        let bucket = state.buckets.get(bucket).ok_or(Fault::NoSuchBucket)?;
        let mut page = Page::default();
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

    /// One page of everything a bucket holds. `from` is the key and version the page before ended at.
    pub fn list_versions(&self, bucket: &str, query: &Query, from: Option<&str>) -> Result<VersionsPage, Fault> {
        let state = self.read();
        let bucket = state.buckets.get(bucket).ok_or(Fault::NoSuchBucket)?;
        let mut page = VersionsPage::default();
        let rest = from.and_then(|id| Some((query.after.as_ref()?, id))).and_then(|(key, id)| {
            let versions = bucket.keys.get(key)?;
            let at = versions.iter().position(|version| version.id == id)?;
            Some((key, &versions[..at], versions.len()))
        });
        let rest = rest.into_iter();
        let all = keys(bucket, query).map(|(key, versions)| (key, &versions[..], versions.len()));
        let mut last: Option<(String, String)> = None;
        for (key, versions, count) in rest.chain(all) {
            if let Some(prefix) = query.rollup(key) {
                if page.prefixes.last() == Some(&prefix) {
                    continue;
                }
                if page.versions.len() + page.prefixes.len() >= query.limit {
                    page.next = last;
                    return Ok(page);
                }
                last = Some((prefix.clone(), String::new()));
                page.prefixes.push(prefix);
                continue;
            }
            for (index, version) in versions.iter().enumerate().rev() {
                if page.versions.len() + page.prefixes.len() >= query.limit {
                    page.next = last;
                    return Ok(page);
                }
                last = Some((key.clone(), version.id.clone()));
                page.versions.push((Arc::clone(version), index + 1 == count));
            }
        }
        Ok(page)
    }
}

fn keys<'a>(bucket: &'a Bucket, query: &'a Query) -> impl Iterator<Item = (&'a String, &'a Vec<Arc<Version>>)> {
    let range = bucket.keys.range((query.start(), Bound::Unbounded));
    range.take_while(|(key, _)| key.starts_with(&query.prefix))
}
