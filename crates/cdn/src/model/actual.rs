//! The actual state in AWS.

use twinsite_core::ResourceId;

use super::{AccessControl, Certificates, Distribution, Function, Store};

/// The actual state of the site's certificates and distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actual {
    /// The certificates that cover the domain.
    pub certificates: Certificates,
    /// The site's distribution.
    pub distribution: Option<Distribution>,
    /// A distribution with the site's domain as alias that does not belong to the site.
    pub conflicting_distribution: Option<ResourceId>,
    /// The site's origin access control.
    pub access_control: Option<AccessControl>,
    /// The site's viewer-request function.
    pub function: Option<Function>,
    /// The key value store with the site's name, which may be that of somebody else.
    pub store: Option<Store>,
}
