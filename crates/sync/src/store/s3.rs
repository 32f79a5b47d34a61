//! A bucket.

mod calls;
mod download;
mod fast_put;
mod fence;
mod list;
mod response_date;
mod stream;
mod streamed_copy;
mod throttles;
mod versions;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::Client;
use bytes::Bytes;
use twinsite_core::Run;

use super::{
    Condition, Head, Limit, Limits, ListedObject, NotDeleted, Page, PartMade, Pending, ReadObject, Store, Written,
};
use crate::model::limits::MAX_READ;
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
    /// What the store does not support.
    limits: Limits,
    /// Stores of different names do not copy from one another.
    location: Arc<str>,
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
            limits: Limits::default(),
            location: "".into(),
            has_md5_tags: Arc::default(),
            has_own_tags: Arc::default(),
            encryption: None,
        }
    }

    /// The same bucket, in a store that cannot read the buckets of stores with another name, or of none: what is copied between them is
    /// read and written by this process.
    #[must_use]
    pub fn in_location(self, location: &str) -> Self {
        Self { location: location.into(), ..self }
    }

    /// Whether the bucket keeps the versions of its objects.
    ///
    /// # Errors
    /// [`StoreError`] if that could not be read.
    pub async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.get_bucket_versioning().await
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
        match self.put_object_from(key, headers, range.clone(), condition).await {
            Err(error) if self.may_lack_conditions(condition, &error) => {
                let written =
                    Box::pin(self.put_object_from(key, headers, range, &Condition::None)).await.map_err(|_| error)?;
                self.limits.add(Limit::Conditions);
                self.unless_ours(key, headers, written).await
            }
            written => self.unless_ours(key, headers, written?).await,
        }
    }

    async fn put_if(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        match self.put_object(key, headers, body.clone(), condition).await {
            Err(error) if self.may_lack_conditions(condition, &error) => {
                let written =
                    Box::pin(self.put_object(key, headers, body, &Condition::None)).await.map_err(|_| error)?;
                self.limits.add(Limit::Conditions);
                self.unless_ours(key, headers, written).await
            }
            written => self.unless_ours(key, headers, written?).await,
        }
    }

    async fn put_exclusively(
        &self,
        key: &Key,
        headers: &Headers,
        body: (Content, Md5),
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        match self.put_object(key, headers, body, condition).await {
            Err(error) if self.may_lack_conditions(condition, &error) => Err(StoreError::Unconditional(key.clone())),
            written => self.unless_ours(key, headers, written?).await,
        }
    }

    async fn delete_if(&self, objects: &[ListedObject]) -> Result<Vec<NotDeleted>, StoreError> {
        match objects {
            // Stores that know no conditions in `DeleteObjects` may know them here.
            [object] => self.delete_object_if(object).await,
            _ => self.delete_objects_if(objects).await,
        }
    }

    async fn rewrite(&self, object: &ListedObject, headers: &Headers) -> Result<Written, StoreError> {
        let written = if self.limits.has(Limit::Copies) {
            Box::pin(self.write_again(object, headers)).await?
        } else {
            match self.copy_onto_itself(object, headers).await {
                Err(StoreError::Aws(error)) if error.is_unknown_operation() => {
                    let written = Box::pin(self.write_again(object, headers)).await.map_err(|_| error)?;
                    self.limits.add(Limit::Copies);
                    written
                }
                written => written?,
            }
        };
        self.unless_ours(&object.key, headers, written).await
    }

    async fn delete(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        self.delete_keys(keys).await
    }

    async fn head(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        self.head_object(key).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get_object(key, MAX_READ).await?.map(|object| object.bytes))
    }

    async fn read(&self, key: &Key) -> Result<Option<ReadObject>, StoreError> {
        self.get_object(key, MAX_READ).await
    }

    async fn read_up_to(&self, key: &Key, limit: u64) -> Result<Option<ReadObject>, StoreError> {
        self.get_object(key, limit).await
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

    fn limits(&self) -> BTreeSet<Limit> {
        self.limits.all()
    }

    fn add_limit(&self, limit: Limit) {
        self.limits.add(limit);
    }

    fn throttled(&self) -> u64 {
        self.throttles.count()
    }
}
