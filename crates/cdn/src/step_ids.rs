//! The ids of all steps that this crate plans, for callers that order them relative to the steps of other crates.

use twinsite_core::StepId;

/// Requests the certificate. Outputs its ARN and its validation record.
pub const CERTIFICATE_REQUEST: &str = "certificate/request";
/// Waits until the certificate is issued, for which its validation record must exist in DNS.
pub const CERTIFICATE_ISSUED: &str = "certificate/issued";
/// Creates, updates or deletes the origin access control.
pub const ACCESS_CONTROL: &str = "cdn/access-control";
/// Creates or deletes the key value store. Creation outputs its ARN.
pub const STORE: &str = "cdn/store";
/// Puts the keys of the key value store.
pub const STORE_KEYS: &str = "cdn/store-keys";
/// Puts the users of protected paths into the key value store.
pub const STORE_USERS: &str = "cdn/store-users";
/// Puts back the tags of the key value store.
pub const STORE_TAGS: &str = "cdn/store-tags";
/// Creates, updates or deletes the viewer-request function.
pub const FUNCTION: &str = "cdn/function";
/// Creates, updates or deletes the distribution. Creation outputs its ARN, host and id.
pub const DISTRIBUTION: &str = "cdn/distribution";
/// Puts back the tags of the distribution.
pub const DISTRIBUTION_TAGS: &str = "cdn/tags";
/// Waits until the last change of the distribution is deployed to all edge locations.
pub const DISTRIBUTION_DEPLOYED: &str = "cdn/deployed";
/// Disables the distribution. No DNS record should point to it any more.
pub const DISTRIBUTION_DISABLED: &str = "cdn/disabled";

/// Deletes one of the site's certificates.
pub fn certificate_deletion(index: usize) -> StepId {
    StepId::new(format!("certificate/{index}"))
}
