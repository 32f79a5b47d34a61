#![doc = include_str!("../README.md")]

mod apply;
mod calls;
mod clients;
mod diff;
mod model;
mod observe;
pub mod step_ids;
mod wire;

pub use calls::invalidation::{await_invalidation, invalidate};
pub use clients::Cdn;
pub use diff::{Planned, plan_changes, plan_destruction};
pub use model::{
    AccessControl, Actual, CacheBypass, Certificate, CertificateFiles, CertificateStatus, Certificates, Change,
    ChangeKind, Conflict, Conflicts, CreatedInvalidation, Desired, Distribution, DistributionSettings, Edges,
    ErrorPage, ExistingBehavior, ExistingDistribution, ExistingErrorResponse, ExistingGeoRestriction, ExistingGroup,
    ExistingLogging, ExistingOrigin, FolderUrls, Function, GeoRestriction, GeoRestrictionKind, InvalidationPaths,
    ListedDistribution, Logging, MinimumTls, ORIGIN_KEY, Origin, OriginAccess, OriginChoice, OriginKind, OwnerSetting,
    OwnerSettings, PriceClass, PrimaryShare, Proof, SITE_KEY, ShieldRegion, Store, StoreContents, StoreKeys, WebAclArn,
    explain_failure,
};
