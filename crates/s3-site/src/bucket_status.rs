//! The state of one bucket, independently of the other one and of every other service.

use futures::try_join;
use twinsite_aws::AwsError;
use twinsite_core::{Side, Site};

use crate::calls::buckets::BucketLocation;
use crate::clients::S3Site;

/// The state of one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketStatus {
    /// It does not exist.
    Absent,
    /// The name belongs to another account, or the credentials lack permissions.
    Inaccessible,
    /// It is in another region.
    OtherRegion(String),
    /// It exists in the expected region.
    Present {
        /// Whether versioning is enabled.
        versioned: bool,
        /// The bucket to which the managed rule replicates, if it is enabled.
        replicates_to: Option<String>,
    },
}

impl S3Site {
    /// Reads the state of one bucket, from its region alone.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn bucket_status(&self, site: &Site, side: Side) -> Result<BucketStatus, AwsError> {
        let bucket = self.bucket(site, side);
        match bucket.head_bucket().await? {
            BucketLocation::Absent => return Ok(BucketStatus::Absent),
            BucketLocation::Inaccessible => return Ok(BucketStatus::Inaccessible),
            BucketLocation::Region(region) if region != site.regions.get(side).as_str() => {
                return Ok(BucketStatus::OtherRegion(region));
            }
            BucketLocation::Region(_) | BucketLocation::Here => {}
        }
        let (versioning, rules) = try_join!(bucket.get_bucket_versioning(), bucket.replication_rules())?;
        let versioned = versioning.as_deref() == Some("Enabled");
        let rule = rules.managed.filter(|rule| rule.enabled);
        let replicates_to = rule.map(|rule| rule.destination.trim_start_matches("arn:aws:s3:::").to_owned());
        Ok(BucketStatus::Present { versioned, replicates_to })
    }
}
