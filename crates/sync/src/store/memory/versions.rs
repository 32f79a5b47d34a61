//! The past of a store in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Kept, MemoryStore, State};
use crate::store::{
    Copied, Copying, Head, ObjectVersion, ReplicationStatus, Store, VersionHead, VersionedStore, VersionsPage,
};
use crate::{ETag, Headers, Key, StoreError, TagKind};

pub(super) fn head(kept: &Kept) -> Head {
    Head {
        headers: kept.headers.clone(),
        etag: kept.etag.clone(),
        tag_kind: TagKind::Digest,
        size: kept.bytes.len() as u64,
        part_size: kept.part_size,
    }
}

impl State {
    fn version(&self, key: &Key, version: Option<&str>) -> Option<(i64, &Kept)> {
        let all = self.objects.get(key)?;
        let found = match version {
            None => all.last(),
            Some(id) => all.iter().find(|(there, _)| there.to_string() == id),
        };
        found.and_then(|(id, kept)| Some((*id, kept.as_ref()?)))
    }
}

impl VersionedStore for MemoryStore {
    async fn versions(&self, prefix: &str, behind: Option<&(String, String)>) -> Result<VersionsPage, StoreError> {
        if behind.is_some() {
            return Ok(VersionsPage::default());
        }
        let state = self.state();
        let mut past = Vec::new();
        for (key, all) in state.objects.iter().filter(|(key, _)| key.as_str().starts_with(prefix)) {
            past.extend(all.iter().enumerate().rev().map(|(at, (id, kept))| ObjectVersion {
                key: key.clone(),
                version: id.to_string(),
                etag: kept.as_ref().map(|kept| kept.etag.clone()),
                size: kept.as_ref().map_or(0, |kept| kept.bytes.len() as u64),
                modified: kept.as_ref().map_or(*id, |kept| kept.modified),
                latest: at + 1 == all.len(),
            }));
        }
        Ok(VersionsPage { past, next: None })
    }

    async fn look(&self, key: &Key, version: Option<&str>) -> Result<Option<VersionHead>, StoreError> {
        Ok(self.state().version(key, version).map(|(id, kept)| VersionHead {
            head: head(kept),
            version: Some(id.to_string()),
            modified: kept.modified,
            replication: ReplicationStatus::None,
            expires: None,
            checksum: None,
        }))
    }

    async fn tags(&self, _: &Key, _: Option<&str>) -> Result<BTreeMap<String, String>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn copy(&self, from: &Self, copying: &Copying) -> Result<Copied, StoreError> {
        let Copying { key, version, etag, headers, redirect, condition } = copying;
        let found = from.state().version(key, version.as_deref()).map(|(_, kept)| kept.clone());
        let Some(kept) = found.filter(|kept| kept.etag == *etag) else { return Ok(Copied::Gone) };
        let plain = || Headers { website_redirect: redirect.clone(), ..kept.headers.clone() };
        let headers = headers.clone().unwrap_or_else(plain);
        let mut state = self.state();
        state.check(key, condition)?;
        let modified = State::tick();
        let etag = ETag::Md5(crate::md5(&kept.bytes));
        Ok(Copied::Done(state.add(key, Kept { headers, etag, part_size: None, modified, bytes: kept.bytes })))
    }

    async fn begin_copy(
        &self,
        key: &Key,
        look: &VersionHead,
        _: &BTreeMap<String, String>,
    ) -> Result<String, StoreError> {
        self.begin(key, &look.head.headers).await
    }

    async fn part_copy(
        &self,
        from: &Self,
        (copying, id): (&Copying, &str),
        number: u32,
        bytes: Range<u64>,
    ) -> Result<Option<ETag>, StoreError> {
        let found = from.state().version(&copying.key, copying.version.as_deref()).map(|(_, kept)| kept.clone());
        let Some(kept) = found.filter(|kept| kept.etag == copying.etag) else { return Ok(None) };
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(kept.bytes.len());
        let part = kept.bytes.slice(index(bytes.start)..index(bytes.end));
        let md5 = crate::md5(&part);
        self.part((&copying.key, id), number, (part.into(), md5)).await.map(Some)
    }

    async fn delete_versions(&self, versions: &[(Key, String)]) -> Result<Vec<(Key, String)>, StoreError> {
        let mut state = self.state();
        for (key, version) in versions {
            if let Some(all) = state.objects.get_mut(key) {
                all.retain(|(id, _)| id.to_string() != *version);
            }
        }
        state.objects.retain(|_, all| !all.is_empty());
        Ok(Vec::new())
    }
}
