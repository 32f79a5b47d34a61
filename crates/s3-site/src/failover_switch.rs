//! The manual failover switch: an object in the backup bucket that a health check polls. It needs no control plane.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site, probe};

use crate::calls::NewObject;
use crate::clients::S3Site;

impl S3Site {
    /// Fails over to the backup: one `PutObject` in the backup's region, and no other request.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn put_failover_switch(&self, site: &Site) -> Result<(), AwsError> {
        let content = format!("{}\n", probe::STOP_WORD);
        self.bucket(site, Side::Backup).put_object(NewObject::uncached_text(probe::STOP, &content)).await
    }

    /// Fails back to the primary: one `DeleteObject` in the backup's region, and no other request.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn delete_failover_switch(&self, site: &Site) -> Result<(), AwsError> {
        self.bucket(site, Side::Backup).delete_object(probe::STOP).await
    }

    /// True if the site was failed over by hand.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn has_failover_switch(&self, site: &Site) -> Result<bool, AwsError> {
        self.bucket(site, Side::Backup).head_object(probe::STOP).await.map(|object| object.is_some())
    }
}
