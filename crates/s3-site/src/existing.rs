//! Buckets as they are, whoever created them.

use twinsite_aws::AwsError;
use twinsite_core::BucketName;

use crate::calls::BucketClient;
use crate::calls::buckets::BucketLocation;
use crate::clients::S3Site;
use crate::model::{BucketSettings, RoutingRule, WebsiteRedirect, WebsiteSnapshot};
use crate::observe::bucket_settings;

/// Where a bucket was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundBucket {
    /// It does not exist.
    Absent,
    /// It belongs to another account, or the credentials lack permissions.
    Inaccessible,
    /// It is in this region; `None` if S3 does not tell.
    InRegion(Option<String>),
}

/// A bucket with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingBucket {
    /// Its settings.
    pub settings: BucketSettings,
    /// Where its website redirects every request.
    pub redirect_all: Option<WebsiteRedirect>,
    /// The routing rules of its website, in their order.
    pub routing_rules: Vec<RoutingRule>,
}

impl S3Site {
    /// Looks for a bucket, in whichever region it is.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn find_bucket(&self, name: &BucketName) -> Result<FoundBucket, AwsError> {
        let bucket = BucketClient { client: &self.s3.primary, bucket: name };
        Ok(match bucket.head_bucket().await? {
            BucketLocation::Absent => FoundBucket::Absent,
            BucketLocation::Inaccessible => FoundBucket::Inaccessible,
            BucketLocation::Region(region) => FoundBucket::InRegion(Some(region)),
            BucketLocation::Here => FoundBucket::InRegion(None),
        })
    }

    /// Reads the settings of a bucket in the primary's region, whoever created it.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_existing_bucket(&self, name: &BucketName) -> Result<ExistingBucket, AwsError> {
        let bucket = BucketClient { client: &self.s3.primary, bucket: name };
        let settings = Box::pin(bucket_settings(bucket)).await?;
        let website = Box::pin(bucket.get_bucket_website()).await?;
        let redirect_all = website.as_ref().and_then(WebsiteSnapshot::redirect);
        let routing_rules = website.map(|website| website.routing_rules).unwrap_or_default();
        Ok(ExistingBucket { settings, redirect_all, routing_rules })
    }
}
