//! Conflicts: preconditions of a plan that do not hold, found before anything is changed.

use twinsite_aws::AwsError;
use twinsite_core::{Domain, Host};

use super::{Protection, UnknownWebsiteZone, ZoneChoiceError, ZoneId};

/// A reason why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The domain is in no hosted zone, or in several.
    #[error(transparent)]
    ZoneChoice(#[from] ZoneChoiceError),
    /// The configured hosted zone does not exist or does not contain the domain.
    #[error("the hosted zone `{id}` is not a public zone of this account that contains `{domain}`")]
    WrongZone {
        /// The zone.
        id: ZoneId,
        /// The domain.
        domain: Domain,
    },
    /// The name of a failover pair is outside the hosted zone.
    #[error("the hosted zone `{id}` does not contain `{name}`")]
    OutsideZone {
        /// The zone.
        id: ZoneId,
        /// The name.
        name: Host,
    },
    /// The region was added after this release.
    #[error(transparent)]
    UnknownWebsiteZone(#[from] UnknownWebsiteZone),
    /// The name has record sets with another routing policy.
    #[error("`{name}` has record sets with a routing policy that is not managed here: {set}")]
    OtherRouting {
        /// The name.
        name: Host,
        /// The record set.
        set: String,
    },
    /// The name has a record that excludes a CNAME record.
    #[error("`{name}` has a {type} record, and a CNAME record excludes all other records of its name")]
    BesideCname {
        /// The name.
        name: Host,
        /// The other record's type.
        r#type: String,
    },
    /// The zone delegates the name to other name servers.
    #[error(
        "the hosted zone {zone} delegates `{delegated}` to other name servers, so its records for `{name}` are never seen"
    )]
    Delegated {
        /// The name.
        name: Host,
        /// The hosted zone.
        zone: ZoneId,
        /// The name with the NS record.
        delegated: String,
    },
    /// A CNAME record at the apex of a hosted zone.
    #[error("`{name}` is the apex of its hosted zone, where CNAME records are not allowed")]
    CnameAtApex {
        /// The name.
        name: Host,
    },
    /// A failover pair that would never fail over.
    #[error("the primary of `{name}` has no health check, so it would never be unhealthy")]
    NoHealthCheck {
        /// The name.
        name: Host,
    },
    /// Route 53 protects record sets that would change.
    #[error(
        "the {} record sets of `{}` are protected in the hosted zone {zone}{}",
        protection.r#type,
        protection.name,
        protection.comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default()
    )]
    Protected {
        /// The hosted zone.
        zone: ZoneId,
        /// The protection.
        protection: Protection,
    },
}

impl Conflict {
    /// How to resolve it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ZoneChoice(ZoneChoiceError::NotFound(_)) => {
                "create a public hosted zone for it in Route 53 and have the registrar delegate to its name servers; a zone of \
                 another account requires that account's credentials"
            }
            Self::ZoneChoice(ZoneChoiceError::Ambiguous { .. }) => {
                "set dns.zone_id (for an alias, its entry in dns.alias_zones) to the one that the registrar delegates to"
            }
            Self::WrongZone { .. } => {
                "correct dns.zone_id (for an alias, its entry in dns.alias_zones), or remove it to have the zone looked up"
            }
            Self::OutsideZone { .. } => "choose the hosted zone that contains the name",
            Self::UnknownWebsiteZone(_) => {
                "look it up in the table of S3 website endpoints in the AWS General Reference, and set dns.website_zones"
            }
            Self::OtherRouting { .. } => "delete them, or choose another domain: they are never changed by twinsite",
            Self::BesideCname { .. } => {
                "move that record to another name, or set mode = \"origin\", which uses no CNAME record"
            }
            Self::Delegated { .. } => {
                "if the other zone is in this account, set dns.zone_id to it; if it is not in use any more, delete the NS record"
            }
            Self::CnameAtApex { .. } => "use alias targets",
            Self::NoHealthCheck { .. } => "give it a health check, or an alias target whose health is evaluated",
            Self::Protected { .. } => {
                "if they may change, remove the protection first (Route 53 console, or `aws route53 \
                 delete-resource-record-set-protections`); twinsite never does"
            }
        }
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

/// Why the hosted zone of a site was not found.
#[derive(Debug, thiserror::Error)]
pub enum FindZoneError {
    /// The zones could not be listed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// None of the zones can be used.
    #[error(transparent)]
    Conflict(#[from] Conflict),
}
