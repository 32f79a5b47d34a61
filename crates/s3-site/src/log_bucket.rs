//! Whether a bucket can take the legacy logs of CloudFront, which are written by an ACL.

use twinsite_aws::{AwsError, Kind};
use twinsite_core::{BucketName, Side};

use crate::calls::BucketClient;
use crate::calls::buckets::BucketLocation;
use crate::clients::S3Site;

/// A bucket for logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogBucket {
    /// It does not exist.
    Absent,
    /// Its ACLs are disabled, so that CloudFront refuses to log to it.
    AclsDisabled,
    /// It has ACLs.
    HasAcls,
    /// It is in a third region, or may not be looked at.
    Unknown,
}

impl S3Site {
    /// Looks at a bucket for logs of CloudFront.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html>
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn log_bucket(&self, name: &BucketName) -> Result<LogBucket, AwsError> {
        for side in Side::BOTH {
            let bucket = BucketClient { client: self.s3.get(side), bucket: name };
            match bucket.head_bucket().await? {
                BucketLocation::Absent => return Ok(LogBucket::Absent),
                BucketLocation::Inaccessible => return Ok(LogBucket::Unknown),
                BucketLocation::Region(_) | BucketLocation::Here => {}
            }
            match bucket.get_bucket_ownership_controls().await {
                Ok(Some(ownership)) if ownership != "BucketOwnerEnforced" => return Ok(LogBucket::HasAcls),
                Ok(_) => return Ok(LogBucket::AclsDisabled),
                Err(error) if error.kind == Kind::Denied => return Ok(LogBucket::Unknown),
                // In the other region.
                Err(_) => {}
            }
        }
        Ok(LogBucket::Unknown)
    }
}
