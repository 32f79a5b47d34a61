//! The desired state of the two buckets.

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Arn, Deferred, Domain, Pair, Side, Site};

use super::{PublicAccessBlock, ReplicationRule, Website, bucket_arn, role_arn};

/// Whether an existing bucket without the site's tags may become part of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// It may not: it is a conflict.
    #[default]
    Refuse,
    /// It is tagged as adopted and configured. It is kept when the site is destroyed.
    Adopt,
}

/// The desired state of the two buckets of a site, and of the replication between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// Names that were aliases of the site: their redirect buckets are deleted.
    pub former_aliases: Vec<Domain>,
    /// The index document of folders.
    pub index: String,
    /// The error document for missing pages.
    pub not_found: Option<String>,
    /// Whether existing buckets may become part of the site.
    pub adopt: Adopt,
    /// Whether objects of the backup are replicated to the primary, too, for publishing to the backup during an outage.
    pub replicate_back: bool,
    /// Whether S3 Replication Time Control is on: replication within 15 minutes, at an extra price.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html>
    pub time_control: bool,
    /// The role that S3 assumes to replicate, if it is not twinsite that creates one. It is also that of batch jobs.
    pub replication_role: Option<Arn>,
    /// The permissions boundary of the roles that twinsite creates. If `None`, AWS's managed policy `AmazonS3FullAccess`: then whoever
    /// may change these roles cannot give them anything but S3.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>
    pub permissions_boundary: Option<Arn>,
    /// Tags of the owner, beside those by which twinsite recognises its resources. They are set when a resource is created, and
    /// not changed afterwards.
    pub tags: Tags,
    /// The keys of KMS that objects are encrypted with, by their ARNs, if they are.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html>
    pub kms_keys: Option<Pair<String>>,
    /// The distribution that may read private buckets; nobody else may.
    pub distribution_arn: Option<Deferred<Arn>>,
    /// The key value store of the site, which is recorded in the backup bucket.
    pub key_value_store: Option<Deferred<Arn>>,
}

impl Desired {
    /// The defaults for a site.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            former_aliases: Vec::new(),
            index: "index.html".to_owned(),
            not_found: Some("404.html".to_owned()),
            adopt: Adopt::default(),
            replicate_back: false,
            time_control: false,
            replication_role: None,
            permissions_boundary: None,
            tags: Tags::new(),
            kms_keys: None,
            distribution_arn: None,
            key_value_store: None,
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone()).with_tags(self.tags.clone())
    }

    /// The ARN of the role that S3 assumes to replicate.
    pub(crate) fn replication_role_arn(&self) -> String {
        self.replication_role.as_ref().map_or_else(|| role_arn(&self.site), ToString::to_string)
    }

    /// The ARN of the permissions boundary of the roles that are created.
    pub fn boundary_arn(&self) -> String {
        let partition = self.site.regions.primary.partition();
        let default = || format!("arn:{partition}:iam::aws:policy/AmazonS3FullAccess");
        self.permissions_boundary.as_ref().map_or_else(default, ToString::to_string)
    }

    /// ACLs never make anything public; policies may, if the website endpoints are used.
    pub(crate) fn public_access_block(&self) -> PublicAccessBlock {
        let private = !self.site.mode.public_buckets();
        PublicAccessBlock {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: private,
            restrict_public_buckets: private,
        }
    }

    pub(crate) fn website(&self) -> Option<Website> {
        let website = Website { index_document: self.index.clone(), error_document: self.not_found.clone() };
        self.site.mode.public_buckets().then_some(website)
    }

    /// The rule of one bucket; the backup has one only if objects are replicated back.
    pub(crate) fn replication_rule(&self, side: Side) -> Option<ReplicationRule> {
        (side == Side::Primary || self.replicate_back).then(|| ReplicationRule {
            role: self.replication_role_arn(),
            destination: bucket_arn(&self.site, side.other()),
            enabled: true,
            delete_markers: true,
            replica_modifications: self.replicate_back,
            metrics: true,
            time_control: self.time_control,
            replica_kms_key: self.kms_keys.as_ref().map(|keys| keys.get(side.other()).clone()),
            all_objects: true,
        })
    }
}
