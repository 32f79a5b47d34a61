//! The S3 operations. Any other is refused by `s3s` with 501 `NotImplemented`, by name.

use std::ops::Range;

use md5::{Digest, Md5};
#[allow(clippy::wildcard_imports, reason = "a hundred inputs and outputs; in test builds the lint is off")]
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::super::{Doc, S3 as Storage, Version};
use super::permissions::DeniedDeletes;
use super::{attributes, buckets, configs, headers, listing, multipart, objects, replication, tagging};

/// S3 as `s3s` calls it.
pub(super) struct S3Wire {
    pub(super) s3: Storage,
}

impl S3Wire {
    /// The MD5 of a range of an object, in hex.
    pub(super) fn md5_of(&self, version: &Version, range: Range<u64>) -> S3Result<String> {
        let mut md5 = Md5::new();
        for bytes in self.s3.chunks(version, range) {
            md5.update(&bytes.map_err(s3s::S3Error::internal_error)?);
        }
        Ok(hex::encode(md5.finalize()))
    }

    /// A checksum over the bytes of an object.
    pub(super) fn checksum_of(&self, algorithm: &str, version: &Version) -> S3Result<String> {
        super::body::checksum(algorithm, self.s3.chunks(version, 0..version.size()))
            .map_err(s3s::S3Error::internal_error)
    }
}

/// Implements the trait from a table of operations.
macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident: |$wire:ident, $req:ident| $body:expr;)*) => {
        #[async_trait::async_trait]
        impl S3 for S3Wire {
            $(
                async fn $name(&self, $req: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    let $wire = self;
                    $body
                }
            )*
        }
    };
}

pub(super) fn empty<T: Default>() -> S3Response<T> {
    S3Response::new(T::default())
}

pub(super) fn no_content<T: Default>() -> S3Response<T> {
    S3Response::with_status(T::default(), http::StatusCode::NO_CONTENT)
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput: |wire, req| buckets::create(wire, &req);
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput: |wire, req| buckets::delete(wire, &req.input);
    head_bucket(HeadBucketInput) -> HeadBucketOutput: |wire, req| buckets::head(wire, &req);
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput: |wire, req| buckets::location(wire, &req);
    list_buckets(ListBucketsInput) -> ListBucketsOutput: |wire, req| Ok(buckets::list(wire, &req.input));
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput:
        |wire, req| buckets::get_versioning(wire, &req.input);
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput:
        |wire, req| buckets::put_versioning(wire, &req.input);
    put_bucket_website(PutBucketWebsiteInput) -> PutBucketWebsiteOutput: |wire, req| {
        configs::check_website(&req.input.website_configuration)?;
        configs::put(wire, &req.input.bucket, Doc::Website, &req.input.website_configuration)
    };
    get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput: |wire, req| {
        let WebsiteConfiguration { error_document, index_document, redirect_all_requests_to, routing_rules } =
            configs::get(wire, &req.input.bucket, Doc::Website)?;
        let output =
            GetBucketWebsiteOutput { error_document, index_document, redirect_all_requests_to, routing_rules };
        Ok(S3Response::new(output))
    };
    delete_bucket_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput:
        |wire, req| configs::delete(wire, &req.input.bucket, Doc::Website);
    put_bucket_encryption(PutBucketEncryptionInput) -> PutBucketEncryptionOutput:
        |wire, req| {
            let configuration = &req.input.server_side_encryption_configuration;
            configs::check_encryption(configuration)?;
            configs::put(wire, &req.input.bucket, Doc::Encryption, configuration)
        };
    get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput: |wire, req| {
        let configuration = configs::get(wire, &req.input.bucket, Doc::Encryption)?;
        Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) }))
    };
    put_bucket_ownership_controls(PutBucketOwnershipControlsInput) -> PutBucketOwnershipControlsOutput:
        |wire, req| configs::put(wire, &req.input.bucket, Doc::Ownership, &req.input.ownership_controls);
    get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput: |wire, req| {
        let controls = configs::get(wire, &req.input.bucket, Doc::Ownership)?;
        Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls: Some(controls) }))
    };
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput:
        |wire, req| {
            let rules = req.input.lifecycle_configuration.as_ref();
            let rules = rules.ok_or_else(|| s3s::s3_error!(MalformedXML, "The XML you provided was not well-formed"))?;
            configs::put(wire, &req.input.bucket, Doc::Lifecycle, rules)
        };
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput:
        |wire, req| {
            let configuration: BucketLifecycleConfiguration = configs::get(wire, &req.input.bucket, Doc::Lifecycle)?;
            let rules = Some(configuration.rules);
            Ok(S3Response::new(GetBucketLifecycleConfigurationOutput { rules, ..Default::default() }))
        };
    put_bucket_replication(PutBucketReplicationInput) -> PutBucketReplicationOutput: |wire, req| {
        replication::check(&wire.s3, &req.input.bucket, &req.input.replication_configuration)?;
        let configuration = replication::with_ids(req.input.replication_configuration);
        configs::put(wire, &req.input.bucket, Doc::Replication, &configuration)
    };
    get_bucket_replication(GetBucketReplicationInput) -> GetBucketReplicationOutput: |wire, req| {
        let configuration = configs::get(wire, &req.input.bucket, Doc::Replication)?;
        Ok(S3Response::new(GetBucketReplicationOutput { replication_configuration: Some(configuration) }))
    };
    delete_bucket_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput:
        |wire, req| configs::delete(wire, &req.input.bucket, Doc::Replication);
    put_bucket_cors(PutBucketCorsInput) -> PutBucketCorsOutput:
        |wire, req| configs::put(wire, &req.input.bucket, Doc::Cors, &req.input.cors_configuration);
    delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput:
        |wire, req| configs::delete(wire, &req.input.bucket, Doc::Cors);
    get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput: |wire, req| {
        let configuration: CORSConfiguration = configs::get(wire, &req.input.bucket, Doc::Cors)?;
        Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(configuration.cors_rules) }))
    };
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput:
        |wire, req| tagging::put_of_bucket(wire, &req.input);
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput: |wire, req| {
        let tagging: Tagging = configs::get(wire, &req.input.bucket, Doc::Tagging)?;
        Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tagging.tag_set }))
    };
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput:
        |wire, req| configs::delete(wire, &req.input.bucket, Doc::Tagging);
    put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput: |wire, req| {
        configs::set_block(wire, &req.input.bucket, &req.input.public_access_block_configuration)?;
        Ok(empty())
    };
    get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput: |wire, req| {
        let block = configs::get_block(wire, &req.input.bucket)?;
        Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) }))
    };
    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput: |wire, req| {
        wire.s3.put_policy(&req.input.bucket, &req.input.policy)?;
        Ok(no_content())
    };
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput:
        |wire, req| configs::get_policy(wire, &req.input.bucket).map(S3Response::new);
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput: |wire, req| {
        wire.s3.update_bucket(&req.input.bucket, |settings| settings.policy = None)?;
        Ok(no_content())
    };
    list_objects(ListObjectsInput) -> ListObjectsOutput: |wire, req| listing::v1(wire, req.input);
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output: |wire, req| listing::v2(wire, req.input);
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput:
        |wire, req| listing::versions(wire, req.input);
    put_object(PutObjectInput) -> PutObjectOutput: |wire, req| objects::put(wire, req).await;
    get_object(GetObjectInput) -> GetObjectOutput: |wire, req| objects::get(wire, req.input);
    head_object(HeadObjectInput) -> HeadObjectOutput: |wire, req| objects::head(wire, req.input);
    copy_object(CopyObjectInput) -> CopyObjectOutput: |wire, req| {
        let condition = headers::condition_of(&req.headers)?;
        objects::copy(wire, req.input, &condition)
    };
    delete_object(DeleteObjectInput) -> DeleteObjectOutput: |wire, req| objects::delete(wire, &req.input);
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput: |wire, req| {
        let denied = req.extensions.get::<DeniedDeletes>().cloned().unwrap_or_default();
        objects::delete_many(wire, req.input, &denied)
    };
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput:
        |wire, req| attributes::get(wire, &req.input);
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput: |wire, req| tagging::get(wire, &req.input);
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput: |wire, req| tagging::put(wire, &req.input);
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput:
        |wire, req| tagging::delete(wire, &req.input);
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput:
        |wire, req| multipart::create(wire, req.input);
    upload_part(UploadPartInput) -> UploadPartOutput: |wire, req| multipart::part(wire, req).await;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput:
        |wire, req| multipart::part_copy(wire, req.input).await;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput:
        |wire, req| multipart::complete(wire, req.input);
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput:
        |wire, req| multipart::abort(wire, &req.input);
    list_parts(ListPartsInput) -> ListPartsOutput: |wire, req| multipart::list_parts(wire, req.input);
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput:
        |wire, req| multipart::list_uploads(wire, req.input);
}
