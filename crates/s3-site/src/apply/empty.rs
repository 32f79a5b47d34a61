//! Emptying a bucket that twinsite created: unfinished uploads, every version, every delete marker.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use twinsite_aws::AwsError;

use super::calls::Calls;
use super::odd;
use crate::S3Site;
use crate::bucket::{Found, Observed};
use crate::destroy::Contents;
use crate::want::Desired;

/// A version to be deleted: its key and id.
type Version = (String, String);

struct Page {
    versions: Vec<Version>,
    next: Option<(Option<String>, Option<String>)>,
}

impl S3Site {
    /// How many objects, versions and delete markers each bucket of ours holds, those that another mode left behind included.
    pub async fn contents(&self, want: &Desired, have: &Observed) -> Result<Contents, AwsError> {
        let mut contents = Contents::default();
        for (side, found) in have.buckets.iter() {
            if let Found::Bucket(_) = found {
                let calls = Calls { client: self.clients.get(side), bucket: want.site.buckets.get(side) };
                *contents.buckets.get_mut(side) = count(&calls).await?;
            }
        }
        for (side, bucket) in &have.former {
            contents.former.push(count(&Calls { client: self.clients.get(*side), bucket }).await?);
        }
        let name = crate::role::batch_name(&want.site);
        contents.batch_role = crate::role::Calls { client: &self.iam, name: &name }.observe().await?;
        Ok(contents)
    }
}

async fn count(calls: &Calls<'_>) -> Result<u64, AwsError> {
    let (mut count, mut from) = (0, (None, None));
    loop {
        let page = list_object_versions(calls, from).await?;
        count += page.versions.len() as u64;
        match page.next {
            Some(next) => from = next,
            None => return Ok(count),
        }
    }
}

pub(super) async fn empty(calls: &Calls<'_>) -> Result<(), AwsError> {
    abort_uploads(calls).await?;
    loop {
        // Always the first page: what was on it is gone the next time.
        let page = AwsError::absent(list_object_versions(calls, (None, None)).await)?;
        let Some(page) = page.filter(|page| !page.versions.is_empty()) else { return Ok(()) };
        delete_objects(calls, page.versions).await?;
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
async fn list_object_versions(
    calls: &Calls<'_>,
    (key, version): (Option<String>, Option<String>),
) -> Result<Page, AwsError> {
    let request = calls.client.list_object_versions().bucket(calls.bucket.as_str());
    let request = request.set_key_marker(key).set_version_id_marker(version);
    let answer = request.encoding_type(EncodingType::Url).send().await;
    let answer = answer.map_err(|error| AwsError::new("ListObjectVersions", calls.bucket, error))?;
    let objects = answer.versions().iter().map(|v| (v.key(), v.version_id()));
    let markers = answer.delete_markers().iter().map(|v| (v.key(), v.version_id()));
    let versions = objects.chain(markers).filter_map(|(key, id)| Some((decoded(key?), id?.to_owned())));
    let next = answer.is_truncated().unwrap_or_default().then(|| {
        let version = answer.next_version_id_marker().map(str::to_owned);
        (answer.next_key_marker().map(decoded), version)
    });
    Ok(Page { versions: versions.collect(), next })
}

fn decoded(key: &str) -> String {
    let plus = key.replace('+', " ");
    percent_encoding::percent_decode_str(&plus).decode_utf8_lossy().into_owned()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
async fn delete_objects(calls: &Calls<'_>, versions: Vec<Version>) -> Result<(), AwsError> {
    let unfit = |error| AwsError::unexpected("DeleteObjects", calls.bucket, error);
    let ids = versions.iter().map(|(key, id)| ObjectIdentifier::builder().key(key).version_id(id).build());
    let ids = ids.collect::<Result<Vec<_>, _>>().map_err(unfit)?;
    let delete = Delete::builder().set_objects(Some(ids)).quiet(true).build().map_err(unfit)?;
    let answer = calls.client.delete_objects().bucket(calls.bucket.as_str()).delete(delete).send().await;
    let answer = answer.map_err(|error| AwsError::new("DeleteObjects", calls.bucket, error))?;
    match answer.errors().first() {
        None => Ok(()),
        Some(error) => {
            let why = error.message().or(error.code()).unwrap_or("no reason given");
            let subject = format!("{}/{}", calls.bucket, error.key().unwrap_or_default());
            Err(odd("DeleteObjects", subject, why))
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
async fn abort_uploads(calls: &Calls<'_>) -> Result<(), AwsError> {
    let request = calls.client.list_multipart_uploads().bucket(calls.bucket.as_str());
    let answer = request.encoding_type(EncodingType::Url).send().await;
    let answer = answer.map_err(|error| AwsError::new("ListMultipartUploads", calls.bucket, error));
    let Some(answer) = AwsError::absent(answer)? else { return Ok(()) };
    for upload in answer.uploads() {
        let (Some(key), Some(id)) = (upload.key().map(decoded), upload.upload_id()) else { continue };
        let request = calls.client.abort_multipart_upload().bucket(calls.bucket.as_str()).key(key).upload_id(id);
        let answer = request.send().await.map(drop);
        AwsError::absent(answer.map_err(|error| AwsError::new("AbortMultipartUpload", calls.bucket, error)))?;
    }
    Ok(())
}
