//! From the actual to the desired state: pure.

mod certificate;
mod distribution;
mod store;

use twinsite_core::{Arn, Deferred, Host, Step, ValidationRecords};

use crate::model::{Actual, Change, Conflict, Conflicts, Desired, MAX_FUNCTION_SIZE, viewer_request_code};
use crate::step_ids;

/// The steps that create or update the certificate and the distribution, and the values that other services need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// The steps.
    pub steps: Vec<Step<Change>>,
    /// The validation records, which must exist in DNS as long as the certificate is to be issued or renewed; `None` for a
    /// certificate that the site does not own.
    pub validation_records: Option<Deferred<ValidationRecords>>,
    /// The validation records of former aliases that no certificate needs any more.
    pub former_validation_records: ValidationRecords,
    /// The certificate, once it is issued.
    pub certificate: Deferred<Arn>,
    /// The ARN of the distribution, which private buckets grant access to.
    pub distribution_arn: Deferred<Arn>,
    /// The host of the distribution, which DNS records point to.
    pub distribution_host: Deferred<Host>,
    /// The ARN of the key value store, if the mode has one.
    pub store_arn: Option<Deferred<Arn>>,
}

/// The steps that bring the certificate and the distribution into the desired state. A caller that also manages DNS orders
/// [`CERTIFICATE_ISSUED`](step_ids::CERTIFICATE_ISSUED) after the step that writes the validation record.
///
/// # Errors
/// [`Conflicts`] if the desired state cannot be reached. Nothing should be changed then.
pub fn plan_changes(desired: &Desired, actual: &Actual) -> Result<Planned, Conflicts> {
    let mut conflicts = Conflict::http_only_standby(desired);
    let size = if desired.has_function() { viewer_request_code(desired).len() } else { 0 };
    if size > MAX_FUNCTION_SIZE {
        conflicts.push(Conflict::FunctionTooLarge { size });
    }
    if !conflicts.is_empty() {
        return Err(Conflicts(conflicts));
    }
    let chosen = certificate::choose_certificate(desired, &actual.certificates)?;
    let mut steps = chosen.steps;
    let store = if desired.has_store() { Some(store::plan_store(desired, actual)?) } else { None };
    let store_arn = store.as_ref().map(|store| store.arn.clone());
    steps.extend(store.into_iter().flat_map(|store| store.steps));
    steps.extend(distribution::distribution_steps(desired, actual, chosen.arn.clone(), store_arn.as_ref())?);
    steps.extend(certificate::superseded_steps(desired, actual));
    let created = || step_ids::DISTRIBUTION.into();
    let (distribution_arn, distribution_host) = match &actual.distribution {
        Some(distribution) => (Deferred::Known(distribution.arn.clone()), Deferred::Known(distribution.host.clone())),
        None => (Deferred::After(created()), Deferred::After(created())),
    };
    let validation_records = chosen.validation_records;
    let certificate = chosen.arn;
    let former_validation_records = certificate::former_records(desired, &actual.certificates);
    Ok(Planned {
        steps,
        validation_records,
        former_validation_records,
        certificate,
        distribution_arn,
        distribution_host,
        store_arn,
    })
}

/// The validation records of all certificates that were requested for the site, by names.
pub fn requested_validation_records(desired: &Desired, actual: &Actual) -> ValidationRecords {
    certificate::requested_records(desired, &actual.certificates)
}

/// The steps that delete the distribution and the certificates, as far as they were created for the site. A caller that also
/// manages DNS orders [`DISTRIBUTION_DISABLED`](step_ids::DISTRIBUTION_DISABLED) after the deletion of the records that point to
/// the distribution.
pub fn plan_destruction(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let mut steps = distribution::destruction_steps(desired, actual);
    steps.extend(certificate::destruction_steps(desired, actual));
    steps
}
