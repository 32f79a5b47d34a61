//! `cargo xtask large`: sizes that break tools, with a bound on memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::embedded::Home;
use crate::measure::measured;

const FILES: usize = 30_000;
const GIB: u64 = 1 << 30;
/// Peak memory allowed, in MiB.
const MANY: f64 = 150.0;
const HUGE: f64 = 256.0;

/// Publishes thirty thousand files, and a file of six gibibytes, to both buckets of a served cloud.
pub(crate) fn run() -> Result<()> {
    let home = Home::fresh("large", "debug")?;
    let (many, huge) = (many(home.path())?, huge(home.path())?);
    let _serving = home.serve()?;
    publish(&home, &many, MANY)?;
    publish(&home, &huge, HUGE)
}

fn publish(home: &Home, source: &Path, most: f64) -> Result<()> {
    let mut deploy = home.twinsite();
    // A second source on the same buckets: what only the first has stays.
    deploy.args(["deploy", "--apply", "--local", "--quiet", "--delete", "none"]).arg(source);
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
