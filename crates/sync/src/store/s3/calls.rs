//! One function for each S3 operation, by its AWS name.

use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_s3::error::{BuildError, DisplayErrorContext};
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::types::builders::ObjectIdentifierBuilder;
use aws_sdk_s3::types::{self, Delete, EncodingType, MetadataDirective, ObjectIdentifier};
use futures::{StreamExt, TryStreamExt, stream};
use twinsite_aws::AwsError;

use super::S3Store;
use super::fast_put::SmallPut;
use super::list::Listed;
use super::response_date::ResponseDate;
use super::stream as body;
use super::wire::{
    Answered, Conditional, KeyEncoding, Sent, completed, content_md5, copied, copy_source, crc64, head, kept, may_lack,
    patience, quoted, refused, remote, tag_kind, use_content_md5, with_condition, with_encryption, with_headers,
};
use crate::model::limits::MAX_READ;
use crate::store::{
    Condition, Head, Limit, ListedObject, NotDeleted, Page, PartMade, Pending, ReadObject, VersionHead, VersionedStore,
    Written,
};
use crate::{Content, ETag, FileRange, Headers, Key, Md5, StoreError, TagKind, multipart_etag};

impl S3Store {
    pub(super) fn object(&self, key: &Key) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// The condition that is sent: none to a store that does not support any.
    pub(super) fn effective<'c>(&self, condition: &'c Condition) -> &'c Condition {
        if self.limits.has(Limit::Conditions) { &Condition::None } else { condition }
    }

    /// True if a conditional write may have failed because of its condition header, and would not without it.
    pub(super) fn may_lack_conditions(&self, condition: &Condition, error: &StoreError) -> bool {
        let is_conditional = *self.effective(condition) != Condition::None;
        is_conditional && matches!(error, StoreError::Aws(error) if may_lack(error))
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
        let keys = answer.contents().iter().filter_map(|object| object.key());
        let encoding = KeyEncoding::of(answer.encoding_type().is_some(), keys);
        let objects = answer.contents().iter().map(|object| remote(object, encoding)).collect::<Result<_, _>>()?;
        Ok(Page { objects, more: answer.is_truncated().unwrap_or_default() })
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    pub(super) async fn put_object(
        &self,
        key: &Key,
        headers: &Headers,
        (content, md5): (Content, Md5),
        condition: &Condition,
    ) -> Result<Conditional, StoreError> {
        let condition = self.effective(condition);
        let fast = match (&self.fast_put, &content) {
            (Some(fast_put), Content::Memory(bytes)) => {
                let put = SmallPut { key, headers, bytes, md5: &md5, condition };
                fast_put.put(put, self.fence.as_ref(), &self.throttles).await
            }
            (None, _) | (_, Content::File(_)) => None,
        };
        let put = match fast {
            Some(put) => put,
            // It was given up: sending it once more would be another wait.
            None if self.fence.as_ref().is_some_and(|fence| fence.0.is_cancelled()) => {
                return Err(AwsError::interrupted("PutObject", self.object(key)).into());
            }
            None => self.put_object_by_sdk(key, headers, (content.clone(), &md5), condition).await?,
        };
        match put {
            Conditional::Written(answered) => {
                let written = self.check_arrival(key, answered, &content, Some(md5)).await?;
                Ok(Conditional::Written(Answered { written, crc64: None }))
            }
            refused @ Conditional::Refused(_) => Ok(refused),
        }
    }

    /// Whether the bytes that arrived are those that were sent, and what the entity tag is. S3 has compared them with the checksum of
    /// the request; a server that only resembles S3 may not have.
    ///
    /// Only a tag that is an MD5 tells. What else tells: the checksum of the response, that of the object, or the object itself.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
    async fn check_arrival(
        &self,
        key: &Key,
        answered: Answered,
        content: &Content,
        md5: Option<Md5>,
    ) -> Result<Written, StoreError> {
        let Answered { mut written, crc64: told } = answered;
        let expected = match (written.tag_kind, &written.etag, md5) {
            (TagKind::Digest, Some(ETag::Md5(arrived)), Some(md5)) if *arrived == md5 => {
                self.has_md5_tags.store(true, Ordering::Relaxed);
                return Ok(written);
            }
            (TagKind::Digest, Some(ETag::Md5(_)), None) => Digests::of(content).await?,
            (TagKind::Digest, None, _) => return Ok(written),
            (TagKind::Digest | TagKind::Opaque, ..) if told.is_some() => Digests::of(content).await?,
            (TagKind::Digest, Some(ETag::Md5(_)), Some(_)) if !self.has_own_tags.load(Ordering::Relaxed) => {
                Digests::of(content).await?
            }
            // The request had a checksum, and the store has accepted it.
            (TagKind::Digest | TagKind::Opaque, ..) => return Ok(Written { tag_kind: TagKind::Opaque, ..written }),
        };
        // The content has changed since it was compared, and this server does not look at `Content-MD5`.
        if md5.is_some_and(|planned| planned != expected.md5) {
            return Err(StoreError::Corrupted(key.clone()));
        }
        if written.tag_kind == TagKind::Digest && written.etag == Some(ETag::Md5(expected.md5)) {
            self.has_md5_tags.store(true, Ordering::Relaxed);
            return Ok(written);
        }
        let arrived = match told {
            Some(told) => told == crc64(expected.crc64),
            None => self.holds(key, &expected).await?,
        };
        if !arrived {
            return Err(StoreError::Corrupted(key.clone()));
        }
        if written.tag_kind == TagKind::Digest {
            self.has_own_tags.store(true, Ordering::Relaxed);
            written.tag_kind = TagKind::Opaque;
        }
        Ok(written)
    }

    /// Whether an object has these bytes: by its checksum or, without one, by reading it.
    async fn holds(&self, key: &Key, expected: &Digests) -> Result<bool, StoreError> {
        let look = self.look(key, None).await?;
        if let Some(("CRC64NVME", sum)) = look.as_ref().and_then(VersionHead::checksum) {
            return Ok(sum == crc64(expected.crc64));
        }
        let read = self.get_object(key, MAX_READ).await?;
        Ok(read.is_some_and(|read| crate::md5(&read.bytes) == expected.md5))
    }

    async fn put_object_by_sdk(
        &self,
        key: &Key,
        headers: &Headers,
        (content, md5): (Content, &Md5),
        condition: &Condition,
    ) -> Result<Conditional, StoreError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = with_encryption!(with_condition!(request, condition), self.encryption.as_ref());
        let patience = matches!(content, Content::File(_)).then(|| patience(content.size()));
        let request = with_headers!(request, headers).content_md5(content_md5(md5));
        let request = request.body(body::body(content.clone()).into());
        // Content-MD5 guards the body; hashing it a second time for the signature would only cost time.
        let mut request = request.customize().disable_payload_signing();
        if let Some(patience) = patience {
            request = request.config_override(patience);
        }
        let learner = self.fast_put.as_ref().and_then(|fast_put| Some((fast_put, fast_put.learner(key)?)));
        if let Some((_, learner)) = &learner {
            request = request.interceptor(learner.clone());
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| AwsError::new("PutObject", self.object(key), error));
        let answer = match answer {
            Err(error) if refused(&error) => return Ok(Conditional::Refused(Sent::Content(content))),
            answer => answer?,
        };
        if let Some((fast_put, learner)) = &learner {
            fast_put.open(learner);
        }
        Ok(Conditional::Written(put_answer(answer)))
    }

    /// The same, with a sum that S3 compares with what arrives. Where the answer does not tell it, the store has not looked, and the
    /// entity tag has to do.
    pub(super) async fn put_object_from(
        &self,
        key: &Key,
        headers: &Headers,
        (range, sum): (FileRange, u64),
        condition: &Condition,
    ) -> Result<Conditional, StoreError> {
        let (content, condition) = (Content::File(range), self.effective(condition));
        if self.limits.has(Limit::Checksums) {
            return Box::pin(self.put_object_with_md5(key, headers, content, condition)).await;
        }
        let (patience, sum) = (patience(content.size()), crc64(sum));
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = with_encryption!(with_headers!(request, headers), self.encryption.as_ref());
        let request = with_condition!(request, condition).checksum_crc64_nvme(&sum);
        let request = request.body(body::body(content.clone()).into());
        let answer = request.customize().disable_payload_signing().config_override(patience).send().await;
        let answer = answer.map_err(|error| AwsError::new("PutObject", self.object(key), error));
        let answer = match answer {
            Err(error) if refused(&error) => return Ok(Conditional::Refused(Sent::Content(content))),
            Err(error) if may_lack(&error) => {
                let written =
                    Box::pin(self.put_object_with_md5(key, headers, content, condition)).await.map_err(|_| error)?;
                self.limits.add(Limit::Checksums);
                return Ok(written);
            }
            answer => answer?,
        };
        let answered = put_answer(answer);
        let is_checked = answered.crc64.as_ref().is_some_and(|checked| *checked == sum);
        let has_md5_tags = self.has_md5_tags.load(Ordering::Relaxed) && !self.has_own_tags.load(Ordering::Relaxed);
        if is_checked && (has_md5_tags || answered.written.tag_kind == TagKind::Opaque) {
            return Ok(Conditional::Written(answered));
        }
        let written = self.check_arrival(key, answered, &content, None).await?;
        Ok(Conditional::Written(Answered { written, crc64: None }))
    }

    /// The same for stores that do not support such a sum.
    async fn put_object_with_md5(
        &self,
        key: &Key,
        headers: &Headers,
        content: Content,
        condition: &Condition,
    ) -> Result<Conditional, StoreError> {
        let read = content.clone();
        let md5 = tokio::task::spawn_blocking(move || read.bytes().map(|bytes| crate::md5(&bytes))).await;
        let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
        let md5 = md5.map_err(|stopped| broken(&stopped))?.map_err(|error| broken(&error))?;
        self.put_object_by_sdk(key, headers, (content, &md5), condition).await
    }

    /// If the response to a conditional write is lost, the SDK repeats the write, and now its condition does not hold any more. So an
    /// object that is what was written counts as written; anything else was changed by somebody else.
    pub(super) async fn unless_ours(
        &self,
        key: &Key,
        headers: &Headers,
        write: Conditional,
    ) -> Result<Written, StoreError> {
        let sent = match write {
            Conditional::Written(answered) => return Ok(answered.written),
            Conditional::Refused(sent) => sent,
        };
        let there = self.look(key, None).await?.filter(|there| there.head.headers == *headers);
        let there = there.ok_or_else(|| StoreError::Changed(key.clone()))?;
        let ours = match sent {
            Sent::SameBytes => true,
            Sent::CopyOf(etag) => there.head.etag == etag,
            Sent::Content(content) => {
                let sent = Digests::of(&content).await?;
                match (there.head.tag_kind, &there.head.etag, there.checksum()) {
                    (TagKind::Digest, ETag::Md5(there), _) if *there == sent.md5 => true,
                    (_, _, Some(("CRC64NVME", sum))) => sum == crc64(sent.crc64),
                    _ => false,
                }
            }
        };
        if ours { Ok(there.into()) } else { Err(StoreError::Changed(key.clone())) }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    pub(super) async fn delete_object_if(
        &self,
        ListedObject { key, etag }: &ListedObject,
    ) -> Result<Vec<NotDeleted>, StoreError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        let unconditional = self.limits.has(Limit::Conditions);
        let answer = if unconditional { request } else { request.if_match(quoted(etag)) }.send().await;
        let answer = answer.map_err(|error| AwsError::new("DeleteObject", self.object(key), error));
        match answer {
            Err(error) if !unconditional && may_lack(&error) => match self.head_object(key).await? {
                Some(head) if head.etag != *etag => Ok(vec![changed(key.clone())]),
                Some(_) => {
                    self.delete_object(key).await.map_err(|_| error)?;
                    Ok(Vec::new())
                }
                None => Ok(Vec::new()),
            },
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.code.as_deref() == Some("NoSuchKey") => Ok(Vec::new()),
            Err(error) if refused(&error) => Ok(vec![changed(key.clone())]),
            Err(error) => Err(error.into()),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    pub(super) async fn delete_objects_if(&self, objects: &[ListedObject]) -> Result<Vec<NotDeleted>, StoreError> {
        if self.limits.has(Limit::BatchDeletes) {
            return Box::pin(self.delete_one_by_one_if(objects)).await;
        }
        let conditional = !self.limits.has(Limit::Conditions);
        let listed = objects.iter().map(|object| {
            let id = ObjectIdentifier::builder().key(object.key.as_str());
            if conditional { id.e_tag(quoted(&object.etag)) } else { id }
        });
        let left = match self.delete_objects(listed).await {
            Err(StoreError::Aws(error)) if may_lack(&error) => {
                let left = Box::pin(self.delete_one_by_one_if(objects)).await.map_err(|_| error)?;
                self.limits.add(Limit::BatchDeletes);
                return Ok(left);
            }
            left => left?,
        };
        let left = left.iter().filter(|error| error.code() != Some("NoSuchKey"));
        left.map(|error| {
            let (key, why) = (error.key().and_then(|key| key.parse::<Key>().ok()), reason(error));
            match (key, error.code()) {
                (Some(key), Some("PreconditionFailed" | "ConditionalRequestConflict")) => Ok(changed(key)),
                (Some(key), _) => {
                    let error = StoreError::Broken(format!("`{key}` was not deleted: {why}"));
                    Ok(NotDeleted { key, error })
                }
                (None, _) => Err(StoreError::Broken(format!("an object was not deleted: {why}"))),
            }
        })
        .collect()
    }

    /// For stores that lack `DeleteObjects`, or its preconditions.
    async fn delete_one_by_one_if(&self, objects: &[ListedObject]) -> Result<Vec<NotDeleted>, StoreError> {
        let deletes: Vec<_> = objects.iter().map(|object| self.delete_object_if(object)).collect();
        let left: Vec<Vec<NotDeleted>> = stream::iter(deletes).buffer_unordered(DELETES).try_collect().await?;
        Ok(left.into_iter().flatten().collect())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
    async fn delete_object(&self, key: &Key) -> Result<(), StoreError> {
        let answer = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).send().await;
        let answer = answer.map_err(|error| AwsError::new("DeleteObject", self.object(key), error));
        Ok(AwsError::absent(answer).map(drop)?)
    }

    async fn delete_one_by_one(&self, keys: &[Key]) -> Result<(), StoreError> {
        let deletes: Vec<_> = keys.iter().map(|key| self.delete_object(key)).collect();
        stream::iter(deletes).buffer_unordered(DELETES).try_collect::<()>().await
    }

    /// Deletes current objects, whatever they are, and returns those that were not deleted with the reasons.
    pub(super) async fn delete_keys(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
        if self.limits.has(Limit::BatchDeletes) {
            return Box::pin(self.delete_one_by_one(keys)).await.map(|()| Vec::new());
        }
        let id = |key: &Key| ObjectIdentifier::builder().key(key.as_str());
        match self.delete_unconditionally(keys.iter().map(id)).await {
            Err(StoreError::Aws(error)) if may_lack(&error) => {
                Box::pin(self.delete_one_by_one(keys)).await.map_err(|_| error)?;
                self.limits.add(Limit::BatchDeletes);
                Ok(Vec::new())
            }
            left => left,
        }
    }

    /// The source of the copy is its destination, so the precondition on the source, which every store knows, guards both.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    pub(super) async fn copy_onto_itself(
        &self,
        ListedObject { key, etag }: &ListedObject,
        headers: &Headers,
    ) -> Result<Conditional, StoreError> {
        let request = self.client.copy_object().bucket(&self.bucket).key(key.as_str());
        let request = request.copy_source(copy_source(&self.bucket, key)).copy_source_if_match(quoted(etag));
        let request = with_headers!(request, headers).metadata_directive(MetadataDirective::Replace);
        let request = with_encryption!(request, self.encryption.as_ref());
        let answer = request.send().await.map_err(|error| AwsError::new("CopyObject", self.object(key), error));
        match answer {
            Err(error) if refused(&error) => Ok(Conditional::Refused(Sent::SameBytes)),
            answer => Ok(Conditional::Written(Answered { written: copied(answer?), crc64: None })),
        }
    }

    /// Deletes what these builders name, and returns what was not deleted.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    pub(super) async fn delete_objects(
        &self,
        objects: impl Iterator<Item = ObjectIdentifierBuilder>,
    ) -> Result<Vec<types::Error>, StoreError> {
        let unfit = |error: BuildError| StoreError::Unfit(self.bucket.clone(), DisplayErrorContext(error).to_string());
        let ids = objects.map(ObjectIdentifierBuilder::build).collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        let delete = Delete::builder().set_objects(Some(ids)).quiet(true).build().map_err(unfit)?;
        let request = || self.client.delete_objects().bucket(&self.bucket).delete(delete.clone()).customize();
        let failed = |error| AwsError::new("DeleteObjects", &self.bucket, error);
        let with_md5 = async || request().mutate_request(use_content_md5).send().await.map_err(failed);
        if self.limits.has(Limit::Checksums) {
            return Ok(with_md5().await?.errors.unwrap_or_default());
        }
        match request().send().await.map_err(failed) {
            Err(error) if may_lack(&error) || error.code.as_deref() == Some("MissingContentMD5") => {
                let answer = with_md5().await.map_err(|_| error)?;
                self.limits.add(Limit::Checksums);
                Ok(answer.errors.unwrap_or_default())
            }
            answer => Ok(answer?.errors.unwrap_or_default()),
        }
    }

    /// The same, with the reasons of what was not deleted.
    pub(super) async fn delete_unconditionally(
        &self,
        objects: impl Iterator<Item = ObjectIdentifierBuilder>,
    ) -> Result<Vec<(Key, String)>, StoreError> {
        let left = self.delete_objects(objects).await?;
        Ok(left.iter().filter_map(|error| Some((error.key()?.parse().ok()?, reason(error).to_owned()))).collect())
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
    pub(super) async fn get_object(&self, key: &Key, limit: u64) -> Result<Option<ReadObject>, StoreError> {
        let date = ResponseDate::default();
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str()).customize();
        let answer = request.interceptor(date.clone()).send().await;
        let answer = answer.map_err(|error| AwsError::new("GetObject", self.object(key), error));
        let Some(found) = AwsError::absent(answer)? else { return Ok(None) };
        let size = found.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(u64::MAX);
        let etag = ETag::parse(found.e_tag.as_deref().unwrap_or_default());
        let age = found.last_modified().zip(date.get()).map(|(written, now)| now - written.secs());
        let age = age.and_then(|age| u64::try_from(age).ok()).map(Duration::from_secs);
        if size > limit {
            return Err(StoreError::TooLarge { key: key.clone(), size, limit, etag: Some(etag), age });
        }
        let body = found.body.collect().await;
        let body = body.map_err(|error| AwsError::unexpected("GetObject", self.object(key), error))?;
        Ok(Some(ReadObject { bytes: body.into_bytes(), etag, age }))
    }

    /// The newest unfinished upload of a key, with its parts.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
    pub(super) async fn list_parts(&self, key: &Key) -> Result<Option<Pending>, StoreError> {
        let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(key.as_str());
        let answer = request.encoding_type(EncodingType::Url).send().await;
        let answer = answer.map_err(|error| AwsError::new("ListMultipartUploads", &self.bucket, error))?;
        let is_mine = |name: &str| name == key.as_str() || KeyEncoding::Url.decoded(name) == key.as_str();
        let mine = answer.uploads().iter().filter(|upload| upload.key().is_some_and(is_mine));
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
        let request = with_encryption!(with_headers!(request, headers), self.encryption.as_ref());
        let answer = request.send().await;
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
    ) -> Result<ETag, StoreError> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let request = self.client.upload_part().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let patience = patience(content.size());
        let request = request.part_number(number).content_md5(content_md5(&md5)).body(body::body(content).into());
        let answer = request.customize().disable_payload_signing().config_override(patience).send().await;
        let answer = answer.map_err(|error| AwsError::new("UploadPart", self.object(key), error))?;
        Ok(answer.e_tag().map_or(ETag::Md5(md5), ETag::parse))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
    pub(super) async fn complete_multipart_upload(
        &self,
        (key, id): (&Key, &str),
        parts: &[PartMade],
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let request = request.multipart_upload(completed(parts));
        let condition = self.effective(condition);
        let failed = |error| AwsError::new("CompleteMultipartUpload", self.object(key), error);
        let mut answer = with_condition!(request.clone(), condition).send().await.map_err(failed);
        if *condition != Condition::None
            && answer.as_ref().is_err_and(may_lack)
            && let Ok(unconditional) = request.send().await
        {
            self.limits.add(Limit::Conditions);
            answer = Ok(unconditional);
        }
        let error = match answer {
            Ok(answer) => {
                let tag_kind = tag_kind(answer.server_side_encryption(), None);
                let etag = answer.e_tag().map(ETag::parse);
                return Ok(Written { version: kept(answer.version_id), etag, tag_kind, modified: None });
            }
            Err(error) => error,
        };
        let ended = error.code.as_deref() == Some("NoSuchUpload");
        if !ended && !refused(&error) {
            return Err(error.into());
        }
        // The response to an earlier attempt may have been lost. Opaque tags of parts do not lead to the object's.
        let digests: Option<Vec<Md5>> = parts.iter().map(PartMade::md5).collect();
        let expected = digests.map(|digests| multipart_etag(&digests));
        let there = self.look(key, None).await?.filter(|there| Some(&there.head.etag) == expected.as_ref());
        match there {
            Some(there) => Ok(there.into()),
            None if ended => Err(error.into()),
            None => Err(StoreError::Changed(key.clone())),
        }
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

/// Objects deleted at once, where they are deleted one by one.
const DELETES: usize = 16;

fn reason(error: &types::Error) -> &str {
    error.message().or(error.code()).unwrap_or("no reason given")
}

fn changed(key: Key) -> NotDeleted {
    NotDeleted { error: StoreError::Changed(key.clone()), key }
}

fn part_made(part: &aws_sdk_s3::types::Part) -> Option<PartMade> {
    let number = u32::try_from(part.part_number()?).ok()?;
    Some(PartMade { number, etag: ETag::parse(part.e_tag()?), size: u64::try_from(part.size()?).ok()? })
}

pub(super) fn put_answer(answer: PutObjectOutput) -> Answered {
    let tag_kind = tag_kind(answer.server_side_encryption(), answer.sse_customer_algorithm());
    let etag = answer.e_tag().map(ETag::parse);
    let crc64 = answer.checksum_crc64_nvme().map(str::to_owned);
    Answered { written: Written { version: kept(answer.version_id), etag, tag_kind, modified: None }, crc64 }
}

/// What tells the bytes that were sent.
struct Digests {
    md5: Md5,
    crc64: u64,
}

impl Digests {
    async fn of(content: &Content) -> Result<Self, StoreError> {
        let content = content.clone();
        let read = move || {
            let bytes = content.bytes()?;
            Ok::<_, std::io::Error>(Self { md5: crate::md5(&bytes), crc64: crate::model::checksum::crc64(&bytes) })
        };
        let read =
            tokio::task::spawn_blocking(read).await.map_err(|stopped| StoreError::Broken(stopped.to_string()))?;
        read.map_err(|error| StoreError::Broken(error.to_string()))
    }
}
