//! Validation of replication configurations.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html>

use s3s::dto::{ReplicationConfiguration, ReplicationRule};
use s3s::{S3Error, S3Result};

use super::super::error::invalid_request;
use super::super::{S3, Versioning, no_such_bucket};

/// The maximum number of rules.
const MAX_RULES: usize = 1000;

fn invalid(message: &str) -> S3Error {
    invalid_request(message).into()
}

/// Validates a replication configuration.
pub(super) fn check(s3: &S3, bucket: &str, configuration: &ReplicationConfiguration) -> S3Result<()> {
    let ReplicationConfiguration { role, rules } = configuration;
    let source = s3.bucket(bucket).ok_or_else(no_such_bucket)?;
    if source.versioning != Versioning::Enabled {
        return Err(invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration"));
    }
    if s3.account().iam.role_by_arn(role).is_none() {
        return Err(invalid("The replication role does not exist or cannot be assumed by Amazon S3"));
    }
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(invalid("A replication configuration has 1 to 1000 rules"));
    }
    rules.iter().try_for_each(|rule| check_rule(s3, bucket, rule))
}

fn check_rule(s3: &S3, source: &str, rule: &ReplicationRule) -> S3Result<()> {
    let complete = rule.priority.is_some() && rule.delete_marker_replication.is_some();
    if rule.filter.is_some() && !complete {
        return Err(invalid("Priority and DeleteMarkerReplication must be specified where Filter is"));
    }
    let destination = &rule.destination;
    if destination.replication_time.is_some() && destination.metrics.is_none() {
        return Err(invalid("ReplicationTime must be specified together with Metrics"));
    }
    let name = destination.bucket.strip_prefix("arn:aws:s3:::").unwrap_or_default();
    let target = s3.bucket(name).ok_or_else(|| invalid("Destination bucket must exist."))?;
    if target.versioning != Versioning::Enabled {
        return Err(invalid("Destination bucket must have versioning enabled."));
    }
    if name == source {
        return Err(invalid("The source and the destination bucket must be different"));
    }
    Ok(())
}

/// Assigns ids to rules without one.
pub(super) fn with_ids(mut configuration: ReplicationConfiguration) -> ReplicationConfiguration {
    for (index, rule) in configuration.rules.iter_mut().enumerate() {
        rule.id.get_or_insert_with(|| format!("rule-{index}"));
    }
    configuration
}
