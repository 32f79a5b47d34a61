//! `cargo xtask bench`: whole processes of twinsite and of its rivals, on the same work, in turn, in one run.

mod chart;
mod corpus;
mod link;
mod site;
mod table;
mod tools;
mod work;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::root;
use crate::venv;
use corpus::Corpus;
use link::Link;
use site::Stage;
use table::Sample;
use tools::Tool;
use work::{PLAN, Series};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each work is done by each program.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only series whose name, such as `loopback/medium`, contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Rivals, by name: aws, hugo, rclone, s3sync, s5cmd.
    #[arg(long, value_delimiter = ',', default_value = "hugo,rclone,s3sync,s5cmd")]
    rivals: Vec<String>,
    /// Where the figures go.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// Writes `docs/src/benchmarks.md` and its chart, too, with what was measured earlier of other series.
    #[arg(long)]
    docs: bool,
}

/// Measures, and tells.
pub(crate) fn run(options: &Options) -> Result<()> {
    venv::with_venv("bench", |venv| {
        let tools = tools::find(venv, &options.rivals)?;
        let mut samples = kept(options);
        for series in PLAN.iter().filter(|series| series.name().contains(&options.only)) {
            let corpus = match series.corpus.get() {
                Ok(corpus) => corpus,
                Err(error) => {
                    eprintln!("{}: skipped: {error:#}", series.name());
                    continue;
                }
            };
            for round in 0..options.rounds {
                for turn in 0..tools.len() {
                    // Nobody always comes first.
                    let tool = &tools[(turn + round) % tools.len()];
                    measure(series, tool, venv, &corpus, round, &mut samples)
                        .with_context(|| format!("{}: {}", series.name(), tool.name))?;
                }
            }
        }
        let text = serde_json::to_string_pretty(&samples)?;
        std::fs::write(root().join(&options.json), text)?;
        table::print(&samples);
        if options.docs { table::document(&samples) } else { Ok(()) }
    })
}

/// Samples of series that are not measured now.
fn kept(options: &Options) -> Vec<Sample> {
    let text = std::fs::read(root().join(&options.json)).unwrap_or_default();
    let all: Vec<Sample> = serde_json::from_slice(&text).unwrap_or_default();
    all.into_iter().filter(|sample| !sample.series.contains(&options.only)).collect()
}

/// One program does one series of works, on a cloud and a copy of the corpus of its own.
fn measure(
    series: &Series,
    tool: &Tool,
    venv: &Path,
    corpus: &Corpus,
    round: usize,
    samples: &mut Vec<Sample>,
) -> Result<()> {
    let source = corpus.copy()?;
    let stage = Stage::open(series.link, venv)?;
    tool.prepare(&stage)?;
    for work in series.works {
        if !tool.can(*work) {
            continue;
        }
        work.set_up(&stage, tool, &source, round)?;
        let (taken, requests) = match stage.measured(&tool.command(&stage, *work, &source)?) {
            Ok(measured) => measured,
            // It has its own patience, and what comes next would need what it has not done.
            Err(error) if tool.is_rival() => {
                eprintln!("{}: {}: {} gave up: {error:#}", series.name(), work.name(), tool.name);
                return stage.faults("{}").map(drop);
            }
            Err(error) => return Err(error),
        };
        let equal = work.is_done(&stage, tool, &source);
        let (series, work, who) = (series.name(), work.name().to_owned(), tool.name.to_owned());
        eprintln!("{series}: {work}: {who}: {:.2} s{}", taken.wall, if equal { "" } else { ", not equal" });
        samples.push(Sample { series, work, who, round, taken, requests, equal });
    }
    Ok(())
}

/// Where measurements are kept.
fn home(name: &str) -> PathBuf {
    root().join("target/bench").join(name)
}

/// Addresses that requests go through.
fn through(link: Link, server: &str) -> Result<Option<link::Proxy>> {
    match link {
        Link::Loopback | Link::Throttled => Ok(None),
        Link::Far => link::Proxy::open(server).map(Some),
    }
}
