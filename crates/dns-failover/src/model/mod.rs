//! Desired and actual state, changes and conflicts: plain data without SDK types.

mod actual;
mod alias_zone;
mod bound;
mod change;
mod check;
mod conflict;
mod desired;
mod health;
mod pair;
mod record;
mod zone;

pub use actual::{Actual, ActualRecordSet, CaaRecords, Protection, Routing, ZoneRecords};
pub use alias_zone::{UnknownWebsiteZone, cloudfront_alias_zone, website_alias_zone};
pub use bound::{FailoverBound, FailoverTiming};
pub use change::{Change, RecordToDelete};
pub use check::{Check, CheckPurpose, CheckRef, CheckSettings, CheckTarget, ExistingCheck};
pub use conflict::{Conflict, Conflicts, FindZoneError};
pub use desired::{Desired, ValidationRecordUse};
pub(crate) use health::{CheckerReports, evaluate_health};
pub use pair::{AliasTypes, FailoverPair, FailoverTargets};
pub use record::{AliasTarget, FailoverRole, RecordSet, RecordTarget};
pub(crate) use record::{EVALUATES_TARGET_HEALTH, normalized_name};
pub(crate) use zone::zone_contains;
pub use zone::{HostedZone, ZoneChoiceError, ZoneId, choose_hosted_zone};
