//! The switch that needs no control plane: one object in the backup bucket, which a health check looks for.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site, probe};

use crate::S3Site;

impl S3Site {
    /// Sends visitors to the backup: one `PutObject` in the backup's region, and nothing else.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be put.
    pub async fn stop(&self, site: &Site) -> Result<(), AwsError> {
        let (bucket, subject) = (site.buckets.backup.as_str(), format!("{}/{}", site.buckets.backup, probe::STOP));
        let put = self.clients.get(Side::Backup).put_object().bucket(bucket).key(probe::STOP);
        let put = put.content_type("text/plain").cache_control("no-store").body(b"stop\n".to_vec().into());
        put.send().await.map(drop).map_err(|error| AwsError::new("PutObject", subject, error))
    }

    /// Lets visitors come back to the primary: one `DeleteObject` in the backup's region, and nothing else.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be deleted.
    pub async fn resume(&self, site: &Site) -> Result<(), AwsError> {
        let (bucket, subject) = (site.buckets.backup.as_str(), format!("{}/{}", site.buckets.backup, probe::STOP));
        let delete = self.clients.get(Side::Backup).delete_object().bucket(bucket).key(probe::STOP);
        delete.send().await.map(drop).map_err(|error| AwsError::new("DeleteObject", subject, error))
    }

    /// True while visitors are sent to the backup by hand.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be looked at.
    pub async fn is_stopped(&self, site: &Site) -> Result<bool, AwsError> {
        let (bucket, subject) = (site.buckets.backup.as_str(), format!("{}/{}", site.buckets.backup, probe::STOP));
        let head = self.clients.get(Side::Backup).head_object().bucket(bucket).key(probe::STOP).send().await;
        let head = AwsError::absent(head.map_err(|error| AwsError::new("HeadObject", subject, error)))?;
        Ok(head.is_some())
    }
}
