//! Man pages of all commands.

use std::path::Path;

use clap::CommandFactory;
use twinsite_site::Error;

use crate::args::Args;
use crate::result::{CommandResult, Outcome};

/// Writes the man pages of all commands. Pages of earlier versions that are in the directory are replaced.
pub(crate) fn write_man_pages(dir: &Path) -> Outcome {
    let operation = format!("write man pages into `{}`", dir.display());
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    let mut remaining = vec![command];
    let mut pages = Vec::new();
    let written = std::fs::create_dir_all(dir).and_then(|()| {
        while let Some(command) = remaining.pop() {
            remaining.extend(command.get_subcommands().cloned());
            let page = clap_mangen::Man::new(command);
            page.generate_to(dir)?;
            pages.push(page.get_filename());
        }
        Ok(())
    });
    written.map_err(|error| Error::refused(operation, error.to_string()))?;
    pages.sort();
    Ok(CommandResult::ManPages { directory: dir.display().to_string(), pages })
}
