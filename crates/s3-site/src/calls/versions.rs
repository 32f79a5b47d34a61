//! Counting and deleting everything in a bucket: object versions, delete markers and incomplete multipart uploads.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use percent_encoding::percent_decode_str;
use twinsite_aws::AwsError;

use super::{BucketClient, call};

/// An object version or delete marker.
struct Version {
    key: String,
    id: String,
}

#[derive(Default)]
struct Marker {
    key: Option<String>,
    version: Option<String>,
}

struct Page {
    versions: Vec<Version>,
    next: Option<Marker>,
}

impl BucketClient<'_> {
    /// The number of object versions and delete markers.
    pub(crate) async fn count_versions(&self) -> Result<u64, AwsError> {
        let (mut count, mut marker) = (0, Marker::default());
        loop {
            let page = self.list_object_versions(marker).await?;
            count += page.versions.len() as u64;
            match page.next {
                Some(next) => marker = next,
                None => return Ok(count),
            }
        }
    }

    /// Deletes everything in the bucket.
    pub(crate) async fn delete_contents(&self) -> Result<(), AwsError> {
        self.abort_multipart_uploads().await?;
        loop {
            // Always the first page: its versions are deleted before the next request.
            let page = AwsError::absent(self.list_object_versions(Marker::default()).await)?;
            let Some(page) = page.filter(|page| !page.versions.is_empty()) else { return Ok(()) };
            self.delete_objects(&page.versions).await?;
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
    async fn list_object_versions(&self, from: Marker) -> Result<Page, AwsError> {
        let request = self.client.list_object_versions().bucket(self.bucket.as_str()).encoding_type(EncodingType::Url);
        let request = request.set_key_marker(from.key).set_version_id_marker(from.version);
        let page = call!("ListObjectVersions", self.bucket, request)?;
        let objects = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let versions = objects.chain(markers);
        let versions = versions.filter_map(|(key, id)| Some(Version { key: url_decoded(key?), id: id?.to_owned() }));
        let next = page.is_truncated().unwrap_or_default().then(|| Marker {
            key: page.next_key_marker().map(url_decoded),
            version: page.next_version_id_marker().map(str::to_owned),
        });
        Ok(Page { versions: versions.collect(), next })
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    async fn delete_objects(&self, versions: &[Version]) -> Result<(), AwsError> {
        const OPERATION: &str = "DeleteObjects";
        let ids =
            versions.iter().map(|Version { key, id }| ObjectIdentifier::builder().key(key).version_id(id).build());
        let ids = ids.collect::<Result<Vec<_>, _>>().map_err(self.unbuildable(OPERATION))?;
        let delete = Delete::builder().set_objects(Some(ids)).quiet(true).build();
        let delete = delete.map_err(self.unbuildable(OPERATION))?;
        let request = self.client.delete_objects().bucket(self.bucket.as_str()).delete(delete);
        let response = call!(OPERATION, self.bucket, request)?;
        let Some(error) = response.errors().first() else { return Ok(()) };
        let why = error.message().or(error.code()).unwrap_or("no reason given");
        let subject = format!("{}/{}", self.bucket, error.key().unwrap_or_default());
        Err(AwsError::refused(OPERATION, subject, why))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
    async fn abort_multipart_uploads(&self) -> Result<(), AwsError> {
        let bucket = self.bucket.as_str();
        let request = self.client.list_multipart_uploads().bucket(bucket).encoding_type(EncodingType::Url);
        let response = AwsError::absent(call!("ListMultipartUploads", self.bucket, request))?;
        let Some(response) = response else { return Ok(()) };
        for upload in response.uploads() {
            let (Some(key), Some(id)) = (upload.key().map(url_decoded), upload.upload_id()) else { continue };
            let request = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
            AwsError::absent(call!("AbortMultipartUpload", self.bucket, request))?;
        }
        Ok(())
    }
}

/// A key in a listing with `encoding-type=url`.
fn url_decoded(key: &str) -> String {
    let plus = key.replace('+', " ");
    percent_decode_str(&plus).decode_utf8_lossy().into_owned()
}
