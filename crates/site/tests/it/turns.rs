//! Two deployers at once: whoever's turn it is makes one request.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use twinsite_site::Run;
use twinsite_sync::lock::{Lease, Owner, UnfinishedPublish, take};
use twinsite_sync::{Headers, Key, MemoryStore, StoreError, VersionedStore, md5, release, replicate};

use crate::gated::{Gate, Gated};
use crate::stage::deploy;
use crate::write;

/// When a deployer may make its next request.
#[derive(Debug)]
pub(crate) struct Turn {
    permits: tokio::sync::Semaphore,
    waiting: AtomicUsize,
    made: AtomicUsize,
    network: AtomicBool,
}

impl Turn {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            network: AtomicBool::new(false),
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
    fn is_network(&self) -> bool {
        self.network.load(Ordering::SeqCst)
    }

    async fn pass(&self) -> Result<(), StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Two players of whom one at a time makes a request.
pub(crate) struct Game {
    gates: [Arc<Turn>; 2],
    /// Before it has made so many requests, a player has no reason to sleep.
    waits_from: usize,
    ended: [AtomicBool; 2],
}

impl Game {
    pub(crate) fn new(waits_from: usize) -> Self {
        let ended = [AtomicBool::new(false), AtomicBool::new(false)];
        Self { gates: [Turn::new(), Turn::new()], waits_from, ended }
    }

    pub(crate) fn store(&self, who: usize, store: &MemoryStore) -> Gated<Turn> {
        Gated { store: store.clone(), gate: Arc::clone(&self.gates[who]), fence: None }
    }

    pub(crate) async fn play<T>(&self, who: usize, playing: impl Future<Output = T>) -> T {
        let result = playing.await;
        self.ended[who].store(true, Ordering::SeqCst);
        result
    }

    /// Lets one after the other make a request until both have ended; whose turn it is may depend on how many each made.
    pub(crate) async fn referee(&self, turn: impl Fn([usize; 2]) -> usize, check: impl Fn(), name: &str) {
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

/// The sites of two deployers, and the one that was there before.
fn three_sites() -> [tempfile::TempDir; 3] {
    ["a", "b", "zero"].map(|version| {
        let dir = tempfile::tempdir().unwrap();
        site(dir.path(), version);
        dir
    })
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
    let dirs = three_sites();
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
    let (step, offset) = if crate::is_exhaustive() { (1, 0) } else { (5, std::process::id() as usize) };
    for i in 0..45 {
        for j in ((i + offset) % step..45).step_by(step) {
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

/// What one of two deployers suffers.
#[derive(Clone, Copy, Debug)]
struct Stop {
    /// It makes no request from this one on…
    after: usize,
    /// …until the other has ended, or not at all.
    resumes: bool,
    /// Whether it is its requests that are stopped, somewhere on their way.
    network: bool,
}

/// A machine that is suspended, a process that is stopped, a connection without answers: one deployer makes no request for longer than its
/// lease, the other takes over, and then the first goes on with whatever it was about to send.
async fn stopped(stop: Stop, rng: &mut fastrand::Rng) -> Outcome {
    let name = format!("{stop:?}");
    let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
    let dirs = three_sites();
    write(dirs[0].path(), "of-a.html", "of a needs assets/a.css");
    write(dirs[1].path(), "of-b.html", "of b needs assets/b.css");
    write(dirs[2].path(), "of-b.html", "of b needs assets/zero.css");
    deploy(dirs[2].path(), (&primary, &backup)).await.unwrap();
    let game = Game::new(4);
    game.gates[0].network.store(stop.network, Ordering::SeqCst);
    let seed = rng.u64(..);
    let deployer = |who: usize| {
        let (dir, stores) = (dirs[who].path(), (game.store(who, &primary), game.store(who, &backup)));
        game.play(who, async move { deploy(dir, (&stores.0, &stores.1)).await })
    };
    let referee = async {
        let over = |who: usize| game.ended[who].load(Ordering::SeqCst);
        let made = |who: usize| game.gates[who].made.load(Ordering::SeqCst);
        let started = Instant::now();
        let mut steps = 0_u64;
        let mut after_the_winner = None;
        while !over(0) || !over(1) {
            assert!(started.elapsed() < Duration::from_mins(1), "{name}: nobody moves");
            steps += 1;
            let is_stopped = made(0) >= stop.after && !over(1);
            let coin = fastrand::Rng::with_seed(seed ^ steps).bool();
            let who = match (is_stopped, over(1)) {
                (true, _) => 1,
                (false, true) => 0,
                (false, false) => usize::from(coin),
            };
            if over(1) && after_the_winner.is_none() {
                after_the_winner = Some((primary.contents(), backup.contents()));
                if !stop.resumes {
                    break;
                }
            }
            if game.gates[who].is_ready() {
                game.gates[who].permits.add_permits(1);
            }
            tokio::task::yield_now().await;
        }
        after_the_winner
    };
    let (first, second, seen) = if stop.resumes {
        let (first, second, seen) = tokio::join!(deployer(0), deployer(1), referee);
        (Some(first), second, seen)
    } else {
        // The first never ends: it is dropped, as a process that is killed.
        let second = async { tokio::join!(deployer(1), referee) };
        tokio::select! {
            biased;
            (second, seen) = second => (None, second, seen),
            first = deployer(0) => {
                drop(first);
                return Outcome::Sequential;
            }
        }
    };
    let winner = match second {
        Ok(winner) => winner,
        Err(failed)
            if format!("{:?}", failed.error).contains("ease") || format!("{:?}", failed.error).contains("Lost") =>
        {
            return Outcome::BothLost;
        }
        Err(failed) => panic!("{name}: {failed:?}"),
    };
    if winner.release.is_none() {
        return Outcome::Sequential;
    }
    let (there, copies) = seen.unwrap_or_else(|| (primary.contents(), backup.contents()));
    let first_was_first = first.as_ref().is_some_and(Result::is_ok);
    let newest = release::newest(&primary).await.unwrap().unwrap();
    if first_was_first && newest.id > winner.release.unwrap() {
        return Outcome::Sequential;
    }
    if primary.contents().contains_key(&".twinsite/lock".parse().unwrap()) {
        return Outcome::Sequential; // Its request for the lock was on its way: it took the free lock after the other had ended.
    }
    // The winner has said that it is done: nothing that visitors get changes any more.
    let visible = |all: &std::collections::BTreeMap<Key, (bytes::Bytes, Headers)>| -> Vec<(Key, bytes::Bytes)> {
        let public = all.iter().filter(|(key, _)| !key.is_reserved());
        public.map(|(key, (bytes, _))| (key.clone(), bytes.clone())).collect()
    };
    if stop.network {
        // What was on its way could only create objects that nobody refers to: the next deploy deletes them.
        for (now, then) in [(primary.contents(), &there), (backup.contents(), &copies)] {
            let changed = then.iter().filter(|(key, object)| !key.is_reserved() && now.get(*key) != Some(*object));
            assert_eq!(changed.count(), 0, "{name}: what the winner published has changed");
        }
        deploy(dirs[1].path(), (&primary, &backup)).await.unwrap();
    }
    assert_eq!(visible(&primary.contents()), visible(&there), "{name}: the primary changed after the winner was done");
    assert_eq!(visible(&backup.contents()), visible(&copies), "{name}: the backup changed after the winner was done");
    let index = primary.contents()[&"index.html".parse().unwrap()].0.clone();
    assert!(index.ends_with(b"b.css"), "{name}: {index:?}");
    assert!(primary.contents().contains_key(&"of-b.html".parse().unwrap()), "{name}: a page of the winner is gone");
    assert!(!primary.contents().contains_key(&"of-a.html".parse().unwrap()), "{name}: a page of the loser stays");
    assert!(is_whole(&primary) && is_whole(&backup), "{name}: a page names what is not there");
    Outcome::TakenOver
}

/// How a schedule ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// One deployer took the lock of the other over, and what it published stayed.
    TakenOver,
    /// One came after the other, as a whole; the other tests examine that.
    Sequential,
    /// This machine was so slow that the leases of both expired.
    BothLost,
}

#[test]
fn a_deployer_that_was_stopped_for_longer_than_its_lease_changes_nothing_of_its_successors() {
    const THREADS: usize = 2;
    let schedules = if crate::is_exhaustive() { 10_000 } else { 400 };
    let all_of = |thread: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let schedules = (thread..schedules).step_by(THREADS).map(|seed| async move {
            let mut rng = fastrand::Rng::with_seed(seed as u64);
            let stop = Stop { after: rng.usize(4..60), resumes: rng.u8(..) > 20, network: rng.bool() };
            Box::pin(stopped(stop, &mut rng)).await
        });
        runtime.block_on(stream::iter(schedules).buffer_unordered(8).collect::<Vec<Outcome>>())
    };
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || all_of(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let taken_over = outcomes.iter().filter(|outcome| **outcome == Outcome::TakenOver).count();
    assert!(taken_over > outcomes.len() / 4, "{taken_over} of {} schedules led to a takeover", outcomes.len());
}
