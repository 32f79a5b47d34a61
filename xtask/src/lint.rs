//! `cargo xtask lint`.

use anyhow::Result;

use crate::process::{cargo, succeed, works};
use crate::tidy;

/// Formatting, tidy, clippy and documentation, cheapest first.
pub(crate) fn run() -> Result<()> {
    succeed(&mut cargo(&["fmt", "--all", "--check"]))?;
    tidy::run()?;
    succeed(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    succeed(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    if works(&mut cargo(&["deny", "--version"])) {
        // Advisories need the network and change by themselves: they are for a scheduled job, not for every commit.
        succeed(&mut cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]))?;
    }
    Ok(())
}
