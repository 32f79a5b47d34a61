//! The one place that writes to the terminal. People read stderr, programs read stdout.

mod drill;
mod events;
mod history;
pub(crate) mod html;
mod human;
mod json;
mod progress;

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use twinsite_core::{Plan, Watch};
use twinsite_sync::SyncError;

use crate::args::{Args, Global};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ops::local::Addresses;
use crate::ops::status::Status;
use crate::ops::{Deployed, Outcome};
use crate::stack::SiteChange;
use events::{Lines, Ndjson};
use progress::Progress;

/// How a command talks.
#[derive(Clone)]
pub(crate) struct Screen {
    tone: Tone,
    progress: Option<Progress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Json,
    Quiet,
    Normal,
    Verbose,
}

impl Screen {
    pub(crate) fn new(global: &Global) -> Self {
        let tone = match (global.json, global.quiet, global.verbose) {
            (true, _, _) => Tone::Json,
            (false, true, _) => Tone::Quiet,
            (false, false, true) => Tone::Verbose,
            (false, false, false) => Tone::Normal,
        };
        let bars = tone == Tone::Normal && stderr().is_terminal();
        Self { tone, progress: bars.then(Progress::new) }
    }

    /// Who hears of events.
    pub(crate) fn watch(&self) -> Arc<dyn Watch> {
        match (&self.progress, self.tone) {
            (Some(progress), _) => Arc::new(progress.clone()),
            (None, Tone::Json) => Arc::new(Ndjson),
            (None, Tone::Quiet) => Arc::new(twinsite_core::NoopWatch),
            (None, Tone::Normal) => Arc::new(Lines::new(false)),
            (None, Tone::Verbose) => Arc::new(Lines::new(true)),
        }
    }

    /// Takes away what moves.
    pub(crate) fn close(&self) {
        if let Some(progress) = &self.progress {
            progress.close();
        }
    }

    /// Says how a command went.
    pub(crate) fn show(&self, outcome: &Outcome) -> ExitCode {
        match outcome {
            Outcome::Completions(shell) => {
                clap_complete::generate(*shell, &mut Args::command(), "twinsite", &mut stdout());
            }
            // A document goes to a file or a program, whoever reads.
            Outcome::Document(document) => data(&format!("{document:#}")),
            _ if self.tone == Tone::Json => data(&json::outcome(outcome).to_string()),
            _ if self.tone == Tone::Quiet => {}
            _ => people(&human::outcome(outcome, self.tone == Tone::Verbose)),
        }
        exit_of(outcome).into()
    }

    /// Says why a command failed.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        match self.tone {
            Tone::Json => data(&json::failure(failure).to_string()),
            Tone::Quiet | Tone::Normal | Tone::Verbose => people(&human::failure(failure)),
        }
        failure.exit.into()
    }

    /// Shows a plan that is about to be applied.
    pub(crate) fn plan(&self, plan: &Plan<SiteChange>) {
        match self.tone {
            Tone::Json => data(&json::plan(plan).to_string()),
            Tone::Quiet => {}
            Tone::Normal | Tone::Verbose => people(&human::plan(plan)),
        }
    }

    /// Shows a publish that something else follows.
    pub(crate) fn deployed(&self, deployed: &Deployed) {
        self.close();
        match self.tone {
            Tone::Json => data(&history::deployed_json(deployed).to_string()),
            Tone::Quiet => {}
            Tone::Normal | Tone::Verbose => people(&history::deployed(deployed)),
        }
    }

    /// Shows what a site looks like now, and will be shown again.
    pub(crate) fn status(&self, status: &Status) {
        match self.tone {
            Tone::Json => data(&json::status(status).to_string()),
            Tone::Quiet => {}
            Tone::Normal | Tone::Verbose if stderr().is_terminal() => {
                people(&format!("\u{1b}[2J\u{1b}[H{}", human::status(status)));
            }
            Tone::Normal | Tone::Verbose => people(&format!("{}\n", human::status(status))),
        }
    }

    /// Shows where the embedded cloud is to be found.
    pub(crate) fn serving(&self, addresses: &Addresses) {
        match self.tone {
            Tone::Json => data(&json::serving(addresses).to_string()),
            Tone::Quiet | Tone::Normal | Tone::Verbose => people(&human::serving(addresses)),
        }
    }

    /// Shows what has changed on the embedded cloud.
    pub(crate) fn live(&self, state: &str) {
        match self.tone {
            Tone::Json => data(&serde_json::json!({"event": "state", "text": state}).to_string()),
            Tone::Quiet => {}
            Tone::Normal | Tone::Verbose => people(state),
        }
    }

    /// Asks a question; true when the answer is the word.
    pub(crate) fn confirm(&self, question: &str, word: &str) -> bool {
        self.close();
        if !stdin().is_terminal() {
            people("there is nobody to ask; say --yes");
            return false;
        }
        prompt(question);
        let mut line = String::new();
        stdin().lock().read_line(&mut line).is_ok() && line.trim() == word
    }
}

fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Planned { plan, check: true, .. } if !plan.is_empty() => Exit::Drift,
        Outcome::Verified(verified) if !verified.differences.is_empty() => Exit::Drift,
        Outcome::Deployed(deployed) if matches!(deployed.level.trouble, Some(SyncError::Cancelled)) => {
            Exit::Interrupted
        }
        // The primary is published; that the backup is not level must not pass unnoticed.
        Outcome::Deployed(deployed) if deployed.level.trouble.is_some() => Exit::Drift,
        Outcome::Drilled(drilled) if drilled.missed() => Exit::Missed,
        Outcome::Stopped => Exit::Interrupted,
        Outcome::Declined => Exit::Failed,
        _ => Exit::Done,
    }
}

/// A fault of the command line, in clap's words; help is not one.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done about a terminal that is gone.
    drop(error.print());
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// A question, without ending the line.
pub(crate) fn prompt(question: &str) {
    let mut out = stderr().lock();
    drop(out.write_all(question.as_bytes()).and_then(|()| out.flush()));
}

/// An error before there is a screen.
pub(crate) fn plain_error(text: &str) {
    people(&format!("error: {text}"));
}

/// A line for programs. A reader that is gone has read enough.
fn data(line: &str) {
    drop(writeln!(stdout().lock(), "{line}"));
}

/// Lines for people. A terminal that is gone shows nothing.
fn people(text: &str) {
    if !text.is_empty() {
        drop(writeln!(stderr().lock(), "{}", text.trim_end()));
    }
}
