//! Bucket configurations: kept as XML, as they were put.

use s3s::dto;
use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};
use s3s::{S3Result, s3_error};

use super::fault::absent;
use super::service::Wire;
use crate::world::{Block, Doc, Fault};

/// Keeps a configuration.
pub(super) fn put<T: Serialize>(wire: &Wire, bucket: &str, doc: Doc, value: &T) -> S3Result<()> {
    let mut xml = Vec::new();
    value.serialize(&mut Serializer::new(&mut xml)).map_err(s3s::S3Error::internal_error)?;
    let text = String::from_utf8(xml).map_err(s3s::S3Error::internal_error)?;
    Ok(wire.world.set(bucket, |settings| drop(settings.docs.insert(doc, text)))?)
}

/// Reads a configuration.
pub(super) fn get<T: for<'xml> Deserialize<'xml>>(wire: &Wire, bucket: &str, doc: Doc) -> S3Result<T> {
    let text = wire.world.doc(bucket, doc)?;
    let mut reader = Deserializer::new(text.as_bytes());
    T::deserialize(&mut reader).map_err(s3s::S3Error::internal_error)
}

/// Removes a configuration; also when there is none.
pub(super) fn delete(wire: &Wire, bucket: &str, doc: Doc) -> S3Result<()> {
    Ok(wire.world.set(bucket, |settings| drop(settings.docs.remove(&doc)))?)
}

/// Checks what S3 checks of a website configuration.
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
        return Err(s3_error!(InvalidRequest, "50 routing rules are the most"));
    }
    Ok(())
}

pub(super) fn get_block(wire: &Wire, bucket: &str) -> S3Result<dto::PublicAccessBlockConfiguration> {
    let settings = wire.world.bucket(bucket).ok_or(Fault::NoSuchBucket)?;
    if !settings.has_block {
        return Err(absent(
            "NoSuchPublicAccessBlockConfiguration",
            &"The public access block configuration was not found",
        ));
    }
    let Block { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } = settings.block;
    Ok(dto::PublicAccessBlockConfiguration {
        block_public_acls: Some(block_public_acls),
        ignore_public_acls: Some(ignore_public_acls),
        block_public_policy: Some(block_public_policy),
        restrict_public_buckets: Some(restrict_public_buckets),
    })
}

pub(super) fn set_block(
    wire: &Wire,
    bucket: &str,
    block: Option<&dto::PublicAccessBlockConfiguration>,
) -> S3Result<()> {
    let value = block.map_or(Block::default(), |block| Block {
        block_public_acls: block.block_public_acls.unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
        block_public_policy: block.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
    });
    Ok(wire.world.set(bucket, |settings| {
        settings.block = value;
        settings.has_block = block.is_some();
    })?)
}

pub(super) fn get_policy(wire: &Wire, bucket: &str) -> S3Result<dto::GetBucketPolicyOutput> {
    let settings = wire.world.bucket(bucket).ok_or(Fault::NoSuchBucket)?;
    match settings.policy {
        Some(policy) => Ok(dto::GetBucketPolicyOutput { policy: Some(policy) }),
        None => Err(absent("NoSuchBucketPolicy", &"The bucket policy does not exist")),
    }
}
