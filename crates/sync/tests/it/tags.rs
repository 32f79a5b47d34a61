//! Stores whose entity tags are their own: whether what arrived is what was sent is told by checksums, or by reading it.

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use twinsite_aws_session::{Access, Session};
use twinsite_local::Cloud;
use twinsite_sync::{Headers, S3Store, Store, StoreError, TagKind, md5};

/// Answers puts as other stores do.
#[derive(Clone, Copy, Debug)]
struct OwnTags {
    tag: &'static str,
    /// What becomes of the checksum in responses.
    checksum: Checksum,
}

#[derive(Clone, Copy, Debug)]
enum Checksum {
    Kept,
    Removed,
    Wrong,
}

impl Intercept for OwnTags {
    fn name(&self) -> &'static str {
        "OwnTags"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response_mut().headers_mut();
        if headers.get("etag").is_some() {
            headers.insert("etag", self.tag);
        }
        match self.checksum {
            Checksum::Kept => {}
            Checksum::Removed => drop(headers.remove("x-amz-checksum-crc64nvme")),
            Checksum::Wrong => drop(headers.insert("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")),
        }
        Ok(())
    }
}

async fn store(cloud: &Cloud, answers: OwnTags) -> S3Store {
    // One attempt: the fast path, which interceptors do not see, is not taken.
    let retry = Some(twinsite_aws::retries().with_max_attempts(1));
    let access = Access { embedded: Some(cloud.http_client()), retry, ..Access::default() };
    let client = Session::open(access).await.unwrap().s3(&"us-east-1".parse().unwrap());
    S3Store::new(aws_sdk_s3::Client::from_conf(client.config().to_builder().interceptor(answers).build()), "site")
}

#[tokio::test]
async fn tags_of_a_stores_own_are_opaque_if_the_bytes_have_arrived() {
    let cloud = Cloud::memory();
    cloud.world().s3().create_bucket("site", "us-east-1", twinsite_local::ACCOUNT).unwrap();
    let key = "index.html".parse().unwrap();
    let put = async |tag, checksum| {
        let store = store(&cloud, OwnTags { tag, checksum }).await;
        store.put(&key, &Headers::default(), ("hello".into(), md5(b"hello"))).await
    };
    for tag in ["\"0123456789abcdef0123456789abcdef\"", "\"own-tag\"", "\"5D41402ABC4B2A76B9719D911017C592\""] {
        for checksum in [Checksum::Kept, Checksum::Removed] {
            let written = put(tag, checksum).await.unwrap();
            assert_eq!(written.tag_kind, TagKind::Opaque, "{tag}, {checksum:?}");
            assert_eq!(written.etag.unwrap().to_string(), tag.trim_matches('"'));
        }
        let corrupted = put(tag, Checksum::Wrong).await.unwrap_err();
        assert!(matches!(corrupted, StoreError::Corrupted(_)), "{tag}: {corrupted}");
    }
    let plain = put("\"5d41402abc4b2a76b9719d911017c592\"", Checksum::Kept).await.unwrap();
    assert_eq!(plain.tag_kind, TagKind::Digest);
}
