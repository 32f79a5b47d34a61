//! Damaged records of a site: nothing is disowned, nothing is waited for that will not end, and what is damaged is named.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use twinsite_aws_session::{Access, Session};
use twinsite_core::{Event, Watch, wait};
use twinsite_site::{DeployRequest, DeployResult, Error, PublishOptions, Run, SourceDirectory, deploy};

use crate::site::{OPTIONS, TestSite};
use crate::write;

/// What is said.
#[derive(Debug, Default)]
struct Said(Mutex<Vec<String>>);

impl Watch for Said {
    fn event(&self, event: &Event) {
        let text = match event {
            Event::Warning { text, .. } => text,
            Event::Waiting { what, .. } => what,
            _ => return,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.clone());
    }
}

impl Said {
    fn all(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

/// A site, and a client that writes to its buckets as anybody might.
struct Damaged {
    site: TestSite,
    dir: tempfile::TempDir,
    clients: [(Client, String); 2],
}

impl Damaged {
    /// A site with three releases. Each has a page of its own.
    async fn published() -> Self {
        let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
        for n in 1..=3 {
            version(dir.path(), n);
            site.deploy(dir.path()).await.unwrap();
        }
        let access = Access { embedded: Some(site.cloud.http_client()), ..Access::default() };
        let session = Session::open(access).await.unwrap();
        let stores = site.context.stores();
        let client = |region: &str, bucket: &str| (session.s3(&region.parse().unwrap()), bucket.to_owned());
        let clients = [client("us-east-1", stores.primary.bucket()), client("us-west-2", stores.backup.bucket())];
        Self { site, dir, clients }
    }

    async fn put(&self, side: usize, key: &str, text: &[u8]) {
        let (client, bucket) = &self.clients[side];
        client.put_object().bucket(bucket).key(key).body(ByteStream::from(text.to_vec())).send().await.unwrap();
    }

    async fn get(&self, side: usize, key: &str) -> Vec<u8> {
        let (client, bucket) = &self.clients[side];
        let got = client.get_object().bucket(bucket).key(key).send().await.unwrap();
        got.body.collect().await.unwrap().to_vec()
    }

    async fn keys(&self, side: usize, prefix: &str) -> Vec<String> {
        let (client, bucket) = &self.clients[side];
        let listed = client.list_objects_v2().bucket(bucket).prefix(prefix).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Waits until the backup has what another program has put into the primary.
    async fn replicated(&self, key: &str) {
        let wanted = self.get(0, key).await;
        for _ in 0..200 {
            if self.keys(1, key).await.contains(&key.to_owned()) && self.get(1, key).await == wanted {
                return;
            }
            wait::pause(&Run::silent(), Duration::from_millis(10)).await;
        }
        panic!("`{key}` was not replicated");
    }

    async fn deploy(&self, options: PublishOptions) -> (Result<DeployResult, Error>, String) {
        let said = Arc::new(Said::default());
        let run = Run::new(Arc::<Said>::clone(&said));
        let source = SourceDirectory::read(self.site.context.config(), self.dir.path(), None, None).await.unwrap();
        let request = DeployRequest { options, ..DeployRequest::default() };
        let deployed = Box::pin(deploy(&self.site.context, source, &request, &run)).await;
        (deployed, said.all())
    }
}

fn version(dir: &Path, n: usize) {
    write(dir, "404.html", "there is no such page");
    write(dir, "index.html", &format!("version {n}"));
    write(dir, "same.html", "the same in every version");
    write(dir, &format!("only-{n}.html"), "a page of one version");
    write(dir, &format!("assets/app.{n}.css"), "an asset of one version");
    if n > 1 {
        std::fs::remove_file(dir.join(format!("only-{}.html", n - 1))).unwrap();
        std::fs::remove_file(dir.join(format!("assets/app.{}.css", n - 1))).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_manifest_disowns_nothing_and_is_named() {
    const JUNK: [&[u8]; 3] = [b"", b"junk", b"\x1f\x8b\x08"];
    #[derive(Debug)]
    enum How {
        /// In the primary; the backup's is whole.
        Primary,
        /// In both buckets, as replication brings it about.
        Both,
        /// A younger one beside it.
        Planted,
    }
    for (how, junk) in [How::Primary, How::Both, How::Planted].into_iter().zip(JUNK) {
        let damaged = Box::pin(Damaged::published()).await;
        let key = damaged.keys(0, ".twinsite/ledger/").await.remove(0);
        let whole = damaged.get(0, &key).await;
        let key = if matches!(how, How::Planted) { ".twinsite/ledger/zzz".to_owned() } else { key };
        // The dates of S3 have a resolution of a second.
        wait::pause(&Run::silent(), Duration::from_millis(1100)).await;
        damaged.put(0, &key, junk).await;
        damaged.replicated(&key).await;
        if matches!(how, How::Primary) {
            damaged.put(1, &key, &whole).await;
        }
        version(damaged.dir.path(), 4);
        let (deployed, said) = damaged.deploy(OPTIONS).await;
        let Ok(DeployResult::Published(published)) = deployed else { panic!("{how:?}: {deployed:?}") };
        assert!(said.contains(&key) && said.contains("damaged"), "{how:?}: {said}");
        for side in [0, 1] {
            let keys = damaged.keys(side, "").await;
            let public: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !key.starts_with('.')).collect();
            // Superseded assets stay for the pages that are open somewhere, as ever.
            let assets = ["assets/app.1.css", "assets/app.2.css", "assets/app.3.css", "assets/app.4.css"];
            let pages = ["index.html", "only-4.html", "same.html"];
            assert_eq!(public, [&["404.html"], &assets[..], &pages].concat(), "{how:?}, bucket {side}");
            assert_eq!(damaged.keys(side, ".twinsite/ledger/").await.len(), 1, "{how:?}, bucket {side}");
        }
        assert!(published.still_public.foreign.is_empty(), "{how:?}: {published:?}");
        let (again, said) = damaged.deploy(OPTIONS).await;
        let Ok(DeployResult::Published(again)) = again else { panic!("{how:?}: {again:?}") };
        assert!(again.release.is_none() && said.is_empty(), "{how:?}: {said}");
    }
}

#[tokio::test]
async fn a_damaged_lock_is_named_and_taken_over_when_it_has_expired() {
    let large = vec![b' '; 17 << 20];
    let numbers = br#"{"version":1,"owner":{"what":"","host":"","process":0},"token":"","since":-9223372036854775808,"unfinished":{}}"#;
    let junk: [&[u8]; 5] = [b"", b"junk", b"{}", numbers, &large];
    let damaged = Box::pin(Damaged::published()).await;
    for (n, junk) in junk.into_iter().enumerate() {
        damaged.put(0, ".twinsite/lock", junk).await;
        version(damaged.dir.path(), n + 4);
        let brief = PublishOptions { lock_timeout: Duration::from_millis(100), ..OPTIONS };
        let (refused, said) = damaged.deploy(PublishOptions { lock_ttl: Duration::from_mins(1), ..brief }).await;
        let refused = format!("{:?}", refused.unwrap_err());
        assert!(refused.contains("Damaged") && said.contains("the lock `.twinsite/lock`, which is damaged"), "{said}");
        let (deployed, said) = damaged.deploy(OPTIONS).await;
        deployed.unwrap();
        assert!(said.contains("the lock `.twinsite/lock` is damaged"), "{said}");
        assert!(!said.contains("process 0"), "{said}");
        assert!(damaged.keys(0, ".twinsite/lock").await.is_empty());
    }
}
