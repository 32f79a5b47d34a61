//! Which certificate is used, and the steps that it takes.

use twinsite_core::{Action, Arn, Deferred, Reason, Step, ValidationRecord};

use crate::model::{Actual, Certificate, CertificateStatus, Certificates, Change, Conflict, Desired};
use crate::step_ids;

/// The certificate that is used.
pub(crate) struct ChosenCertificate {
    /// Its ARN, once it is issued.
    pub(crate) arn: Deferred<Arn>,
    /// The record that must exist in DNS until it is issued and for each renewal.
    pub(crate) validation_record: Option<Deferred<ValidationRecord>>,
    /// The steps that request it or wait for it.
    pub(crate) steps: Vec<Step<Change>>,
}

impl ChosenCertificate {
    fn issued(arn: Arn, validation_record: Option<ValidationRecord>) -> Self {
        let validation_record = validation_record.map(Deferred::Known);
        Self { arn: Deferred::Known(arn), validation_record, steps: Vec::new() }
    }
}

/// Chooses, in this order: the configured certificate, an issued one, a pending one of the site, a new one.
pub(crate) fn choose_certificate(desired: &Desired, actual: &Certificates) -> Result<ChosenCertificate, Conflict> {
    if let Some(arn) = &desired.certificate {
        return configured_certificate(desired, arn, actual.configured.as_ref());
    }
    let owner = desired.owner();
    let owned = |certificate: &Certificate| owner.owns(&certificate.tags);
    let issued = actual.covering.iter().filter(|certificate| certificate.status == CertificateStatus::Issued);
    // The site's own first, then the one that expires last.
    if let Some(best) = issued.max_by_key(|certificate| (owned(certificate), certificate.not_after)) {
        let validation_record = best.validation_record.clone().filter(|_| owned(best));
        return Ok(ChosenCertificate::issued(best.arn.clone(), validation_record));
    }
    let wait = |certificate: Deferred<Arn>| {
        let change = Change::AwaitCertificate { certificate };
        Step::new(step_ids::CERTIFICATE_ISSUED, Action::Wait, Reason::Pending, change)
    };
    let arn = Deferred::After(step_ids::CERTIFICATE_ISSUED.into());
    let mut failed = None;
    for certificate in actual.covering.iter().filter(|certificate| owned(certificate)) {
        match (&certificate.status, &certificate.validation_record) {
            (CertificateStatus::PendingValidation, Some(record)) => {
                let validation_record = Some(Deferred::Known(record.clone()));
                let steps = vec![wait(Deferred::Known(certificate.arn.clone()))];
                return Ok(ChosenCertificate { arn, validation_record, steps });
            }
            (CertificateStatus::Failed(reason), _) if failed.is_none() => failed = Some((&certificate.arn, reason)),
            _ => {}
        }
    }
    let reason = failed.map_or(Reason::Absent, |(_, reason)| {
        Reason::Asked(format!("is requested again: the last request failed ({reason})"))
    });
    let change = Change::RequestCertificate {
        domain: desired.site.domain.clone(),
        tags: owner.created(),
        replaces: failed.map(|(arn, _)| arn.clone()),
    };
    let request = Step::new(step_ids::CERTIFICATE_REQUEST, Action::Create, reason, change);
    let validation_record = Some(Deferred::After(step_ids::CERTIFICATE_REQUEST.into()));
    let steps = vec![request, wait(Deferred::After(step_ids::CERTIFICATE_REQUEST.into()))];
    Ok(ChosenCertificate { arn, validation_record, steps })
}

fn configured_certificate(
    desired: &Desired,
    arn: &Arn,
    actual: Option<&Certificate>,
) -> Result<ChosenCertificate, Conflict> {
    let arn = arn.clone();
    if arn.region() != "us-east-1" {
        return Err(Conflict::CertificateRegion { arn });
    }
    match actual {
        None => Err(Conflict::CertificateMismatch { arn, domain: desired.site.domain.clone() }),
        Some(certificate) if certificate.status == CertificateStatus::Issued => {
            Ok(ChosenCertificate::issued(arn, None))
        }
        Some(_) => Err(Conflict::CertificateNotIssued { arn }),
    }
}

/// Deletes the certificates that were requested for the site, unless other resources use them.
pub(crate) fn destruction_steps(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let (owner, distribution) = (desired.owner(), actual.distribution.as_ref().map(|found| found.arn.as_str()));
    let owned = actual.certificates.covering.iter().filter(|certificate| owner.created_by(&certificate.tags));
    let unused = owned.filter(|certificate| certificate.used_by.iter().all(|user| Some(user.as_str()) == distribution));
    let steps = unused.enumerate().map(|(index, certificate)| {
        let change = Change::DeleteCertificate { arn: certificate.arn.clone() };
        let reason = Reason::Asked("destroy".to_owned());
        let id = step_ids::certificate_deletion(index);
        Step::new(id, Action::Delete, reason, change).follows(step_ids::DISTRIBUTION)
    });
    steps.collect()
}
