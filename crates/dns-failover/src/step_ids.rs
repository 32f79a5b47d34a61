//! The ids of all steps that this crate plans, for callers that order them relative to the steps of other crates.

use twinsite_core::{Domain, Host, ResourceId, StepId};

use crate::model::{CheckPurpose, ZoneId};

/// Changes the site's records, so that DNS points to the distribution.
pub const RECORDS: &str = "dns/records";
/// Writes or deletes the validation record of the certificate.
pub const VALIDATION_RECORD: &str = "dns/certificate-record";

/// Changes the records of a failover pair.
pub fn failover_pair(name: &Host) -> StepId {
    StepId::new(format!("{RECORDS}/{name}"))
}

/// Changes the records of an alias.
pub fn alias_records(alias: &Domain) -> StepId {
    StepId::new(format!("{RECORDS}/{alias}"))
}

/// Writes or deletes validation records in a hosted zone that is not the site's own: names of another zone.
pub fn alias_validation_record(zone: &ZoneId) -> StepId {
    StepId::new(format!("{VALIDATION_RECORD}/{zone}"))
}

/// Deletes the validation record of a former alias.
pub fn former_validation_record(alias: &Domain) -> StepId {
    StepId::new(format!("{VALIDATION_RECORD}/{alias}"))
}

/// Deletes the records of an alias in a hosted zone that is not the one in use.
pub fn other_alias_records(alias: &Domain, zone: &ZoneId) -> StepId {
    StepId::new(format!("{RECORDS}/{zone}/{alias}"))
}

/// Deletes the site's records in a hosted zone that is not the one in use.
pub fn other_records(zone: &ZoneId) -> StepId {
    StepId::new(format!("{RECORDS}/{zone}"))
}

/// Creates or updates a health check. Creation outputs its id.
pub fn check(purpose: CheckPurpose) -> StepId {
    StepId::new(format!("health/{purpose}"))
}

/// Deletes a health check.
pub fn check_deletion(purpose: CheckPurpose, id: &ResourceId) -> StepId {
    StepId::new(format!("health/{purpose}/{id}"))
}

#[cfg(feature = "alerts")]
pub use alerts::{alarm, subscription, topic};

#[cfg(feature = "alerts")]
mod alerts {
    use twinsite_core::{Region, StepId};

    /// Creates or deletes the SNS topic of a region.
    pub fn topic(region: &Region) -> StepId {
        StepId::new(format!("notice/{region}/topic"))
    }

    /// Subscribes or unsubscribes an email address.
    pub fn subscription(region: &Region, email: &str) -> StepId {
        StepId::new(format!("notice/{region}/email/{email}"))
    }

    /// Creates, updates or deletes a CloudWatch alarm.
    pub fn alarm(region: &Region, name: &str) -> StepId {
        StepId::new(format!("notice/{region}/alarm/{name}"))
    }
}
