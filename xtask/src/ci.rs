//! `cargo xtask ci`.

use anyhow::Result;

use crate::{conformance, lint, test};

/// Lint, test, conformance.
pub(crate) fn run() -> Result<()> {
    lint::run()?;
    test::run(&[])?;
    conformance::run()
}
