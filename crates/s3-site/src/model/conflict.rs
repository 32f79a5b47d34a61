//! Conflicts: preconditions of a plan that do not hold, found before anything is changed.

use twinsite_core::{BucketName, Region, Side};

use super::RedirectProblem;

/// A reason why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The bucket's name is taken by another account, or the credentials lack permissions.
    #[error(
        "the {side} bucket `{bucket}` in {region} belongs to another account, or these credentials may not read it"
    )]
    Inaccessible {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The region that was queried.
        region: Region,
    },
    /// The bucket is in another region.
    #[error("the {side} bucket `{bucket}` is in {region}")]
    OtherRegion {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// Its region.
        region: String,
    },
    /// The bucket belongs to this account, but was not created by twinsite.
    #[error("the {side} bucket `{bucket}` exists, and twinsite did not create it")]
    Untagged {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
    },
    /// The bucket belongs to another site.
    #[error("the {side} bucket `{bucket}` belongs to the site `{site}`")]
    OtherSite {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The other site's domain.
        site: String,
    },
    /// The bucket that bears the name of an alias cannot redirect its visitors.
    #[error("the bucket `{bucket}`, which has to redirect visitors of this alias after a DNS failover, {problem}")]
    RedirectBucket {
        /// The bucket.
        bucket: BucketName,
        /// Why not.
        problem: RedirectProblem,
    },
    /// The account's public access block forbids website buckets.
    #[error("the account's public access block has {setting} on, which keeps website buckets from being read")]
    AccountBlock {
        /// The setting's AWS name.
        setting: &'static str,
    },
    /// A role with the name of the replication role does not belong to the site.
    #[error("the role `{role}` exists and does not belong to this site")]
    ForeignRole {
        /// The role's name.
        role: String,
    },
    /// The bucket has other replication rules with another role.
    #[error("the {side} bucket `{bucket}` has other replication rules, which use the role {role}")]
    OtherReplication {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
        /// The ARN of their role.
        role: String,
    },
    /// The bucket's policy is not a policy document, so no statement can be added.
    #[error("the policy of the {side} bucket `{bucket}` is not a valid policy document")]
    InvalidPolicy {
        /// The side.
        side: Side,
        /// The bucket.
        bucket: BucketName,
    },
}

impl Conflict {
    /// How to resolve it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Inaccessible { region, .. } if region.is_opt_in() => {
                "see whether the region is enabled for this account (AWS console, Account, AWS Regions); if it is, check the \
                 credentials, or set another bucket name or domain"
            }
            Self::Inaccessible { .. } => "check the credentials, or set another bucket name or domain",
            Self::OtherRegion { .. } => "set the region it is in, or delete it first if nobody needs it",
            Self::Untagged { .. } => "run again with --adopt to hand it over; its content and other settings stay",
            Self::RedirectBucket { problem: RedirectProblem::Untagged, .. } => {
                "run again with --adopt to hand it over: its website will redirect every request; its objects stay"
            }
            Self::RedirectBucket { problem: RedirectProblem::OtherRegion(_), .. } => {
                "delete it if nobody needs it, remove the alias from `site.aliases`, or set mode = \"origin\", which needs no such bucket"
            }
            Self::RedirectBucket { .. } => {
                "remove the alias from `site.aliases`, or set mode = \"origin\", which needs no such bucket"
            }
            Self::OtherSite { .. } => "two sites cannot share a bucket; check `site.domain`",
            Self::AccountBlock { .. } => {
                "turn it off in the S3 console under Block Public Access settings for this account, or set mode = \"origin\""
            }
            Self::ForeignRole { .. } => "delete or rename it in IAM, if nobody needs it",
            Self::OtherReplication { .. } => {
                "a bucket has one role for all its rules: move theirs to another bucket, or delete them"
            }
            Self::InvalidPolicy { .. } => "correct or delete the policy",
        }
    }
}

/// All conflicts of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Conflicts(pub Vec<Conflict>);
