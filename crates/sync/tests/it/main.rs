//! The engine through its public face: on the memory store, on the embedded cloud, and on any S3 server.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod bad_sources;
mod conformance;
mod faults;
mod frameworks;
mod gated;
mod lane;
mod large;
mod lease;
mod model;
mod moto;
mod publish;
mod replicate;
mod rules;
mod tags;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;
use twinsite_aws_session::{Access, Session};
use twinsite_core::Run;
use twinsite_local::Cloud;
use twinsite_sync::{
    Headers, Index, Interrupted, Key, Options, Report, Rules, S3Store, Store, SyncError, SyncPlan, VersionedStore,
    plan, transfer, walk,
};

/// A little site with assets, pages and entry points.
fn site() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("index.html", "<link href=assets/app.css>"),
        ("404.html", "lost"),
        ("about/index.html", "<img src=/assets/logo.svg>"),
        ("feed.xml", "<feed/>"),
        ("assets/app.css", "body{}"),
        ("assets/logo.svg", "<svg/>"),
        ("assets/app.3f2a9c1b.js", "1"),
    ] {
        write(dir.path(), name, text);
    }
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// An empty bucket of the embedded cloud.
async fn bucket(cloud: &Cloud) -> S3Store {
    cloud.world().s3().create_bucket("site", "us-east-1", twinsite_local::ACCOUNT).unwrap();
    let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
    S3Store::new(Session::open(access).await.unwrap().s3(&"us-east-1".parse().unwrap()), "site")
}

async fn planned(dir: &Path, rules: &Rules, store: &impl Store, options: &Options) -> Result<SyncPlan, SyncError> {
    let source = walk(dir, rules)?;
    plan(&source, store, options, &Index::memory(), &Run::silent()).await
}

async fn try_publish(dir: &Path, store: &impl VersionedStore, options: &Options) -> Result<Report, Interrupted> {
    let plan = match planned(dir, &Rules::web(), store, options).await {
        Ok(plan) => plan,
        Err(error) => {
            let failed = vec![("plan".parse().unwrap(), error)];
            return Err(Interrupted { report: Report::default(), failed, left: 0 });
        }
    };
    transfer(plan, store, &Index::memory(), &Run::silent()).await
}

async fn publish(dir: &Path, store: &impl VersionedStore) -> Report {
    try_publish(dir, store, &Options::default()).await.unwrap()
}

/// What visitors of a bucket get: bytes and headers.
async fn contents<S: VersionedStore>(store: &S) -> BTreeMap<Key, (Bytes, Headers)> {
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.page(after.as_deref()).await.unwrap();
        for object in page.objects.iter().filter(|object| !object.key.is_reserved()) {
            let bytes = store.get(&object.key).await.unwrap().unwrap();
            let head = store.head(&object.key).await.unwrap().unwrap();
            all.insert(object.key.clone(), (bytes, head.headers));
        }
        after = page.objects.last().map(|last| last.key.as_str().to_owned());
        if !page.more {
            return all;
        }
    }
}
