//! What keeps the site from being served, or from failing over, as configured: what others have set, and what is published.

use futures::future::join;
use twinsite_core::{Event, Run, Side};
use twinsite_s3_site::{ActualBucket, denies_plain_http};
use twinsite_sync::{SyncPlan, has_opaque_objects};

use crate::context::SiteContext;
use crate::publish_result::PublishResult;
use crate::state::SiteState;
use crate::unfinished::warn;

/// CloudFront's managed security headers policy, which sends `Strict-Transport-Security: max-age=31536000`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>
const SECURITY_HEADERS_POLICY: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

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

impl SiteState {
    /// Warns of what was found.
    pub(crate) fn warn_of_others(&self, run: &Run) {
        let warn = |text: String, hint: &str| run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
        let site = &self.s3.desired.site;
        let domain = &site.domain;
        for set in self.dns.actual.zone.sets.iter().filter(|set| ["HTTPS", "SVCB"].contains(&set.r#type.as_str())) {
            warn(
                format!("`{domain}` has a record of type {}, which twinsite does not manage", set.r#type),
                "browsers that use it are led to its target and see no failover: delete it, unless it leads to the distribution",
            );
        }
        if !site.mode.public_buckets() {
            return;
        }
        let distribution = self.cdn.actual.distribution.as_ref();
        let headers =
            distribution.and_then(|found| found.properties.get("DefaultCacheBehavior.ResponseHeadersPolicyId"));
        if headers.is_some_and(|policy| policy == SECURITY_HEADERS_POLICY) && !self.cdn.desired.security_headers {
            warn(
                format!(
                    "browsers that have visited `{domain}` insist on HTTPS for a year, and the standby serves HTTP only"
                ),
                "for them a DNS failover is an outage until then: keep mode = \"origin\", or serve `Strict-Transport-Security: \
                 max-age=0` for a while before",
            );
        }
        for side in Side::BOTH {
            let ActualBucket::Present(settings) = self.s3.actual.buckets.get(side) else { continue };
            let bucket = site.buckets.get(side);
            if let Some(statement) = settings.policy.as_deref().and_then(denies_plain_http) {
                warn(
                    format!("the policy of the {side} bucket `{bucket}` denies requests without TLS ({statement})"),
                    "website endpoints serve HTTP only, so every page is denied: delete the statement, exempt the bucket, or set \
                     mode = \"origin\"",
                );
            }
            if let Some(rule) = &settings.redirects_everything {
                warn(
                    format!("the website of the {side} bucket `{bucket}` redirects every request: {rule}"),
                    "its pages and health checks are never served: delete the routing rule, or give it a condition",
                );
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
