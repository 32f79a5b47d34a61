//! `cargo xtask large`: sizes that break tools, with a bound on memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::embedded::Home;
use crate::measure::measured;
use crate::process::{cargo, succeed};

const FILES: usize = 30_000;
const GIB: u64 = 1 << 30;
/// Peak memory allowed, in MiB.
const MANY: f64 = 150.0;
const HUGE: f64 = 256.0;
const COPIED: f64 = 200.0;

/// What is to be copied from bucket to bucket.
const OBJECTS: usize = 100_000;
const SPARSE: u64 = 12 * GIB;

/// Publishes thirty thousand files, and a file of six gibibytes, to both buckets of a served cloud.
pub(crate) fn run() -> Result<()> {
    let home = Home::fresh("large", "debug")?;
    let (many, huge) = (many(home.path())?, huge(home.path())?);
    let _serving = home.serve()?;
    publish(&home, &many, MANY)?;
    publish(&home, &huge, HUGE)?;
    backfill()
}

/// A hundred thousand objects and one of twelve gibibytes, all older than the replication rule.
fn backfill() -> Result<()> {
    let home = Home::fresh("backfill", "debug")?;
    succeed(home.twinsite().args(["apply", "--local", "--quiet"]))?;
    large_bucket(&home, "fill")?;
    let serving = home.serve()?;
    let mut backfill = home.twinsite();
    backfill.args(["backfill", "--local", "--quiet"]);
    let taken = measured(&backfill)?;
    eprintln!("{OBJECTS} objects and {} GiB copied: {:.1} s, peak {:.0} MiB", SPARSE / GIB, taken.wall, taken.peak);
    ensure!(taken.peak < COPIED, "peak memory is {:.0} MiB, {COPIED:.0} is the bound", taken.peak);
    succeed(home.twinsite().args(["verify", "--local", "--quiet"]))?;
    drop(serving);
    large_bucket(&home, "check")
}

/// Runs the example of the command that prepares and checks the buckets.
fn large_bucket(home: &Home, command: &str) -> Result<()> {
    let mut example = cargo(&["run", "--quiet", "--package", "twinsite", "--example", "large_bucket", "--", command]);
    succeed(example.arg(home.path().join(".twinsite/local")))
}

fn publish(home: &Home, source: &Path, most: f64) -> Result<()> {
    let mut deploy = home.twinsite();
    // A second source on the same buckets: what only the first has stays.
    deploy.args(["deploy", "--apply", "--local", "--quiet", "--delete", "none", "--allow-no-index"]).arg(source);
    let taken = measured(&deploy)?;
    eprintln!("{}: {:.1} s, peak {:.0} MiB", source.display(), taken.wall, taken.peak);
    ensure!(taken.peak < most, "peak memory is {:.0} MiB, {most:.0} is the bound", taken.peak);
    Ok(())
}

fn many(home: &Path) -> Result<PathBuf> {
    let source = home.join("many");
    for folder in 0..FILES / 100 {
        let dir = source.join(format!("{folder:03}"));
        fs::create_dir_all(&dir)?;
        for file in 0..100 {
            fs::write(dir.join(format!("{file:02}.html")), format!("<p>{folder}/{file}</p>"))?;
        }
    }
    Ok(source)
}

fn huge(home: &Path) -> Result<PathBuf> {
    let source = home.join("huge");
    fs::create_dir_all(&source)?;
    File::create(source.join("sparse.bin"))?.set_len(6 * GIB)?;
    Ok(source)
}
