//! Operations on hosted zones and record sets.

use aws_sdk_route53::Client;
use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{
    Change as SdkChange, ChangeAction, ChangeStatus, ResourceRecordSet, RrType, TagResourceType,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use twinsite_aws::{AwsError, Kind, UnmodeledOperation, unless_passing};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Host, Outputs, Run, ValidationRecord};

use super::call;
use crate::model::{
    ActualRecordSet, CaaRecords, HostedZone, Protection, RecordSet, RecordToDelete, ZoneId, normalized_name,
};
use crate::wire::{protections, records as wire};

const CHANGE_RECORDS: &str = "ChangeResourceRecordSets";

/// A change that Route 53 has accepted, by its id.
pub(crate) struct SubmittedChange(String);

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZones.html>
pub(crate) async fn list_hosted_zones(client: &Client) -> Result<Vec<HostedZone>, AwsError> {
    const OPERATION: &str = "ListHostedZones";
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let page = call!(OPERATION, "Route 53", client.list_hosted_zones().set_marker(marker))?;
        for zone in page.hosted_zones {
            let zone = wire::hosted_zone(zone);
            all.push(zone.map_err(|invalid| AwsError::unexpected(OPERATION, "Route 53", invalid))?);
        }
        marker = page.next_marker;
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// The host names of a zone's name servers.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html>
pub(crate) async fn get_name_servers(client: &Client, zone: &ZoneId) -> Result<Vec<String>, AwsError> {
    let response = call!("GetHostedZone", zone, client.get_hosted_zone().id(zone.as_str()))?;
    Ok(response.delegation_set.map(|set| set.name_servers).unwrap_or_default())
}

/// The record sets of a name, except NS and SOA.
pub(crate) async fn list_actual_records(
    client: &Client,
    zone: &ZoneId,
    name: &str,
) -> Result<Vec<ActualRecordSet>, AwsError> {
    let sets = list_records_of_name(client, zone, name).await?;
    let managed = sets.iter().filter(|set| ![RrType::Ns, RrType::Soa].contains(&set.r#type));
    Ok(managed.map(wire::actual_record_set).collect())
}

/// The name with an NS record that leads away from the zone: `name` or one between it and the zone's apex.
pub(crate) async fn find_delegation(
    client: &Client,
    zone: &ZoneId,
    apex: &str,
    name: &str,
) -> Result<Option<String>, AwsError> {
    let mut rest = Some(name);
    while let Some(name) = rest.filter(|name| *name != apex && name.ends_with(&format!(".{apex}"))) {
        if list_records_of_name(client, zone, name).await?.iter().any(|set| set.r#type == RrType::Ns) {
            return Ok(Some(name.to_owned()));
        }
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    Ok(None)
}

/// The CAA records of a name, or of the closest name above it in the zone that has some.
pub(crate) async fn find_caa(
    client: &Client,
    zone: &ZoneId,
    apex: &str,
    name: &str,
) -> Result<Option<CaaRecords>, AwsError> {
    let mut rest = Some(name);
    while let Some(name) = rest.filter(|name| *name == apex || name.ends_with(&format!(".{apex}"))) {
        let sets = list_records_of_name(client, zone, name).await?;
        if let Some(set) = sets.iter().find(|set| set.r#type == RrType::Caa) {
            let values = set.resource_records().iter().map(|record| record.value.clone()).collect();
            return Ok(Some(CaaRecords { name: name.to_owned(), values }));
        }
        rest = name.split_once('.').map(|(_, parent)| parent);
    }
    Ok(None)
}

/// The value of a validation record; `None` if it does not exist.
pub(crate) async fn get_validation_value(
    client: &Client,
    zone: &ZoneId,
    record: &ValidationRecord,
) -> Result<Option<String>, AwsError> {
    let sets = list_records_of_name(client, zone, &normalized_name(&record.name)).await?;
    let mut values = sets.iter().flat_map(ResourceRecordSet::resource_records);
    Ok(values.next().map(|record| record.value.clone()))
}

/// All record sets of a name.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>
async fn list_records_of_name(client: &Client, zone: &ZoneId, name: &str) -> Result<Vec<ResourceRecordSet>, AwsError> {
    let mut sets = Vec::new();
    let (mut next_name, mut next_type, mut next_identifier) = (Some(name.to_owned()), None, None);
    loop {
        let request = client.list_resource_record_sets().hosted_zone_id(zone.as_str());
        let request = request.set_start_record_name(next_name).set_start_record_type(next_type);
        let page = call!("ListResourceRecordSets", zone, request.set_start_record_identifier(next_identifier))?;
        let (before, listed) = (sets.len(), page.resource_record_sets.len());
        sets.extend(page.resource_record_sets.into_iter().filter(|set| normalized_name(set.name()) == name));
        // Route 53 cannot filter by name: the list continues with the records of other names.
        if !page.is_truncated || sets.len() - before < listed {
            return Ok(sets);
        }
        (next_name, next_type, next_identifier) =
            (page.next_record_name, page.next_record_type, page.next_record_identifier);
    }
}

/// The protections of some names; none if the credentials lack the permission to list them. In that case Route 53 rejects the
/// change itself.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSetProtections.html>
pub(crate) async fn list_protections(
    client: &Client,
    zone: &ZoneId,
    names: &[String],
) -> Result<Vec<Protection>, AwsError> {
    const OPERATION: &str = "ListResourceRecordSetProtections";
    let (mut all, mut token) = (Vec::new(), None::<String>);
    loop {
        let query = token
            .as_ref()
            .map_or_else(String::new, |token| format!("?nexttoken={}", utf8_percent_encode(token, NON_ALPHANUMERIC)));
        // The SDK does not support this operation yet. The interceptor replaces the path of another operation, whose response
        // is empty, and captures the body.
        let operation = UnmodeledOperation::get(format!("2013-04-01/hostedzone/{zone}/rrsetprotection{query}"));
        let carrier = client.change_tags_for_resource().resource_type(TagResourceType::Hostedzone);
        let carrier = carrier.resource_id(zone.as_str()).customize().interceptor(operation.clone());
        match call!(OPERATION, zone, carrier) {
            Err(error) if [Kind::Denied, Kind::Absent].contains(&error.kind) => return Ok(Vec::new()),
            response => response.map(drop)?,
        }
        let page = protections::parse_page(&operation.response());
        let page = page.map_err(|error| AwsError::unexpected(OPERATION, zone, error))?;
        token.clone_from(&page.next_token);
        all.extend(page.protections().filter(|protection| names.contains(&protection.name)));
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// Deletes and upserts record sets of a name in one batch: all or none.
pub(crate) async fn change_records_of_name(
    client: &Client,
    zone: &ZoneId,
    name: &Host,
    delete: &[RecordToDelete],
    upsert: Vec<SdkChange>,
) -> Result<SubmittedChange, AwsError> {
    let mut changes = Vec::new();
    // Route 53 deletes a record set only if the request contains all its current settings.
    for set in list_records_of_name(client, zone, name.as_str()).await? {
        let selected = delete.iter().any(|record| {
            record.r#type == set.r#type().as_str() && record.identifier.as_deref() == set.set_identifier()
        });
        if selected {
            changes.push(wire::record_change(ChangeAction::Delete, set).map_err(|error| invalid_change(name, error))?);
        }
    }
    changes.extend(upsert);
    change_resource_record_sets(client, zone, name.as_str(), changes).await
}

/// The changes that create or replace record sets.
pub(crate) fn upsert_changes(name: &Host, sets: &[RecordSet], outputs: &Outputs) -> Result<Vec<SdkChange>, AwsError> {
    let change = |set: &RecordSet| {
        let set = wire::record_set(name, set, outputs).map_err(|error| error.into_aws(CHANGE_RECORDS, name))?;
        wire::record_change(ChangeAction::Upsert, set).map_err(|error| invalid_change(name, error))
    };
    sets.iter().map(change).collect()
}

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
async fn change_resource_record_sets(
    client: &Client,
    zone: &ZoneId,
    name: &str,
    changes: Vec<SdkChange>,
) -> Result<SubmittedChange, AwsError> {
    if changes.is_empty() {
        return Ok(SubmittedChange(String::new()));
    }
    let batch = wire::change_batch(changes).map_err(|error| invalid_change(name, error))?;
    let request = client.change_resource_record_sets().hosted_zone_id(zone.as_str()).change_batch(batch);
    let response = call!(CHANGE_RECORDS, name, request)?;
    let id = response.change_info.map(|info| info.id.trim_start_matches("/change/").to_owned());
    Ok(SubmittedChange(id.unwrap_or_default()))
}

fn invalid_change(name: impl std::fmt::Display, error: BuildError) -> AwsError {
    AwsError::unexpected(CHANGE_RECORDS, name, error)
}

/// Waits until a change is in sync on all name servers.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html>
pub(crate) async fn await_change(
    client: &Client,
    change: &SubmittedChange,
    polling: PollPolicy,
    run: &Run,
) -> Result<(), AwsError> {
    const OPERATION: &str = "GetChange";
    let SubmittedChange(id) = change;
    if id.is_empty() {
        return Ok(());
    }
    let in_sync = poll_until(run, polling, "the change to be in sync on all name servers", async || {
        let response = call!(OPERATION, id, client.get_change().id(id));
        unless_passing(response.map(|response| {
            let in_sync = response.change_info.is_some_and(|info| info.status == ChangeStatus::Insync);
            if in_sync { Poll::Ready(()) } else { Poll::NotYet }
        }))
    });
    in_sync.await.map_err(|error| AwsError::from_wait(OPERATION, id, error))
}

/// Creates or replaces validation records in one batch. Names may share one.
pub(crate) async fn put_validation_records(
    client: &Client,
    zone: &ZoneId,
    records: &[&ValidationRecord],
) -> Result<SubmittedChange, AwsError> {
    let mut distinct: Vec<&ValidationRecord> = Vec::new();
    for record in records {
        if !distinct.contains(record) {
            distinct.push(record);
        }
    }
    let subject = distinct.first().map_or("", |record| record.name.as_str());
    let change = |record: &ValidationRecord| {
        let change = wire::validation_record_set(record).and_then(|set| wire::record_change(ChangeAction::Upsert, set));
        change.map_err(|error| invalid_change(&record.name, error))
    };
    let changes = distinct.iter().map(|record| change(record)).collect::<Result<_, _>>()?;
    change_resource_record_sets(client, zone, subject, changes).await
}

/// Deletes validation records in one batch; those that do not exist any more are deleted already.
pub(crate) async fn delete_validation_records(
    client: &Client,
    zone: &ZoneId,
    records: &[ValidationRecord],
) -> Result<(), AwsError> {
    let mut changes = Vec::new();
    for record in records {
        let sets = list_records_of_name(client, zone, &normalized_name(&record.name)).await?;
        for set in sets.into_iter().filter(|set| set.r#type == RrType::Cname) {
            let change = wire::record_change(ChangeAction::Delete, set);
            changes.push(change.map_err(|error| invalid_change(&record.name, error))?);
        }
    }
    let subject = records.first().map_or("", |record| record.name.as_str());
    change_resource_record_sets(client, zone, subject, changes).await.map(drop)
}
