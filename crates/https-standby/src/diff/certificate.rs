//! Which certificate is used, and the steps that it takes.

use twinsite_core::{Action, Arn, Deferred, Reason, Step, ValidationRecords};

use crate::model::{Actual, Certificate, CertificateStatus, Change, Desired};
use crate::step_ids;

/// The certificate that is used.
pub(crate) struct ChosenCertificate {
    /// Its ARN, once it is issued.
    pub(crate) arn: Deferred<Arn>,
    /// The record that must exist in DNS until it is issued and for each renewal.
    pub(crate) validation_records: Option<Deferred<ValidationRecords>>,
    /// The steps that request it or wait for it.
    pub(crate) steps: Vec<Step<Change>>,
}

/// Chooses, in this order: the given certificate, an issued one, a pending one of the site, a new one.
pub(crate) fn choose_certificate(desired: &Desired, actual: &Actual) -> ChosenCertificate {
    if let Some(arn) = &desired.certificate {
        return ChosenCertificate { arn: arn.clone(), validation_records: None, steps: Vec::new() };
    }
    let owner = desired.owner();
    let owned = |certificate: &Certificate| owner.owns(&certificate.tags);
    let known = |certificate: &Certificate| -> Option<Deferred<ValidationRecords>> {
        let record = certificate.validation_record.clone().filter(|_| owned(certificate))?;
        Some(Deferred::Known(ValidationRecords([(desired.site.domain.as_str().to_owned(), record)].into())))
    };
    let in_use = actual.domain_name.as_ref().map(|found| found.certificate.as_str());
    let issued = actual.certificates.iter().filter(|certificate| certificate.status == CertificateStatus::Issued);
    // The one in use, then the site's own, then the one that expires last.
    let preference = |one: &&Certificate| (Some(one.arn.as_str()) == in_use, owned(one), one.not_after);
    if let Some(best) = issued.max_by_key(preference) {
        let (arn, validation_records) = (Deferred::Known(best.arn.clone()), known(best));
        return ChosenCertificate { arn, validation_records, steps: Vec::new() };
    }
    let wait = |certificate: Deferred<Arn>| {
        let change = Change::AwaitCertificate { certificate };
        Step::new(step_ids::CERTIFICATE_ISSUED, Action::Wait, Reason::Pending, change)
    };
    let arn = Deferred::After(step_ids::CERTIFICATE_ISSUED.into());
    let mut failed = None;
    for certificate in actual.certificates.iter().filter(|certificate| owned(certificate)) {
        match &certificate.status {
            CertificateStatus::PendingValidation if certificate.validation_record.is_some() => {
                let steps = vec![wait(Deferred::Known(certificate.arn.clone()))];
                return ChosenCertificate { arn, validation_records: known(certificate), steps };
            }
            CertificateStatus::Failed(reason) if failed.is_none() => failed = Some((&certificate.arn, reason)),
            _ => {}
        }
    }
    let reason = failed.map_or(Reason::Absent, |(_, reason)| {
        Reason::Asked(format!("is requested again: the last request failed ({reason})"))
    });
    let (domain, tags) = (desired.site.domain.clone(), owner.created());
    let change = Change::RequestCertificate { domain, tags, replaces: failed.map(|(arn, _)| arn.clone()) };
    let request = Step::new(step_ids::CERTIFICATE_REQUEST, Action::Create, reason, change);
    let requested = || step_ids::CERTIFICATE_REQUEST.into();
    let steps = vec![request, wait(Deferred::After(requested()))];
    ChosenCertificate { arn, validation_records: Some(Deferred::After(requested())), steps }
}
