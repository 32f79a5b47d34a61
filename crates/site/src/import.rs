//! Reads an existing bucket and distribution, and writes the configuration that leaves them as they are.

mod choice;
mod facts;
mod redirects;
mod settings;
mod text;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{BucketName, Domain, Mode, Region, ResourceId, Run};

use crate::context::Environment;
use crate::error::Error;

const OPERATION: &str = "import the site";

/// What is imported: at least one of bucket, distribution and domain.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// The bucket.
    pub bucket: Option<BucketName>,
    /// The distribution. By default one with the domain as alias, or with the bucket as origin, is looked for.
    pub distribution: Option<ResourceId>,
    /// The domain of the site. By default an alias of the distribution, or the name of the bucket.
    pub domain: Option<Domain>,
    /// The mode. By default the one that is closest to what there is.
    pub mode: Option<Mode>,
    /// The region of the primary bucket. By default that of the existing bucket, unless it becomes the backup.
    pub primary: Option<Region>,
    /// The region of the backup bucket.
    pub backup: Option<Region>,
}

/// The configuration of an existing site, and what it does not say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Imported {
    /// The domain of the site.
    pub domain: String,
    /// The mode.
    pub mode: String,
    /// The bucket that was read; `null` if the distribution has none of this account.
    pub bucket: Option<ImportedBucket>,
    /// The id of the distribution that was read; `null` if there is none.
    pub distribution: Option<String>,
    /// The id of the hosted zone; `null` if none of this account contains the domain.
    pub zone: Option<String>,
    /// The keys that were set, in the order of the file.
    pub settings: Vec<ImportedSetting>,
    /// What the configuration does not express.
    pub not_expressed: Vec<NotExpressed>,
    /// The text of `twinsite.toml`.
    pub configuration: String,
}

/// A bucket that was read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ImportedBucket {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Whether it becomes a bucket of the site. Buckets of a site have names that follow from its domain: from another bucket, the site
    /// is to be deployed again.
    pub adopted: bool,
}

/// A key of the configuration that was set.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ImportedSetting {
    /// The key: `cdn.price_class`.
    pub key: String,
    /// The value, as TOML.
    pub value: String,
    /// What it was read from, or why it has this value.
    pub from: String,
}

/// A setting that no key expresses.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct NotExpressed {
    /// What has it: `distribution E1ABC`, `bucket www.example.com`.
    pub of: String,
    /// The setting, as AWS names it.
    pub setting: String,
    /// Its value.
    pub value: String,
    /// What `apply --adopt` does to it.
    pub effect: Effect,
    /// What to do, if anything.
    pub note: Option<String>,
}

/// What `apply --adopt` does to a setting that the configuration does not express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Effect {
    /// It stays.
    Kept,
    /// twinsite's own takes its place.
    Replaced,
    /// It stays where it is, and the site does not use it.
    Unused,
}

impl Effect {
    /// The word in messages and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Replaced => "replaced",
            Self::Unused => "unused",
        }
    }
}

/// Reads what there is, and returns the configuration that leaves it as it is. Nothing is changed.
///
/// # Errors
/// Nothing was named; a bucket or a distribution that does not exist or cannot be read; no domain can be told from them; calls that failed.
pub async fn import(request: &ImportRequest, environment: Environment, run: &Run) -> Result<Imported, Error> {
    let facts = Box::pin(facts::read(request, environment, run)).await?;
    settings::configuration(request, &facts)
}
