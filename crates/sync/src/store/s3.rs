//! A bucket.

mod calls;
mod fast_put;
mod list;
mod stream;
mod throttles;
mod versions;
mod wire;

use aws_sdk_s3::Client;
use bytes::Bytes;

use super::{Condition, Head, Page, PartMade, Pending, Store, Written};
use crate::{Content, ETag, FileRange, Headers, Key, Md5, StoreError};
use fast_put::FastPut;
use throttles::Throttles;

/// A bucket, through a client for its region.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    throttles: Throttles,
    /// None where a call is to be made once and no more.
    lane: Option<FastPut>,
}

impl S3Store {
    /// A bucket. The client's retries, credentials and connections are used as they are.
    #[expect(clippy::needless_pass_by_value, reason = "a client is a handle; callers give it away")]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let throttles = Throttles::default();
        let config = client.config().to_builder().interceptor(throttles.clone()).build();
        let retries = config.retry_config().is_none_or(|retries| retries.max_attempts() > 1);
        let lane = retries.then(FastPut::default);
        Self { client: Client::from_conf(config), bucket: bucket.into(), throttles, lane }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }
}

impl Store for S3Store {
    async fn page(&self, after: Option<&str>) -> Result<Page, StoreError> {
        self.list_objects(after).await
    }

    async fn put(&self, key: &Key, headers: &Headers, body: (Content, Md5)) -> Result<Written, StoreError> {
        self.put_object(key, headers, body).await
    }

    async fn put_range(
        &self,
        key: &Key,
        headers: &Headers,
        (stretch, sum): (FileRange, u64),
    ) -> Result<Written, StoreError> {
        self.put_object_from(key, headers, (stretch, sum)).await
    }

    async fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Bytes, Md5),
        condition: Condition<'_>,
    ) -> Result<Option<ETag>, StoreError> {
        self.put_object_if(key, headers, body, condition).await
    }

    async fn delete_if(&self, key: &Key, etag: &ETag) -> Result<bool, StoreError> {
        self.delete_object_if(key, etag).await
    }

    async fn rewrite(&self, key: &Key, headers: &Headers) -> Result<Written, StoreError> {
        self.copy_onto_itself(key, headers).await
    }

    async fn delete(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        self.delete_objects(keys).await
    }

    async fn head(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        self.head_object(key).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get_object(key).await?.map(|(bytes, _)| bytes))
    }

    async fn read(&self, key: &Key) -> Result<Option<(Bytes, ETag)>, StoreError> {
        self.get_object(key).await
    }

    async fn pending(&self, key: &Key) -> Result<Option<Pending>, StoreError> {
        self.list_parts(key).await
    }

    async fn begin(&self, key: &Key, headers: &Headers) -> Result<String, StoreError> {
        self.create_multipart_upload(key, headers).await
    }

    async fn part(&self, upload: (&Key, &str), number: u32, body: (Content, Md5)) -> Result<(), StoreError> {
        self.upload_part(upload, number, body).await
    }

    async fn complete(&self, upload: (&Key, &str), parts: &[PartMade]) -> Result<Written, StoreError> {
        self.complete_multipart_upload(upload, parts).await
    }

    async fn abort(&self, upload: (&Key, &str)) -> Result<(), StoreError> {
        self.abort_multipart_upload(upload).await
    }

    fn throttled(&self) -> u64 {
        self.throttles.count()
    }
}
