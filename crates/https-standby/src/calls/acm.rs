//! One function per ACM operation, named like it.

use std::time::Duration;

use aws_sdk_acm::Client;
use aws_sdk_acm::types::{Filters, KeyAlgorithm, ValidationMethod};
use sha2::{Digest, Sha256};
use twinsite_aws::{AwsError, Tags, parse, unless_passing};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Arn, Domain, Run, ValidationRecord};

use crate::model::{Certificate, CertificateStatus};
use crate::wire::acm as wire;

/// The key types that Regional endpoints of API Gateway support. Without a filter, ACM lists certificates of some key types only.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains-prerequisites.html>
const KEY_TYPES: [KeyAlgorithm; 5] = [
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
];

/// The ARNs of the certificates that cover a domain.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html>
pub(crate) async fn list_certificates(client: &Client, domain: &Domain) -> Result<Vec<String>, AwsError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let filters = Filters::builder().set_key_types(Some(KEY_TYPES.to_vec())).build();
        let page = client.list_certificates().includes(filters).set_next_token(token).send().await;
        let page = page.map_err(|error| AwsError::new("ListCertificates", domain, error))?;
        for summary in page.certificate_summary_list.unwrap_or_default() {
            let mut names = summary.subject_alternative_name_summaries.unwrap_or_default();
            names.extend(summary.domain_name);
            if names.iter().any(|name| domain.is_covered_by(name)) {
                all.extend(summary.certificate_arn);
            }
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// The certificate with its tags; `None` if it does not exist.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html>
pub(crate) async fn describe_certificate(client: &Client, arn: &str) -> Result<Option<Certificate>, AwsError> {
    let response = client.describe_certificate().certificate_arn(arn).send().await;
    let response = AwsError::absent(response.map_err(|error| AwsError::new("DescribeCertificate", arn, error)))?;
    let Some(detail) = response.and_then(|response| response.certificate) else { return Ok(None) };
    let response = client.list_tags_for_certificate().certificate_arn(arn).send().await;
    let response = AwsError::absent(response.map_err(|error| AwsError::new("ListTagsForCertificate", arn, error)))?;
    let tags = response.and_then(|response| response.tags).unwrap_or_default();
    let parsed = parse("DescribeCertificate", arn, arn)?;
    Ok(Some(wire::certificate(parsed, &detail, wire::from_sdk_tags(&tags))))
}

/// A new certificate is known, with its validation record, within seconds as a rule.
const RECORD: PollPolicy = PollPolicy { total: Duration::from_mins(5), ..PollPolicy::SECONDS };

/// Requests a certificate and waits for its validation record, which ACM provides some seconds later. It is that of every certificate of
/// the domain in this account, in any region.
/// <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>
pub(crate) async fn request_certificate(
    client: &Client,
    domain: &Domain,
    tags: &Tags,
    replaces: Option<&Arn>,
    run: &Run,
) -> Result<(Arn, ValidationRecord), AwsError> {
    const OPERATION: &str = "RequestCertificate";
    let tags = wire::to_sdk_tags(tags).map_err(|error| AwsError::unexpected(OPERATION, domain, error))?;
    let token = request_token(domain, replaces);
    let request = client.request_certificate().domain_name(domain.as_str()).validation_method(ValidationMethod::Dns);
    let response = request.idempotency_token(token).set_tags(Some(tags)).send().await;
    let response = response.map_err(|error| AwsError::new(OPERATION, domain, error))?;
    let arn: Arn = parse(OPERATION, domain, &response.certificate_arn.unwrap_or_default())?;
    let record = poll_until(run, RECORD, "the certificate's validation record", async || {
        let certificate = describe_certificate(client, arn.as_str()).await;
        unless_passing(certificate.map(|certificate| {
            let record = certificate.and_then(|certificate| certificate.validation_record);
            record.map_or(Poll::NotYet, Poll::Ready)
        }))
    });
    let record = record.await.map_err(|error| AwsError::from_wait("DescribeCertificate", &arn, error))?;
    Ok((arn, record))
}

/// ACM treats requests with the same token within an hour as one: a request whose response was lost creates no second certificate. That of
/// another site, and the replacement of a failed certificate, are requests of their own.
fn request_token(domain: &Domain, replaces: Option<&Arn>) -> String {
    let replaced = replaces.map_or("", Arn::as_str);
    hex::encode(&Sha256::digest(format!("standby {domain} {replaced}"))[..16])
}

/// Waits until a certificate is issued.
pub(crate) async fn await_certificate(
    client: &Client,
    arn: &Arn,
    polling: PollPolicy,
    run: &Run,
) -> Result<(), AwsError> {
    const OPERATION: &str = "DescribeCertificate";
    let started = run.timer.now();
    let what = format!("the certificate in {} to be issued", arn.region());
    let issued = poll_until(run, polling, &what, async || {
        match describe_certificate(client, arn.as_str()).await?.map(|certificate| certificate.status) {
            Some(CertificateStatus::Issued) => Ok(Poll::Ready(())),
            Some(CertificateStatus::PendingValidation) => Ok(Poll::NotYet),
            Some(CertificateStatus::Failed(reason)) => {
                Err(AwsError::refused(OPERATION, arn, format!("the request has failed ({reason})")))
            }
            None if run.timer.now().saturating_sub(started) < RECORD.total => Ok(Poll::NotYet),
            None => Err(AwsError::refused(OPERATION, arn, "the certificate was deleted in the meantime")),
        }
    });
    issued.await.map_err(|error| AwsError::from_wait(OPERATION, arn, error))
}

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html>
pub(crate) async fn delete_certificate(client: &Client, arn: &Arn) -> Result<(), AwsError> {
    let response = client.delete_certificate().certificate_arn(arn.as_str()).send().await.map(drop);
    AwsError::absent(response.map_err(|error| AwsError::new("DeleteCertificate", arn, error))).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_of_an_account_request_certificates_of_their_own() {
        let (one, other): (Domain, Domain) = ("www.example.com".parse().unwrap(), "www.example.org".parse().unwrap());
        let failed = "arn:aws:acm:us-west-2:111122223333:certificate/a-b".parse().unwrap();
        assert_eq!(request_token(&one, None), request_token(&one, None));
        assert_ne!(request_token(&one, None), request_token(&other, None));
        assert_ne!(request_token(&one, None), request_token(&one, Some(&failed)));
        // <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>
        assert!(request_token(&one, Some(&failed)).len() <= 32);
    }
}
