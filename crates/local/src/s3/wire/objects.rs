//! Operations on objects.

use std::ops::Range;
use std::sync::Arc;

use s3s::dto::{
    ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, PutObjectInput, PutObjectOutput, StreamingBlob, Tag, TaggingDirective,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::encryption::opaque_etag;
use super::super::{Checksums, Condition, Deleted, NewObject, Part, Version, error};
use super::body::{self, Declared};
use super::headers::{
    ReadCondition, copy_condition, declared, headers_of, headers_of_copy, kms_of, read_condition, set_checksums,
    set_encryption, tags_of, version_id, with_headers, write_condition,
};
use super::permissions::DeniedDeletes;
use super::service::S3Wire;
use crate::context::{ServiceError, Tags};

const MAX_PUT: i64 = 5 << 30;

pub(super) async fn put(wire: &S3Wire, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let input = &mut req.input;
    if input.content_length.is_some_and(|length| length > MAX_PUT) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    let condition = write_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let (kms, tags) = (kms_of!(wire, input)?, tags_of(input.tagging.as_deref())?);
    let declared = Declared {
        md5: input.content_md5.take(),
        sums: declared!(input),
        algorithm: body::trailer_algorithm(&req.headers)
            .or(input.checksum_algorithm.take().map(|a| a.as_str().to_owned())),
        trailer: req.trailing_headers.take(),
    };
    let part = body::receive(&wire.s3, input.body.take(), declared).await?;
    let object = NewObject {
        key: input.key.clone(),
        etag: if kms.is_some() { opaque_etag() } else { part.etag.clone() },
        headers: headers_of!(input),
        tags,
        checksums: part.checksums_or_default(),
        parts: vec![part],
        kms,
    };
    let version = wire.s3.put_object(&input.bucket, object, &condition)?;
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        version_id: version_id(&version),
        checksum_type: checksum_type(&version),
        ..PutObjectOutput::default()
    };
    set_encryption!(output, version.kms.as_ref());
    set_checksums!(output, &version.checksums);
    Ok(S3Response::new(output))
}

/// The bytes that a range header or a part number selects.
struct Selection {
    range: Range<u64>,
    partial: bool,
}

fn select_bytes(version: &Version, range: Option<&s3s::dto::Range>, part: Option<i32>) -> S3Result<Selection> {
    let size = version.size();
    match (range, part) {
        (Some(_), Some(_)) => Err(s3_error!(InvalidRequest, "Cannot specify both Range header and partNumber")),
        (None, None) => Ok(Selection { range: 0..size, partial: false }),
        (Some(range), None) => {
            let range =
                range.check(size).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
            Ok(Selection { range, partial: true })
        }
        (None, Some(number)) => {
            let mut offset = 0;
            for (index, part) in version.all_parts().iter().enumerate() {
                if i32::try_from(index + 1) == Ok(number) {
                    return Ok(Selection { range: offset..offset + part.size, partial: true });
                }
                offset += part.size;
            }
            Err(s3_error!(InvalidRange, "The requested partnumber is not satisfiable"))
        }
    }
}

fn length(selection: &Selection) -> Option<i64> {
    i64::try_from(selection.range.end - selection.range.start).ok()
}

fn content_range(version: &Version, selection: &Selection) -> Option<String> {
    let Range { start, end } = selection.range;
    selection.partial.then(|| format!("bytes {start}-{}/{}", end.saturating_sub(1), version.size()))
}

fn parts_count(version: &Version, asked: Option<i32>) -> Option<i32> {
    let multipart = version.is_multipart() && asked.is_some();
    multipart.then(|| i32::try_from(version.all_parts().len()).unwrap_or(i32::MAX))
}

pub(super) fn checksum_type(version: &Version) -> Option<ChecksumType> {
    let composite = version.checksums.values().any(|sum| sum.contains('-'));
    let kind = if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    (!version.checksums.is_empty()).then(|| ChecksumType::from_static(kind))
}

/// Archived objects cannot be read or copied.
fn check_class(version: &Version) -> Result<(), ServiceError> {
    let class = version.headers.storage_class.as_deref().unwrap_or_default();
    if version.is_archived() { Err(error::invalid_object_state(class)) } else { Ok(()) }
}

pub(super) fn get(wire: &S3Wire, mut input: GetObjectInput) -> S3Result<S3Response<GetObjectOutput>> {
    let version = wire.s3.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    check_class(&version)?;
    read_condition!(input).check(&version)?;
    let selection = select_bytes(&version, input.range.as_ref(), input.part_number)?;
    let body = StreamingBlob::wrap(wire.s3.body(&version, selection.range.clone()));
    let mut output = with_headers!(
        GetObjectOutput {
            body: Some(body),
            content_length: length(&selection),
            content_range: content_range(&version, &selection),
            parts_count: parts_count(&version, input.part_number),
            tag_count: i32::try_from(version.tags.len()).ok().filter(|count| *count > 0),
            replication_status: version.replicated.map(|status| status.as_str().to_owned().into()),
            ..GetObjectOutput::default()
        },
        &version
    );
    if input.checksum_mode.is_some() && !selection.partial {
        set_checksums!(output, &version.checksums);
        output.checksum_type = checksum_type(&version);
    }
    output.content_type = input.response_content_type.or(output.content_type);
    output.cache_control = input.response_cache_control.or(output.cache_control);
    output.content_disposition = input.response_content_disposition.or(output.content_disposition);
    output.content_encoding = input.response_content_encoding.or(output.content_encoding);
    output.content_language = input.response_content_language.or(output.content_language);
    output.expires = input.response_expires.or(output.expires);
    let status = if selection.partial { http::StatusCode::PARTIAL_CONTENT } else { http::StatusCode::OK };
    Ok(S3Response::with_status(output, status))
}

pub(super) fn head(wire: &S3Wire, mut input: HeadObjectInput) -> S3Result<S3Response<HeadObjectOutput>> {
    let version = wire.s3.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    read_condition!(input).check(&version)?;
    let selection = select_bytes(&version, input.range.as_ref(), input.part_number)?;
    let mut output = with_headers!(
        HeadObjectOutput {
            content_length: length(&selection),
            content_range: content_range(&version, &selection),
            parts_count: parts_count(&version, input.part_number),
            replication_status: version.replicated.map(|status| status.as_str().to_owned().into()),
            ..HeadObjectOutput::default()
        },
        &version
    );
    if input.checksum_mode.is_some() {
        set_checksums!(output, &version.checksums);
        output.checksum_type = checksum_type(&version);
    }
    let status = if selection.partial { http::StatusCode::PARTIAL_CONTENT } else { http::StatusCode::OK };
    Ok(S3Response::with_status(output, status))
}

/// The version that a copy source names, if its preconditions hold.
pub(super) fn source(wire: &S3Wire, source: &CopySource, condition: &ReadCondition) -> S3Result<Arc<Version>> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(s3_error!(NotImplemented, "Only buckets can be copied from"));
    };
    let version = wire.s3.object(bucket, key, version_id.as_deref())?;
    check_class(&version)?;
    // Copies fail with 412 where reads fail with 304.
    condition.check(&version).map_err(|failed| match failed.code() {
        s3s::S3ErrorCode::NotModified => error::precondition_failed(condition.header_of_not_modified()).into(),
        _ => failed,
    })?;
    Ok(version)
}

pub(super) fn copy(
    wire: &S3Wire,
    mut input: CopyObjectInput,
    condition: &Condition,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let from = source(wire, &input.copy_source, &copy_condition!(input))?;
    let replaces = input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == "REPLACE");
    if from.size() > MAX_PUT.unsigned_abs() {
        return Err(s3_error!(InvalidRequest, "The specified copy source is larger than the maximum allowable size"));
    }
    let encrypts = input.server_side_encryption.is_some() || wire.s3.encrypts(&input.bucket);
    let changes = replaces || encrypts || input.website_redirect_location.is_some() || input.storage_class.is_some();
    if is_itself(&input) && !changes {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let new_tags = input.tagging_directive.as_ref().map(TaggingDirective::as_str) == Some("REPLACE");
    let kms = kms_of!(wire, input)?;
    let part = single_part(wire, &from)?;
    let algorithm = input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str().to_owned());
    let checksums = checksums_of_copy(wire, &from, algorithm)?;
    let object = NewObject {
        key: input.key.clone(),
        etag: if kms.is_some() { opaque_etag() } else { part.etag.clone() },
        kms,
        headers: headers_of_copy(input.metadata_directive.clone().as_ref(), headers_of!(input), &from.headers),
        tags: if new_tags { tags_of(input.tagging.as_deref())? } else { from.tags.clone() },
        checksums,
        parts: vec![part],
    };
    let version = wire.s3.put_object(&input.bucket, object, condition)?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        last_modified: Some(version.modified.into()),
        ..CopyObjectResult::default()
    };
    set_checksums!(result, &version.checksums);
    result.checksum_type = checksum_type(&version);
    let mut output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: version_id(&from),
        version_id: version_id(&version),
        ..CopyObjectOutput::default()
    };
    set_encryption!(output, version.kms.as_ref());
    Ok(S3Response::new(output))
}

/// The checksum of a copy: by the algorithm that was asked for, else by that of the source, over the whole object.
fn checksums_of_copy(wire: &S3Wire, from: &Version, asked: Option<String>) -> S3Result<Checksums> {
    let algorithm = asked.or_else(|| from.checksums.keys().next().cloned()).unwrap_or_else(|| "CRC64NVME".to_owned());
    let sum = match from.checksums.get(&algorithm).filter(|sum| !sum.contains('-')) {
        Some(known) => known.clone(),
        None => wire.checksum_of(&algorithm, from)?,
    };
    Ok(Checksums::from([(algorithm, sum)]))
}

fn is_itself(input: &CopyObjectInput) -> bool {
    matches!(&input.copy_source, CopySource::Bucket { bucket, key, version_id: None }
        if **bucket == *input.bucket && **key == *input.key)
}

/// A copy has one part, and so another `ETag` than a source with several.
fn single_part(wire: &S3Wire, from: &Version) -> S3Result<Part> {
    let chunks: Vec<_> = from.chunks().cloned().collect();
    let is_md5 = !from.is_multipart() && from.kms.is_none();
    let etag = if is_md5 { from.etag.clone() } else { wire.md5_of(from, 0..from.size())? };
    Ok(Part { number: 1, etag, size: from.size(), chunks, ..Part::default() })
}

pub(super) fn delete(wire: &S3Wire, input: &DeleteObjectInput) -> S3Result<S3Response<DeleteObjectOutput>> {
    let condition = write_condition(input.if_match.as_ref(), None)?;
    let deleted = wire.s3.delete_object(&input.bucket, &input.key, input.version_id.as_deref(), &condition)?;
    let output = DeleteObjectOutput {
        delete_marker: deleted.marker.then_some(true),
        version_id: deleted.version.filter(|id| id != "null"),
        request_charged: None,
    };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

pub(super) fn delete_many(
    wire: &S3Wire,
    input: DeleteObjectsInput,
    denied: &DeniedDeletes,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    if input.delete.objects.len() > 1000 {
        return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed: at most 1000 keys"));
    }
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let condition = object.e_tag.map_or(Condition::None, |etag| Condition::Is(etag.value().to_owned()));
        let version = object.version_id.as_deref();
        let result = match denied.reason(&object.key, version) {
            Some(reason) => Err(ServiceError::new("AccessDenied", 403, reason)),
            None => wire.s3.delete_object(&input.bucket, &object.key, version, &condition),
        };
        match result {
            Ok(deleted) => done.push(deleted_object(object.key, object.version_id, deleted)),
            Err(error) if error.code == "NoSuchBucket" => return Err(error.into()),
            Err(error) => {
                errors.push(s3s::dto::Error {
                    key: Some(object.key),
                    code: Some(error.code.to_owned()),
                    message: Some(error.message),
                    version_id: object.version_id,
                });
            }
        }
    }
    let quiet = input.delete.quiet.unwrap_or_default();
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(done),
        errors: (!errors.is_empty()).then_some(errors),
        ..DeleteObjectsOutput::default()
    }))
}

fn deleted_object(key: String, asked: Option<String>, deleted: Deleted) -> DeletedObject {
    DeletedObject {
        key: Some(key),
        delete_marker: deleted.marker.then_some(true),
        delete_marker_version_id: deleted.version.filter(|_| deleted.marker),
        version_id: asked,
    }
}

/// Tags in a response.
pub(super) fn tag_set(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}
