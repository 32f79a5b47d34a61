//! What stands in the way, found before anything is changed.

use twinsite_core::Domain;

use crate::choose::NoZone;
use crate::records::Protection;
use crate::zone::UnknownZone;

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No hosted zone, or several.
    #[error(transparent)]
    NoZone(#[from] NoZone),
    /// The hosted zone that was named does not hold the domain, or is not there.
    #[error("the hosted zone `{id}` is not a public zone of this account that holds `{domain}`")]
    WrongZone {
        /// The zone.
        id: String,
        /// The name.
        domain: Domain,
    },
    /// The region is younger than this version.
    #[error(transparent)]
    UnknownZone(UnknownZone),
    /// Others route the name already.
    #[error("`{domain}` has record sets with a routing policy that is not this site's: {set}")]
    OtherRouting {
        /// The name.
        domain: Domain,
        /// The record set.
        set: String,
    },
    /// A CNAME must be alone.
    #[error("`{domain}` has a {type} record, and a CNAME record cannot stand beside it")]
    BesideCname {
        /// The name.
        domain: Domain,
        /// The other record's type.
        r#type: String,
    },
    /// Somebody has protected record sets that would change.
    #[error(
        "the {} record sets of `{}` are protected in the hosted zone {zone}{}",
        protection.r#type,
        protection.name,
        protection.comment.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
    )]
    Protected {
        /// The hosted zone.
        zone: String,
        /// What is protected.
        protection: Protection,
    },
}

impl Problem {
    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoZone(NoZone::None(_)) => {
                "create a public hosted zone for it in Route 53 and have the registrar point to its name servers; a zone of \
                 another account needs that account's credentials"
            }
            Self::NoZone(NoZone::Several { .. }) => "say which one the registrar points to: dns.zone_id",
            Self::WrongZone { .. } => "check dns.zone_id, or remove it and have the zone found",
            Self::UnknownZone(_) => {
                "look it up in the table of S3 website endpoints in the AWS General Reference, and set dns.website_zones"
            }
            Self::OtherRouting { .. } => "delete them, or choose another domain: nothing of theirs is changed",
            Self::Protected { .. } => {
                "if they may change, take the protection away first (Route 53 console, or `aws route53 \
                 delete-resource-record-set-protections`); twinsite never does"
            }
            Self::BesideCname { .. } => {
                "move that record to another name, or set mode = \"origin\", which needs no CNAME"
            }
        }
    }
}

/// Everything that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Unfit(pub Vec<Problem>);
