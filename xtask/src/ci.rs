//! `cargo xtask ci`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{conformance, large, lint, real, report, test};

/// One stage of the run.
struct Stage {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// What CI executes, the quickest stages first. Fault loops are exhaustive.
const STAGES: &[Stage] = &[
    Stage { name: "lint", run: lint::run },
    Stage { name: "test", run: test::exhaustive },
    Stage { name: "report", run: report::run },
    Stage { name: "conformance", run: || conformance::run(None) },
    Stage { name: "large", run: large::run },
    Stage { name: "real", run: real::run },
    Stage { name: "report --real-time", run: report::in_real_time },
];

/// Runs all stages until one fails, and prints how long each took.
pub(crate) fn run() -> Result<()> {
    let (mut took, mut result) = (Vec::new(), Ok(()));
    for stage in STAGES {
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
