//! The changes that a plan consists of.

use std::collections::BTreeMap;

use twinsite_aws::{Tags, tag_fields};
use twinsite_core::{Arn, BucketName, Deferred, Domain, Field, Need, Region, Resource, Side};

use super::properties::differences;
use super::{
    ALIAS_RECORD_KEY, BucketPolicy, DefaultEncryption, Lifecycle, PublicAccessBlock, ROLE_PATH, ReplicationRule,
    STORE_RECORD_KEY, Website, WebsiteRedirect,
};

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
    EnableVersioning {
        /// The status so far.
        actual: Option<String>,
    },
    /// Disables ACLs.
    DisableAcls {
        /// The ownership of objects so far.
        actual: Option<String>,
    },
    /// Enables default encryption with SSE-S3.
    EnableEncryption {
        /// The encryption so far.
        actual: DefaultEncryption,
    },
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
        /// The host that all requests are redirected to so far, which ends.
        redirects_all_to: Option<String>,
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
        /// Their keys, with their content so far.
        actual: BTreeMap<String, Option<String>>,
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
    /// Has the website redirect every request. Its routing rules and documents are replaced.
    PutRedirect {
        /// Where it redirects to so far.
        actual: Option<WebsiteRedirect>,
        /// Where it redirects to.
        desired: WebsiteRedirect,
    },
    /// Records the aliases of the site.
    PutAliasRecord {
        /// The aliases that are recorded so far.
        actual: Vec<Domain>,
        /// The aliases.
        desired: Vec<Domain>,
    },
    /// Deletes the bucket with everything in it.
    Delete {
        /// The object versions and delete markers in it, when the plan was made.
        objects: u64,
    },
    /// Removes the site's tags, policy statements and replication rule from an adopted bucket, which is kept.
    Release {
        /// The policy so far.
        actual_policy: Option<String>,
        /// The policy that remains.
        policy: Option<String>,
        /// The tags so far.
        actual_tags: Tags,
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
            Self::Bucket(BucketChange { side: _, bucket: _, kind }) => kind.fields(),
            Self::Role(RoleChange { role: _, kind }) => kind.fields(),
        }
    }

    fn resource(&self) -> Option<Resource> {
        Some(match self {
            Self::Bucket(BucketChange { side: _, bucket, kind: _ }) => Resource::new("S3", "bucket", bucket.as_str()),
            Self::Role(RoleChange { role, kind: _ }) => Resource::new("IAM", "role", role),
        })
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
            Self::EnableVersioning { actual } => vec![replaced("Versioning", actual.clone(), "Enabled")],
            Self::DisableAcls { actual } => vec![replaced("ObjectOwnership", actual.clone(), "BucketOwnerEnforced")],
            Self::EnableEncryption { actual } => vec![replaced("Encryption", actual.to_property(), "AES256")],
            Self::PutPublicAccessBlock { actual, desired } => {
                differences(actual.map(PublicAccessBlock::properties), desired.properties())
            }
            Self::PutWebsite { actual, redirects_all_to, desired } => {
                let mut fields = differences(actual.as_ref().map(Website::properties), desired.properties());
                fields.extend(redirects_all_to.iter().map(|host| Field::unset("RedirectAllRequestsTo", host)));
                fields
            }
            Self::PutLifecycle { actual, desired } => differences(Some(actual.properties()), desired.properties()),
            Self::PutPolicy { actual, desired } => {
                vec![Field { name: "Policy".into(), actual: actual.clone(), desired: Some(desired.to_string()) }]
            }
            Self::PutReplicationRule { actual, desired } => {
                differences(actual.as_ref().map(ReplicationRule::properties), desired.properties())
            }
            Self::DeleteReplicationRule { actual } => vec![Field::unset("Replication to", &actual.destination)],
            Self::PutHealthObjects { actual, content } => {
                let others = actual.iter().filter(|(_, actual)| actual.as_ref() != Some(content));
                others.map(|(key, actual)| replaced(&format!("object {key}"), actual.clone(), content)).collect()
            }
            Self::PutStoreRecord { actual, desired } => vec![Field {
                name: format!("object {STORE_RECORD_KEY}"),
                actual: actual.as_ref().map(ToString::to_string),
                desired: Some(desired.to_string()),
            }],
            Self::PutRedirect { actual, desired } => {
                vec![replaced("RedirectAllRequestsTo", actual.as_ref().map(ToString::to_string), &desired.to_string())]
            }
            Self::PutAliasRecord { actual, desired } => {
                let list = |names: &[Domain]| names.iter().map(Domain::as_str).collect::<Vec<_>>().join(", ");
                let list = |names: &[Domain]| Some(list(names)).filter(|names| !names.is_empty());
                let name = format!("object {ALIAS_RECORD_KEY}");
                vec![Field { name, actual: list(actual), desired: list(desired) }]
            }
            Self::Delete { objects } => vec![Field::unset("Objects and versions", objects.to_string())],
            Self::Release { actual_policy, policy, actual_tags, tags, replication_rule } => {
                let removed = actual_tags.iter().filter(|(key, _)| !tags.contains_key(*key));
                let mut fields: Vec<Field> =
                    removed.map(|(key, value)| Field::unset(format!("tag {key}"), value)).collect();
                if actual_policy != policy {
                    let (actual, desired) = (actual_policy.clone(), policy.clone());
                    fields.push(Field { name: "Policy".into(), actual, desired });
                }
                let rule = replication_rule.iter();
                fields.extend(rule.map(|rule| Field::unset("Replication to", &rule.destination)));
                fields
            }
        }
    }
}

impl RoleChangeKind {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Create { trust_policy, permissions, boundary, tags } => {
                let mut fields = vec![
                    Field::set("Path", ROLE_PATH),
                    Field::set("AssumeRolePolicy", trust_policy),
                    Field::set("Policy", permissions),
                    Field::set("PermissionsBoundary", boundary),
                ];
                fields.extend(tag_fields(&Tags::new(), tags));
                fields
            }
            Self::UpdateTrustPolicy { actual, desired } => vec![Field::change("AssumeRolePolicy", actual, desired)],
            Self::PutPermissions { actual, desired } => vec![replaced("Policy", actual.clone(), desired)],
            Self::PutBoundary { actual, desired } => vec![replaced("PermissionsBoundary", actual.clone(), desired)],
            Self::Delete => Vec::new(),
        }
    }
}

fn replaced(name: &str, actual: Option<String>, desired: &str) -> Field {
    Field { name: name.to_owned(), actual, desired: Some(desired.to_owned()) }
}
