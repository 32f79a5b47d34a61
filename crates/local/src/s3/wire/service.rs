//! The S3 operations. Any other is refused by `s3s` with 501 `NotImplemented`, by name.

use std::ops::Range;

use md5::{Digest, Md5};
#[allow(clippy::wildcard_imports, reason = "a hundred inputs and outputs; in test builds the lint is off")]
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::super::{Doc, Part, S3 as Storage, Version, error};
use super::{access, buckets, configs, listing, multipart, objects, replication};

/// S3 as `s3s` calls it.
pub(super) struct S3Wire {
    pub(super) s3: Storage,
}

impl S3Wire {
    /// Checks that the request was sent to the region of the bucket, unless the host names no region.
    fn check_region<T>(&self, bucket: &str, req: &S3Request<T>) -> S3Result<()> {
        let host = req.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| req.uri.host()).unwrap_or_default();
        let Some((_, here)) = access::aws_host(host) else { return Ok(()) };
        match self.s3.bucket(bucket) {
            Some(settings) if settings.region != here => Err(error::permanent_redirect(&settings.region)),
            Some(_) | None => Ok(()),
        }
    }

    /// The MD5 of a range of an object, in hex.
    pub(super) fn md5_of(&self, version: &Version, range: Range<u64>) -> S3Result<String> {
        let mut md5 = Md5::new();
        for bytes in self.s3.chunks(version, range) {
            md5.update(&bytes.map_err(s3s::S3Error::internal_error)?);
        }
        Ok(hex::encode(md5.finalize()))
    }

    /// A checksum over the bytes of parts.
    pub(super) fn checksum_of(&self, algorithm: &str, parts: &[&Part]) -> S3Result<String> {
        let chunks = parts.iter().flat_map(|part| self.s3.part_chunks(part));
        let chunks = chunks.collect::<Result<Vec<_>, _>>().map_err(s3s::S3Error::internal_error)?;
        Ok(super::body::checksum(algorithm, chunks))
    }
}

/// Operations that read or write a configuration document.
macro_rules! doc_ops {
    ($self:ident, $req:ident, put $doc:ident $field:ident) => {{
        $self.check_region(&$req.input.bucket, &$req)?;
        configs::put($self, &$req.input.bucket, Doc::$doc, &$req.input.$field)?;
        Ok(S3Response::new(Default::default()))
    }};
    ($self:ident, $req:ident, delete $doc:ident) => {{
        $self.check_region(&$req.input.bucket, &$req)?;
        configs::delete($self, &$req.input.bucket, Doc::$doc)?;
        Ok(S3Response::with_status(Default::default(), http::StatusCode::NO_CONTENT))
    }};
}

#[async_trait::async_trait]
#[rustfmt::skip]
impl S3 for S3Wire {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        buckets::create(self, &req)
    }
    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        buckets::delete(self, &req.input)
    }
    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        buckets::head(self, &req)
    }
    async fn get_bucket_location(&self, req: S3Request<GetBucketLocationInput>) -> S3Result<S3Response<GetBucketLocationOutput>> {
        buckets::location(self, &req)
    }
    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        Ok(buckets::list(self, &req.input))
    }
    async fn get_bucket_versioning(&self, req: S3Request<GetBucketVersioningInput>) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        buckets::get_versioning(self, &req.input)
    }
    async fn put_bucket_versioning(&self, req: S3Request<PutBucketVersioningInput>) -> S3Result<S3Response<PutBucketVersioningOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        buckets::put_versioning(self, &req.input)
    }

    async fn put_bucket_website(&self, req: S3Request<PutBucketWebsiteInput>) -> S3Result<S3Response<PutBucketWebsiteOutput>> {
        configs::check_website(&req.input.website_configuration)?;
        doc_ops!(self, req, put Website website_configuration)
    }
    async fn get_bucket_website(&self, req: S3Request<GetBucketWebsiteInput>) -> S3Result<S3Response<GetBucketWebsiteOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let WebsiteConfiguration { error_document, index_document, redirect_all_requests_to, routing_rules } =
            configs::get(self, &req.input.bucket, Doc::Website)?;
        Ok(S3Response::new(GetBucketWebsiteOutput { error_document, index_document, redirect_all_requests_to, routing_rules }))
    }
    async fn delete_bucket_website(&self, req: S3Request<DeleteBucketWebsiteInput>) -> S3Result<S3Response<DeleteBucketWebsiteOutput>> {
        doc_ops!(self, req, delete Website)
    }
    async fn put_bucket_encryption(&self, req: S3Request<PutBucketEncryptionInput>) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
        doc_ops!(self, req, put Encryption server_side_encryption_configuration)
    }
    async fn get_bucket_encryption(&self, req: S3Request<GetBucketEncryptionInput>) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let configuration = configs::get(self, &req.input.bucket, Doc::Encryption)?;
        Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) }))
    }
    async fn put_bucket_ownership_controls(&self, req: S3Request<PutBucketOwnershipControlsInput>) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
        doc_ops!(self, req, put Ownership ownership_controls)
    }
    async fn get_bucket_ownership_controls(&self, req: S3Request<GetBucketOwnershipControlsInput>) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let controls = configs::get(self, &req.input.bucket, Doc::Ownership)?;
        Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls: Some(controls) }))
    }
    async fn put_bucket_lifecycle_configuration(&self, mut req: S3Request<PutBucketLifecycleConfigurationInput>) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let rules = req.input.lifecycle_configuration.take();
        let rules = rules.ok_or_else(|| s3s::s3_error!(MalformedXML, "The XML you provided was not well-formed"))?;
        configs::put(self, &req.input.bucket, Doc::Lifecycle, &rules)?;
        Ok(S3Response::new(Default::default()))
    }
    async fn get_bucket_lifecycle_configuration(&self, req: S3Request<GetBucketLifecycleConfigurationInput>) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let configuration: BucketLifecycleConfiguration = configs::get(self, &req.input.bucket, Doc::Lifecycle)?;
        Ok(S3Response::new(GetBucketLifecycleConfigurationOutput { rules: Some(configuration.rules), ..Default::default() }))
    }
    async fn put_bucket_replication(&self, req: S3Request<PutBucketReplicationInput>) -> S3Result<S3Response<PutBucketReplicationOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        replication::check(&self.s3, &req.input.bucket, &req.input.replication_configuration)?;
        configs::put(self, &req.input.bucket, Doc::Replication, &replication::with_ids(req.input.replication_configuration))?;
        Ok(S3Response::new(Default::default()))
    }
    async fn get_bucket_replication(&self, req: S3Request<GetBucketReplicationInput>) -> S3Result<S3Response<GetBucketReplicationOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let configuration = configs::get(self, &req.input.bucket, Doc::Replication)?;
        Ok(S3Response::new(GetBucketReplicationOutput { replication_configuration: Some(configuration) }))
    }
    async fn delete_bucket_replication(&self, req: S3Request<DeleteBucketReplicationInput>) -> S3Result<S3Response<DeleteBucketReplicationOutput>> {
        doc_ops!(self, req, delete Replication)
    }
    async fn put_bucket_cors(&self, req: S3Request<PutBucketCorsInput>) -> S3Result<S3Response<PutBucketCorsOutput>> {
        doc_ops!(self, req, put Cors cors_configuration)
    }
    async fn get_bucket_cors(&self, req: S3Request<GetBucketCorsInput>) -> S3Result<S3Response<GetBucketCorsOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let configuration: CORSConfiguration = configs::get(self, &req.input.bucket, Doc::Cors)?;
        Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(configuration.cors_rules) }))
    }
    async fn put_bucket_tagging(&self, req: S3Request<PutBucketTaggingInput>) -> S3Result<S3Response<PutBucketTaggingOutput>> {
        doc_ops!(self, req, put Tagging tagging)
    }
    async fn get_bucket_tagging(&self, req: S3Request<GetBucketTaggingInput>) -> S3Result<S3Response<GetBucketTaggingOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let tagging: Tagging = configs::get(self, &req.input.bucket, Doc::Tagging)?;
        Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tagging.tag_set }))
    }
    async fn delete_bucket_tagging(&self, req: S3Request<DeleteBucketTaggingInput>) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
        doc_ops!(self, req, delete Tagging)
    }
    async fn put_public_access_block(&self, req: S3Request<PutPublicAccessBlockInput>) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        configs::set_block(self, &req.input.bucket, &req.input.public_access_block_configuration)?;
        Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
    }
    async fn get_public_access_block(&self, req: S3Request<GetPublicAccessBlockInput>) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        let block = configs::get_block(self, &req.input.bucket)?;
        Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) }))
    }
    async fn put_bucket_policy(&self, req: S3Request<PutBucketPolicyInput>) -> S3Result<S3Response<PutBucketPolicyOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        self.s3.put_policy(&req.input.bucket, &req.input.policy)?;
        Ok(S3Response::with_status(PutBucketPolicyOutput::default(), http::StatusCode::NO_CONTENT))
    }
    async fn get_bucket_policy(&self, req: S3Request<GetBucketPolicyInput>) -> S3Result<S3Response<GetBucketPolicyOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        configs::get_policy(self, &req.input.bucket).map(S3Response::new)
    }
    async fn delete_bucket_policy(&self, req: S3Request<DeleteBucketPolicyInput>) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        self.s3.update_bucket(&req.input.bucket, |settings| settings.policy = None)?;
        Ok(S3Response::with_status(DeleteBucketPolicyOutput::default(), http::StatusCode::NO_CONTENT))
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        listing::v1(self, req.input)
    }
    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check_region(&req.input.bucket, &req)?;
        listing::v2(self, req.input)
    }
    async fn list_object_versions(&self, req: S3Request<ListObjectVersionsInput>) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        listing::versions(self, req.input)
    }
    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        objects::put(self, req).await
    }
    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        objects::get(self, req.input)
    }
    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        objects::head(self, req.input)
    }
    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        objects::copy(self, req.input)
    }
    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        objects::delete(self, &req.input)
    }
    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        objects::delete_many(self, req.input)
    }
    async fn get_object_tagging(&self, req: S3Request<GetObjectTaggingInput>) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let version = self.s3.object(&req.input.bucket, &req.input.key, req.input.version_id.as_deref())?;
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set: objects::tag_set(&version.tags), version_id: None }))
    }

    async fn create_multipart_upload(&self, req: S3Request<CreateMultipartUploadInput>) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.check_region(&req.input.bucket, &req)?;
        multipart::create(self, req.input)
    }
    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        multipart::part(self, req).await
    }
    async fn upload_part_copy(&self, req: S3Request<UploadPartCopyInput>) -> S3Result<S3Response<UploadPartCopyOutput>> {
        multipart::part_copy(self, req.input).await
    }
    async fn complete_multipart_upload(&self, req: S3Request<CompleteMultipartUploadInput>) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        multipart::complete(self, req.input)
    }
    async fn abort_multipart_upload(&self, req: S3Request<AbortMultipartUploadInput>) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        multipart::abort(self, &req.input)
    }
    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        multipart::list_parts(self, req.input)
    }
    async fn list_multipart_uploads(&self, req: S3Request<ListMultipartUploadsInput>) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        multipart::list_uploads(self, req.input)
    }
}
