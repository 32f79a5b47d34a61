//! Reads the record of the site's key value store.

use twinsite_aws::{AwsError, Kind};
use twinsite_core::{Arn, Side, Site};

use crate::clients::S3Site;
use crate::model::{STORE_RECORD_KEY, recorded_store};

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
}
