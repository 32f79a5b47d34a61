//! Route 53's control plane: hosted zones, their record sets, health checks, tags and changes.

mod check;
mod health;
mod model;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Moment;
pub use check::Check;
pub use health::{Health, REGIONS, Sight, by_id};
pub use model::{Alias, Change, ChangeAction, CheckConfig, CheckRegions, Children, RecordSet, Value, Values};
pub use zone::{CLOUDFRONT_ZONE, Protection, Zone, normalise};

/// What Route 53 refuses, with its own error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `NoSuchHostedZone`.
    #[error("No hosted zone found with ID: {0}")]
    NoSuchHostedZone(String),
    /// `NoSuchHealthCheck`.
    #[error("A health check with id {0} does not exist.")]
    NoSuchHealthCheck(String),
    /// `NoSuchChange`.
    #[error("Could not find resource with ID: {0}")]
    NoSuchChange(String),
    /// `HostedZoneAlreadyExists`.
    #[error("A hosted zone has already been created with the specified caller reference.")]
    HostedZoneAlreadyExists,
    /// `HostedZoneNotEmpty`.
    #[error("The specified hosted zone contains non-required resource record sets and so cannot be deleted.")]
    HostedZoneNotEmpty,
    /// `HealthCheckAlreadyExists`.
    #[error("The health check with this caller reference was created with other settings, or was deleted.")]
    HealthCheckAlreadyExists,
    /// `HealthCheckVersionMismatch`.
    #[error("The value of HealthCheckVersion in the request doesn't match that of the health check.")]
    HealthCheckVersionMismatch,
    /// `ProtectionAlreadyExists`.
    #[error("A protection already exists for {0}")]
    ProtectionAlreadyExists(String),
    /// `InvalidResourceRecordSetProtectionBatch`.
    #[error("No protection exists for {0}")]
    InvalidProtectionBatch(String),
    /// The state on disk could not be written.
    #[error("{0}")]
    Disk(String),
    /// `InvalidChangeBatch`, with every reason.
    #[error("[{}]", .0.join(", "))]
    InvalidChangeBatch(Vec<String>),
    /// `InvalidInput`.
    #[error("{0}")]
    InvalidInput(String),
}

impl From<super::Fault> for Fault {
    fn from(fault: super::Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

/// A batch on its way to the name servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its id.
    pub id: String,
    /// When it was accepted.
    pub at: SystemTime,
    /// When all name servers have it.
    pub insync: SystemTime,
}

impl Submitted {
    /// `PENDING` or `INSYNC`, as of `now`.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.insync { "PENDING" } else { "INSYNC" }
    }
}

/// The kind of a tagged resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// A hosted zone.
    HostedZone,
    /// A health check.
    HealthCheck,
}

impl Tagged {
    /// The key of a resource's tags.
    fn key(self, id: &str) -> String {
        match self {
            Self::HostedZone => format!("hostedzone/{id}"),
            Self::HealthCheck => format!("healthcheck/{id}"),
        }
    }
}

/// All state of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route53 {
    zones: BTreeMap<String, Zone>,
    checks: BTreeMap<String, Check>,
    changes: BTreeMap<String, Submitted>,
    tags: BTreeMap<String, BTreeMap<String, String>>,
    retired: BTreeSet<String>,
    counter: u64,
}

impl Route53 {
    fn id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}{:012}", self.counter)
    }

    fn submitted(&mut self, moment: Moment) -> Submitted {
        let submitted = Submitted { id: self.id("C"), at: moment.now, insync: moment.now + moment.delays.records };
        self.changes.insert(submitted.id.clone(), submitted.clone());
        submitted
    }

    /// Creates a public hosted zone.
    pub fn create_zone(&mut self, name: &str, reference: &str, moment: Moment) -> Result<(Zone, Submitted), Fault> {
        if self.zones.values().any(|zone| zone.caller_reference == reference) {
            return Err(Fault::HostedZoneAlreadyExists);
        }
        let zone = Zone::new(self.id("Z"), name, reference.to_owned());
        self.zones.insert(zone.id.clone(), zone.clone());
        Ok((zone, self.submitted(moment)))
    }

    /// Deletes a hosted zone that has no sets of its owner's left.
    pub fn delete_zone(&mut self, id: &str, moment: Moment) -> Result<Submitted, Fault> {
        if !self.zone(id)?.is_bare() || !self.zone(id)?.protections().is_empty() {
            return Err(Fault::HostedZoneNotEmpty);
        }
        self.zones.remove(id);
        self.tags.remove(&Tagged::HostedZone.key(id));
        Ok(self.submitted(moment))
    }

    /// One zone.
    pub fn zone(&self, id: &str) -> Result<&Zone, Fault> {
        self.zones.get(id).ok_or_else(|| Fault::NoSuchHostedZone(id.to_owned()))
    }

    /// All zones by id.
    pub fn zones(&self) -> impl Iterator<Item = &Zone> {
        self.zones.values()
    }

    /// Applies a batch whole or not at all.
    pub fn change_records(&mut self, zone: &str, changes: Vec<Change>, moment: Moment) -> Result<Submitted, Fault> {
        let before = self.zone(zone)?;
        let named = changes.iter().filter(|change| change.action != ChangeAction::Delete);
        let mut checks = named.filter_map(|change| change.resource_record_set.health_check_id.as_ref());
        if let Some(stranger) = checks.find(|id| !self.checks.contains_key(*id)) {
            return Err(Fault::NoSuchHealthCheck(stranger.clone()));
        }
        let after = before.changed(changes).map_err(Fault::InvalidChangeBatch)?;
        self.zones.insert(zone.to_owned(), after);
        Ok(self.submitted(moment))
    }

    /// Protects names and types of a zone.
    pub fn protect(&mut self, zone: &str, added: Vec<Protection>) -> Result<(), Fault> {
        let zone = self.zones.get_mut(zone).ok_or_else(|| Fault::NoSuchHostedZone(zone.to_owned()))?;
        zone.protect(added).map_err(|there| Fault::ProtectionAlreadyExists(there.record_name))
    }

    /// Takes protections of a zone away.
    pub fn unprotect(&mut self, zone: &str, gone: &[(String, String)]) -> Result<(), Fault> {
        let zone = self.zones.get_mut(zone).ok_or_else(|| Fault::NoSuchHostedZone(zone.to_owned()))?;
        zone.unprotect(gone).map_err(Fault::InvalidProtectionBatch)
    }

    /// A change that was submitted.
    pub fn change(&self, id: &str) -> Result<&Submitted, Fault> {
        self.changes.get(id).ok_or_else(|| Fault::NoSuchChange(id.to_owned()))
    }

    /// Creates a health check, or returns the one that was created with the same reference and settings.
    pub fn create_check(&mut self, reference: &str, config: CheckConfig) -> Result<Check, Fault> {
        if reference.len() > 64 {
            return Err(Fault::InvalidInput("CallerReference has more than 64 characters".to_owned()));
        }
        let config = check::checked(config, |id| self.checks.contains_key(id)).map_err(Fault::InvalidInput)?;
        if let Some(there) = self.checks.values().find(|check| check.caller_reference == reference) {
            let same = there.config == config;
            return if same { Ok(there.clone()) } else { Err(Fault::HealthCheckAlreadyExists) };
        }
        if self.retired.contains(reference) {
            return Err(Fault::HealthCheckAlreadyExists);
        }
        let check = Check { id: self.id("hc-"), caller_reference: reference.to_owned(), config, version: 1 };
        self.checks.insert(check.id.clone(), check.clone());
        Ok(check)
    }

    /// Changes a health check; refused when `version` is given and is not the current one.
    pub fn update_check(&mut self, id: &str, version: Option<u64>, sent: CheckConfig) -> Result<Check, Fault> {
        let mut check = self.check(id)?.clone();
        if version.is_some_and(|version| version != check.version) {
            return Err(Fault::HealthCheckVersionMismatch);
        }
        check.update(sent);
        check.config = check::checked(check.config, |id| self.checks.contains_key(id)).map_err(Fault::InvalidInput)?;
        self.checks.insert(id.to_owned(), check.clone());
        Ok(check)
    }

    /// Deletes a health check. Its reference cannot be used again.
    pub fn delete_check(&mut self, id: &str) -> Result<(), Fault> {
        let check = self.checks.remove(id).ok_or_else(|| Fault::NoSuchHealthCheck(id.to_owned()))?;
        self.retired.insert(check.caller_reference);
        self.tags.remove(&Tagged::HealthCheck.key(id));
        Ok(())
    }

    /// One health check.
    pub fn check(&self, id: &str) -> Result<&Check, Fault> {
        self.checks.get(id).ok_or_else(|| Fault::NoSuchHealthCheck(id.to_owned()))
    }

    /// All health checks by id.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// A resource's tags.
    pub fn tags(&self, kind: Tagged, id: &str) -> Result<BTreeMap<String, String>, Fault> {
        self.exists(kind, id)?;
        Ok(self.tags.get(&kind.key(id)).cloned().unwrap_or_default())
    }

    /// Adds and removes tags of a resource.
    pub fn change_tags(
        &mut self,
        (kind, id): (Tagged, &str),
        add: Vec<(String, String)>,
        remove: &[String],
    ) -> Result<(), Fault> {
        self.exists(kind, id)?;
        let tags = self.tags.entry(kind.key(id)).or_default();
        tags.retain(|key, _| !remove.contains(key));
        tags.extend(add);
        Ok(())
    }

    fn exists(&self, kind: Tagged, id: &str) -> Result<(), Fault> {
        match kind {
            Tagged::HostedZone => self.zone(id).map(drop),
            Tagged::HealthCheck => self.check(id).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Delays;

    fn http(name: &str) -> CheckConfig {
        let name = Some(name.to_owned());
        CheckConfig { r#type: "HTTP".into(), fully_qualified_domain_name: name, ..CheckConfig::default() }
    }

    #[test]
    fn the_same_reference_and_settings_give_the_same_check() {
        let mut service = Route53::default();
        let first = service.create_check("r1", http("a.example.com")).unwrap();
        assert_eq!(service.create_check("r1", http("a.example.com")), Ok(first.clone()));
        assert_eq!(service.create_check("r1", http("b.example.com")), Err(Fault::HealthCheckAlreadyExists));
        service.delete_check(&first.id).unwrap();
        assert_eq!(service.create_check("r1", http("a.example.com")), Err(Fault::HealthCheckAlreadyExists));
    }

    #[test]
    fn a_record_cannot_name_a_check_that_does_not_exist() {
        let mut service = Route53::default();
        let now = Moment { now: SystemTime::UNIX_EPOCH, delays: Delays::BRIEF };
        let (zone, _) = service.create_zone("example.com", "r", now).unwrap();
        let set = RecordSet { health_check_id: Some("none".into()), ..RecordSet::default() };
        let change = Change { action: ChangeAction::Create, resource_record_set: set };
        let refused = service.change_records(&zone.id, vec![change], now);
        assert_eq!(refused, Err(Fault::NoSuchHealthCheck("none".into())));
    }

    #[test]
    fn a_change_is_pending_until_the_name_servers_have_it() {
        let mut service = Route53::default();
        let now = Moment { now: SystemTime::UNIX_EPOCH, delays: Delays::BRIEF };
        let (zone, change) = service.create_zone("example.com", "r", now).unwrap();
        assert_eq!(change.status(now.now), "PENDING");
        assert_eq!(service.change(&change.id).unwrap().status(now.now + Delays::BRIEF.records), "INSYNC");
        service.delete_zone(&zone.id, now).unwrap();
        assert!(service.zone(&zone.id).is_err());
    }
}
