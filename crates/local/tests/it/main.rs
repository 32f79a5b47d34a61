//! The embedded cloud, driven with the real SDK.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod acm;
mod alerts;
mod api_gateway;
mod buckets;
mod cloudfront;
mod dns;
mod edge;
mod encryption;
mod faults;
mod iam;
mod key_value_store;
mod multipart;
mod not_implemented;
mod objects;
mod persistence;
mod policies;
mod replication;
mod route53;
mod server;
mod website;
mod wire;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use twinsite_aws_session::{Access, Session};
use twinsite_local::Cloud;

async fn session(cloud: &Cloud) -> Session {
    Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await.unwrap()
}

async fn s3(cloud: &Cloud, region: &str) -> Client {
    session(cloud).await.s3(&region.parse().unwrap())
}

/// A cloud with one bucket, `site` in us-east-1, that keeps versions.
async fn site() -> (Cloud, Client) {
    let cloud = Cloud::memory();
    let s3 = s3(&cloud, "us-east-1").await;
    s3.create_bucket().bucket("site").send().await.unwrap();
    version(&s3).await;
    (cloud, s3)
}

async fn version(s3: &Client) {
    let enabled = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning().bucket("site").versioning_configuration(enabled).send().await.unwrap();
}

/// A client that computes checksums, as the SDKs do by default.
fn eager(s3: &Client) -> Client {
    let when = aws_sdk_s3::config::RequestChecksumCalculation::WhenSupported;
    Client::from_conf(s3.config().to_builder().request_checksum_calculation(when).build())
}

async fn put(s3: &Client, key: &str, body: &str) -> String {
    let body = body.as_bytes().to_vec().into();
    let put = s3.put_object().bucket("site").key(key).body(body).send().await.unwrap();
    put.version_id().unwrap_or("null").to_owned()
}

async fn get(s3: &Client, key: &str) -> String {
    let got = s3.get_object().bucket("site").key(key).send().await.unwrap();
    String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
}

/// The error code of a call that must fail.
fn code<T: std::fmt::Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    match result {
        Ok(answer) => panic!("should have failed: {answer:?}"),
        Err(error) => error.code().unwrap_or_default().to_owned(),
    }
}
