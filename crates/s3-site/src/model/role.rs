//! The IAM role that S3 assumes to replicate.

use serde_json::{Value, json};
use twinsite_aws::Tags;
use twinsite_core::{Side, Site};

use super::{Desired, bucket_arn};

/// The path of the site's roles.
pub(crate) const ROLE_PATH: &str = "/twinsite/";

/// An IAM role with its inline policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// Its tags.
    pub tags: Tags,
    /// The trust policy, as JSON: who may assume the role.
    pub trust_policy: String,
    /// The inline policy, as JSON: what the role may do. `None` if it does not exist.
    pub permissions: Option<String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub boundary: Option<String>,
}

/// The name of the replication role.
pub(crate) fn role_name(site: &Site) -> String {
    format!("twinsite-{}-replication", site.slug())
}

/// The ARN of the replication role.
pub(crate) fn role_arn(site: &Site) -> String {
    arn_of_role(site, &role_name(site))
}

pub(super) fn arn_of_role(site: &Site, name: &str) -> String {
    format!("arn:{}:iam::{}:role{ROLE_PATH}{name}", site.regions.primary.partition(), site.account)
}

/// The trust policy of the replication role, exactly as documented: S3 is not documented to send `aws:SourceAccount` or
/// `aws:SourceArn` when it replicates, and a condition on a missing key never holds.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>
pub(crate) fn trust_policy() -> String {
    trust_policy_of("s3.amazonaws.com")
}

pub(super) fn trust_policy_of(service: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
    ]})
    .to_string()
}

/// The permissions of the replication role.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>
pub(crate) fn permissions(desired: &Desired) -> String {
    let sources = if desired.replicate_back { &Side::BOTH[..] } else { &[Side::Primary] };
    let statements = sources.iter().flat_map(|side| {
        let (source, destination) = (bucket_arn(&desired.site, *side), bucket_arn(&desired.site, side.other()));
        [
            json!({"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": source}),
            json!({
                "Effect": "Allow",
                "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
                "Resource": format!("{source}/*"),
            }),
            json!({
                "Effect": "Allow",
                "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
                "Resource": format!("{destination}/*"),
            }),
        ]
    });
    let keys = sources.iter().flat_map(|side| kms_statements(desired, *side));
    json!({"Version": "2012-10-17", "Statement": statements.chain(keys).collect::<Vec<Value>>()}).to_string()
}

/// What the role may do with the keys of KMS that objects of one bucket, and their replicas, are encrypted with. With a key for the whole
/// bucket, the encryption context is the bucket's ARN, else the object's.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html>
fn kms_statements(desired: &Desired, side: Side) -> Vec<Value> {
    let Some(keys) = &desired.kms_keys else { return Vec::new() };
    let statement = |side: Side, actions: &[&str]| {
        let bucket = bucket_arn(&desired.site, side);
        let service = format!("s3.{}.amazonaws.com", desired.site.regions.get(side));
        json!({
            "Effect": "Allow",
            "Action": actions,
            "Resource": keys.get(side),
            "Condition": {"StringLike": {
                "kms:ViaService": service,
                "kms:EncryptionContext:aws:s3:arn": [bucket, format!("{bucket}/*")],
            }},
        })
    };
    vec![statement(side, &["kms:Decrypt"]), statement(side.other(), &["kms:Encrypt", "kms:GenerateDataKey"])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_policies_are_those_of_the_aws_documentation() {
        for (policy, service) in [
            (trust_policy(), "s3.amazonaws.com"),
            (super::super::batch_trust_policy(), "batchoperations.s3.amazonaws.com"),
        ] {
            let documented = json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
            });
            assert_eq!(serde_json::from_str::<Value>(&policy).unwrap(), documented);
        }
    }
}
