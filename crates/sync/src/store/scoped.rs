//! A store as the owner of a part of it sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;
use twinsite_core::Run;

use super::{
    Condition, Copied, Copying, Head, Limit, ListedObject, NotDeleted, Page, PartMade, Pending, ReadObject, Store,
    VersionHead, VersionedStore, VersionsPage, Written,
};
use crate::model::layout::{ACTIVE, PRIVATE};
use crate::{Content, ETag, FileRange, Headers, Key, Md5, Prefix, StoreError};

/// A store, or what belongs to one of its prefixes: the objects below it under their own keys, and its records (manifest, releases, lock
/// and others) in the place of those of the main site. Requests for other keys are refused before they are sent, so that whoever publishes
/// a prefix cannot change what others publish.
///
/// Which side is active is the same for all prefixes: these records are those of the whole bucket.
///
/// ```
/// use twinsite_sync::{Headers, Key, MemoryStore, ScopedStore, Store, md5};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let bucket = MemoryStore::default();
/// let docs = ScopedStore::new(bucket.clone(), Some("docs/".parse()?));
/// let put = async |key: Key| docs.put(&key, &Headers::default(), ("".into(), md5(b""))).await;
/// put("docs/index.html".parse()?).await?;
/// put(".twinsite/lock".parse()?).await?;
/// assert!(put("index.html".parse()?).await.is_err());
/// let keys: Vec<String> = bucket.contents().keys().map(ToString::to_string).collect();
/// assert_eq!(keys, [".twinsite/prefixes/docs/-/lock", "docs/index.html"]);
/// # Ok(()) }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct ScopedStore<S> {
    store: S,
    scope: Option<Scope>,
}

#[derive(Clone, Debug)]
struct Scope {
    prefix: Prefix,
    /// Where its records are.
    records: String,
}

/// Keys that begin with `here`, which begin with `there` in the bucket.
struct Segment<'a> {
    here: &'a str,
    there: &'a str,
}

impl Scope {
    /// The key in the bucket.
    fn outward(&self, key: &Key) -> Result<Key, StoreError> {
        if self.prefix.contains(key) || key.as_str().starts_with(ACTIVE) {
            return Ok(key.clone());
        }
        let outside = || StoreError::OutsidePrefix { key: key.clone(), prefix: self.prefix.clone() };
        let name = key.as_str().strip_prefix(PRIVATE).ok_or_else(outside)?;
        format!("{}{name}", self.records).parse().map_err(|_| outside())
    }

    /// The key as the owner sees it; `None` for what belongs to others.
    fn inward(&self, key: &Key) -> Option<Key> {
        if self.prefix.contains(key) || key.as_str().starts_with(ACTIVE) {
            return Some(key.clone());
        }
        let name = key.as_str().strip_prefix(&*self.records)?;
        format!("{PRIVATE}{name}").parse().ok()
    }

    /// What belongs to the owner, in the order of the keys as the owner sees them: no record of a prefix comes before those of the active
    /// side, and no prefix begins with a character that comes before a dot.
    fn segments(&self) -> [Segment<'_>; 3] {
        let prefix = self.prefix.as_str();
        [
            Segment { here: ACTIVE, there: ACTIVE },
            Segment { here: PRIVATE, there: &self.records },
            Segment { here: prefix, there: prefix },
        ]
    }

    /// The keys, and for each what it was called before.
    fn all_outward(&self, keys: &[Key]) -> Result<Vec<Key>, StoreError> {
        keys.iter().map(|key| self.outward(key)).collect()
    }

    fn back(&self, key: Key) -> Key {
        self.inward(&key).unwrap_or(key)
    }
}

impl<S> ScopedStore<S> {
    /// What belongs to a prefix; the whole store if there is none.
    pub fn new(store: S, prefix: Option<Prefix>) -> Self {
        let scope = prefix.map(|prefix| Scope { records: prefix.records(), prefix });
        Self { store, scope }
    }

    /// The whole store.
    pub fn whole(&self) -> &S {
        &self.store
    }

    /// The prefix whose part it is; `None` for the whole store.
    pub fn prefix(&self) -> Option<&Prefix> {
        self.scope.as_ref().map(|scope| &scope.prefix)
    }

    fn key(&self, key: &Key) -> Result<Key, StoreError> {
        match &self.scope {
            None => Ok(key.clone()),
            Some(scope) => scope.outward(key),
        }
    }

    fn copying(&self, copying: &Copying) -> Result<Copying, StoreError> {
        Ok(Copying { key: self.key(&copying.key)?, ..copying.clone() })
    }
}

#[cfg(feature = "s3")]
impl ScopedStore<super::S3Store> {
    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        self.store.bucket()
    }

    /// Whether the bucket keeps the versions of its objects.
    ///
    /// # Errors
    /// [`StoreError`] if that could not be read.
    pub async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.store.keeps_versions().await
    }
}

impl<S: Store> Store for ScopedStore<S> {
    async fn page(&self, after: Option<&str>) -> Result<Page, StoreError> {
        let Some(scope) = &self.scope else { return self.store.page(after).await };
        let mut found = Page::default();
        for Segment { here, there } in scope.segments() {
            let mut start = there.to_owned();
            match after.map(|after| (after, after.strip_prefix(here))) {
                Some((_, Some(rest))) => start.push_str(rest),
                Some((after, None)) if after > here => continue,
                Some((_, None)) | None => {}
            }
            // A page may be full of keys of which none is the owner's, but then there is none behind it.
            let page = self.store.page(Some(&start)).await?;
            let is_over = page.objects.last().is_some_and(|last| !last.key.as_str().starts_with(there));
            let mine = page.objects.into_iter().filter(|object| object.key.as_str().starts_with(there));
            found.objects.extend(mine.filter_map(|mut object| {
                object.key = scope.inward(&object.key)?;
                Some(object)
            }));
            if page.more && !is_over {
                found.more = true;
                return Ok(found);
            }
        }
        Ok(found)
    }

    async fn put(&self, key: &Key, headers: &Headers, body: (Content, Md5)) -> Result<Written, StoreError> {
        self.store.put(&self.key(key)?, headers, body).await
    }

    async fn put_range(
        &self,
        key: &Key,
        headers: &Headers,
        range: (FileRange, u64),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.store.put_range(&self.key(key)?, headers, range, condition).await
    }

    async fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.store.put_if(&self.key(key)?, headers, body, condition).await
    }

    async fn put_exclusively(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.store.put_exclusively(&self.key(key)?, headers, body, condition).await
    }

    async fn delete_if(&self, objects: &[ListedObject]) -> Result<Vec<NotDeleted>, StoreError> {
        let Some(scope) = &self.scope else { return self.store.delete_if(objects).await };
        let there =
            |object: &ListedObject| Ok(ListedObject { key: scope.outward(&object.key)?, etag: object.etag.clone() });
        let objects: Vec<ListedObject> = objects.iter().map(there).collect::<Result<_, StoreError>>()?;
        let left = self.store.delete_if(&objects).await?;
        Ok(left.into_iter().map(|NotDeleted { key, error }| NotDeleted { key: scope.back(key), error }).collect())
    }

    async fn rewrite(&self, object: &ListedObject, headers: &Headers) -> Result<Written, StoreError> {
        let object = ListedObject { key: self.key(&object.key)?, etag: object.etag.clone() };
        self.store.rewrite(&object, headers).await
    }

    async fn delete(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        let Some(scope) = &self.scope else { return self.store.delete(keys).await };
        let left = self.store.delete(&scope.all_outward(keys)?).await?;
        Ok(left.into_iter().map(|(key, why)| (scope.back(key), why)).collect())
    }

    async fn head(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        self.store.head(&self.key(key)?).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.store.get(&self.key(key)?).await
    }

    async fn read(&self, key: &Key) -> Result<Option<ReadObject>, StoreError> {
        self.store.read(&self.key(key)?).await
    }

    async fn read_up_to(&self, key: &Key, limit: u64) -> Result<Option<ReadObject>, StoreError> {
        self.store.read_up_to(&self.key(key)?, limit).await
    }

    async fn pending(&self, prefix: &Key) -> Result<Option<Pending>, StoreError> {
        self.store.pending(&self.key(prefix)?).await
    }

    async fn begin(&self, key: &Key, headers: &Headers) -> Result<String, StoreError> {
        self.store.begin(&self.key(key)?, headers).await
    }

    async fn part(&self, upload: (&Key, &str), number: u32, body: (Content, Md5)) -> Result<ETag, StoreError> {
        self.store.part((&self.key(upload.0)?, upload.1), number, body).await
    }

    async fn complete(
        &self,
        upload: (&Key, &str),
        parts: &[PartMade],
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.store.complete((&self.key(upload.0)?, upload.1), parts, condition).await
    }

    async fn abort(&self, upload: (&Key, &str)) -> Result<(), StoreError> {
        self.store.abort((&self.key(upload.0)?, upload.1)).await
    }

    fn fenced(&self, run: &Run) -> Self {
        Self { store: self.store.fenced(run), scope: self.scope.clone() }
    }

    fn limits(&self) -> BTreeSet<Limit> {
        self.store.limits()
    }

    fn add_limit(&self, limit: Limit) {
        self.store.add_limit(limit);
    }

    fn throttled(&self) -> u64 {
        self.store.throttled()
    }
}

impl<S: VersionedStore> VersionedStore for ScopedStore<S> {
    /// Without a beginning of keys, records are left out.
    async fn versions(&self, prefix: &str, behind: Option<&(String, String)>) -> Result<VersionsPage, StoreError> {
        let Some(scope) = &self.scope else { return self.store.versions(prefix, behind).await };
        let own = scope.prefix.as_str();
        let there = match prefix.strip_prefix(PRIVATE) {
            Some(name) if !prefix.starts_with(ACTIVE) => format!("{}{name}", scope.records),
            Some(_) => prefix.to_owned(),
            None if prefix.starts_with(own) => prefix.to_owned(),
            None if own.starts_with(prefix) => own.to_owned(),
            None => return Ok(VersionsPage::default()),
        };
        let behind = match behind {
            None => None,
            Some((key, version)) => {
                let key = key.parse().map_err(|error| StoreError::Broken(format!("{error}")))?;
                Some((scope.outward(&key)?.to_string(), version.clone()))
            }
        };
        let VersionsPage { past, next } = self.store.versions(&there, behind.as_ref()).await?;
        let past = past.into_iter().filter_map(|mut past| {
            past.key = scope.inward(&past.key)?;
            Some(past)
        });
        let past = past.collect();
        let next = next.and_then(|(key, version)| Some((scope.inward(&key.parse().ok()?)?.to_string(), version)));
        Ok(VersionsPage { past, next })
    }

    async fn look(&self, key: &Key, version: Option<&str>) -> Result<Option<VersionHead>, StoreError> {
        self.store.look(&self.key(key)?, version).await
    }

    async fn tags(&self, key: &Key, version: Option<&str>) -> Result<BTreeMap<String, String>, StoreError> {
        self.store.tags(&self.key(key)?, version).await
    }

    fn can_copy_from(&self, from: &Self) -> bool {
        self.store.can_copy_from(&from.store)
    }

    async fn copy(&self, from: &Self, copying: &Copying) -> Result<Copied, StoreError> {
        self.store.copy(&from.store, &self.copying(copying)?).await
    }

    async fn begin_copy(
        &self,
        key: &Key,
        look: &VersionHead,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, StoreError> {
        self.store.begin_copy(&self.key(key)?, look, tags).await
    }

    async fn part_copy(
        &self,
        from: &Self,
        upload: (&Copying, &str),
        number: u32,
        bytes: Range<u64>,
    ) -> Result<Option<ETag>, StoreError> {
        self.store.part_copy(&from.store, (&self.copying(upload.0)?, upload.1), number, bytes).await
    }

    async fn delete_versions(&self, versions: &[(Key, String)]) -> Result<Vec<(Key, String)>, StoreError> {
        let Some(scope) = &self.scope else { return self.store.delete_versions(versions).await };
        let there = versions.iter().map(|(key, version)| Ok((scope.outward(key)?, version.clone())));
        let there: Vec<(Key, String)> = there.collect::<Result<_, StoreError>>()?;
        let left = self.store.delete_versions(&there).await?;
        Ok(left.into_iter().map(|(key, why)| (scope.back(key), why)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::store::list_prefix;

    async fn put(store: &impl Store, key: &str) {
        store.put(&key.parse().unwrap(), &Headers::default(), ("".into(), crate::md5(b""))).await.unwrap();
    }

    async fn keys(store: &impl Store, after: Option<&str>) -> Vec<String> {
        let page = store.page(after).await.unwrap();
        page.objects.into_iter().map(|object| object.key.to_string()).collect()
    }

    #[tokio::test]
    async fn the_owner_of_a_prefix_sees_its_objects_and_its_records_and_nothing_else() {
        let bucket = MemoryStore::default();
        for key in [
            ".twinsite/active/0000000001-backup",
            ".twinsite/ledger/main",
            ".twinsite/lock",
            ".twinsite/prefixes/docs/-/ledger/own",
            ".twinsite/prefixes/docs/-/lock",
            ".twinsite/prefixes/docs/v2/-/lock",
            ".twinsite/releases/0000000001.gz",
            "docs",
            "docs.html",
            "docs/a",
            "docs/b",
            "index.html",
        ] {
            put(&bucket, key).await;
        }
        let docs = ScopedStore::new(bucket.clone(), Some("docs".parse().unwrap()));
        let all = [".twinsite/active/0000000001-backup", ".twinsite/ledger/own", ".twinsite/lock", "docs/a", "docs/b"];
        assert_eq!(keys(&docs, None).await, all);
        for at in 0..all.len() {
            assert_eq!(keys(&docs, Some(all[at])).await, all[at + 1..], "behind {}", all[at]);
        }
        assert_eq!(keys(&docs, Some("docs0")).await, [] as [&str; 0]);
        let records: Vec<String> =
            list_prefix(&docs, PRIVATE).await.unwrap().iter().map(|object| object.key.to_string()).collect();
        assert_eq!(records, all[..3]);
        let whole = ScopedStore::new(bucket.clone(), None);
        assert_eq!(keys(&whole, None).await, keys(&bucket, None).await);
    }

    #[tokio::test]
    async fn nothing_of_another_owner_can_be_written_or_deleted() {
        let bucket = MemoryStore::default();
        let docs = ScopedStore::new(bucket.clone(), Some("docs".parse().unwrap()));
        for key in ["index.html", "docs", "docsx/a", ".well-known/twinsite/stop.txt", ".twinsitex", "Docs/a"] {
            let key: Key = key.parse().unwrap();
            let put = docs.put(&key, &Headers::default(), ("".into(), crate::md5(b""))).await;
            assert!(matches!(put, Err(StoreError::OutsidePrefix { .. })), "{key}");
            assert!(docs.delete(std::slice::from_ref(&key)).await.is_err(), "{key}");
            let listed = ListedObject { key, etag: ETag::parse("x") };
            assert!(docs.delete_if(&[listed]).await.is_err());
        }
        put(&docs, ".twinsite/releases/0000000001.gz").await;
        assert_eq!(keys(&bucket, None).await, [".twinsite/prefixes/docs/-/releases/0000000001.gz"]);
    }
}
