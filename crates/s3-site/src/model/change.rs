//! The changes that a plan consists of.

use twinsite_aws::Tags;
use twinsite_core::{Arn, BucketName, Deferred, Field, Need, Region, Side};

use super::properties::differences;
use super::{BucketPolicy, Lifecycle, PublicAccessBlock, ROLE_PATH, ReplicationRule, STORE_RECORD_KEY, Website};

/// A change of a bucket, or of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Of a bucket.
    Bucket(BucketChange),
    /// Of the replication role, or of the role of batch jobs.
    Role(RoleChange),
}

/// A change of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketChange {
    /// The side, which determines the client.
    pub side: Side,
    /// The bucket's name.
    pub bucket: BucketName,
    /// What is changed.
    pub kind: BucketChangeKind,
}

/// What is changed about a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketChangeKind {
    /// Creates the bucket.
    Create {
        /// Its region.
        region: Region,
        /// Its tags.
        tags: Tags,
    },
    /// Replaces the tags.
    PutTags {
        /// The tags so far.
        actual: Tags,
        /// The new tags.
        desired: Tags,
    },
    /// Enables versioning.
    EnableVersioning,
    /// Disables ACLs.
    DisableAcls,
    /// Enables default encryption with SSE-S3.
    EnableEncryption,
    /// Puts the public access block.
    PutPublicAccessBlock {
        /// The block so far.
        actual: Option<PublicAccessBlock>,
        /// The new block.
        desired: PublicAccessBlock,
    },
    /// Puts the website configuration. Routing rules are kept.
    PutWebsite {
        /// The configuration so far.
        actual: Option<Website>,
        /// The new configuration.
        desired: Website,
    },
    /// Puts the managed lifecycle rules. Others are kept.
    PutLifecycle {
        /// The rules so far.
        actual: Lifecycle,
        /// The new rules.
        desired: Lifecycle,
    },
    /// Puts the policy.
    PutPolicy {
        /// The policy so far.
        actual: Option<String>,
        /// The new policy.
        desired: BucketPolicy,
    },
    /// Puts the managed replication rule. Others are kept.
    PutReplicationRule {
        /// The rule so far.
        actual: Option<ReplicationRule>,
        /// The new rule.
        desired: ReplicationRule,
    },
    /// Deletes the managed replication rule. Others are kept.
    DeleteReplicationRule {
        /// The rule.
        actual: ReplicationRule,
    },
    /// Puts the objects that health checks request.
    PutHealthObjects {
        /// Their keys.
        keys: Vec<String>,
        /// Their content.
        content: String,
    },
    /// Records the key value store.
    PutStoreRecord {
        /// The store that is recorded so far.
        actual: Option<Arn>,
        /// The store.
        desired: Deferred<Arn>,
    },
    /// Deletes the bucket with everything in it.
    Delete {
        /// The object versions and delete markers in it, when the plan was made.
        objects: u64,
    },
    /// Removes the site's tags, policy statements and replication rule from an adopted bucket, which is kept.
    Release {
        /// The policy that remains.
        policy: Option<String>,
        /// The tags that remain.
        tags: Tags,
        /// The replication rule to delete.
        replication_rule: Option<ReplicationRule>,
    },
}

/// A change of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleChange {
    /// The role's name.
    pub role: String,
    /// What is changed.
    pub kind: RoleChangeKind,
}

/// What is changed about a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleChangeKind {
    /// Creates the role with its inline policy.
    Create {
        /// The trust policy.
        trust_policy: String,
        /// The inline policy.
        permissions: String,
        /// The ARN of the permissions boundary.
        boundary: String,
        /// Its tags.
        tags: Tags,
    },
    /// Replaces the trust policy.
    UpdateTrustPolicy {
        /// The policy so far.
        actual: String,
        /// The new policy.
        desired: String,
    },
    /// Replaces the inline policy.
    PutPermissions {
        /// The policy so far.
        actual: Option<String>,
        /// The new policy.
        desired: String,
    },
    /// Replaces the permissions boundary.
    PutBoundary {
        /// The ARN so far.
        actual: Option<String>,
        /// The new ARN.
        desired: String,
    },
    /// Deletes the role with its inline policy.
    Delete,
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Bucket(BucketChange { side: _, bucket, kind }) => {
                std::iter::once(Field::set("Bucket", bucket.as_str())).chain(kind.fields()).collect()
            }
            Self::Role(RoleChange { role, kind }) => kind.fields(role),
        }
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::Bucket(BucketChange { kind: BucketChangeKind::PutPolicy { desired, .. }, .. }) => {
                desired.need().into_iter().collect()
            }
            Self::Bucket(BucketChange { kind: BucketChangeKind::PutStoreRecord { desired, .. }, .. }) => {
                desired.need().into_iter().collect()
            }
            Self::Bucket(_) | Self::Role(_) => Vec::new(),
        }
    }
}

impl BucketChangeKind {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Create { region, tags } => {
                std::iter::once(Field::set("Region", region.as_str())).chain(tag_fields(&Tags::new(), tags)).collect()
            }
            Self::PutTags { actual, desired } => tag_fields(actual, desired).collect(),
            Self::EnableVersioning => vec![Field::set("Versioning", "Enabled")],
            Self::DisableAcls => vec![Field::set("ObjectOwnership", "BucketOwnerEnforced")],
            Self::EnableEncryption => vec![Field::set("Encryption", "AES256")],
            Self::PutPublicAccessBlock { actual, desired } => {
                differences(actual.map(PublicAccessBlock::properties), desired.properties())
            }
            Self::PutWebsite { actual, desired } => {
                differences(actual.as_ref().map(Website::properties), desired.properties())
            }
            Self::PutLifecycle { actual, desired } => differences(Some(actual.properties()), desired.properties()),
            Self::PutPolicy { actual, desired } => {
                vec![Field { name: "Policy".into(), actual: actual.clone(), desired: Some(desired.to_string()) }]
            }
            Self::PutReplicationRule { actual, desired } => {
                differences(actual.as_ref().map(ReplicationRule::properties), desired.properties())
            }
            Self::DeleteReplicationRule { actual } => vec![Field::unset("Replication to", &actual.destination)],
            Self::PutHealthObjects { keys, content } => {
                keys.iter().map(|key| Field::set(format!("object {key}"), content)).collect()
            }
            Self::PutStoreRecord { actual, desired } => vec![Field {
                name: format!("object {STORE_RECORD_KEY}"),
                actual: actual.as_ref().map(ToString::to_string),
                desired: Some(desired.to_string()),
            }],
            Self::Delete { objects } => vec![Field::unset("Objects and versions", objects.to_string())],
            Self::Release { policy: _, tags: _, replication_rule: _ } => {
                vec![Field::unset("twinsite's tags and statements", "present")]
            }
        }
    }
}

impl RoleChangeKind {
    fn fields(&self, role: &str) -> Vec<Field> {
        match self {
            Self::Create { trust_policy, permissions, boundary, tags } => {
                let mut fields = vec![
                    Field::set("Role", format!("{ROLE_PATH}{role}")),
                    Field::set("AssumeRolePolicy", trust_policy),
                    Field::set("Policy", permissions),
                    Field::set("PermissionsBoundary", boundary),
                ];
                fields.extend(tag_fields(&Tags::new(), tags));
                fields
            }
            Self::UpdateTrustPolicy { actual, desired } => {
                vec![Field::set("Role", role), Field::change("AssumeRolePolicy", actual, desired)]
            }
            Self::PutPermissions { actual, desired } => {
                let policy = Field { name: "Policy".into(), actual: actual.clone(), desired: Some(desired.clone()) };
                vec![Field::set("Role", role), policy]
            }
            Self::PutBoundary { actual, desired } => {
                let name = "PermissionsBoundary".into();
                vec![Field::set("Role", role), Field { name, actual: actual.clone(), desired: Some(desired.clone()) }]
            }
            Self::Delete => vec![Field::unset("Role", role)],
        }
    }
}

fn tag_fields(actual: &Tags, desired: &Tags) -> impl Iterator<Item = Field> {
    let changed = desired.iter().filter(|(key, value)| actual.get(*key) != Some(value));
    changed.map(|(key, value)| Field {
        name: format!("tag {key}"),
        actual: actual.get(key).cloned(),
        desired: Some(value.clone()),
    })
}
