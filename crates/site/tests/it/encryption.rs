//! Buckets whose objects have entity tags that are no digests of their bytes.

use std::path::Path;
use std::time::Duration;

use twinsite_core::Side;
use twinsite_local::s3::Doc;
use twinsite_site::{
    BackupState, DeployResult, EncryptionAlgorithm, Mode, PolicyKind, PublishOptions, PublishResult, RollbackRequest,
    Run, rollback, verify,
};
use twinsite_sync::{Store, VersionedStore};

use crate::site::{OPTIONS, TestSite};
use crate::write;

/// Copies of many objects take a while on a busy machine.
const PATIENT: PublishOptions = PublishOptions { lock_ttl: Duration::from_secs(20), ..OPTIONS };

/// The default encryption of a bucket, as `PutBucketEncryption` has it.
fn default_encryption(algorithm: &str) -> String {
    format!(
        "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
         <ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>\
         </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>\
         </ServerSideEncryptionConfiguration>"
    )
}

fn encrypt_by_default(site: &TestSite, side: Side, algorithm: &str) {
    let bucket = site.context.site().buckets.get(side).clone();
    let text = default_encryption(algorithm);
    let set = |settings: &mut twinsite_local::s3::BucketSettings| drop(settings.docs.insert(Doc::Encryption, text));
    site.cloud.world().s3().update_bucket(bucket.as_str(), set).unwrap();
}

pub(crate) fn published(result: DeployResult) -> PublishResult {
    match result {
        DeployResult::Published(result) => *result,
        other => panic!("{other:?}"),
    }
}

fn pages(dir: &Path) {
    for n in 0..30 {
        write(dir, &format!("page{n:02}.html"), &format!("page {n}"));
    }
    write(dir, "index.html", "<link href=app.css>");
    write(dir, "app.css", "body{}");
    // Read while it is sent.
    write(dir, "photo.jpg", &"0123456789abcdef".repeat(100_000));
}

async fn assert_in_sync(site: &TestSite) {
    let found = Box::pin(verify(&site.context, None, &Run::silent())).await.unwrap();
    assert_eq!(found.differences, [], "the buckets are in sync");
}

/// Deploys, deploys the same again, changes one file, and goes back.
async fn lifecycle(site: &TestSite) {
    let dir = tempfile::tempdir().unwrap();
    pages(dir.path());
    let first = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    // The table that tells CloudFront what paths mean is one of them.
    assert_eq!((first.primary.put, first.backup.state, &first.backup.error), (34, BackupState::InSync, &None));
    assert_in_sync(site).await;

    site.cloud.reset_request_counts();
    let same = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!((same.primary.put, same.primary.unchanged, same.release.is_none()), (0, 34, true));
    let requests = site.cloud.request_counts();
    assert!(!requests.keys().any(|name| name.starts_with("Put") || name.starts_with("Copy")), "{requests:?}");
    assert!(requests.values().sum::<u64>() <= 8, "no request for each object: {requests:?}");

    write(dir.path(), "page07.html", "page X");
    let changed = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!((changed.primary.put, changed.backup.state), (1, BackupState::InSync));
    assert_in_sync(site).await;

    let request = RollbackRequest { release: Some("1".to_owned()), options: PATIENT, ..RollbackRequest::default() };
    let back = published(Box::pin(rollback(&site.context, &request, &Run::silent())).await.unwrap());
    assert_eq!((back.primary.put, back.backup.state), (1, BackupState::InSync), "{:?}", back.backup.error);
    for store in site.context.stores().iter().map(|(_, store)| store) {
        let page = store.get(&"page07.html".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(page, "page 7");
    }
    assert_in_sync(site).await;
    write(dir.path(), "page07.html", "page 7");
    let same = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!((same.primary.put, same.primary.rewritten), (0, 0), "what was brought back is known");

    // What somebody else has replaced by as many bytes is uploaded again.
    let stores = site.context.stores();
    let key = "page03.html".parse().unwrap();
    let headers = stores.primary.head(&key).await.unwrap().unwrap().headers;
    stores.primary.put(&key, &headers, ("page Y".into(), twinsite_sync::md5(b"page Y"))).await.unwrap();
    let again = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!((again.primary.put, again.backup.state), (1, BackupState::InSync));
    assert_eq!(stores.backup.get(&key).await.unwrap().unwrap(), "page 3");

    // What the backup has lost is copied; what it has is not.
    let versions = stores.backup.versions("app.css", None).await.unwrap().past;
    let versions: Vec<_> = versions.into_iter().map(|past| (past.key, past.version)).collect();
    stores.backup.delete_versions(&versions).await.unwrap();
    assert_eq!(site.backfill().await.unwrap().copied, 1);
    assert_in_sync(site).await;
    assert_eq!(site.backfill().await.unwrap().copied, 0);

    // A file that leaves the directory leaves both buckets.
    std::fs::remove_file(dir.path().join("page09.html")).unwrap();
    let deleted = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!((deleted.primary.deleted, deleted.backup.state), (1, BackupState::InSync));
    assert!(stores.backup.get(&"page09.html".parse().unwrap()).await.unwrap().is_none());
    assert_in_sync(site).await;
}

#[tokio::test]
async fn buckets_that_encrypt_with_keys_of_kms_are_published_to() {
    for algorithm in ["aws:kms", "aws:kms:dsse"] {
        let site = TestSite::applied_with(|config| config.mode = Mode::Origin).await;
        for side in [Side::Primary, Side::Backup] {
            encrypt_by_default(&site, side, algorithm);
        }
        lifecycle(&site).await;
    }
}

#[tokio::test]
async fn one_bucket_may_encrypt_with_a_key_of_kms_and_the_other_not() {
    for side in [Side::Primary, Side::Backup] {
        let site = TestSite::applied_with(|config| config.mode = Mode::Origin).await;
        encrypt_by_default(&site, side, "aws:kms");
        lifecycle(&site).await;
    }
}

/// With a key for each side, replication encrypts replicas with the backup's key.
#[tokio::test]
async fn objects_are_encrypted_and_replicated_with_the_configured_keys() {
    let key = |region: &str| format!("arn:aws:kms:{region}:000000000000:key/1234abcd");
    let site = TestSite::applied_with(|config| {
        config.mode = Mode::Origin;
        config.publish.encryption = Some(EncryptionAlgorithm::Kms);
        config.kms_keys = twinsite_site::Pair::new(Some("1234abcd".to_owned()), Some(key("us-west-2")));
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    pages(dir.path());
    let first = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    // The table that tells CloudFront what paths mean is one of them.
    assert_eq!((first.primary.put, first.primary.opaque, first.backup.copied.len()), (34, 34, 0), "{:?}", first.backup);
    assert_in_sync(&site).await;
    for (side, region) in [(Side::Primary, "us-east-1"), (Side::Backup, "us-west-2")] {
        let bucket = site.context.site().buckets.get(side).to_string();
        let version = site.cloud.world().s3().object(&bucket, "photo.jpg", None).unwrap();
        assert_eq!(version.kms.as_ref().map(|kms| kms.key.clone()), Some(key(region)));
    }
    let again = published(site.deploy_with(dir.path(), PATIENT).await.unwrap());
    assert_eq!((again.primary.put, again.release.is_none()), (0, true));
    // What is planned once more is nothing.
    let planned =
        twinsite_site::plan(&site.context, twinsite_site::AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    assert!(planned.is_empty(), "{:?}", planned.summary());
    lifecycle_changes_one(&site, dir.path()).await;
}

async fn lifecycle_changes_one(site: &TestSite, dir: &Path) {
    write(dir, "page07.html", "page X");
    let changed = published(site.deploy_with(dir, PATIENT).await.unwrap());
    assert_eq!((changed.primary.put, changed.backup.state), (1, BackupState::InSync));
    assert_in_sync(site).await;
}

#[test]
fn keys_of_kms_are_refused_where_website_endpoints_serve() {
    for mode in [Mode::Dns, Mode::Layered] {
        let regions = twinsite_site::Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let mut config = twinsite_site::Config::new("www.example.com".parse().unwrap(), regions);
        config.mode = mode;
        config.publish.encryption = Some(EncryptionAlgorithm::Kms);
        config.kms_keys = twinsite_site::Pair::new(Some("a".to_owned()), Some("b".to_owned()));
        let refused = config.check_encryption().unwrap_err().to_string();
        assert!(refused.contains("website endpoints") && refused.contains(mode.as_str()), "{refused}");
        config.mode = Mode::Origin;
        config.check_encryption().unwrap();
        let account: &str = "111122223333";
        let text = |kind| {
            let documents = twinsite_site::policy(&config, account.parse().unwrap(), kind).unwrap();
            documents.iter().map(|part| part.document.to_string()).collect::<String>()
        };
        for kind in [PolicyKind::Publisher, PolicyKind::Applier] {
            let policy = text(kind);
            assert!(policy.contains("kms:GenerateDataKey") && policy.contains("kms:Decrypt"), "{policy}");
            assert!(policy.contains("arn:aws:kms:us-west-2:111122223333:key/b"), "{policy}");
        }
        assert!(text(PolicyKind::Reader).contains("kms:Decrypt") && !text(PolicyKind::Reader).contains("kms:Gen"));
    }
}

/// What is said.
#[derive(Debug, Default)]
struct Warnings(std::sync::Mutex<Vec<String>>);

impl twinsite_core::Watch for Warnings {
    fn event(&self, event: &twinsite_core::Event) {
        if let twinsite_core::Event::Warning { text, hint } = event {
            self.0.lock().unwrap().push(format!("{text}; {}", hint.as_deref().unwrap_or_default()));
        }
    }
}

impl Warnings {
    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join("\n")
    }
}

#[tokio::test]
async fn objects_that_keep_another_encryption_are_counted_and_a_mode_that_cannot_serve_them_is_warned_of() {
    let warnings = std::sync::Arc::new(Warnings::default());
    let run = Run::new(std::sync::Arc::<Warnings>::clone(&warnings));
    let deploy = async |site: &TestSite, dir: &Path, send| {
        let source = twinsite_site::SourceDirectory::read(site.context.config(), dir, None, None).await.unwrap();
        let request =
            twinsite_site::DeployRequest { options: PATIENT, send, ..twinsite_site::DeployRequest::default() };
        published(Box::pin(twinsite_site::deploy(&site.context, source, &request, &run)).await.unwrap())
    };
    let (changed, all) = (twinsite_sync::Sending::Changed, twinsite_sync::Sending::All);
    let dir = tempfile::tempdir().unwrap();
    pages(dir.path());
    let site = TestSite::applied_with(|config| config.mode = Mode::Origin).await;
    deploy(&site, dir.path(), changed).await;
    warnings.take();

    // Encryption is switched on.
    let cloud = site.cloud;
    let encrypted = TestSite::open(cloud.clone(), |config| {
        config.mode = Mode::Origin;
        config.publish.encryption = Some(EncryptionAlgorithm::Kms);
        let key = |region: &str| Some(format!("arn:aws:kms:{region}:000000000000:key/1234abcd"));
        config.kms_keys = twinsite_site::Pair::new(key("us-east-1"), key("us-west-2"));
    })
    .await;
    deploy(&encrypted, dir.path(), changed).await;
    let said = warnings.take();
    assert!(
        said.contains("34 objects that are up to date are not encrypted with aws:kms") && said.contains("--force"),
        "{said}"
    );
    deploy(&encrypted, dir.path(), all).await;
    warnings.take();
    deploy(&encrypted, dir.path(), changed).await;
    let said = warnings.take();
    assert!(!said.contains("not encrypted"), "{said}");

    // The mode is changed to one with website endpoints.
    let public = TestSite::open(cloud.clone(), |config| config.mode = Mode::Layered).await;
    drop(twinsite_site::plan(&public.context, twinsite_site::AdoptBuckets::Refuse, &run).await.unwrap());
    let said = warnings.take();
    assert!(said.contains("are encrypted with a key of KMS: website endpoints") && said.contains("AES256"), "{said}");

    // The remedy.
    let plain = TestSite::open(cloud.clone(), |config| {
        config.mode = Mode::Origin;
        config.publish.encryption = Some(EncryptionAlgorithm::Aes256);
    })
    .await;
    deploy(&plain, dir.path(), changed).await;
    let said = warnings.take();
    assert!(said.contains("34 objects that are up to date are not encrypted with AES256"), "{said}");
    deploy(&plain, dir.path(), all).await;
    warnings.take();
    drop(twinsite_site::plan(&public.context, twinsite_site::AdoptBuckets::Refuse, &run).await.unwrap());
    let said = warnings.take();
    assert!(!said.contains("website endpoints"), "{said}");
}
