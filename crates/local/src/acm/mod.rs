//! ACM: certificates, requested and validated by DNS, or imported.

mod pem;
mod permissions;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::context::{ACCOUNT, Now, ServiceError, Tags, change_tags};
use crate::route53::{Route53, Zone, normalize};

pub(crate) use permissions::permissions;
pub(crate) use wire::{answer, operation};

/// How long an idempotency token is valid.
const TOKEN_LIFETIME: Duration = Duration::from_hours(1);
/// When validation times out.
const VALIDATION_TIMEOUT: Duration = Duration::from_hours(72);
/// How long an issued certificate is valid.
const VALIDITY: Duration = Duration::from_hours(198 * 24);
/// A CAA record set must allow one of these.
/// <https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html>
const ISSUERS: [&str; 4] = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

fn not_found(arn: &str) -> ServiceError {
    ServiceError::invalid("ResourceNotFoundException", format!("Could not find certificate {arn}."))
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::invalid("ValidationException", message)
}

/// The status of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CertificateStatus {
    /// Validation records are missing.
    PendingValidation,
    /// Issued.
    Issued {
        /// When.
        at: SystemTime,
    },
    /// The validation records did not appear in time.
    ValidationTimedOut,
    /// Not issued, with ACM's failure reason.
    Failed(String),
}

impl CertificateStatus {
    /// The value in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::PendingValidation => "PENDING_VALIDATION",
            Self::Issued { .. } => "ISSUED",
            Self::ValidationTimedOut => "VALIDATION_TIMED_OUT",
            Self::Failed(_) => "FAILED",
        }
    }
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The names it covers, the domain name first.
    pub names: Vec<String>,
    /// Whether it was imported rather than requested.
    pub imported: bool,
    /// `RSA_2048`, `EC_prime256v1`…
    pub key_algorithm: String,
    /// The idempotency token of its request.
    pub token: Option<String>,
    /// When it was requested or imported.
    pub created: SystemTime,
    /// From when on `DescribeCertificate` returns its validation records.
    pub shown: SystemTime,
    /// From when on ACM looks up its validation records.
    #[serde(default = "epoch")]
    pub validated: SystemTime,
    /// Its status.
    pub status: CertificateStatus,
    /// Its tags.
    pub tags: Tags,
}

impl Certificate {
    /// When it expires.
    pub fn not_after(&self) -> Option<SystemTime> {
        match self.status {
            CertificateStatus::Issued { at } => Some(at + VALIDITY),
            CertificateStatus::PendingValidation
            | CertificateStatus::ValidationTimedOut
            | CertificateStatus::Failed(_) => None,
        }
    }

    /// Whether it covers a name, exactly or by a wildcard for one label.
    pub fn covers(&self, name: &str) -> bool {
        let wild = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        self.names.iter().any(|covered| covered == name || Some(covered) == wild.as_ref())
    }
}

/// The CNAME record that validates a name. It depends on the account and the name only, not on the certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ValidationRecord {
    /// The record's name, with its trailing dot.
    pub name: String,
    /// Its target.
    pub value: String,
}

impl ValidationRecord {
    /// The validation record of a name; a wildcard has that of its parent name.
    pub fn new(name: &str) -> Self {
        let name = name.strip_prefix("*.").unwrap_or(name);
        let digest = |salt: &str| hex::encode(&Sha256::digest(format!("{salt}/{ACCOUNT}/{name}"))[..16]);
        Self {
            name: format!("_{}.{name}.", digest("name")),
            value: format!("_{}.acm-validations.aws.", digest("value")),
        }
    }
}

/// The parameters of a request or an import.
#[derive(Clone, Debug, Default)]
pub struct CertificateRequest {
    /// The names to cover, the domain name first.
    pub names: Vec<String>,
    /// The key algorithm.
    pub key_algorithm: String,
    /// The idempotency token.
    pub token: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// The region.
    pub region: String,
}

/// The state of ACM in all regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acm {
    certificates: BTreeMap<String, Certificate>,
    counter: u64,
}

impl Acm {
    fn next_arn(&mut self, region: &str) -> String {
        self.counter += 1;
        format!("arn:aws:acm:{region}:{ACCOUNT}:certificate/00000000-0000-4000-8000-{:012}", self.counter)
    }

    /// Requests a certificate, or returns the one requested with the same token within the last hour.
    pub fn request(&mut self, request: CertificateRequest, now: Now) -> Result<String, ServiceError> {
        let CertificateRequest { names, key_algorithm, token, tags, region } = request;
        if names.len() > 10 {
            return Err(ServiceError::invalid("LimitExceededException", "A certificate covers at most 10 names"));
        }
        if let Some(bad) = names.iter().find(|name| !name.contains('.') || name.contains(['/', ' ', ':'])) {
            return Err(invalid(format!("The domain name {bad} is not valid")));
        }
        let recent = |c: &&Certificate| now.time.duration_since(c.created).is_ok_and(|age| age < TOKEN_LIFETIME);
        let same = |c: &&Certificate| token.is_some() && c.token == token && c.names == names;
        if let Some(existing) = self.certificates.values().filter(recent).find(same) {
            return Ok(existing.arn.clone());
        }
        let arn = self.next_arn(&region);
        let certificate = Certificate {
            arn: arn.clone(),
            names,
            imported: false,
            key_algorithm,
            token,
            created: now.time,
            shown: now.time + now.delays.certificate,
            validated: now.time + now.delays.certificate + now.delays.validation,
            status: CertificateStatus::PendingValidation,
            tags,
        };
        self.certificates.insert(arn.clone(), certificate);
        Ok(arn)
    }

    /// Imports a certificate; with an ARN, replaces that one.
    pub fn import(
        &mut self,
        request: CertificateRequest,
        into: Option<&str>,
        now: Now,
    ) -> Result<String, ServiceError> {
        let CertificateRequest { names, key_algorithm, token: _, tags, region } = request;
        let status = CertificateStatus::Issued { at: now.time };
        if let Some(arn) = into {
            let existing = self.get_mut(arn)?;
            if !existing.imported {
                return Err(invalid(format!("Certificate {arn} was not imported")));
            }
            *existing = Certificate { names, key_algorithm, status, created: now.time, ..existing.clone() };
            return Ok(arn.to_owned());
        }
        let (arn, created) = (self.next_arn(&region), now.time);
        let (token, imported) = (None, true);
        let certificate = Certificate {
            arn: arn.clone(),
            names,
            imported,
            key_algorithm,
            token,
            created,
            shown: created,
            validated: created,
            status,
            tags,
        };
        self.certificates.insert(arn.clone(), certificate);
        Ok(arn)
    }

    /// A certificate by ARN.
    pub fn get(&self, arn: &str) -> Result<&Certificate, ServiceError> {
        self.certificates.get(arn).ok_or_else(|| not_found(arn))
    }

    fn get_mut(&mut self, arn: &str) -> Result<&mut Certificate, ServiceError> {
        self.certificates.get_mut(arn).ok_or_else(|| not_found(arn))
    }

    /// All certificates, ordered by ARN.
    pub fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.values()
    }

    /// Deletes a certificate that no resource uses.
    pub fn delete(&mut self, arn: &str, in_use_by: &[String]) -> Result<(), ServiceError> {
        self.get(arn)?;
        if !in_use_by.is_empty() {
            return Err(ServiceError::invalid("ResourceInUseException", format!("Certificate {arn} is in use.")));
        }
        self.certificates.remove(arn);
        Ok(())
    }

    /// Adds or replaces tags.
    pub fn add_tags(&mut self, arn: &str, added: Tags) -> Result<(), ServiceError> {
        change_tags(&mut self.get_mut(arn)?.tags, added, &[]);
        Ok(())
    }

    /// Issues, fails or times out the certificates that are pending validation.
    pub fn validate(&mut self, route53: &Route53, now: Now) {
        for certificate in self.certificates.values_mut() {
            if certificate.status == CertificateStatus::PendingValidation {
                certificate.status = validated(certificate, route53, now);
            }
        }
    }
}

fn epoch() -> SystemTime {
    SystemTime::UNIX_EPOCH
}

fn validated(certificate: &Certificate, route53: &Route53, now: Now) -> CertificateStatus {
    let records: BTreeSet<_> = certificate.names.iter().map(|name| ValidationRecord::new(name)).collect();
    if now.time >= certificate.validated && records.iter().all(|record| exists(record, route53)) {
        let forbidden = certificate.names.iter().any(|name| !caa_allows(name, route53));
        return if forbidden {
            CertificateStatus::Failed("CAA_ERROR".to_owned())
        } else {
            CertificateStatus::Issued { at: now.time }
        };
    }
    let age = now.time.duration_since(certificate.created).unwrap_or_default();
    if age > VALIDATION_TIMEOUT { CertificateStatus::ValidationTimedOut } else { CertificateStatus::PendingValidation }
}

/// Only the closest zone is asked: what others have at the name, nobody sees.
fn exists(record: &ValidationRecord, route53: &Route53) -> bool {
    let contains = |zone: &&Zone| {
        let name = normalize(&zone.name);
        record.name == name || record.name.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.'))
    };
    let zone = route53.zones().filter(contains).max_by_key(|zone| zone.name.len());
    zone.into_iter().flat_map(Zone::records).any(|set| {
        let has_target = || set.values().any(|value| normalize(value) == record.value);
        set.r#type == "CNAME" && set.name == record.name && has_target()
    })
}

/// The CAA record set of the closest ancestor applies.
fn caa_allows(name: &str, route53: &Route53) -> bool {
    let mut rest = Some(name.strip_prefix("*.").unwrap_or(name));
    while let Some(domain) = rest {
        let mut sets = route53.zones().flat_map(Zone::records);
        if let Some(set) = sets.find(|set| set.r#type == "CAA" && set.name == normalize(domain)) {
            return set.values().any(|value| ISSUERS.iter().any(|issuer| value.contains(issuer)));
        }
        rest = domain.split_once('.').map(|(_, rest)| rest);
    }
    true
}
