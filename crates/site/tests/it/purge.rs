//! What should never have been public is removed from both buckets, and does not come back.

use std::time::Duration;

use twinsite_core::Side;
use twinsite_site::{PublishOptions, RollbackRequest, Run, plan_purge, plan_rollback, purge, rollback, verify};
use twinsite_sync::purge::versions_of;
use twinsite_sync::{Key, Store};

use crate::encryption::published;
use crate::site::{OPTIONS, TestSite};
use crate::write;

const PATIENT: PublishOptions = PublishOptions { lock_ttl: Duration::from_secs(20), ..OPTIONS };

/// A site whose first release has secrets with odd names, and whose second one does not.
async fn leaked(names: &[&str]) -> (TestSite, tempfile::TempDir) {
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    write(dir.path(), "index.html", "<p>1");
    for name in names {
        write(dir.path(), name, "secret");
    }
    published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    write(dir.path(), "index.html", "<p>2");
    for name in names {
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    (site, dir)
}

async fn remaining(site: &TestSite, key: &Key) -> usize {
    let stores = site.context.stores();
    versions_of(&stores.primary, key).await.unwrap().len() + versions_of(&stores.backup, key).await.unwrap().len()
}

#[tokio::test]
async fn purged_keys_are_gone_from_both_buckets_and_releases_are_brought_back_without_them() {
    let names = ["notes *.txt", "geheim/ü ü.txt", "keep.txt"];
    let (site, dir) = Box::pin(leaked(&names)).await;
    let wanted: Vec<String> = names[..2].iter().map(|name| (*name).to_owned()).collect();
    let keys: Vec<Key> = wanted.iter().map(|key| key.parse().unwrap()).collect();
    assert!(remaining(&site, &keys[0]).await >= 4, "versions and delete markers");

    let planned = Box::pin(plan_purge(&site.context, &wanted, None)).await.unwrap();
    assert!(planned.summary().iter().all(|one| one.primary >= 1 && one.backup >= 1), "{:?}", planned.summary());
    let done = Box::pin(purge(&site.context, planned, &PATIENT, &Run::silent())).await.unwrap();
    assert!(done.is_complete(), "{done:?}");
    for key in &keys {
        assert_eq!(remaining(&site, key).await, 0, "{key}");
    }
    assert!(remaining(&site, &"keep.txt".parse().unwrap()).await >= 2, "no pattern, no prefix");
    assert!(site.has_invalidated("/notes%20%2A.txt") || site.has_invalidated("/notes%20*.txt"));

    // Nothing brings it back.
    assert_eq!(site.backfill().await.unwrap().copied, 0);
    published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    let request = RollbackRequest { release: Some("1".to_owned()), options: PATIENT, ..RollbackRequest::default() };
    let planned = Box::pin(plan_rollback(&site.context, &request, &Run::silent())).await.unwrap().summary();
    assert_eq!(planned.left_out.len(), 2, "{:?}", planned.left_out);
    let back = published(Box::pin(rollback(&site.context, &request, &Run::silent())).await.unwrap());
    let mut sorted = wanted.clone();
    sorted.sort();
    assert_eq!(back.left_out, sorted);
    let stores = site.context.stores();
    assert_eq!(stores.primary.get(&"keep.txt".parse().unwrap()).await.unwrap().unwrap(), "secret");
    for key in &keys {
        assert_eq!(remaining(&site, key).await, 0, "{key}");
    }
    let found = Box::pin(verify(&site.context, None, &Run::silent())).await.unwrap();
    assert_eq!(found.differences, []);
}

#[tokio::test]
async fn a_purge_is_refused_for_what_is_live_reserved_or_nowhere() {
    let (site, dir) = Box::pin(leaked(&["id.txt"])).await;
    for (key, why) in [
        ("index.html", "part of the live release"),
        (".twinsite/lock", "reserved"),
        (".well-known/twinsite/stop.txt", "reserved"),
        ("id*", "neither bucket has"),
        ("/id.txt", "neither bucket has"),
    ] {
        let refused = Box::pin(plan_purge(&site.context, &[key.to_owned()], None)).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{key}: {refused}");
    }
    write(dir.path(), "id.txt", "again");
    let source = twinsite_site::SourceDirectory::read(site.context.config(), dir.path(), None, None).await.unwrap();
    let keys = ["id.txt".to_owned()];
    let refused = Box::pin(plan_purge(&site.context, &keys, Some(source.source()))).await.unwrap_err();
    assert!(refused.to_string().contains("part of the directory"), "{refused}");
}

/// Stopped at any request, the next deploy finishes it.
#[tokio::test]
async fn an_interrupted_purge_is_finished_by_the_next_deploy() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use twinsite_local::InjectedFault;

    let key: Key = "id.txt".parse().unwrap();
    for at in [6, 14, 22, 30] {
        let (site, dir) = Box::pin(leaked(&["id.txt"])).await;
        let planned = Box::pin(plan_purge(&site.context, &["id.txt".to_owned()], None)).await.unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        site.cloud.inject_faults(move |_| {
            let request = seen.fetch_add(1, Ordering::Relaxed);
            if request >= at { InjectedFault::Refuse } else { InjectedFault::None }
        });
        let options = PublishOptions { lock_ttl: Duration::from_secs(2), ..PATIENT };
        let stopped = Box::pin(purge(&site.context, planned, &options, &Run::silent())).await;
        site.cloud.inject_faults(|_| InjectedFault::None);
        if stopped.is_ok() {
            continue;
        }
        published(site.deploy_with(dir.path(), options).await.unwrap());
        assert_eq!(remaining(&site, &key).await, 0, "stopped at request {at}");
        assert!(site.has_invalidated("/id.txt"), "stopped at request {at}");
    }
}

/// What is on its way to the other bucket is waited for, or removed by the next deploy.
#[tokio::test]
async fn a_late_replica_does_not_bring_it_back() {
    let (site, dir) = Box::pin(leaked(&["id.txt"])).await;
    let key: Key = "id.txt".parse().unwrap();
    let mut outages = site.cloud.world().outages();
    outages.replication_paused = true;
    site.cloud.world().set_outages(outages.clone());
    let stores = site.context.stores();
    let body = ("late".into(), twinsite_sync::md5(b"late"));
    stores.get(Side::Primary).put(&key, &twinsite_sync::Headers::default(), body).await.unwrap();
    let planned = Box::pin(plan_purge(&site.context, &["id.txt".to_owned()], None)).await.unwrap();
    let done = Box::pin(purge(&site.context, planned, &PATIENT, &Run::silent())).await.unwrap();
    assert_eq!(done.pending, ["id.txt"], "said");
    outages.replication_paused = false;
    site.cloud.world().set_outages(outages);
    published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!(remaining(&site, &key).await, 0);
}
