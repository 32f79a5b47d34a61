//! Arguments of `pull` and `diff`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{BucketArgs, PrefixArgs};

pub(super) const PULL_NOTE: &str = "\
Files that have the bytes of their objects are left as they are, so that repeating an interrupted pull finishes it. Objects come from the \
active side; what it lacks, or if it does not answer, from the other one. Of a bucket that has no releases, as one that twinsite did not \
publish to, the current objects are pulled. Redirect objects are no files; headers are not part of files.";

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Pull {
    /// Directory to write the files into; it is created if it is missing
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Release to pull [default: the live one]
    #[arg(long, value_name = "ID")]
    pub(crate) release: Option<String>,
    /// Replace files that exist and have other content
    #[arg(long)]
    pub(crate) force: bool,
    /// Show what would be written; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Diff {
    /// Directory to compare
    #[arg(value_name = "DIR", default_value = "public")]
    pub(crate) dir: PathBuf,
    /// Only list the files that differ
    #[arg(long)]
    pub(crate) names: bool,
    /// Exit with code 3 if anything differs
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
}
