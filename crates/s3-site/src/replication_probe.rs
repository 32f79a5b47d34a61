//! The replication probe: an object that is put into the primary and looked for in the backup.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site};

use crate::calls::NewObject;
use crate::clients::S3Site;

/// The key of the probe in both buckets.
pub const REPLICATION_PROBE_KEY: &str = ".well-known/twinsite/drill.txt";

impl S3Site {
    /// Puts the probe into the primary.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn put_replication_probe(&self, site: &Site, text: &str) -> Result<(), AwsError> {
        self.bucket(site, Side::Primary).put_object(NewObject::uncached_text(REPLICATION_PROBE_KEY, text)).await
    }

    /// True if the probe with this text was replicated to the backup.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn has_replication_probe(&self, site: &Site, text: &str) -> Result<bool, AwsError> {
        let object = self.bucket(site, Side::Backup).get_object(REPLICATION_PROBE_KEY).await?;
        Ok(object.is_some_and(|object| object == text.as_bytes()))
    }

    /// Deletes the probe from both buckets.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn delete_replication_probe(&self, site: &Site) -> Result<(), AwsError> {
        for side in Side::BOTH {
            self.bucket(site, side).delete_object(REPLICATION_PROBE_KEY).await?;
        }
        Ok(())
    }
}
