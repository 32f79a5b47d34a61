//! Checks and chores of the workspace: `cargo xtask --help`.
#![expect(clippy::print_stderr, reason = "a command line talks to people on stderr")]

mod ci;
mod conformance;
mod deploy_site;
mod interop;
mod lint;
mod process;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Checks and chores of the twinsite workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lint, test and conformance, as CI runs them.
    Ci,
    /// The tests that run against moto, and our buckets read by other tools.
    Conformance,
    /// Build the `twinsite` binary and run `twinsite deploy --apply`.
    DeploySite {
        /// Directory and further arguments of `twinsite deploy`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        args: Vec<String>,
    },
    /// Formatting, clippy, documentation, tidy; cargo-deny if installed.
    Lint,
    /// All tests that need only cargo.
    Test {
        /// Passed on to nextest or to `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The house's own checks.
    Tidy,
}

fn main() -> ExitCode {
    run(Args::parse().command).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Ci => ci::run()?,
        Command::Conformance => conformance::run()?,
        Command::DeploySite { args } => return deploy_site::run(&args),
        Command::Lint => lint::run()?,
        Command::Test { args } => test::run(&args)?,
        Command::Tidy => tidy::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
