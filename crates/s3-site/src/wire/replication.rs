//! Replication configurations.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, EncryptionConfiguration, Metrics,
    MetricsStatus, ReplicaModifications, ReplicaModificationsStatus, ReplicationConfiguration,
    ReplicationRule as SdkRule, ReplicationRuleFilter, ReplicationRuleStatus, ReplicationTime, ReplicationTimeStatus,
    ReplicationTimeValue, SourceSelectionCriteria, SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus,
};

use crate::model::{ReplicationRule, ReplicationRules, RuleStatus};

/// The id of the managed rule.
const ID: &str = "twinsite";
/// The only value that S3 accepts.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTimeValue.html>
const TIME_CONTROL_MINUTES: i32 = 15;

/// Whether the managed rule is enabled.
pub(crate) fn has_enabled_rule(configuration: &ReplicationConfiguration) -> bool {
    let mut managed = configuration.rules().iter().filter(|rule| rule.id() == Some(ID));
    managed.any(|rule| rule.status() == &ReplicationRuleStatus::Enabled)
}

/// The configuration with the managed rule enabled or disabled.
pub(crate) fn with_rule_status(
    mut configuration: ReplicationConfiguration,
    status: RuleStatus,
) -> ReplicationConfiguration {
    for rule in configuration.rules.iter_mut().filter(|rule| rule.id.as_deref() == Some(ID)) {
        rule.status = rule_status(status);
    }
    configuration
}

fn rule_status(status: RuleStatus) -> ReplicationRuleStatus {
    match status {
        RuleStatus::Enabled => ReplicationRuleStatus::Enabled,
        RuleStatus::Disabled => ReplicationRuleStatus::Disabled,
    }
}

pub(crate) fn replication_rules(configuration: &ReplicationConfiguration) -> ReplicationRules {
    let (managed, others): (Vec<_>, Vec<_>) = configuration.rules().iter().partition(|rule| rule.id() == Some(ID));
    ReplicationRules {
        managed: managed.first().map(|rule| from_sdk_rule(configuration.role(), rule)),
        other_role: (!others.is_empty()).then(|| configuration.role().to_owned()),
    }
}

fn from_sdk_rule(role: &str, rule: &SdkRule) -> ReplicationRule {
    let destination = rule.destination();
    let markers = rule.delete_marker_replication().and_then(DeleteMarkerReplication::status);
    let modifications = rule.source_selection_criteria().and_then(SourceSelectionCriteria::replica_modifications);
    let kms = rule.source_selection_criteria().and_then(SourceSelectionCriteria::sse_kms_encrypted_objects);
    let kms = kms.map(SseKmsEncryptedObjects::status) == Some(&SseKmsEncryptedObjectsStatus::Enabled);
    let replica_kms_key = destination.and_then(Destination::encryption_configuration);
    let replica_kms_key = replica_kms_key.and_then(EncryptionConfiguration::replica_kms_key_id).filter(|_| kms);
    let metrics = destination.and_then(Destination::metrics).map(Metrics::status);
    let time = destination.and_then(Destination::replication_time).map(ReplicationTime::status);
    let filter = rule.filter();
    let prefix = filter.and_then(ReplicationRuleFilter::prefix).unwrap_or_default();
    let tagged = filter.is_some_and(|filter| filter.tag().is_some() || filter.and().is_some());
    ReplicationRule {
        role: role.to_owned(),
        destination: destination.map(|destination| destination.bucket().to_owned()).unwrap_or_default(),
        enabled: rule.status() == &ReplicationRuleStatus::Enabled,
        delete_markers: markers == Some(&DeleteMarkerReplicationStatus::Enabled),
        replica_modifications: modifications.map(ReplicaModifications::status)
            == Some(&ReplicaModificationsStatus::Enabled),
        metrics: metrics == Some(&MetricsStatus::Enabled),
        time_control: time == Some(&ReplicationTimeStatus::Enabled),
        replica_kms_key: replica_kms_key.map(str::to_owned),
        all_objects: prefix.is_empty() && !tagged,
    }
}

/// The managed rule after all others, with a priority of its own. `None` if no rule remains.
pub(crate) fn configuration(
    managed: Option<&ReplicationRule>,
    existing: Option<ReplicationConfiguration>,
) -> Result<Option<ReplicationConfiguration>, BuildError> {
    let (existing_role, existing_rules) = existing.map(|existing| (existing.role, existing.rules)).unzip();
    let role = managed.map(|rule| rule.role.clone()).or(existing_role);
    let mut rules = existing_rules.unwrap_or_default();
    rules.retain(|rule| rule.id() != Some(ID));
    if let Some(managed) = managed {
        let priority = rules.iter().filter_map(SdkRule::priority).max().unwrap_or_default() + 1;
        rules.push(to_sdk_rule(managed, priority)?);
    }
    if rules.is_empty() {
        return Ok(None);
    }
    ReplicationConfiguration::builder().set_role(role).set_rules(Some(rules)).build().map(Some)
}

fn to_sdk_rule(rule: &ReplicationRule, priority: i32) -> Result<SdkRule, BuildError> {
    let markers = if rule.delete_markers {
        DeleteMarkerReplicationStatus::Enabled
    } else {
        DeleteMarkerReplicationStatus::Disabled
    };
    let modifications = ReplicaModifications::builder().status(ReplicaModificationsStatus::Enabled).build()?;
    let kms = SseKmsEncryptedObjects::builder().status(SseKmsEncryptedObjectsStatus::Enabled).build()?;
    let criteria = SourceSelectionCriteria::builder()
        .set_replica_modifications(rule.replica_modifications.then_some(modifications))
        .set_sse_kms_encrypted_objects(rule.replica_kms_key.is_some().then_some(kms))
        .build();
    let has_criteria = rule.replica_modifications || rule.replica_kms_key.is_some();
    let status = if rule.enabled { RuleStatus::Enabled } else { RuleStatus::Disabled };
    SdkRule::builder()
        .id(ID)
        .priority(priority)
        .status(rule_status(status))
        .filter(ReplicationRuleFilter::builder().prefix("").build())
        .delete_marker_replication(DeleteMarkerReplication::builder().status(markers).build())
        .set_source_selection_criteria(has_criteria.then_some(criteria))
        .destination(destination(rule)?)
        .build()
}

fn destination(rule: &ReplicationRule) -> Result<Destination, BuildError> {
    let minutes = || ReplicationTimeValue::builder().minutes(TIME_CONTROL_MINUTES).build();
    let mut destination = Destination::builder().bucket(&rule.destination);
    if rule.metrics {
        // The threshold is part of Replication Time Control.
        let threshold = rule.time_control.then(minutes);
        let metrics = Metrics::builder().status(MetricsStatus::Enabled).set_event_threshold(threshold);
        destination = destination.metrics(metrics.build()?);
    }
    if let Some(key) = &rule.replica_kms_key {
        let encryption = EncryptionConfiguration::builder().replica_kms_key_id(key).build();
        destination = destination.encryption_configuration(encryption);
    }
    if rule.time_control {
        let time = ReplicationTime::builder().status(ReplicationTimeStatus::Enabled).time(minutes());
        destination = destination.replication_time(time.build()?);
    }
    destination.build()
}
