//! Reads what is recorded of the site in the backup bucket: its key value store, and its aliases.

use twinsite_aws::{AwsError, Kind};
use twinsite_core::{Arn, Domain, Side, Site};

use crate::clients::S3Site;
use crate::model::{ALIAS_RECORD_KEY, STORE_RECORD_KEY, recorded_aliases, recorded_store};

impl S3Site {
    /// The ARN of the site's key value store as recorded in the backup bucket; `None` without a record that names a store of this account.
    /// Whoever may publish can write the record if the policies let them, so that a caller verifies that the store is the site's.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn recorded_store(&self, site: &Site) -> Result<Option<Arn>, AwsError> {
        match self.bucket(site, Side::Backup).get_object(STORE_RECORD_KEY).await {
            Ok(record) => Ok(record.and_then(|record| recorded_store(&record, site))),
            Err(error) if error.kind == Kind::Denied => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The aliases that the site has or had, and that something in AWS may be left of; none without a record. What is deleted because of it
    /// is the site's by other marks.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn recorded_aliases(&self, site: &Site) -> Result<Vec<Domain>, AwsError> {
        match self.bucket(site, Side::Backup).get_object(ALIAS_RECORD_KEY).await {
            Ok(record) => Ok(record.map(|record| recorded_aliases(&record, site)).unwrap_or_default()),
            // A bucket of another account or in another region is a conflict, which is said when the buckets are planned.
            Err(error) if error.kind == Kind::Denied || is_elsewhere(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Whether a bucket is in another region.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn is_elsewhere(error: &AwsError) -> bool {
    matches!(error.code.as_deref(), Some("PermanentRedirect" | "AuthorizationHeaderMalformed"))
}
