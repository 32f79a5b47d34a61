//! The ids of all steps that this crate plans, for callers that order them relative to the steps of other crates.

use twinsite_core::{ResourceId, StepId};

/// Requests the certificate in the backup's region. Outputs its ARN and its validation record.
pub const CERTIFICATE_REQUEST: &str = "standby/certificate-request";
/// Waits until that certificate is issued, for which its validation record must exist in DNS.
pub const CERTIFICATE_ISSUED: &str = "standby/certificate-issued";
/// Creates, updates or deletes the API. Creation outputs its id.
pub const API: &str = "standby/api";
/// Puts back the tags of the API.
pub const API_TAGS: &str = "standby/api-tags";
/// Creates or updates the integration. Outputs its id.
pub const INTEGRATION: &str = "standby/integration";
/// Creates or updates the route.
pub const ROUTE: &str = "standby/route";
/// Creates or updates the stage.
pub const STAGE: &str = "standby/stage";
/// Creates, updates or deletes the custom domain name.
pub const DOMAIN_NAME: &str = "standby/domain-name";
/// Puts back the tags of the custom domain name.
pub const DOMAIN_NAME_TAGS: &str = "standby/domain-name-tags";
/// Waits until the custom domain name is available.
pub const DOMAIN_NAME_AVAILABLE: &str = "standby/domain-name-available";
/// Creates or deletes the API mapping.
pub const MAPPING: &str = "standby/mapping";

/// Deletes an API that an interrupted creation left behind.
pub fn surplus_api(id: &ResourceId) -> StepId {
    StepId::new(format!("{API}/{id}"))
}

/// Deletes one of the site's certificates.
pub fn certificate_deletion(index: usize) -> StepId {
    StepId::new(format!("standby/certificate/{index}"))
}
