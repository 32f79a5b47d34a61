//! `cargo xtask ci`.

use anyhow::Result;

use crate::{conformance, large, lint, real, report, test};

/// Lint, test, conformance, real directories, large ones, and a drill's report in a browser.
pub(crate) fn run() -> Result<()> {
    lint::run()?;
    test::run(&[])?;
    conformance::run()?;
    real::run()?;
    large::run()?;
    report::run()?;
    report::in_real_time()
}
