//! Replication rules in the SDK's types.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, Metrics, MetricsStatus, ReplicaModifications,
    ReplicaModificationsStatus, ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter,
    ReplicationRuleStatus, ReplicationTime, ReplicationTimeStatus, ReplicationTimeValue, SourceSelectionCriteria,
};

use crate::replication::{Replication, Rule};

/// The id of our rule.
const ID: &str = "twinsite";
/// The only time that S3 promises.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTimeValue.html>
const MINUTES: i32 = 15;

/// The ids of the rules that are on.
pub(crate) fn switched_on(from: &ReplicationConfiguration) -> Vec<String> {
    let on = from.rules().iter().filter(|rule| rule.status() == &ReplicationRuleStatus::Enabled);
    on.filter_map(|rule| rule.id().map(str::to_owned)).collect()
}

/// Turns rules on or off; false when they are so already.
pub(crate) fn switch(configuration: &mut ReplicationConfiguration, ids: &[String], on: bool) -> bool {
    let to = if on { ReplicationRuleStatus::Enabled } else { ReplicationRuleStatus::Disabled };
    let mut changed = false;
    for rule in &mut configuration.rules {
        if rule.id.as_ref().is_some_and(|id| ids.contains(id)) && rule.status != to {
            (rule.status, changed) = (to.clone(), true);
        }
    }
    changed
}

pub(crate) fn read(from: &ReplicationConfiguration) -> Replication {
    let (mine, others): (Vec<_>, Vec<_>) = from.rules().iter().partition(|rule| rule.id() == Some(ID));
    Replication {
        rule: mine.first().map(|one| rule(from.role(), one)),
        others: (!others.is_empty()).then(|| from.role().to_owned()),
    }
}

fn rule(role: &str, from: &ReplicationRule) -> Rule {
    let destination = from.destination();
    let markers = from.delete_marker_replication().and_then(DeleteMarkerReplication::status);
    let modifications = from.source_selection_criteria().and_then(SourceSelectionCriteria::replica_modifications);
    let metrics = destination.and_then(Destination::metrics).map(Metrics::status);
    let time = destination.and_then(Destination::replication_time).map(ReplicationTime::status);
    let filter = from.filter();
    let prefix = filter.and_then(ReplicationRuleFilter::prefix).unwrap_or_default();
    let tagged = filter.is_some_and(|filter| filter.tag().is_some() || filter.and().is_some());
    Rule {
        role: role.to_owned(),
        destination: destination.map(|to| to.bucket().to_owned()).unwrap_or_default(),
        enabled: from.status() == &ReplicationRuleStatus::Enabled,
        delete_markers: markers == Some(&DeleteMarkerReplicationStatus::Enabled),
        replica_modifications: modifications.map(ReplicaModifications::status)
            == Some(&ReplicaModificationsStatus::Enabled),
        metrics: metrics == Some(&MetricsStatus::Enabled),
        time_control: time == Some(&ReplicationTimeStatus::Enabled),
        everything: prefix.is_empty() && !tagged,
    }
}

/// Our rule behind those of others, with a priority that none of them has. `None` when no rule is left.
pub(crate) fn configuration(
    want: Option<&Rule>,
    before: Option<ReplicationConfiguration>,
) -> Result<Option<ReplicationConfiguration>, BuildError> {
    let role = want.map(|rule| rule.role.clone()).or_else(|| before.as_ref().map(|before| before.role.clone()));
    let before = before.map(|before| before.rules).unwrap_or_default();
    let mut rules: Vec<_> = before.into_iter().filter(|rule| rule.id() != Some(ID)).collect();
    if let Some(want) = want {
        let priority = rules.iter().filter_map(ReplicationRule::priority).max().unwrap_or_default() + 1;
        rules.push(built(want, priority)?);
    }
    if rules.is_empty() {
        return Ok(None);
    }
    ReplicationConfiguration::builder().set_role(role).set_rules(Some(rules)).build().map(Some)
}

fn built(rule: &Rule, priority: i32) -> Result<ReplicationRule, BuildError> {
    let Rule {
        role: _,
        destination,
        enabled,
        delete_markers,
        replica_modifications,
        metrics,
        time_control,
        everything: _,
    } = rule;
    let fifteen = || ReplicationTimeValue::builder().minutes(MINUTES).build();
    let mut to = Destination::builder().bucket(destination);
    if *metrics {
        let metrics = Metrics::builder().status(MetricsStatus::Enabled);
        // The threshold belongs to time control.
        let metrics = if *time_control { metrics.event_threshold(fifteen()) } else { metrics };
        to = to.metrics(metrics.build()?);
    }
    if *time_control {
        let time = ReplicationTime::builder().status(ReplicationTimeStatus::Enabled).time(fifteen());
        to = to.replication_time(time.build()?);
    }
    let markers =
        if *delete_markers { DeleteMarkerReplicationStatus::Enabled } else { DeleteMarkerReplicationStatus::Disabled };
    let status = if *enabled { ReplicationRuleStatus::Enabled } else { ReplicationRuleStatus::Disabled };
    let mut rule = ReplicationRule::builder()
        .id(ID)
        .priority(priority)
        .status(status)
        .filter(ReplicationRuleFilter::builder().prefix("").build())
        .delete_marker_replication(DeleteMarkerReplication::builder().status(markers).build())
        .destination(to.build()?);
    if *replica_modifications {
        let both = ReplicaModifications::builder().status(ReplicaModificationsStatus::Enabled).build()?;
        rule = rule.source_selection_criteria(SourceSelectionCriteria::builder().replica_modifications(both).build());
    }
    rule.build()
}
