//! Two deployers at once: whoever's turn it is makes one request.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use twinsite_core::Run;
use twinsite_sync::{
    Condition, Copied, Copying, ETag, Head, Headers, History, Key, Look, Md5, MemoryStore, Page, PartMade, Pending,
    Store, StoreError, VersionsPage, Written, mirror, release,
};

use crate::stage::deploy;
use crate::write;

type Made<T> = Result<T, StoreError>;

/// When a deployer may make its next request.
#[derive(Debug)]
struct Gate {
    permits: tokio::sync::Semaphore,
    waiting: AtomicUsize,
    made: AtomicUsize,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: tokio::sync::Semaphore::new(0),
            waiting: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        })
    }

    async fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.made.fetch_add(1, Ordering::SeqCst);
    }
}

/// A store whose every request waits for its turn.
#[derive(Clone, Debug)]
struct Turns {
    store: Arc<MemoryStore>,
    gate: Arc<Gate>,
}

macro_rules! turn {
    ($self:ident.$call:ident($($arg:expr),*)) => {{
        $self.gate.pass().await;
        $self.store.$call($($arg),*).await
    }};
}

impl Store for Turns {
    async fn page(&self, after: Option<&str>) -> Made<Page> {
        turn!(self.page(after))
    }
    async fn put(&self, key: &Key, headers: &Headers, body: (Bytes, Md5)) -> Made<Written> {
        turn!(self.put(key, headers, body))
    }
    async fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Bytes, Md5),
        condition: Condition<'_>,
    ) -> Made<Option<ETag>> {
        turn!(self.put_if(key, headers, body, condition))
    }
    async fn delete_if(&self, key: &Key, etag: &ETag) -> Made<bool> {
        turn!(self.delete_if(key, etag))
    }
    async fn rewrite(&self, key: &Key, headers: &Headers) -> Made<Written> {
        turn!(self.rewrite(key, headers))
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
    async fn read(&self, key: &Key) -> Made<Option<(Bytes, ETag)>> {
        turn!(self.read(key))
    }
    async fn pending(&self, key: &Key) -> Made<Option<Pending>> {
        turn!(self.pending(key))
    }
    async fn begin(&self, key: &Key, headers: &Headers) -> Made<String> {
        turn!(self.begin(key, headers))
    }
    async fn part(&self, upload: (&Key, &str), number: u32, body: (Bytes, Md5)) -> Made<()> {
        turn!(self.part(upload, number, body))
    }
    async fn complete(&self, upload: (&Key, &str), parts: &[PartMade]) -> Made<Written> {
        turn!(self.complete(upload, parts))
    }
    async fn abort(&self, upload: (&Key, &str)) -> Made<()> {
        turn!(self.abort(upload))
    }
    fn throttled(&self) -> u64 {
        0
    }
}

impl History for Turns {
    async fn versions(&self, prefix: &str, behind: Option<&(String, String)>) -> Made<VersionsPage> {
        turn!(self.versions(prefix, behind))
    }
    async fn look(&self, key: &Key, version: Option<&str>) -> Made<Option<Look>> {
        turn!(self.look(key, version))
    }
    async fn tags(&self, key: &Key, version: Option<&str>) -> Made<BTreeMap<String, String>> {
        turn!(self.tags(key, version))
    }
    async fn copy(&self, from: &Self, copying: &Copying) -> Made<Copied> {
        turn!(self.copy(&from.store, copying))
    }
    async fn begin_copy(&self, key: &Key, look: &Look, tags: &BTreeMap<String, String>) -> Made<String> {
        turn!(self.begin_copy(key, look, tags))
    }
    async fn part_copy(
        &self,
        from: &Self,
        upload: (&Copying, &str),
        number: u32,
        bytes: Range<u64>,
    ) -> Made<Option<Md5>> {
        turn!(self.part_copy(&from.store, upload, number, bytes))
    }
    async fn delete_versions(&self, versions: &[(Key, String)]) -> Made<Vec<(Key, String)>> {
        turn!(self.delete_versions(versions))
    }
}

/// Two pages, each naming an asset of its own version.
fn site(dir: &Path, version: &str) {
    for page in ["index.html", "about.html"] {
        write(dir, page, &format!("{page} of {version} needs assets/{version}.css"));
    }
    write(dir, &format!("assets/{version}.css"), version);
}

/// Every page finds what it names.
fn is_whole(store: &MemoryStore) -> bool {
    let all = store.contents();
    let pages = all.iter().filter(|(key, _)| !key.as_str().contains('/') && !key.is_reserved());
    pages.into_iter().all(|(_, (bytes, _))| {
        let text = String::from_utf8_lossy(bytes);
        all.contains_key(&text.rsplit(' ').next().unwrap().parse().unwrap())
    })
}

/// Deploys `a` and `b` at once, in turns, and checks that it is as if one had come after the other.
async fn race(turn: impl Fn([usize; 2]) -> usize, name: &str) {
    let (primary, backup) = (Arc::new(MemoryStore::default()), Arc::new(MemoryStore::default()));
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (dir, version) in dirs.iter().zip(["a", "b", "zero"]) {
        site(dir.path(), version);
    }
    deploy(dirs[2].path(), (&*primary, &*backup)).await.unwrap();
    let gates = [Gate::new(), Gate::new()];
    let (done, ended) = (AtomicUsize::new(0), [AtomicBool::new(false), AtomicBool::new(false)]);
    let deployer = |who: usize| {
        let (gate, dir) = (&gates[who], dirs[who].path());
        let store = |store: &Arc<MemoryStore>| Turns { store: Arc::clone(store), gate: Arc::clone(gate) };
        let stores = (store(&primary), store(&backup));
        let (done, ended) = (&done, &ended);
        async move {
            let result = deploy(dir, (&stores.0, &stores.1)).await;
            ended[who].store(true, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
            result.unwrap_or_else(|error| panic!("{name}: deployer {who}: {error}"))
        }
    };
    let referee = async {
        let started = Instant::now();
        while done.load(Ordering::SeqCst) < 2 {
            assert!(started.elapsed() < Duration::from_secs(30), "{name}: nobody moves");
            let ready = |who: usize| gates[who].waiting.load(Ordering::SeqCst) > gates[who].permits.available_permits();
            let over = |who: usize| ended[who].load(Ordering::SeqCst);
            let made = [0, 1].map(|who| gates[who].made.load(Ordering::SeqCst));
            let chosen = turn(made) % 2;
            // Who sleeps because the other has the lock, or has ended, does not hold up the game.
            let who = if ready(chosen) { chosen } else { 1 - chosen };
            if ready(who) && (ready(chosen) || over(chosen) || made[chosen] > 3) {
                gates[who].permits.add_permits(1);
                assert!(is_whole(&primary) && is_whole(&backup), "{name}: a page names what is not there");
            }
            tokio::task::yield_now().await;
        }
    };
    let (first, second, ()) = tokio::join!(deployer(0), deployer(1), referee);
    assert!(is_whole(&primary) && is_whole(&backup), "{name}");
    let index = primary.contents()[&"index.html".parse().unwrap()].0.clone();
    let last = if index.ends_with(b"a.css") { "a" } else { "b" };
    let about = primary.contents()[&"about.html".parse().unwrap()].0.clone();
    assert!(about.ends_with(format!("{last}.css").as_bytes()), "{name}: pages of both: {index:?} {about:?}");
    let newest = release::list(&*primary).await.unwrap();
    let ids = [first.release, second.release].into_iter().flatten().map(|id| id.0).max();
    assert_eq!((newest.len(), newest.last().map(|one| one.id.0)), (3, ids), "{name}");
    assert!(mirror::compare(&*primary, &*backup, &Run::silent()).await.unwrap().is_level(), "{name}");
}

/// The first makes `i` requests, then the other `j`, then the first goes on to its end.
#[tokio::test]
async fn wherever_two_deployers_interrupt_each_other_it_is_as_if_one_had_come_after_the_other() {
    for i in 0..45 {
        for j in 0..45 {
            race(
                |[first, second]| if first < i { 0 } else { usize::from(second < j) },
                &format!("{i} requests of the first, then {j} of the second"),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn in_any_order_of_their_requests_it_is_as_if_one_had_come_after_the_other() {
    for seed in 0..60u64 {
        let coin = move |[first, second]: [usize; 2]| {
            let mut rng = fastrand::Rng::with_seed(seed << 32 | (first as u64) << 16 | second as u64);
            rng.usize(..2)
        };
        race(coin, &format!("seed {seed}")).await;
    }
}
