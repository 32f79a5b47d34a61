//! The arguments of `drill`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// How to break the primary, and how long a failover may take.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Drill {
    /// Outage: website (turn website hosting off), policy (deny public reads), switch (move DNS by the failover switch),
    /// replication (disable the replication rule); with --local also region (the primary region refuses connections),
    /// silence (it accepts them and never answers), cdn (CloudFront is out; mode layered) [default: policy in mode
    /// origin, else website]
    #[arg(long, value_name = "OUTAGE")]
    pub(crate) how: Option<String>,
    /// Longest acceptable time until the backup serves visitors, as 180s or 3m [default: the upper bound that follows
    /// from the health check interval, the failure threshold and the TTL]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    pub(crate) objective: Option<u64>,
    /// With --local: run time this many times as fast, up to 100 [default: 10]
    #[arg(long, value_name = "N", requires = "local", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) speed: Option<u32>,
    /// Write a self-contained HTML report
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write a report in Markdown, for a pull request or the summary of a job
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Print what runs this drill every week and keeps its report: a workflow of GitHub Actions, a line for a crontab, or a
    /// template of CloudFormation with EventBridge Scheduler and CodeBuild; nothing is read or changed
    #[arg(long, value_name = "SCHEDULER", conflicts_with_all = ["restore", "html", "markdown", "local"])]
    pub(crate) schedule: Option<Scheduler>,
    /// Only restore what an interrupted drill has left broken
    #[arg(long)]
    pub(crate) restore: bool,
}

/// What runs drills regularly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheduler {
    #[value(name = "github")]
    GitHub,
    Cron,
    #[value(name = "eventbridge")]
    EventBridge,
}

/// Reads `180s`, `3m` or `180`.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let number: u64 =
        number.parse().map_err(|_| "is not a duration in seconds or minutes, such as 180s or 3m".to_owned())?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(|| "is not a valid duration".to_owned())
}
