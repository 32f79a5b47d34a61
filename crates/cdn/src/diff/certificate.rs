//! Which certificate is used, and the steps that it takes.

use twinsite_core::{Action, Arn, Deferred, Reason, Step, ValidationRecords};

use crate::model::{Actual, Certificate, CertificateStatus, Certificates, Change, Conflict, Desired};
use crate::step_ids;

/// The certificate that is used.
pub(crate) struct ChosenCertificate {
    /// Its ARN, once it is issued.
    pub(crate) arn: Deferred<Arn>,
    /// The records that must exist in DNS until it is issued and for each renewal.
    pub(crate) validation_records: Option<Deferred<ValidationRecords>>,
    /// The steps that request it or wait for it.
    pub(crate) steps: Vec<Step<Change>>,
}

impl ChosenCertificate {
    fn issued(arn: Arn, validation_records: Option<ValidationRecords>) -> Self {
        let validation_records = validation_records.map(Deferred::Known);
        Self { arn: Deferred::Known(arn), validation_records, steps: Vec::new() }
    }
}

/// Whether a certificate may be used. One that was requested for the site has exactly the site's names: ACM renews it only as long as the
/// validation records of all its names exist, also of those that are not the site's any more.
/// <https://docs.aws.amazon.com/acm/latest/userguide/dns-renewal-validation.html>
fn is_usable(desired: &Desired, certificate: &Certificate) -> bool {
    let is_requested = desired.owner().created_by(&certificate.tags) && !certificate.imported;
    let is_named = |name: &String| desired.site.names().any(|wanted| wanted.as_str() == name);
    certificate.covers_all(desired.site.names()) && (!is_requested || certificate.names.iter().all(is_named))
}

/// The certificates that were requested for the site and have other names than it has now.
fn superseded<'a>(desired: &'a Desired, actual: &'a Certificates) -> impl Iterator<Item = &'a Certificate> {
    let owner = desired.owner();
    let requested = actual.covering.iter().filter(move |one| owner.created_by(&one.tags) && !one.imported);
    requested.filter(|certificate| !is_usable(desired, certificate))
}

/// Chooses, in this order: the configured certificate, an issued one, a pending one of the site, a new one.
pub(crate) fn choose_certificate(desired: &Desired, actual: &Certificates) -> Result<ChosenCertificate, Conflict> {
    if let Some(arn) = &desired.certificate {
        return configured_certificate(desired, arn, actual.configured.as_ref());
    }
    let owner = desired.owner();
    let owned = |certificate: &Certificate| owner.owns(&certificate.tags);
    let usable = || actual.covering.iter().filter(|certificate| is_usable(desired, certificate));
    let issued = usable().filter(|certificate| certificate.status == CertificateStatus::Issued);
    // The site's own first, then the one that expires last.
    if let Some(best) = issued.max_by_key(|certificate| (owned(certificate), certificate.not_after)) {
        let records = best.validation_records.clone();
        let records = Some(records).filter(|records| owned(best) && !records.0.is_empty());
        return Ok(ChosenCertificate::issued(best.arn.clone(), records));
    }
    let wait = |certificate: Deferred<Arn>| {
        let change = Change::AwaitCertificate { certificate };
        Step::new(step_ids::CERTIFICATE_ISSUED, Action::Wait, Reason::Pending, change)
    };
    let arn = Deferred::After(step_ids::CERTIFICATE_ISSUED.into());
    let mut failed = None;
    for certificate in usable().filter(|certificate| owned(certificate)) {
        let records = &certificate.validation_records;
        let has_records = || certificate.names.iter().all(|name| records.get(name).is_some());
        match &certificate.status {
            CertificateStatus::PendingValidation if has_records() => {
                let validation_records = Some(Deferred::Known(records.clone()));
                let steps = vec![wait(Deferred::Known(certificate.arn.clone()))];
                return Ok(ChosenCertificate { arn, validation_records, steps });
            }
            CertificateStatus::Failed(reason) if failed.is_none() => failed = Some((&certificate.arn, reason)),
            _ => {}
        }
    }
    let supersedes: Vec<Arn> = superseded(desired, actual).map(|certificate| certificate.arn.clone()).collect();
    let reason = match failed {
        Some((_, reason)) => Reason::Asked(format!("is requested again: the last request failed ({reason})")),
        None if supersedes.is_empty() => Reason::Absent,
        None => Reason::Asked("is requested for the names that the site has now".to_owned()),
    };
    let change = Change::RequestCertificate {
        domain: desired.site.domain.clone(),
        alternative_names: desired.site.aliases.clone(),
        supersedes,
        tags: owner.created(),
        replaces: failed.map(|(arn, _)| arn.clone()),
    };
    let request = Step::new(step_ids::CERTIFICATE_REQUEST, Action::Create, reason, change);
    let validation_records = Some(Deferred::After(step_ids::CERTIFICATE_REQUEST.into()));
    let steps = vec![request, wait(Deferred::After(step_ids::CERTIFICATE_REQUEST.into()))];
    Ok(ChosenCertificate { arn, validation_records, steps })
}

/// Deletes the certificates that were requested for other names of the site, once the distribution uses another one.
pub(crate) fn superseded_steps(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let distribution = actual.distribution.as_ref().map(|found| found.arn.as_str());
    let unused = superseded(desired, &actual.certificates)
        .filter(|certificate| certificate.used_by.iter().all(|user| Some(user.as_str()) == distribution));
    let steps = unused.enumerate().map(|(index, certificate)| {
        let change = Change::DeleteCertificate { arn: certificate.arn.clone() };
        let step = Step::new(step_ids::certificate_deletion(index), Action::Delete, Reason::Unwanted, change);
        step.follows(step_ids::DISTRIBUTION_DEPLOYED)
    });
    steps.collect()
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
        None => Err(Conflict::CertificateMismatch { arn, names: desired.site.names().cloned().collect() }),
        Some(certificate) if certificate.status == CertificateStatus::Issued => {
            Ok(ChosenCertificate::issued(arn, None))
        }
        Some(_) => Err(Conflict::CertificateNotIssued { arn }),
    }
}

/// The validation records of all certificates that were requested for the site.
pub(crate) fn requested_records(desired: &Desired, actual: &Certificates) -> ValidationRecords {
    let owner = desired.owner();
    let requested = actual.covering.iter().filter(|one| owner.created_by(&one.tags) && !one.imported);
    ValidationRecords(requested.flat_map(|certificate| certificate.validation_records.0.clone()).collect())
}

/// The validation records of names that are not the site's any more, and that no certificate needs that is kept.
pub(crate) fn former_records(desired: &Desired, actual: &Certificates) -> ValidationRecords {
    let is_superseded = |one: &Certificate| superseded(desired, actual).any(|other| other.arn == one.arn);
    let kept: Vec<&Certificate> = actual.covering.iter().filter(|one| !is_superseded(one)).collect();
    let ValidationRecords(mut records) = requested_records(desired, actual);
    records.retain(|name, record| {
        let is_needed = kept.iter().any(|certificate| certificate.validation_records.contains(record));
        !is_needed && desired.former_aliases.iter().any(|alias| alias.as_str() == name)
    });
    ValidationRecords(records)
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
