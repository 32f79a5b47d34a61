//! The journal of a drill: what is broken and how to restore it, stored in the backup bucket before anything is broken.

use twinsite_aws::{AwsError, Kind};
use twinsite_core::{Side, Site};

use crate::calls::NewObject;
use crate::clients::S3Site;

/// The journal's key in the backup bucket. The bucket policy denies public access to it.
pub const DRILL_JOURNAL_KEY: &str = ".twinsite/drill.json";

impl S3Site {
    /// Writes the journal.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn write_drill_journal(&self, site: &Site, text: &str) -> Result<(), AwsError> {
        let content_type = "application/json";
        let journal = NewObject { key: DRILL_JOURNAL_KEY, body: text.as_bytes(), content_type, cache_control: None };
        self.bucket(site, Side::Backup).put_object(journal).await
    }

    /// Reads the journal; `None` if there is none, so nothing is broken. The same for a bucket that does not exist or denies
    /// access.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn read_drill_journal(&self, site: &Site) -> Result<Option<String>, AwsError> {
        match self.bucket(site, Side::Backup).get_object(DRILL_JOURNAL_KEY).await {
            Ok(journal) => Ok(journal.map(|journal| String::from_utf8_lossy(&journal).into_owned())),
            Err(error) if error.kind == Kind::Denied => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes the journal.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn delete_drill_journal(&self, site: &Site) -> Result<(), AwsError> {
        self.bucket(site, Side::Backup).delete_object(DRILL_JOURNAL_KEY).await
    }
}
