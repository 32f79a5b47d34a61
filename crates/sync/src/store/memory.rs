//! A store in memory: for trying things out, and as the reference the others are measured against.

mod versions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use twinsite_core::Run;

use super::{
    Condition, Head, Limit, Limits, ListedObject, NotDeleted, Page, PartMade, Pending, ReadObject, Store, Written,
};
use crate::{Content, ETag, Headers, Key, Md5, RemoteObject, StoreError, TagKind, multipart_etag};

/// Ticks once for every change of any store: as in the world, no two buckets are written to at the very same time.
static CLOCK: AtomicI64 = AtomicI64::new(0);

/// A store in memory, which keeps versions. Its clock ticks once for every change.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    limits: Limits,
    /// Whether conditions are ignored without a word.
    ignores_conditions: bool,
}

type Begun = (Key, Headers, BTreeMap<u32, (Bytes, Md5)>);

#[derive(Debug, Default)]
struct State {
    /// The versions of each key, the newest last; `None` stands for a delete marker.
    objects: BTreeMap<Key, Vec<(i64, Option<Kept>)>>,
    uploads: HashMap<String, Begun>,
}

#[derive(Clone, Debug)]
struct Kept {
    bytes: Bytes,
    headers: Headers,
    etag: ETag,
    part_size: Option<u64>,
    modified: i64,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that ignores the conditions of writes, as some servers do.
    pub fn ignoring_conditions() -> Self {
        Self { ignores_conditions: true, ..Self::default() }
    }

    /// The same store for another process, which knows nothing of its limits.
    #[must_use]
    pub fn another_handle(&self) -> Self {
        Self { limits: Limits::default(), ..self.clone() }
    }

    /// What it holds: each key's bytes and headers.
    pub fn contents(&self) -> BTreeMap<Key, (Bytes, Headers)> {
        let state = self.state();
        state.current().map(|(key, kept)| (key.clone(), (kept.bytes.clone(), kept.headers.clone()))).collect()
    }
}

impl State {
    fn tick() -> i64 {
        CLOCK.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn current(&self) -> impl Iterator<Item = (&Key, &Kept)> {
        self.objects.iter().filter_map(|(key, all)| Some((key, all.last()?.1.as_ref()?)))
    }

    fn get(&self, key: &Key) -> Option<&Kept> {
        self.objects.get(key)?.last()?.1.as_ref()
    }

    fn check(&self, key: &Key, condition: &Condition) -> Result<(), StoreError> {
        let holds = condition.holds(self.get(key).map(|kept| &kept.etag));
        if holds { Ok(()) } else { Err(StoreError::Changed(key.clone())) }
    }

    /// Adds a version.
    fn add(&mut self, key: &Key, kept: Kept) -> Written {
        let (now, etag) = (kept.modified, kept.etag.clone());
        let version = Self::tick();
        self.objects.entry(key.clone()).or_default().push((version, Some(kept)));
        Written { version: Some(version.to_string()), etag: Some(etag), tag_kind: TagKind::Digest, modified: Some(now) }
    }

    fn remove(&mut self, key: &Key) {
        let version = Self::tick();
        if let Some(all) = self.objects.get_mut(key) {
            all.push((version, None));
        }
    }
}

fn whole(body: &Content) -> Result<Bytes, StoreError> {
    body.bytes().map_err(|error| broken(error.to_string()))
}

fn broken(what: String) -> StoreError {
    StoreError::Broken(what)
}

impl Store for MemoryStore {
    async fn page(&self, after: Option<&str>) -> Result<Page, StoreError> {
        let state = self.state();
        let after: Option<Key> = after.and_then(|after| after.parse().ok());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = state.objects.range((start, Bound::Unbounded));
        let mut rest = range.filter_map(|(key, all)| Some((key, all.last()?.1.as_ref()?)));
        let objects = rest.by_ref().take(1000).map(|(key, kept)| RemoteObject {
            key: key.clone(),
            size: kept.bytes.len() as u64,
            etag: kept.etag.clone(),
            modified: kept.modified,
        });
        Ok(Page { objects: objects.collect(), more: rest.next().is_some() })
    }

    async fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        (body, md5): (Content, Md5),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let bytes = whole(&body)?;
        if crate::md5(&bytes) != md5 {
            return Err(StoreError::Corrupted(key.clone()));
        }
        let mut state = self.state();
        if !self.ignores_conditions {
            state.check(key, condition)?;
        }
        let modified = State::tick();
        Ok(state.add(key, Kept { bytes, headers: headers.clone(), etag: ETag::Md5(md5), part_size: None, modified }))
    }

    async fn delete_if(&self, objects: &[ListedObject]) -> Result<Vec<NotDeleted>, StoreError> {
        let mut state = self.state();
        let mut left = Vec::new();
        for ListedObject { key, etag } in objects {
            match state.check(key, &Condition::Is(etag.clone())) {
                Err(error) if state.get(key).is_some() => left.push(NotDeleted { key: key.clone(), error }),
                Err(_) => {}
                Ok(()) => state.remove(key),
            }
        }
        Ok(left)
    }

    async fn rewrite(&self, object: &ListedObject, headers: &Headers) -> Result<Written, StoreError> {
        let ListedObject { key, etag } = object;
        let mut state = self.state();
        state.check(key, &Condition::Is(etag.clone()))?;
        let modified = State::tick();
        let Some(kept) = state.get(key).cloned() else { return Err(StoreError::Changed(key.clone())) };
        let etag = ETag::Md5(crate::md5(&kept.bytes));
        Ok(state.add(key, Kept { headers: headers.clone(), modified, etag, part_size: None, ..kept }))
    }

    async fn delete(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        let mut state = self.state();
        for key in keys {
            state.remove(key);
        }
        Ok(Vec::new())
    }

    async fn head(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        Ok(self.state().get(key).map(versions::head))
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.state().get(key).map(|kept| kept.bytes.clone()))
    }

    async fn read(&self, key: &Key) -> Result<Option<ReadObject>, StoreError> {
        let read = |kept: &Kept| ReadObject { bytes: kept.bytes.clone(), etag: kept.etag.clone(), age: None };
        Ok(self.state().get(key).map(read))
    }

    async fn pending(&self, wanted: &Key) -> Result<Option<Pending>, StoreError> {
        let state = self.state();
        Ok(state.uploads.iter().find(|(_, (key, ..))| key == wanted).map(|(id, (_, _, parts))| {
            let part = |(number, (bytes, md5)): (&u32, &(Bytes, Md5))| PartMade {
                number: *number,
                etag: ETag::Md5(*md5),
                size: bytes.len() as u64,
            };
            Pending { id: id.clone(), parts: parts.iter().map(part).collect() }
        }))
    }

    async fn begin(&self, key: &Key, headers: &Headers) -> Result<String, StoreError> {
        let mut state = self.state();
        let id = format!("upload-{}", State::tick());
        state.uploads.insert(id.clone(), (key.clone(), headers.clone(), BTreeMap::new()));
        Ok(id)
    }

    async fn part(
        &self,
        (key, id): (&Key, &str),
        number: u32,
        (body, md5): (Content, Md5),
    ) -> Result<ETag, StoreError> {
        let body = (whole(&body)?, md5);
        let mut state = self.state();
        let upload = state.uploads.get_mut(id).filter(|upload| upload.0 == *key);
        upload.ok_or_else(|| broken(format!("the upload of `{key}` is not there")))?.2.insert(number, body);
        Ok(ETag::Md5(md5))
    }

    async fn complete(
        &self,
        (key, id): (&Key, &str),
        parts: &[PartMade],
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let mut state = self.state();
        state.check(key, condition)?;
        let Some((_, headers, sent)) = state.uploads.remove(id) else {
            return Err(broken(format!("the upload of `{key}` is not there")));
        };
        let chosen = parts.iter().map(|part| sent.get(&part.number).filter(|(_, md5)| ETag::Md5(*md5) == part.etag));
        let Some(chosen) = chosen.collect::<Option<Vec<_>>>() else {
            return Err(broken(format!("a part of `{key}` is not there")));
        };
        let digests: Vec<Md5> = chosen.iter().map(|(_, md5)| *md5).collect();
        let part_size = chosen.first().map(|(bytes, _)| bytes.len() as u64);
        let bytes = chosen.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect::<Vec<u8>>().into();
        let modified = State::tick();
        Ok(state.add(key, Kept { bytes, headers, etag: multipart_etag(&digests), part_size, modified }))
    }

    async fn abort(&self, (_, id): (&Key, &str)) -> Result<(), StoreError> {
        self.state().uploads.remove(id);
        Ok(())
    }

    fn limits(&self) -> BTreeSet<Limit> {
        self.limits.all()
    }

    fn add_limit(&self, limit: Limit) {
        self.limits.add(limit);
    }

    fn fenced(&self, _: &Run) -> Self {
        self.clone()
    }

    fn throttled(&self) -> u64 {
        0
    }
}
