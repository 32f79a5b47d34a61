//! ACM on the wire (awsJson1.1).
//!
//! <https://docs.aws.amazon.com/acm/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request as HttpRequest, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use super::reply::typed;
use crate::route::scope;
use crate::world::acm::{Certificate, Fault, Proof, Request, Status};
use crate::world::{Account, World};

const JSON: &str = "application/x-amz-json-1.1";
/// What a listing shows unless other keys are asked for.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html>
const USUAL_KEYS: [&str; 2] = ["RSA_1024", "RSA_2048"];

/// The operation that a request names.
pub(super) fn operation(request: &HttpRequest<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    target.rsplit('.').next().unwrap_or("Unknown").to_owned()
}

/// Answers a request to ACM.
pub(super) fn answer(world: &World, request: &HttpRequest<Bytes>) -> Response<Body> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let region = scope(request).map_or("us-east-1", |scope| scope.region);
    let call = Call { world, body: &body, region };
    match call.carry_out(&operation(request)) {
        Ok(value) => typed(StatusCode::OK, JSON, value.to_string()),
        Err(fault) => refusal(&fault),
    }
}

struct Call<'a> {
    world: &'a World,
    body: &'a Value,
    region: &'a str,
}

impl Call<'_> {
    fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    fn carry_out(&self, operation: &str) -> Result<Value, Fault> {
        match operation {
            "RequestCertificate" => self.request(),
            "ImportCertificate" => self.import(),
            "DescribeCertificate" => self.describe(),
            "ListCertificates" => self.list(),
            "DeleteCertificate" => self.delete(),
            "ListTagsForCertificate" => {
                let tags = self.world.account(|account, _| account.acm.get(self.arn()).map(|c| c.tags.clone()))?;
                let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
                Ok(json!({"Tags": tags}))
            }
            "AddTagsToCertificate" => self.change_tags(self.tags(), &[]),
            "RemoveTagsFromCertificate" => {
                let gone: Vec<_> = self.tags().into_iter().map(|(key, _)| key).collect();
                self.change_tags(Vec::new(), &gone)
            }
            other => Err(Fault::Validation(format!("The operation {other} is not emulated"))),
        }
    }

    fn arn(&self) -> &str {
        self.text("CertificateArn")
    }

    fn tags(&self) -> Vec<(String, String)> {
        let tags = self.body["Tags"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
    }

    fn change_tags(&self, add: Vec<(String, String)>, gone: &[String]) -> Result<Value, Fault> {
        self.world.change_account(|account, _| account.acm.change_tags(self.arn(), add, gone))?;
        Ok(json!({}))
    }

    fn request(&self) -> Result<Value, Fault> {
        if self.text("ValidationMethod") != "DNS" {
            return Err(Fault::Validation("Only validation by DNS is emulated".to_owned()));
        }
        let mut names = vec![self.text("DomainName").to_owned()];
        for name in self.body["SubjectAlternativeNames"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !names.iter().any(|there| there == name) {
                names.push(name.to_owned());
            }
        }
        let request = Request {
            names,
            key_algorithm: self.body["KeyAlgorithm"].as_str().unwrap_or("RSA_2048").to_owned(),
            token: self.body["IdempotencyToken"].as_str().map(str::to_owned),
            tags: self.tags().into_iter().collect(),
            region: self.region.to_owned(),
        };
        let arn = self.world.change_account(|account, moment| account.acm.request(request, moment))?;
        Ok(json!({"CertificateArn": arn}))
    }

    fn import(&self) -> Result<Value, Fault> {
        let into = self.body["CertificateArn"].as_str();
        let names = super::pem::names(self.text("Certificate")).map_err(Fault::Validation)?;
        super::pem::key(self.text("PrivateKey")).map_err(Fault::Validation)?;
        if into.is_some() && self.body["Tags"].is_array() {
            return Err(Fault::Validation("Tags cannot be given when a certificate is imported again".to_owned()));
        }
        let request = Request {
            names,
            key_algorithm: "RSA_2048".to_owned(),
            token: None,
            tags: self.tags().into_iter().collect(),
            region: self.region.to_owned(),
        };
        let arn = self.world.change_account(|account, moment| account.acm.import(request, into, moment))?;
        Ok(json!({"CertificateArn": arn}))
    }

    fn describe(&self) -> Result<Value, Fault> {
        settle(self.world)?;
        self.world.account(|account, moment| {
            let certificate = account.acm.get(self.arn())?;
            Ok(json!({"Certificate": detail(certificate, account, moment.now)}))
        })
    }

    fn list(&self) -> Result<Value, Fault> {
        settle(self.world)?;
        let words = |value: &Value| -> Option<Vec<String>> {
            let list = value.as_array()?.iter().filter_map(Value::as_str);
            Some(list.map(str::to_owned).collect())
        };
        let statuses = words(&self.body["CertificateStatuses"]);
        let keys = words(&self.body["Includes"]["keyTypes"]);
        let place = format!(":acm:{}:", self.region);
        let shown = |certificate: &&Certificate| {
            let key = &certificate.key_algorithm;
            let wanted_key =
                keys.as_ref().map_or_else(|| USUAL_KEYS.contains(&key.as_str()), |keys| keys.contains(key));
            let status = certificate.status.as_str();
            let wanted_status = statuses.as_ref().is_none_or(|wanted| wanted.iter().any(|word| word == status));
            wanted_key && wanted_status && certificate.arn.contains(&place)
        };
        let all = self.world.account(|account, _| {
            account.acm.all().filter(shown).map(|certificate| summary(certificate, account)).collect::<Vec<_>>()
        });
        let most = self.body["MaxItems"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(1000).max(1);
        let from: usize = self.text("NextToken").parse().unwrap_or_default();
        let page: Vec<_> = all.iter().skip(from).take(most).collect();
        let next = (from + most < all.len()).then(|| (from + most).to_string());
        let mut answer = json!({"CertificateSummaryList": page});
        if let Some(next) = next {
            answer["NextToken"] = json!(next);
        }
        Ok(answer)
    }

    fn delete(&self) -> Result<Value, Fault> {
        self.world.change_account(|account, _| {
            let used = !in_use_by(account, self.arn()).is_empty();
            account.acm.delete(self.arn(), used)
        })?;
        Ok(json!({}))
    }
}

/// Certificates are issued when somebody looks, as soon as their records are there.
fn settle(world: &World) -> Result<(), Fault> {
    if !world.account(|account, _| account.acm.is_unsettled()) {
        return Ok(());
    }
    world.change_account(|account, moment| {
        let Account { acm, route53, .. } = account;
        acm.settle(route53, moment);
        Ok(())
    })
}

/// The distributions that name a certificate.
fn in_use_by(account: &Account, arn: &str) -> Vec<String> {
    account.cloudfront.naming(arn)
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn summary(certificate: &Certificate, account: &Account) -> Value {
    json!({
        "CertificateArn": certificate.arn,
        "DomainName": certificate.names.first(),
        "SubjectAlternativeNameSummaries": certificate.names,
        "Status": certificate.status.as_str(),
        "Type": kind(certificate),
        "KeyAlgorithm": certificate.key_algorithm,
        "InUse": !in_use_by(account, &certificate.arn).is_empty(),
        "CreatedAt": seconds(certificate.created),
    })
}

fn kind(certificate: &Certificate) -> &'static str {
    if certificate.imported { "IMPORTED" } else { "AMAZON_ISSUED" }
}

fn detail(certificate: &Certificate, account: &Account, now: SystemTime) -> Value {
    let mut detail = BTreeMap::from([
        ("CertificateArn", json!(certificate.arn)),
        ("DomainName", json!(certificate.names.first())),
        ("SubjectAlternativeNames", json!(certificate.names)),
        ("Status", json!(certificate.status.as_str())),
        ("Type", json!(kind(certificate))),
        ("KeyAlgorithm", json!(certificate.key_algorithm)),
        ("InUseBy", json!(in_use_by(account, &certificate.arn))),
        ("CreatedAt", json!(seconds(certificate.created))),
        ("RenewalEligibility", json!(if certificate.imported { "INELIGIBLE" } else { "ELIGIBLE" })),
    ]);
    if let Status::Issued { at } = certificate.status {
        detail.insert("IssuedAt", json!(seconds(at)));
        detail.insert("NotBefore", json!(seconds(at)));
    }
    if let Some(end) = certificate.not_after() {
        detail.insert("NotAfter", json!(seconds(end)));
    }
    if let Status::Failed(reason) = &certificate.status {
        detail.insert("FailureReason", json!(reason));
    }
    if !certificate.imported {
        let options: Vec<_> = certificate.names.iter().map(|name| validation(certificate, name, now)).collect();
        detail.insert("DomainValidationOptions", json!(options));
    }
    json!(detail)
}

/// The record is shown only a moment after the request.
fn validation(certificate: &Certificate, name: &str, now: SystemTime) -> Value {
    let status = match certificate.status {
        Status::Issued { .. } => "SUCCESS",
        Status::PendingValidation => "PENDING_VALIDATION",
        Status::ValidationTimedOut | Status::Failed(_) => "FAILED",
    };
    let mut option = json!({
        "DomainName": name, "ValidationDomain": name, "ValidationMethod": "DNS", "ValidationStatus": status,
    });
    if now >= certificate.shown {
        let Proof { name, value } = Proof::of(name);
        option["ResourceRecord"] = json!({"Name": name, "Type": "CNAME", "Value": value});
    }
    option
}

fn refusal(fault: &Fault) -> Response<Body> {
    let (status, code) = match fault {
        Fault::ResourceNotFound(_) => (StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
        Fault::ResourceInUse(_) => (StatusCode::BAD_REQUEST, "ResourceInUseException"),
        Fault::Validation(_) => (StatusCode::BAD_REQUEST, "ValidationException"),
        Fault::LimitExceeded(_) => (StatusCode::BAD_REQUEST, "LimitExceededException"),
        Fault::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
    };
    refusal_of(status, code, &fault.to_string())
}

pub(super) fn refusal_of(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    typed(status, JSON, json!({"__type": code, "message": message}).to_string())
}
