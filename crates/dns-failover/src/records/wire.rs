//! Record sets in the SDK's types.

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{AliasTarget, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType};
use twinsite_core::{Outputs, ValidationRecord};

use super::diff::canonical;
use super::{Failover, Routing, Set, Wanted};

/// A set that is there, in our words.
pub(super) fn set(from: &ResourceRecordSet) -> Set {
    let failover = from.failover().map(ResourceRecordSetFailover::as_str);
    let routing = match (failover, from.set_identifier()) {
        (Some(_), _) => Routing::Failover,
        (None, Some(_)) => Routing::Other,
        (None, None) => Routing::Simple,
    };
    let mut words = vec![from.alias_target().map_or_else(
        || {
            let values: Vec<String> = from.resource_records().iter().map(|record| canonical(record.value())).collect();
            format!("{}, TTL {}", values.join(" "), from.ttl().unwrap_or_default())
        },
        |alias| format!("alias {} in {}", canonical(alias.dns_name()), alias.hosted_zone_id()),
    )];
    words.extend(failover.map(str::to_owned));
    words.extend(from.health_check_id().map(|check| format!("health check {check}")));
    if from.alias_target().is_some_and(AliasTarget::evaluate_target_health) {
        words.push("evaluates the target's health".to_owned());
    }
    Set {
        r#type: from.r#type().as_str().to_owned(),
        identifier: from.set_identifier().map(str::to_owned),
        routing,
        words: words.join(", "),
    }
}

/// A set that should be there; `None` when a value that another step was to make is missing.
pub(super) fn record_set(
    name: &str,
    wanted: &Wanted,
    outputs: &Outputs,
) -> Result<Option<ResourceRecordSet>, BuildError> {
    let answer = &wanted.answer;
    let Some(host) = answer.target.host.resolve(outputs) else { return Ok(None) };
    let mut set = ResourceRecordSet::builder().name(name).r#type(RrType::from(wanted.r#type));
    if let Some(failover) = answer.failover {
        let role = match failover {
            Failover::Primary => ResourceRecordSetFailover::Primary,
            Failover::Secondary => ResourceRecordSetFailover::Secondary,
        };
        set = set.set_identifier(failover.identifier()).failover(role);
    }
    if let Some(check) = &answer.check {
        let Some(id) = check.resolve(outputs) else { return Ok(None) };
        set = set.health_check_id(id.0);
    }
    let Some(zone) = &answer.target.alias_zone else {
        let ttl = i64::try_from(answer.ttl.unwrap_or_default()).unwrap_or(i64::MAX);
        let record = ResourceRecord::builder().value(host.0).build()?;
        return set.ttl(ttl).resource_records(record).build().map(Some);
    };
    // For a distribution the target's health cannot be evaluated, and for S3 it says nothing.
    let alias = AliasTarget::builder().hosted_zone_id(zone).dns_name(host.0).evaluate_target_health(false);
    set = set.alias_target(alias.build()?);
    set.build().map(Some)
}

/// The record that proves the name.
pub(super) fn proof_set(proof: &ValidationRecord) -> Result<ResourceRecordSet, BuildError> {
    let record = ResourceRecord::builder().value(&proof.value).build()?;
    ResourceRecordSet::builder().name(&proof.name).r#type(RrType::Cname).ttl(300).resource_records(record).build()
}
