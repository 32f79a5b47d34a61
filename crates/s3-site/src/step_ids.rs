//! The ids of all steps that this crate plans, for callers that order them relative to the steps of other crates.

use twinsite_core::{Domain, Side, StepId};

/// Creates, updates or deletes the replication role.
pub const ROLE: &str = "replication/role";
/// Updates the trust policy of the replication role.
pub const ROLE_TRUST: &str = "replication/trust";
/// Updates the permissions of the replication role.
pub const ROLE_PERMISSIONS: &str = "replication/permissions";
/// Puts the permissions boundary of the replication role.
pub const ROLE_BOUNDARY: &str = "replication/boundary";
/// Deletes the role of an interrupted batch job.
pub const BATCH_ROLE: &str = "replication/batch-role";

/// Records the aliases of the site, before anything is created for them.
pub const ALIAS_RECORD: &str = "backup/alias-record";
/// Removes former aliases from the record, after everything that was created for them is deleted.
pub const ALIAS_RECORD_REDUCED: &str = "backup/alias-record-reduced";

/// Creates the redirect bucket of an alias, or deletes it with everything in it.
pub fn redirect_bucket(alias: &Domain) -> StepId {
    StepId::new(format!("redirect/{alias}/bucket"))
}

/// Tags the redirect bucket of an alias as adopted, or removes the site's tags from it.
pub fn redirect_tags(alias: &Domain) -> StepId {
    StepId::new(format!("redirect/{alias}/tags"))
}

/// Has the redirect bucket of an alias redirect every request.
pub fn redirect_website(alias: &Domain) -> StepId {
    StepId::new(format!("redirect/{alias}/website"))
}

macro_rules! bucket_steps {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(side: Side) -> StepId {
                StepId::new(format!(concat!("{}/", $text), side))
            }
        )*
    };
}

bucket_steps! {
    /// Creates a bucket, or deletes it with everything in it.
    bucket = "bucket";
    /// Tags an existing bucket as adopted.
    tags = "tags";
    /// Enables versioning.
    versioning = "versioning";
    /// Disables ACLs.
    ownership = "ownership";
    /// Enables default encryption.
    encryption = "encryption";
    /// Puts the public access block.
    public_access_block = "access-block";
    /// Puts the website configuration.
    website = "website";
    /// Puts the lifecycle rules.
    lifecycle = "lifecycle";
    /// Puts the bucket policy.
    policy = "policy";
    /// Puts or deletes the replication rule.
    replication = "replication";
    /// Puts the objects that health checks request.
    health_objects = "probes";
    /// Records the key value store.
    store_record = "store-record";
    /// Removes the site's tags and policy statements from an adopted bucket, which is kept.
    release = "release";
    /// Deletes a bucket that belonged to the site in another mode.
    former_bucket = "former-bucket";
}
