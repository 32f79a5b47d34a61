//! The command line, exactly as it was typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// The default of `--state`.
pub(crate) const DEFAULT_STATE: &str = ".twinsite/local";
/// The default of `--config`.
pub(crate) const DEFAULT_CONFIG: &str = "twinsite.toml";

/// Publish a static site that stays up when an AWS region goes down.
#[derive(Clone, Debug, Parser)]
#[command(name = "twinsite", version, about, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[expect(clippy::struct_excessive_bools, reason = "flags are what was typed")]
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Global {
    /// Use the embedded cloud on this machine instead of AWS
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// Where the embedded cloud keeps its state
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_STATE)]
    pub(crate) state: PathBuf,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub(crate) config: PathBuf,
    /// A profile of the shared AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// One address for all services: an S3 compatible server or emulator
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Write events and results as JSON, a line each, to stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Say nothing but errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Name every object that moves
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Write twinsite.toml
    Init(Init),
    /// Show what `apply` would change, and why
    Plan(Plan),
    /// Create the site, or bring it into the wanted state
    Apply(Apply),
    /// Publish a directory to both regions
    Deploy(Deploy),
    /// Compare both buckets with a directory, or with one another; exit 3 when they differ
    Verify(Verify),
    /// Copy to the backup what replication did not: objects older than its rule, and those it gave up on
    Backfill(Backfill),
    /// List releases, show one, or compare two
    Releases(Releases),
    /// Bring an older release back; no byte is sent, the buckets have them all
    Rollback(Rollback),
    /// Show health, where DNS leads, the certificate, the distribution, both buckets, alarms, and what `apply` would do
    Status(Status),
    /// Delete everything that was created for the site: DNS first, buckets last
    Destroy(Destroy),
    /// Break the primary on purpose, watch visitors move to the backup, and put it back; exit 4 when that took too long
    Drill(Drill),
    /// Send visitors to the backup by hand: one object in its region, and nothing else
    Failover,
    /// Let visitors come back to the primary, once it is well and level
    Failback(Failback),
    /// Certificates that were issued elsewhere
    Cert {
        /// What to do
        #[command(subcommand)]
        command: Cert,
    },
    /// Print the least-privilege policy for a role, computed from the configuration
    IamPolicy(IamPolicy),
    /// Serve the embedded cloud: the services' APIs, name servers, the CDN, both website endpoints, health checks
    Local(Local),
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Answers to the questions of `init`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Init {
    /// The name that visitors type
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// How the site is to survive: dns, origin or layered
    #[arg(long)]
    pub(crate) mode: Option<String>,
    /// The region that serves while all is well
    #[arg(long, value_name = "REGION")]
    pub(crate) primary: Option<String>,
    /// The region that takes over
    #[arg(long, value_name = "REGION")]
    pub(crate) backup: Option<String>,
    /// The error document at the top; empty for none
    #[arg(long, value_name = "KEY")]
    pub(crate) not_found: Option<String>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Plan {
    /// Exit 3 when there is something to do
    #[arg(long)]
    pub(crate) check: bool,
    /// Plan to take over buckets that twinsite did not create
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Apply {
    /// Apply only the plan with this fingerprint
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) expect: Option<String>,
    /// Take over buckets that twinsite did not create
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Destroy {
    /// Delete only buckets that a change of mode has left behind
    #[arg(long)]
    pub(crate) former: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Failback {
    /// Whether the primary is well or not
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Status {
    /// Look again and again, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
}

/// How to break the primary, and how long a failover may take.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Drill {
    /// How: website (turn hosting off), policy (deny everybody), stop-object (say that it is ill), replication (let
    /// the backup fall behind); what fits the mode by default
    #[arg(long, value_name = "HOW")]
    pub(crate) how: Option<String>,
    /// How long it may take until visitors are served by the backup: 180s; what interval, threshold and TTL allow by default
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) objective: Option<u64>,
    /// With --local: how many times faster time runs
    #[arg(long, value_name = "N", requires = "local", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) speed: Option<u32>,
    /// Write a report as one page of HTML
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Put back what an interrupted drill has left broken, and do nothing else
    #[arg(long)]
    pub(crate) restore: bool,
}

/// Reads `180s`, `3m` or `180`.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let number: u64 = number.parse().map_err(|_| "is neither seconds nor minutes, as 180s or 3m".to_owned())?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(|| "is no time".to_owned())
}

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Cert {
    /// Hand a certificate to ACM in us-east-1; again for its renewal, which ACM does not do
    Import(Import),
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Import {
    /// The certificate, in PEM form
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: PathBuf,
    /// The certificates between it and a root, in PEM form
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Option<PathBuf>,
    /// The private key, in PEM form and not encrypted
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// Who needs a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// plan, status, verify
    Reader,
    /// deploy
    Publisher,
    /// apply, destroy, and all of the above
    Applier,
    /// drill, failover, failback, and reading
    Operator,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct IamPolicy {
    /// Who it is for
    #[arg(long, value_enum)]
    pub(crate) role: Role,
    /// Print the trust policy for workflows of this repository instead
    #[arg(long, value_name = "ORG/REPO")]
    pub(crate) github: Option<String>,
    /// The environment that such workflows must run in
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub(crate) environment: String,
    /// The account; asked for unless given
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
}

/// What is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deletes {
    /// Nothing
    None,
    /// What an earlier deploy put there and the directory no longer has
    Owned,
    /// Everything that the directory does not have, but for ignored names
    All,
}

#[derive(Clone, Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags are what was typed")]
pub(crate) struct Deploy {
    /// The directory
    #[arg(default_value = "public")]
    pub(crate) dir: PathBuf,
    /// Show what would be done, and why, for every object
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What to delete
    #[arg(long, value_enum, default_value_t = Deletes::Owned)]
    pub(crate) delete: Deletes,
    /// The most objects to delete, or a share of all: 100 or 25%
    #[arg(long, value_name = "N|P%")]
    pub(crate) max_delete: Option<String>,
    /// Publish a directory that has no index document at its top
    #[arg(long)]
    pub(crate) allow_no_index: bool,
    /// Publish a directory that looks like the root of a project
    #[arg(long)]
    pub(crate) allow_project_root: bool,
    /// Send everything, changed or not
    #[arg(long)]
    pub(crate) force: bool,
    /// Run `apply` first
    #[arg(long)]
    pub(crate) apply: bool,
    /// With --local: serve both websites afterwards
    #[arg(long, requires = "local")]
    pub(crate) serve: bool,
    /// What this release is about
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// The commit that the directory was built from; git is asked unless given
    #[arg(long, value_name = "ID")]
    pub(crate) commit: Option<String>,
    /// Do nothing if a newer commit has been published
    #[arg(long)]
    pub(crate) if_newer: bool,
    /// Look afterwards whether visitors get what was published, through CloudFront and from both origins
    #[arg(long)]
    pub(crate) probe: bool,
    /// Do not, though `publish.probe` says so
    #[arg(long, conflicts_with_all = ["probe", "rollback_on_failure"])]
    pub(crate) no_probe: bool,
    /// If they do not, bring the release before back; implies --probe
    #[arg(long)]
    pub(crate) rollback_on_failure: bool,
    #[command(flatten)]
    pub(crate) publish: Publish,
}

/// What everything that publishes takes.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Publish {
    /// Wait until every edge of CloudFront has forgotten what changed
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long replication is waited for, before what is late is copied
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60s")]
    pub(crate) parity_timeout: u64,
    /// How long to wait while somebody else publishes
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5m")]
    pub(crate) lock_timeout: u64,
}

/// How objects are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Batch above `publish.batch_above` objects, else copies
    Auto,
    /// A copy request for each object
    Copy,
    /// A job of S3 Batch Replication
    Batch,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Backfill {
    /// Show what would be copied, and why
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    pub(crate) engine: Engine,
    /// Copy older versions as well, so that older releases can be brought back from the backup; a batch job always does
    #[arg(long)]
    pub(crate) versions: bool,
    /// How long to wait while somebody publishes
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5m")]
    pub(crate) lock_timeout: u64,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Releases {
    /// Show this one, object by object
    pub(crate) id: Option<String>,
    /// Compare it with this later one
    #[arg(requires = "id")]
    pub(crate) other: Option<String>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Rollback {
    /// The release; the one before the newest by default
    pub(crate) id: Option<String>,
    /// Show what would be done, and why, for every object
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Why
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// The most objects to delete, or a share of all: 100 or 25%
    #[arg(long, value_name = "N|P%")]
    pub(crate) max_delete: Option<String>,
    #[command(flatten)]
    pub(crate) publish: Publish,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Verify {
    /// The directory; without it the buckets are compared with one another
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Local {
    /// The port of the services' APIs; any free one by default
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// The port of the name servers; any free one by default
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) dns_port: u16,
    /// What stands for port 80; any free one by default
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) http_port: u16,
    /// What stands for port 443; any free one by default
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) https_port: u16,
    /// How many times faster time runs: health checks, TTLs, caches
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) speed: u32,
    /// Keep everything in memory, and forget it at the end
    #[arg(long)]
    pub(crate) memory: bool,
}
