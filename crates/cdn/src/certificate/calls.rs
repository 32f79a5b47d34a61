//! One function for each ACM operation, by its AWS name.

use aws_sdk_acm::Client;
use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, CertificateSummary, CertificateType, Filters, KeyAlgorithm, Tag,
    ValidationMethod,
};
use futures::future::try_join_all;
use sha2::{Digest, Sha256};
use twinsite_aws::{AwsError, Tags};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Arn, Domain, Run, ValidationRecord};

use super::{Certificate, Certificates, Status, explain};
use crate::want::Desired;

/// The keys that CloudFront takes. A listing shows only some of them unless all are asked for.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html>
const KEYS: [KeyAlgorithm; 5] = [
    KeyAlgorithm::Rsa1024,
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
];

/// What is there for a site.
pub(crate) async fn observe(client: &Client, want: &Desired) -> Result<Certificates, AwsError> {
    if let Some(arn) = &want.certificate {
        let named = describe_certificate(client, arn.as_str()).await?;
        let covers = |certificate: &(CertificateDetail, Certificate)| {
            covering(certificate.0.subject_alternative_names(), want.site.domain.as_str())
        };
        return Ok(Certificates { covering: Vec::new(), named: named.filter(covers).map(|(_, named)| named) });
    }
    let covers = |summary: &CertificateSummary| {
        let all = summary.subject_alternative_name_summaries();
        let domain = want.site.domain.as_str();
        covering(all, domain) || summary.domain_name().is_some_and(|name| covers_one(name, domain))
    };
    let listed = list_certificates(client).await?.into_iter().filter(covers).filter_map(|one| one.certificate_arn);
    let found = listed.map(async |arn| Box::pin(describe_certificate(client, &arn)).await);
    let found = try_join_all(found).await?.into_iter().flatten().map(|(_, certificate)| certificate);
    Ok(Certificates { covering: found.collect(), named: None })
}

fn covering(names: &[String], domain: &str) -> bool {
    names.iter().any(|name| covers_one(name, domain))
}

/// A wildcard stands for one label.
fn covers_one(name: &str, domain: &str) -> bool {
    let below = domain.split_once('.').map(|(_, rest)| rest);
    name == domain || name.strip_prefix("*.").is_some_and(|rest| Some(rest) == below)
}

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_ListCertificates.html>
async fn list_certificates(client: &Client) -> Result<Vec<CertificateSummary>, AwsError> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let keys = Filters::builder().set_key_types(Some(KEYS.to_vec())).build();
        let page = client.list_certificates().includes(keys).set_next_token(token).send().await;
        let page = page.map_err(|error| AwsError::new("ListCertificates", "us-east-1", error))?;
        all.extend(page.certificate_summary_list.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            return Ok(all);
        }
    }
}

async fn describe_certificate(
    client: &Client,
    arn: &str,
) -> Result<Option<(CertificateDetail, Certificate)>, AwsError> {
    let answer = client.describe_certificate().certificate_arn(arn).send().await;
    let answer = AwsError::absent(answer.map_err(|error| AwsError::new("DescribeCertificate", arn, error)))?;
    let Some(detail) = answer.and_then(|answer| answer.certificate) else { return Ok(None) };
    let tags = client.list_tags_for_certificate().certificate_arn(arn).send().await;
    let tags = AwsError::absent(tags.map_err(|error| AwsError::new("ListTagsForCertificate", arn, error)))?;
    let tags = tags.and_then(|answer| answer.tags).unwrap_or_default();
    let tags = tags.iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect();
    let parsed: Arn = arn.parse().map_err(|error| AwsError::unexpected("DescribeCertificate", arn, error))?;
    let certificate = Certificate {
        arn: parsed,
        status: status(&detail),
        tags,
        proof: proof(&detail),
        imported: detail.r#type() == Some(&CertificateType::Imported),
        used_by: detail.in_use_by().to_vec(),
        not_after: detail.not_after().map(aws_sdk_acm::primitives::DateTime::secs),
    };
    Ok(Some((detail, certificate)))
}

fn status(detail: &CertificateDetail) -> Status {
    match detail.status() {
        Some(CertificateStatus::Issued) => Status::Issued,
        Some(CertificateStatus::PendingValidation) => Status::Pending,
        other => {
            let reason = detail.failure_reason().map(|reason| reason.as_str().to_owned());
            let status = other.map_or("UNKNOWN", CertificateStatus::as_str).to_owned();
            Status::Failed(reason.unwrap_or(status))
        }
    }
}

fn proof(detail: &CertificateDetail) -> Option<ValidationRecord> {
    let record = detail.domain_validation_options().first()?.resource_record()?;
    Some(ValidationRecord { name: record.name.clone(), value: record.value.clone() })
}

/// Requests a certificate and waits for the record that proves the name, which ACM shows some seconds later.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>
pub(crate) async fn request_certificate(
    client: &Client,
    domain: &Domain,
    tags: &Tags,
    instead_of: Option<&Arn>,
    run: &Run,
) -> Result<(Arn, ValidationRecord), AwsError> {
    let unexpected =
        |error: &dyn std::fmt::Display| AwsError::unexpected("RequestCertificate", domain, error.to_string());
    let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let set = set.collect::<Result<Vec<_>, _>>().map_err(|error| unexpected(&error))?;
    // The same within the hour is the same request: a lost reply does not leave a second certificate.
    // One in place of a failed one is another request.
    let salt = instead_of.map_or("", Arn::as_str);
    let token = hex::encode(&Sha256::digest(format!("{domain} {salt}"))[..16]);
    let request = client.request_certificate().domain_name(domain.as_str()).validation_method(ValidationMethod::Dns);
    let answer = request.idempotency_token(token).set_tags(Some(set)).send().await;
    let answer = answer.map_err(|error| AwsError::new("RequestCertificate", domain, error))?;
    let arn = answer.certificate_arn.unwrap_or_default();
    let shown = poll_until(run, PollPolicy::SECONDS, "the certificate's validation record", async || {
        let found = describe_certificate(client, &arn).await?.and_then(|(_, certificate)| certificate.proof);
        Ok(found.map_or(Poll::NotYet, Poll::Ready))
    });
    let proof = shown.await.map_err(|error| AwsError::from_wait("DescribeCertificate", &arn, error))?;
    Ok((arn.parse().map_err(|error| unexpected(&error))?, proof))
}

/// Waits until a certificate can be used.
pub(crate) async fn await_certificate(
    client: &Client,
    arn: &Arn,
    polling: PollPolicy,
    run: &Run,
) -> Result<(), AwsError> {
    let issued = poll_until(run, polling, "the certificate to be issued", async || {
        match describe_certificate(client, arn.as_str()).await?.map(|(_, certificate)| certificate.status) {
            Some(Status::Issued) => Ok(Poll::Ready(())),
            Some(Status::Pending) => Ok(Poll::NotYet),
            Some(Status::Failed(reason)) => {
                let why = format!("ACM will not issue it ({reason}): {}", explain(&reason));
                Err(AwsError::refused("DescribeCertificate", arn, why))
            }
            None => Err(AwsError::refused("DescribeCertificate", arn, "it was deleted meanwhile")),
        }
    });
    issued.await.map_err(|error| AwsError::from_wait("DescribeCertificate", arn.as_str(), error))
}

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html>
pub(crate) async fn import_certificate(
    client: &Client,
    (certificate, chain, key): (Vec<u8>, Option<Vec<u8>>, Vec<u8>),
    into: Option<&Arn>,
    tags: &Tags,
) -> Result<Arn, AwsError> {
    const OPERATION: &str = "ImportCertificate";
    let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let set = set.collect::<Result<Vec<_>, _>>();
    let set = set.map_err(|error| AwsError::unexpected(OPERATION, "the certificate", error))?;
    let request = client.import_certificate().certificate(Blob::new(certificate)).private_key(Blob::new(key));
    let request = request.set_certificate_chain(chain.map(Blob::new));
    let request = match into {
        Some(arn) => request.certificate_arn(arn.as_str()),
        // Tags are for new ones only.
        None => request.set_tags(Some(set)),
    };
    let answer = request.send().await.map_err(|error| AwsError::new(OPERATION, "the certificate", error))?;
    let arn = answer.certificate_arn.unwrap_or_default();
    arn.parse().map_err(|error| AwsError::unexpected(OPERATION, "the certificate", error))
}

/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html>
pub(crate) async fn delete_certificate(client: &Client, arn: &Arn) -> Result<(), AwsError> {
    let answer = client.delete_certificate().certificate_arn(arn.as_str()).send().await.map(drop);
    AwsError::absent(answer.map_err(|error| AwsError::new("DeleteCertificate", arn, error))).map(drop)
}
