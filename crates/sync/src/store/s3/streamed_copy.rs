//! Copies between stores of which neither can read the other: the bytes pass through this process.

use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use twinsite_aws::{AwsError, Kind};

use super::S3Store;
use super::calls::put_answer;
use super::wire::{
    Answered, Conditional, Sent, content_md5, patience, quoted, refused, tag_kind, with_condition, with_encryption,
    with_headers,
};
use crate::store::{Condition, Copied, Copying, ListedObject, Store, VersionedStore, Written};
use crate::{ETag, Headers, Key, Md5, StoreError, TagKind};

/// An object of at most this size is read before it is sent, so that the request can be repeated. A larger one is sent while it is
/// read.
const SMALL: u64 = 8 << 20;

impl S3Store {
    /// `CopyObject` by hand.
    pub(super) async fn copy_through(&self, from: &Self, copying: &Copying) -> Result<Copied, StoreError> {
        let headers = match &copying.headers {
            Some(headers) => headers.clone(),
            None => match from.look(&copying.key, copying.version.as_deref()).await? {
                Some(look) => Headers { website_redirect: copying.redirect.clone(), ..look.head.headers },
                None => return Ok(Copied::Gone),
            },
        };
        let Some(found) = from.open(copying, None).await? else { return Ok(Copied::Gone) };
        let written = self.put_found(&copying.key, &headers, found, &copying.etag, &copying.condition).await?;
        Ok(Copied::Done(self.unless_ours(&copying.key, &headers, written).await?))
    }

    /// `UploadPartCopy` by hand.
    pub(super) async fn part_through(&self, from: &Self, part: CopiedPart<'_>) -> Result<Option<ETag>, StoreError> {
        let CopiedPart { copying, id, number, bytes } = part;
        let length = bytes.end.saturating_sub(bytes.start);
        let Some(found) = from.open(copying, Some(bytes)).await? else { return Ok(None) };
        let key = &copying.key;
        let request =
            self.client.upload_part().bucket(&self.bucket).key(key.as_str()).upload_id(id).part_number(number);
        let request = request.content_length(i64::try_from(length).unwrap_or(i64::MAX)).body(found.body);
        let answer = request.customize().disable_payload_signing().config_override(patience(length)).send().await;
        let answer = answer.map_err(|error| AwsError::new("UploadPart", self.object(key), error))?;
        // What the parts add up to is compared with the original, where their tags are digests.
        let missing = || AwsError::unexpected("UploadPart", self.object(key), "it names no entity tag of the part");
        answer.e_tag().map(ETag::parse).map(Some).ok_or_else(|| missing().into())
    }

    /// A rewrite by hand: the object is read and written again with other headers.
    pub(super) async fn write_again(
        &self,
        object: &ListedObject,
        headers: &Headers,
    ) -> Result<Conditional, StoreError> {
        let ListedObject { key, etag } = object;
        let copying = Copying {
            key: key.clone(),
            version: None,
            etag: etag.clone(),
            headers: None,
            redirect: None,
            condition: Condition::None,
        };
        let found = self.open(&copying, None).await?.ok_or_else(|| StoreError::Changed(key.clone()))?;
        let written = self.put_found(key, headers, found, etag, &Condition::Is(etag.clone())).await?;
        let written = self.unless_ours(key, headers, written).await?;
        // By its date it is told from the same bytes with other headers.
        let there = self.look(key, None).await?;
        Ok(Conditional::Written(Answered { written: there.map_or(written, Written::from), crc64: None }))
    }

    /// Requests an object, if it still is what it was.
    pub(super) async fn open(
        &self,
        copying: &Copying,
        range: Option<Range<u64>>,
    ) -> Result<Option<GetObjectOutput>, StoreError> {
        let Copying { key, version, etag, .. } = copying;
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str()).if_match(quoted(etag));
        let request = request.set_version_id(version.clone());
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let answer = request.set_range(range).send().await;
        let answer = answer.map_err(|error| AwsError::new("GetObject", self.object(key), error));
        match answer {
            Err(error) if error.kind == Kind::Precondition => Ok(None),
            answer => {
                let found = AwsError::absent(answer)?;
                // A store without preconditions of reads sends what is there by now.
                Ok(found.filter(|found| found.e_tag().is_none_or(|there| ETag::parse(there) == *etag)))
            }
        }
    }

    async fn put_found(
        &self,
        key: &Key,
        headers: &Headers,
        found: GetObjectOutput,
        etag: &ETag,
        condition: &Condition,
    ) -> Result<Conditional, StoreError> {
        let digest = match (tag_kind(found.server_side_encryption(), found.sse_customer_algorithm()), etag) {
            (TagKind::Digest, ETag::Md5(md5)) => Some(*md5),
            _ => None,
        };
        let length = found.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        if length <= SMALL {
            let body = found.body.collect().await;
            let bytes = body.map_err(|error| AwsError::unexpected("GetObject", self.object(key), error))?.into_bytes();
            let md5 = crate::md5(&bytes);
            if digest.is_some_and(|wanted| wanted != md5) {
                return Err(StoreError::Corrupted(key.clone()));
            }
            let written = self.put_if(key, headers, (bytes.into(), md5), condition).await?;
            return Ok(Conditional::Written(Answered { written, crc64: None }));
        }
        self.put_stream(key, headers, PassedBody { body: found.body, length, digest, etag }, condition).await
    }

    /// Not repeated if it fails, because the bytes are gone by then.
    async fn put_stream(
        &self,
        key: &Key,
        headers: &Headers,
        sent: PassedBody<'_>,
        condition: &Condition,
    ) -> Result<Conditional, StoreError> {
        let PassedBody { body, length, digest, etag } = sent;
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str());
        let request = with_encryption!(with_headers!(request, headers), self.encryption.as_ref());
        let request = with_condition!(request, self.effective(condition));
        let request = request
            .set_content_md5(digest.as_ref().map(content_md5))
            .content_length(i64::try_from(length).unwrap_or(i64::MAX))
            .body(body);
        let answer = request.customize().disable_payload_signing().config_override(patience(length)).send().await;
        let answer = answer.map_err(|error| AwsError::new("PutObject", self.object(key), error));
        match answer {
            Err(error) if refused(&error) => Ok(Conditional::Refused(Sent::CopyOf(etag.clone()))),
            answer => Ok(Conditional::Written(put_answer(answer?))),
        }
    }
}

/// A part of an object, and the upload that it is for.
pub(super) struct CopiedPart<'a> {
    pub(super) copying: &'a Copying,
    pub(super) id: &'a str,
    pub(super) number: i32,
    pub(super) bytes: Range<u64>,
}

/// A body that passes through.
struct PassedBody<'a> {
    body: ByteStream,
    length: u64,
    /// Its digest, if the entity tag is one.
    digest: Option<Md5>,
    etag: &'a ETag,
}
