//! Buckets and their settings.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::replication::Rules;
use super::upload::CompletedUpload;
use super::{BUCKETS, S3, UPLOADS, Upload, Version, error, no_such_bucket};
use crate::context::{ServiceError, Tags, insert};
use crate::iam::Policy;

/// A public access block.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "S3 has four switches")]
pub struct PublicAccessBlock {
    /// Rejects public ACLs.
    pub block_public_acls: bool,
    /// Ignores public ACLs.
    pub ignore_public_acls: bool,
    /// Rejects public policies.
    pub block_public_policy: bool,
    /// Restricts access granted by public policies to the account.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All settings on: the default of new buckets.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// The versioning state of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled.
    #[default]
    Off,
    /// Enabled.
    Enabled,
    /// Suspended.
    Suspended,
}

/// A configuration document, stored as XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Doc {
    /// Static website hosting.
    Website,
    /// Lifecycle rules.
    Lifecycle,
    /// Default encryption.
    Encryption,
    /// Object ownership.
    Ownership,
    /// Cross-origin rules.
    Cors,
    /// Tags.
    Tagging,
    /// Replication rules.
    Replication,
}

impl Doc {
    /// The error when it is not set.
    fn not_found(self) -> ServiceError {
        let (code, message) = match self {
            Self::Website => {
                ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
            }
            Self::Lifecycle => ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
            Self::Encryption => (
                "ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found",
            ),
            Self::Ownership => ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
            Self::Cors => ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
            Self::Tagging => ("NoSuchTagSet", "The TagSet does not exist"),
            Self::Replication => {
                ("ReplicationConfigurationNotFoundError", "The replication configuration was not found")
            }
        };
        ServiceError::new(code, 404, message)
    }
}

/// The settings of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketSettings {
    /// Its name, unique in all accounts and regions.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
    /// Its region.
    pub region: String,
    /// When it was created.
    pub created: SystemTime,
    /// Its versioning state.
    pub versioning: Versioning,
    /// Its public access block; all off when deleted.
    pub block: PublicAccessBlock,
    /// Whether it has a public access block.
    pub has_block: bool,
    /// Its policy, as received.
    pub policy: Option<String>,
    /// Its configuration documents.
    pub docs: BTreeMap<Doc, String>,
}

#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) settings: BucketSettings,
    /// The versions of each key, the newest last.
    pub(super) keys: BTreeMap<String, Vec<Arc<Version>>>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// Uploads that were completed lately, the newest last.
    pub(super) completed: VecDeque<CompletedUpload>,
    /// The replication rules, parsed.
    pub(super) rules: Option<Arc<Rules>>,
}

impl Bucket {
    pub(super) fn empty(settings: BucketSettings) -> Self {
        let rules = Rules::parse(&settings);
        Self { settings, keys: BTreeMap::new(), uploads: BTreeMap::new(), completed: VecDeque::new(), rules }
    }
}

impl S3 {
    /// Creates a bucket with the defaults since April 2023: public access blocked, ACLs disabled, SSE-S3.
    pub fn create_bucket(&self, name: &str, region: &str, owner: &str) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        if let Some(existing) = buckets.get(name).map(|bucket| &bucket.settings) {
            if existing.owner != owner {
                let message = "The requested bucket name is not available. The bucket namespace is shared by all users \
                               of the system.";
                return Err(ServiceError::new("BucketAlreadyExists", 409, message));
            }
            // Only us-east-1 accepts a repeated creation.
            if region == "us-east-1" && existing.region == region {
                return Ok(());
            }
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(ServiceError::new("BucketAlreadyOwnedByYou", 409, message));
        }
        let settings = BucketSettings {
            name: name.to_owned(),
            owner: owner.to_owned(),
            region: region.to_owned(),
            created: self.clock().now_in_seconds(),
            versioning: Versioning::Off,
            block: PublicAccessBlock::ALL,
            has_block: true,
            policy: None,
            docs: BTreeMap::from([(Doc::Ownership, OWNER_ENFORCED.to_owned()), (Doc::Encryption, SSE_S3.to_owned())]),
        };
        self.persist_bucket(&settings)?;
        buckets.insert(name.to_owned(), Bucket::empty(settings));
        Ok(())
    }

    /// Deletes a bucket that has no object versions.
    pub fn delete_bucket(&self, name: &str) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        let bucket = buckets.get(name).ok_or_else(no_such_bucket)?;
        if !bucket.keys.is_empty() {
            return Err(ServiceError::new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty"));
        }
        let uploads: Vec<_> = bucket.uploads.keys().cloned().collect();
        self.persist(|disk| {
            disk.write(|transaction| {
                let mut table = transaction.open_table(UPLOADS)?;
                for id in &uploads {
                    table.remove((name, id.as_str()))?;
                }
                transaction.open_table(BUCKETS)?.remove(name)?;
                Ok(())
            })
        })?;
        buckets.remove(name);
        Ok(())
    }

    /// Changes the settings of a bucket.
    pub fn update_bucket(&self, name: &str, change: impl FnOnce(&mut BucketSettings)) -> Result<(), ServiceError> {
        let mut buckets = self.write();
        let bucket = buckets.get_mut(name).ok_or_else(no_such_bucket)?;
        let mut settings = bucket.settings.clone();
        change(&mut settings);
        self.persist_bucket(&settings)?;
        bucket.rules = Rules::parse(&settings);
        bucket.settings = settings;
        Ok(())
    }

    fn persist_bucket(&self, settings: &BucketSettings) -> Result<(), ServiceError> {
        self.persist(|disk| disk.write(|transaction| insert(transaction, BUCKETS, settings.name.as_str(), settings)))
    }

    /// A configuration document of a bucket.
    pub fn doc(&self, name: &str, doc: Doc) -> Result<String, ServiceError> {
        let settings = self.bucket(name).ok_or_else(no_such_bucket)?;
        settings.docs.get(&doc).cloned().ok_or_else(|| doc.not_found().with("BucketName", name))
    }

    /// The tags of a bucket.
    pub(crate) fn bucket_tags(&self, name: &str) -> Result<Tags, ServiceError> {
        let settings = self.bucket(name).ok_or_else(no_such_bucket)?;
        let tagging: Option<Tagging> =
            settings.docs.get(&Doc::Tagging).and_then(|xml| quick_xml::de::from_str(xml).ok());
        Ok(tagging.unwrap_or_default().tag_set.tag.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// Replaces the tags of a bucket.
    pub(crate) fn set_bucket_tags(&self, name: &str, tags: &Tags) -> Result<(), ServiceError> {
        let tags = tags.iter().map(|(key, value)| serde_json::json!({"Key": key, "Value": value}));
        let tag_set = serde_json::json!({"TagSet": {"Tag": tags.collect::<Vec<_>>()}});
        let xml = crate::protocol::reply::to_xml("Tagging", tag_set)?;
        self.update_bucket(name, |settings| drop(settings.docs.insert(Doc::Tagging, xml)))
    }

    /// Sets the bucket policy. Fails when it is public and a public access block rejects public policies.
    pub fn put_policy(&self, name: &str, text: &str) -> Result<(), ServiceError> {
        let policy = Policy::parse(text).map_err(|message| ServiceError::invalid("MalformedPolicy", message))?;
        let settings = self.bucket(name).ok_or_else(no_such_bucket)?;
        let blocked = settings.block.block_public_policy
            || self.account().block.is_some_and(|account| account.block_public_policy);
        if blocked && policy.is_public() {
            return Err(error::access_denied());
        }
        self.update_bucket(name, |settings| settings.policy = Some(text.to_owned()))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tagging {
    tag_set: TagSet,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TagSet {
    tag: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    key: String,
    value: String,
}

const OWNER_ENFORCED: &str = "<OwnershipControls xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";

const SSE_S3: &str = "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>\
<BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>";
