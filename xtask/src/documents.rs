//! The configuration's schema, the pipelines' files and the scripts of releases, judged by tools that others wrote.

use std::path::Path;

use anyhow::{Result, ensure};
use walkdir::WalkDir;

use crate::process::{command, root, succeed};

/// Runs `check_documents.py`, and shellcheck over the scripts of `packaging`.
pub(crate) fn run(venv: &Path) -> Result<()> {
    succeed(command(venv.join("bin/python")).arg("xtask/check_documents.py"))?;
    let files =
        WalkDir::new(root().join("packaging")).into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let scripts: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "sh")).collect();
    ensure!(!scripts.is_empty(), "there is no script in packaging");
    succeed(command(venv.join("bin/shellcheck")).args(scripts))
}
