//! `cargo xtask bench-publish`: whole processes beside `aws s3 sync`, in one run, on one served cloud.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::conformance;
use crate::embedded::{Home, Serving};
use crate::interop::tool;
use crate::measure::{Taken, measured};
use crate::process::{command, root, succeed};
use crate::real::debian;

/// One process, and the requests it made.
struct Sample {
    taken: Taken,
    requests: BTreeMap<String, u64>,
}

type Samples = BTreeMap<(usize, &'static str), Vec<Sample>>;

const WORKS: [&str; 4] = ["first", "unchanged", "unchanged, no index", "one file changed"];

/// Measures publishing `dir`, or a Debian package's documentation, `rounds` times, and prints medians.
pub(crate) fn run(dir: Option<PathBuf>, rounds: usize) -> Result<()> {
    conformance::with_venv("bench-publish", |venv| {
        let source = copy_of(&dir.map_or_else(debian, Ok)?)?;
        let mut samples = Samples::new();
        for round in 0..rounds {
            measure_round(venv, &source, round, &mut samples)?;
        }
        report(&source, rounds, &samples)
    })
}

/// A copy, because files are changed in it.
fn copy_of(dir: &Path) -> Result<PathBuf> {
    let source = root().join("target/bench-source");
    if source.exists() {
        fs::remove_dir_all(&source)?;
    }
    for entry in WalkDir::new(dir).follow_links(true) {
        let entry = entry?;
        let to = source.join(entry.path().strip_prefix(dir)?);
        if entry.file_type().is_dir() { fs::create_dir_all(to)? } else { fs::copy(entry.path(), to).map(drop)? }
    }
    Ok(source)
}

fn measure_round(venv: &Path, source: &Path, round: usize, samples: &mut Samples) -> Result<()> {
    let home = Home::fresh("bench", "release")?;
    let serving = home.serve()?;
    succeed(home.twinsite().args(["apply", "--local", "--quiet"]))?;
    let deploy = || {
        let mut deploy = home.twinsite();
        deploy.args(["deploy", "--local", "--quiet"]).arg(source);
        deploy
    };
    let bucket = "s3://bench-aws";
    let aws = |args: &[&str]| {
        let mut aws = tool(venv, "aws");
        aws.args(["--endpoint-url", &serving.endpoint, "s3"]).args(args);
        aws
    };
    succeed(&mut aws(&["mb", bucket]))?;
    let sync = || {
        let mut sync = aws(&["sync", "--quiet"]);
        sync.arg(source).arg(bucket);
        sync
    };
    let mut sample = |work: usize, who, program: Command| -> Result<()> {
        ask(&serving, "DELETE")?;
        let taken = measured(&program)?;
        let requests = ask(&serving, "GET")?;
        samples.entry((work, who)).or_default().push(Sample { taken, requests });
        Ok(())
    };
    for work in [0, 1] {
        sample(work, "twinsite", deploy())?;
        sample(work, "aws s3 sync", sync())?;
    }
    fs::remove_file(home.path().join(".twinsite/index"))?;
    sample(2, "twinsite", deploy())?;
    change_one(source, round)?;
    sample(3, "twinsite", deploy())?;
    sample(3, "aws s3 sync", sync())
}

/// Changes bytes of one page; its size grows with every round, or `aws s3 sync` might not see it.
fn change_one(source: &Path, round: usize) -> Result<()> {
    let page = WalkDir::new(source).sort_by_file_name().into_iter().filter_map(Result::ok).find(|entry| {
        entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "html")
    });
    let page = page.context("the source has no page")?;
    let mut file = fs::OpenOptions::new().append(true).open(page.path())?;
    writeln!(file, "<!-- round {round} -->").context("change a page")
}

/// The counts of the served cloud.
fn ask(serving: &Serving, method: &str) -> Result<BTreeMap<String, u64>> {
    let address = serving.endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "{method} /_twinsite/requests HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("the served cloud tells its counts")?;
    Ok(serde_json::from_str(body)?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "the table is the command's result")]
fn report(source: &Path, rounds: usize, samples: &Samples) -> Result<()> {
    let files = WalkDir::new(source).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let sizes: Vec<u64> = files.map(|file| Ok(file.metadata()?.len())).collect::<Result<_>>()?;
    let mib = sizes.iter().sum::<u64>() >> 20;
    println!(
        "{} files, {mib} MiB; medians of {rounds}; twinsite publishes to two buckets, aws s3 sync to one\n",
        sizes.len()
    );
    println!("| work | who | wall s | CPU s | peak MiB | requests |\n|---|---|---|---|---|---|");
    for (work, name) in WORKS.iter().enumerate() {
        for who in ["twinsite", "aws s3 sync"] {
            let Some(taken) = samples.get(&(work, who)) else { continue };
            let middle = |of: fn(&Taken) -> f64| median(taken.iter().map(|sample| of(&sample.taken)).collect());
            let (wall, cpu, peak) = (middle(|t| t.wall), middle(|t| t.cpu), middle(|t| t.peak));
            let requests = taken.last().map(|sample| words(&sample.requests)).unwrap_or_default();
            println!("| {name} | {who} | {wall:.2} | {cpu:.2} | {peak:.0} | {requests} |");
        }
    }
    succeed(command("uname").arg("-srm"))
}

fn words(requests: &BTreeMap<String, u64>) -> String {
    let words: Vec<String> = requests.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
    words.join(", ")
}
