//! A deploy, a rollback and a backfill of a whole site: each stopped after any request, and each with any reply lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use twinsite_local::{Cloud, InjectedFault};
use twinsite_site::{DeployResult, Error, Pair, Run};
use twinsite_sync::{Headers, Key, Store, md5, release, replicate};

use crate::site::TestSite;
use crate::stage::contents;
use crate::write;

/// Sixty files: twenty pages, each naming two assets of its own; the next version changes all of them.
const PAGES: usize = 20;

fn version(dir: &Path, n: usize) {
    std::fs::remove_dir_all(dir.join("assets")).ok();
    for page in 0..PAGES {
        let name = if page == 0 { "index.html".to_owned() } else { format!("p{page:02}/index.html") };
        write(dir, &name, &format!("{page} assets/{page:02}.{n}.css assets/{page:02}.{n}.js"));
        write(dir, &format!("assets/{page:02}.{n}.css"), &format!("css {page} {n}"));
        write(dir, &format!("assets/{page:02}.{n}.js"), &format!("js {page} {n}"));
    }
    write(dir, "photo.svg", &format!("edges hold it for an hour {n}"));
}

async fn listed(store: &impl Store) -> BTreeSet<String> {
    let page = store.page(None).await.unwrap();
    assert!(!page.more);
    page.objects.into_iter().map(|object| object.key.as_str().to_owned()).collect()
}

/// Every page that exists finds what it names.
async fn pages_find_their_assets(store: &impl Store, when: &str) {
    let all = listed(store).await;
    for page in all.iter().filter(|key| key.contains("index.html")) {
        let text = store.get(&page.parse().unwrap()).await.unwrap().unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        for asset in text.split(' ').skip(1) {
            assert!(all.contains(asset), "{when}: `{page}` names `{asset}`, which does not exist");
        }
    }
}

/// Which requests are faulty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Faulty {
    /// All from one on are refused: the process was killed, or lost its network.
    RefusedFrom,
    /// The reply to one is lost.
    ReplyLost,
}

impl Faulty {
    /// Injects the fault at request `k`; counts requests.
    fn inject(self, cloud: &Cloud, k: usize) -> Arc<AtomicUsize> {
        let count = Arc::new(AtomicUsize::new(0));
        let requests = Arc::clone(&count);
        cloud.inject_faults(move |_| {
            let now = requests.fetch_add(1, Ordering::Relaxed);
            match self {
                Self::RefusedFrom if now >= k => InjectedFault::Refuse,
                Self::ReplyLost if now == k => InjectedFault::LoseReply,
                Self::RefusedFrom | Self::ReplyLost => InjectedFault::None,
            }
        });
        count
    }
}

async fn in_sync(site: &TestSite, when: &str) {
    let Pair { primary, backup } = site.context.stores();
    let compared = replicate::compare(&primary, &backup, &Run::silent()).await.unwrap();
    assert!(compared.is_in_sync(), "{when}: {compared:?}");
    let own = listed(&primary).await.into_iter().filter(|key| key.starts_with(".twinsite/"));
    let left: Vec<String> = own.filter(|key| !key.contains("/ledger/") && !key.contains("/releases/")).collect();
    assert!(left.is_empty(), "{when}: {left:?}");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Deploy,
    Rollback,
}

impl Operation {
    async fn run(self, site: &TestSite, dir: &Path) -> Result<DeployResult, Error> {
        match self {
            Self::Deploy => site.deploy(dir).await,
            Self::Rollback => site.roll_back("1").await,
        }
    }

    /// An asset that the live release must have afterwards.
    fn expected(self) -> &'static str {
        match self {
            Self::Deploy => "assets/00.2.css",
            Self::Rollback => "assets/00.1.css",
        }
    }
}

async fn published() -> (TestSite, TempDir) {
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    version(dir.path(), 1);
    site.deploy(dir.path()).await.unwrap();
    (site, dir)
}

/// Runs an operation with a fault at request `k`, then again without; returns true if `k` was beyond its last request.
async fn interrupted_at(k: usize, faulty: Faulty, operation: Operation) -> bool {
    let (site, dir) = published().await;
    version(dir.path(), 2);
    if operation == Operation::Rollback {
        site.deploy(dir.path()).await.unwrap();
    }
    let when = format!("{operation:?}, {faulty:?} at {k}");
    let requests = faulty.inject(&site.cloud, k);
    let first = operation.run(&site, dir.path()).await;
    let beyond = requests.load(Ordering::Relaxed) <= k;
    site.cloud.inject_faults(|_| InjectedFault::None);
    let stores = site.context.stores();
    for (_, store) in stores.iter() {
        pages_find_their_assets(store, &when).await;
    }
    operation.run(&site, dir.path()).await.unwrap_or_else(|error| panic!("{when}: {error} after {first:?}"));
    for (_, store) in stores.iter() {
        pages_find_their_assets(store, &when).await;
    }
    assert!(site.has_invalidated("/photo.svg"), "{when}: what has changed was not invalidated: {first:?}");
    in_sync(&site, &when).await;
    let releases = release::list(&stores.primary).await.unwrap();
    let newest = release::read(&stores.primary, releases.last().unwrap().id).await.unwrap().unwrap();
    let expected: Key = operation.expected().parse().unwrap();
    assert!(newest.get(&expected).is_some(), "{when}: the newest record is not of what is live");
    let third = operation.run(&site, dir.path()).await.unwrap();
    let DeployResult::Published(third) = third else { panic!("{when}: {third:?}") };
    assert!(third.release.is_none(), "{when}: a third run has nothing to do");
    beyond
}

async fn interrupted_anywhere(faulty: Faulty, operation: Operation) {
    let mut last = 0;
    for k in crate::sampled() {
        assert!(k < 2000, "it does not end");
        last = k;
        if Box::pin(interrupted_at(k, faulty, operation)).await {
            break;
        }
    }
    assert!(last > 60, "{operation:?} makes more requests than {last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_stopped_after_any_request_is_finished_by_the_next() {
    interrupted_anywhere(Faulty::RefusedFrom, Operation::Deploy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_to_any_request_of_a_deploy_is_made_good() {
    interrupted_anywhere(Faulty::ReplyLost, Operation::Deploy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_stopped_after_any_request_is_finished_by_the_next() {
    interrupted_anywhere(Faulty::RefusedFrom, Operation::Rollback).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_to_any_request_of_a_rollback_is_made_good() {
    interrupted_anywhere(Faulty::ReplyLost, Operation::Rollback).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backfill_stopped_after_any_request_is_finished_by_the_next_and_foreign_objects_stay() {
    for faulty in [Faulty::RefusedFrom, Faulty::ReplyLost] {
        let mut last = 0;
        for k in crate::sampled() {
            let (site, _dir) = published().await;
            let Pair { primary, backup } = site.context.stores();
            // As it was before there was replication, but for an object of somebody else.
            let all = listed(&backup).await.into_iter().filter(|key| !key.starts_with(".well-known/"));
            let all: Vec<Key> = all.map(|key| key.parse().unwrap()).collect();
            backup.delete(&all).await.unwrap();
            let theirs: Key = "theirs.txt".parse().unwrap();
            backup.put(&theirs, &Headers::default(), ("x".into(), md5(b"x"))).await.unwrap();
            let requests = faulty.inject(&site.cloud, k);
            let first = site.backfill().await;
            let beyond = requests.load(Ordering::Relaxed) <= k;
            site.cloud.inject_faults(|_| InjectedFault::None);
            pages_find_their_assets(&backup, &format!("{faulty:?} at {k}")).await;
            site.backfill().await.unwrap_or_else(|error| panic!("{faulty:?} at {k}: {error} after {first:?}"));
            assert_eq!(site.backfill().await.unwrap().copied, 0, "{faulty:?} at {k}");
            let mut expected = contents(&primary).await;
            let there = contents(&backup).await;
            expected.insert(theirs.clone(), ("x".into(), there[&theirs].1.clone()));
            assert_eq!(there, expected, "{faulty:?} at {k}");
            last = k;
            if beyond {
                assert!(first.is_ok());
                break;
            }
        }
        assert!(last > 60, "a backfill makes more requests than {last}");
    }
}

/// A file that a deploy uploaded before it died, and that is not in the directory any more, is deleted by the next deploy: no manifest
/// names it, and nobody would ever delete it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_deploy_that_died_has_uploaded_is_not_public_for_ever() {
    // So many that they do not fit into the lock, and are recorded apart.
    for files in [1, 1_100] {
        let mut uploaded = 0;
        let few = || [5, 12, 20, 40, 80, 120].into_iter();
        let requests: Box<dyn Iterator<Item = usize>> = if files == 1 { Box::new(0..2000) } else { Box::new(few()) };
        for k in requests {
            let (site, dir) = published().await;
            for n in 0..files {
                write(dir.path(), &format!("secret/{n}.txt"), &format!("secret {n}"));
            }
            let requests = Faulty::RefusedFrom.inject(&site.cloud, k);
            let first = site.deploy(dir.path()).await;
            let beyond = requests.load(Ordering::Relaxed) <= k;
            site.cloud.inject_faults(|_| InjectedFault::None);
            let Pair { primary, backup } = site.context.stores();
            let is_secret = |key: &String| key.starts_with("secret/");
            uploaded += usize::from(listed(&primary).await.iter().any(is_secret));
            let recorded = release::list(&primary).await.unwrap().len() > 1;
            std::fs::remove_dir_all(dir.path().join("secret")).unwrap();
            site.deploy(dir.path()).await.unwrap_or_else(|error| panic!("{k}: {error} after {first:?}"));
            if !recorded {
                for store in [&primary, &backup] {
                    let left: Vec<String> = listed(store).await.into_iter().filter(is_secret).collect();
                    assert!(left.is_empty(), "at {k}: {left:?} after {first:?}");
                }
            }
            // Requests that were on their way may still have arrived: the deploy after the next looks once more.
            site.deploy(dir.path()).await.unwrap();
            in_sync(&site, &format!("at {k}")).await;
            if beyond {
                break;
            }
        }
        assert!(uploaded > 1, "the deploys died before they uploaded anything");
    }
}
