//! Replication rules: what S3 checks before it takes them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html>

use s3s::dto::{ReplicationConfiguration, ReplicationRule};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::world::{Fault, Versioning, World};

/// The most rules of a bucket.
const MOST: usize = 1000;

fn invalid(message: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message.to_owned())
}

/// Refuses what S3 refuses.
pub(super) fn check(world: &World, bucket: &str, configuration: &ReplicationConfiguration) -> S3Result<()> {
    let ReplicationConfiguration { role, rules } = configuration;
    let source = world.bucket(bucket).ok_or(Fault::NoSuchBucket)?;
    if source.versioning != Versioning::Enabled {
        return Err(invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration"));
    }
    if world.account(|account, _| account.iam.by_arn(role).is_none()) {
        return Err(invalid("The replication role does not exist or cannot be assumed by Amazon S3"));
    }
    if rules.is_empty() || rules.len() > MOST {
        return Err(invalid("A replication configuration has 1 to 1000 rules"));
    }
    rules.iter().try_for_each(|rule| check_rule(world, bucket, rule))
}

fn check_rule(world: &World, source: &str, rule: &ReplicationRule) -> S3Result<()> {
    let complete = rule.priority.is_some() && rule.delete_marker_replication.is_some();
    if rule.filter.is_some() && !complete {
        return Err(invalid("Priority and DeleteMarkerReplication must be specified where Filter is"));
    }
    let destination = &rule.destination;
    if destination.replication_time.is_some() && destination.metrics.is_none() {
        return Err(invalid("ReplicationTime must be specified together with Metrics"));
    }
    let name = destination.bucket.strip_prefix("arn:aws:s3:::").unwrap_or_default();
    let there = world.bucket(name).ok_or_else(|| invalid("Destination bucket must exist."))?;
    if there.versioning != Versioning::Enabled {
        return Err(invalid("Destination bucket must have versioning enabled."));
    }
    if name == source {
        return Err(invalid("The source and the destination bucket must be different"));
    }
    Ok(())
}

/// Rules without a name get one.
pub(super) fn named(mut configuration: ReplicationConfiguration) -> ReplicationConfiguration {
    for (index, rule) in configuration.rules.iter_mut().enumerate() {
        rule.id.get_or_insert_with(|| format!("rule-{index}"));
    }
    configuration
}
