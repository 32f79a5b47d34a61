//! Between the canonical form and the SDK's types; the only rooms of this crate that name them, with the calls.

pub(crate) mod replication;
pub(crate) mod website_doc;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::operation::get_bucket_website::GetBucketWebsiteOutput;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketVersioningStatus, ErrorDocument,
    ExpirationStatus, IndexDocument, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
    WebsiteConfiguration,
};
use twinsite_aws::Tags;

use crate::bucket::{Block, Lifecycle, Website};

/// The ids of our lifecycle rules.
const RULES: [&str; 2] = ["twinsite-uploads", "twinsite-versions"];

pub(crate) fn tags(set: &[Tag]) -> Tags {
    set.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

pub(crate) fn tagging(tags: &Tags) -> Result<Tagging, BuildError> {
    let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Tagging::builder().set_tag_set(Some(set.collect::<Result<_, _>>()?)).build()
}

pub(crate) fn is_enabled(status: Option<&BucketVersioningStatus>) -> bool {
    status == Some(&BucketVersioningStatus::Enabled)
}

pub(crate) fn versioning() -> VersioningConfiguration {
    VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build()
}

pub(crate) fn is_owner_enforced(controls: Option<&OwnershipControls>) -> bool {
    let rules = controls.map(OwnershipControls::rules).unwrap_or_default();
    rules.iter().any(|rule| rule.object_ownership() == &ObjectOwnership::BucketOwnerEnforced)
}

pub(crate) fn ownership() -> Result<OwnershipControls, BuildError> {
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build()?;
    OwnershipControls::builder().rules(rule).build()
}

pub(crate) fn is_sse_s3(configuration: Option<&ServerSideEncryptionConfiguration>) -> bool {
    let rules = configuration.map(ServerSideEncryptionConfiguration::rules).unwrap_or_default();
    let defaults = rules.iter().filter_map(ServerSideEncryptionRule::apply_server_side_encryption_by_default);
    defaults.into_iter().any(|default| default.sse_algorithm() == &ServerSideEncryption::Aes256)
}

pub(crate) fn encryption() -> Result<ServerSideEncryptionConfiguration, BuildError> {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build()?;
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build()
}

pub(crate) fn block(from: &PublicAccessBlockConfiguration) -> Block {
    Block {
        acls: from.block_public_acls().unwrap_or_default(),
        ignore_acls: from.ignore_public_acls().unwrap_or_default(),
        policies: from.block_public_policy().unwrap_or_default(),
        restrict: from.restrict_public_buckets().unwrap_or_default(),
    }
}

pub(crate) fn account_block(from: &aws_sdk_s3control::types::PublicAccessBlockConfiguration) -> Block {
    Block {
        acls: from.block_public_acls().unwrap_or_default(),
        ignore_acls: from.ignore_public_acls().unwrap_or_default(),
        policies: from.block_public_policy().unwrap_or_default(),
        restrict: from.restrict_public_buckets().unwrap_or_default(),
    }
}

pub(crate) fn block_configuration(block: Block) -> PublicAccessBlockConfiguration {
    let Block { acls, ignore_acls, policies, restrict } = block;
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(acls)
        .ignore_public_acls(ignore_acls)
        .block_public_policy(policies)
        .restrict_public_buckets(restrict)
        .build()
}

pub(crate) fn website(from: &GetBucketWebsiteOutput) -> Option<Website> {
    let index = from.index_document()?.suffix().to_owned();
    Some(Website { index, error: from.error_document().map(|error| error.key().to_owned()) })
}

/// Our part of a website configuration, with the rest as it was.
pub(crate) fn website_configuration(
    website: &Website,
    before: Option<GetBucketWebsiteOutput>,
) -> Result<WebsiteConfiguration, BuildError> {
    let Website { index, error } = website;
    let error = error.as_ref().map(|key| ErrorDocument::builder().key(key).build()).transpose()?;
    Ok(WebsiteConfiguration::builder()
        .index_document(IndexDocument::builder().suffix(index).build()?)
        .set_error_document(error)
        .set_routing_rules(before.and_then(|before| before.routing_rules))
        .build())
}

pub(crate) fn lifecycle(rules: &[LifecycleRule]) -> Lifecycle {
    let enabled = |rule: &&LifecycleRule| rule.status() == &ExpirationStatus::Enabled;
    let mine = |id: &str| rules.iter().filter(enabled).find(|rule| rule.id() == Some(id));
    let abort = mine(RULES[0]).and_then(LifecycleRule::abort_incomplete_multipart_upload);
    let versions = mine(RULES[1]);
    let noncurrent = versions.and_then(LifecycleRule::noncurrent_version_expiration);
    let expiration = versions.and_then(LifecycleRule::expiration);
    Lifecycle {
        abort_days: abort.and_then(AbortIncompleteMultipartUpload::days_after_initiation),
        noncurrent_days: noncurrent.and_then(NoncurrentVersionExpiration::noncurrent_days),
        markers: expiration.and_then(LifecycleExpiration::expired_object_delete_marker).unwrap_or_default(),
    }
}

/// Our rules behind those of others.
pub(crate) fn lifecycle_configuration(
    want: Lifecycle,
    before: Vec<LifecycleRule>,
) -> Result<BucketLifecycleConfiguration, BuildError> {
    let Lifecycle { abort_days, noncurrent_days, markers } = want;
    let rule = |id: &str| {
        let everything = LifecycleRuleFilter::builder().prefix("").build();
        LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled).filter(everything)
    };
    let abort = AbortIncompleteMultipartUpload::builder().set_days_after_initiation(abort_days).build();
    let noncurrent = noncurrent_days.map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
    let expiration = LifecycleExpiration::builder().expired_object_delete_marker(markers).build();
    let ours = [
        rule(RULES[0]).abort_incomplete_multipart_upload(abort).build()?,
        rule(RULES[1]).set_noncurrent_version_expiration(noncurrent).expiration(expiration).build()?,
    ];
    let others = before.into_iter().filter(|rule| !rule.id().is_some_and(|id| RULES.contains(&id)));
    BucketLifecycleConfiguration::builder().set_rules(Some(others.chain(ours).collect())).build()
}
