//! The steps for record sets.

use std::fmt::Display;

use twinsite_core::{Action, Deferred, Field, Host, Pair, Reason, ResourceId, Side, Step, StepId, ValidationRecord};

use crate::model::{
    ActualRecordSet, AliasTarget, AliasTypes, Change, CheckPurpose, Conflict, Conflicts, Desired, FailoverPair,
    FailoverRole, FailoverTargets, RecordSet, RecordTarget, RecordToDelete, Routing, UnknownWebsiteZone,
    ValidationRecordUse, ZoneRecords, cloudfront_alias_zone, normalized_name, website_alias_zone,
};
use crate::step_ids;

/// The record types that hold the addresses of a name. Existing ones are replaced.
const ADDRESS_TYPES: [&str; 3] = ["A", "AAAA", "CNAME"];

/// The steps for the records of a site.
pub(crate) fn site_steps(
    desired: &Desired,
    zone: &ZoneRecords,
    check: impl Fn(CheckPurpose) -> Option<Deferred<ResourceId>>,
) -> Result<Vec<Step<Change>>, Conflict> {
    let name = Host::from(&desired.site.domain);
    let sets = if desired.has_dns_failover() {
        let checks = Pair::new(check(CheckPurpose::Serving), check(CheckPurpose::Backup));
        let targets = failover_targets(desired, zone)?;
        FailoverPair { name: name.clone(), targets, checks }.record_sets()
    } else {
        let target = AliasTarget::new(desired.distribution_host.clone(), cloudfront_alias_zone());
        let target = RecordTarget::Alias(target);
        ["A", "AAAA"].map(|r#type| RecordSet { r#type, target: target.clone(), failover: None, check: None }).to_vec()
    };
    let mut steps = Vec::from_iter(validation_record_step(desired, zone));
    steps.extend(records_step(step_ids::RECORDS.into(), &name, zone, &sets)?);
    Ok(steps)
}

/// The distribution, and the website endpoint of the backup bucket.
fn failover_targets(desired: &Desired, zone: &ZoneRecords) -> Result<FailoverTargets, UnknownWebsiteZone> {
    let (site, distribution) = (&desired.site, desired.distribution_host.clone());
    let region = site.regions.get(Side::Backup);
    if let Some(standby) = &desired.standby {
        let targets = Pair::new(AliasTarget::new(distribution, cloudfront_alias_zone()), standby.clone());
        return Ok(FailoverTargets::Alias { targets, types: AliasTypes::AAndAaaa });
    }
    if site.domain.as_str() != zone.name {
        let backup = Deferred::Known(Host::bucket_website(site.buckets.get(Side::Backup), region));
        return Ok(FailoverTargets::Cname { hosts: Pair::new(distribution, backup), ttl: desired.timing.ttl });
    }
    // The host of an alias target is the region's. S3 finds the bucket by the name of the record.
    let backup = Deferred::Known(Host::website(region));
    let targets = Pair::new(
        AliasTarget::new(distribution, cloudfront_alias_zone()),
        AliasTarget::new(backup, website_alias_zone(region, &desired.website_zones)?),
    );
    // Website endpoints have no IPv6. An AAAA record of the distribution alone would not fail over.
    Ok(FailoverTargets::Alias { targets, types: AliasTypes::A })
}

/// The step that brings the records of a name into the desired state; `None` if they are.
pub(crate) fn records_step(
    id: StepId,
    name: &Host,
    zone: &ZoneRecords,
    desired: &[RecordSet],
) -> Result<Option<Step<Change>>, Conflict> {
    fail_if_in_conflict(name, zone, desired)?;
    let is_up_to_date = |actual: &ActualRecordSet| {
        desired.iter().any(|set| replaces(set, actual) && actual.properties == set.to_string())
    };
    let addresses = || zone.sets.iter().filter(|set| ADDRESS_TYPES.contains(&set.r#type.as_str()));
    let outdated: Vec<&ActualRecordSet> = addresses().filter(|set| !is_up_to_date(set)).collect();
    let up_to_date = |set: &RecordSet| addresses().any(|actual| replaces(set, actual) && is_up_to_date(actual));
    let upsert: Vec<RecordSet> = desired.iter().filter(|set| !up_to_date(set)).cloned().collect();
    if outdated.is_empty() && upsert.is_empty() {
        return Ok(None);
    }
    let mut fields: Vec<Field> = Vec::new();
    for set in &upsert {
        let actual = outdated.iter().find(|actual| replaces(set, actual)).map(|actual| actual.properties.clone());
        let identifier = set.failover.map(FailoverRole::set_identifier);
        fields.push(Field { name: label(set.r#type, identifier), actual, desired: Some(set.to_string()) });
    }
    // Sets that no upsert replaces, of another type or routing policy, exclude the new ones: they go in the same batch.
    let obsolete: Vec<&ActualRecordSet> =
        outdated.into_iter().filter(|actual| !upsert.iter().any(|set| replaces(set, actual))).collect();
    fields.extend(obsolete.iter().map(|set| removal(set)));
    let (action, reason) = match addresses().next() {
        Some(_) => (Action::Update, Reason::Drifted),
        None => (Action::Create, Reason::Absent),
    };
    let delete = obsolete.into_iter().map(record_to_delete).collect();
    let change = Change::ChangeRecords { zone: zone.id.clone(), name: name.clone(), delete, upsert, fields };
    Ok(Some(Step::new(id, action, reason, change)))
}

/// The step that deletes the selected record sets of a name; `None` if there are none.
pub(crate) fn deletion_step(
    id: StepId,
    name: &Host,
    zone: &ZoneRecords,
    reason: Reason,
    selects: impl Fn(&ActualRecordSet) -> bool,
) -> Option<Step<Change>> {
    let selected: Vec<&ActualRecordSet> = zone.sets.iter().filter(|set| selects(set)).collect();
    if selected.is_empty() {
        return None;
    }
    let fields = selected.iter().map(|set| removal(set)).collect();
    let delete = selected.into_iter().map(record_to_delete).collect();
    let (zone, name) = (zone.id.clone(), name.clone());
    let change = Change::ChangeRecords { zone, name, delete, upsert: Vec::new(), fields };
    Some(Step::new(id, Action::Delete, reason, change))
}

fn validation_record_step(desired: &Desired, zone: &ZoneRecords) -> Option<Step<Change>> {
    let record = desired.validation_record.clone()?;
    let actual = match &record {
        Deferred::Known(ValidationRecord { name, value }) => {
            let actual = zone.validation_values.get(&normalized_name(name));
            if actual.is_some_and(|actual| normalized_name(actual) == normalized_name(value)) {
                return None;
            }
            actual.cloned()
        }
        Deferred::After(_) => None,
    };
    let (action, reason) =
        if actual.is_some() { (Action::Update, Reason::Drifted) } else { (Action::Create, Reason::Absent) };
    let change = Change::PutValidationRecord { zone: zone.id.clone(), record, actual };
    Some(Step::new(step_ids::VALIDATION_RECORD, action, reason, change))
}

/// True if an upsert of a desired record set replaces the actual one.
fn replaces(desired: &RecordSet, actual: &ActualRecordSet) -> bool {
    let identifier = desired.failover.map(FailoverRole::set_identifier);
    actual.r#type == desired.r#type && actual.identifier.as_deref() == identifier
}

/// The name of a record set in a plan: `CNAME twinsite-primary`.
fn label(r#type: impl Display, identifier: Option<&str>) -> String {
    identifier.map_or_else(|| r#type.to_string(), |identifier| format!("{type} {identifier}"))
}

fn removal(set: &ActualRecordSet) -> Field {
    Field::unset(label(&set.r#type, set.identifier.as_deref()), set.properties.clone())
}

fn record_to_delete(set: &ActualRecordSet) -> RecordToDelete {
    RecordToDelete { r#type: set.r#type.clone(), identifier: set.identifier.clone() }
}

/// Fails if other record sets of the name exclude the desired ones and may not be replaced.
fn fail_if_in_conflict(name: &Host, zone: &ZoneRecords, desired: &[RecordSet]) -> Result<(), Conflict> {
    if let Some(delegated) = &zone.delegated {
        let (name, zone) = (name.clone(), zone.id.clone());
        return Err(Conflict::Delegated { name, zone, delegated: delegated.clone() });
    }
    let needs_cname = desired.iter().any(|set| set.r#type == "CNAME");
    let mut beside_cname = None;
    for set in &zone.sets {
        let managed = set.identifier.as_deref().is_some_and(FailoverRole::has_set_identifier);
        if !ADDRESS_TYPES.contains(&set.r#type.as_str()) {
            beside_cname = beside_cname.or(Some(&set.r#type)).filter(|_| needs_cname);
        } else if set.routing != Routing::Simple && !managed {
            let set = format!("{}: {}", label(&set.r#type, set.identifier.as_deref()), set.properties);
            return Err(Conflict::OtherRouting { name: name.clone(), set });
        }
    }
    beside_cname.map_or(Ok(()), |r#type| Err(Conflict::BesideCname { name: name.clone(), r#type: r#type.clone() }))
}

/// Fails if the steps would change protected record sets.
pub(crate) fn fail_if_protected(zone: &ZoneRecords, steps: &[Step<Change>]) -> Result<(), Conflicts> {
    let is_changed = |name: &str, r#type: &str| {
        steps.iter().any(|step| match &step.change {
            Change::ChangeRecords { name: changed, delete, upsert, .. } => {
                let deleted = delete.iter().any(|record| record.r#type == r#type);
                changed.as_str() == name && (deleted || upsert.iter().any(|set| set.r#type == r#type))
            }
            Change::PutValidationRecord { record: Deferred::Known(record), .. }
            | Change::DeleteValidationRecord { record, .. } => {
                r#type == "CNAME" && normalized_name(&record.name) == name
            }
            _ => false,
        })
    };
    let violated = zone.protections.iter().filter(|protection| is_changed(&protection.name, &protection.r#type));
    let conflict =
        violated.map(|protection| Conflict::Protected { zone: zone.id.clone(), protection: protection.clone() });
    let conflicts: Vec<Conflict> = conflict.collect();
    if conflicts.is_empty() { Ok(()) } else { Err(Conflicts(conflicts)) }
}

/// The steps that delete the site's records in zones that another one took the place of: they would lead to a bucket whose name is free.
pub(crate) fn other_zone_steps(desired: &Desired, zones: &[ZoneRecords]) -> Vec<Step<Change>> {
    let name = Host::from(&desired.site.domain);
    let reason = || Reason::Asked("destroy".to_owned());
    zones
        .iter()
        .filter_map(|zone| deletion_step(step_ids::other_records(&zone.id), &name, zone, reason(), |_| true))
        .collect()
}

/// The steps that delete the records of a site.
pub(crate) fn site_destruction_steps(
    desired: &Desired,
    zone: &ZoneRecords,
    validation_record: ValidationRecordUse,
) -> Vec<Step<Change>> {
    let reason = || Reason::Asked("destroy".to_owned());
    // Records with simple routing have no set identifier: they are the site's if they are aliases of its distribution.
    let distribution = match &desired.distribution_host {
        Deferred::Known(host) => Some(host.as_str()),
        Deferred::After(_) => None,
    };
    let belongs_to_site = |set: &ActualRecordSet| match &set.identifier {
        Some(identifier) => FailoverRole::has_set_identifier(identifier),
        None => set.alias_host.is_some() && set.alias_host.as_deref() == distribution,
    };
    let name = Host::from(&desired.site.domain);
    let mut steps = Vec::from_iter(deletion_step(step_ids::RECORDS.into(), &name, zone, reason(), belongs_to_site));
    if let Some(Deferred::Known(record)) = &desired.validation_record {
        let actual = zone.validation_values.get(&normalized_name(&record.name));
        let unchanged = actual.is_some_and(|actual| normalized_name(actual) == normalized_name(&record.value));
        if unchanged && validation_record == ValidationRecordUse::Exclusive {
            let change = Change::DeleteValidationRecord { zone: zone.id.clone(), record: record.clone() };
            steps.push(Step::new(step_ids::VALIDATION_RECORD, Action::Delete, reason(), change));
        }
    }
    steps
}
