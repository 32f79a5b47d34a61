//! Operations on a bucket and its settings. An absent setting is `None`, `false` or empty.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::ObjectOwnership;
use twinsite_aws::{AwsError, Kind, Tags};
use twinsite_core::Region;

use super::{BucketClient, call};
use crate::model::{
    ARCHIVED_CLASSES, ArchivedObject, DefaultEncryption, Lifecycle, LifecycleRisk, PublicAccessBlock, WebsiteSnapshot,
};
use crate::wire::{bucket as wire, website};

/// The result of `HeadBucket`.
pub(crate) enum BucketLocation {
    Absent,
    Inaccessible,
    Region(String),
    /// The region is that of the client, or was not told.
    Here,
}

macro_rules! bucket_call {
    ($self:ident, $operation:literal, $request:expr) => {
        call!($operation, $self.bucket, $request.bucket($self.bucket.as_str()))
    };
}

impl BucketClient<'_> {
    pub(super) fn unbuildable(&self, operation: &'static str) -> impl Fn(BuildError) -> AwsError {
        let bucket = self.bucket.clone();
        move |error| AwsError::unexpected(operation, &bucket, error)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
    pub(crate) async fn head_bucket(&self) -> Result<BucketLocation, AwsError> {
        let error = match Box::pin(self.client.head_bucket().bucket(self.bucket.as_str()).send()).await {
            Ok(response) => {
                let region = response.bucket_region.map(BucketLocation::Region);
                return Ok(region.unwrap_or(BucketLocation::Here));
            }
            Err(error) => error,
        };
        let response = error.raw_response();
        let region = response.and_then(|response| response.headers().get("x-amz-bucket-region")).map(str::to_owned);
        let is_elsewhere = response.is_some_and(|response| [301, 307, 400].contains(&response.status().as_u16()));
        if let (Some(region), true) = (region, is_elsewhere) {
            return Ok(BucketLocation::Region(region));
        }
        let error = AwsError::new("HeadBucket", self.bucket, error);
        match error.kind {
            Kind::Absent => Ok(BucketLocation::Absent),
            Kind::Denied => Ok(BucketLocation::Inaccessible),
            _ => Err(error),
        }
    }

    /// Creates the bucket with its tags, so that it belongs to the site from the beginning, and without ACLs.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    pub(crate) async fn create_bucket(&self, region: &Region, tags: &Tags) -> Result<(), AwsError> {
        let configuration = wire::create_bucket_configuration(region, tags);
        let configuration = configuration.map_err(self.unbuildable("CreateBucket"))?;
        let request = self.client.create_bucket().create_bucket_configuration(configuration);
        match bucket_call!(self, "CreateBucket", request.object_ownership(ObjectOwnership::BucketOwnerEnforced)) {
            // Servers other than AWS may ignore the tags of the creation.
            Ok(_) => self.put_bucket_tagging(tags).await,
            Err(error) if error.code.as_deref() == Some("BucketAlreadyOwnedByYou") => {
                // An earlier call has created it and its response was lost, if it has the tags.
                if self.tags_of_created().await? == *tags { Ok(()) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// The tags of a bucket that exists, although it may not be known everywhere.
    async fn tags_of_created(&self) -> Result<Tags, AwsError> {
        match bucket_call!(self, "GetBucketTagging", self.client.get_bucket_tagging()) {
            Ok(response) => Ok(wire::from_sdk_tags(response.tag_set())),
            Err(error) if error.code.as_deref() == Some("NoSuchTagSet") => Ok(Tags::new()),
            Err(error) => Err(error),
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>
    pub(crate) async fn delete_bucket(&self) -> Result<(), AwsError> {
        AwsError::absent(bucket_call!(self, "DeleteBucket", self.client.delete_bucket())).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>
    pub(crate) async fn get_bucket_tagging(&self) -> Result<Tags, AwsError> {
        let response = AwsError::absent(bucket_call!(self, "GetBucketTagging", self.client.get_bucket_tagging()))?;
        Ok(response.map(|response| wire::from_sdk_tags(response.tag_set())).unwrap_or_default())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>
    pub(crate) async fn put_bucket_tagging(&self, tags: &Tags) -> Result<(), AwsError> {
        let tagging = wire::tagging(tags).map_err(self.unbuildable("PutBucketTagging"))?;
        bucket_call!(self, "PutBucketTagging", self.client.put_bucket_tagging().tagging(tagging)).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>
    pub(crate) async fn delete_bucket_tagging(&self) -> Result<(), AwsError> {
        bucket_call!(self, "DeleteBucketTagging", self.client.delete_bucket_tagging()).map(drop)
    }

    /// `Enabled` or `Suspended`; `None` if versioning was never enabled.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
    pub(crate) async fn get_bucket_versioning(&self) -> Result<Option<String>, AwsError> {
        let response = bucket_call!(self, "GetBucketVersioning", self.client.get_bucket_versioning());
        let status = AwsError::absent(response)?.and_then(|response| response.status);
        Ok(status.map(|status| status.as_str().to_owned()))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>
    pub(crate) async fn put_bucket_versioning(&self) -> Result<(), AwsError> {
        let request = self.client.put_bucket_versioning().versioning_configuration(wire::versioning());
        bucket_call!(self, "PutBucketVersioning", request).map(drop)
    }

    /// Who owns objects; `BucketOwnerEnforced` if ACLs are disabled.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>
    pub(crate) async fn get_bucket_ownership_controls(&self) -> Result<Option<String>, AwsError> {
        let response = bucket_call!(self, "GetBucketOwnershipControls", self.client.get_bucket_ownership_controls());
        let response = AwsError::absent(response)?;
        Ok(wire::object_ownership(response.as_ref().and_then(|response| response.ownership_controls())))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html>
    pub(crate) async fn put_bucket_ownership_controls(&self) -> Result<(), AwsError> {
        let controls = wire::ownership_controls().map_err(self.unbuildable("PutBucketOwnershipControls"))?;
        let request = self.client.put_bucket_ownership_controls().ownership_controls(controls);
        bucket_call!(self, "PutBucketOwnershipControls", request).map(drop)
    }

    /// How objects are encrypted by default.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>
    pub(crate) async fn get_bucket_encryption(&self) -> Result<DefaultEncryption, AwsError> {
        let response = bucket_call!(self, "GetBucketEncryption", self.client.get_bucket_encryption());
        let response = AwsError::absent(response)?;
        let configuration = response.as_ref().and_then(|response| response.server_side_encryption_configuration());
        Ok(wire::default_encryption(configuration))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html>
    pub(crate) async fn put_bucket_encryption(&self) -> Result<(), AwsError> {
        let configuration = wire::encryption().map_err(self.unbuildable("PutBucketEncryption"))?;
        let request = self.client.put_bucket_encryption().server_side_encryption_configuration(configuration);
        bucket_call!(self, "PutBucketEncryption", request).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>
    pub(crate) async fn get_public_access_block(&self) -> Result<Option<PublicAccessBlock>, AwsError> {
        let response = bucket_call!(self, "GetPublicAccessBlock", self.client.get_public_access_block());
        let block = AwsError::absent(response)?.and_then(|response| response.public_access_block_configuration);
        Ok(block.as_ref().map(wire::public_access_block))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>
    pub(crate) async fn put_public_access_block(&self, block: PublicAccessBlock) -> Result<(), AwsError> {
        let configuration = wire::public_access_block_configuration(block);
        let request = self.client.put_public_access_block().public_access_block_configuration(configuration);
        bucket_call!(self, "PutPublicAccessBlock", request).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html>
    pub(crate) async fn get_bucket_website(&self) -> Result<Option<WebsiteSnapshot>, AwsError> {
        let response = AwsError::absent(bucket_call!(self, "GetBucketWebsite", self.client.get_bucket_website()))?;
        Ok(response.as_ref().map(website::snapshot))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html>
    pub(crate) async fn put_bucket_website(&self, snapshot: &WebsiteSnapshot) -> Result<(), AwsError> {
        let configuration = website::configuration(snapshot).map_err(self.unbuildable("PutBucketWebsite"))?;
        let request = self.client.put_bucket_website().website_configuration(configuration);
        bucket_call!(self, "PutBucketWebsite", request).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketWebsite.html>
    pub(crate) async fn delete_bucket_website(&self) -> Result<(), AwsError> {
        bucket_call!(self, "DeleteBucketWebsite", self.client.delete_bucket_website()).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>
    pub(crate) async fn get_bucket_lifecycle_configuration(&self) -> Result<(Lifecycle, Vec<LifecycleRisk>), AwsError> {
        self.lifecycle_rules().await.map(|rules| (wire::lifecycle(&rules), wire::lifecycle_risks(&rules)))
    }

    /// The objects that cannot be read before they are restored, among the first few thousand.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    pub(crate) async fn archived_objects(&self) -> Result<Vec<ArchivedObject>, AwsError> {
        const PAGES: usize = 3;
        let (mut archived, mut token) = (Vec::new(), None);
        for _ in 0..PAGES {
            let request = self.client.list_objects_v2().set_continuation_token(token.take());
            let Some(page) = AwsError::absent(bucket_call!(self, "ListObjectsV2", request))? else { break };
            let objects = page.contents.unwrap_or_default().into_iter();
            archived.extend(objects.filter_map(|object| {
                let class = object.storage_class.filter(|class| ARCHIVED_CLASSES.contains(&class.as_str()))?;
                Some(ArchivedObject { key: object.key?, class: class.as_str().to_owned() })
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        Ok(archived)
    }

    async fn lifecycle_rules(&self) -> Result<Vec<aws_sdk_s3::types::LifecycleRule>, AwsError> {
        let request = self.client.get_bucket_lifecycle_configuration();
        let response = AwsError::absent(bucket_call!(self, "GetBucketLifecycleConfiguration", request))?;
        Ok(response.and_then(|response| response.rules).unwrap_or_default())
    }

    /// Puts the managed rules and keeps the others.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>
    pub(crate) async fn put_bucket_lifecycle_configuration(&self, lifecycle: Lifecycle) -> Result<(), AwsError> {
        let configuration = wire::lifecycle_configuration(lifecycle, self.lifecycle_rules().await?);
        let configuration = configuration.map_err(self.unbuildable("PutBucketLifecycleConfiguration"))?;
        let request = self.client.put_bucket_lifecycle_configuration().lifecycle_configuration(configuration);
        bucket_call!(self, "PutBucketLifecycleConfiguration", request).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>
    pub(crate) async fn get_bucket_policy(&self) -> Result<Option<String>, AwsError> {
        let response = AwsError::absent(bucket_call!(self, "GetBucketPolicy", self.client.get_bucket_policy()))?;
        Ok(response.and_then(|response| response.policy))
    }

    /// Puts the policy, or deletes it if there is none.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
    pub(crate) async fn put_bucket_policy(&self, policy: Option<&str>) -> Result<(), AwsError> {
        match policy {
            Some(policy) => {
                bucket_call!(self, "PutBucketPolicy", self.client.put_bucket_policy().policy(policy)).map(drop)
            }
            None => bucket_call!(self, "DeleteBucketPolicy", self.client.delete_bucket_policy()).map(drop),
        }
    }
}
