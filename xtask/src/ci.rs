//! `cargo xtask ci`.

use anyhow::Result;

use crate::{conformance, large, lint, real, test};

/// Lint, test, conformance, real directories, large ones.
pub(crate) fn run() -> Result<()> {
    lint::run()?;
    test::run(&[])?;
    conformance::run()?;
    real::run()?;
    large::run()
}
