//! Which certificate is used, and what has to be done for it: pure.

use twinsite_core::{Action, Arn, Deferred, Reason, Step, ValidationRecord};

use super::{Certificate, Certificates, ISSUED, PROOF_STEP, REQUEST, Status};
use crate::change::Change;
use crate::problem::Problem;
use crate::want::Desired;

/// What the rest of the plan needs to know.
pub(crate) struct Chosen {
    /// The certificate, once it can be used.
    pub(crate) arn: Deferred<Arn>,
    /// The record that must be there as long as the certificate is to be renewed.
    pub(crate) proof: Option<Deferred<ValidationRecord>>,
    pub(crate) steps: Vec<Step<Change>>,
}

/// Chooses a certificate.
pub(crate) fn steps(want: &Desired, have: &Certificates) -> Result<Chosen, Problem> {
    if let Some(arn) = &want.certificate {
        return named(want, arn, have.named.as_ref());
    }
    let issued = have.covering.iter().filter(|certificate| certificate.status == Status::Issued);
    // Ours first, then the one that is valid the longest.
    let best = issued.max_by_key(|certificate| (want.owner().owns(&certificate.tags), certificate.not_after));
    if let Some(best) = best {
        let proof = want.owner().owns(&best.tags).then(|| best.proof.clone().map(Deferred::Known)).flatten();
        return Ok(Chosen { arn: Deferred::Known(best.arn.clone()), proof, steps: Vec::new() });
    }
    let mine = |certificate: &&Certificate| want.owner().owns(&certificate.tags);
    let pending = have.covering.iter().filter(mine).find(|certificate| certificate.status == Status::Pending);
    let wait = |certificate: Deferred<Arn>| {
        let change = Change::AwaitCertificate { certificate };
        Step::new(ISSUED, Action::Wait, Reason::Pending, change).follows(PROOF_STEP)
    };
    if let Some(Certificate { arn, proof: Some(proof), .. }) = pending {
        let proof = Some(Deferred::Known(proof.clone()));
        let steps = vec![wait(Deferred::Known(arn.clone()))];
        return Ok(Chosen { arn: Deferred::After(ISSUED.into()), proof, steps });
    }
    let failed = have.covering.iter().filter(mine).find_map(|certificate| match &certificate.status {
        Status::Failed(reason) => Some((certificate.arn.clone(), reason.clone())),
        Status::Issued | Status::Pending => None,
    });
    let reason = failed.as_ref().map_or(Reason::Absent, |(_, reason)| {
        Reason::Asked(format!("is requested again: the last request failed ({reason})"))
    });
    let request = Change::RequestCertificate {
        domain: want.site.domain.clone(),
        tags: want.owner().created(),
        instead_of: failed.map(|(arn, _)| arn),
    };
    let request = Step::new(REQUEST, Action::Create, reason, request);
    let proof = Some(Deferred::After(REQUEST.into()));
    let steps = vec![request, wait(Deferred::After(REQUEST.into()))];
    Ok(Chosen { arn: Deferred::After(ISSUED.into()), proof, steps })
}

fn named(want: &Desired, arn: &Arn, have: Option<&Certificate>) -> Result<Chosen, Problem> {
    let domain = want.site.domain.clone();
    if arn.region() != "us-east-1" {
        return Err(Problem::CertificateRegion { arn: arn.clone() });
    }
    match have {
        None => Err(Problem::CertificateUnfit { arn: arn.clone(), domain }),
        Some(Certificate { status: Status::Issued, .. }) => {
            Ok(Chosen { arn: Deferred::Known(arn.clone()), proof: None, steps: Vec::new() })
        }
        Some(_) => Err(Problem::CertificateNotIssued { arn: arn.clone() }),
    }
}

/// The steps that take away the certificates that were requested for this site, unless something else uses them by now.
pub(crate) fn destroy(want: &Desired, have: &Certificates, distribution: Option<&str>) -> Vec<Step<Change>> {
    let ours = have.covering.iter().filter(|certificate| want.owner().created_by(&certificate.tags));
    let free = ours.filter(|certificate| certificate.used_by.iter().all(|user| Some(user.as_str()) == distribution));
    let delete = |(index, certificate): (usize, &Certificate)| {
        let change = Change::DeleteCertificate { arn: certificate.arn.clone() };
        Step::new(format!("certificate/{index}"), Action::Delete, Reason::Asked("destroy".to_owned()), change)
            .follows(crate::distribution::STEP)
    };
    free.enumerate().map(delete).collect()
}
