//! The parts of a publish that cost time or memory without a network: walking, hashing and comparing.
//!
//! Beside the time it shows how much memory each holds at most, and how much it asks for in all.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use tokio::runtime::{Builder, Runtime};
use twinsite_core::Run;
use twinsite_sync::{
    Body, Headers, Index, Key, MemoryStore, Options, Place, Rules, Source, SourceObject, Stamp, Store, Wave, md5, plan,
    replicate, transfer, walk,
};

/// Counts what the benchmark's own thread asks for.
#[global_allocator]
static ALLOCATED: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// One thread, so that everything is counted.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime starts")
}

fn key(n: usize) -> Key {
    format!("docs/{}/section-{}/page-{n:07}.html", n % 7, n / 1_000).parse().expect("it is a key")
}

/// A directory of small files, sixty-four to a folder.
fn site(files: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory is made");
    for n in 0..files {
        let folder = dir.path().join(format!("folder-{}", n / 64));
        std::fs::create_dir_all(&folder).expect("a folder is made");
        std::fs::write(folder.join(format!("page-{n}.html")), "<h1>hello</h1>").expect("a file is written");
    }
    dir
}

#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn walk_files(bencher: Bencher, files: usize) {
    let dir = site(files);
    let look = |dir: &Path| walk(dir, &Rules::web()).expect("it can be published");
    bencher.counter(ItemsCount::new(files)).bench(|| look(dir.path()));
}

#[divan::bench(args = [4 << 10, 27 << 10, 1 << 20])]
fn digest(bencher: Bencher, size: usize) {
    let bytes = vec![7; size];
    bencher.counter(BytesCount::new(size)).bench(|| md5(&bytes));
}

/// Two buckets of as many objects, the second a replica of the first.
struct Pair {
    primary: MemoryStore,
    backup: MemoryStore,
}

impl Pair {
    async fn of(keys: usize) -> Self {
        let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
        let headers = Headers::default();
        for n in 0..keys {
            let key = key(n);
            let put = primary.put(&key, &headers, (Bytes::new().into(), md5(b"")));
            put.await.expect("a store in memory takes everything");
        }
        let pair = Self { primary, backup };
        let all = pair.compare().await;
        let filled = replicate::fill(all, &pair.primary, &pair.backup, &Rules::web(), &Run::silent()).await;
        assert_eq!(filled.expect("every object is copied").copied, keys);
        pair
    }

    async fn compare(&self) -> replicate::Compared {
        replicate::compare(&self.primary, &self.backup, &Run::silent()).await.expect("both can be listed")
    }
}

/// The listings of two buckets, side by side; a page of each is in memory.
#[divan::bench(args = [10_000, 1_000_000], sample_count = 3)]
fn diff_two_listings(bencher: Bencher, keys: usize) {
    let runtime = runtime();
    let pair = runtime.block_on(Pair::of(keys));
    bencher.counter(ItemsCount::new(keys)).bench(|| {
        let compared = runtime.block_on(pair.compare());
        assert!(compared.is_in_sync());
    });
}

/// A directory that is known already and a bucket that has all of it, but for one object in a hundred.
#[divan::bench(args = [10_000, 1_000_000], sample_count = 3)]
fn diff_directory_and_bucket(bencher: Bencher, keys: usize) {
    let (runtime, run, options) = (runtime(), Run::silent(), Options::default());
    let (source, index, store) = runtime.block_on(known(keys));
    bencher.counter(ItemsCount::new(keys)).bench(|| {
        let plan = runtime.block_on(plan(&source, &store, &options, &index, &run)).expect("it can be listed");
        assert_eq!(plan.puts().len(), keys.div_ceil(100));
        plan
    });
}

/// Objects of one byte. A hundredth of them has changed since they were published.
async fn known(keys: usize) -> (Source, Index, MemoryStore) {
    let headers = Arc::new(Headers { content_type: Some("text/html".to_owned()), ..Headers::default() });
    let root = Path::new("site/public").into();
    let source = Source::of((0..keys).map(|n| object(n, &root, &headers)), &Rules::web());
    let (index, store) = (Index::memory(), MemoryStore::default());
    for object in source.objects() {
        let put = store.put(&object.key, &object.headers, ("1".into(), md5(b"1")));
        put.await.expect("a store in memory takes everything");
        index.put(object, md5(b"1"));
    }
    let plan = plan(&source, &store, &Options::default(), &index, &Run::silent()).await.expect("it can be listed");
    transfer(plan, &store, &index, &Run::silent()).await.expect("the manifest is written");
    for object in source.objects().iter().step_by(100) {
        index.put(object, md5(b"2"));
    }
    (source, index, store)
}

fn object(n: usize, root: &Arc<Path>, headers: &Arc<Headers>) -> SourceObject {
    let (key, place) = (key(n), Place::Under(Arc::clone(root)));
    let stamp = Stamp { size: 1, mtime: 0, ctime: 0, inode: 0 };
    let (body, headers) = (Body::File { place, stamp }, Arc::clone(headers));
    SourceObject { key, body, size: 1, headers, wave: Wave::Pages }
}
