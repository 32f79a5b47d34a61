//! What stands in the way, found before anything is changed.

use twinsite_core::{BucketName, Region, Side};

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The name is taken.
    #[error(
        "the {side} bucket `{bucket}` in {region} belongs to somebody else, or these credentials may not look at it"
    )]
    Forbidden {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The region that was asked.
        region: Region,
    },
    /// The bucket is in the wrong region.
    #[error("the {side} bucket `{bucket}` is in {region}")]
    Elsewhere {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// Where it is.
        region: String,
    },
    /// The bucket is this account's, but twinsite did not create it.
    #[error("the {side} bucket `{bucket}` is there already, and twinsite did not create it")]
    Untagged {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
    },
    /// The bucket is another site's.
    #[error("the {side} bucket `{bucket}` belongs to the site `{site}`")]
    OtherSite {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The site.
        site: String,
    },
    /// The account forbids what the mode needs.
    #[error("the account's public access block has {setting} on, which keeps website buckets from being read")]
    AccountBlock {
        /// The setting's AWS name.
        setting: &'static str,
    },
    /// A role of our name is somebody else's.
    #[error("the role `{role}` is there already, and is not this site's")]
    ForeignRole {
        /// Its name.
        role: String,
    },
    /// The bucket replicates already, as another role.
    #[error("the {side} bucket `{bucket}` has replication rules of others, which use the role {role}")]
    OtherReplication {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// Their role.
        role: String,
    },
    /// The policy in place is not one that can be added to.
    #[error("the policy of the {side} bucket `{bucket}` could not be read")]
    OddPolicy {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
    },
}

impl Problem {
    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Forbidden { region, .. } if region.is_opt_in() => {
                "see whether the region is enabled for this account (AWS console, Account, AWS Regions); if it is, check the \
                 credentials, or set another bucket name or domain"
            }
            Self::Forbidden { .. } => "check the credentials, or set another bucket name or domain",
            Self::Elsewhere { .. } => "set the region it is in, or delete it first if nobody needs it",
            Self::Untagged { .. } => "run again with --adopt to hand it over; its content and other settings stay",
            Self::OtherSite { .. } => "two sites cannot share a bucket; check `site.domain`",
            Self::AccountBlock { .. } => {
                "turn it off in the S3 console under Block Public Access settings for this account, or set mode = \"origin\""
            }
            Self::ForeignRole { .. } => "delete or rename it in IAM, if nobody needs it",
            Self::OtherReplication { .. } => {
                "a bucket has one role for all its rules: move theirs to another bucket, or delete them"
            }
            Self::OddPolicy { .. } => "mend or remove the policy by hand",
        }
    }
}

/// Everything that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Unfit(pub Vec<Problem>);
