//! The command line, exactly as it was typed.

mod drill;
mod import;
mod policy;
mod pull;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use twinsite_site::Prefix;

use drill::seconds;
pub(crate) use drill::{Drill, Scheduler};
pub(crate) use import::ImportSite;
use policy::POLICY_NOTE;
pub(crate) use policy::{GitHubIds, IamPolicy, Role};
use pull::PULL_NOTE;
pub(crate) use pull::{Diff, Pull};

/// The default of `--state`.
pub(crate) const DEFAULT_STATE: &str = ".twinsite/local";
/// The default of `--config`.
pub(crate) const DEFAULT_CONFIG: &str = "twinsite.toml";

/// The headings of `--help`.
const GLOBAL: &str = "Global options";
const CONTENT: &str = "What is published";
const SAFETY: &str = "Safety";
const SITE: &str = "Site";
const WAITING: &str = "Waiting";
const BUCKETS: &str = "Plain buckets instead of a configured site";

/// Publish a static site that stays up when an AWS region goes down.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "twinsite",
    version,
    about,
    max_term_width = 100,
    disable_help_flag = true,
    disable_version_flag = true
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    /// Print the version
    #[arg(long, short = 'V', action = ArgAction::Version, help_heading = GLOBAL)]
    pub(crate) version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[expect(clippy::struct_excessive_bools, reason = "flags are what was typed")]
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Global {
    /// Use the embedded cloud on this machine instead of AWS
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) local: bool,
    /// Directory in which the embedded cloud keeps its state
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_STATE, help_heading = GLOBAL)]
    pub(crate) state: PathBuf,
    /// How the embedded cloud behaves from now on: `aws` delays, refuses and throttles as AWS does, `storm` more so
    #[arg(long, global = true, value_name = "WEATHER", value_enum, help_heading = GLOBAL)]
    pub(crate) weather: Option<Weather>,
    /// Seed of what is left to chance in that weather, to repeat it
    #[arg(long, global = true, value_name = "N", help_heading = GLOBAL)]
    pub(crate) weather_seed: Option<u64>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_CONFIG, help_heading = GLOBAL)]
    pub(crate) config: PathBuf,
    /// Environment of the configuration file, such as `staging`: its tables `[env.NAME.…]` override the others
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = GLOBAL)]
    pub(crate) env: Option<String>,
    /// Profile of the shared AWS configuration
    #[arg(long, global = true, value_name = "NAME", help_heading = GLOBAL)]
    pub(crate) profile: Option<String>,
    /// Send the requests of all services to this URL: an S3 compatible server or an emulator of AWS
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    pub(crate) endpoint_url: Option<String>,
    /// Write events, the result and errors to stdout, one JSON object per line
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Answer every confirmation with yes
    #[arg(long, short = 'y', global = true, help_heading = GLOBAL)]
    pub(crate) yes: bool,
    /// Print errors only
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    pub(crate) quiet: bool,
    /// Print every object that is changed, and long lists in full
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    pub(crate) verbose: bool,
    /// Print help
    #[arg(long, short, global = true, action = ArgAction::Help, help_heading = GLOBAL)]
    pub(crate) help: Option<bool>,
}

/// How the embedded cloud behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Weather {
    Calm,
    Aws,
    Storm,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a configuration file; on a terminal, ask for what no option has said
    Init(Init),
    /// Write a configuration file from a bucket and a distribution that exist; nothing is changed in AWS
    #[command(after_help = import::NOTE)]
    Import(ImportSite),
    /// Show what `apply` would change, and why
    Plan(Plan),
    /// Create the site, or change it to match its configuration
    Apply(Apply),
    /// Publish a directory to both buckets
    Deploy(Deploy),
    /// Compare both buckets with a directory, or with each other; exit code 3 if they differ
    Verify(Verify),
    /// Copy to the backup what replication did not: objects older than its rule, and failed ones
    Backfill(Backfill),
    /// List releases, show one, or compare two
    Releases(Releases),
    /// Publish an older release again; nothing is uploaded, because the buckets keep its objects
    Rollback(Rollback),
    /// Write the files of a release into a directory
    #[command(after_help = PULL_NOTE)]
    Pull(Pull),
    /// Show what a deploy of a directory would change, with the changed lines of text files
    Diff(Diff),
    /// Show within five seconds what visitors get, what works, what does not and what cannot be reached, and what to do next; exit code
    /// 5 if something is wrong, 6 if not everything could be read
    Status(Status),
    /// Check within ten seconds what the site depends on: credentials, permissions, clock, regions, DNS, certificate, drift, backup; exit
    /// code 5 for a problem, 6 if something could not be asked
    #[command(after_help = DOCTOR_NOTE)]
    Doctor(Doctor),
    /// Delete everything that was created for the site: DNS first, buckets last
    Destroy(Destroy),
    /// Take the primary down, measure the failover, and restore it; exit code 4 if it took too long
    Drill(Drill),
    /// List the drills of the past, each compared with the one of the same kind before it
    Drills,
    /// Send visitors to the backup by hand
    #[command(after_help = FAILOVER_NOTE)]
    Failover(Failover),
    /// Send visitors back to the primary, all or a share of them, if it is healthy and in sync
    #[command(after_help = FAILBACK_NOTE)]
    Failback(Failback),
    /// Manage certificates that were issued elsewhere
    Cert {
        /// What to do
        #[command(subcommand)]
        command: Cert,
    },
    /// Manage passwords of protected paths
    Auth {
        /// What to do
        #[command(subcommand)]
        command: Auth,
    },
    /// Print the least-privilege IAM policy of a role, derived from the configuration
    #[command(after_help = POLICY_NOTE)]
    IamPolicy(IamPolicy),
    /// Serve the embedded cloud: APIs, name servers, CDN edges and website endpoints
    Local(Local),
    /// Print a completion script
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Write man pages of all commands into a directory
    Man {
        /// Directory; it is created if it is missing
        dir: PathBuf,
    },
}

const DOCTOR_NOTE: &str = "\
Every check is made at once, has a deadline of its own, and ends as ok, warning, problem or unknown, with one next step. Nothing is changed: \
whether the credentials may make changes is not tried. The policy of the role reader is enough (`twinsite iam-policy --role reader`).

It is for configured sites. Of plain buckets, `verify --bucket` says whether they can be read and are in sync.";

const FAILOVER_NOTE: &str = "\
In mode origin and layered, puts a value into the site's CloudFront KeyValueStore: edges serve from the backup within seconds, over HTTPS. \
In mode dns, and with --dns in layered, puts one object into the backup bucket, so that DNS leads to it within minutes, over HTTP. Both work \
while the primary region and the control planes of CloudFront and Route 53 are unavailable. For the same reason it does not warn about an \
interrupted drill, as other commands do.

What edges hold is served until its age, unless CloudFront accepts an invalidation, which is asked for. Repeating the command is harmless.";

const FAILBACK_NOTE: &str = "\
With --percent 10, one in ten visitors is served by the primary, always the same ones by their IP address; what edges hold is shared by all \
visitors. Repeat it with more, and at last without --percent.";

/// Answers to the questions of `init`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Init {
    /// Domain name of the site
    #[arg(long)]
    pub(crate) domain: Option<String>,
    /// How the site fails over: layered, origin or dns
    #[arg(long)]
    pub(crate) mode: Option<String>,
    /// Region that serves the site normally
    #[arg(long, value_name = "REGION")]
    pub(crate) primary: Option<String>,
    /// Region that takes over if the primary fails
    #[arg(long, value_name = "REGION")]
    pub(crate) backup: Option<String>,
    /// Directory with the built site [default: that of the generator whose files are found, else public]
    #[arg(long)]
    pub(crate) dir: Option<String>,
    /// Document for missing pages; empty for none
    #[arg(long, value_name = "KEY")]
    pub(crate) not_found: Option<String>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Plan {
    /// Exit with code 3 if any step is pending
    #[arg(long)]
    pub(crate) check: bool,
    /// Plan to adopt existing buckets, and a distribution with the domain as alias, that twinsite did not create
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Apply {
    /// Apply the plan with this fingerprint, or nothing; `plan` prints it. Does not ask for confirmation
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) expect: Option<String>,
    /// Adopt existing buckets, and a distribution with the domain as alias, that twinsite did not create
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Destroy {
    /// Delete only buckets that remain from a change of mode
    #[arg(long)]
    pub(crate) former: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Failover {
    /// By DNS, also in mode layered: for an outage of CloudFront itself
    #[arg(long)]
    pub(crate) dns: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Failback {
    /// Only what `failover --dns` has done
    #[arg(long, conflicts_with = "percent")]
    pub(crate) dns: bool,
    /// So many of a hundred visitors, 1 to 100; in mode origin and layered
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) percent: Option<u8>,
    /// Even if the primary is unhealthy or out of sync
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Status {
    /// Repeat every 10 seconds until interrupted: on a terminal in place, elsewhere whenever something has changed
    #[arg(long)]
    pub(crate) watch: bool,
    /// Write a self-contained HTML page, too, with `--watch` each time
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// Directory that is to be published: whether it exists and is fit to be
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// What to do with passwords.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Auth {
    /// Read a password from the terminal or from standard input, and print the hash for `users` in twinsite.toml
    Hash,
}

/// What to do with certificates.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Cert {
    /// Import a certificate into ACM in us-east-1, or its renewal; ACM does not renew it
    Import(Import),
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Import {
    /// Certificate in PEM format
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: PathBuf,
    /// Intermediate certificates in PEM format
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Option<PathBuf>,
    /// Private key in PEM format, not encrypted
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// Plain buckets instead of a configured site.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct BucketArgs {
    /// Use this bucket, of S3 or of another store with its API, and no configured site; a second one is its backup. Written as
    /// `s3://NAME` or `s3://NAME?endpoint=URL&region=REGION&profile=NAME`
    #[arg(long, value_name = "URL", conflicts_with = "local", help_heading = BUCKETS)]
    pub(crate) bucket: Vec<String>,
    /// Region of the buckets [default: that of each bucket, if the store tells, or that of the environment]
    #[arg(long, value_name = "REGION", requires = "bucket", help_heading = BUCKETS)]
    pub(crate) region: Option<String>,
}

impl BucketArgs {
    /// Whether any bucket is named.
    pub(crate) fn is_given(&self) -> bool {
        !self.bucket.is_empty()
    }
}

/// The part of the buckets that a command is about.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct PrefixArgs {
    /// Only what is below this prefix, such as `docs/`: it has a manifest, releases and a lock of its own, and everything else is left as
    /// it is [default: the main site, which has everything that is not below a prefix]
    #[arg(long, value_name = "PREFIX", help_heading = CONTENT)]
    pub(crate) prefix: Option<Prefix>,
}

/// What is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deletes {
    /// Nothing
    None,
    /// Objects that an earlier deploy uploaded and the directory no longer contains
    Owned,
    /// All objects that the directory does not contain, except ignored names
    All,
}

#[derive(Clone, Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "flags are what was typed")]
pub(crate) struct Deploy {
    /// Directory to publish, or an archive of one: a TAR, plain or compressed with gzip, or a ZIP; `-` reads a TAR from standard input
    #[arg(default_value = "public")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
    /// With --prefix, the first time: take over what the main site has below the prefix
    #[arg(long, requires = "prefix", help_heading = SAFETY)]
    pub(crate) take_over: bool,
    /// Run `apply` first, without asking for confirmation
    #[arg(long, conflicts_with_all = ["bucket", "prefix"], help_heading = SITE)]
    pub(crate) apply: bool,
    /// With --local: serve the site afterwards
    #[arg(long, requires = "local", help_heading = SITE)]
    pub(crate) serve: bool,
    /// Upload every file, whether changed or not
    #[arg(long, help_heading = CONTENT)]
    pub(crate) force: bool,
    /// Which objects that the directory does not contain are deleted: none, owned (those that an earlier deploy uploaded)
    /// or all (except ignored names)
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Deletes::Owned, hide_possible_values = true, help_heading = CONTENT)]
    pub(crate) delete: Deletes,
    /// Description of the release
    #[arg(long, short, value_name = "TEXT", help_heading = CONTENT)]
    pub(crate) message: Option<String>,
    /// Commit from which the directory was built [default: the one that git reports]
    #[arg(long, value_name = "ID", help_heading = CONTENT)]
    pub(crate) commit: Option<String>,
    /// Publish nothing if the live release was built from a newer commit
    #[arg(long, help_heading = CONTENT)]
    pub(crate) if_newer: bool,
    /// Afterwards remove every version of this key from both buckets, for good, and invalidate its paths; asks for confirmation. The
    /// directory must not contain it. May be repeated
    #[arg(long, value_name = "KEY", conflicts_with = "bucket", help_heading = CONTENT)]
    pub(crate) purge: Vec<String>,
    /// Show what would be changed, and why, for every object; change nothing
    #[arg(long, help_heading = SAFETY)]
    pub(crate) dry_run: bool,
    /// Refuse to delete more objects than this, as a number or a share of all: 100 or 25%
    #[arg(long, value_name = "N|P%", help_heading = SAFETY)]
    pub(crate) max_delete: Option<String>,
    /// Publish a directory that has no index document at its top
    #[arg(long, help_heading = SAFETY)]
    pub(crate) allow_no_index: bool,
    /// Publish a directory that looks like the root of a project
    #[arg(long, help_heading = SAFETY)]
    pub(crate) allow_project_root: bool,
    /// Afterwards request the entry pages through CloudFront and from both origins, and compare them with what was published
    #[arg(long, conflicts_with = "bucket", help_heading = SAFETY)]
    pub(crate) probe: bool,
    /// Skip the probe even if `publish.probe` is set
    #[arg(long, conflicts_with_all = ["probe", "rollback_on_failure"], help_heading = SAFETY)]
    pub(crate) no_probe: bool,
    /// Publish the previous release again if the probe fails; implies --probe
    #[arg(long, conflicts_with = "bucket", help_heading = SAFETY)]
    pub(crate) rollback_on_failure: bool,
    #[command(flatten)]
    pub(crate) publish: Publish,
    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
    /// Invalidate what has changed in this CloudFront distribution
    #[arg(long, value_name = "ID", requires = "bucket", help_heading = BUCKETS)]
    pub(crate) distribution: Option<String>,
}

/// What everything that publishes takes.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Publish {
    /// Wait until CloudFront has completed the invalidation
    #[arg(long, help_heading = WAITING)]
    pub(crate) wait: bool,
    /// How long to wait for replication before late objects are copied
    #[arg(long, value_name = "DURATION", value_parser = seconds, default_value = "60s", help_heading = WAITING)]
    pub(crate) parity_timeout: u64,
    /// How long to wait while another deploy holds the lock
    #[arg(long, value_name = "DURATION", value_parser = seconds, default_value = "5m", help_heading = WAITING)]
    pub(crate) lock_timeout: u64,
}

/// How objects are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Batch above `publish.batch_above` objects, otherwise copy
    Auto,
    /// One copy request per object
    Copy,
    /// A job of S3 Batch Replication, which is charged for
    Batch,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Backfill {
    /// Show what would be copied, and why; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How objects are copied: copy (one request per object), batch (a job of S3 Batch Replication, which is charged for)
    /// or auto (batch above `publish.batch_above` objects)
    #[arg(long, value_enum, default_value_t = Engine::Auto, hide_possible_values = true)]
    pub(crate) engine: Engine,
    /// Also copy noncurrent versions, so that the backup alone can be rolled back; a batch job always copies them
    #[arg(long)]
    pub(crate) versions: bool,
    /// How long to wait while another deploy holds the lock
    #[arg(long, value_name = "DURATION", value_parser = seconds, default_value = "5m")]
    pub(crate) lock_timeout: u64,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Releases {
    /// Release to show
    pub(crate) id: Option<String>,
    /// Later release to compare it with
    #[arg(requires = "id")]
    pub(crate) other: Option<String>,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Rollback {
    /// Release to publish again [default: the one before the live release]
    pub(crate) id: Option<String>,
    /// Show what would be changed, and why, for every object; change nothing
    #[arg(long, help_heading = SAFETY)]
    pub(crate) dry_run: bool,
    /// Description of the new release
    #[arg(long, short, value_name = "TEXT", help_heading = CONTENT)]
    pub(crate) message: Option<String>,
    /// Refuse to delete more objects than this, as a number or a share of all: 100 or 25%
    #[arg(long, value_name = "N|P%", help_heading = SAFETY)]
    pub(crate) max_delete: Option<String>,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
    #[command(flatten)]
    pub(crate) publish: Publish,
    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
    /// Invalidate what has changed in this CloudFront distribution
    #[arg(long, value_name = "ID", requires = "bucket", help_heading = BUCKETS)]
    pub(crate) distribution: Option<String>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Verify {
    /// Directory to compare the buckets with [default: compare them with each other]
    pub(crate) dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) scope: PrefixArgs,
    #[command(flatten)]
    pub(crate) buckets: BucketArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Local {
    /// Port of all APIs; 0 for any free port
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Port of the name servers; 0 for any free port
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) dns_port: u16,
    /// Port that stands for 80; 0 for any free port
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) http_port: u16,
    /// Port that stands for 443; 0 for any free port
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) https_port: u16,
    /// Run time this many times as fast, up to 100: health checks, TTLs, caches
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) speed: u32,
    /// Keep the state in memory and discard it at the end
    #[arg(long)]
    pub(crate) memory: bool,
}
