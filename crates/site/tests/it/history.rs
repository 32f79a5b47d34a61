//! Releases: each can be brought back, and none is lost that is kept.

use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use twinsite_aws_session::{Access, Session};
use twinsite_site::Run;
use twinsite_sync::RetentionPolicy;
use twinsite_sync::lock::{Lease, LockError, Owner, UnfinishedPublish, take};
use twinsite_sync::release::{self, Kind};
use twinsite_sync::{Limit, MemoryStore, ReleaseId, S3Store, Store, VersionedStore, replicate};

use crate::stage::{Stage, contents, deploy, roll_back};
use crate::write;

/// Ten versions of a site: pages change, assets come and go, headers change with their names.
fn version(dir: &std::path::Path, n: u32) {
    std::fs::remove_dir_all(dir.join("assets")).ok();
    write(dir, "index.html", &format!("<link href=assets/app.{n}.css>"));
    write(dir, "404.html", "lost");
    write(dir, &format!("assets/app.{n}.css"), &format!("body{{order:{n}}}"));
    write(dir, "assets/steady.svg", "<svg/>");
    write(dir, "assets/sometimes.js", &format!("{}", n / 3));
    if n.is_multiple_of(2) {
        write(dir, "even/index.html", &format!("even {n}"));
    } else {
        std::fs::remove_dir_all(dir.join("even")).ok();
    }
}

#[tokio::test]
async fn ten_releases_can_each_be_brought_back_and_forward_again() {
    let (stage, dir) = (Stage::new().await, tempfile::tempdir().unwrap());
    let stores = (&stage.primary, &stage.backup);
    let mut shown = Vec::new();
    for n in 1..=10 {
        version(dir.path(), n);
        assert_eq!(deploy(dir.path(), stores).await.unwrap().release, Some(ReleaseId(n.into())));
        shown.push(pages(&stage.contents(&stage.primary).await));
    }
    for n in (1..=10).chain([1, 10, 4]) {
        let back = roll_back(n, stores).await.unwrap();
        let wanted = &shown[usize::try_from(n).unwrap() - 1];
        for side in [&stage.primary, &stage.backup] {
            let now = stage.contents(side).await;
            for (key, object) in wanted {
                assert_eq!(now.get(key), Some(object), "{key} of release {n}");
            }
            let extra = now.keys().filter(|key| !wanted.contains_key(*key));
            assert!(
                extra.clone().all(|key| key.as_str().starts_with("assets/")),
                "pages that were not there: {extra:?}"
            );
        }
        assert!(n == 10 || back.release.is_some());
        // Nothing was sent: every object is a copy of an older version.
        assert!(roll_back(n, stores).await.unwrap().release.is_none(), "it is live already");
        assert!(replicate::compare(&stage.primary, &stage.backup, &Run::silent()).await.unwrap().is_in_sync());
    }
    let all = release::list(&stage.primary).await.unwrap();
    assert_eq!(all.last().unwrap().notes.restores, Some(ReleaseId(4)));
    assert_eq!(release::list(&stage.backup).await.unwrap(), all);
}

type Shown = std::collections::BTreeMap<twinsite_sync::Key, (bytes::Bytes, twinsite_sync::Headers)>;

/// What a release is made of, without assets that only earlier ones name.
fn pages(all: &Shown) -> Shown {
    let index = &all[&"index.html".parse().unwrap()].0;
    let named = String::from_utf8_lossy(index).trim_start_matches("<link href=").trim_end_matches('>').to_owned();
    let old = |key: &str| key.starts_with("assets/app.") && key != named;
    all.iter().filter(|(key, _)| !old(key.as_str())).map(|(key, object)| (key.clone(), object.clone())).collect()
}

#[tokio::test]
async fn releases_are_compared_and_an_asset_stays_while_a_kept_release_names_it() {
    let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
    let dir = tempfile::tempdir().unwrap();
    for n in 1..=3 {
        version(dir.path(), n);
        deploy(dir.path(), (&primary, &backup)).await.unwrap();
    }
    let read = async |n| release::read(&primary, ReleaseId(n)).await.unwrap().unwrap();
    let found = release::compare(&read(2).await, &read(3).await);
    let found: Vec<_> = found.iter().map(|one| (one.key.as_str(), one.kind)).collect();
    let expected = [
        ("assets/app.2.css", Kind::Removed),
        ("assets/app.3.css", Kind::Added),
        ("assets/sometimes.js", Kind::Content),
        ("even/index.html", Kind::Removed),
        ("index.html", Kind::Content),
    ];
    assert_eq!(found, expected);
    let live = contents(&primary).await;
    let has = |key: &str| live.contains_key(&key.parse().unwrap());
    assert!(has("assets/app.1.css") && has("assets/app.2.css"), "open tabs still ask for them");
    assert!(!has("even/index.html"), "a page that was taken away is gone");
    assert!(deploy(dir.path(), (&primary, &backup)).await.unwrap().release.is_none());
}

#[tokio::test]
async fn retention_removes_what_no_kept_release_names_and_nothing_else() {
    let (stage, dir) = (Stage::new().await, tempfile::tempdir().unwrap());
    let stores = (&stage.primary, &stage.backup);
    for n in 1..=10 {
        version(dir.path(), n);
        deploy(dir.path(), stores).await.unwrap();
    }
    let before = stage.contents(&stage.primary).await;
    let foreign = "theirs.txt".parse().unwrap();
    for text in ["theirs, old", "theirs"] {
        stage
            .primary
            .put(&foreign, &Default::default(), (text.into(), twinsite_sync::md5(text.as_bytes())))
            .await
            .unwrap();
    }
    for store in [&stage.primary, &stage.backup] {
        let keep = RetentionPolicy { releases: 4, days: 0 };
        let done = release::collect(store, &keep).await.unwrap();
        assert_eq!(done.releases, (1..=6).map(ReleaseId).collect::<Vec<_>>());
        assert!(done.versions >= 6, "the old index documents at least: {done:?}");
        assert_eq!(release::collect(store, &keep).await.unwrap(), release::Collected::default(), "again is nothing");
    }
    let after = stage.contents(&stage.primary).await;
    assert!(before.iter().all(|(key, object)| after.get(key) == Some(object)), "what is live stays");
    let theirs = stage.primary.versions("theirs.txt", None).await.unwrap();
    assert_eq!(theirs.past.len(), 2, "what twinsite did not publish keeps its past");
    for n in [7, 9, 8, 10] {
        roll_back(n, stores).await.unwrap();
        let index = stage.primary.get(&"index.html".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(index, format!("<link href=assets/app.{n}.css>"));
    }
    assert!(release::read(&stage.primary, ReleaseId(3)).await.unwrap().is_none());
}

/// Records that cannot be read end neither the collection of expired releases nor of what only they named; those of a newer version of
/// twinsite do, because only that version knows what they need.
#[tokio::test]
async fn damaged_records_do_not_end_the_collection_of_releases() {
    for (damaged, kept) in [(2, true), (5, true), (6, true), (2, false), (6, false)] {
        let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
        let dir = tempfile::tempdir().unwrap();
        for n in 1..=6 {
            version(dir.path(), n);
            deploy(dir.path(), (&primary, &backup)).await.unwrap();
        }
        let junk = if kept { bytes::Bytes::from("junk") } else { newer_record() };
        let key: twinsite_sync::Key = format!(".twinsite/releases/{damaged:010}.gz").parse().unwrap();
        let digest = twinsite_sync::md5(&junk);
        primary.put(&key, &twinsite_sync::Headers::default(), (junk.into(), digest)).await.unwrap();
        let done = release::collect(&primary, &RetentionPolicy { releases: 3, days: 0 }).await.unwrap();
        let expected: Vec<ReleaseId> = if kept { (1..=3).map(ReleaseId).collect() } else { Vec::new() };
        assert_eq!(done.releases, expected, "{damaged}");
        let live = primary.get(&"index.html".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(live, "<link href=assets/app.6.css>");
        let releases = release::list_ids(&primary).await.unwrap();
        assert_eq!(releases.len(), if kept { 3 } else { 6 }, "{damaged}: {releases:?}");
    }
}

/// A record in a format that is not known yet.
fn newer_record() -> bytes::Bytes {
    use std::io::Write;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(
        b"{\"version\":99,\"id\":6,\"time\":5,\"objects\":0,\"bytes\":0,\"changed\":0,\"parts\":1,\"headers\":[]}\n",
    )
    .unwrap();
    zip.finish().unwrap().into()
}

#[tokio::test]
async fn without_the_primary_the_backup_is_rolled_back_alone_and_copies_of_versions_serve_as_well() {
    let (stage, dir) = (Stage::new().await, tempfile::tempdir().unwrap());
    for n in 1..=3 {
        version(dir.path(), n);
        deploy(dir.path(), (&stage.primary, &stage.backup)).await.unwrap();
    }
    // Its versions have other ids, because they were copied and not replicated.
    roll_back(2, (&stage.backup, &stage.backup)).await.unwrap();
    let index = stage.backup.get(&"index.html".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(index, "<link href=assets/app.2.css>");
    let index = stage.primary.get(&"index.html".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(index, "<link href=assets/app.3.css>");
    // Back again, a deploy makes both level.
    deploy(dir.path(), (&stage.primary, &stage.backup)).await.unwrap();
    assert!(replicate::compare(&stage.primary, &stage.backup, &Run::silent()).await.unwrap().is_in_sync());
}

#[tokio::test]
async fn a_release_whose_versions_are_gone_is_refused_before_anything_changes() {
    let (stage, dir) = (Stage::new().await, tempfile::tempdir().unwrap());
    for n in 1..=2 {
        version(dir.path(), n);
        deploy(dir.path(), (&stage.primary, &stage.backup)).await.unwrap();
    }
    let key = "index.html".parse().unwrap();
    let old = stage.primary.versions("index.html", None).await.unwrap().past.pop().unwrap();
    stage.primary.delete_versions(&[(key, old.version)]).await.unwrap();
    let before = stage.contents(&stage.primary).await;
    let refused = roll_back(1, (&stage.primary, &stage.backup)).await.unwrap_err().error;
    assert!(refused.to_string().contains("index.html"), "{refused}");
    assert_eq!(stage.contents(&stage.primary).await, before);
}

/// What some servers that call themselves compatible do: they take a write whatever its conditions are.
#[derive(Debug)]
struct Careless;

impl Intercept for Careless {
    fn name(&self) -> &'static str {
        "Careless"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().remove("if-none-match");
        Ok(())
    }
}

#[tokio::test]
async fn a_store_that_honours_no_conditions_is_found_out_and_its_lock_is_a_lease() {
    let stage = Stage::new().await;
    // One attempt: the fast path, which interceptors do not see, is not taken.
    let retry = Some(twinsite_aws::retries().with_max_attempts(1));
    let access = Access { embedded: Some(stage.cloud.http_client()), retry, ..Access::default() };
    let client = Session::open(access).await.unwrap().s3(&"us-east-1".parse().unwrap());
    let careless = aws_sdk_s3::Client::from_conf(client.config().to_builder().interceptor(Careless).build());
    let lease = Lease { probe: true, ttl: Duration::from_secs(10), timeout: Duration::from_millis(50) };
    let store = S3Store::new(careless.clone(), "primary");
    let held = take(&store, Owner::here("test"), UnfinishedPublish::default(), lease, &Run::silent()).await.unwrap();
    assert!(store.limits().contains(&Limit::Conditions));
    let other = S3Store::new(careless, "primary");
    let refused = take(&other, Owner::here("test"), UnfinishedPublish::default(), lease, &Run::silent()).await;
    assert!(matches!(refused, Err(LockError::Held { .. })));
    held.free().await.unwrap();
    assert!(store.page(None).await.unwrap().objects.is_empty());
    let honest =
        take(&stage.primary, Owner::here("test"), UnfinishedPublish::default(), lease, &Run::silent()).await.unwrap();
    assert!(stage.primary.limits().is_empty());
    honest.free().await.unwrap();
}

/// Whoever may write below the reserved prefix, or a bit that flips, must not end all deploys.
#[tokio::test]
async fn a_damaged_record_is_left_out_and_restored_from_the_other_bucket() {
    for junk in ["", "junk", "\u{1f}\u{8b}\u{8}"] {
        let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
        let dir = tempfile::tempdir().unwrap();
        for n in 1..=3 {
            version(dir.path(), n);
            deploy(dir.path(), (&primary, &backup)).await.unwrap();
        }
        let newest: twinsite_sync::Key = ".twinsite/releases/0000000003.gz".parse().unwrap();
        let whole = primary.get(&newest).await.unwrap().unwrap();
        let put = async |key: &twinsite_sync::Key, junk: &'static str| {
            let body = (junk.into(), twinsite_sync::md5(junk.as_bytes()));
            primary.put(key, &twinsite_sync::Headers::default(), body).await.unwrap();
        };
        put(&newest, junk).await;
        let listed = release::list_all(&primary).await.unwrap();
        assert_eq!((listed.releases.len(), listed.damaged.len(), listed.damaged[0].id.0), (2, 1, 3), "{junk:?}");
        assert_eq!(release::newest(&primary).await.unwrap().unwrap().id.0, 2);

        // Nothing has changed, but for the record.
        deploy(dir.path(), (&primary, &backup)).await.unwrap();
        for store in [&primary, &backup] {
            assert_eq!(store.get(&newest).await.unwrap().unwrap(), whole, "{junk:?}: the whole record is kept");
        }
        // In both buckets it cannot be restored, and does not stop anything either.
        put(&newest, junk).await;
        let body = (junk.into(), twinsite_sync::md5(junk.as_bytes()));
        backup.put(&newest, &twinsite_sync::Headers::default(), body).await.unwrap();
        version(dir.path(), 4);
        assert_eq!(deploy(dir.path(), (&primary, &backup)).await.unwrap().release, Some(ReleaseId(4)));
        assert_eq!(roll_back(2, (&primary, &backup)).await.unwrap().release, Some(ReleaseId(5)));

        // A number that counting does not lead to hides nothing.
        put(&".twinsite/releases/9999999999.gz".parse().unwrap(), junk).await;
        put(&".twinsite/releases/18446744073709551615.gz".parse().unwrap(), junk).await;
        version(dir.path(), 5);
        assert_eq!(deploy(dir.path(), (&primary, &backup)).await.unwrap().release, Some(ReleaseId(6)));
        assert_eq!(release::newest(&primary).await.unwrap().unwrap().id.0, 6);
    }
}
