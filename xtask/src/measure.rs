//! What a whole process takes.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::process::{command, root, succeed};

/// What a process took.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Taken {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of CPU, of the process and its children.
    pub(crate) cpu: f64,
    /// Peak memory in MiB.
    pub(crate) peak: f64,
    pub(crate) code: i32,
}

/// Runs a command to its end, which must be a success.
pub(crate) fn measured(program: &Command) -> Result<Taken> {
    let file = root().join("target/measured.json");
    let mut python = command("python3");
    python.arg(root().join("xtask/measure.py")).arg(&file).arg(program.get_program()).args(program.get_args());
    if let Some(dir) = program.get_current_dir() {
        python.current_dir(dir);
    }
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            python.env(name, value);
        }
    }
    succeed(&mut python)?;
    let taken: Taken = serde_json::from_slice(&fs::read(file)?)?;
    ensure!(taken.code == 0, "{program:?} ended with {}", taken.code);
    Ok(taken)
}
