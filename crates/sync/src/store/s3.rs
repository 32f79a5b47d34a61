//! A bucket.

mod calls;
mod fast_put;
mod fence;
mod list;
mod response_date;
mod stream;
mod throttles;
mod versions;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ObjectIdentifier;
use bytes::Bytes;
use twinsite_core::Run;

use super::{Condition, Head, ListedObject, NotDeleted, Page, PartMade, Pending, ReadObject, Store, Written};
use crate::{Content, ETag, Encryption, FileRange, Headers, Key, Md5, StoreError};
use fast_put::FastPut;
use fence::Fence;
use throttles::Throttles;

/// A bucket, through a client for its region.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    throttles: Throttles,
    /// `None` if requests are not retried.
    fast_put: Option<FastPut>,
    fence: Option<Fence>,
    /// Set when the store has answered that it knows no precondition on the destination of a copy.
    unconditional_copies: Arc<AtomicBool>,
    /// Set when the entity tag of an object was its MD5.
    has_md5_tags: Arc<AtomicBool>,
    /// Set when it was none although no encryption explains it: the store has tags of its own.
    has_own_tags: Arc<AtomicBool>,
    /// How new objects are encrypted; as the bucket does by default if `None`.
    encryption: Option<Encryption>,
}

impl S3Store {
    /// A bucket. The client's retries, credentials and connections are used as they are.
    #[expect(clippy::needless_pass_by_value, reason = "a client is a handle; callers give it away")]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let throttles = Throttles::default();
        let config = client.config().to_builder().interceptor(throttles.clone()).build();
        let retries = config.retry_config().is_none_or(|retries| retries.max_attempts() > 1);
        let fast_put = retries.then(FastPut::default);
        let client = Client::from_conf(config);
        let bucket = bucket.into();
        Self {
            client,
            bucket,
            throttles,
            fast_put,
            fence: None,
            unconditional_copies: Arc::default(),
            has_md5_tags: Arc::default(),
            has_own_tags: Arc::default(),
            encryption: None,
        }
    }

    /// The same bucket; every object that is put or copied into it is encrypted so, whatever the bucket does by default.
    #[must_use]
    pub fn encrypted(self, encryption: Encryption) -> Self {
        Self { encryption: Some(encryption), ..self }
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

    async fn put_range(
        &self,
        key: &Key,
        headers: &Headers,
        range: (FileRange, u64),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let written = self.put_object_from(key, headers, range, condition).await?;
        self.unless_ours(key, headers, written).await
    }

    async fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let written = self.put_object(key, headers, body, condition).await?;
        self.unless_ours(key, headers, written).await
    }

    async fn delete_if(&self, objects: &[ListedObject]) -> Result<Vec<NotDeleted>, StoreError> {
        match objects {
            // Stores that know no conditions in `DeleteObjects` may know them here.
            [object] => self.delete_object_if(object).await,
            _ => self.delete_objects_if(objects).await,
        }
    }

    async fn rewrite(&self, object: &ListedObject, headers: &Headers) -> Result<Written, StoreError> {
        let written = self.copy_onto_itself(object, headers).await?;
        self.unless_ours(&object.key, headers, written).await
    }

    async fn delete(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        let id = |key: &Key| ObjectIdentifier::builder().key(key.as_str());
        self.delete_unconditionally(keys.iter().map(id)).await
    }

    async fn head(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        self.head_object(key).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get_object(key).await?.map(|object| object.bytes))
    }

    async fn read(&self, key: &Key) -> Result<Option<ReadObject>, StoreError> {
        self.get_object(key).await
    }

    async fn pending(&self, key: &Key) -> Result<Option<Pending>, StoreError> {
        self.list_parts(key).await
    }

    async fn begin(&self, key: &Key, headers: &Headers) -> Result<String, StoreError> {
        self.create_multipart_upload(key, headers).await
    }

    async fn part(&self, upload: (&Key, &str), number: u32, body: (Content, Md5)) -> Result<ETag, StoreError> {
        self.upload_part(upload, number, body).await
    }

    async fn complete(
        &self,
        upload: (&Key, &str),
        parts: &[PartMade],
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.complete_multipart_upload(upload, parts, condition).await
    }

    async fn abort(&self, upload: (&Key, &str)) -> Result<(), StoreError> {
        self.abort_multipart_upload(upload).await
    }

    fn fenced(&self, run: &Run) -> Self {
        let fence = Fence(run.clone());
        let client = Client::from_conf(self.client.config().to_builder().interceptor(fence.clone()).build());
        Self { client, fence: Some(fence), ..self.clone() }
    }

    fn throttled(&self) -> u64 {
        self.throttles.count()
    }
}
