//! `twinsite import`: a configuration from what exists.

use std::path::{Path, PathBuf};

use twinsite_aws::read_retries;
use twinsite_site::{
    self as site, AdoptBuckets, Config, Environment, Error, ErrorKind, Event, ImportRequest, Imported, Run, SiteContext,
};

use crate::args::{Global, ImportSite};
use crate::config;
use crate::environment::{DataPlane, OpenEnvironment, open_environment};
use crate::render::not_expressed;
use crate::result::{CommandResult, ImportedResult};

/// Where the configuration goes.
enum Output {
    Stdout,
    Nowhere,
    File(PathBuf),
}

/// Reads what exists, writes the configuration, and plans with it.
pub(crate) async fn import(global: &Global, options: ImportSite, run: &Run) -> Result<CommandResult, Error> {
    let ImportSite { bucket, distribution, domain, mode, primary, backup, output, force, dry_run } = options;
    let output = match output.as_deref() {
        Some("-") => Output::Stdout,
        _ if dry_run => Output::Nowhere,
        Some(path) => Output::File(path.into()),
        None => Output::File(global.config.clone()),
    };
    if let Output::File(path) = &output
        && path.exists()
        && !force
    {
        let why = format!("`{}` already exists", path.display());
        return Err(Error::usage("write the configuration", why)
            .hint("name another file with --output, print it with --output -, or overwrite it with --force"));
    }
    let request = ImportRequest { bucket, distribution, domain, mode, primary, backup };
    let OpenEnvironment { mut environment, cloud } = open_environment(global, DataPlane::NotNeeded, run).await?;
    environment.access.default_retry = Some(read_retries());
    let imported = async {
        cloud.tell_weather(run).await;
        let imported = Box::pin(site::import(&request, environment.clone(), run)).await?;
        let config = config::parse(&imported.configuration).map_err(|fault| {
            let why = format!("the imported configuration is not valid: {fault}");
            Error::refused("import the site", why).hint("this is a bug; print it with --output - and report it")
        });
        // It is written all the same if it is asked for on stdout: it can be corrected by hand.
        let (plan, refused, hints) = match config {
            Ok(config) => planned(config, environment, run).await?,
            Err(error) if matches!(output, Output::Stdout) => (None, Some(error.cause.to_string()), error.hints),
            Err(error) => return Err(error),
        };
        let path = match &output {
            Output::File(path) => {
                write(path, &imported.configuration, force)?;
                Some(path.display().to_string())
            }
            Output::Stdout | Output::Nowhere => None,
        };
        Ok(ImportedResult { imported, path, plan, refused, hints })
    };
    let imported = Box::pin(imported).await;
    let closed = cloud.close().await;
    let result = imported?;
    closed?;
    if matches!(output, Output::Stdout) && !global.json {
        tell(&result.imported, run);
        return Ok(CommandResult::Document(result.imported.configuration));
    }
    Ok(CommandResult::Imported(Box::new(result)))
}

/// The plan, or why there is none and what to do about it.
type Planned = (Option<site::PlanSummary>, Option<String>, Vec<String>);

/// What `apply --adopt` would change. A plan that is refused is an answer; a stop is none.
async fn planned(config: Config, environment: Environment, run: &Run) -> Result<Planned, Error> {
    let plan = async {
        let context = Box::pin(SiteContext::open(config, environment)).await?;
        Box::pin(site::plan(&context, AdoptBuckets::Adopt, run)).await
    };
    match plan.await {
        Ok(plan) => Ok((Some(plan.summary()), None, Vec::new())),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
        Err(error) => Ok((None, Some(error.cause.to_string()), error.hints)),
    }
}

/// What is not expressed goes to stderr, where stdout has the configuration alone.
fn tell(imported: &Imported, run: &Run) {
    for one in &imported.not_expressed {
        run.emit(&Event::Warning { text: not_expressed(one), hint: one.note.clone() });
    }
}

/// Writes a file that was not there a moment ago, unless it may be overwritten.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    let opened =
        if force { options.write(true).create(true).truncate(true) } else { options.write(true).create_new(true) };
    let written = opened.open(path).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| Error::refused(format!("write `{}`", path.display()), error.to_string()))
}
