//! `twinsite init`: five questions, one file.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write, stdin};

use twinsite_site::{Domain, Error, Estimate, Mode, Region, Run};

use crate::args::{Global, Init};
use crate::config::{self, Answers, text};
use crate::render;
use crate::result::CommandResult;

const OPERATION: &str = "write a configuration";

/// Writes the configuration, unless there is one.
pub(crate) async fn init(global: &Global, given: &Init, run: &Run) -> Result<CommandResult, Error> {
    let path = &global.config;
    if path.exists() {
        let why = format!("`{}` already exists", path.display());
        return Err(Error::usage(OPERATION, why).hint("edit it, or name another file with --config"));
    }
    let ask = (stdin().is_terminal() && !global.yes).then_some(run);
    if ask.is_none() && given.domain.is_none() {
        return Err(Error::usage(OPERATION, "not a terminal, and no --domain was given").hint("pass --domain"));
    }
    let usual = Answers::default();
    let answers = Answers {
        domain: answer::<Domain>(ask, "Domain name of the site?", given.domain.as_ref(), &usual.domain).await?,
        mode: answer::<Mode>(
            ask,
            "Mode (layered: CloudFront and DNS failover; origin: CloudFront only, private buckets; dns: DNS only)?",
            given.mode.as_ref(),
            &usual.mode,
        )
        .await?,
        primary: answer::<Region>(ask, "Primary region?", given.primary.as_ref(), &usual.primary).await?,
        backup: answer::<Region>(ask, "Backup region?", given.backup.as_ref(), &usual.backup).await?,
        not_found: answer::<String>(
            ask,
            "Error document for missing pages?",
            given.not_found.as_ref(),
            &usual.not_found,
        )
        .await?,
    };
    if answers.primary == answers.backup {
        return Err(Error::usage(OPERATION, format!("region `{}` is both the primary and the backup", answers.backup)));
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text(&answers).as_bytes()));
    written.map_err(|error| Error::refused(format!("write `{}`", path.display()), error.to_string()))?;
    Ok(CommandResult::Written { path: path.display().to_string(), estimate: Estimate::of(&config::read(path)?) })
}

/// The answer from an option, from the terminal, or the default; asked again until it is valid.
async fn answer<T>(ask: Option<&Run>, question: &str, given: Option<&String>, usual: &str) -> Result<String, Error>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    if let Some(given) = given {
        return given.parse::<T>().map(|_| given.clone()).map_err(|fault| Error::usage(OPERATION, fault.to_string()));
    }
    let Some(run) = ask else { return Ok(usual.to_owned()) };
    loop {
        let line = render::read_line(run, OPERATION, &format!("{question} [{usual}] ")).await?;
        let Some(line) = line else {
            return Err(Error::usage(OPERATION, "the input ended before all questions were answered"));
        };
        let line = if line.trim().is_empty() { usual } else { line.trim() };
        match line.parse::<T>() {
            Ok(_) => return Ok(line.to_owned()),
            Err(fault) => render::prompt(&format!("{fault}\n")),
        }
    }
}
