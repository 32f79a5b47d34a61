//! Settings of a bucket.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat as Format};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint, BucketVersioningStatus,
    CreateBucketConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};
use twinsite_aws::Tags;
use twinsite_core::Region;

use crate::model::{ARCHIVED_CLASSES, DefaultEncryption, Lifecycle, LifecycleEffect, LifecycleRisk, PublicAccessBlock};

/// The ids of the managed lifecycle rules.
const UPLOADS_RULE: &str = "twinsite-uploads";
const VERSIONS_RULE: &str = "twinsite-versions";

pub(crate) fn create_bucket_configuration(
    region: &Region,
    tags: &Tags,
) -> Result<CreateBucketConfiguration, BuildError> {
    // In us-east-1, naming the region is an error.
    let constraint = region.location_constraint().map(BucketLocationConstraint::from);
    let configuration = CreateBucketConfiguration::builder().set_location_constraint(constraint);
    Ok(configuration.set_tags(Some(to_sdk_tags(tags)?)).build())
}

pub(crate) fn from_sdk_tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

fn to_sdk_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

pub(crate) fn tagging(tags: &Tags) -> Result<Tagging, BuildError> {
    Tagging::builder().set_tag_set(Some(to_sdk_tags(tags)?)).build()
}

pub(crate) fn versioning() -> VersioningConfiguration {
    VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build()
}

pub(crate) fn object_ownership(controls: Option<&OwnershipControls>) -> Option<String> {
    let rules = controls.map(OwnershipControls::rules).unwrap_or_default();
    rules.first().map(|rule| rule.object_ownership().as_str().to_owned())
}

pub(crate) fn ownership_controls() -> Result<OwnershipControls, BuildError> {
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build()?;
    OwnershipControls::builder().rules(rule).build()
}

pub(crate) fn default_encryption(configuration: Option<&ServerSideEncryptionConfiguration>) -> DefaultEncryption {
    let rules = configuration.map(ServerSideEncryptionConfiguration::rules).unwrap_or_default();
    let mut defaults = rules.iter().filter_map(ServerSideEncryptionRule::apply_server_side_encryption_by_default);
    let Some(default) = defaults.next() else { return DefaultEncryption::None };
    match default.sse_algorithm() {
        ServerSideEncryption::Aes256 => DefaultEncryption::SseS3,
        algorithm @ (ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse) => DefaultEncryption::Kms {
            algorithm: algorithm.as_str().to_owned(),
            key: default.kms_master_key_id().map(str::to_owned),
        },
        _ => DefaultEncryption::None,
    }
}

pub(crate) fn encryption() -> Result<ServerSideEncryptionConfiguration, BuildError> {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build()?;
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build()
}

pub(crate) fn public_access_block(block: &PublicAccessBlockConfiguration) -> PublicAccessBlock {
    PublicAccessBlock {
        block_public_acls: block.block_public_acls().unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls().unwrap_or_default(),
        block_public_policy: block.block_public_policy().unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets().unwrap_or_default(),
    }
}

pub(crate) fn public_access_block_configuration(block: PublicAccessBlock) -> PublicAccessBlockConfiguration {
    let PublicAccessBlock { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } =
        block;
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(block_public_acls)
        .ignore_public_acls(ignore_public_acls)
        .block_public_policy(block_public_policy)
        .restrict_public_buckets(restrict_public_buckets)
        .build()
}

pub(crate) fn lifecycle(rules: &[LifecycleRule]) -> Lifecycle {
    let enabled = rules.iter().filter(|rule| rule.status() == &ExpirationStatus::Enabled);
    let managed = |id: &str| enabled.clone().find(|rule| rule.id() == Some(id));
    let abort = managed(UPLOADS_RULE).and_then(LifecycleRule::abort_incomplete_multipart_upload);
    let versions = managed(VERSIONS_RULE).filter(|rule| rule.noncurrent_version_expiration().is_none());
    let expiration = versions.and_then(LifecycleRule::expiration);
    Lifecycle {
        abort_uploads_after_days: abort.and_then(AbortIncompleteMultipartUpload::days_after_initiation),
        expire_delete_markers: expiration
            .and_then(LifecycleExpiration::expired_object_delete_marker)
            .unwrap_or_default(),
    }
}

/// What the enabled rules that are not managed do to current objects, and to the versions that rollback needs.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html>
pub(crate) fn lifecycle_risks(rules: &[LifecycleRule]) -> Vec<LifecycleRisk> {
    let mut risks = Vec::new();
    let others = rules.iter().filter(|rule| rule.status() == &ExpirationStatus::Enabled);
    for rule in others.filter(|rule| !rule.id().is_some_and(|id| [UPLOADS_RULE, VERSIONS_RULE].contains(&id))) {
        let when = |days: Option<i32>, date: Option<&DateTime>| match (days, date) {
            (Some(days), _) => Some(format!("{days} days after their creation")),
            (None, Some(date)) => Some(format!("on {}", date.fmt(Format::DateTime).unwrap_or_default())),
            (None, None) => None,
        };
        let expiration = rule.expiration().and_then(|one| when(one.days(), one.date()));
        let mut effects: Vec<LifecycleEffect> =
            expiration.into_iter().map(|when| LifecycleEffect::Expires { when }).collect();
        effects.extend(rule.transitions().iter().filter_map(|transition| {
            let class = transition.storage_class()?.as_str().to_owned();
            let when = when(transition.days(), transition.date())?;
            ARCHIVED_CLASSES.contains(&class.as_str()).then_some(LifecycleEffect::Archives { class, when })
        }));
        let versions = rule.noncurrent_version_expiration().and_then(NoncurrentVersionExpiration::noncurrent_days);
        effects.extend(versions.map(|days| LifecycleEffect::ExpiresVersions { days }));
        let (id, scope) = (rule.id().unwrap_or("without id").to_owned(), scope(rule));
        risks.extend(effects.into_iter().map(|effect| LifecycleRisk {
            rule: id.clone(),
            scope: scope.clone(),
            effect,
        }));
    }
    risks
}

fn scope(rule: &LifecycleRule) -> String {
    #[expect(deprecated, reason = "rules may still have a prefix outside of a filter")]
    let old = rule.prefix();
    let filter = rule.filter();
    let and = filter.and_then(LifecycleRuleFilter::and);
    let prefix =
        old.or_else(|| filter.and_then(LifecycleRuleFilter::prefix)).or_else(|| and.and_then(|and| and.prefix()));
    let is_narrowed = and.is_some()
        || filter.is_some_and(|filter| {
            filter.tag().is_some()
                || filter.object_size_greater_than().is_some()
                || filter.object_size_less_than().is_some()
        });
    match (prefix.filter(|prefix| !prefix.is_empty()), is_narrowed) {
        (None, false) => "every object".to_owned(),
        (None, true) => "objects with certain tags or sizes".to_owned(),
        (Some(prefix), _) => format!("objects below `{prefix}`"),
    }
}

/// The managed rules after all others.
pub(crate) fn lifecycle_configuration(
    managed: Lifecycle,
    mut rules: Vec<LifecycleRule>,
) -> Result<BucketLifecycleConfiguration, BuildError> {
    let Lifecycle { abort_uploads_after_days, expire_delete_markers } = managed;
    let rule = |id: &str| {
        let all_objects = LifecycleRuleFilter::builder().prefix("").build();
        LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled).filter(all_objects)
    };
    let abort = AbortIncompleteMultipartUpload::builder().set_days_after_initiation(abort_uploads_after_days).build();
    let expiration = LifecycleExpiration::builder().expired_object_delete_marker(expire_delete_markers).build();
    rules.retain(|rule| !rule.id().is_some_and(|id| [UPLOADS_RULE, VERSIONS_RULE].contains(&id)));
    rules.push(rule(UPLOADS_RULE).abort_incomplete_multipart_upload(abort).build()?);
    rules.push(rule(VERSIONS_RULE).expiration(expiration).build()?);
    BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::NoncurrentVersionExpiration;

    use super::*;

    #[test]
    fn managed_lifecycle_rules_that_also_expire_old_versions_differ_from_the_desired_ones() {
        let rules = lifecycle_configuration(Lifecycle::DESIRED, Vec::new()).unwrap().rules;
        assert_eq!(lifecycle(&rules), Lifecycle::DESIRED);
        let mut expiring = rules;
        expiring[1].noncurrent_version_expiration =
            Some(NoncurrentVersionExpiration::builder().noncurrent_days(1).build());
        assert_ne!(lifecycle(&expiring), Lifecycle::DESIRED);
        assert_eq!(lifecycle_configuration(Lifecycle::DESIRED, expiring).unwrap().rules.len(), 2);
    }
}
