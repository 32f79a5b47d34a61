//! Runs other programs from the workspace root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The workspace root, known when xtask was built.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// What cargo has built, such as `debug/twinsite`: it need not be below `target`, but xtask is in the same place.
pub(crate) fn built(what: &str) -> PathBuf {
    target().join(what)
}

fn target() -> PathBuf {
    let xtask = std::env::current_exe().unwrap_or_default();
    xtask.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// A command that runs in the workspace root.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(root());
    command
}

/// `cargo` with these arguments.
///
/// What `cargo run` tells this process about its package is not passed on: build scripts read the same variables (`ring`'s does), and
/// would run again whenever `cargo` is called once by a task and once by hand.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cargo = command("cargo");
    cargo.args(args).env("CARGO_TARGET_DIR", target());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs the command to its end; any other end than success is an error that names it.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// Whether the command starts and succeeds, without its output.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
