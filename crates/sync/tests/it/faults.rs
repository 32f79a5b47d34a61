//! A publish that is stopped after any request, or whose answers are lost, is finished by the next one, and no page is ever
//! there before its assets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_local::{Cloud, InjectedFault};
use twinsite_sync::{Key, Options, Store};

use crate::{bucket, publish, site, try_publish, write};

/// Everything that the SDK does is under test but its patience: one attempt, so that each fault counts.
async fn impatient(cloud: &Cloud) -> twinsite_sync::S3Store {
    let store = bucket(cloud).await;
    drop(store);
    let access = twinsite_aws_session::Access { embedded: Some(cloud.http_client()), ..Default::default() };
    let client = twinsite_aws_session::Session::open(access).await.unwrap().s3(&"us-east-1".parse().unwrap());
    let once = aws_sdk_s3::config::retry::RetryConfig::disabled();
    let client = aws_sdk_s3::Client::from_conf(client.config().to_builder().retry_config(once).build());
    twinsite_sync::S3Store::new(client, "site")
}

fn trouble_from(cloud: &Cloud, from: usize, until: usize, trouble: InjectedFault) {
    let seen = Arc::new(AtomicUsize::new(0));
    cloud.inject_faults(move |_| {
        let now = seen.fetch_add(1, Ordering::Relaxed);
        if (from..until).contains(&now) { trouble } else { InjectedFault::None }
    });
}

async fn keys(store: &impl Store) -> Vec<Key> {
    let page = store.page(None).await.unwrap();
    page.objects.into_iter().map(|object| object.key).filter(|key| !key.is_reserved()).collect()
}

async fn assert_pages_have_assets(store: &impl Store) {
    let keys = keys(store).await;
    let has = |name: &str| keys.iter().any(|key| key.as_str() == name);
    let assets = ["assets/app.css", "assets/logo.svg", "assets/app.3f2a9c1b.js"].iter().all(|name| has(name));
    let page = has("about/index.html") || has("feed.xml") || has("index.html") || has("404.html");
    assert!(assets || !page, "{keys:?}");
    assert!((has("about/index.html") && has("feed.xml")) || !has("index.html"), "{keys:?}");
}

async fn converges(trouble: InjectedFault, last_only: bool) {
    for k in 0..10 {
        let (dir, cloud) = (site(), Cloud::memory());
        let store = impatient(&cloud).await;
        let until = if last_only { k + 1 } else { usize::MAX };
        trouble_from(&cloud, k, until, trouble);
        let first = try_publish(dir.path(), &store, &Options::default()).await;
        cloud.inject_faults(|_| InjectedFault::None);
        assert!(first.is_err() || k >= 9, "request {k} of the first publish failed, and nobody noticed");
        assert_pages_have_assets(&store).await;
        publish(dir.path(), &store).await;
        assert_eq!(keys(&store).await.len(), 7);
        let again = publish(dir.path(), &store).await;
        assert_eq!((again.put, again.rewritten, again.deleted), (0, 0, 0), "after {k}");
    }
}

#[tokio::test]
async fn stopped_after_any_request_the_next_publish_finishes() {
    converges(InjectedFault::Refuse, false).await;
}

#[tokio::test]
async fn a_lost_reply_to_any_request_is_made_good() {
    converges(InjectedFault::LoseReply, true).await;
}

#[tokio::test]
async fn a_change_of_everything_stopped_anywhere_deletes_nothing_early() {
    for k in 0..14 {
        let (dir, cloud) = (site(), Cloud::memory());
        let store = impatient(&cloud).await;
        publish(dir.path(), &store).await;
        for name in ["index.html", "about/index.html", "assets/app.css", "404.html"] {
            write(dir.path(), name, &format!("changed {name}"));
        }
        std::fs::remove_file(dir.path().join("assets/logo.svg")).unwrap();
        trouble_from(&cloud, k, usize::MAX, InjectedFault::Refuse);
        let stopped = try_publish(dir.path(), &store, &Options::default()).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let logo = keys(&store).await.iter().any(|key| key.as_str() == "assets/logo.svg");
        let index = store.get(&"index.html".parse().unwrap()).await.unwrap().unwrap();
        assert!(logo || index.starts_with(b"changed"), "deleted before the pages changed, at {k}");
        drop(stopped);
        publish(dir.path(), &store).await;
        assert_eq!(keys(&store).await.len(), 6);
        let again = publish(dir.path(), &store).await;
        assert_eq!((again.put, again.rewritten, again.deleted), (0, 0, 0), "after {k}");
    }
}

#[tokio::test]
async fn slow_down_is_ridden_out_and_slows_down() {
    let (dir, cloud) = (site(), Cloud::memory());
    let store = bucket(&cloud).await;
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |request| {
        let first = request.operation == "PutObject" && seen.fetch_add(1, Ordering::Relaxed) < 4;
        if first { InjectedFault::SlowDown } else { InjectedFault::None }
    });
    assert_eq!(publish(dir.path(), &store).await.put, 7);
    assert_eq!(store.throttled(), 4);
}
