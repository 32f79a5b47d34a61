//! The past of a bucket, and copies between buckets: one function for each S3 operation.

use std::collections::BTreeMap;
use std::ops::Range;

use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, ChecksumType, EncodingType, MetadataDirective,
    ObjectIdentifier, ReplicationStatus as SdkReplicationStatus,
};
use aws_smithy_types::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use twinsite_aws::{AwsError, Kind};

use super::S3Store;
use super::streamed_copy::CopiedPart;
use super::wire::{
    KeyEncoding, copied, copy_source, head, kept, may_lack, patience, quoted, refused, with_condition, with_encryption,
    with_headers,
};
use crate::store::{
    Condition, Copied, Copying, Limit, ObjectVersion, ReplicationStatus, VersionHead, VersionedStore, VersionsPage,
};
use crate::{ETag, Headers, Key, StoreError};

impl S3Store {
    fn source(&self, copying: &Copying) -> String {
        let plain = copy_source(&self.bucket, &copying.key);
        match &copying.version {
            Some(version) => format!("{plain}?versionId={}", utf8_percent_encode(version, NON_ALPHANUMERIC)),
            None => plain,
        }
    }

    /// A store that does not know the setting keeps none.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
    pub(super) async fn get_bucket_versioning(&self) -> Result<bool, StoreError> {
        let answer = self.client.get_bucket_versioning().bucket(&self.bucket).send().await;
        match answer.map_err(|error| AwsError::new("GetBucketVersioning", &self.bucket, error)) {
            Ok(answer) => Ok(answer.status() == Some(&BucketVersioningStatus::Enabled)),
            Err(error) if error.is_unknown_operation() && error.status != Some(404) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What the parts of an object are like, should it have any.
    async fn first_part(&self, key: &Key, version: Option<&str>) -> Result<Option<u64>, StoreError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key.as_str()).part_number(1);
        let answer = request.set_version_id(version.map(str::to_owned)).send().await;
        let answer = answer.map_err(|error| AwsError::new("HeadObject", self.object(key), error))?;
        Ok(answer.content_length().and_then(|size| u64::try_from(size).ok()))
    }
}

impl VersionedStore for S3Store {
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
    async fn versions(&self, prefix: &str, behind: Option<&(String, String)>) -> Result<VersionsPage, StoreError> {
        let request = self.client.list_object_versions().bucket(&self.bucket).prefix(prefix);
        let (key, version) = behind.cloned().unzip();
        let request = request.set_key_marker(key).set_version_id_marker(version.filter(|id| !id.is_empty()));
        if self.limits.has(Limit::Versions) {
            return Ok(VersionsPage::default());
        }
        let answer = request.encoding_type(EncodingType::Url).send().await;
        let answer = match answer.map_err(|error| AwsError::new("ListObjectVersions", &self.bucket, error)) {
            Err(error) if error.is_unknown_operation() && error.status != Some(404) => {
                self.limits.add(Limit::Versions);
                return Ok(VersionsPage::default());
            }
            answer => answer?,
        };
        let keys = answer.versions().iter().filter_map(|version| version.key());
        let keys = keys.chain(answer.delete_markers().iter().filter_map(|marker| marker.key()));
        let encoding = KeyEncoding::of(answer.encoding_type().is_some(), keys);
        let versions = answer.versions().iter().filter_map(|version| {
            Some(ObjectVersion {
                key: encoding.decoded(version.key()?).parse().ok()?,
                version: version.version_id().unwrap_or("null").to_owned(),
                etag: Some(ETag::parse(version.e_tag()?)),
                size: u64::try_from(version.size()?).ok()?,
                modified: version.last_modified()?.secs(),
                latest: version.is_latest().unwrap_or_default(),
            })
        });
        let markers = answer.delete_markers().iter().filter_map(|marker| {
            Some(ObjectVersion {
                key: encoding.decoded(marker.key()?).parse().ok()?,
                version: marker.version_id().unwrap_or("null").to_owned(),
                etag: None,
                size: 0,
                modified: marker.last_modified()?.secs(),
                latest: marker.is_latest().unwrap_or_default(),
            })
        });
        let mut past: Vec<ObjectVersion> = versions.chain(markers).collect();
        past.sort_by(|a, b| a.key.cmp(&b.key).then(b.latest.cmp(&a.latest)).then(b.modified.cmp(&a.modified)));
        let more = answer.is_truncated().unwrap_or_default();
        let next = answer.next_key_marker().filter(|_| more).map(|key| {
            (encoding.decoded(key).into_owned(), answer.next_version_id_marker().unwrap_or_default().to_owned())
        });
        Ok(VersionsPage { past, next })
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    async fn look(&self, key: &Key, version: Option<&str>) -> Result<Option<VersionHead>, StoreError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key.as_str());
        let request = request.set_version_id(version.map(str::to_owned)).checksum_mode(ChecksumMode::Enabled);
        let answer = request.send().await.map_err(|error| AwsError::new("HeadObject", self.object(key), error));
        let Some(answer) = AwsError::absent(answer)? else { return Ok(None) };
        let whole = answer.checksum_type() != Some(&ChecksumType::Composite);
        let sums = [
            ("CRC64NVME", answer.checksum_crc64_nvme()),
            ("CRC32C", answer.checksum_crc32_c()),
            ("CRC32", answer.checksum_crc32()),
        ];
        let sum = sums.into_iter().find_map(|(name, sum)| Some((name.to_owned(), sum?.to_owned())));
        let mut look = VersionHead {
            version: kept(answer.version_id().map(str::to_owned)),
            modified: answer.last_modified().map(DateTime::secs).unwrap_or_default(),
            replication: replication_status(answer.replication_status()),
            expires: answer.expires_string().map(str::to_owned),
            checksum: sum.filter(|_| whole),
            head: head(answer),
        };
        if let ETag::Multipart(..) = look.head.etag {
            look.head.part_size = self.first_part(key, version).await?;
        }
        Ok(Some(look))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>
    async fn tags(&self, key: &Key, version: Option<&str>) -> Result<BTreeMap<String, String>, StoreError> {
        let request = self.client.get_object_tagging().bucket(&self.bucket).key(key.as_str());
        let answer = request.set_version_id(version.map(str::to_owned)).send().await;
        let answer = match answer.map_err(|error| AwsError::new("GetObjectTagging", self.object(key), error)) {
            // Then no object has tags.
            Err(error) if error.is_unknown_operation() && error.status != Some(404) => return Ok(BTreeMap::new()),
            answer => answer?,
        };
        Ok(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    fn can_copy_from(&self, from: &Self) -> bool {
        self.location == from.location && !self.limits.has(Limit::Copies)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    async fn copy(&self, from: &Self, copying: &Copying) -> Result<Copied, StoreError> {
        if !self.can_copy_from(from) {
            return Box::pin(self.copy_through(from, copying)).await;
        }
        let key = &copying.key;
        let request = self.client.copy_object().bucket(&self.bucket).key(key.as_str());
        let request = request.copy_source(from.source(copying)).copy_source_if_match(quoted(&copying.etag));
        let request = match &copying.headers {
            Some(headers) => with_headers!(request, headers).metadata_directive(MetadataDirective::Replace),
            None => request.set_website_redirect_location(copying.redirect.clone()),
        };
        let request = with_encryption!(request, self.encryption.as_ref());
        let unconditional = self.limits.has(Limit::CopyConditions);
        let condition = if unconditional { &Condition::None } else { self.effective(&copying.condition) };
        let conditional = with_condition!(request.clone(), condition);
        let failed = |error| AwsError::new("CopyObject", self.object(key), error);
        let mut answer = conditional.customize().config_override(patience(LARGE_COPY)).send().await.map_err(failed);
        if *condition != Condition::None && answer.as_ref().is_err_and(AwsError::is_not_implemented) {
            answer = request.customize().config_override(patience(LARGE_COPY)).send().await.map_err(failed);
            if answer.is_ok() {
                self.limits.add(Limit::CopyConditions);
            }
        }
        if let Err(error) = &answer
            && error.is_unknown_operation()
            && error.status != Some(404)
        {
            let copied = Box::pin(self.copy_through(from, copying)).await?;
            self.limits.add(Limit::Copies);
            return Ok(copied);
        }
        let error = match answer {
            Ok(answer) => return Ok(Copied::Done(copied(answer))),
            Err(error) if copying.condition == Condition::None && gone(&error) => return Ok(Copied::Gone),
            Err(error) if gone(&error) || refused(&error) => error,
            Err(error) => return Err(error.into()),
        };
        // One response for two preconditions, and for a repeated copy whose first response was lost: look which it is.
        let there = self.look(key, None).await?;
        let etag = there.as_ref().map(|there| &there.head.etag);
        if copying.condition.holds(etag) {
            return Ok(Copied::Gone);
        }
        let there = there.filter(|there| copying.headers.as_ref().is_none_or(|headers| there.head.headers == *headers));
        let ours = match there {
            Some(there) if there.head.etag == copying.etag => Some(there),
            // A copy with an opaque tag has another one than its original.
            Some(there) => {
                let original = from.look(key, copying.version.as_deref()).await?;
                original.filter(|original| there.same_bytes(original) == Some(true)).map(|_| there)
            }
            None => None,
        };
        match ours {
            Some(there) => Ok(Copied::Done(there.into())),
            None if refused(&error) => Err(StoreError::Changed(key.clone())),
            None => Ok(Copied::Gone),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
    async fn begin_copy(
        &self,
        key: &Key,
        look: &VersionHead,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, StoreError> {
        let headers: &Headers = &look.head.headers;
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(key.as_str());
        let mut request = with_encryption!(with_headers!(request, headers), self.encryption.as_ref());
        let failed = |error| AwsError::new("CreateMultipartUpload", self.object(key), error);
        if let Some(expires) = look.expires.as_deref() {
            let date = DateTime::from_str(expires, aws_smithy_types::date_time::Format::HttpDate);
            request = request.set_expires(date.ok());
        }
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let tags: Vec<String> =
            tags.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let request = request.set_tagging((!tags.is_empty()).then(|| tags.join("&")));
        let algorithm = look.checksum.as_ref().filter(|_| !self.limits.has(Limit::Checksums));
        let answer = match algorithm {
            Some((algorithm, _)) => {
                let checked = request.clone().checksum_algorithm(ChecksumAlgorithm::from(algorithm.as_str()));
                match checked.checksum_type(ChecksumType::FullObject).send().await.map_err(failed) {
                    Err(error) if may_lack(&error) => {
                        let answer = request.send().await.map_err(failed).map_err(|_| error)?;
                        self.limits.add(Limit::Checksums);
                        answer
                    }
                    answer => answer?,
                }
            }
            None => request.send().await.map_err(failed)?,
        };
        let missing = || AwsError::unexpected("CreateMultipartUpload", self.object(key), "it names no upload id");
        Ok(answer.upload_id.ok_or_else(missing)?)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
    async fn part_copy(
        &self,
        from: &Self,
        (copying, id): (&Copying, &str),
        number: u32,
        bytes: Range<u64>,
    ) -> Result<Option<ETag>, StoreError> {
        let key = &copying.key;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        if !self.can_copy_from(from) {
            return Box::pin(self.part_through(from, CopiedPart { copying, id, number, bytes })).await;
        }
        let range = format!("bytes={}-{}", bytes.start, bytes.end.saturating_sub(1));
        let request = self.client.upload_part_copy().bucket(&self.bucket).key(key.as_str()).upload_id(id);
        let request = request.part_number(number).copy_source(from.source(copying)).copy_source_range(range);
        let request = request.copy_source_if_match(quoted(&copying.etag));
        let answer = request.customize().config_override(patience(LARGE_COPY)).send().await;
        let answer = answer.map_err(|error| AwsError::new("UploadPartCopy", self.object(key), error));
        let answer = match answer {
            Err(error) if gone(&error) && error.code.as_deref() != Some("NoSuchUpload") => return Ok(None),
            other => other?,
        };
        let etag = answer.copy_part_result().and_then(|part| part.e_tag()).map(ETag::parse);
        let missing = || AwsError::unexpected("UploadPartCopy", self.object(key), "it names no entity tag of the part");
        etag.map(Some).ok_or_else(|| missing().into())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    async fn delete_versions(&self, versions: &[(Key, String)]) -> Result<Vec<(Key, String)>, StoreError> {
        let id = |(key, version): &(Key, String)| ObjectIdentifier::builder().key(key.as_str()).version_id(version);
        self.delete_unconditionally(versions.iter().map(id)).await
    }
}

/// Copies within S3 take at most as long as an upload of this size over a slow link.
const LARGE_COPY: u64 = 16 << 20;

/// True when what was to be copied is not there any more, or is something else.
fn gone(error: &AwsError) -> bool {
    let bucket = error.code.as_deref() == Some("NoSuchBucket");
    !bucket && matches!(error.kind, Kind::Precondition | Kind::Absent)
}

fn replication_status(status: Option<&SdkReplicationStatus>) -> ReplicationStatus {
    match status {
        None => ReplicationStatus::None,
        Some(SdkReplicationStatus::Complete | SdkReplicationStatus::Completed) => ReplicationStatus::Completed,
        Some(SdkReplicationStatus::Failed) => ReplicationStatus::Failed,
        Some(SdkReplicationStatus::Replica) => ReplicationStatus::Replica,
        Some(_) => ReplicationStatus::Pending,
    }
}
