//! Conflicts: preconditions of a plan that do not hold, found before anything is changed.

use twinsite_core::{Arn, Domain, Mode, ResourceId};

use super::Desired;
use super::preload::preloaded_tld;

/// The most bytes that the code of a function may have.
pub(crate) const MAX_FUNCTION_SIZE: usize = 10 * 1024;

/// A reason why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The domain is an alias of a distribution that does not belong to the site.
    #[error("`{domain}` is an alias of the distribution {id}, which does not belong to this site")]
    AliasTaken {
        /// The domain.
        domain: Domain,
        /// The distribution.
        id: ResourceId,
    },
    /// The configured certificate is not in us-east-1.
    #[error("the certificate {arn} is not in us-east-1")]
    CertificateRegion {
        /// The certificate.
        arn: Arn,
    },
    /// The configured certificate does not exist or does not cover all names.
    #[error("the certificate {arn} does not exist or does not cover all of {}", quoted(names))]
    CertificateMismatch {
        /// The certificate.
        arn: Arn,
        /// The names of the site.
        names: Vec<Domain>,
    },
    /// The configured certificate is not issued.
    #[error("the certificate {arn} is not issued")]
    CertificateNotIssued {
        /// The certificate.
        arn: Arn,
    },
    /// CloudFront would refuse the viewer-request function.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
    #[error(
        "the function at the edges would have {size} bytes, and CloudFront takes at most {MAX_FUNCTION_SIZE}: protected paths and aliases are part of it"
    )]
    FunctionTooLarge {
        /// The size of its code in bytes.
        size: usize,
    },
    /// A key value store with the site's name does not belong to it.
    #[error("the key value store `{name}` ({arn}) does not belong to this site")]
    StoreTaken {
        /// Its name.
        name: String,
        /// Its ARN.
        arn: Arn,
    },
    /// Browsers would require HTTPS, which is not available after a DNS failover.
    #[error("{setting} is on, but after a DNS failover visitors are served by an S3 website endpoint, over HTTP only")]
    HttpOnlyStandby {
        /// The setting that makes browsers require HTTPS.
        setting: &'static str,
    },
    /// Browsers require HTTPS for the whole top-level domain.
    #[error(
        "browsers open `{domain}` over HTTPS only, because `.{tld}` is on the HSTS preload list; after a DNS failover visitors are served by an S3 website endpoint, over HTTP only"
    )]
    PreloadedDomain {
        /// The domain.
        domain: Domain,
        /// Its top-level domain.
        tld: String,
    },
}

fn quoted(names: &[Domain]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Conflict {
    /// How to resolve it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::FunctionTooLarge { .. } => "protect fewer paths, or shorter ones, or remove aliases",
            Self::AliasTaken { .. } => {
                "run again with --adopt to hand it over: its origins, behaviors and settings that twinsite does not manage stay; or remove \
                 the alias from it, or choose another domain"
            }
            Self::StoreTaken { .. } => {
                "delete that store, or tag it as the distribution is tagged if it is this site's"
            }
            Self::CertificateRegion { .. } => "CloudFront uses certificates in us-east-1 only: import it there",
            Self::CertificateMismatch { .. } => {
                "correct cdn.certificate_arn, or remove it to have a certificate requested"
            }
            Self::CertificateNotIssued { .. } => "wait until ACM has issued it, or remove cdn.certificate_arn",
            Self::PreloadedDomain { .. } => {
                "set backup.standby = \"https\" or mode = \"origin\", which keep HTTPS, or set cdn.accept_http_standby = true to \
                 accept that the standby cannot be reached"
            }
            Self::HttpOnlyStandby { .. } => {
                "turn it off, set backup.standby = \"https\" or mode = \"origin\", or set cdn.accept_http_standby = true to accept this"
            }
        }
    }

    /// The settings that make browsers require HTTPS although the site is served over HTTP after a DNS failover.
    pub(crate) fn http_only_standby(desired: &Desired) -> Vec<Self> {
        if desired.has_private_origins() || desired.accept_http_standby {
            return Vec::new();
        }
        // In mode `layered`, DNS leads away from CloudFront only when CloudFront fails or by hand. A visitor who types the name is then
        // served over HTTP; HSTS would make the browser refuse that.
        let redirect = desired.redirect_to_https && desired.site.mode == Mode::Dns;
        let settings = [("redirect_to_https", redirect), ("security_headers (HSTS)", desired.security_headers)];
        let settings = settings.into_iter().filter(|(_, on)| *on);
        let mut conflicts: Vec<Self> = settings.map(|(setting, _)| Self::HttpOnlyStandby { setting }).collect();
        let domain = &desired.site.domain;
        conflicts.extend(
            preloaded_tld(domain.as_str())
                .map(|tld| Self::PreloadedDomain { domain: domain.clone(), tld: tld.to_owned() }),
        );
        conflicts
    }
}

/// All conflicts of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Conflicts(pub Vec<Conflict>);

impl From<Conflict> for Conflicts {
    fn from(conflict: Conflict) -> Self {
        Self(vec![conflict])
    }
}
