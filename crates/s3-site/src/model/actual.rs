//! The actual state in AWS.

use std::collections::BTreeMap;

use twinsite_aws::Tags;
use twinsite_core::{Arn, BucketName, Domain, Pair, Side};

use super::{Lifecycle, LifecycleRisk, PublicAccessBlock, RedirectBucket, ReplicationRules, Role, Website};

/// The settings of an existing bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketSettings {
    /// Its tags.
    pub tags: Tags,
    /// The status of versioning: `Enabled` or `Suspended`; `None` if it was never enabled.
    pub versioning: Option<String>,
    /// Who owns objects; `BucketOwnerEnforced` if ACLs are disabled.
    pub object_ownership: Option<String>,
    /// How objects are encrypted by default.
    pub encryption: DefaultEncryption,
    /// Its public access block; without one, nothing is blocked.
    pub public_access_block: Option<PublicAccessBlock>,
    /// Its website configuration.
    pub website: Option<Website>,
    /// The host that its website redirects all requests to.
    pub redirects_all_to: Option<String>,
    /// What redirects every request to its website: the setting, in words.
    pub redirects_everything: Option<String>,
    /// The routing rule of its website that redirects requests for probe objects that are missing, in words.
    pub redirects_missing_probes: Option<String>,
    /// Its lifecycle rules.
    pub lifecycle: Lifecycle,
    /// What lifecycle rules that are not managed do to the site.
    pub lifecycle_risks: Vec<LifecycleRisk>,
    /// Its policy, as JSON.
    pub policy: Option<String>,
    /// Its replication rules.
    pub replication: ReplicationRules,
    /// The objects that health checks request, by key, with their content; one that is no short text is given by its size.
    pub health_objects: BTreeMap<String, Option<String>>,
    /// The key value store that is recorded in it; only of the backup.
    pub recorded_store: Option<Arn>,
}

/// An object that has to be restored before it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedObject {
    /// Its key.
    pub key: String,
    /// Its storage class.
    pub class: String,
}

/// How a bucket encrypts objects by default.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DefaultEncryption {
    /// Not at all, as far as the server tells.
    #[default]
    None,
    /// With keys of S3.
    SseS3,
    /// With a key of KMS, in one layer or two.
    Kms {
        /// `aws:kms` or `aws:kms:dsse`.
        algorithm: String,
        /// The key, if it is not the one that AWS manages for S3.
        key: Option<String>,
    },
}

impl DefaultEncryption {
    pub(crate) fn to_property(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::SseS3 => Some("AES256".to_owned()),
            Self::Kms { algorithm, key: None } => Some(algorithm.clone()),
            Self::Kms { algorithm, key: Some(key) } => Some(format!("{algorithm} with {key}")),
        }
    }
}

/// A bucket of the site as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActualBucket {
    /// It does not exist.
    Absent,
    /// The name belongs to another account, or the credentials lack permissions.
    Inaccessible,
    /// It belongs to this account, in another region.
    OtherRegion(String),
    /// It belongs to this account, in the expected region.
    Present(Box<BucketSettings>),
}

/// The actual state of the two buckets of a site, and of the replication between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    /// The two buckets.
    pub buckets: Pair<ActualBucket>,
    /// The public access block of the account.
    pub account_block: Option<PublicAccessBlock>,
    /// The replication role.
    pub role: Option<Role>,
    /// Buckets that were created for the site in another mode and are unused.
    pub former: Vec<FormerBucket>,
    /// The buckets that bear the names of aliases, former ones among them.
    pub redirects: Vec<RedirectBucket>,
    /// The aliases that are recorded in the backup bucket.
    pub recorded_aliases: Vec<Domain>,
}

/// A bucket that was created for the site in another mode and is unused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerBucket {
    /// Its side in that mode.
    pub side: Side,
    /// Its name.
    pub bucket: BucketName,
}

/// What the destruction of a site deletes with its buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Object versions and delete markers in the two buckets.
    pub buckets: Pair<u64>,
    /// The contents of buckets of another mode.
    pub former: Vec<FormerContents>,
    /// The role of an interrupted batch job.
    pub batch_role: Option<Role>,
}

/// The contents of a bucket of another mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerContents {
    /// The bucket.
    pub bucket: FormerBucket,
    /// Its object versions and delete markers.
    pub objects: u64,
}
