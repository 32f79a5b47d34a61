//! `cargo xtask ci`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{conformance, large, lint, real, report, test};

/// How much is run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Also what takes longer than a commit should wait for: fault loops that leave no request out, large and real directories, and
    /// drills in real time
    #[arg(long)]
    full: bool,
}

/// One stage of the run.
struct Stage {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// What is run for every commit, the quickest stages first.
const STAGES: &[Stage] = &[
    Stage { name: "lint", run: lint::run },
    Stage { name: "test", run: || test::run(&[]) },
    Stage { name: "report", run: report::run },
    Stage { name: "conformance", run: || conformance::run(None) },
];

/// What is run besides, every night and before a release.
const FULL: &[Stage] = &[
    Stage { name: "test, exhaustive", run: test::exhaustive },
    Stage { name: "large", run: large::run },
    Stage { name: "real", run: real::run },
    Stage { name: "report --real-time", run: report::in_real_time },
];

/// Runs all stages until one fails, and prints how long each took.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (mut took, mut result) = (Vec::new(), Ok(()));
    let more = if options.full { FULL } else { &[] };
    for stage in STAGES.iter().chain(more) {
        eprintln!("==> {}", stage.name);
        let started = Instant::now();
        result = (stage.run)().with_context(|| format!("stage `{}`", stage.name));
        took.push((stage.name, started.elapsed()));
        if result.is_err() {
            break;
        }
    }
    let total = took.iter().map(|(_, time)| time).sum();
    took.push(("total", total));
    eprintln!();
    for (name, time) in took {
        eprintln!("{name:<20} {:>9}", clock(time));
    }
    result
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round();
    format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0)
}
