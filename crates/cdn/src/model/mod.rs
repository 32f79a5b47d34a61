//! Desired and actual state, changes and conflicts: plain data without SDK types.

mod actual;
mod certificate;
mod change;
mod conflict;
mod desired;
mod distribution;
mod existing;
mod function;
mod invalidation;
mod minify;
mod owner_settings;
mod preload;
mod settings;
mod store;

pub use actual::{Actual, ConflictingDistribution};
pub use certificate::{Certificate, CertificateFiles, CertificateStatus, Certificates, explain_failure};
pub use change::Change;
pub(crate) use conflict::MAX_FUNCTION_SIZE;
pub use conflict::{Conflict, Conflicts};
pub use desired::{Desired, PriceClass};
pub(crate) use distribution::SIGNING;
pub use distribution::{AccessControl, Distribution, Function, Proof};
pub use existing::{
    ExistingBehavior, ExistingDistribution, ExistingErrorResponse, ExistingGeoRestriction, ExistingGroup,
    ExistingLogging, ExistingOrigin, ListedDistribution, OriginAccess,
};
pub(crate) use function::viewer_request_code;
pub use invalidation::{ChangeKind, CreatedInvalidation, Edges, FolderUrls, InvalidationPaths};
pub use owner_settings::{
    GeoRestriction, GeoRestrictionKind, Logging, MinimumTls, OwnerSetting, OwnerSettings, ShieldRegion, WebAclArn,
};
pub(crate) use settings::{
    CACHING_DISABLED_POLICY, CACHING_OPTIMIZED_POLICY, CONNECTION_ATTEMPTS, CONNECTION_TIMEOUT, ERROR_CACHING_TTL,
    GEO_RESTRICTION, LOGGING, ORIGIN_GROUP, ORIGIN_SHIELD, READ_TIMEOUT, SECURITY_HEADERS_POLICY, WEB_ACL,
};
pub use settings::{CacheBypass, DistributionSettings, ErrorPage, Origin, OriginKind};
pub(crate) use store::initial_keys;
pub use store::{ORIGIN_KEY, OriginChoice, PrimaryShare, SITE_KEY, Store, StoreContents, StoreKeys};
