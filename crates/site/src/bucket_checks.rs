//! Checks of a site's buckets between the planning of a publish and its first write.

use twinsite_core::Run;
use twinsite_s3_site::DRILL_JOURNAL_KEY;
use twinsite_sync::{Prepared, SyncError};

use crate::context::SiteContext;
use crate::error::{Context, Error};

const OPERATION: &str = "publish";

/// What a publish of a site checks: whether a drill was interrupted, whose the buckets are, and whether the mode was applied.
pub(crate) async fn check_prepared(site: &SiteContext, prepared: &Prepared, run: &Run) -> Result<(), Error> {
    check_first_deploy(site, prepared, run).await?;
    check_backup_exists(site, prepared).await
}

/// The listing shows whether a drill was interrupted, and whether the buckets were published to before: one with a manifest
/// belongs to this site, one without may be a foreign bucket of the same name, and its tags are read.
async fn check_first_deploy(site: &SiteContext, prepared: &Prepared, run: &Run) -> Result<(), Error> {
    if prepared.notes.iter().any(|note| note.as_str() == DRILL_JOURNAL_KEY) {
        site.warn_if_drill_interrupted(run).await;
    }
    if prepared.is_first() { site.check_buckets().await } else { Ok(()) }
}

/// A mode that was changed in the configuration and not applied has a backup that does not exist, while the primary serves the site as the
/// former mode would have it.
pub(crate) async fn check_backup_exists(site: &SiteContext, prepared: &Prepared) -> Result<(), Error> {
    if !prepared.drift.as_ref().is_err_and(SyncError::is_absent_bucket) {
        return Ok(());
    }
    let others = Box::pin(site.services.s3.buckets_of_other_modes(&site.site)).await.context(OPERATION)?;
    let Some(other) = others.first() else { return Ok(()) };
    let why = format!(
        "the backup bucket `{}` of mode `{}` does not exist, and `{other}`, which the site has in another mode, does: the mode was \
         changed and not applied. Nothing was published",
        site.site.buckets.backup, site.site.mode
    );
    Err(Error::refused(OPERATION, why).hint("change the site to this mode: `twinsite apply`"))
}
