//! An object that tells whether replication works: put into the primary, looked for in the backup.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site, probe};

use crate::S3Site;

fn key() -> String {
    format!("{}drill.txt", probe::FOLDER)
}

impl S3Site {
    /// Puts it into the primary.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be put.
    pub async fn put_canary(&self, site: &Site, text: &str) -> Result<(), AwsError> {
        let (bucket, key) = (site.buckets.primary.as_str(), key());
        let subject = format!("{bucket}/{key}");
        let put = self.clients.get(Side::Primary).put_object().bucket(bucket).key(key).cache_control("no-store");
        let put = put.content_type("text/plain").body(text.as_bytes().to_vec().into());
        put.send().await.map(drop).map_err(|error| AwsError::new("PutObject", subject, error))
    }

    /// True when it has arrived in the backup.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be looked for.
    pub async fn has_canary(&self, site: &Site, text: &str) -> Result<bool, AwsError> {
        let (bucket, key) = (site.buckets.backup.as_str(), key());
        let subject = format!("{bucket}/{key}");
        let get = self.clients.get(Side::Backup).get_object().bucket(bucket).key(key).send().await;
        let answer = AwsError::absent(get.map_err(|error| AwsError::new("GetObject", &subject, error)))?;
        let Some(answer) = answer else { return Ok(false) };
        let body = answer.body.collect().await.map_err(|error| AwsError::unexpected("GetObject", subject, error))?;
        Ok(body.into_bytes() == text.as_bytes())
    }

    /// Takes it away on both sides.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be deleted.
    pub async fn drop_canary(&self, site: &Site) -> Result<(), AwsError> {
        for side in Side::BOTH {
            let (bucket, key) = (site.buckets.get(side).as_str(), key());
            let subject = format!("{bucket}/{key}");
            let delete = self.clients.get(side).delete_object().bucket(bucket).key(key).send().await;
            delete.map_err(|error| AwsError::new("DeleteObject", subject, error))?;
        }
        Ok(())
    }
}
