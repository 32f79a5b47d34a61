//! One function for each S3 operation, by its AWS name.

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::types::{Delete, EncodingType, MetadataDirective, ObjectIdentifier};
use aws_smithy_types::DateTime;
use bytes::Bytes;
use twinsite_aws::{AwsError, Kind, timeouts_for};

use super::S3Store;
use super::list::Listed;
use super::stream;
use super::wire::{completed, content_md5, copy_source, crc64, decoded, head, remote, with_headers};
use crate::store::{Condition, Head, Page, PartMade, Pending, Written};
use crate::{Content, ETag, FileRange, Headers, Key, Md5, StoreError};

impl S3Store {
    pub(super) fn object(&self, key: &Key) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    pub(super) async fn list_objects(&self, after: Option<&str>) -> Result<Page, StoreError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).encoding_type(EncodingType::Url);
        let request = request.set_start_after(after.map(str::to_owned));
        let listed = Listed::default();
        let answer = request.customize().interceptor(listed.clone()).send().await;
        let answer = answer.map_err(|error| AwsError::new("ListObjectsV2", &self.bucket, error))?;
        if let Some(page) = listed.take() {
            return page;
        }
        let objects = answer.contents().iter().map(remote).collect::<Result<_, _>>()?;
        Ok(Page { objects, more: answer.is_truncated().unwrap_or_default() })
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    pub(super) async fn put_object(
        &self,
        key: &Key,
        headers: &Headers,
        (content, md5): (Content, Md5),
    ) -> Result<Written, StoreError> {
        let written = match (&self.lane, &content) {
            (Some(lane), Content::Memory(bytes)) => lane.put(key, headers, (bytes, &md5), &self.throttles).await,
            (None, _) | (_, Content::File(_)) => None,
        };
        let written = match written {
            Some(written) => written,
            None => self.put_object_by_sdk(key, headers, (content, &md5)).await?,
        };
        match written.etag {
            Some(ETag::Md5(arrived)) if arrived != md5 => Err(StoreError::Corrupted(key.clone())),
            _ => Ok(written),
        }
    }

    async fn put_object_by_sdk(
        &self,
        key: &Key,
        headers: &Headers,
        (content, md5): (Content, &Md5),
    ) -> Result<Written, StoreError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let patience = matches!(content, Content::File(_)).then(|| patience(&content));
        let request = with_headers!(request, headers).content_md5(content_md5(md5)).body(stream::body(content).into());
        // Content-MD5 guards the body; hashing it a second time for the signature would only cost time.
        let mut request = request.customize().disable_payload_signing();
        if let Some(patience) = patience {
            request = request.config_override(patience);
        }
        let learner = self.lane.as_ref().and_then(|lane| Some((lane, lane.learner(key)?)));
        if let Some((_, learner)) = &learner {
            request = request.interceptor(learner.clone());
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| AwsError::new("PutObject", self.object(key), error))?;
        if let Some((lane, learner)) = &learner {
            lane.open(learner);
        }
        let etag = answer.e_tag().map(ETag::parse);
        Ok(Written { version: kept(answer.version_id), etag, modified: None })
    }

    /// The same, with a sum that S3 compares with what arrives. Where the answer does not tell it, the store has not looked, and the
    /// entity tag has to do.
    pub(super) async fn put_object_from(
        &self,
        key: &Key,
        headers: &Headers,
        (stretch, sum): (FileRange, u64),
    ) -> Result<Written, StoreError> {
        let content = Content::File(stretch);
        let (patience, sum) = (patience(&content), crc64(sum));
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = with_headers!(request, headers).checksum_crc64_nvme(&sum);
        let request = request.body(stream::body(content.clone()).into());
        let answer = request.customize().disable_payload_signing().config_override(patience).send().await;
        let answer = answer.map_err(|error| AwsError::new("PutObject", self.object(key), error))?;
        let etag = answer.e_tag().map(ETag::parse);
        let is_checked = answer.checksum_crc64_nvme().is_some_and(|checked| checked == sum);
        if let (false, Some(ETag::Md5(arrived))) = (is_checked, &etag) {
            let sent = tokio::task::spawn_blocking(move || content.bytes().map(|bytes| crate::md5(&bytes))).await;
            let sent = sent.map_err(|stopped| StoreError::Broken(stopped.to_string()))?;
            if sent.is_ok_and(|sent| sent != *arrived) {
                return Err(StoreError::Corrupted(key.clone()));
            }
        }
        Ok(Written { version: kept(answer.version_id), etag, modified: None })
    }

    /// A lost answer makes the SDK send again what has been carried out, and then the condition does not hold any more:
    /// so what is there is looked at before anybody else is blamed.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    pub(super) async fn put_object_if(
        &self,
        key: &Key,
        headers: &Headers,
        (bytes, md5): (Bytes, Md5),
        condition: Condition<'_>,
    ) -> Result<Option<ETag>, StoreError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Is(etag) => request.if_match(quoted(etag)),
        };
        let request = with_headers!(request, headers).content_md5(content_md5(&md5)).body(bytes.into());
        let answer = request.send().await.map_err(|error| AwsError::new("PutObject", self.object(key), error));
        match answer {
            Ok(answer) => Ok(answer.e_tag().map(ETag::parse)),
            Err(error) if refused(&error) => {
                let there = self.head_object(key).await?.map(|head| head.etag);
                Ok(there.filter(|etag| *etag == ETag::Md5(md5)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    pub(super) async fn delete_object_if(&self, key: &Key, etag: &ETag) -> Result<bool, StoreError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).if_match(quoted(etag));
        let answer = request.send().await.map_err(|error| AwsError::new("DeleteObject", self.object(key), error));
        match answer {
            Ok(_) => Ok(true),
            Err(error) if refused(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    pub(super) async fn copy_onto_itself(&self, key: &Key, headers: &Headers) -> Result<Written, StoreError> {
        let request = self.client.copy_object().bucket(&self.bucket).key(key.as_str());
        let request = request.copy_source(copy_source(&self.bucket, key));
        let request = with_headers!(request, headers).metadata_directive(MetadataDirective::Replace);
        let answer = request.send().await.map_err(|error| AwsError::new("CopyObject", self.object(key), error))?;
        Ok(copied(answer))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    pub(super) async fn delete_objects(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        let unfit = |error: aws_sdk_s3::error::BuildError| {
            StoreError::Unfit(self.bucket.clone(), DisplayErrorContext(error).to_string())
        };
        let ids = keys.iter().map(|key| ObjectIdentifier::builder().key(key.as_str()).build());
        let ids = ids.collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        let delete = Delete::builder().set_objects(Some(ids)).quiet(true).build().map_err(unfit)?;
        let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
        let answer = answer.map_err(|error| AwsError::new("DeleteObjects", &self.bucket, error))?;
        let failed = answer.errors().iter().filter_map(|error| {
            let why = error.message().or(error.code()).unwrap_or("no reason given");
            Some((error.key()?.parse().ok()?, why.to_owned()))
        });
        Ok(failed.collect())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    pub(super) async fn head_object(&self, key: &Key) -> Result<Option<Head>, StoreError> {
        let answer = self.client.head_object().bucket(&self.bucket).key(key.as_str()).send().await;
        let answer = answer.map_err(|error| AwsError::new("HeadObject", self.object(key), error));
        let Some(mut found) = AwsError::absent(answer)?.map(head) else { return Ok(None) };
        if let ETag::Multipart(..) = found.etag {
            let first = self.client.head_object().bucket(&self.bucket).key(key.as_str()).part_number(1).send().await;
            let first = first.map_err(|error| AwsError::new("HeadObject", self.object(key), error))?;
            found.part_size = first.content_length().and_then(|size| u64::try_from(size).ok());
        }
        Ok(Some(found))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    pub(super) async fn get_object(&self, key: &Key) -> Result<Option<(Bytes, ETag)>, StoreError> {
        let answer = self.client.get_object().bucket(&self.bucket).key(key.as_str()).send().await;
        let answer = answer.map_err(|error| AwsError::new("GetObject", self.object(key), error));
        let Some(found) = AwsError::absent(answer)? else { return Ok(None) };
        let etag = ETag::parse(found.e_tag.as_deref().unwrap_or_default());
        let body = found.body.collect().await;
        let body = body.map_err(|error| AwsError::unexpected("GetObject", self.object(key), error))?;
        Ok(Some((body.into_bytes(), etag)))
    }

    /// The newest unfinished upload of a key, with its parts.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
    pub(super) async fn list_parts(&self, key: &Key) -> Result<Option<Pending>, StoreError> {
        let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(key.as_str());
        let answer = request.encoding_type(EncodingType::Url).send().await;
        let answer = answer.map_err(|error| AwsError::new("ListMultipartUploads", &self.bucket, error))?;
        let mine = answer
            .uploads()
            .iter()
            .filter(|upload| upload.key().is_some_and(|name| name == key.as_str() || decoded(name) == key.as_str()));
        let newest = mine.max_by_key(|upload| upload.initiated().map(aws_smithy_types::DateTime::secs));
        let Some(id) = newest.and_then(|upload| upload.upload_id()) else { return Ok(None) };
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let request = self.client.list_parts().bucket(&self.bucket).key(key.as_str()).upload_id(id);
            let answer = request.set_part_number_marker(marker).send().await;
            let answer = answer.map_err(|error| AwsError::new("ListParts", self.object(key), error))?;
            parts.extend(answer.parts().iter().filter_map(part_made));
            marker =
                answer.next_part_number_marker().filter(|_| answer.is_truncated() == Some(true)).map(str::to_owned);
            if marker.is_none() {
                return Ok(Some(Pending { id: id.to_owned(), parts }));
            }
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
    pub(super) async fn create_multipart_upload(&self, key: &Key, headers: &Headers) -> Result<String, StoreError> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(key.as_str());
        let answer = with_headers!(request, headers).send().await;
        let answer = answer.map_err(|error| AwsError::new("CreateMultipartUpload", self.object(key), error))?;
        let missing = || AwsError::unexpected("CreateMultipartUpload", self.object(key), "it names no upload id");
        Ok(answer.upload_id.ok_or_else(missing)?)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
    pub(super) async fn upload_part(
        &self,
        (key, id): (&Key, &str),
        number: u32,
        (content, md5): (Content, Md5),
    ) -> Result<(), StoreError> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let request = self.client.upload_part().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let patience = patience(&content);
        let request = request.part_number(number).content_md5(content_md5(&md5)).body(stream::body(content).into());
        let answer = request.customize().disable_payload_signing().config_override(patience).send().await;
        answer.map(drop).map_err(|error| AwsError::new("UploadPart", self.object(key), error).into())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
    pub(super) async fn complete_multipart_upload(
        &self,
        (key, id): (&Key, &str),
        parts: &[PartMade],
    ) -> Result<Written, StoreError> {
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let answer = request.multipart_upload(completed(parts)).send().await;
        let answer = answer.map_err(|error| AwsError::new("CompleteMultipartUpload", self.object(key), error))?;
        let etag = answer.e_tag().map(ETag::parse);
        Ok(Written { version: kept(answer.version_id), etag, modified: None })
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
    pub(super) async fn abort_multipart_upload(&self, (key, id): (&Key, &str)) -> Result<(), StoreError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let answer = request.send().await;
        let answer = answer.map_err(|error| AwsError::new("AbortMultipartUpload", self.object(key), error));
        AwsError::absent(answer.map(drop))?;
        Ok(())
    }
}

/// Time for a body of this size.
fn patience(content: &Content) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts_for(content.size()))
}

/// An entity tag as headers want it.
pub(super) fn quoted(etag: &ETag) -> String {
    format!("\"{etag}\"")
}

/// The id of a version that is kept; S3 writes `null` for one that is not.
pub(super) fn kept(version: Option<String>) -> Option<String> {
    version.filter(|id| id != "null")
}

/// True when a condition did not hold, or two conditional writes met.
fn refused(error: &AwsError) -> bool {
    let met = matches!(error.code.as_deref(), Some("ConditionalRequestConflict" | "NoSuchKey"));
    error.kind == Kind::Precondition || error.kind == Kind::Absent || met
}

pub(super) fn copied(answer: aws_sdk_s3::operation::copy_object::CopyObjectOutput) -> Written {
    let result = answer.copy_object_result;
    let etag = result.as_ref().and_then(|result| result.e_tag()).map(ETag::parse);
    let modified = result.as_ref().and_then(|result| result.last_modified()).map(DateTime::secs);
    Written { version: kept(answer.version_id), etag, modified }
}

fn part_made(part: &aws_sdk_s3::types::Part) -> Option<PartMade> {
    let ETag::Md5(md5) = ETag::parse(part.e_tag()?) else { return None };
    let number = u32::try_from(part.part_number()?).ok()?;
    Some(PartMade { number, md5, size: u64::try_from(part.size()?).ok()? })
}
