//! The operations that ship, on the embedded cloud and on stores in memory, in the presence of faults.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod crash;
mod damaged;
mod edge_model;
mod edges;
mod encryption;
mod first_deploy;
mod foreign_writes;
#[path = "../../../sync/tests/it/gated.rs"]
mod gated;
mod history;
mod manual_failover;
mod model_history;
mod moto;
mod order;
mod outage_history;
mod prefixes;
mod purge;
mod roles;
mod rules;
mod site;
mod stage;
mod status;
mod turns;

use std::fs;
use std::path::Path;

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Whether loops over faults and schedules leave nothing out.
#[expect(clippy::disallowed_methods, reason = "CI says so in the environment")]
fn is_exhaustive() -> bool {
    std::env::var_os("TWINSITE_EXHAUSTIVE").is_some()
}

/// The requests at which faults are injected: every one in CI, where `TWINSITE_EXHAUSTIVE` is set; otherwise the first ones and then
/// every eleventh, from an offset that differs from run to run.
fn sampled() -> impl Iterator<Item = usize> {
    let (step, offset) = if is_exhaustive() { (1, 0) } else { (11, std::process::id() as usize % 11) };
    (0..3).chain((3 + offset..).step_by(step))
}
