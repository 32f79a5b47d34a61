//! `cargo xtask test`.

use anyhow::Result;

use crate::process::{cargo, succeed, works};

/// Makes suites that break each request of an operation in turn do so for every request, instead of a sample.
const EXHAUSTIVE: &str = "TWINSITE_EXHAUSTIVE";

/// Runs every test that needs only cargo; nextest leaves doc tests out, so they run on their own.
pub(crate) fn run(args: &[String]) -> Result<()> {
    run_with(args, &[])
}

/// The same, and loops over faults leave no request out.
pub(crate) fn exhaustive() -> Result<()> {
    run_with(&[], &[(EXHAUSTIVE, "1")])
}

fn run_with(args: &[String], env: &[(&str, &str)]) -> Result<()> {
    let env = env.iter().copied();
    if !works(&mut cargo(&["nextest", "--version"])) {
        return succeed(cargo(&["test", "--workspace"]).args(args).envs(env));
    }
    succeed(cargo(&["nextest", "run", "--workspace"]).args(args).envs(env))?;
    if args.is_empty() { succeed(&mut cargo(&["test", "--workspace", "--doc"])) } else { Ok(()) }
}
