//! The steps for record sets.

use std::collections::BTreeMap;
use std::fmt::Display;

use twinsite_core::{
    Action, Deferred, Domain, Field, Host, Pair, Reason, ResourceId, Side, Step, StepId, ValidationRecord,
};

use crate::model::{
    Actual, ActualRecordSet, AliasRecords, AliasTarget, AliasTypes, Change, CheckPurpose, Conflict, Conflicts, Desired,
    FailoverPair, FailoverRole, FailoverTargets, RecordSet, RecordTarget, RecordToDelete, Routing, UnknownWebsiteZone,
    ValidationRecordUse, ZoneId, ZoneRecords, cloudfront_alias_zone, normalized_name, website_alias_zone,
};
use crate::step_ids;

/// The record types that hold the addresses of a name. Existing ones are replaced.
const ADDRESS_TYPES: [&str; 3] = ["A", "AAAA", "CNAME"];

/// The steps for the records of a site: of its domain, its aliases and the names that were aliases.
pub(crate) fn site_steps(
    desired: &Desired,
    actual: &Actual,
    check: impl Fn(CheckPurpose) -> Option<Deferred<ResourceId>>,
) -> Result<Vec<Step<Change>>, Conflicts> {
    let (mut steps, mut conflicts) = (Vec::new(), Vec::new());
    let mut zones: Vec<NamedZone<'_>> = vec![NamedZone { name: &desired.site.domain, zone: &actual.zone }];
    for AliasRecords { name, zone, other_zones: _ } in &actual.aliases {
        let is_former = desired.former_aliases.contains(name);
        match zone {
            Ok(zone) if is_former => steps.extend(former_steps(desired, NamedZone { name, zone })),
            Ok(zone) => zones.push(NamedZone { name, zone }),
            // Without a zone, there are no records to delete.
            Err(_) if is_former => {}
            Err(conflict) => conflicts.push(conflict.clone()),
        }
    }
    for named in &zones {
        let is_canonical = *named.name == desired.site.domain;
        let id = if is_canonical { step_ids::RECORDS.into() } else { step_ids::alias_records(named.name) };
        let sets = record_sets(desired, *named, &check).map_err(Conflict::from);
        match sets.and_then(|sets| records_step(id, &Host::from(named.name), named.zone, &sets)) {
            Ok(step) => steps.extend(step),
            Err(conflict) => conflicts.push(conflict),
        }
    }
    steps.extend(validation_record_steps(desired, &actual.zone.id, &zones));
    let protected = zones.iter().filter_map(|named| fail_if_protected(named.zone, &steps).err());
    conflicts.extend(protected.flat_map(|conflicts| conflicts.0));
    if conflicts.is_empty() { Ok(steps) } else { Err(Conflicts(conflicts)) }
}

/// A name of the site, and its records.
#[derive(Clone, Copy)]
pub(crate) struct NamedZone<'a> {
    name: &'a Domain,
    zone: &'a ZoneRecords,
}

/// The desired record sets of a name.
fn record_sets(
    desired: &Desired,
    named: NamedZone<'_>,
    check: impl Fn(CheckPurpose) -> Option<Deferred<ResourceId>>,
) -> Result<Vec<RecordSet>, UnknownWebsiteZone> {
    if desired.has_dns_failover() {
        let checks = Pair::new(check(CheckPurpose::Serving), check(CheckPurpose::Backup));
        let targets = failover_targets(desired, named)?;
        return Ok(FailoverPair { name: Host::from(named.name), targets, checks }.record_sets());
    }
    let target = AliasTarget::new(desired.distribution_host.clone(), cloudfront_alias_zone());
    let target = RecordTarget::Alias(target);
    let set = |r#type| RecordSet { r#type, target: target.clone(), failover: None, check: None };
    Ok(["A", "AAAA"].map(set).to_vec())
}

/// The distribution, and the website endpoint of the bucket that bears the name: the backup bucket, or the redirect bucket of an alias.
fn failover_targets(desired: &Desired, named: NamedZone<'_>) -> Result<FailoverTargets, UnknownWebsiteZone> {
    let NamedZone { name, zone } = named;
    let (site, distribution) = (&desired.site, desired.distribution_host.clone());
    let region = site.regions.get(Side::Backup);
    if name.as_str() != zone.name {
        let backup = Deferred::Known(Host::domain_website(name, region));
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

/// The steps that write the validation records, one for each hosted zone.
fn validation_record_steps(desired: &Desired, own_zone: &ZoneId, zones: &[NamedZone<'_>]) -> Vec<Step<Change>> {
    let Some(records) = &desired.validation_records else { return Vec::new() };
    let mut missing: BTreeMap<&ZoneId, (Vec<Domain>, BTreeMap<String, String>)> = BTreeMap::new();
    for NamedZone { name, zone } in zones {
        let mut found = None;
        if let Deferred::Known(known) = records {
            let Some(ValidationRecord { name, value }) = known.get(name.as_str()) else { continue };
            found = zone.validation_values.get_key_value(&normalized_name(name));
            if found.is_some_and(|(_, actual)| normalized_name(actual) == normalized_name(value)) {
                continue;
            }
        }
        let (names, values) = missing.entry(&zone.id).or_default();
        names.push((*name).clone());
        values.extend(found.map(|(name, value)| (name.clone(), value.clone())));
    }
    let steps = missing.into_iter().map(|(zone, (names, actual))| {
        let (action, reason) =
            if actual.is_empty() { (Action::Create, Reason::Absent) } else { (Action::Update, Reason::Drifted) };
        let change = Change::PutValidationRecords { zone: zone.clone(), names, records: records.clone(), actual };
        Step::new(validation_step_id(own_zone, zone), action, reason, change)
    });
    steps.collect()
}

fn validation_step_id(own_zone: &ZoneId, zone: &ZoneId) -> StepId {
    if own_zone == zone { step_ids::VALIDATION_RECORD.into() } else { step_ids::alias_validation_record(zone) }
}

/// Whether a zone has a validation record with its value.
fn has_validation_record(zone: &ZoneRecords, record: &ValidationRecord) -> bool {
    let actual = zone.validation_values.get(&normalized_name(&record.name));
    actual.is_some_and(|actual| normalized_name(actual) == normalized_name(&record.value))
}

/// The steps that delete the records of a name that was an alias.
fn former_steps(desired: &Desired, named: NamedZone<'_>) -> Vec<Step<Change>> {
    let NamedZone { name, zone } = named;
    let mut steps = Vec::from_iter(site_records_deletion(desired, named, Reason::Unwanted));
    let records = desired.former_validation_records.iter().filter(|former| former.alias == *name);
    let records = records.map(|former| former.record.clone()).filter(|record| has_validation_record(zone, record));
    let records: Vec<ValidationRecord> = records.collect();
    if !records.is_empty() {
        let change = Change::DeleteValidationRecords { zone: zone.id.clone(), records };
        steps.push(Step::new(step_ids::former_validation_record(name), Action::Delete, Reason::Unwanted, change));
    }
    steps
}

/// The step that deletes the site's records of a name. Records with simple routing have no set identifier: they are the site's if they are
/// aliases of its distribution. Failover records are not, if their primary is that of another site, which has taken the name since.
fn site_records_deletion(desired: &Desired, named: NamedZone<'_>, reason: Reason) -> Option<Step<Change>> {
    let NamedZone { name, zone } = named;
    let is_canonical = *name == desired.site.domain;
    let distribution = match &desired.distribution_host {
        Deferred::Known(host) => Some(host.as_str()),
        Deferred::After(_) => None,
    };
    let is_primary = |set: &&ActualRecordSet| set.identifier.as_deref() == Some(FailoverRole::Primary.set_identifier());
    let leads_elsewhere = |set: &ActualRecordSet| distribution.is_some_and(|host| !set.properties.contains(host));
    let is_others = !is_canonical && zone.sets.iter().filter(is_primary).any(leads_elsewhere);
    let belongs_to_site = |set: &ActualRecordSet| match &set.identifier {
        Some(identifier) => FailoverRole::has_set_identifier(identifier) && !is_others,
        None => set.alias_host.is_some() && set.alias_host.as_deref() == distribution,
    };
    let id = if is_canonical { step_ids::RECORDS.into() } else { step_ids::alias_records(name) };
    deletion_step(id, &Host::from(name), zone, reason, belongs_to_site)
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
            Change::PutValidationRecords { names, records: Deferred::Known(records), .. } => {
                let mut changed = names.iter().filter_map(|name| records.get(name.as_str()));
                r#type == "CNAME" && changed.any(|record| normalized_name(&record.name) == name)
            }
            Change::DeleteValidationRecords { records, .. } => {
                r#type == "CNAME" && records.iter().any(|record| normalized_name(&record.name) == name)
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
pub(crate) fn other_zone_steps(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let reason = || Reason::Asked("destroy".to_owned());
    let name = Host::from(&desired.site.domain);
    let own = actual.other_zones.iter();
    let own = own.filter_map(|zone| deletion_step(step_ids::other_records(&zone.id), &name, zone, reason(), |_| true));
    let mut steps: Vec<Step<Change>> = own.collect();
    for AliasRecords { name, zone: _, other_zones } in &actual.aliases {
        let host = Host::from(name);
        let id = |zone: &ZoneRecords| step_ids::other_alias_records(name, &zone.id);
        steps.extend(other_zones.iter().filter_map(|zone| deletion_step(id(zone), &host, zone, reason(), |_| true)));
    }
    steps
}

/// The steps that delete the records of a site.
///
/// # Errors
/// [`Conflicts`] if record sets are protected.
pub(crate) fn site_destruction_steps(
    desired: &Desired,
    actual: &Actual,
    validation_records: &ValidationRecordUse,
) -> Result<Vec<Step<Change>>, Conflicts> {
    let reason = || Reason::Asked("destroy".to_owned());
    let mut zones: Vec<NamedZone<'_>> = vec![NamedZone { name: &desired.site.domain, zone: &actual.zone }];
    let aliases = actual.aliases.iter().filter_map(|alias| Some((&alias.name, alias.zone.as_ref().ok()?)));
    zones.extend(aliases.map(|(name, zone)| NamedZone { name, zone }));
    let mut steps: Vec<Step<Change>> =
        zones.iter().filter_map(|named| site_records_deletion(desired, *named, reason())).collect();
    let mut unused: BTreeMap<&ZoneId, Vec<ValidationRecord>> = BTreeMap::new();
    for NamedZone { name, zone } in &zones {
        let record = desired.validation_record_of(name).filter(|record| has_validation_record(zone, record));
        if let Some(record) = record.filter(|record| !validation_records.is_shared(record)) {
            unused.entry(&zone.id).or_default().push(record.clone());
        }
    }
    steps.extend(unused.into_iter().map(|(zone, records)| {
        let change = Change::DeleteValidationRecords { zone: zone.clone(), records };
        Step::new(validation_step_id(&actual.zone.id, zone), Action::Delete, reason(), change)
    }));
    let protected = zones.iter().filter_map(|named| fail_if_protected(named.zone, &steps).err());
    let protected: Vec<Conflict> = protected.flat_map(|conflicts| conflicts.0).collect();
    if protected.is_empty() { Ok(steps) } else { Err(Conflicts(protected)) }
}
