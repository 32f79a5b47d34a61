//! `twinsite init`: a few questions, one file.

use std::io::{IsTerminal, stdin};
use std::path::Path;
use std::str::FromStr;

use twinsite_core::did_you_mean;
use twinsite_site::{Config, Domain, Error, Estimate, Event, Mode, Pair, Region, Run, WorkTree};

use crate::args::{Global, Init};
use crate::config::{self, Answers, text};
use crate::generator::{Generator, detect};
use crate::render::{Question, Questions};
use crate::result::{CommandResult, WrittenResult};

const OPERATION: &str = "write a configuration";

/// Writes the configuration. On a terminal it asks for what no option has said, and before it replaces one.
pub(crate) async fn init(global: &Global, given: &Init, run: &Run) -> Result<CommandResult, Error> {
    let path = &global.config;
    let asks = stdin().is_terminal() && !global.yes;
    let questions = asks.then_some(Questions { run, operation: OPERATION });
    if path.exists() {
        let replaces = match &questions {
            Some(questions) => questions.whether(format!("`{}` already exists. Replace it?", path.display())).await?,
            None => false,
        };
        if !replaces {
            let why = format!("`{}` already exists", path.display());
            return Err(Error::usage(OPERATION, why).hint("edit it, or name another file with --config"));
        }
    }
    if questions.is_none() && given.domain.is_none() {
        return Err(Error::usage(OPERATION, "not a terminal, and no --domain was given").hint("pass --domain"));
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let generator = detect(folder);
    let (answers, directory) = Box::pin(answers(questions.as_ref(), given, generator.as_ref())).await?;
    std::fs::write(path, text(&answers))
        .map_err(|error| Error::refused(format!("write `{}`", path.display()), error.to_string()))?;
    let ignored = WorkTree::of(folder).and_then(|tree| match tree.ignore_state() {
        Ok(changed) => changed.then(|| folder.join(".gitignore").display().to_string()),
        Err(error) => {
            let text = format!("`.twinsite/` could not be added to `{}`: {error}", tree.ignore_file().display());
            run.emit(&Event::Warning { text, hint: Some("add the line yourself".to_owned()) });
            None
        }
    });
    Ok(CommandResult::Written(WrittenResult {
        path: path.display().to_string(),
        estimate: Estimate::of(&config::read(path, None)?),
        generator,
        directory,
        ignored,
    }))
}

/// The answers from options, from the terminal, or the usual ones; and the directory that is to be published.
async fn answers(
    questions: Option<&Questions<'_>>,
    given: &Init,
    generator: Option<&Generator>,
) -> Result<(Answers, String), Error> {
    let usual = Answers::default();
    let domain = match (&given.domain, questions) {
        (Some(given), _) => checked::<Domain>(given)?,
        (None, Some(questions)) => {
            questions.words(Question::new("Domain name of the site", None), validated::<Domain>).await?
        }
        (None, None) => usual.domain,
    };
    let mode = match (&given.mode, questions) {
        (Some(given), _) => checked::<Mode>(given)?,
        (None, Some(questions)) => {
            let modes = [Mode::Layered, Mode::Origin, Mode::Dns];
            let chosen = questions.choice("How does it fail over", modes.map(described).to_vec()).await?;
            modes.get(chosen).copied().unwrap_or_default().to_string()
        }
        (None, None) => usual.mode,
    };
    let primary = match (&given.primary, questions) {
        (Some(given), _) => checked_region(given)?,
        (None, Some(questions)) => {
            questions.words(Question::new("Primary region", Some(usual.primary)), known_region).await?
        }
        (None, None) => usual.primary,
    };
    let backup = match (&given.backup, questions) {
        (Some(given), _) => checked_region(given)?,
        (None, Some(questions)) => {
            let usual = if primary == usual.backup { "us-east-1".to_owned() } else { usual.backup };
            let other = primary.clone();
            let valid = move |answer: &str| match known_region(answer) {
                Ok(()) if answer == other => Err("that is the primary region: its loss would take both".to_owned()),
                valid => valid,
            };
            questions.words(Question::new("Backup region", Some(usual)), valid).await?
        }
        (None, None) => usual.backup,
    };
    if primary == backup {
        return Err(Error::usage(OPERATION, format!("region `{backup}` is both the primary and the backup")));
    }
    let output = generator.map_or("public", |generator| generator.output.as_str()).to_owned();
    let directory = match (&given.dir, questions) {
        (Some(given), _) => given.clone(),
        (None, Some(questions)) => {
            let text = match generator {
                Some(generator) => format!("Directory into which {} builds the site", generator.name),
                None => "Directory with the built site".to_owned(),
            };
            questions.words(Question::new(text, Some(output)), |_| Ok(())).await?
        }
        (None, None) => output,
    };
    let not_found = match (&given.not_found, questions) {
        (Some(given), _) => given.clone(),
        (None, Some(questions)) => {
            let fitting = generator.map_or(usual.not_found, |generator| generator.not_found.to_owned());
            questions.words(Question::new("Error document for missing pages", Some(fitting)), |_| Ok(())).await?
        }
        (None, None) => usual.not_found,
    };
    Ok((Answers { domain, mode, primary, backup, not_found }, directory))
}

/// A mode in one line of a terminal: what it survives, and what it costs at least.
fn described(mode: Mode) -> String {
    let survives = match mode {
        Mode::Layered => "survives a region and CloudFront, the latter over HTTP",
        Mode::Origin => "survives a region over HTTPS, private buckets",
        Mode::Dns => "survives a region, over HTTP until it returns",
    };
    let usual = Answers::default();
    let regions = usual.primary.parse().and_then(|primary| Ok(Pair::new(primary, usual.backup.parse()?)));
    let cost = usual.domain.parse().ok().zip(regions.ok()).map(|(domain, regions)| {
        let config = Config { mode, ..Config::new(domain, regions) };
        format!("; ${:.2} a month", Estimate::of(&config).monthly_usd)
    });
    format!("{mode}: {survives}{}", cost.unwrap_or_default())
}

fn validated<T>(answer: &str) -> Result<(), String>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    answer.parse::<T>().map(drop).map_err(|fault| fault.to_string())
}

fn checked<T>(given: &str) -> Result<String, Error>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    validated::<T>(given).map(|()| given.to_owned()).map_err(|fault| Error::usage(OPERATION, fault))
}

/// A region that this release knows: another one would be refused by every command that follows.
fn known_region(answer: &str) -> Result<(), String> {
    let region: Region = answer.parse().map_err(|fault: twinsite_core::Invalid| fault.to_string())?;
    if region.is_known() {
        return Ok(());
    }
    let meant = did_you_mean(region.nearest_known());
    Err(format!("the region `{region}` is not known to this version of twinsite{meant}"))
}

fn checked_region(given: &str) -> Result<String, Error> {
    known_region(given).map(|()| given.to_owned()).map_err(|fault| {
        Error::usage(OPERATION, fault)
            .hint("if AWS has opened it since, enter it into the file by hand, with new_regions under [site]")
    })
}
