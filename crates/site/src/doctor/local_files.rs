//! What is checked on this machine.

use std::path::PathBuf;

use twinsite_core::Run;
use twinsite_core::wait::within;
use twinsite_sync::{Index, IndexState, read_source};

use super::DoctorRequest;
use crate::config::Config;
use crate::work_tree::WorkTree;

/// What was found on this machine.
#[derive(Debug)]
pub(super) struct LocalState {
    /// The work tree of the configuration file, if it is in one, and whether it ignores twinsite's folder.
    pub(super) git: Option<GitState>,
    pub(super) index: IndexState,
    /// The directory that is to be published, if one was named.
    pub(super) source: Option<SourceState>,
}

/// The state of a directory.
#[derive(Debug)]
pub(super) enum SourceState {
    /// So many files of it can be published.
    Fit(usize),
    /// Why it cannot be published.
    Unfit(String),
    /// It was not read before the deadline.
    Late,
}

#[derive(Debug)]
pub(super) struct GitState {
    pub(super) ignores_state: bool,
    pub(super) ignore_file: PathBuf,
}

impl LocalState {
    /// Reads the state of a configured site.
    pub(super) async fn read(config: &Config, request: &DoctorRequest) -> Self {
        let mut state = Self::read_without_configuration(&DoctorRequest { source: None, ..request.clone() }).await;
        if let Some(dir) = request.source.clone() {
            let read = within(&Run::silent(), request.deadline, Box::pin(count_files(dir, config))).await;
            state.source = Some(match read {
                Some(Ok(files)) => SourceState::Fit(files),
                Some(Err(why)) => SourceState::Unfit(why),
                None => SourceState::Late,
            });
        }
        state
    }

    /// Reads what does not depend on a configuration.
    pub(super) async fn read_without_configuration(request: &DoctorRequest) -> Self {
        let (file, configuration) = (request.index.clone(), request.configuration.clone());
        let read = tokio::task::spawn_blocking(move || {
            let dir = configuration.parent().filter(|dir| !dir.as_os_str().is_empty());
            let git = WorkTree::of(dir.unwrap_or(std::path::Path::new("."))).map(|tree| GitState {
                ignores_state: tree.ignores_state(),
                ignore_file: dir.map_or_else(|| PathBuf::from(".gitignore"), |dir| dir.join(".gitignore")),
            });
            Self { git, index: Index::state(&file), source: None }
        });
        let stopped = |_| Self { git: None, index: IndexState::Missing, source: None };
        let state = read.await.unwrap_or_else(stopped);
        let source = request.source.clone().filter(|dir| !dir.is_dir());
        let absent = |dir: PathBuf| SourceState::Unfit(format!("the directory `{}` does not exist", dir.display()));
        Self { source: source.map(absent), ..state }
    }
}

async fn count_files(dir: PathBuf, config: &Config) -> Result<usize, String> {
    let (rules, checks) = (config.rules().map_err(|invalid| invalid.to_string())?, config.publish.checks);
    let read = tokio::task::spawn_blocking(move || read_source(&dir, &rules, checks)).await;
    let read = read.map_err(|stopped| stopped.to_string())?;
    read.map(|source| source.objects().len()).map_err(|error| error.to_string())
}
