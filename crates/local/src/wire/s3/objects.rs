//! Objects on the wire: put, get, head, copy, delete, tags.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use s3s::dto::{
    Checksum, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, GetObjectAttributesInput,
    GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, PutObjectInput, PutObjectOutput, ServerSideEncryption, StreamingBlob, Tag, TaggingDirective,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::body::{self, Declared};
use super::headers::{
    ReadCondition, declared, headers_of, replaced, set_checksums, shown_id, tags_of, with_headers, write_condition,
};
use super::service::Wire;
use crate::world::{Deleted, Fault, NewObject, Part, Version};

const MAX_PUT: i64 = 5 << 30;

pub(super) async fn put(wire: &Wire, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let input = &mut req.input;
    if input.content_length.is_some_and(|length| length > MAX_PUT) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    let condition = write_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let declared = Declared {
        md5: input.content_md5.take(),
        sums: declared!(input),
        algorithm: body::announced(&req.headers).or(input.checksum_algorithm.take().map(|a| a.as_str().to_owned())),
        trailer: req.trailing_headers.take(),
    };
    let part = body::receive(&wire.world, input.body.take(), declared).await?;
    let object = NewObject {
        key: input.key.clone(),
        etag: part.etag.clone(),
        headers: headers_of!(input),
        tags: tags_of(input.tagging.as_deref()),
        checksums: part.checksums.clone(),
        parts: vec![part],
    };
    let version = wire.world.put(&input.bucket, object, &condition)?;
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        version_id: shown_id(&version),
        server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
        ..PutObjectOutput::default()
    };
    set_checksums!(output, &version.checksums);
    Ok(S3Response::new(output))
}

/// The bytes that a range header or part number means.
struct Extent {
    range: Range<u64>,
    partial: bool,
}

fn extent(version: &Version, range: Option<&s3s::dto::Range>, part: Option<i32>) -> S3Result<Extent> {
    let size = version.size();
    match (range, part) {
        (Some(_), Some(_)) => Err(s3_error!(InvalidRequest, "Cannot specify both Range header and partNumber")),
        (None, None) => Ok(Extent { range: 0..size, partial: false }),
        (Some(range), None) => {
            let range =
                range.check(size).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
            Ok(Extent { range, partial: true })
        }
        (None, Some(number)) => {
            let mut at = 0;
            for (index, part) in version.all_parts().iter().enumerate() {
                if i32::try_from(index + 1) == Ok(number) {
                    return Ok(Extent { range: at..at + part.size, partial: true });
                }
                at += part.size;
            }
            Err(s3_error!(InvalidRange, "The requested partnumber is not satisfiable"))
        }
    }
}

fn length(extent: &Extent) -> Option<i64> {
    i64::try_from(extent.range.end - extent.range.start).ok()
}

fn content_range(version: &Version, extent: &Extent) -> Option<String> {
    let Range { start, end } = extent.range;
    extent.partial.then(|| format!("bytes {start}-{}/{}", end.saturating_sub(1), version.size()))
}

fn parts_count(version: &Version, asked: Option<i32>) -> Option<i32> {
    let multipart = version.is_multipart() && asked.is_some();
    multipart.then(|| i32::try_from(version.all_parts().len()).unwrap_or(i32::MAX))
}

fn checksum_type(version: &Version) -> Option<ChecksumType> {
    let composite = version.checksums.values().any(|sum| sum.contains('-'));
    let kind = if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    (!version.checksums.is_empty()).then(|| ChecksumType::from_static(kind))
}

pub(super) fn get(wire: &Wire, input: GetObjectInput) -> S3Result<S3Response<GetObjectOutput>> {
    let version = wire.world.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    let condition = ReadCondition {
        matches: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    condition.check(&version)?;
    let extent = extent(&version, input.range.as_ref(), input.part_number)?;
    let body = StreamingBlob::wrap(wire.world.body(&version, extent.range.clone()));
    let mut output = with_headers!(
        GetObjectOutput {
            body: Some(body),
            content_length: length(&extent),
            content_range: content_range(&version, &extent),
            parts_count: parts_count(&version, input.part_number),
            tag_count: i32::try_from(version.tags.len()).ok().filter(|count| *count > 0),
            replication_status: version.replicated.map(|status| status.as_str().to_owned().into()),
            ..GetObjectOutput::default()
        },
        &version
    );
    if input.checksum_mode.is_some() && !extent.partial {
        set_checksums!(output, &version.checksums);
        output.checksum_type = checksum_type(&version);
    }
    output.content_type = input.response_content_type.or(output.content_type);
    output.cache_control = input.response_cache_control.or(output.cache_control);
    output.content_disposition = input.response_content_disposition.or(output.content_disposition);
    let status = if extent.partial { http::StatusCode::PARTIAL_CONTENT } else { http::StatusCode::OK };
    Ok(S3Response::with_status(output, status))
}

pub(super) fn head(wire: &Wire, input: HeadObjectInput) -> S3Result<S3Response<HeadObjectOutput>> {
    let version = wire.world.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    let condition = ReadCondition {
        matches: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    condition.check(&version)?;
    let extent = extent(&version, input.range.as_ref(), input.part_number)?;
    let mut output = with_headers!(
        HeadObjectOutput {
            content_length: length(&extent),
            content_range: content_range(&version, &extent),
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
    let status = if extent.partial { http::StatusCode::PARTIAL_CONTENT } else { http::StatusCode::OK };
    Ok(S3Response::with_status(output, status))
}

/// The version that a copy source names, if its conditions hold.
pub(super) fn source(wire: &Wire, source: &CopySource, condition: &ReadCondition) -> S3Result<Arc<Version>> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(s3_error!(NotImplemented, "Only buckets can be copied from"));
    };
    let version = wire.world.object(bucket, key, version_id.as_deref())?;
    let gone = |error: S3Error| match error.code() {
        s3s::S3ErrorCode::NotModified => Fault::PreconditionFailed.into(),
        _ => error,
    };
    condition.check(&version).map_err(gone)?;
    Ok(version)
}

pub(super) fn copy(wire: &Wire, mut input: CopyObjectInput) -> S3Result<S3Response<CopyObjectOutput>> {
    let condition = ReadCondition {
        matches: input.copy_source_if_match.take(),
        none_match: input.copy_source_if_none_match.take(),
        modified_since: input.copy_source_if_modified_since.take(),
        unmodified_since: input.copy_source_if_unmodified_since.take(),
    };
    let from = source(wire, &input.copy_source, &condition)?;
    let replaces = input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == "REPLACE");
    if from.size() > MAX_PUT.unsigned_abs() {
        return Err(s3_error!(InvalidRequest, "The specified copy source is larger than the maximum allowable size"));
    }
    if is_itself(&input) && !replaces && input.website_redirect_location.is_none() && input.storage_class.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let new_tags = input.tagging_directive.as_ref().map(TaggingDirective::as_str) == Some("REPLACE");
    let part = single_part(wire, &from)?;
    let object = NewObject {
        key: input.key.clone(),
        etag: part.etag.clone(),
        headers: replaced(input.metadata_directive.clone().as_ref(), headers_of!(input), &from.headers),
        tags: if new_tags { tags_of(input.tagging.as_deref()) } else { from.tags.clone() },
        checksums: if from.is_multipart() { BTreeMap::new() } else { from.checksums.clone() },
        parts: vec![part],
    };
    let version = wire.world.put(&input.bucket, object, &crate::world::Condition::None)?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        last_modified: Some(version.modified.into()),
        ..CopyObjectResult::default()
    };
    set_checksums!(result, &version.checksums);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: shown_id(&from),
        version_id: shown_id(&version),
        server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
        ..CopyObjectOutput::default()
    }))
}

fn is_itself(input: &CopyObjectInput) -> bool {
    matches!(&input.copy_source, CopySource::Bucket { bucket, key, version_id: None }
        if **bucket == *input.bucket && **key == *input.key)
}

/// A copy has one part, and so an entity tag of its own when the source had several.
fn single_part(wire: &Wire, from: &Version) -> S3Result<Part> {
    let chunks: Vec<_> = from.chunks().cloned().collect();
    let etag = if from.is_multipart() { wire.md5_of(from, 0..from.size())? } else { from.etag.clone() };
    Ok(Part { number: 1, etag, size: from.size(), chunks, checksums: BTreeMap::new() })
}

pub(super) fn delete(wire: &Wire, input: &DeleteObjectInput) -> S3Result<S3Response<DeleteObjectOutput>> {
    let condition = write_condition(input.if_match.as_ref(), None)?;
    let deleted = wire.world.delete(&input.bucket, &input.key, input.version_id.as_deref(), &condition)?;
    let output = DeleteObjectOutput {
        delete_marker: deleted.marker.then_some(true),
        version_id: deleted.version.filter(|id| id != "null"),
        request_charged: None,
    };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

pub(super) fn delete_many(wire: &Wire, input: DeleteObjectsInput) -> S3Result<S3Response<DeleteObjectsOutput>> {
    if input.delete.objects.len() > 1000 {
        return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed: at most 1000 keys"));
    }
    let mut output = DeleteObjectsOutput::default();
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let condition = object
            .e_tag
            .map_or(crate::world::Condition::None, |etag| crate::world::Condition::Is(etag.value().to_owned()));
        match wire.world.delete(&input.bucket, &object.key, object.version_id.as_deref(), &condition) {
            Ok(deleted) => done.push(shown_deleted(object.key, object.version_id, deleted)),
            Err(Fault::NoSuchBucket) => return Err(Fault::NoSuchBucket.into()),
            Err(fault) => {
                let error = S3Error::from(fault);
                errors.push(s3s::dto::Error {
                    key: Some(object.key),
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    version_id: object.version_id,
                });
            }
        }
    }
    let quiet = input.delete.quiet.unwrap_or_default();
    output.deleted = (!quiet).then_some(done);
    output.errors = (!errors.is_empty()).then_some(errors);
    Ok(S3Response::new(output))
}

fn shown_deleted(key: String, asked: Option<String>, deleted: Deleted) -> DeletedObject {
    DeletedObject {
        key: Some(key),
        delete_marker: deleted.marker.then_some(true),
        delete_marker_version_id: deleted.version.filter(|_| deleted.marker),
        version_id: asked,
    }
}

pub(super) fn attributes(
    wire: &Wire,
    input: &GetObjectAttributesInput,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let version = wire.world.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    let mut checksum = Checksum { checksum_type: checksum_type(&version), ..Checksum::default() };
    set_checksums!(checksum, &version.checksums);
    let count = i32::try_from(version.all_parts().len()).ok();
    let parts = version
        .is_multipart()
        .then(|| GetObjectAttributesParts { total_parts_count: count, ..GetObjectAttributesParts::default() });
    Ok(S3Response::new(GetObjectAttributesOutput {
        e_tag: Some(ETag::Strong(version.etag.clone())),
        object_size: i64::try_from(version.size()).ok(),
        last_modified: Some(version.modified.into()),
        checksum: (!version.checksums.is_empty()).then_some(checksum),
        object_parts: parts,
        version_id: shown_id(&version),
        ..GetObjectAttributesOutput::default()
    }))
}

/// Tags as the world keeps them.
pub(super) fn tags(set: Vec<Tag>) -> BTreeMap<String, String> {
    set.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// Tags as the wire shows them.
pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}
