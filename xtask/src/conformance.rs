//! `cargo xtask conformance`: the `moto_*` tests against a moto server in a venv under `target/`, other tools on what twinsite
//! wrote, and on the embedded cloud the tests of moto that passed on AWS.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::embedded::Process;
use crate::process::{cargo, command, root, succeed};
use crate::venv::with_venv;
use crate::{documents, interop, verified, visitors};

const PATIENCE: Duration = Duration::from_mins(1);

/// A part of the suites that can run on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Our tests named `moto_*`, on moto.
    Moto,
    /// The schema of the configuration by jsonschema, the scripts of packages by shellcheck.
    Documents,
    /// Our buckets and services, read by other tools.
    Interop,
    /// Sites on the embedded cloud, visited by Python.
    Visitors,
    /// The requests of whole sites and their answers, judged by botocore's models.
    Botocore,
    /// The tests of moto that passed on AWS, on the embedded cloud.
    Verified,
}

/// Runs the suites, or one part of them.
pub(crate) fn run(only: Option<Part>) -> Result<()> {
    let wanted = |part| only.is_none_or(|only| only == part);
    with_venv("conformance", |venv| {
        if wanted(Part::Documents) {
            documents::run(venv)?;
        }
        if wanted(Part::Moto) {
            against_moto(&venv.join("bin/moto_server"))?;
        }
        if wanted(Part::Interop) {
            interop::run(venv)?;
        }
        if wanted(Part::Visitors) {
            visitors::run(venv)?;
        }
        if wanted(Part::Botocore) {
            by_botocore(venv)?;
        }
        if wanted(Part::Verified) { verified::run() } else { Ok(()) }
    })
}

fn against_moto(program: &PathBuf) -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut moto = command(program);
    moto.args(["--host", "127.0.0.1", "--port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = Process(moto.spawn().context("start moto_server")?);
    wait_for(&mut server, port)?;
    let mut tests = vec!["test", "--test", "it"];
    for package in ["twinsite-cdn", "twinsite-dns-failover", "twinsite-s3-site", "twinsite-site", "twinsite-sync"] {
        tests.extend(["--package", package]);
    }
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut tests = cargo(&tests);
    tests.args(["--", "--ignored", "moto"]).env("TWINSITE_CONFORMANCE_ENDPOINT", endpoint);
    tests.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env("AWS_REGION", "us-east-1");
    succeed(&mut tests)
}

/// Records what the commands of every role send in every mode, and what the embedded cloud answers.
fn by_botocore(venv: &Path) -> Result<()> {
    let dir = root().join("target/recorded");
    if dir.exists() {
        fs::remove_dir_all(&dir).context("delete the recorded requests of an earlier run")?;
    }
    fs::create_dir_all(&dir)?;
    let mut tests = cargo(&["test", "--package", "twinsite-site", "--test", "it", "--", "roles"]);
    succeed(tests.env("TWINSITE_RECORD_REQUESTS", &dir))?;
    let files = fs::read_dir(&dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    succeed(command(venv.join("bin/python")).arg("xtask/check_requests.py").args(files))
}

fn wait_for(server: &mut Process, port: u16) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        if let Some(status) = server.0.try_wait()? {
            bail!("moto_server ended with {status}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("moto_server does not answer after {PATIENCE:?}")
}
