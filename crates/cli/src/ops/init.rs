//! `twinsite init`: five questions, one file.

use std::fs::OpenOptions;
use std::io::{BufRead, IsTerminal, Write, stdin};

use twinsite_core::{Domain, Mode, Region};

use super::Outcome;
use crate::args::{Global, Init};
use crate::config::{Answers, Config, text};
use crate::error::Failure;
use crate::render;
use crate::stack::Outlook;

const WHAT: &str = "write a configuration";

/// Writes the configuration, unless there is one.
pub(crate) fn init(global: &Global, given: &Init) -> Result<Outcome, Failure> {
    let path = &global.config;
    if path.exists() {
        let why = format!("`{}` is there already", path.display());
        return Err(Failure::usage(WHAT, why).hint("edit it, or name another file with --config"));
    }
    let ask = stdin().is_terminal() && !global.yes;
    if !ask && given.domain.is_none() {
        return Err(Failure::usage(WHAT, "there is nobody to ask for the domain").hint("name it with --domain"));
    }
    let usual = Answers::default();
    let answers = Answers {
        domain: answer::<Domain>(ask, "Which name do visitors type?", given.domain.as_ref(), &usual.domain)?,
        mode: answer::<Mode>(ask, "How should it survive (dns, origin, layered)?", given.mode.as_ref(), &usual.mode)?,
        primary: answer::<Region>(ask, "Which region serves?", given.primary.as_ref(), &usual.primary)?,
        backup: answer::<Region>(ask, "Which region takes over?", given.backup.as_ref(), &usual.backup)?,
        not_found: answer::<String>(
            ask,
            "Which page for what is missing?",
            given.not_found.as_ref(),
            &usual.not_found,
        )?,
    };
    if answers.primary == answers.backup {
        return Err(Failure::usage(WHAT, format!("region `{}` is both the primary and the backup", answers.backup)));
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text(&answers).as_bytes()));
    written.map_err(|error| Failure::new(format!("write `{}`", path.display()), error))?;
    let outlook = Box::new(Outlook::of(&Config::read(path)?));
    Ok(Outcome::Written { path: path.clone(), outlook })
}

/// The answer given as an option, typed, or usual; asked for again until it is one.
fn answer<T>(ask: bool, question: &str, given: Option<&String>, usual: &str) -> Result<String, Failure>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    if let Some(given) = given {
        return given.parse::<T>().map(|_| given.clone()).map_err(|fault| Failure::usage(WHAT, fault));
    }
    if !ask {
        return Ok(usual.to_owned());
    }
    loop {
        render::prompt(&format!("{question} [{usual}] "));
        let mut line = String::new();
        let read = stdin().lock().read_line(&mut line).map_err(|error| Failure::new(WHAT, error))?;
        if read == 0 {
            return Err(Failure::usage(WHAT, "the answers ended early"));
        }
        let line = if line.trim().is_empty() { usual } else { line.trim() };
        match line.parse::<T>() {
            Ok(_) => return Ok(line.to_owned()),
            Err(fault) => render::prompt(&format!("{fault}\n")),
        }
    }
}
