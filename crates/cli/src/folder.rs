//! The folder `.twinsite`: what is in it belongs to this machine, and not into a repository.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Its name.
pub(crate) const FOLDER: &str = ".twinsite";

/// A folder that may be about to be created.
pub(crate) struct NewFolder {
    path: PathBuf,
    existed: bool,
}

impl NewFolder {
    /// Records whether the folder exists already.
    pub(crate) fn expect(path: &Path) -> Self {
        Self { path: path.to_owned(), existed: path.exists() }
    }

    /// Excludes the folder from git if it has been created meanwhile. One that existed before is left as it is. Nothing
    /// depends on it, so a failure is not reported.
    pub(crate) fn ignore_in_git(&self) {
        if !self.existed && self.path.is_dir() {
            let file = OpenOptions::new().write(true).create_new(true).open(self.path.join(".gitignore"));
            drop(file.and_then(|mut file| file.write_all(b"*\n")));
        }
    }
}

/// Creates the state directory of the embedded cloud, which holds the key of a certificate authority: only its owner may read
/// it. Opening the state reports what went wrong.
#[cfg(feature = "local")]
pub(crate) fn create_state(state: &Path) {
    let top = state.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == FOLDER));
    let folder = NewFolder::expect(top.unwrap_or(state));
    if let Some(parent) = state.parent() {
        drop(std::fs::create_dir_all(parent));
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    drop(builder.create(state));
    folder.ignore_in_git();
}
