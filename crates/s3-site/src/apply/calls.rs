//! One function for each S3 operation, by its AWS name.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use twinsite_aws::{AwsError, Tags};
use twinsite_core::{BucketName, Region};

use crate::bucket::{Block, Lifecycle, Website};
use crate::replication::Rule;
use crate::wire;

/// One bucket and its client.
pub(super) struct Calls<'a> {
    pub(super) client: &'a Client,
    pub(super) bucket: &'a BucketName,
}

macro_rules! call {
    ($self:ident, $operation:literal, $request:expr) => {
        Box::pin($request.bucket($self.bucket.as_str()).send())
            .await
            .map_err(|error| AwsError::new($operation, $self.bucket, error))
    };
}

impl Calls<'_> {
    fn unfit(&self, operation: &'static str) -> impl Fn(BuildError) -> AwsError {
        let bucket = self.bucket.clone();
        move |error| AwsError::unexpected(operation, &bucket, error)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    pub(super) async fn create_bucket(&self, region: &Region) -> Result<(), AwsError> {
        let located = region.location_constraint().map(|region| {
            CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
        });
        let request = self.client.create_bucket().set_create_bucket_configuration(located);
        let answer = call!(self, "CreateBucket", request).map(drop);
        match answer {
            // A lost reply: the bucket was created by the call before.
            Err(error) if error.code.as_deref() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            answer => answer,
        }
    }

    pub(super) async fn put_bucket_tagging(&self, tags: &Tags) -> Result<(), AwsError> {
        let tagging = wire::tagging(tags).map_err(self.unfit("PutBucketTagging"))?;
        call!(self, "PutBucketTagging", self.client.put_bucket_tagging().tagging(tagging)).map(drop)
    }

    pub(super) async fn delete_bucket_tagging(&self) -> Result<(), AwsError> {
        call!(self, "DeleteBucketTagging", self.client.delete_bucket_tagging()).map(drop)
    }

    pub(super) async fn put_bucket_versioning(&self) -> Result<(), AwsError> {
        let request = self.client.put_bucket_versioning().versioning_configuration(wire::versioning());
        call!(self, "PutBucketVersioning", request).map(drop)
    }

    pub(super) async fn put_bucket_ownership_controls(&self) -> Result<(), AwsError> {
        let controls = wire::ownership().map_err(self.unfit("PutBucketOwnershipControls"))?;
        let request = self.client.put_bucket_ownership_controls().ownership_controls(controls);
        call!(self, "PutBucketOwnershipControls", request).map(drop)
    }

    pub(super) async fn put_bucket_encryption(&self) -> Result<(), AwsError> {
        let configuration = wire::encryption().map_err(self.unfit("PutBucketEncryption"))?;
        let request = self.client.put_bucket_encryption().server_side_encryption_configuration(configuration);
        call!(self, "PutBucketEncryption", request).map(drop)
    }

    pub(super) async fn put_public_access_block(&self, block: Block) -> Result<(), AwsError> {
        let configuration = wire::block_configuration(block);
        let request = self.client.put_public_access_block().public_access_block_configuration(configuration);
        call!(self, "PutPublicAccessBlock", request).map(drop)
    }

    /// Reads first: routing rules that others have set stay.
    pub(super) async fn put_bucket_website(&self, website: &Website) -> Result<(), AwsError> {
        let before = AwsError::absent(call!(self, "GetBucketWebsite", self.client.get_bucket_website()))?;
        let configuration = wire::website_configuration(website, before).map_err(self.unfit("PutBucketWebsite"))?;
        let request = self.client.put_bucket_website().website_configuration(configuration);
        call!(self, "PutBucketWebsite", request).map(drop)
    }

    /// Reads first: rules that others have set stay.
    pub(super) async fn put_bucket_lifecycle_configuration(&self, want: Lifecycle) -> Result<(), AwsError> {
        let request = self.client.get_bucket_lifecycle_configuration();
        let before = AwsError::absent(call!(self, "GetBucketLifecycleConfiguration", request))?;
        let before = before.and_then(|answer| answer.rules).unwrap_or_default();
        let unfit = self.unfit("PutBucketLifecycleConfiguration");
        let configuration = wire::lifecycle_configuration(want, before).map_err(unfit)?;
        let request = self.client.put_bucket_lifecycle_configuration().lifecycle_configuration(configuration);
        call!(self, "PutBucketLifecycleConfiguration", request).map(drop)
    }

    pub(super) async fn put_bucket_policy(&self, policy: &str) -> Result<(), AwsError> {
        call!(self, "PutBucketPolicy", self.client.put_bucket_policy().policy(policy)).map(drop)
    }

    pub(super) async fn delete_bucket_policy(&self) -> Result<(), AwsError> {
        call!(self, "DeleteBucketPolicy", self.client.delete_bucket_policy()).map(drop)
    }

    /// Reads first: rules that others have set stay.
    pub(super) async fn put_bucket_replication(&self, rule: Option<&Rule>) -> Result<(), AwsError> {
        let before = AwsError::absent(call!(self, "GetBucketReplication", self.client.get_bucket_replication()))?;
        let before = before.and_then(|answer| answer.replication_configuration);
        let configuration =
            wire::replication::configuration(rule, before).map_err(self.unfit("PutBucketReplication"))?;
        let Some(configuration) = configuration else { return self.delete_bucket_replication().await };
        let request = self.client.put_bucket_replication().replication_configuration(configuration);
        call!(self, "PutBucketReplication", request).map(drop)
    }

    pub(super) async fn delete_bucket_replication(&self) -> Result<(), AwsError> {
        call!(self, "DeleteBucketReplication", self.client.delete_bucket_replication()).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    pub(super) async fn put_probe(&self, key: &str, word: &str) -> Result<(), AwsError> {
        let request = self.client.put_object().key(key).body(word.as_bytes().to_vec().into());
        let request = request.content_type("text/plain; charset=utf-8").cache_control("no-store");
        call!(self, "PutObject", request).map(drop)
    }

    pub(super) async fn delete_bucket(&self) -> Result<(), AwsError> {
        AwsError::absent(call!(self, "DeleteBucket", self.client.delete_bucket()).map(drop)).map(drop)
    }
}
