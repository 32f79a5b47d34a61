//! `cargo xtask deploy-site`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::{built, cargo, command, succeed};

/// Builds the binary and hands over to it; its exit code is ours.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    succeed(&mut cargo(&["build", "--quiet", "--package", "twinsite"]))?;
    let binary = built("debug/twinsite");
    let status = command(&binary).args(["deploy", "--apply"]).args(args).status().context("start twinsite")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
