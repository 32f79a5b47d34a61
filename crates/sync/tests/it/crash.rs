//! A publish, a rollback and a backfill, each stopped after any request, and each with any reply lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use twinsite_core::Run;
use twinsite_local::{Cloud, InjectedFault};
use twinsite_sync::{Headers, Key, Rules, S3Store, Store, SyncError, md5, mirror, release};

use crate::stage::{Done, Stage, deploy, roll_back};
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
}

async fn listed(store: &S3Store) -> BTreeSet<String> {
    let page = store.page(None).await.unwrap();
    assert!(!page.more);
    page.objects.into_iter().map(|object| object.key.as_str().to_owned()).collect()
}

/// Every page that is there finds what it names.
async fn pages_find_their_assets(store: &S3Store, when: &str) {
    let all = listed(store).await;
    for page in all.iter().filter(|key| key.contains("index.html")) {
        let text = store.get(&page.parse().unwrap()).await.unwrap().unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        for asset in text.split(' ').skip(1) {
            assert!(all.contains(asset), "{when}: `{page}` names `{asset}`, which is not there");
        }
    }
}

/// Requests from this one on, or only this one, meet trouble.
fn trouble(cloud: &Cloud, at: usize, only: bool, trouble: InjectedFault) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    cloud.inject_faults(move |_| {
        let now = count.fetch_add(1, Ordering::Relaxed);
        if now == at || (now > at && !only) { trouble } else { InjectedFault::None }
    });
    seen
}

async fn settled(stage: &Stage, when: &str) {
    let compared = mirror::compare(&stage.primary, &stage.backup, &Run::silent()).await.unwrap();
    assert!(compared.is_level(), "{when}: {compared:?}");
    let notes = listed(&stage.primary).await.into_iter().filter(|key| key.starts_with(".twinsite/"));
    let notes: Vec<String> = notes.filter(|key| !key.contains("/ledger/") && !key.contains("/releases/")).collect();
    assert!(notes.is_empty(), "{when}: {notes:?}");
}

/// What has been owed to visitors by either run, in the end.
fn owes(done: &Done, key: &str) -> bool {
    done.owed.all || done.owed.keys.contains(key)
}

async fn prepared() -> (Stage, TempDir) {
    let (stage, dir) = (Stage::new().await, tempfile::tempdir().unwrap());
    version(dir.path(), 1);
    deploy(dir.path(), (&stage.primary, &stage.backup)).await.unwrap();
    (stage, dir)
}

/// Runs something with trouble at request `k`, then again without; returns whether `k` was beyond its end.
async fn stopped_at(
    k: usize,
    (kind, only): (InjectedFault, bool),
    name: &str,
    run: impl AsyncFn(&Stage, &Path) -> Result<Done, SyncError>,
) -> bool {
    let (stage, dir) = prepared().await;
    version(dir.path(), 2);
    if name == "rollback" {
        deploy(dir.path(), (&stage.primary, &stage.backup)).await.unwrap();
    }
    let when = format!("{name}, {kind:?} at {k}");
    let seen = trouble(&stage.cloud, k, only, kind);
    let first = run(&stage, dir.path()).await;
    let beyond = seen.load(Ordering::Relaxed) <= k;
    stage.cloud.inject_faults(|_| InjectedFault::None);
    for side in [&stage.primary, &stage.backup] {
        pages_find_their_assets(side, &when).await;
    }
    let again = run(&stage, dir.path()).await.unwrap_or_else(|error| panic!("{when}: {error}"));
    for side in [&stage.primary, &stage.backup] {
        pages_find_their_assets(side, &when).await;
    }
    let told = first.as_ref().is_ok_and(|done| owes(done, "p07/index.html")) || owes(&again, "p07/index.html");
    assert!(told, "{when}: nobody is told to forget what has changed: {first:?} {again:?}");
    settled(&stage, &when).await;
    let all = release::list(&stage.primary).await.unwrap();
    let newest = release::read(&stage.primary, all.last().unwrap().id).await.unwrap().unwrap();
    let wanted = if name == "rollback" { "assets/00.1.css" } else { "assets/00.2.css" };
    assert!(newest.get(&wanted.parse().unwrap()).is_some(), "{when}: the newest record is not of what is live");
    assert!(run(&stage, dir.path()).await.unwrap().release.is_none(), "{when}: a third run has nothing to do");
    beyond
}

async fn stopped_anywhere(
    trouble: (InjectedFault, bool),
    name: &str,
    every: usize,
    run: impl AsyncFn(&Stage, &Path) -> Result<Done, SyncError>,
) {
    let mut k = 0;
    while !Box::pin(stopped_at(k, trouble, name, &run)).await {
        k += every;
        assert!(k < 2000, "it does not end");
    }
    assert!(k > 100, "{name} makes more requests than {k}");
}

async fn deployed(stage: &Stage, dir: &Path) -> Result<Done, SyncError> {
    deploy(dir, (&stage.primary, &stage.backup)).await
}

async fn rolled_back(stage: &Stage, _: &Path) -> Result<Done, SyncError> {
    roll_back(1, (&stage.primary, &stage.backup)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_stopped_after_any_request_is_finished_by_the_next() {
    stopped_anywhere((InjectedFault::Refuse, false), "deploy", 1, deployed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_to_any_request_of_a_deploy_is_made_good() {
    stopped_anywhere((InjectedFault::LoseReply, true), "deploy", 1, deployed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_stopped_after_any_request_is_finished_by_the_next() {
    stopped_anywhere((InjectedFault::Refuse, false), "rollback", 1, rolled_back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_to_any_request_of_a_rollback_is_made_good() {
    stopped_anywhere((InjectedFault::LoseReply, true), "rollback", 1, rolled_back).await;
}

#[tokio::test]
async fn a_backfill_stopped_after_any_request_is_finished_by_the_next_and_foreign_objects_stay() {
    for (kind, only) in [(InjectedFault::Refuse, false), (InjectedFault::LoseReply, true)] {
        for k in 0.. {
            let (stage, dir) = (Stage::new().await, tempfile::tempdir().unwrap());
            version(dir.path(), 1);
            // The primary alone: as it was before there was a backup.
            deploy(dir.path(), (&stage.primary, &stage.primary)).await.unwrap();
            let theirs: Key = "theirs.txt".parse().unwrap();
            stage.backup.put(&theirs, &Headers::default(), ("x".into(), md5(b"x"))).await.unwrap();
            let fill = async || {
                let compared = mirror::compare(&stage.primary, &stage.backup, &Run::silent()).await?;
                let filled = mirror::fill(compared, &stage.primary, &stage.backup, &Rules::web(), &Run::silent()).await;
                filled.map(|filled| filled.copied).map_err(|mut stopped| stopped.failed.pop().unwrap().1)
            };
            let seen = trouble(&stage.cloud, k, only, kind);
            let first: Result<usize, SyncError> = fill().await;
            let beyond = seen.load(Ordering::Relaxed) <= k;
            stage.cloud.inject_faults(|_| InjectedFault::None);
            pages_find_their_assets(&stage.backup, &format!("{kind:?} at {k}")).await;
            fill().await.unwrap();
            assert_eq!(fill().await.unwrap(), 0, "{kind:?} at {k}");
            let mut wanted = stage.contents(&stage.primary).await;
            wanted.insert(theirs.clone(), ("x".into(), stage.contents(&stage.backup).await[&theirs].1.clone()));
            assert_eq!(stage.contents(&stage.backup).await, wanted, "{kind:?} at {k}");
            if beyond {
                assert!(first.is_ok() && k > 60, "{k}");
                break;
            }
        }
    }
}
