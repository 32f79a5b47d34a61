//! One function per ACM operation, named like it.

use std::time::Duration;

use aws_sdk_acm::Client;
use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{Filters, KeyAlgorithm, ValidationMethod};
use sha2::{Digest, Sha256};
use twinsite_aws::{AwsError, Tags, parse, unless_passing};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Arn, Domain, Run, ValidationRecord, ValidationRecords};

use crate::model::{Certificate, CertificateFiles, CertificateStatus, explain_failure};
use crate::wire::acm::{self as wire, CertificateSummary};

/// The key types that CloudFront supports. Without a filter, ACM lists certificates of some key types only.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html>
const KEY_TYPES: [KeyAlgorithm; 5] = [
    KeyAlgorithm::Rsa1024,
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
];

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html>
pub(crate) async fn list_certificates(client: &Client) -> Result<Vec<CertificateSummary>, AwsError> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let filters = Filters::builder().set_key_types(Some(KEY_TYPES.to_vec())).build();
        let page = client.list_certificates().includes(filters).set_next_token(token).send().await;
        let page = page.map_err(|error| AwsError::new("ListCertificates", "us-east-1", error))?;
        all.extend(page.certificate_summary_list.unwrap_or_default().into_iter().filter_map(wire::summary));
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

/// A certificate to request.
#[derive(Clone, Copy)]
pub(crate) struct NewCertificate<'a> {
    /// The domain name.
    pub(crate) domain: &'a Domain,
    /// The other names.
    pub(crate) alternative_names: &'a [Domain],
    /// The certificates of the site that stay in use until it is issued.
    pub(crate) supersedes: &'a [Arn],
    /// The one whose request has failed.
    pub(crate) replaces: Option<&'a Arn>,
    /// Its tags.
    pub(crate) tags: &'a Tags,
}

/// A new certificate is known, with its validation record, within seconds as a rule.
const RECORD: PollPolicy = PollPolicy { total: Duration::from_mins(5), ..PollPolicy::SECONDS };

/// Requests a certificate and waits for its validation records, which ACM provides some seconds later.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>
pub(crate) async fn request_certificate(
    client: &Client,
    wanted: NewCertificate<'_>,
    run: &Run,
) -> Result<(Arn, ValidationRecords), AwsError> {
    const OPERATION: &str = "RequestCertificate";
    let NewCertificate { domain, alternative_names, supersedes, replaces, tags } = wanted;
    let tags = wire::to_sdk_tags(tags).map_err(|error| AwsError::unexpected(OPERATION, domain, error))?;
    // ACM treats requests with the same token within an hour as one, so repeating a request whose response was lost does not
    // create a second certificate. The replacement of another certificate is a request of its own, also when the same names are
    // requested again.
    let replaced = replaces.map_or("", Arn::as_str);
    let mut request_text = format!("{domain} {replaced}");
    for part in alternative_names.iter().map(Domain::as_str).chain(supersedes.iter().map(Arn::as_str)) {
        request_text = format!("{request_text} {part}");
    }
    let token = hex::encode(&Sha256::digest(request_text)[..16]);
    let request = client.request_certificate().domain_name(domain.as_str()).validation_method(ValidationMethod::Dns);
    let alternative_names: Vec<String> = alternative_names.iter().map(ToString::to_string).collect();
    let names: Vec<String> = std::iter::once(domain.to_string()).chain(alternative_names.iter().cloned()).collect();
    let request =
        request.set_subject_alternative_names(Some(alternative_names).filter(|names: &Vec<String>| !names.is_empty()));
    let response = request.idempotency_token(token).set_tags(Some(tags)).send().await;
    let response = response.map_err(|error| AwsError::new(OPERATION, domain, error))?;
    let arn: Arn = parse(OPERATION, domain, &response.certificate_arn.unwrap_or_default())?;
    let records = poll_until(run, RECORD, "the certificate's validation records", async || {
        let certificate = describe_certificate(client, arn.as_str()).await;
        unless_passing(certificate.map(|certificate| {
            let records = certificate.map(|certificate| certificate.validation_records).unwrap_or_default();
            let all = names.iter().all(|name| records.get(name).is_some());
            if all { Poll::Ready(records) } else { Poll::NotYet }
        }))
    });
    let records = records.await.map_err(|error| AwsError::from_wait("DescribeCertificate", &arn, error))?;
    Ok((arn, records))
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
    // Whoever waits for long wants to compare the record with what resolvers answer.
    let certificate = describe_certificate(client, arn.as_str()).await.ok().flatten();
    let records = certificate.map(|certificate| certificate.validation_records).unwrap_or_default();
    let record = |ValidationRecord { name, value }: &ValidationRecord| {
        let (name, value) = (name.trim_end_matches('.'), value.trim_end_matches('.'));
        format!("{name} with the value {value}")
    };
    let records: Vec<String> = records.0.values().map(record).collect();
    let records = match records.len() {
        0 => String::new(),
        1 => format!(", which needs the CNAME record {} in public DNS", records[0]),
        _ => format!(", which needs the CNAME records {} in public DNS", records.join(", ")),
    };
    let what = format!("the certificate to be issued{records}");
    let issued = poll_until(run, polling, &what, async || {
        match describe_certificate(client, arn.as_str()).await?.map(|certificate| certificate.status) {
            Some(CertificateStatus::Issued) => Ok(Poll::Ready(())),
            Some(CertificateStatus::PendingValidation) => Ok(Poll::NotYet),
            Some(CertificateStatus::Failed(reason)) => {
                let why = format!("the request has failed ({reason}): {}", explain_failure(&reason));
                Err(AwsError::refused(OPERATION, arn, why))
            }
            None if run.timer.now().saturating_sub(started) < RECORD.total => Ok(Poll::NotYet),
            None => Err(AwsError::refused(OPERATION, arn, "the certificate was deleted in the meantime")),
        }
    });
    issued.await.map_err(|error| AwsError::from_wait(OPERATION, arn, error))
}

/// Imports a certificate, as a new one or in place of `existing`.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html>
pub(crate) async fn import_certificate(
    client: &Client,
    files: CertificateFiles,
    existing: Option<&Arn>,
    tags: &Tags,
) -> Result<Arn, AwsError> {
    const OPERATION: &str = "ImportCertificate";
    const SUBJECT: &str = "the certificate";
    let CertificateFiles { certificate, chain, private_key } = files;
    let request = client.import_certificate().certificate(Blob::new(certificate)).private_key(Blob::new(private_key));
    let request = request.set_certificate_chain(chain.map(Blob::new));
    // ACM rejects tags when a certificate is imported again.
    let request = if let Some(arn) = existing {
        request.certificate_arn(arn.as_str())
    } else {
        let tags = wire::to_sdk_tags(tags).map_err(|error| AwsError::unexpected(OPERATION, SUBJECT, error))?;
        request.set_tags(Some(tags))
    };
    let response = request.send().await.map_err(|error| AwsError::new(OPERATION, SUBJECT, error))?;
    parse(OPERATION, SUBJECT, &response.certificate_arn.unwrap_or_default())
}

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html>
pub(crate) async fn delete_certificate(client: &Client, arn: &Arn) -> Result<(), AwsError> {
    let response = client.delete_certificate().certificate_arn(arn.as_str()).send().await.map(drop);
    AwsError::absent(response.map_err(|error| AwsError::new("DeleteCertificate", arn, error))).map(drop)
}
