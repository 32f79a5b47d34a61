//! What keeps the site from being served, or from failing over, as configured: what others have set, and what is published.

use futures::future::join;
use twinsite_core::{Event, Run, Side};
use twinsite_sync::{SyncPlan, has_opaque_objects};

use crate::context::SiteContext;
use crate::publish_result::PublishResult;
use crate::unfinished::warn;

impl SiteContext {
    /// Warns of objects that website endpoints cannot serve: those that a publish in mode `origin` has encrypted with a key of KMS, whatever
    /// the buckets' default encryption is. Buckets that cannot be listed are not warned of: they may not exist yet.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
    pub(crate) async fn warn_of_encrypted_objects(&self, run: &Run) {
        if !self.site.mode.public_buckets() {
            return;
        }
        let stores = self.stores();
        let (primary, backup) = join(has_opaque_objects(&stores.primary), has_opaque_objects(&stores.backup)).await;
        for (side, found) in [(Side::Primary, primary), (Side::Backup, backup)] {
            if found.is_ok_and(|has_opaque| has_opaque) {
                let (bucket, mode) = (self.site.buckets.get(side), self.site.mode);
                let text = format!(
                    "objects of the {side} bucket `{bucket}` are encrypted with a key of KMS: website endpoints, which the mode \
                     `{mode}` uses, answer visitors with 403 for them"
                );
                let hint = "before the mode is changed, set publish.encryption = \"AES256\" in mode \"origin\" and run \
                            `twinsite deploy --force`; if it was changed already, run that now";
                run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
            }
        }
    }
}

/// An apply that was interrupted may have created the buckets and nothing that leads visitors to them.
pub(crate) fn warn_if_not_served(site: &SiteContext, result: &PublishResult, run: &Run) {
    if result.has_distribution == Some(false) {
        let text =
            format!("the site has no distribution yet: visitors of {} cannot see what was published", site.url());
        warn(run, text, "complete the site with `twinsite apply`; nothing has to be deployed again");
    }
}

/// Objects that were there before `publish.encryption` was changed keep their encryption.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
pub(crate) fn warn_of_other_encryption(site: &SiteContext, plan: &SyncPlan, run: &Run) {
    let Some(wanted) = site.config.publish.encryption else { return };
    let objects = plan.kept_in_other_encryption(wanted);
    // In the other modes, website endpoints cannot serve what is encrypted with a key of KMS, which is warned of apart.
    if objects == 0 || site.site.mode.public_buckets() {
        return;
    }
    let noun = if objects == 1 {
        "1 object that is up to date is".to_owned()
    } else {
        format!("{objects} objects that are up to date are")
    };
    let text = format!("{noun} not encrypted with {}, as publish.encryption demands", wanted.as_str());
    warn(run, text, "they were uploaded before it was set: `twinsite deploy --force` uploads them again");
}

/// Website endpoints answer visitors with an error for objects that are encrypted with a key of KMS, because such requests need a
/// signature: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>.
pub(crate) fn warn_of_encrypted_website(site: &SiteContext, objects: usize, run: &Run) {
    if objects == 0 || !site.site.mode.public_buckets() {
        return;
    }
    let noun = if objects == 1 { "1 object has".to_owned() } else { format!("{objects} objects have") };
    let text = format!(
        "{noun} an entity tag as of encryption with a key of KMS: website endpoints, which the mode `{}` uses, answer visitors with an \
         error for such objects",
        site.site.mode
    );
    warn(
        run,
        text,
        "`twinsite apply` sets the buckets' default encryption to AES256; then deploy with --force, or set mode = \"origin\"",
    );
}
