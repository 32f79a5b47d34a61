//! The `twinsite` command. Operations live in [`twinsite_site`]; this crate parses arguments and the configuration file,
//! renders results, and sets exit codes.
//!
//! ```no_run
//! # async fn example() {
//! let code = twinsite::run(["twinsite", "deploy", "./public", "--local", "--apply"].map(Into::into)).await;
//! # let _ = code; }
//! ```

mod args;
mod bucket_commands;
mod bucket_hints;
mod commands;
mod config;
mod environment;
mod exit;
mod folder;
mod generator;
mod init;
#[cfg(feature = "local")]
mod local;
mod man;
#[cfg(test)]
#[cfg(feature = "local")]
mod reference;
mod render;
mod requests;
mod result;
#[cfg(feature = "local")]
mod served;
mod signals;
#[cfg(test)]
#[cfg(feature = "local")]
mod whole_site;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use twinsite_site::{ErrorKind, Run};

use args::Args;
use exit::Exit;
use render::Screen;
use result::CommandResult;

/// Runs a command line and returns its exit code; see `docs/src/reference/exit-codes.md`.
pub async fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(usage) => return render::usage(&usage),
    };
    let screen = Screen::new(&args.global);
    let run = Run::new(screen.watch());
    // Before anything is done or asked.
    let signals = signals::Signals::new();
    let work = Box::pin(commands::execute(args, &run, &screen));
    let ended = tokio::select! {
        ended = work => ended,
        () = signals::cancel_on_signal(signals, &run, || screen.stopping()) => Ok(CommandResult::Stopped),
    };
    screen.close();
    match ended {
        Ok(result) => screen.show(&result),
        Err(error) => {
            // The one place where cancellation becomes an exit code.
            let exit = match error.kind() {
                _ if run.is_cancelled() => Exit::Interrupted,
                ErrorKind::Interrupted => Exit::Interrupted,
                ErrorKind::Usage => Exit::Usage,
                ErrorKind::Failed => Exit::Failed,
            };
            screen.fail(&error, exit)
        }
    }
}

/// The runtime could not be started.
pub fn no_runtime(error: &std::io::Error) -> ExitCode {
    render::plain_error(&format!("could not start: {error}"));
    Exit::Failed.into()
}
