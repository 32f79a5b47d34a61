//! `cargo xtask docs`.

use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, root, succeed, works};

/// Rewrites what is generated from the code: commands, keys of the configuration, and the schemas. Tests fail if it is out of date.
/// With mdBook installed, the book is built into `target/book`.
pub(crate) fn run() -> Result<()> {
    succeed(cargo(&["test", "--package", "twinsite", "--lib", "reference::"]).env("TWINSITE_UPDATE", "1"))?;
    if works(Command::new("mdbook").arg("--version")) {
        succeed(Command::new("mdbook").args(["build", "docs"]).current_dir(root()))?;
    }
    Ok(())
}
