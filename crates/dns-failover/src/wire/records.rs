//! Hosted zones and record sets in the types of the SDK.

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{
    AliasTarget as SdkAliasTarget, Change, ChangeAction, ChangeBatch, HostedZone as SdkZone, ResourceRecord,
    ResourceRecordSet, ResourceRecordSetFailover, RrType,
};
use twinsite_core::{Host, Invalid, Outputs, ValidationRecord};

use crate::model::{
    ActualRecordSet, AliasTarget, EVALUATES_TARGET_HEALTH, FailoverRole, HostedZone, RecordSet, RecordTarget, Routing,
    normalized_name,
};
use twinsite_aws::{RequestError, resolve};

pub(crate) fn hosted_zone(from: SdkZone) -> Result<HostedZone, Invalid> {
    let private = from.config.is_some_and(|config| config.private_zone);
    let record_sets = from.resource_record_set_count.and_then(|count| u64::try_from(count).ok());
    Ok(HostedZone { id: from.id.parse()?, name: from.name, private, record_sets })
}

/// An existing record set, normalized as by the `Display` of [`RecordSet`].
pub(crate) fn actual_record_set(from: &ResourceRecordSet) -> ActualRecordSet {
    let failover = from.failover().map(ResourceRecordSetFailover::as_str);
    let routing = match (failover, from.set_identifier()) {
        (Some(_), _) => Routing::Failover,
        (None, Some(_)) => Routing::Other,
        (None, None) => Routing::Simple,
    };
    let alias_host = from.alias_target().map(|alias| normalized_name(alias.dns_name()));
    let mut properties = if let (Some(alias), Some(host)) = (from.alias_target(), &alias_host) {
        format!("alias {host} in {}", alias.hosted_zone_id())
    } else {
        let records = from.resource_records().iter();
        let values: Vec<String> = records.map(|record| normalized_name(record.value())).collect();
        format!("{}, TTL {}", values.join(" "), from.ttl().unwrap_or_default())
    };
    if let Some(role) = failover {
        properties.push_str(", ");
        properties.push_str(role);
    }
    if let Some(check) = from.health_check_id() {
        properties.push_str(", health check ");
        properties.push_str(check);
    }
    if from.alias_target().is_some_and(SdkAliasTarget::evaluate_target_health) {
        properties.push_str(EVALUATES_TARGET_HEALTH);
    }
    let identifier = from.set_identifier().map(str::to_owned);
    ActualRecordSet {
        r#type: from.r#type().as_str().to_owned(),
        identifier,
        routing,
        alias_host,
        ttl: from.ttl().and_then(|ttl| u64::try_from(ttl).ok()),
        health_check: from.health_check_id().map(str::to_owned),
        properties,
    }
}

/// A desired record set of a name.
pub(crate) fn record_set(name: &Host, set: &RecordSet, outputs: &Outputs) -> Result<ResourceRecordSet, RequestError> {
    let mut builder = ResourceRecordSet::builder().name(name.as_str()).r#type(RrType::from(set.r#type));
    if let Some(role) = set.failover {
        let failover = match role {
            FailoverRole::Primary => ResourceRecordSetFailover::Primary,
            FailoverRole::Secondary => ResourceRecordSetFailover::Secondary,
        };
        builder = builder.set_identifier(role.set_identifier()).failover(failover);
    }
    if let Some(check) = &set.check {
        builder = builder.health_check_id(resolve(check, outputs)?.as_str());
    }
    builder = match &set.target {
        RecordTarget::Cname { host, ttl } => {
            let record = ResourceRecord::builder().value(resolve(host, outputs)?.as_str()).build()?;
            builder.ttl(i64::try_from(*ttl).unwrap_or(i64::MAX)).resource_records(record)
        }
        RecordTarget::Alias(AliasTarget { host, zone, evaluate_target_health }) => {
            let target = SdkAliasTarget::builder()
                .hosted_zone_id(zone.as_str())
                .dns_name(resolve(host, outputs)?.as_str())
                .evaluate_target_health(*evaluate_target_health);
            builder.alias_target(target.build()?)
        }
    };
    Ok(builder.build()?)
}

pub(crate) fn validation_record_set(record: &ValidationRecord) -> Result<ResourceRecordSet, BuildError> {
    let value = ResourceRecord::builder().value(&record.value).build()?;
    ResourceRecordSet::builder().name(&record.name).r#type(RrType::Cname).ttl(300).resource_records(value).build()
}

/// A change of one record set.
pub(crate) fn record_change(action: ChangeAction, set: ResourceRecordSet) -> Result<Change, BuildError> {
    Change::builder().action(action).resource_record_set(set).build()
}

pub(crate) fn change_batch(changes: Vec<Change>) -> Result<ChangeBatch, BuildError> {
    ChangeBatch::builder().set_changes(Some(changes)).comment("twinsite").build()
}
