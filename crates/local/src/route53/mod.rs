//! Route 53's control plane: hosted zones, record sets, health checks, tags and changes.

mod check;
mod health;
mod model;
mod permissions;
mod value;
mod wire;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::context::{Now, ServiceError, Tags, change_tags};
pub use check::HealthCheck;
pub use health::{Health, Observation, REGIONS, configs_by_id};
pub use model::{Alias, Change, ChangeAction, CheckConfig, CheckRegions, Children, RecordSet, Value, Values};
pub(crate) use permissions::permissions;
pub(crate) use value::rdata;
pub(crate) use wire::{answer, operation};
pub use zone::{CLOUDFRONT_ZONE, Protection, Zone, normalize};

fn no_such_zone(id: &str) -> ServiceError {
    ServiceError::new("NoSuchHostedZone", 404, format!("No hosted zone found with ID: {id}"))
}

fn no_such_check(id: &str) -> ServiceError {
    ServiceError::new("NoSuchHealthCheck", 404, format!("A health check with id {id} does not exist."))
}

fn check_exists() -> ServiceError {
    let message = "The health check with this caller reference was created with other settings, or was deleted.";
    ServiceError::new("HealthCheckAlreadyExists", 409, message)
}

fn invalid_input(message: impl Into<String>) -> ServiceError {
    ServiceError::invalid("InvalidInput", message)
}

/// A submitted change batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubmittedChange {
    /// Its id.
    pub id: String,
    /// When it was submitted.
    pub at: SystemTime,
    /// When all name servers have applied it.
    pub insync: SystemTime,
}

impl SubmittedChange {
    /// `PENDING` or `INSYNC`, as of `now`.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.insync { "PENDING" } else { "INSYNC" }
    }
}

/// A resource that can have tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaggedResource {
    /// A hosted zone.
    HostedZone,
    /// A health check.
    HealthCheck,
}

impl TaggedResource {
    /// The key under which the tags of a resource are stored.
    fn key(self, id: &str) -> String {
        match self {
            Self::HostedZone => format!("hostedzone/{id}"),
            Self::HealthCheck => format!("healthcheck/{id}"),
        }
    }
}

/// The state of Route 53.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route53 {
    zones: BTreeMap<String, Zone>,
    checks: BTreeMap<String, HealthCheck>,
    changes: BTreeMap<String, SubmittedChange>,
    tags: BTreeMap<String, Tags>,
    /// Caller references of deleted health checks.
    retired: BTreeSet<String>,
    counter: u64,
}

impl Route53 {
    fn next_id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}{:012}", self.counter)
    }

    fn submit(&mut self, now: Now) -> SubmittedChange {
        let submitted = SubmittedChange { id: self.next_id("C"), at: now.time, insync: now.time + now.delays.records };
        self.changes.insert(submitted.id.clone(), submitted.clone());
        submitted
    }

    /// Creates a public hosted zone.
    pub fn create_zone(
        &mut self,
        name: &str,
        reference: &str,
        now: Now,
    ) -> Result<(Zone, SubmittedChange), ServiceError> {
        if self.zones.values().any(|zone| zone.caller_reference == reference) {
            return Err(ServiceError::new(
                "HostedZoneAlreadyExists",
                409,
                "A hosted zone has already been created with the specified caller reference.",
            ));
        }
        let zone = Zone::new(self.next_id("Z"), name, reference.to_owned());
        self.zones.insert(zone.id.clone(), zone.clone());
        Ok((zone, self.submit(now)))
    }

    /// Deletes a hosted zone that has only its SOA and NS record sets, and no protections.
    pub fn delete_zone(&mut self, id: &str, now: Now) -> Result<SubmittedChange, ServiceError> {
        if !self.zone(id)?.is_bare() || !self.zone(id)?.protections().is_empty() {
            return Err(ServiceError::invalid(
                "HostedZoneNotEmpty",
                "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
            ));
        }
        self.zones.remove(id);
        self.tags.remove(&TaggedResource::HostedZone.key(id));
        Ok(self.submit(now))
    }

    /// A hosted zone by id.
    pub fn zone(&self, id: &str) -> Result<&Zone, ServiceError> {
        self.zones.get(id).ok_or_else(|| no_such_zone(id))
    }

    /// All hosted zones, ordered by id.
    pub fn zones(&self) -> impl Iterator<Item = &Zone> {
        self.zones.values()
    }

    /// Applies a change batch, all or nothing.
    pub fn change_records(
        &mut self,
        zone: &str,
        changes: Vec<Change>,
        now: Now,
    ) -> Result<SubmittedChange, ServiceError> {
        let before = self.zone(zone)?;
        let named = changes.iter().filter(|change| change.action != ChangeAction::Delete);
        let mut checks = named.filter_map(|change| change.resource_record_set.health_check_id.as_ref());
        if let Some(unknown) = checks.find(|id| !self.checks.contains_key(*id)) {
            return Err(no_such_check(unknown));
        }
        let after = before
            .changed(changes)
            .map_err(|errors| ServiceError::invalid("InvalidChangeBatch", format!("[{}]", errors.join(", "))))?;
        self.zones.insert(zone.to_owned(), after);
        Ok(self.submit(now))
    }

    /// Protects record sets of a zone from changes.
    pub fn protect(&mut self, zone: &str, added: Vec<Protection>) -> Result<(), ServiceError> {
        let zone = self.zones.get_mut(zone).ok_or_else(|| no_such_zone(zone))?;
        zone.protect(added).map_err(|existing| {
            let message = format!("A protection already exists for {}", existing.record_name);
            ServiceError::new("ProtectionAlreadyExists", 409, message)
        })
    }

    /// Removes protections, all or none.
    pub fn unprotect(&mut self, zone: &str, removed: &[Protection]) -> Result<(), ServiceError> {
        let zone = self.zones.get_mut(zone).ok_or_else(|| no_such_zone(zone))?;
        zone.unprotect(removed).map_err(|name| {
            let message = format!("No protection exists for {name}");
            ServiceError::invalid("InvalidResourceRecordSetProtectionBatch", message)
        })
    }

    /// A submitted change by id.
    pub fn change(&self, id: &str) -> Result<&SubmittedChange, ServiceError> {
        self.changes
            .get(id)
            .ok_or_else(|| ServiceError::new("NoSuchChange", 404, format!("Could not find resource with ID: {id}")))
    }

    /// Creates a health check, or returns the one created with the same caller reference and settings.
    pub fn create_check(&mut self, reference: &str, config: CheckConfig) -> Result<HealthCheck, ServiceError> {
        if reference.len() > 64 {
            return Err(invalid_input("CallerReference has more than 64 characters"));
        }
        let config = check::complete(config, |id| self.checks.contains_key(id)).map_err(invalid_input)?;
        if let Some(existing) = self.checks.values().find(|check| check.caller_reference == reference) {
            let same = existing.config == config;
            return if same { Ok(existing.clone()) } else { Err(check_exists()) };
        }
        if self.retired.contains(reference) {
            return Err(check_exists());
        }
        let check = HealthCheck { id: self.next_id("hc-"), caller_reference: reference.to_owned(), config, version: 1 };
        self.checks.insert(check.id.clone(), check.clone());
        Ok(check)
    }

    /// Updates a health check. Fails when `version` is given and is not the current one.
    pub fn update_check(
        &mut self,
        id: &str,
        version: Option<u64>,
        sent: CheckConfig,
    ) -> Result<HealthCheck, ServiceError> {
        let mut check = self.check(id)?.clone();
        if version.is_some_and(|version| version != check.version) {
            return Err(ServiceError::new(
                "HealthCheckVersionMismatch",
                409,
                "The value of HealthCheckVersion in the request doesn't match that of the health check.",
            ));
        }
        check.update(sent);
        check.config = check::complete(check.config, |id| self.checks.contains_key(id)).map_err(invalid_input)?;
        self.checks.insert(id.to_owned(), check.clone());
        Ok(check)
    }

    /// Deletes a health check. Its caller reference cannot be reused.
    pub fn delete_check(&mut self, id: &str) -> Result<(), ServiceError> {
        let check = self.checks.remove(id).ok_or_else(|| no_such_check(id))?;
        self.retired.insert(check.caller_reference);
        self.tags.remove(&TaggedResource::HealthCheck.key(id));
        Ok(())
    }

    /// A health check by id.
    pub fn check(&self, id: &str) -> Result<&HealthCheck, ServiceError> {
        self.checks.get(id).ok_or_else(|| no_such_check(id))
    }

    /// All health checks, ordered by id.
    pub fn checks(&self) -> impl Iterator<Item = &HealthCheck> {
        self.checks.values()
    }

    /// The tags of a resource.
    pub fn tags(&self, kind: TaggedResource, id: &str) -> Result<Tags, ServiceError> {
        self.check_exists(kind, id)?;
        Ok(self.tags.get(&kind.key(id)).cloned().unwrap_or_default())
    }

    /// Adds or replaces tags of a resource, and removes others.
    pub fn change_tags(
        &mut self,
        kind: TaggedResource,
        id: &str,
        added: impl IntoIterator<Item = (String, String)>,
        removed: &[String],
    ) -> Result<(), ServiceError> {
        self.check_exists(kind, id)?;
        change_tags(self.tags.entry(kind.key(id)).or_default(), added, removed);
        Ok(())
    }

    fn check_exists(&self, kind: TaggedResource, id: &str) -> Result<(), ServiceError> {
        match kind {
            TaggedResource::HostedZone => self.zone(id).map(drop),
            TaggedResource::HealthCheck => self.check(id).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Delays;

    fn http(name: &str) -> CheckConfig {
        let name = Some(name.to_owned());
        CheckConfig { r#type: "HTTP".into(), fully_qualified_domain_name: name, ..CheckConfig::default() }
    }

    #[test]
    fn the_same_reference_and_settings_give_the_same_check() {
        let mut service = Route53::default();
        let first = service.create_check("r1", http("a.example.com")).unwrap();
        assert_eq!(service.create_check("r1", http("a.example.com")), Ok(first.clone()));
        assert_eq!(service.create_check("r1", http("b.example.com")), Err(check_exists()));
        service.delete_check(&first.id).unwrap();
        assert_eq!(service.create_check("r1", http("a.example.com")), Err(check_exists()));
    }

    #[test]
    fn a_record_cannot_name_a_check_that_does_not_exist() {
        let mut service = Route53::default();
        let now = Now { time: SystemTime::UNIX_EPOCH, delays: Delays::BRIEF };
        let (zone, _) = service.create_zone("example.com", "r", now).unwrap();
        let set = RecordSet { health_check_id: Some("none".into()), ..RecordSet::default() };
        let change = Change { action: ChangeAction::Create, resource_record_set: set };
        let refused = service.change_records(&zone.id, vec![change], now);
        assert_eq!(refused, Err(no_such_check("none")));
    }

    #[test]
    fn a_change_is_pending_until_the_name_servers_have_it() {
        let mut service = Route53::default();
        let now = Now { time: SystemTime::UNIX_EPOCH, delays: Delays::BRIEF };
        let (zone, change) = service.create_zone("example.com", "r", now).unwrap();
        assert_eq!(change.status(now.time), "PENDING");
        assert_eq!(service.change(&change.id).unwrap().status(now.time + Delays::BRIEF.records), "INSYNC");
        service.delete_zone(&zone.id, now).unwrap();
        assert!(service.zone(&zone.id).is_err());
    }
}
