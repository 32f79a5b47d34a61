//! What a drill has broken, written down in the backup bucket before it is: whoever comes next can put it back.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site};

use crate::S3Site;

/// Where it is written. The policy keeps this corner from the public.
pub const JOURNAL: &str = ".twinsite/drill.json";

impl S3Site {
    /// Writes the journal.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be written.
    pub async fn write_journal(&self, site: &Site, text: String) -> Result<(), AwsError> {
        let put = self.clients.get(Side::Backup).put_object().bucket(site.buckets.backup.as_str()).key(JOURNAL);
        let put = put.content_type("application/json").body(text.into_bytes().into());
        put.send().await.map(drop).map_err(|error| AwsError::new("PutObject", subject(site), error))
    }

    /// What the journal says; `None` when nothing is broken. A bucket that is not there, or not ours, has none.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be read.
    pub async fn read_journal(&self, site: &Site) -> Result<Option<String>, AwsError> {
        let get = self.clients.get(Side::Backup).get_object().bucket(site.buckets.backup.as_str()).key(JOURNAL);
        let answer = get.send().await.map_err(|error| AwsError::new("GetObject", subject(site), error));
        let answer = match answer {
            Err(error) if error.kind == twinsite_aws::Kind::Denied => return Ok(None),
            answer => AwsError::absent(answer)?,
        };
        let Some(answer) = answer else { return Ok(None) };
        let body = answer.body.collect().await;
        let body = body.map_err(|error| AwsError::unexpected("GetObject", subject(site), error))?;
        Ok(Some(String::from_utf8_lossy(&body.into_bytes()).into_owned()))
    }

    /// Takes the journal away.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be deleted.
    pub async fn clear_journal(&self, site: &Site) -> Result<(), AwsError> {
        let delete = self.clients.get(Side::Backup).delete_object().bucket(site.buckets.backup.as_str()).key(JOURNAL);
        delete.send().await.map(drop).map_err(|error| AwsError::new("DeleteObject", subject(site), error))
    }
}

fn subject(site: &Site) -> String {
    format!("{}/{JOURNAL}", site.buckets.backup)
}
