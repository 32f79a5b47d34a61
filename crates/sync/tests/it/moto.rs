//! The same against moto, an independent implementation of S3. Run by `cargo xtask conformance`.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use twinsite_sync::S3Store;

use crate::{conformance, publish, site};

/// An empty bucket of the server that the environment names.
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
async fn bucket(name: &str) -> S3Store {
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
    let client = aws_sdk_s3::Client::from_conf(config);
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
