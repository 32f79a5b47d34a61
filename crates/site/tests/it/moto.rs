//! The same against moto, an independent implementation of S3. Run by `cargo xtask conformance`.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use twinsite_site::Run;
use twinsite_sync::{ReleaseId, S3Store, Store, replicate};
use twinsite_sync::{RetentionPolicy, release};

use crate::stage::{contents, deploy, roll_back};
use crate::write;

/// A client of the server that the environment names.
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
fn client() -> aws_sdk_s3::Client {
    let endpoint = std::env::var("TWINSITE_CONFORMANCE_ENDPOINT").unwrap();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .force_path_style(true)
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// An empty bucket.
async fn bucket(name: &str) -> S3Store {
    let client = client();
    client.create_bucket().bucket(name).send().await.unwrap();
    S3Store::new(client, name)
}

/// Two buckets that keep versions.
async fn pair(name: &str) -> [S3Store; 2] {
    let mut stores = Vec::new();
    for side in ["primary", "backup"] {
        let store = bucket(&format!("{name}-{side}")).await;
        let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = client().put_bucket_versioning().bucket(store.bucket()).versioning_configuration(versioning);
        put.send().await.unwrap();
        stores.push(store);
    }
    stores.try_into().unwrap()
}

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
async fn moto_lock_releases_parity_and_rollback() {
    let [primary, backup] = pair("history").await;
    let (dir, stores) = (tempfile::tempdir().unwrap(), (&primary, &backup));
    write(dir.path(), "index.html", "<link href=assets/app.css>");
    write(dir.path(), "assets/app.css", "body{}");
    assert_eq!(deploy(dir.path(), stores).await.unwrap().release, Some(ReleaseId(1)));
    let first = contents(&primary).await;
    for (n, text) in [(2, "body{color:red}"), (3, "body{color:blue}")] {
        write(dir.path(), "assets/app.css", text);
        assert_eq!(deploy(dir.path(), stores).await.unwrap().release, Some(ReleaseId(n)));
    }
    assert!(deploy(dir.path(), stores).await.unwrap().release.is_none(), "nothing has changed");
    roll_back(1, stores).await.unwrap();
    assert_eq!((contents(&primary).await, contents(&backup).await), (first.clone(), first));
    assert!(replicate::compare(&primary, &backup, &Run::silent()).await.unwrap().is_in_sync());
    let done = release::collect(&primary, &RetentionPolicy { releases: 2, days: 0 }).await.unwrap();
    assert_eq!((done.releases, done.versions), (vec![ReleaseId(1), ReleaseId(2)], 1));
    roll_back(3, stores).await.unwrap();
    assert_eq!(primary.get(&"assets/app.css".parse().unwrap()).await.unwrap().unwrap(), "body{color:blue}");
}
