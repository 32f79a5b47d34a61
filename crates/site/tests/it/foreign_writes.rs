//! Somebody who does not take the lock writes to one of the buckets while a deploy runs. Whatever they write, and whenever, what the
//! deploy says of the two buckets is what an independent client lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use twinsite_aws_session::{Access, Session};
use twinsite_core::wait;
use twinsite_local::{Cloud, InjectedFault};
use twinsite_site::{BackupState, DeployResult, PublishResult, Run, Side};

use crate::site::TestSite;
use crate::write;

/// What another program does.
#[derive(Clone, Copy, Debug)]
enum Write {
    Put(&'static str),
    Delete(&'static str),
}

const WRITES: [(Side, Write); 12] = [
    // The deploy deletes it,
    (Side::Primary, Write::Put("old.html")),
    (Side::Backup, Write::Put("old.html")),
    (Side::Backup, Write::Delete("old.html")),
    // uploads it,
    (Side::Primary, Write::Put("index.html")),
    (Side::Backup, Write::Put("index.html")),
    (Side::Primary, Write::Delete("index.html")),
    // leaves it as it is,
    (Side::Primary, Write::Put("same.html")),
    (Side::Primary, Write::Delete("same.html")),
    (Side::Backup, Write::Put("same.html")),
    (Side::Backup, Write::Delete("same.html")),
    // or knows nothing of it.
    (Side::Primary, Write::Put("foreign.html")),
    (Side::Backup, Write::Put("foreign.html")),
];

/// A program of somebody else.
struct Other {
    client: Client,
    bucket: String,
}

impl Other {
    async fn of(cloud: &Cloud, region: &str, bucket: &str) -> Self {
        let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
        let client = Session::open(access).await.unwrap().s3(&region.parse().unwrap());
        Self { client, bucket: bucket.to_owned() }
    }

    async fn write(&self, what: Write) {
        match what {
            Write::Put(key) => {
                let body = ByteStream::from_static(b"written by another program");
                self.client.put_object().bucket(&self.bucket).key(key).body(body).send().await.unwrap();
            }
            Write::Delete(key) => {
                self.client.delete_object().bucket(&self.bucket).key(key).send().await.unwrap();
            }
        }
    }

    /// Entity tags by key, but for records.
    async fn list(&self) -> BTreeMap<String, String> {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).send().await.unwrap();
        let all = listed.contents().iter().map(|object| (object.key().unwrap(), object.e_tag().unwrap()));
        all.filter(|(key, _)| !key.starts_with('.')).map(|(key, tag)| (key.to_owned(), tag.to_owned())).collect()
    }
}

/// Does it from another thread, while the deploy's request waits.
fn at_once(other: &Arc<Other>, what: Write) {
    let other = Arc::clone(other);
    let writing = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(other.write(what));
    });
    writing.join().unwrap();
}

fn version(dir: &Path, n: usize) {
    write(dir, "index.html", &format!("version {n}"));
    write(dir, "same.html", "the same in every version");
    for page in 0..4 {
        write(dir, &format!("{page}.html"), &format!("{page} of {n}"));
    }
    if n == 1 {
        write(dir, "old.html", "only in version 1");
        write(dir, "older.html", "only in version 1");
    } else {
        std::fs::remove_file(dir.join("old.html")).unwrap();
        std::fs::remove_file(dir.join("older.html")).unwrap();
    }
}

/// What is different between the buckets as an independent client lists them, when replication has come to rest.
async fn differing(buckets: [&Other; 2]) -> BTreeSet<String> {
    let [primary, backup] = [buckets[0].list().await, buckets[1].list().await];
    let keys: BTreeSet<&String> = primary.keys().chain(backup.keys()).collect();
    keys.into_iter().filter(|key| primary.get(*key) != backup.get(*key)).cloned().collect()
}

/// Lets another program write before request `k` of a deploy; `None` if there is no such request. Writes after the buckets were listed for
/// the last time cannot be known, and are not tried.
async fn written_at(k: usize, (side, what): (Side, Write)) -> Option<Vec<String>> {
    let when = format!("{what:?} in the {side} at request {k}");
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    version(dir.path(), 1);
    site.deploy(dir.path()).await.unwrap();
    version(dir.path(), 2);
    let stores = site.context.stores();
    let primary = Arc::new(Other::of(&site.cloud, "us-east-1", stores.primary.bucket()).await);
    let backup = Arc::new(Other::of(&site.cloud, "us-west-2", stores.backup.bucket()).await);
    let writer = match side {
        Side::Primary => Arc::clone(&primary),
        Side::Backup => Arc::clone(&backup),
    };
    let (count, operations) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (counted, noted) = (Arc::clone(&count), Arc::clone(&operations));
    let bucket = writer.bucket.clone();
    site.cloud.inject_faults(move |request| {
        let now = counted.fetch_add(1, Ordering::SeqCst);
        let to = format!("{}{}", request.host, request.path);
        noted.lock().unwrap().push((request.operation.clone(), to.contains(&bucket)));
        if now == k {
            counted.fetch_add(1_000_000, Ordering::SeqCst);
            at_once(&writer, what);
            counted.fetch_sub(1_000_000, Ordering::SeqCst);
        }
        InjectedFault::None
    });
    let deployed = site.deploy(dir.path()).await;
    site.cloud.inject_faults(|_| InjectedFault::None);
    let operations = operations.lock().unwrap().clone();
    if operations.len() <= k {
        return None;
    }
    let known = operations[k..].iter().any(|(operation, here)| operation.starts_with("ListObjects") && *here);
    if !known {
        return Some(Vec::new());
    }
    let published = match deployed {
        Ok(DeployResult::Published(published)) => published,
        other => panic!("{when}: {other:?}"),
    };
    let wrong = disagreements(&published, [&primary, &backup]).await;
    Some(wrong.into_iter().map(|wrong| format!("{when}: {wrong}")).collect())
}

async fn disagreements(published: &PublishResult, buckets: [&Other; 2]) -> Vec<String> {
    let mut wrong = Vec::new();
    let started = Instant::now();
    let in_sync = published.backup.state == BackupState::InSync;
    let mut differing = differing(buckets).await;
    while in_sync != differing.is_empty() && started.elapsed() < Duration::from_millis(500) {
        wait::pause(&Run::silent(), Duration::from_millis(10)).await;
        differing = self::differing(buckets).await;
    }
    // What only the backup had before the deploy is kept, and named.
    differing.retain(|key| !published.backup.foreign.contains(key));
    let error = published.backup.error.clone().unwrap_or_default();
    if in_sync != differing.is_empty() || differing.iter().any(|key| !error.contains(key)) {
        wrong.push(format!(
            "the buckets differ in {differing:?}, and the result says {:?}, {error}",
            published.backup.state
        ));
    }
    // What the release has is there, or is named.
    let there = buckets[0].list().await;
    for key in ["index.html", "same.html", "0.html", "1.html", "2.html", "3.html"] {
        let text = match key {
            "index.html" => "version 2".to_owned(),
            "same.html" => "the same in every version".to_owned(),
            page => format!("{} of 2", &page[..1]),
        };
        let digest = format!("\"{}\"", twinsite_sync::md5(text.as_bytes()));
        let is_served = there.get(key) == Some(&digest);
        let named = published.primary.replaced.iter().any(|replaced| replaced == key);
        if is_served == named {
            wrong.push(format!("`{key}` is served: {is_served}, and named as replaced: {named}"));
        }
    }
    wrong
}

#[tokio::test]
async fn whatever_another_program_writes_during_a_deploy_it_says_what_an_independent_client_lists() {
    let mut wrong = Vec::new();
    for (n, write) in WRITES.into_iter().enumerate() {
        let step = if crate::is_exhaustive() { 1 } else { 11 };
        let mut k = n % step;
        while let Some(found) = Box::pin(written_at(k, write)).await {
            wrong.extend(found);
            k += step;
        }
    }
    assert!(wrong.is_empty(), "{} times: {wrong:#?}", wrong.len());
}
