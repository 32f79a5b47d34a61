//! The `twinsite` command as a library: whole operations that never print, and one place that does.
//!
//! ```no_run
//! # async fn example() {
//! let code = twinsite_cli::run(["twinsite", "deploy", "./public", "--local", "--apply"].map(Into::into)).await;
//! # let _ = code; }
//! ```
//!
//! Operations return values; `render` alone writes to the terminal. The environment is read by the AWS SDK only.

mod args;
mod config;
mod error;
mod exit;
mod ops;
mod render;
mod stack;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use twinsite_core::Run;

use args::{Args, Command};
use error::Failure;
use exit::Exit;
use ops::Outcome;
use render::Screen;

/// Runs a command line and says how it went; see the exit codes in the README.
pub async fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(usage) => return render::usage(&usage),
    };
    let screen = Screen::new(&args.global);
    let run = Run::new(screen.watch());
    let stop = run.cancel.clone();
    let work = Box::pin(carry_out(args, &run, &screen));
    let ended = tokio::select! {
        ended = work => ended,
        () = interrupted_twice(stop) => Ok(Outcome::Stopped),
    };
    screen.close();
    match ended {
        Ok(outcome) => screen.show(&outcome),
        Err(failure) => screen.fail(&failure),
    }
}

/// The runtime could not be started.
pub fn no_runtime(error: &std::io::Error) -> ExitCode {
    render::plain_error(&format!("could not start: {error}"));
    Exit::Failed.into()
}

/// The first Ctrl-C lets requests in flight finish; the second one ends everything.
async fn interrupted_twice(stop: tokio_util::sync::CancellationToken) {
    // Without a handler, Ctrl-C ends the process as it always does.
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn carry_out(args: Args, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    let Args { global, command } = args;
    match command {
        Command::Init(options) => ops::init::init(&global, &options),
        Command::Plan(options) => Box::pin(ops::plan::plan(&global, &options, run)).await,
        Command::Apply(options) => Box::pin(ops::apply::apply(&global, &options, run, screen)).await,
        Command::Deploy(options) => Box::pin(ops::deploy::deploy(&global, &options, run, screen)).await,
        Command::Verify(options) => Box::pin(ops::verify::verify(&global, &options, run)).await,
        Command::Backfill(options) => Box::pin(ops::backfill::backfill(&global, &options, run, screen)).await,
        Command::Releases(options) => Box::pin(ops::releases::releases(&global, &options, run)).await,
        Command::Rollback(options) => Box::pin(ops::rollback::rollback(&global, &options, run)).await,
        Command::Status(options) => Box::pin(ops::status::status(&global, &options, run, screen)).await,
        Command::Drill(options) => Box::pin(ops::drill::drill(&global, &options, run, screen)).await,
        Command::Failover => Box::pin(ops::failover::failover(&global)).await,
        Command::Failback(options) => Box::pin(ops::failover::failback(&global, &options, run)).await,
        Command::Cert { command: args::Cert::Import(options) } => {
            Box::pin(ops::cert::import(&global, &options, run)).await
        }
        Command::IamPolicy(options) => Box::pin(ops::iam_policy::iam_policy(&global, &options)).await,
        Command::Destroy(options) => Box::pin(ops::destroy::destroy(&global, &options, run, screen)).await,
        Command::Local(options) => Box::pin(ops::local::local(&global, &options, run, screen)).await,
        Command::Completions { shell } => Ok(Outcome::Completions(shell)),
    }
}
