//! ACM on the wire (awsJson1.1).
//!
//! <https://docs.aws.amazon.com/acm/latest/APIReference/API_Operations.html>

use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use super::{Acm, Certificate, CertificateRequest, CertificateStatus, ValidationRecord, invalid, pem};
use crate::context::{Now, ServiceError};
use crate::protocol::json::{add_page, pairs, strings, tag_list};
use crate::protocol::reply::typed;
use crate::protocol::request::{region_of, target};
use crate::route53::Route53;

/// The key types that a listing contains unless others are requested.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html>
const DEFAULT_KEY_TYPES: [&str; 2] = ["RSA_1024", "RSA_2048"];

/// The operation of a request.
pub(crate) fn operation(request: &Request<Bytes>) -> &str {
    target(request).unwrap_or("Unknown")
}

/// Answers a request to ACM. `in_use_by` returns the ARNs of the resources that use a certificate.
pub(crate) fn answer(
    acm: &mut Acm,
    route53: &Route53,
    in_use_by: &dyn Fn(&str) -> Vec<String>,
    request: &Request<Bytes>,
    now: Now,
) -> Result<Response<Body>, ServiceError> {
    let input: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let arn = input["CertificateArn"].as_str().unwrap_or_default();
    let output = match operation(request) {
        "RequestCertificate" => request_certificate(acm, &input, region_of(request), now)?,
        "ImportCertificate" => import_certificate(acm, &input, region_of(request), now)?,
        "DescribeCertificate" => {
            acm.validate(route53, now);
            json!({"Certificate": detail(acm.get(arn)?, &in_use_by(arn), now.time)})
        }
        "ListCertificates" => {
            acm.validate(route53, now);
            list_certificates(acm, in_use_by, &input, region_of(request))
        }
        "DeleteCertificate" => acm.delete(arn, &in_use_by(arn)).map(|()| json!({}))?,
        "ListTagsForCertificate" => json!({"Tags": tag_list(&acm.get(arn)?.tags)}),
        "AddTagsToCertificate" => acm.add_tags(arn, pairs(&input["Tags"]).collect()).map(|()| json!({}))?,
        other => return Err(ServiceError::not_implemented(&format!("ACM {other}"))),
    };
    Ok(typed(StatusCode::OK, "application/x-amz-json-1.1", output.to_string()))
}

fn request_certificate(acm: &mut Acm, input: &Value, region: &str, now: Now) -> Result<Value, ServiceError> {
    if input["ValidationMethod"] != "DNS" {
        return Err(invalid("Only DNS validation is emulated"));
    }
    let mut names = vec![input["DomainName"].as_str().unwrap_or_default().to_owned()];
    for name in strings(&input["SubjectAlternativeNames"]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let request = CertificateRequest {
        names,
        key_algorithm: input["KeyAlgorithm"].as_str().unwrap_or("RSA_2048").to_owned(),
        token: input["IdempotencyToken"].as_str().map(str::to_owned),
        tags: pairs(&input["Tags"]).collect(),
        region: region.to_owned(),
    };
    Ok(json!({"CertificateArn": acm.request(request, now)?}))
}

fn import_certificate(acm: &mut Acm, input: &Value, region: &str, now: Now) -> Result<Value, ServiceError> {
    let replaced = input["CertificateArn"].as_str();
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let imported = pem::import(text("Certificate"), text("PrivateKey"), input["CertificateChain"].as_str());
    let pem::Imported { names, key_algorithm } = imported.map_err(invalid)?;
    if replaced.is_some() && input["Tags"].is_array() {
        return Err(invalid("Tags cannot be specified when a certificate is reimported"));
    }
    let request = CertificateRequest {
        names,
        key_algorithm,
        token: None,
        tags: pairs(&input["Tags"]).collect(),
        region: region.to_owned(),
    };
    Ok(json!({"CertificateArn": acm.import(request, replaced, now)?}))
}

fn list_certificates(acm: &Acm, in_use_by: &dyn Fn(&str) -> Vec<String>, input: &Value, region: &str) -> Value {
    let statuses = input["CertificateStatuses"].is_array().then(|| strings(&input["CertificateStatuses"]));
    let key_types = input["Includes"]["keyTypes"].is_array().then(|| strings(&input["Includes"]["keyTypes"]));
    let part = format!(":acm:{region}:");
    let selected = |certificate: &&Certificate| {
        let (key_type, status) = (&certificate.key_algorithm, certificate.status.as_str());
        let key_matches = match &key_types {
            Some(types) => types.contains(key_type),
            None => DEFAULT_KEY_TYPES.contains(&key_type.as_str()),
        };
        let status_matches = statuses.as_ref().is_none_or(|all| all.iter().any(|one| one == status));
        key_matches && status_matches && certificate.arn.contains(&part)
    };
    let summaries = acm.all().filter(selected).map(|certificate| {
        json!({
            "CertificateArn": certificate.arn,
            "DomainName": certificate.names.first(),
            "SubjectAlternativeNameSummaries": certificate.names,
            "Status": certificate.status.as_str(),
            "Type": type_of(certificate),
            "KeyAlgorithm": certificate.key_algorithm,
            "InUse": !in_use_by(&certificate.arn).is_empty(),
            "CreatedAt": seconds(certificate.created),
        })
    });
    let size = input["MaxItems"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(1000).max(1);
    let mut output = json!({});
    add_page(&mut output, "CertificateSummaryList", &summaries.collect::<Vec<_>>(), &input["NextToken"], size);
    output
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn type_of(certificate: &Certificate) -> &'static str {
    if certificate.imported { "IMPORTED" } else { "AMAZON_ISSUED" }
}

fn detail(certificate: &Certificate, in_use_by: &[String], now: SystemTime) -> Value {
    let mut detail = json!({
        "CertificateArn": certificate.arn,
        "DomainName": certificate.names.first(),
        "SubjectAlternativeNames": certificate.names,
        "Status": certificate.status.as_str(),
        "Type": type_of(certificate),
        "KeyAlgorithm": certificate.key_algorithm,
        "InUseBy": in_use_by,
        "CreatedAt": seconds(certificate.created),
        "RenewalEligibility": if certificate.imported { "INELIGIBLE" } else { "ELIGIBLE" },
    });
    match &certificate.status {
        CertificateStatus::Issued { at } => {
            detail["IssuedAt"] = json!(seconds(*at));
            detail["NotBefore"] = json!(seconds(*at));
        }
        CertificateStatus::Failed(reason) => detail["FailureReason"] = json!(reason),
        CertificateStatus::PendingValidation | CertificateStatus::ValidationTimedOut => {}
    }
    if let Some(end) = certificate.not_after() {
        detail["NotAfter"] = json!(seconds(end));
    }
    if !certificate.imported {
        let options = certificate.names.iter().map(|name| validation_option(certificate, name, now));
        detail["DomainValidationOptions"] = options.collect();
    }
    detail
}

/// ACM returns the validation record only some time after the request.
fn validation_option(certificate: &Certificate, name: &str, now: SystemTime) -> Value {
    let status = match certificate.status {
        CertificateStatus::Issued { .. } => "SUCCESS",
        CertificateStatus::PendingValidation => "PENDING_VALIDATION",
        CertificateStatus::ValidationTimedOut | CertificateStatus::Failed(_) => "FAILED",
    };
    let mut option = json!({
        "DomainName": name, "ValidationDomain": name, "ValidationMethod": "DNS", "ValidationStatus": status,
    });
    if now >= certificate.shown {
        let ValidationRecord { name, value } = ValidationRecord::new(name);
        option["ResourceRecord"] = json!({"Name": name, "Type": "CNAME", "Value": value});
    }
    option
}
