//! `cargo xtask test`.

use anyhow::Result;

use crate::process::{cargo, succeed, works};

/// Runs every test that needs only cargo; nextest leaves doc tests out, so they run on their own.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if !works(&mut cargo(&["nextest", "--version"])) {
        return succeed(cargo(&["test", "--workspace"]).args(args));
    }
    succeed(cargo(&["nextest", "run", "--workspace"]).args(args))?;
    if args.is_empty() { succeed(&mut cargo(&["test", "--workspace", "--doc"])) } else { Ok(()) }
}
