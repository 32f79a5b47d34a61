//! Operations on single objects.

use twinsite_aws::AwsError;

use super::{BucketClient, call};

/// The most bytes of an object that is read whole.
const MAX_READ: i64 = 1 << 20;

/// An object to be put.
pub(crate) struct NewObject<'a> {
    pub(crate) key: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) content_type: &'static str,
    pub(crate) cache_control: Option<&'static str>,
}

impl<'a> NewObject<'a> {
    /// A text that caches must not store.
    pub(crate) fn uncached_text(key: &'a str, text: &'a str) -> Self {
        Self { key, body: text.as_bytes(), content_type: "text/plain", cache_control: Some("no-store") }
    }
}

/// The headers of an object.
pub(crate) struct ObjectHead {
    /// `None` in a bucket without versioning.
    pub(crate) version_id: Option<String>,
}

impl BucketClient<'_> {
    fn object(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    pub(crate) async fn put_object(&self, object: NewObject<'_>) -> Result<(), AwsError> {
        let NewObject { key, body, content_type, cache_control } = object;
        let request = self.client.put_object().bucket(self.bucket.as_str()).key(key).body(body.to_vec().into());
        let request = request.content_type(content_type).set_cache_control(cache_control.map(str::to_owned));
        call!("PutObject", self.object(key), request).map(drop)
    }

    /// The content of an object; `None` if it does not exist.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    pub(crate) async fn get_object(&self, key: &str) -> Result<Option<Vec<u8>>, AwsError> {
        const OPERATION: &str = "GetObject";
        let request = self.client.get_object().bucket(self.bucket.as_str()).key(key);
        let response = AwsError::absent(call!(OPERATION, self.object(key), request))?;
        let Some(response) = response else { return Ok(None) };
        // Journals and markers have some hundred bytes. What is larger is none, and is not read.
        if response.content_length().is_some_and(|size| size > MAX_READ) {
            return Ok(Some(Vec::new()));
        }
        let body = response.body.collect().await;
        let body = body.map_err(|error| AwsError::unexpected(OPERATION, self.object(key), error))?;
        Ok(Some(body.to_vec()))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    pub(crate) async fn head_object(&self, key: &str) -> Result<Option<ObjectHead>, AwsError> {
        let request = self.client.head_object().bucket(self.bucket.as_str()).key(key);
        let response = AwsError::absent(call!("HeadObject", self.object(key), request))?;
        Ok(response.map(|response| ObjectHead { version_id: response.version_id }))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
    pub(crate) async fn delete_object(&self, key: &str) -> Result<(), AwsError> {
        let request = self.client.delete_object().bucket(self.bucket.as_str()).key(key);
        call!("DeleteObject", self.object(key), request).map(drop)
    }
}
