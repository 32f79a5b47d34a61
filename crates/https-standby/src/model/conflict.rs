//! Conflicts: preconditions of a plan that do not hold, found before anything is changed.

use twinsite_core::{Domain, Region};

/// A reason why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The custom domain name exists and does not belong to the site.
    #[error("API Gateway has the custom domain name `{domain}` in {region}, and it does not belong to this site")]
    DomainNameTaken {
        /// The domain.
        domain: Domain,
        /// The region.
        region: Region,
    },
    /// The site has no DNS failover, so that nothing leads to a standby.
    #[error("in mode `origin` there is no standby: CloudFront alone fails over, and the buckets are private")]
    NoFailover,
}

impl Conflict {
    /// How to resolve it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::DomainNameTaken { .. } => {
                "delete that custom domain name, or tag it as the distribution is tagged if it is this site's"
            }
            Self::NoFailover => "remove backup.standby, or set mode = \"layered\"",
        }
    }
}
