//! ACM: certificates that are requested and validated by DNS, or imported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Moment;
use super::route53::{Route53, normalise};

/// How long a request stays repeatable by its token.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How long a certificate waits for its records.
const PATIENCE: Duration = Duration::from_hours(72);
/// How long an issued certificate is valid.
const VALID: Duration = Duration::from_hours(198 * 24);
/// Who must be allowed to issue where a CAA record set says who may.
/// <https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html>
const ISSUERS: [&str; 4] = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

/// What ACM refuses, with its own error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `ResourceNotFoundException`.
    #[error("Could not find certificate {0}.")]
    ResourceNotFound(String),
    /// `ResourceInUseException`.
    #[error("Certificate {0} is in use.")]
    ResourceInUse(String),
    /// `ValidationException`.
    #[error("{0}")]
    Validation(String),
    /// `LimitExceededException`.
    #[error("{0}")]
    LimitExceeded(String),
    /// The state on disk could not be written.
    #[error("{0}")]
    Disk(String),
}

impl From<super::Fault> for Fault {
    fn from(fault: super::Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

/// Where a certificate is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Its records are not all there.
    PendingValidation,
    /// It can be used.
    Issued {
        /// Since when.
        at: SystemTime,
    },
    /// The records did not come in time.
    ValidationTimedOut,
    /// It cannot be issued, for this reason.
    Failed(String),
}

impl Status {
    /// ACM's word.
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
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// All names that it covers, the main one first.
    pub names: Vec<String>,
    /// True when it was brought along.
    pub imported: bool,
    /// `RSA_2048`, `EC_prime256v1`…
    pub key_algorithm: String,
    /// What makes its request repeatable.
    pub token: Option<String>,
    /// When it was requested or imported.
    pub created: SystemTime,
    /// When its records are shown, a moment after the request.
    pub shown: SystemTime,
    /// Where it is in its life.
    pub status: Status,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Certificate {
    /// When it is no longer valid.
    pub fn not_after(&self) -> Option<SystemTime> {
        match self.status {
            Status::Issued { at } => Some(at + VALID),
            Status::PendingValidation | Status::ValidationTimedOut | Status::Failed(_) => None,
        }
    }

    /// True when it covers a name, be it by a wildcard for one label.
    pub fn covers(&self, name: &str) -> bool {
        let wild = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        self.names.iter().any(|covered| covered == name || Some(covered) == wild.as_ref())
    }
}

/// The record that proves a name: the same for an account and a name, whatever the certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// The record's name, with its trailing dot.
    pub name: String,
    /// What it must lead to.
    pub value: String,
}

impl Proof {
    /// The proof for a name; a wildcard's is that of the name below it.
    pub fn of(name: &str) -> Self {
        let name = name.strip_prefix("*.").unwrap_or(name);
        let digest = |salt: &str| hex::encode(&Sha256::digest(format!("{salt}/{}/{name}", super::ACCOUNT))[..16]);
        Self {
            name: format!("_{}.{name}.", digest("name")),
            value: format!("_{}.acm-validations.aws.", digest("value")),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// All names, the main one first.
    pub names: Vec<String>,
    /// The key.
    pub key_algorithm: String,
    /// Makes it repeatable.
    pub token: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Where.
    pub region: String,
}

/// All state of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Acm {
    certificates: BTreeMap<String, Certificate>,
    counter: u64,
}

impl Acm {
    fn arn(&mut self, region: &str) -> String {
        self.counter += 1;
        format!("arn:aws:acm:{region}:{}:certificate/00000000-0000-4000-8000-{:012}", super::ACCOUNT, self.counter)
    }

    /// Requests a certificate, or returns the one that was requested with the same token within the hour.
    pub fn request(&mut self, request: Request, moment: Moment) -> Result<String, Fault> {
        let Request { names, key_algorithm, token, tags, region } = request;
        if names.len() > 10 {
            return Err(Fault::LimitExceeded("A certificate covers 10 names at the most".to_owned()));
        }
        if let Some(bad) = names.iter().find(|name| !name.contains('.') || name.contains(['/', ' ', ':'])) {
            return Err(Fault::Validation(format!("The domain name {bad} is not valid")));
        }
        let recent = |c: &&Certificate| moment.now.duration_since(c.created).is_ok_and(|age| age < REMEMBERED);
        let same = |c: &&Certificate| token.is_some() && c.token == token && c.names == names;
        if let Some(there) = self.certificates.values().filter(recent).find(same) {
            return Ok(there.arn.clone());
        }
        let arn = self.arn(&region);
        let certificate = Certificate {
            arn: arn.clone(),
            names,
            imported: false,
            key_algorithm,
            token,
            created: moment.now,
            shown: moment.now + moment.delays.certificate,
            status: Status::PendingValidation,
            tags,
        };
        self.certificates.insert(arn.clone(), certificate);
        Ok(arn)
    }

    /// Takes a certificate that was made elsewhere; with an ARN, in the place of that one.
    pub fn import(&mut self, request: Request, into: Option<&str>, moment: Moment) -> Result<String, Fault> {
        let Request { names, key_algorithm, token: _, tags, region } = request;
        let status = Status::Issued { at: moment.now };
        if let Some(arn) = into {
            let there = self.get_mut(arn)?;
            if !there.imported {
                return Err(Fault::Validation(format!("Certificate {arn} was not imported")));
            }
            *there = Certificate { names, key_algorithm, status, created: moment.now, ..there.clone() };
            return Ok(arn.to_owned());
        }
        let (arn, created) = (self.arn(&region), moment.now);
        let (token, imported) = (None, true);
        let certificate = Certificate {
            arn: arn.clone(),
            names,
            imported,
            key_algorithm,
            token,
            created,
            shown: created,
            status,
            tags,
        };
        self.certificates.insert(arn.clone(), certificate);
        Ok(arn)
    }

    /// One certificate.
    pub fn get(&self, arn: &str) -> Result<&Certificate, Fault> {
        self.certificates.get(arn).ok_or_else(|| Fault::ResourceNotFound(arn.to_owned()))
    }

    fn get_mut(&mut self, arn: &str) -> Result<&mut Certificate, Fault> {
        self.certificates.get_mut(arn).ok_or_else(|| Fault::ResourceNotFound(arn.to_owned()))
    }

    /// All certificates by ARN.
    pub fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.values()
    }

    /// Deletes a certificate that nobody uses.
    pub fn delete(&mut self, arn: &str, used: bool) -> Result<(), Fault> {
        self.get(arn)?;
        if used {
            return Err(Fault::ResourceInUse(arn.to_owned()));
        }
        self.certificates.remove(arn);
        Ok(())
    }

    /// Adds, replaces and removes tags.
    pub fn change_tags(&mut self, arn: &str, add: Vec<(String, String)>, gone: &[String]) -> Result<(), Fault> {
        let tags = &mut self.get_mut(arn)?.tags;
        tags.retain(|key, _| !gone.contains(key));
        tags.extend(add);
        Ok(())
    }

    /// True when looking at the records would change something.
    pub fn is_unsettled(&self) -> bool {
        self.certificates.values().any(|certificate| certificate.status == Status::PendingValidation)
    }

    /// Looks at the records of every certificate that waits for some.
    pub fn settle(&mut self, route53: &Route53, moment: Moment) {
        let waiting = self.certificates.values_mut().filter(|c| c.status == Status::PendingValidation);
        for certificate in waiting {
            certificate.status = judged(certificate, route53, moment);
        }
    }
}

fn judged(certificate: &Certificate, route53: &Route53, moment: Moment) -> Status {
    let proofs: BTreeSet<Proof> = certificate.names.iter().map(|name| Proof::of(name)).collect();
    if moment.now >= certificate.shown && proofs.iter().all(|proof| is_there(proof, route53)) {
        let forbidden = certificate.names.iter().any(|name| !may_be_issued(name, route53));
        return if forbidden { Status::Failed("CAA_ERROR".to_owned()) } else { Status::Issued { at: moment.now } };
    }
    let age = moment.now.duration_since(certificate.created).unwrap_or_default();
    if age > PATIENCE { Status::ValidationTimedOut } else { Status::PendingValidation }
}

fn is_there(proof: &Proof, route53: &Route53) -> bool {
    let mut sets = route53.zones().flat_map(super::route53::Zone::records);
    sets.any(|set| {
        let leads = || set.values().any(|value| normalise(value) == proof.value);
        set.r#type == "CNAME" && set.name == proof.name && leads()
    })
}

/// The closest CAA record set above a name decides.
fn may_be_issued(name: &str, route53: &Route53) -> bool {
    let mut rest = Some(name.strip_prefix("*.").unwrap_or(name));
    while let Some(at) = rest {
        let mut sets = route53.zones().flat_map(super::route53::Zone::records);
        if let Some(set) = sets.find(|set| set.r#type == "CAA" && set.name == normalise(at)) {
            return set.values().any(|value| ISSUERS.iter().any(|issuer| value.contains(issuer)));
        }
        rest = at.split_once('.').map(|(_, rest)| rest);
    }
    true
}
