//! The actual state in AWS.

use twinsite_core::{Domain, ResourceId};

use super::{AccessControl, Certificates, Distribution, Function, Store};

/// The actual state of the site's certificates and distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actual {
    /// The certificates that cover the domain.
    pub certificates: Certificates,
    /// The site's distribution.
    pub distribution: Option<Distribution>,
    /// Distributions with a name of the site as alias that do not belong to the site.
    pub conflicting_distributions: Vec<ConflictingDistribution>,
    /// The site's origin access control.
    pub access_control: Option<AccessControl>,
    /// The site's viewer-request function.
    pub function: Option<Function>,
    /// The key value store with the site's name, which may be that of somebody else.
    pub store: Option<Store>,
}

/// A distribution that has a name of the site, and does not belong to the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictingDistribution {
    /// The name.
    pub name: Domain,
    /// The distribution.
    pub id: ResourceId,
}
