//! All output. Results go to stdout; progress, warnings, questions and errors go to stderr. With `--json`, everything that a
//! program reads is one JSON object per line on stdout.

mod doctor;
mod drill;
mod events;
mod html;
mod import;
mod markdown;
mod moved;
mod plan;
mod printable;
mod progress;
mod public;
mod questions;
mod status;
mod status_page;
mod text;
mod watched;
mod wording;

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Cancelled, shell_word};
use twinsite_site::drill::{DrillHistory, DrillResult};
use twinsite_site::{Cause, Error, NoopWatch, Run, Status, Watch};

use crate::args::Global;
use crate::exit::Exit;
use crate::result::CommandResult;
#[cfg(feature = "local")]
use crate::served::{Addresses, LocalState};
use events::{EventLines, EventRecord, JsonEvents};
pub(crate) use import::not_expressed;
use printable::{printable, printable_json};
use progress::Progress;
pub(crate) use public::purge_question;
pub(crate) use questions::{Question, Questions};
use watched::WatchedBlocks;

/// How a command writes its output.
#[derive(Clone)]
pub(crate) struct Screen {
    mode: OutputMode,
    progress: Option<Progress>,
    /// Appended to commands in hints.
    flags: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutputMode {
    Json,
    Quiet,
    Normal,
    Verbose,
}

/// A line of `--json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum JsonLine {
    /// Progress.
    Event(EventRecord),
    /// The result of the command; the last line.
    Result(CommandResult),
    /// The error of the command; the last line.
    Error(ErrorRecord),
    /// `local`: where the embedded cloud is served.
    #[cfg(feature = "local")]
    Serving(ServingRecord),
    /// `local`: the state of the embedded cloud has changed.
    #[cfg(feature = "local")]
    State(StateRecord),
}

/// Why a command failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum ErrorRecord {
    /// The command failed.
    Error {
        /// What failed, as the rest of a sentence that begins with `could not`.
        operation: String,
        /// Why.
        reason: String,
        /// What to do next.
        hints: Vec<String>,
        /// The exit code.
        exit: u8,
    },
}

/// Where the embedded cloud is served.
#[cfg(feature = "local")]
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum ServingRecord {
    /// The embedded cloud is served.
    Serving {
        /// The endpoint of all APIs.
        api: String,
        /// The domain of the site.
        domain: String,
        /// The port of the name servers.
        dns: u16,
        /// The port that stands for 80.
        http: u16,
        /// The port that stands for 443.
        https: u16,
        /// The file of the certificate authority that visitors must trust.
        authority: String,
        /// The primary's bucket and website endpoint.
        primary: WebsiteRecord,
        /// The backup's bucket and website endpoint.
        backup: WebsiteRecord,
    },
}

/// A bucket and its website endpoint.
#[cfg(feature = "local")]
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct WebsiteRecord {
    bucket: String,
    website: String,
}

/// The state of the embedded cloud.
#[cfg(feature = "local")]
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum StateRecord {
    /// The state has changed.
    State(LocalState),
}

impl Screen {
    pub(crate) fn new(global: &Global) -> Self {
        let mode = match (global.json, global.quiet, global.verbose) {
            (true, _, _) => OutputMode::Json,
            (false, true, _) => OutputMode::Quiet,
            (false, false, true) => OutputMode::Verbose,
            (false, false, false) => OutputMode::Normal,
        };
        let bars = mode == OutputMode::Normal && stderr().is_terminal();
        let flags = repeated_flags(global);
        Self { mode, progress: bars.then(|| Progress::new(flags.clone())), flags }
    }

    /// The receiver of events.
    pub(crate) fn watch(&self) -> Arc<dyn Watch> {
        match (&self.progress, self.mode) {
            (Some(progress), _) => Arc::new(progress.clone()),
            (None, OutputMode::Json) => Arc::new(JsonEvents { flags: self.flags.clone() }),
            (None, OutputMode::Quiet) => Arc::new(NoopWatch),
            (None, OutputMode::Normal) => Arc::new(EventLines::new(false, self.flags.clone())),
            (None, OutputMode::Verbose) => Arc::new(EventLines::new(true, self.flags.clone())),
        }
    }

    /// A signal has cancelled the run.
    pub(crate) fn stopping(&self) {
        let text = "stopping: requests in flight are completed; Ctrl-C again ends the process at once";
        match (&self.progress, self.mode) {
            (Some(progress), _) => progress.note(text),
            (None, OutputMode::Json | OutputMode::Quiet) => {}
            (None, OutputMode::Normal | OutputMode::Verbose) => eprint(text),
        }
    }

    /// Removes progress bars.
    pub(crate) fn close(&self) {
        if let Some(progress) = &self.progress {
            progress.close();
        }
    }

    /// Writes the result of a command.
    pub(crate) fn show(&self, result: &CommandResult) -> ExitCode {
        self.write(result);
        result.exit().into()
    }

    /// Writes a result that is not the last one.
    pub(crate) fn show_intermediate(&self, result: &CommandResult) {
        self.close();
        self.write(result);
    }

    /// A result as text.
    fn text(&self, result: &CommandResult) -> String {
        match result {
            CommandResult::Status(status) => status::status(status, &self.flags),
            CommandResult::Doctor(doctor) => doctor::doctor(doctor, &self.flags),
            other => with_flags(&text::result(other, self.mode == OutputMode::Verbose), &self.flags),
        }
    }

    /// Where the results of `--watch` are shown.
    pub(crate) fn watched_blocks(&self) -> WatchedBlocks<'_> {
        WatchedBlocks::new(self)
    }

    fn write(&self, result: &CommandResult) {
        match (result, self.mode) {
            (CommandResult::Document(text), _) => print(text),
            (CommandResult::Policy { documents }, OutputMode::Quiet | OutputMode::Normal | OutputMode::Verbose) => {
                print(&text::policy(documents));
                if documents.len() > 1 && self.mode != OutputMode::Quiet {
                    let names: Vec<&str> = documents.iter().map(|document| document.name.as_str()).collect();
                    eprint(&format!(
                        "attach each of these documents to the role as a policy of its own: {}",
                        names.join(", ")
                    ));
                }
            }
            (_, OutputMode::Json) => print_json(&JsonLine::Result(self.with_flags_in(result))),
            (_, OutputMode::Quiet) => {}
            (_, OutputMode::Normal | OutputMode::Verbose) => {
                print(&self.text(result));
            }
        }
    }

    /// The same, with flags appended to the commands that it names.
    fn with_flags_in(&self, result: &CommandResult) -> CommandResult {
        let mut result = result.clone();
        if let CommandResult::Status(status) = &mut result {
            let texts = status.findings.iter_mut().flat_map(|finding| [Some(&mut finding.text), finding.next.as_mut()]);
            for text in texts.flatten().chain(&mut status.next) {
                *text = with_flags(text, &self.flags);
            }
        }
        if let CommandResult::Doctor(doctor) = &mut result {
            let texts = doctor.checks.iter_mut().flat_map(|check| [Some(&mut check.text), check.next.as_mut()]);
            for text in texts.flatten() {
                *text = with_flags(text, &self.flags);
            }
        }
        result
    }

    /// Writes the error of a command.
    pub(crate) fn fail(&self, error: &Error, exit: Exit) -> ExitCode {
        let hints: Vec<String> = error.hints.iter().map(|hint| with_flags(hint, &self.flags)).collect();
        match self.mode {
            OutputMode::Json => print_json(&JsonLine::Error(ErrorRecord::Error {
                operation: error.operation.clone(),
                reason: error.cause.to_string(),
                hints,
                exit: exit.code(),
            })),
            OutputMode::Quiet | OutputMode::Normal | OutputMode::Verbose => eprint(&text::error(error, &hints)),
        }
        exit.into()
    }

    /// Writes where the embedded cloud is served.
    #[cfg(feature = "local")]
    pub(crate) fn serving(&self, addresses: &Addresses) {
        let Addresses { api, websites, buckets, visitors, authority, domain, kept: _ } = addresses;
        let website = |side: twinsite_site::Side| WebsiteRecord {
            bucket: buckets.get(side).clone(),
            website: format!("http://{}/", websites.get(side)),
        };
        match self.mode {
            OutputMode::Json => print_json(&JsonLine::Serving(ServingRecord::Serving {
                api: format!("http://{api}"),
                domain: domain.clone(),
                dns: visitors.ports.dns,
                http: visitors.ports.http,
                https: visitors.ports.https,
                authority: authority.display().to_string(),
                primary: website(twinsite_site::Side::Primary),
                backup: website(twinsite_site::Side::Backup),
            })),
            OutputMode::Quiet | OutputMode::Normal | OutputMode::Verbose => print(&text::serving(addresses)),
        }
    }

    /// Writes the state of the embedded cloud, which has changed.
    #[cfg(feature = "local")]
    pub(crate) fn local_state(&self, state: &LocalState) {
        match self.mode {
            OutputMode::Json => print_json(&JsonLine::State(StateRecord::State(state.clone()))),
            OutputMode::Quiet => {}
            OutputMode::Normal | OutputMode::Verbose => print(&with_flags(&text::local_state(state), &self.flags)),
        }
    }

    /// Asks a question; true if the answer is the word.
    pub(crate) async fn confirm(&self, run: &Run, question: &str, word: &str) -> Result<bool, Error> {
        self.close();
        check_terminal()?;
        let line = read_line(run, CONFIRM, question).await?;
        Ok(line.is_some_and(|line| line.trim() == word))
    }
}

const CONFIRM: &str = "ask for confirmation";

/// Fails if nobody can answer a question.
pub(crate) fn check_terminal() -> Result<(), Error> {
    let why = "standard input is not a terminal; nothing was changed";
    if stdin().is_terminal() { Ok(()) } else { Err(Error::refused(CONFIRM, why).hint("pass --yes to confirm")) }
}

/// Asks a question on the terminal and reads a line, or `None` at the end of input. A signal ends the wait; the thread that
/// reads is left to the end of the process.
async fn read_line(run: &Run, operation: &str, question: &str) -> Result<Option<String>, Error> {
    prompt(question);
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line))
    });
    let read = tokio::select! {
        read = reading => read.unwrap_or_else(|stopped| Err(stopped.into())),
        () = run.cancel.cancelled() => {
            prompt("\n");
            return Err(Error::new(operation, Cause::Cancelled(Cancelled)).hint("nothing was changed"));
        }
    };
    read.map_err(|error| Error::new(operation, Cause::Io(error)))
}

/// The flags that select the same site again.
fn repeated_flags(global: &Global) -> String {
    let mut flags = String::new();
    let path = |flag: &str, path: &std::path::Path| format!(" {flag} {}", shell_word(&path.display().to_string()));
    if global.local {
        flags.push_str(" --local");
    }
    if global.state != std::path::Path::new(crate::args::DEFAULT_STATE) {
        flags.push_str(&path("--state", &global.state));
    }
    if global.config != std::path::Path::new(crate::args::DEFAULT_CONFIG) {
        flags.push_str(&path("--config", &global.config));
    }
    if let Some(name) = &global.env {
        flags.push_str(" --env ");
        flags.push_str(&shell_word(name));
    }
    if let Some(url) = &global.endpoint_url {
        flags.push_str(" --endpoint-url ");
        flags.push_str(&shell_word(url));
    }
    if let Some(profile) = &global.profile {
        flags.push_str(" --profile ");
        flags.push_str(&shell_word(profile));
    }
    flags
}

/// Appends flags to every `twinsite` command in backticks.
fn with_flags(text: &str, flags: &str) -> String {
    let mut parts = text.split('`');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        let command = index % 2 == 0 && part.starts_with("twinsite ") && part != "twinsite local";
        out.push('`');
        out.push_str(part);
        if command {
            out.push_str(flags);
        }
    }
    out
}

/// Writes a report to a file.
pub(crate) fn write_report(path: &std::path::Path, report: &str) -> Result<(), Error> {
    let operation = format!("write `{}`", path.display());
    std::fs::write(path, report).map_err(|error| Error::new(operation, Cause::Io(error)))
}

/// The report of a drill as Markdown.
pub(crate) fn drill_markdown(drill: &DrillResult, history: &DrillHistory) -> String {
    markdown::page(drill, history)
}

/// The report of a drill as an HTML page.
pub(crate) fn drill_page(drill: &DrillResult, history: &DrillHistory) -> String {
    html::page(drill, history)
}

impl Screen {
    /// The state of a site as an HTML page, which is loaded again every `reload` seconds if it is written again.
    pub(crate) fn status_page(&self, status: &Status, reload: Option<Duration>) -> String {
        status_page::page(status, &self.flags, reload.map(|reload| reload.as_secs()))
    }
}

/// An error of the command line, or its help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let typed = error.context().any(|(_, value)| matches!(printable(&value.to_string()), Cow::Owned(_)));
    if typed {
        eprint(&error.render().to_string());
    } else {
        // Colored on a terminal. A closed terminal cannot be written to.
        drop(error.print());
    }
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// A question, without a line break.
pub(crate) fn prompt(question: &str) {
    let mut out = stderr().lock();
    drop(out.write_all(printable(question).as_bytes()).and_then(|()| out.flush()));
}

/// An error before there is a screen.
pub(crate) fn plain_error(text: &str) {
    eprint(&format!("error: {text}"));
}

/// Writes to stdout. A reader that has closed the pipe has read enough.
fn print(text: &str) {
    if !text.is_empty() {
        drop(writeln!(stdout().lock(), "{}", printable(text.trim_end())));
    }
}

fn print_json(line: &JsonLine) {
    let text =
        serde_json::to_string(line).unwrap_or_else(|error| format!("{{\"event\":\"error\",\"reason\":\"{error}\"}}"));
    drop(writeln!(stdout().lock(), "{}", printable_json(&text)));
}

/// Writes to stderr. A terminal that is closed shows nothing.
fn eprint(text: &str) {
    if !text.is_empty() {
        drop(writeln!(stderr().lock(), "{}", printable(text.trim_end())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_repeat_the_flags_that_select_the_site() {
        let flags = " --local --config 'my site.toml'";
        let hint = with_flags("see `twinsite plan`, then run `twinsite apply`; not `aws s3 ls`", flags);
        let wanted = format!("see `twinsite plan{flags}`, then run `twinsite apply{flags}`; not `aws s3 ls`");
        assert_eq!(hint, wanted);
    }
}
