//! The engine through its public face: on the memory store, on the embedded cloud, and on any S3 server.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod bad_sources;
mod conformance;
mod crash;
mod faults;
mod gated;
mod history;
mod lane;
mod large;
mod mirror;
mod model;
mod model_history;
mod moto;
mod publish;
mod stage;
mod turns;

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use twinsite_aws_session::{Access, Session};
use twinsite_core::Run;
use twinsite_local::Cloud;
use twinsite_sync::{
    History, Index, Interrupted, Options, Report, Rules, S3Store, Store, SyncError, SyncPlan, plan, transfer, walk,
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
    S3Store::new(Session::open(access).await.s3(&"us-east-1".parse().unwrap()), "site")
}

async fn planned(dir: &Path, rules: &Rules, store: &impl Store, options: &Options) -> Result<SyncPlan, SyncError> {
    let source = walk(dir, rules)?;
    plan(&source, store, options, &Index::memory(), &Run::silent()).await
}

async fn try_publish(dir: &Path, store: &impl History, options: &Options) -> Result<Report, Interrupted> {
    let plan = match planned(dir, &Rules::web(), store, options).await {
        Ok(plan) => plan,
        Err(error) => {
            let failed = vec![("plan".parse().unwrap(), error)];
            return Err(Interrupted { report: Report::default(), failed, left: 0 });
        }
    };
    transfer(plan, store, &Index::memory(), &Run::silent()).await
}

async fn publish(dir: &Path, store: &impl History) -> Report {
    try_publish(dir, store, &Options::default()).await.unwrap()
}
