//! What stands in the way, found before anything is changed.

use twinsite_core::{Arn, Domain};

use crate::want::Desired;

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another distribution of this account answers to the name.
    #[error("`{domain}` is an alias of the distribution {id}, which is not this site's")]
    AliasTaken {
        /// The name.
        domain: Domain,
        /// The distribution.
        id: String,
    },
    /// The certificate that was named is in a region that CloudFront does not read.
    #[error("the certificate {arn} is not in us-east-1")]
    CertificateRegion {
        /// The certificate.
        arn: Arn,
    },
    /// The certificate that was named is not there, or does not cover the name.
    #[error("the certificate {arn} is not there, or does not cover `{domain}`")]
    CertificateUnfit {
        /// The certificate.
        arn: Arn,
        /// The name.
        domain: Domain,
    },
    /// The certificate that was named cannot be used.
    #[error("the certificate {arn} is not issued")]
    CertificateNotIssued {
        /// The certificate.
        arn: Arn,
    },
    /// Visitors who were told to insist on HTTPS would find nobody after a failover.
    #[error("{what} is on, but after a DNS failover visitors are served by a website endpoint, over HTTP only")]
    NoTlsOnStandby {
        /// The setting.
        what: &'static str,
    },
}

impl Problem {
    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::AliasTaken { .. } => "remove the name from that distribution first, or choose another domain",
            Self::CertificateRegion { .. } => "CloudFront takes certificates from us-east-1 only: import it there",
            Self::CertificateUnfit { .. } => "check cdn.certificate_arn, or remove it and have one requested",
            Self::CertificateNotIssued { .. } => "wait until ACM has issued it, or remove cdn.certificate_arn",
            Self::NoTlsOnStandby { .. } => {
                "turn it off, set mode = \"origin\", or set cdn.accept_http_standby = true if that is what you want"
            }
        }
    }
}

/// The settings that lock visitors out after a DNS failover.
pub(crate) fn standby(want: &Desired) -> Vec<Problem> {
    if want.private() || want.accept_http_standby {
        return Vec::new();
    }
    let settings = [("redirect_to_https", want.redirect_to_https), ("security_headers (HSTS)", want.security_headers)];
    settings.into_iter().filter(|(_, on)| *on).map(|(what, _)| Problem::NoTlsOnStandby { what }).collect()
}

/// Everything that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Unfit(pub Vec<Problem>);
