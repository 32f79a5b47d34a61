//! Certificates in ACM.

use twinsite_aws::Tags;
use twinsite_core::{Arn, Domain, Site, ValidationRecords};

/// A certificate in ACM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Its ARN.
    pub arn: Arn,
    /// The domain names that it covers; `*.` at the front of a name stands for one label.
    pub names: Vec<String>,
    /// Its status.
    pub status: CertificateStatus,
    /// Its tags.
    pub tags: Tags,
    /// The DNS records that ACM validates it with, at first and for each renewal; none for imported certificates.
    pub validation_records: ValidationRecords,
    /// True if it was issued elsewhere and imported.
    pub imported: bool,
    /// The ARNs of the resources that use it.
    pub used_by: Vec<String>,
    /// When it expires, in seconds since 1970.
    pub not_after: Option<i64>,
    /// When it was requested, in seconds since 1970; `None` if it was imported.
    pub created: Option<i64>,
}

impl Certificate {
    /// Whether it covers all of these names.
    pub fn covers_all<'a>(&self, mut names: impl Iterator<Item = &'a Domain>) -> bool {
        names.all(|name| self.covers(name))
    }

    /// Whether it covers a name, by itself or by a wildcard.
    pub fn covers(&self, name: &Domain) -> bool {
        self.names.iter().any(|covered| name.is_covered_by(covered))
    }
}

/// The status of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// It can be used.
    Issued,
    /// ACM has not found its validation record yet.
    PendingValidation,
    /// It will not be issued, or is no longer valid: ACM's failure reason or status.
    Failed(String),
}

/// The certificates that may be used for a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificates {
    /// Those that cover one of the site's names, also a former one, in no particular order.
    pub covering: Vec<Certificate>,
    /// The configured one, if it exists and covers all names.
    pub configured: Option<Certificate>,
}

impl Certificates {
    /// Those that cover all names of a site, or the configured one alone.
    pub fn of_site<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = &'a Certificate> {
        let covering = self.covering.iter().filter(|one| self.configured.is_none() && one.covers_all(site.names()));
        covering.chain(&self.configured)
    }

    /// Whether one of them can be used for a site.
    pub fn is_issued(&self, site: &Site) -> bool {
        self.of_site(site).any(|certificate| certificate.status == CertificateStatus::Issued)
    }
}

/// A certificate that was issued elsewhere, in PEM form.
#[derive(Clone)]
pub struct CertificateFiles {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The intermediate certificates.
    pub chain: Option<Vec<u8>>,
    /// The private key, not encrypted.
    pub private_key: Vec<u8>,
}

/// What one of ACM's failure reasons means and what to do about it.
/// <https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html>
pub fn explain_failure(reason: &str) -> &'static str {
    match reason {
        "CAA_ERROR" => {
            "a CAA record of the domain does not allow Amazon to issue certificates: add one for amazon.com or remove it, and \
             apply again"
        }
        "VALIDATION_TIMED_OUT" => {
            "ACM did not find the validation record within 72 hours: check that the registrar delegates the domain to this \
             hosted zone's name servers, and apply again"
        }
        "DOMAIN_NOT_ALLOWED" | "ADDITIONAL_VERIFICATION_REQUIRED" => {
            "ACM requires additional verification of this domain: open a case with AWS Support, or import a certificate"
        }
        "INVALID_PUBLIC_DOMAIN" => "the domain is not a public one: check its spelling and its registration",
        "DOMAIN_VALIDATION_DENIED" => "validation was denied: request again, or import a certificate",
        _ => "see the certificate in the ACM console of us-east-1, and apply again",
    }
}
