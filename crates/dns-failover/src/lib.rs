#![doc = include_str!("../README.md")]

#[cfg(feature = "alerts")]
pub mod alerts;
mod apply;
mod calls;
mod clients;
mod diff;
mod model;
mod observe;
#[cfg(feature = "probe")]
pub mod probe;
pub mod step_ids;
mod wire;

pub use clients::DnsFailover;
pub use diff::{plan_changes, plan_destruction, planned_checks};
pub use model::{
    Actual, ActualRecordSet, AliasTarget, AliasTypes, CaaRecords, Change, Check, CheckPurpose, CheckRef, CheckSettings,
    CheckTarget, Conflict, Conflicts, Desired, ExistingCheck, FailoverBound, FailoverPair, FailoverRole,
    FailoverTargets, FailoverTiming, FindZoneError, HostedZone, Protection, RecordSet, RecordTarget, RecordToDelete,
    Routing, UnknownWebsiteZone, ValidationRecordUse, ZoneChoiceError, ZoneId, ZoneRecords, choose_hosted_zone,
    cloudfront_alias_zone, website_alias_zone,
};
