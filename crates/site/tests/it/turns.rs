//! Two deployers at once: whoever's turn it is makes one request.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use twinsite_site::Run;
use twinsite_sync::lock::{Lease, Owner, UnfinishedPublish, take};
use twinsite_sync::{Headers, Key, MemoryStore, StoreError, VersionedStore, md5, release, replicate};

use crate::gated::{Gate, Gated};
use crate::stage::deploy;
use crate::write;

/// When a deployer may make its next request.
#[derive(Debug)]
struct Turn {
    permits: tokio::sync::Semaphore,
    waiting: AtomicUsize,
    made: AtomicUsize,
}

impl Turn {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: tokio::sync::Semaphore::new(0),
            waiting: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        })
    }

    /// Somebody waits for a turn that nobody has been given.
    fn is_ready(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > self.permits.available_permits()
    }
}

impl Gate for Turn {
    async fn pass(&self) -> Result<(), StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Two players of whom one at a time makes a request.
struct Game {
    gates: [Arc<Turn>; 2],
    /// Before it has made so many requests, a player has no reason to sleep.
    waits_from: usize,
    ended: [AtomicBool; 2],
}

impl Game {
    fn new(waits_from: usize) -> Self {
        let ended = [AtomicBool::new(false), AtomicBool::new(false)];
        Self { gates: [Turn::new(), Turn::new()], waits_from, ended }
    }

    fn store(&self, who: usize, store: &MemoryStore) -> Gated<Turn> {
        Gated { store: store.clone(), gate: Arc::clone(&self.gates[who]), fence: None }
    }

    async fn play<T>(&self, who: usize, playing: impl Future<Output = T>) -> T {
        let result = playing.await;
        self.ended[who].store(true, Ordering::SeqCst);
        result
    }

    /// Lets one after the other make a request until both have ended; whose turn it is may depend on how many each made.
    async fn referee(&self, turn: impl Fn([usize; 2]) -> usize, check: impl Fn(), name: &str) {
        let started = Instant::now();
        let over = |who: usize| self.ended[who].load(Ordering::SeqCst);
        while !over(0) || !over(1) {
            assert!(started.elapsed() < Duration::from_secs(30), "{name}: nobody moves");
            let made = [0, 1].map(|who: usize| self.gates[who].made.load(Ordering::SeqCst));
            let chosen = turn(made) % 2;
            // Who sleeps because the other has the lock, or has ended, does not hold up the game.
            let who = if self.gates[chosen].is_ready() { chosen } else { 1 - chosen };
            if self.gates[who].is_ready() && (who == chosen || over(chosen) || made[chosen] >= self.waits_from) {
                self.gates[who].permits.add_permits(1);
                check();
            }
            tokio::task::yield_now().await;
        }
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
    let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (dir, version) in dirs.iter().zip(["a", "b", "zero"]) {
        site(dir.path(), version);
    }
    deploy(dirs[2].path(), (&primary, &backup)).await.unwrap();
    let game = Game::new(4);
    let deployer = |who: usize| {
        let (dir, stores) = (dirs[who].path(), (game.store(who, &primary), game.store(who, &backup)));
        let playing = async move {
            let result = deploy(dir, (&stores.0, &stores.1)).await;
            result.unwrap_or_else(|error| panic!("{name}: deployer {who}: {error:?}"))
        };
        game.play(who, playing)
    };
    let check = || assert!(is_whole(&primary) && is_whole(&backup), "{name}: a page names what is not there");
    let (first, second, ()) = tokio::join!(deployer(0), deployer(1), game.referee(turn, check, name));
    check();
    let index = primary.contents()[&"index.html".parse().unwrap()].0.clone();
    let last = if index.ends_with(b"a.css") { "a" } else { "b" };
    let about = primary.contents()[&"about.html".parse().unwrap()].0.clone();
    assert!(about.ends_with(format!("{last}.css").as_bytes()), "{name}: pages of both: {index:?} {about:?}");
    let newest = release::list(&primary).await.unwrap();
    let ids = [first.release, second.release].into_iter().flatten().map(|id| id.0).max();
    assert_eq!((newest.len(), newest.last().map(|one| one.id.0)), (3, ids), "{name}");
    assert!(replicate::compare(&primary, &backup, &Run::silent()).await.unwrap().is_in_sync(), "{name}");
}

/// Under the lock, reads a number and writes the next one.
async fn count(store: &impl VersionedStore) {
    let lease = Lease { ttl: Duration::from_millis(400), timeout: Duration::from_secs(20), probe: false };
    let owner = Owner { birth: None, ..Owner::here("count") };
    let lock = take(store, owner, UnfinishedPublish::default(), lease, &Run::silent()).await.unwrap();
    let key: Key = "number".parse().unwrap();
    let number = store.get(&key).await.unwrap().map_or(0, |bytes| bytes.len());
    let next = "x".repeat(number + 1);
    let digest = md5(next.as_bytes());
    store.put(&key, &Headers::default(), (next.into(), digest)).await.unwrap();
    lock.free().await.unwrap();
}

/// Each makes four requests, and two more whenever it looks at a lock that is held: all orders of the first ten.
#[tokio::test]
async fn in_all_orders_of_their_requests_only_one_has_the_lock() {
    for order in 0..1 << 10_u32 {
        let (game, store) = (Game::new(2), MemoryStore::default());
        let stores = [0, 1].map(|who| game.store(who, &store));
        let turn = |[first, second]: [usize; 2]| usize::from(order >> (first + second).min(10) & 1 == 1);
        let name = format!("order {order:b}");
        let players = [0, 1].map(|who| game.play(who, count(&stores[who])));
        let [first, second] = players;
        tokio::join!(first, second, game.referee(turn, || {}, &name));
        assert_eq!(store.contents()[&"number".parse().unwrap()].0, "xx", "{name}");
        assert_eq!(store.contents().len(), 1, "{name}: the lock stays");
    }
}

/// The first makes `i` requests, then the other `j`, then the first goes on to its end.
#[tokio::test]
async fn wherever_two_deployers_interrupt_each_other_it_is_as_if_one_had_come_after_the_other() {
    for i in 0..45 {
        for j in 0..45 {
            let turn = |[first, second]: [usize; 2]| if first < i { 0 } else { usize::from(second < j) };
            Box::pin(race(turn, &format!("{i} requests of the first, then {j} of the second"))).await;
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
        Box::pin(race(coin, &format!("seed {seed}"))).await;
    }
}
