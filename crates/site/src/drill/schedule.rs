//! What runs a drill regularly: a workflow, a crontab line, or a template of CloudFormation. Text; nothing is read or changed.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::shell_word;

use super::DrillRequest;
use crate::config::Config;
use crate::error::Error;

/// What starts a drill regularly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// A workflow of GitHub Actions.
    GitHub,
    /// A line of a crontab.
    Cron,
    /// EventBridge Scheduler and CodeBuild, as a template of CloudFormation.
    EventBridge,
}

/// Where the configuration file is.
#[derive(Clone, Copy, Debug)]
pub struct ConfigFile<'a> {
    /// As it was named on the command line: relative to where a workflow runs.
    pub named: &'a str,
    /// The directory in which the name means that file.
    pub directory: &'a str,
}

/// The text that makes `scheduler` run a drill every week on AWS. The report is kept, and what a killed drill has left broken is restored.
///
/// # Errors
/// An outage that cannot be caused on AWS; a path that the text could not express.
pub fn schedule(
    config: &Config,
    request: DrillRequest,
    scheduler: Scheduler,
    file: ConfigFile<'_>,
) -> Result<String, Error> {
    const OPERATION: &str = "write the schedule of a drill";
    request.check(config, false)?;
    // A workflow would evaluate an expression, and no line can have a line break.
    if [file.named, file.directory].iter().any(|path| path.contains(char::is_control) || path.contains("${{")) {
        return Err(Error::usage(
            OPERATION,
            "the path of the configuration has characters that a schedule cannot express",
        ));
    }
    let outage = request.outage_in(config.mode);
    let objective = request.objective.map(|objective| format!(" --objective {}s", objective.as_secs()));
    let options = format!(" --how {outage}{}", objective.unwrap_or_default());
    let named =
        if file.named == "twinsite.toml" { String::new() } else { format!(" --config {}", shell_word(file.named)) };
    Ok(match scheduler {
        Scheduler::GitHub => filled(include_str!("schedule/github.yml"), &format!("{options}{named}"), &named),
        // The template copies the configuration under its usual name.
        Scheduler::EventBridge => filled(include_str!("schedule/eventbridge.yml"), &options, ""),
        Scheduler::Cron => crontab(&options, &named, file.directory),
    })
}

fn filled(template: &str, options: &str, config: &str) -> String {
    let template = template.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    template.replace("@OPTIONS@", options).replace("@CONFIG@", config)
}

/// In a crontab, `%` is a line break unless it is escaped.
/// <https://man7.org/linux/man-pages/man5/crontab.5.html>
fn crontab(options: &str, config: &str, directory: &str) -> String {
    let name = "drill-$(date -u +%Y-%m-%d)";
    let command = format!(
        "cd {} && {{ twinsite drill --yes{options}{config} --html \"{name}.html\" --markdown \"{name}.md\"; result=$?; \
         twinsite drill --restore{config}; exit $result; }}",
        shell_word(directory)
    );
    format!(
        "# A drill every week; cron mails what it says. The reports are written beside the configuration. The credentials are those of the \
         role\n# operator, and the time is that of the machine.\n17 4 * * 2 {}\n",
        command.replace('%', "\\%")
    )
}
