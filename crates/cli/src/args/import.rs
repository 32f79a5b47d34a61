//! The arguments of `import`.

use clap::Args as ClapArgs;
use twinsite_core::{BucketName, Domain, Mode, Region, ResourceId};

use super::SAFETY;

pub(super) const NOTE: &str = "\
Prints what the configuration does not express, and what `apply --adopt` would change. Buckets of a site have names that follow from its \
domain: `apply --adopt` makes a bucket with the domain's name the backup in mode dns and layered; from any other bucket, the site is to be \
deployed again. It takes permissions to read everything that is named; the documentation of permissions has a policy.";

/// What is imported, and where to.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ImportSite {
    /// Bucket [default: that of the distribution, or one with the name of the domain]
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    pub(crate) bucket: Option<BucketName>,
    /// Id of the distribution [default: one with the domain as alias, or with the bucket as origin]
    #[arg(long, value_name = "ID")]
    pub(crate) distribution: Option<ResourceId>,
    /// Domain name of the site [default: an alias of the distribution, or the name of the bucket]
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<Domain>,
    /// Mode: layered, origin or dns [default: the closest to what there is]
    #[arg(long)]
    pub(crate) mode: Option<Mode>,
    /// Region of the primary bucket [default: that of the existing bucket, unless it becomes the backup]
    #[arg(long, value_name = "REGION")]
    pub(crate) primary: Option<Region>,
    /// Region of the backup bucket [default: one on the same continent]
    #[arg(long, value_name = "REGION")]
    pub(crate) backup: Option<Region>,
    /// File to write, or - for stdout [default: the file of --config]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<String>,
    /// Overwrite the file if it exists
    #[arg(long, help_heading = SAFETY)]
    pub(crate) force: bool,
    /// Write nothing
    #[arg(long, help_heading = SAFETY)]
    pub(crate) dry_run: bool,
}

/// Reads `NAME` or `s3://NAME`.
fn bucket(text: &str) -> Result<BucketName, String> {
    let name = text.strip_prefix("s3://").unwrap_or(text).trim_end_matches('/');
    name.parse().map_err(|invalid: twinsite_core::Invalid| invalid.to_string())
}
