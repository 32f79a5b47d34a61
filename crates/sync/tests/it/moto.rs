//! The same against moto, an independent implementation of S3. Run by `cargo xtask conformance`.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use twinsite_core::Run;
use twinsite_sync::{Condition, ETag, Headers, Key, PartMade, Rules, S3Store, Store, VersionedStore, md5, replicate};

use crate::{conformance, publish, site};

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

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
async fn moto_conforms() {
    // moto's HTTP server knows no path with a line break in it.
    let names: Vec<&str> = conformance::ODD.into_iter().filter(|name| !name.contains('\n')).collect();
    conformance::all(&bucket("conformance").await, &names).await;
}

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
async fn moto_publish_twice() {
    let (dir, store) = (site(), bucket("publish").await);
    assert_eq!(publish(dir.path(), &store).await.put, 7);
    let second = publish(dir.path(), &store).await;
    assert_eq!((second.put, second.rewritten, second.kept), (0, 0, 7));
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
async fn moto_backfill_keeps_headers_tags_parts_and_redirects() {
    let [primary, backup] = pair("backfill").await;
    let headers = Headers {
        content_type: Some("text/html".into()),
        cache_control: Some("max-age=60".into()),
        website_redirect: Some("/there".into()),
        metadata: [("who".to_owned(), "me".to_owned())].into(),
        ..Headers::default()
    };
    let small: Key = "small page.html".parse().unwrap();
    primary.put(&small, &headers, ("page".into(), md5(b"page"))).await.unwrap();
    let (big, mut parts) = ("big film".parse::<Key>().unwrap(), Vec::new());
    let id = primary.begin(&big, &headers).await.unwrap();
    for (number, size) in [(1u8, 5 << 20), (2, 10)] {
        let bytes = bytes::Bytes::from(vec![number; size]);
        let (digest, number) = (md5(&bytes), u32::from(number));
        primary.part((&big, &id), number, (bytes.into(), digest)).await.unwrap();
        parts.push(PartMade { number, etag: ETag::Md5(digest), size: size as u64 });
    }
    primary.complete((&big, &id), &parts, &Condition::None).await.unwrap();
    let run = Run::silent();
    let compared = replicate::compare(&primary, &backup, &run).await.unwrap();
    let filled = replicate::fill(compared, &primary, &backup, &Rules::web(), &run).await.unwrap();
    assert_eq!(filled.copied, 2);
    let (here, there) = (primary.head(&small).await.unwrap().unwrap(), backup.head(&small).await.unwrap().unwrap());
    assert_eq!((here.etag, here.headers), (there.etag, there.headers));
    let (here, there) =
        (primary.look(&big, None).await.unwrap().unwrap(), backup.look(&big, None).await.unwrap().unwrap());
    assert_eq!((here.head.etag, here.head.headers), (there.head.etag, there.head.headers));
    assert!(replicate::compare(&primary, &backup, &run).await.unwrap().is_in_sync());
}
