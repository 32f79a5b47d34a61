//! What a bucket is like, in one canonical form: AWS's defaults filled in, its order forgotten.

use twinsite_aws::Tags;
use twinsite_core::{BucketName, Pair, Side};

use crate::replication::Replication;
use crate::role::RoleState;

/// A public access block.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "S3 has four switches")]
pub struct Block {
    /// `BlockPublicAcls`.
    pub acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`.
    pub policies: bool,
    /// `RestrictPublicBuckets`.
    pub restrict: bool,
}

/// The parts of a website configuration that twinsite manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Website {
    /// The index document.
    pub index: String,
    /// The error document.
    pub error: Option<String>,
}

/// The lifecycle rules that twinsite manages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// After how many days uploads that were not completed are thrown away.
    pub abort_days: Option<i32>,
    /// After how many days versions that are no longer current expire.
    pub noncurrent_days: Option<i32>,
    /// Whether delete markers go once nothing is behind them.
    pub markers: bool,
}

/// The settings of a bucket that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "settings that are right or not")]
pub struct SideState {
    /// Its tags.
    pub tags: Tags,
    /// True when it keeps versions.
    pub versioned: bool,
    /// True when ACLs are off.
    pub owner_enforced: bool,
    /// True when objects are encrypted with SSE-S3 by default.
    pub sse_s3: bool,
    /// Its public access block; `None` when there is none, which lets everything through.
    pub block: Option<Block>,
    /// Its website configuration.
    pub website: Option<Website>,
    /// Its lifecycle rules.
    pub lifecycle: Lifecycle,
    /// Its policy document.
    pub policy: Option<String>,
    /// Its replication rules.
    pub replication: Replication,
    /// Whether the objects that health checks ask for are there and right.
    pub probes: bool,
}

/// What a bucket's name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: the name is free, as far as can be told.
    Nothing,
    /// A bucket that is not this account's, or that these credentials may not look at.
    Forbidden,
    /// A bucket of this account in another region.
    Elsewhere(String),
    /// A bucket of this account, where it should be.
    Bucket(Box<SideState>),
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The two buckets.
    pub buckets: Pair<Found>,
    /// The account-wide public access block.
    pub account: Option<Block>,
    /// The role that S3 assumes to replicate.
    pub role: Option<RoleState>,
    /// Buckets that twinsite created for this site in another mode, and that are no longer used.
    pub former: Vec<(Side, BucketName)>,
}
