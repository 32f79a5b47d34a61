//! A store in memory: for trying things out, and as the reference the others are measured against.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Head, Page, PartMade, Pending, Store, StoreError};
use crate::{ETag, Headers, Key, Md5, RemoteObject, multipart_etag};

/// A store in memory. Its clock ticks once for every change.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

type Begun = (Key, Headers, BTreeMap<u32, (Bytes, Md5)>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<Key, Kept>,
    uploads: HashMap<String, Begun>,
    clock: i64,
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it holds: each key's bytes and headers.
    pub fn contents(&self) -> BTreeMap<Key, (Bytes, Headers)> {
        let state = self.state();
        state.objects.iter().map(|(key, kept)| (key.clone(), (kept.bytes.clone(), kept.headers.clone()))).collect()
    }
}

impl State {
    fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }
}

impl Store for MemoryStore {
    async fn page(&self, after: Option<&str>) -> Result<Page, StoreError> {
        let state = self.state();
        let after: Option<Key> = after.and_then(|after| after.parse().ok());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = state.objects.range((start, Bound::Unbounded));
        let objects = rest.by_ref().take(1000).map(|(key, kept)| RemoteObject {
            key: key.clone(),
            size: kept.bytes.len() as u64,
            etag: kept.etag.clone(),
            modified: kept.modified,
        });
        Ok(Page { objects: objects.collect(), more: rest.next().is_some() })
    }

    async fn put(&self, key: &Key, headers: &Headers, (bytes, md5): (Bytes, Md5)) -> Result<(), StoreError> {
        if crate::md5(&bytes) != md5 {
            return Err(StoreError::Corrupted(key.clone()));
        }
        let mut state = self.state();
        let modified = state.tick();
        let kept = Kept { bytes, headers: headers.clone(), etag: ETag::Md5(md5), part_size: None, modified };
        state.objects.insert(key.clone(), kept);
        Ok(())
    }

    async fn rewrite(&self, key: &Key, headers: &Headers) -> Result<(), StoreError> {
        let mut state = self.state();
        let modified = state.tick();
        let Some(kept) = state.objects.get_mut(key) else {
            return Err(StoreError::Broken(format!("`{key}` is not there")));
        };
        kept.headers = headers.clone();
        kept.modified = modified;
        kept.etag = ETag::Md5(crate::md5(&kept.bytes));
        Ok(())
    }

    async fn delete(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        let mut state = self.state();
        for key in keys {
            state.objects.remove(key);
        }
        Ok(Vec::new())
    }

    async fn head(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        Ok(self.state().objects.get(key).map(|kept| Head {
            headers: kept.headers.clone(),
            etag: kept.etag.clone(),
            size: kept.bytes.len() as u64,
            part_size: kept.part_size,
        }))
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.state().objects.get(key).map(|kept| kept.bytes.clone()))
    }

    async fn pending(&self, wanted: &Key) -> Result<Option<Pending>, StoreError> {
        let state = self.state();
        Ok(state.uploads.iter().find(|(_, (key, ..))| key == wanted).map(|(id, (_, _, parts))| {
            let part = |(number, (bytes, md5)): (&u32, &(Bytes, Md5))| PartMade {
                number: *number,
                md5: *md5,
                size: bytes.len() as u64,
            };
            Pending { id: id.clone(), parts: parts.iter().map(part).collect() }
        }))
    }

    async fn begin(&self, key: &Key, headers: &Headers) -> Result<String, StoreError> {
        let mut state = self.state();
        let id = format!("upload-{}", state.tick());
        state.uploads.insert(id.clone(), (key.clone(), headers.clone(), BTreeMap::new()));
        Ok(id)
    }

    async fn part(&self, (key, id): (&Key, &str), number: u32, body: (Bytes, Md5)) -> Result<(), StoreError> {
        let mut state = self.state();
        let upload = state.uploads.get_mut(id).filter(|upload| upload.0 == *key);
        let gone = || StoreError::Broken(format!("the upload of `{key}` is not there"));
        upload.ok_or_else(gone)?.2.insert(number, body);
        Ok(())
    }

    async fn complete(&self, (key, id): (&Key, &str), parts: &[PartMade]) -> Result<(), StoreError> {
        let mut state = self.state();
        let Some((_, headers, sent)) = state.uploads.remove(id) else {
            return Err(StoreError::Broken(format!("the upload of `{key}` is not there")));
        };
        let chosen = parts.iter().map(|part| sent.get(&part.number).filter(|(_, md5)| *md5 == part.md5));
        let Some(chosen) = chosen.collect::<Option<Vec<_>>>() else {
            return Err(StoreError::Broken(format!("a part of `{key}` is not there")));
        };
        let digests: Vec<Md5> = chosen.iter().map(|(_, md5)| *md5).collect();
        let part_size = chosen.first().map(|(bytes, _)| bytes.len() as u64);
        let bytes = chosen.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect::<Vec<u8>>().into();
        let modified = state.tick();
        let kept = Kept { bytes, headers, etag: multipart_etag(&digests), part_size, modified };
        state.objects.insert(key.clone(), kept);
        Ok(())
    }

    async fn abort(&self, (_, id): (&Key, &str)) -> Result<(), StoreError> {
        self.state().uploads.remove(id);
        Ok(())
    }

    fn throttled(&self) -> u64 {
        0
    }
}
