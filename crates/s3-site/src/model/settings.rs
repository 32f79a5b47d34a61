//! Settings of a bucket, in one normalized form: defaults of AWS filled in, order ignored.

use super::properties::{Property, set};

/// A public access block.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "S3 has four switches")]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_public_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_public_acls: bool,
    /// `BlockPublicPolicy`.
    pub block_public_policy: bool,
    /// `RestrictPublicBuckets`.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    pub(crate) fn properties(self) -> [Property; 4] {
        let Self { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } = self;
        [
            set("BlockPublicAcls", &block_public_acls),
            set("IgnorePublicAcls", &ignore_public_acls),
            set("BlockPublicPolicy", &block_public_policy),
            set("RestrictPublicBuckets", &restrict_public_buckets),
        ]
    }
}

/// The managed lifecycle rules.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Days after which incomplete multipart uploads are aborted; `None` if they are not.
    pub abort_uploads_after_days: Option<i32>,
    /// Whether delete markers without noncurrent versions are removed, and nothing else expires.
    pub expire_delete_markers: bool,
}

impl Lifecycle {
    /// The desired rules. Noncurrent versions do not expire by age: a deploy deletes those that no kept release refers to.
    pub(crate) const DESIRED: Self = Self { abort_uploads_after_days: Some(7), expire_delete_markers: true };

    pub(crate) fn properties(self) -> [Property; 2] {
        let Self { abort_uploads_after_days, expire_delete_markers } = self;
        [
            ("AbortIncompleteMultipartUpload", abort_uploads_after_days.map(|days| format!("{days} days"))),
            ("ExpiredObjectDeleteMarker", expire_delete_markers.then(|| "true".to_owned())),
        ]
    }
}
