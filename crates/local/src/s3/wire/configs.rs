//! Operations on bucket configurations, which are stored as XML.

use s3s::dto;
use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};
use s3s::{S3Response, S3Result, s3_error};

use super::super::{Doc, PublicAccessBlock, no_such_bucket};
use super::service::{S3Wire, empty, no_content};
use crate::context::ServiceError;

/// Stores a configuration.
pub(super) fn put<T: Serialize, O: Default>(
    wire: &S3Wire,
    bucket: &str,
    doc: Doc,
    value: &T,
) -> S3Result<S3Response<O>> {
    let text = xml(value)?;
    wire.s3.update_bucket(bucket, |settings| drop(settings.docs.insert(doc, text)))?;
    Ok(empty())
}

/// A configuration as XML.
fn xml<T: Serialize>(value: &T) -> S3Result<String> {
    let mut xml = Vec::new();
    value.serialize(&mut Serializer::new(&mut xml)).map_err(s3s::S3Error::internal_error)?;
    String::from_utf8(xml).map_err(s3s::S3Error::internal_error)
}

/// Reads a configuration.
pub(super) fn get<T: for<'xml> Deserialize<'xml>>(wire: &S3Wire, bucket: &str, doc: Doc) -> S3Result<T> {
    let text = wire.s3.doc(bucket, doc)?;
    let mut reader = Deserializer::new(text.as_bytes());
    T::deserialize(&mut reader).map_err(s3s::S3Error::internal_error)
}

/// Removes a configuration. Succeeds when there is none.
pub(super) fn delete<O: Default>(wire: &S3Wire, bucket: &str, doc: Doc) -> S3Result<S3Response<O>> {
    wire.s3.update_bucket(bucket, |settings| drop(settings.docs.remove(&doc)))?;
    Ok(no_content())
}

/// Validates a website configuration.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html>
pub(super) fn check_website(website: &dto::WebsiteConfiguration) -> S3Result<()> {
    let index = website.index_document.as_ref().map(|index| index.suffix.as_str());
    if index.is_some_and(|suffix| suffix.is_empty() || suffix.contains('/')) {
        return Err(s3_error!(InvalidArgument, "The IndexDocument Suffix is not well formed"));
    }
    if index.is_none() && website.redirect_all_requests_to.is_none() {
        return Err(s3_error!(InvalidArgument, "A value for IndexDocument Suffix must be provided"));
    }
    if website.routing_rules.as_ref().is_some_and(|rules| rules.len() > 50) {
        return Err(s3_error!(InvalidRequest, "At most 50 routing rules"));
    }
    Ok(())
}

/// Refuses a default encryption that would not be honoured.
pub(super) fn check_encryption(configuration: &dto::ServerSideEncryptionConfiguration) -> S3Result<()> {
    let defaults = configuration.rules.iter().filter_map(|rule| rule.apply_server_side_encryption_by_default.as_ref());
    for default in defaults {
        let algorithm = default.sse_algorithm.as_str();
        if !["AES256", "aws:kms", "aws:kms:dsse"].contains(&algorithm) {
            return Err(ServiceError::not_implemented(&format!("the encryption `{algorithm}`")).into());
        }
    }
    Ok(())
}

pub(super) fn get_block(wire: &S3Wire, bucket: &str) -> S3Result<dto::PublicAccessBlockConfiguration> {
    let settings = wire.s3.bucket(bucket).ok_or_else(no_such_bucket)?;
    if !settings.has_block {
        let message = "The public access block configuration was not found";
        return Err(ServiceError::new("NoSuchPublicAccessBlockConfiguration", 404, message).into());
    }
    let PublicAccessBlock { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } =
        settings.block;
    Ok(dto::PublicAccessBlockConfiguration {
        block_public_acls: Some(block_public_acls),
        ignore_public_acls: Some(ignore_public_acls),
        block_public_policy: Some(block_public_policy),
        restrict_public_buckets: Some(restrict_public_buckets),
    })
}

pub(super) fn set_block(wire: &S3Wire, bucket: &str, block: &dto::PublicAccessBlockConfiguration) -> S3Result<()> {
    let value = PublicAccessBlock {
        block_public_acls: block.block_public_acls.unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
        block_public_policy: block.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
    };
    Ok(wire.s3.update_bucket(bucket, |settings| {
        settings.block = value;
        settings.has_block = true;
    })?)
}

pub(super) fn get_policy(wire: &S3Wire, bucket: &str) -> S3Result<dto::GetBucketPolicyOutput> {
    let settings = wire.s3.bucket(bucket).ok_or_else(no_such_bucket)?;
    match settings.policy {
        Some(policy) => Ok(dto::GetBucketPolicyOutput { policy: Some(policy) }),
        None => Err(ServiceError::new("NoSuchBucketPolicy", 404, "The bucket policy does not exist").into()),
    }
}
