//! A store whose every request passes a gate: to let it wait for its turn, or to let it fail.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use twinsite_core::Run;
use twinsite_sync::{
    Condition, Content, Copied, Copying, ETag, Head, Headers, Key, ListedObject, Md5, MemoryStore, NotDeleted, Page,
    PartMade, Pending, ReadObject, Store, StoreError, VersionHead, VersionedStore, VersionsPage, Written,
};

type Made<T> = Result<T, StoreError>;

/// What stands before every request to a store, and behind it.
pub(crate) trait Gate: std::fmt::Debug + Send + Sync + 'static {
    /// Returns when the request may be made; or the request fails and nothing has happened.
    fn pass(&self) -> impl Future<Output = Made<()>> + Send;

    /// Whether requests that wait for it are already on their way, and cannot be taken back.
    fn is_network(&self) -> bool {
        false
    }

    /// Tells whether its reply arrives.
    fn answer(&self) -> Made<()> {
        Ok(())
    }
}

/// A store whose every request passes a gate.
#[derive(Debug)]
pub(crate) struct Gated<G> {
    pub(crate) store: MemoryStore,
    pub(crate) gate: Arc<G>,
    pub(crate) fence: Option<Run>,
}

impl<G> Clone for Gated<G> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), gate: Arc::clone(&self.gate), fence: self.fence.clone() }
    }
}

impl<G> Gated<G> {
    fn check_fence(&self) -> Made<()> {
        match &self.fence {
            Some(run) if run.is_expired() => Err(StoreError::Broken("the lease has expired".to_owned())),
            _ => Ok(()),
        }
    }
}

macro_rules! turn {
    ($self:ident.$call:ident($($arg:expr),*)) => {{
        // As the fence of an S3 store: checked when the request is sent.
        $self.check_fence()?;
        $self.gate.pass().await?;
        if !$self.gate.is_network() {
            $self.check_fence()?;
        }
        let made = $self.store.$call($($arg),*).await;
        $self.gate.answer()?;
        made
    }};
}

impl<G: Gate> Store for Gated<G> {
    async fn page(&self, after: Option<&str>) -> Made<Page> {
        turn!(self.page(after))
    }
    async fn put_if(&self, key: &Key, headers: &Headers, body: (Content, Md5), condition: &Condition) -> Made<Written> {
        turn!(self.put_if(key, headers, body, condition))
    }
    async fn delete_if(&self, objects: &[ListedObject]) -> Made<Vec<NotDeleted>> {
        turn!(self.delete_if(objects))
    }
    async fn rewrite(&self, object: &ListedObject, headers: &Headers) -> Made<Written> {
        turn!(self.rewrite(object, headers))
    }
    async fn delete(&self, keys: &[Key]) -> Made<Vec<(Key, String)>> {
        turn!(self.delete(keys))
    }
    async fn head(&self, key: &Key) -> Made<Option<Head>> {
        turn!(self.head(key))
    }
    async fn get(&self, key: &Key) -> Made<Option<Bytes>> {
        turn!(self.get(key))
    }
    async fn read(&self, key: &Key) -> Made<Option<ReadObject>> {
        turn!(self.read(key))
    }
    async fn pending(&self, key: &Key) -> Made<Option<Pending>> {
        turn!(self.pending(key))
    }
    async fn begin(&self, key: &Key, headers: &Headers) -> Made<String> {
        turn!(self.begin(key, headers))
    }
    async fn part(&self, upload: (&Key, &str), number: u32, body: (Content, Md5)) -> Made<ETag> {
        turn!(self.part(upload, number, body))
    }
    async fn complete(&self, upload: (&Key, &str), parts: &[PartMade], condition: &Condition) -> Made<Written> {
        turn!(self.complete(upload, parts, condition))
    }
    async fn abort(&self, upload: (&Key, &str)) -> Made<()> {
        turn!(self.abort(upload))
    }
    fn fenced(&self, run: &Run) -> Self {
        Self { fence: Some(run.clone()), ..self.clone() }
    }
    fn throttled(&self) -> u64 {
        0
    }
}

impl<G: Gate> VersionedStore for Gated<G> {
    async fn versions(&self, prefix: &str, behind: Option<&(String, String)>) -> Made<VersionsPage> {
        turn!(self.versions(prefix, behind))
    }
    async fn look(&self, key: &Key, version: Option<&str>) -> Made<Option<VersionHead>> {
        turn!(self.look(key, version))
    }
    async fn tags(&self, key: &Key, version: Option<&str>) -> Made<BTreeMap<String, String>> {
        turn!(self.tags(key, version))
    }
    async fn copy(&self, from: &Self, copying: &Copying) -> Made<Copied> {
        turn!(self.copy(&from.store, copying))
    }
    async fn begin_copy(&self, key: &Key, look: &VersionHead, tags: &BTreeMap<String, String>) -> Made<String> {
        turn!(self.begin_copy(key, look, tags))
    }
    async fn part_copy(
        &self,
        from: &Self,
        upload: (&Copying, &str),
        number: u32,
        bytes: Range<u64>,
    ) -> Made<Option<ETag>> {
        turn!(self.part_copy(&from.store, upload, number, bytes))
    }
    async fn delete_versions(&self, versions: &[(Key, String)]) -> Made<Vec<(Key, String)>> {
        turn!(self.delete_versions(versions))
    }
}

/// Requests fail from one on, or the reply to one is lost.
#[derive(Debug)]
pub(crate) struct Fault {
    at: usize,
    lost: bool,
    seen: AtomicUsize,
}

impl Fault {
    /// Two stores that fail together: whose process loses its network.
    pub(crate) fn both<'a>(
        at: usize,
        lost: bool,
        stores: impl IntoIterator<Item = &'a MemoryStore>,
    ) -> Vec<Gated<Self>> {
        let gate = Arc::new(Self { at, lost, seen: AtomicUsize::new(0) });
        stores.into_iter().map(|store| Gated { store: store.clone(), gate: Arc::clone(&gate), fence: None }).collect()
    }
}

impl Gate for Fault {
    async fn pass(&self) -> Made<()> {
        let now = self.seen.fetch_add(1, Ordering::SeqCst);
        if now < self.at || self.lost { Ok(()) } else { Err(StoreError::Broken("no network".to_owned())) }
    }

    fn answer(&self) -> Made<()> {
        let lost = self.lost && self.seen.load(Ordering::SeqCst) == self.at + 1;
        if lost { Err(StoreError::Broken("no reply".to_owned())) } else { Ok(()) }
    }
}
