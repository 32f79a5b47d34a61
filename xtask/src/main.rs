//! Checks and tasks of the workspace: `cargo xtask --help`.
#![expect(clippy::print_stderr, reason = "a command line talks to people on stderr")]

mod bench;
mod ci;
mod conformance;
mod cycles;
mod deploy_site;
mod docs;
mod documents;
mod embedded;
mod interop;
mod large;
mod links;
mod lint;
mod measure;
mod messages;
mod process;
mod real;
mod report;
mod test;
mod tidy;
mod urls;
mod venv;
mod verified;
mod visitors;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Checks and tasks of the twinsite workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// twinsite beside other tools: wall clock, CPU, memory and requests of whole processes.
    Bench(bench::Options),
    /// Lint, tests, drills and conformance, as CI runs them for every commit.
    Ci(ci::Options),
    /// The tests that run against moto, our buckets read by other tools, and moto's own tests on the embedded cloud.
    Conformance {
        /// Only this part.
        part: Option<conformance::Part>,
    },
    /// Build the `twinsite` binary and run `twinsite deploy --apply`.
    DeploySite {
        /// Directory and further arguments of `twinsite deploy`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        args: Vec<String>,
    },
    /// Rewrite the generated parts of `docs/src/reference`, and build the book if mdBook is installed.
    Docs,
    /// Thirty thousand files, and one of six gibibytes, within a bound on memory.
    Large,
    /// Formatting, clippy, documentation, tidy; cargo-deny if installed.
    Lint,
    /// Real directories of thousands of files, published and compared by boto3.
    Real,
    /// A drill on the embedded cloud, and its report in a real browser.
    Report {
        /// A drill in real time instead: about six minutes.
        #[arg(long)]
        real_time: bool,
    },
    /// All tests that need only cargo.
    Test {
        /// Passed on to nextest or to `cargo test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Checks of structure and style.
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
        Command::Bench(options) => bench::run(&options)?,
        Command::Ci(options) => ci::run(&options)?,
        Command::Conformance { part } => conformance::run(part)?,
        Command::DeploySite { args } => return deploy_site::run(&args),
        Command::Docs => docs::run()?,
        Command::Large => large::run()?,
        Command::Lint => lint::run()?,
        Command::Real => real::run()?,
        Command::Report { real_time: true } => report::in_real_time()?,
        Command::Report { real_time: false } => report::run()?,
        Command::Test { args } => test::run(&args)?,
        Command::Tidy => tidy::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
