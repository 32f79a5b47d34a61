//! Objects that are written into files.

use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use twinsite_aws::AwsError;

use super::S3Store;
use super::wire::tag_kind;
use crate::store::{Condition, Copying, DownloadedObject, StoredObject};
use crate::{ETag, Md5, StoreError, TagKind};

/// How often an object is requested whose bytes do not all arrive. Each time, only what is missing is requested.
const ATTEMPTS: u32 = 5;

impl S3Store {
    /// Writes the bytes of an object into a new file, and verifies them by their number and, where the entity tag is a digest, by their MD5.
    /// A connection that breaks is replaced by a request for the rest.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`] if the bytes are others than the entity tag says; [`StoreError::File`] if the file could not be written.
    pub(crate) async fn download(&self, object: &StoredObject, to: &Path) -> Result<DownloadedObject, StoreError> {
        let StoredObject { key, version, etag, size } = object;
        let copying = Copying {
            key: key.clone(),
            version: version.clone(),
            etag: etag.clone(),
            headers: None,
            redirect: None,
            condition: Condition::None,
        };
        let unwritable = |source| StoreError::File { path: to.to_owned(), source };
        let mut file = File::create(to).await.map_err(unwritable)?;
        let (mut done, mut hash, mut digest) = (0, md5_simd::Md5::new(), None);
        for attempt in 1..=ATTEMPTS {
            let range = (done > 0).then_some(done..*size);
            let Some(mut found) = self.open(&copying, range).await? else { return Ok(DownloadedObject::Gone) };
            digest = match (tag_kind(found.server_side_encryption(), found.sse_customer_algorithm()), etag) {
                (TagKind::Digest, ETag::Md5(md5)) => Some(*md5),
                _ => None,
            };
            let broken = loop {
                match found.body.next().await {
                    Some(Ok(bytes)) => {
                        file.write_all(&bytes).await.map_err(unwritable)?;
                        hash.update(&bytes);
                        done += bytes.len() as u64;
                    }
                    Some(Err(error)) => break Some(error),
                    None => break None,
                }
            };
            match broken {
                _ if done >= *size => break,
                Some(error) if attempt == ATTEMPTS => {
                    return Err(AwsError::unexpected("GetObject", self.object(key), error).into());
                }
                Some(_) | None => {}
            }
        }
        file.flush().await.map_err(unwritable)?;
        if done != *size || digest.is_some_and(|wanted| wanted != Md5(hash.finalize())) {
            return Err(StoreError::Corrupted(key.clone()));
        }
        Ok(DownloadedObject::Written)
    }
}
