//! Buckets and their settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use super::replication::Rules;
use super::{Fault, Upload, Version, World};

/// The four switches that keep a bucket from being public.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "S3 has four switches")]
pub struct Block {
    /// Refuses ACLs that make something public.
    pub block_public_acls: bool,
    /// Ignores ACLs that make something public.
    pub ignore_public_acls: bool,
    /// Refuses policies that make something public.
    pub block_public_policy: bool,
    /// Ignores policies that make something public.
    pub restrict_public_buckets: bool,
}

impl Block {
    /// All on, as every new bucket has it.
    pub const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never did.
    #[default]
    Off,
    /// Does.
    Enabled,
    /// Did.
    Suspended,
}

/// A configuration that the world keeps without reading it, as XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Doc {
    /// Website hosting; the website endpoints read it.
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
    /// The error code when it was never set.
    pub fn absent(self) -> &'static str {
        match self {
            Self::Website => "NoSuchWebsiteConfiguration",
            Self::Lifecycle => "NoSuchLifecycleConfiguration",
            Self::Encryption => "ServerSideEncryptionConfigurationNotFoundError",
            Self::Ownership => "OwnershipControlsNotFoundError",
            Self::Cors => "NoSuchCORSConfiguration",
            Self::Tagging => "NoSuchTagSet",
            Self::Replication => "ReplicationConfigurationNotFoundError",
        }
    }
}

/// Everything about a bucket but its objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketSettings {
    /// Its name, unique among all accounts and regions.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
    /// Where it is.
    pub region: String,
    /// When it was created.
    pub created: SystemTime,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// Its public access block; all off once deleted.
    pub block: Block,
    /// False once the public access block was deleted.
    pub has_block: bool,
    /// Its policy, as it was put.
    pub policy: Option<String>,
    /// The configurations that are kept as they were put.
    pub docs: BTreeMap<Doc, String>,
}

#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) settings: BucketSettings,
    /// Each key's versions, the newest last.
    pub(super) keys: BTreeMap<String, Vec<Arc<Version>>>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// The replication rules among the settings, read once.
    pub(super) rules: Option<Arc<Rules>>,
}

impl Bucket {
    pub(super) fn empty(settings: BucketSettings) -> Self {
        let rules = Rules::of(&settings);
        Self { settings, keys: BTreeMap::new(), uploads: BTreeMap::new(), rules }
    }
}

impl World {
    /// Creates a bucket as S3 does since April 2023: nothing public, owner enforced, SSE-S3.
    pub fn create_bucket(&self, name: &str, region: &str, owner: &str) -> Result<(), Fault> {
        let mut state = self.write();
        if let Some(there) = state.buckets.get(name) {
            let mine = there.settings.owner == owner;
            let upsert = region == "us-east-1" && there.settings.region == region;
            return match (mine, upsert) {
                (false, _) => Err(Fault::BucketAlreadyExists),
                (true, true) => Ok(()),
                (true, false) => Err(Fault::BucketAlreadyOwnedByYou),
            };
        }
        let settings = BucketSettings {
            name: name.to_owned(),
            owner: owner.to_owned(),
            region: region.to_owned(),
            created: self.clock().second(),
            versioning: Versioning::Off,
            block: Block::ALL,
            has_block: true,
            policy: None,
            docs: BTreeMap::from([(Doc::Ownership, OWNER_ENFORCED.to_owned()), (Doc::Encryption, SSE_S3.to_owned())]),
        };
        self.keep(|disk| disk.bucket(&settings))?;
        state.buckets.insert(name.to_owned(), Bucket::empty(settings));
        Ok(())
    }

    /// Deletes a bucket that has no version of anything left.
    pub fn delete_bucket(&self, name: &str) -> Result<(), Fault> {
        let mut state = self.write();
        let bucket = state.buckets.get(name).ok_or(Fault::NoSuchBucket)?;
        if !bucket.keys.is_empty() {
            return Err(Fault::BucketNotEmpty);
        }
        let uploads: Vec<_> = bucket.uploads.keys().cloned().collect();
        self.keep(|disk| disk.drop_bucket(name, &uploads))?;
        state.buckets.remove(name);
        Ok(())
    }

    /// Changes a bucket's settings.
    pub fn set(&self, name: &str, change: impl FnOnce(&mut BucketSettings)) -> Result<(), Fault> {
        let mut state = self.write();
        let bucket = state.buckets.get_mut(name).ok_or(Fault::NoSuchBucket)?;
        let mut settings = bucket.settings.clone();
        change(&mut settings);
        self.keep(|disk| disk.bucket(&settings))?;
        bucket.rules = Rules::of(&settings);
        bucket.settings = settings;
        Ok(())
    }

    /// A configuration as it was put.
    pub fn doc(&self, name: &str, doc: Doc) -> Result<String, Fault> {
        let settings = self.bucket(name).ok_or(Fault::NoSuchBucket)?;
        settings.docs.get(&doc).cloned().ok_or(Fault::NoSuchConfiguration(doc.absent()))
    }

    /// Puts a bucket policy, unless it makes the bucket public and a public access block forbids that.
    pub fn put_policy(&self, name: &str, text: &str) -> Result<(), Fault> {
        let policy = Policy::parse(text).map_err(Fault::MalformedPolicy)?;
        let settings = self.bucket(name).ok_or(Fault::NoSuchBucket)?;
        let blocked = settings.block.block_public_policy
            || self.account_block().is_some_and(|account| account.block_public_policy);
        if blocked && policy.is_public() {
            return Err(Fault::AccessDenied);
        }
        self.set(name, |settings| settings.policy = Some(text.to_owned()))
    }
}

const OWNER_ENFORCED: &str = "<OwnershipControls xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";

const SSE_S3: &str = "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>\
<BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>";
