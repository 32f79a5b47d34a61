//! Operations on tags.

use std::sync::Arc;

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Response, S3Result};

use super::super::{Doc, Version};
use super::headers::{checked_tags, version_id};
use super::service::{S3Wire, no_content};
use super::{configs, objects};
use crate::context::{ServiceError, Tags};

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (String, String)> {
    tags.iter().map(|tag| (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default()))
}

/// Replaces the tags of a bucket. An empty set removes them.
pub(super) fn put_of_bucket(
    wire: &S3Wire,
    input: &PutBucketTaggingInput,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let mut seen = Tags::new();
    for (key, value) in pairs(&input.tagging.tag_set) {
        if key.starts_with("aws:") {
            let message = "System tags cannot be added/updated by requester";
            return Err(ServiceError::invalid("InvalidTag", message).into());
        }
        if seen.insert(key.clone(), value).is_some() {
            let message = "Cannot provide multiple Tags with the same key";
            return Err(ServiceError::invalid("InvalidTag", message).with("TagKey", key).into());
        }
    }
    if seen.is_empty() {
        return configs::delete(wire, &input.bucket, Doc::Tagging);
    }
    configs::put::<_, PutBucketTaggingOutput>(wire, &input.bucket, Doc::Tagging, &input.tagging)?;
    Ok(no_content())
}

/// The tags of an object.
pub(super) fn get(wire: &S3Wire, input: &GetObjectTaggingInput) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let version = version(wire, &input.bucket, &input.key, input.version_id.as_deref(), "GET")?;
    let tag_set = objects::tag_set(&version.tags);
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: version_id(&version) }))
}

/// Replaces the tags of an object.
pub(super) fn put(wire: &S3Wire, input: &PutObjectTaggingInput) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let version = version(wire, &input.bucket, &input.key, input.version_id.as_deref(), "PUT")?;
    wire.s3.set_tags(&input.bucket, &version, checked_tags(pairs(&input.tagging.tag_set))?)?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: version_id(&version) }))
}

/// Removes the tags of an object.
pub(super) fn delete(
    wire: &S3Wire,
    input: &DeleteObjectTaggingInput,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let version = version(wire, &input.bucket, &input.key, input.version_id.as_deref(), "DELETE")?;
    wire.s3.set_tags(&input.bucket, &version, Tags::new())?;
    let output = DeleteObjectTaggingOutput { version_id: version_id(&version) };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

fn version(wire: &S3Wire, bucket: &str, key: &str, id: Option<&str>, method: &str) -> S3Result<Arc<Version>> {
    wire.s3.object(bucket, key, id).map_err(|error| match error.code {
        "MethodNotAllowed" => error.with("Method", method).into(),
        _ => error.into(),
    })
}
