//! Pinned Python tools in a venv under `target/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{command, root, succeed};

/// Does something with the pinned Python tools. Without pip or network this is a skip for a developer and a failure in CI.
pub(crate) fn with_venv(what: &str, run: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    match venv("venv", "xtask/requirements.txt") {
        Ok(venv) => run(&venv),
        Err(error) if in_ci() => Err(error),
        Err(error) => {
            eprintln!("{what}: skipped: {error:#}");
            Ok(())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "CI says that it is CI in the environment only")]
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// A venv under `target/` with what the file requires.
pub(crate) fn venv(name: &str, requirements: &str) -> Result<PathBuf> {
    let venv = root().join("target").join(name);
    if !venv.join("bin/pip").exists() {
        succeed(command("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let pip = ["install", "--quiet", "--disable-pip-version-check", "--requirement", requirements];
    succeed(command(venv.join("bin/pip")).args(pip)).context("install the pinned tools")?;
    Ok(venv)
}
