//! `cargo xtask conformance`: the `moto_*` tests against a moto server in a venv under `target/`, other tools on what twinsite
//! wrote, and on the embedded cloud the tests of moto that passed on AWS.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::embedded::Process;
use crate::process::{cargo, command, root, succeed};
use crate::{interop, verified, visitors};

const PATIENCE: Duration = Duration::from_mins(1);

/// A part of the suites that can run on its own.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Part {
    /// The tests of moto that passed on AWS, on the embedded cloud.
    Verified,
}

/// Runs the suites, or one part of them.
pub(crate) fn run(only: Option<Part>) -> Result<()> {
    if let Some(Part::Verified) = only {
        return verified::run();
    }
    with_venv("conformance", |venv| {
        against_moto(&venv.join("bin/moto_server"))?;
        interop::run(venv)?;
        visitors::run(venv)?;
        verified::run()
    })
}

/// Does something with the pinned Python tools. Without pip or network this is a skip for a developer and a failure in CI.
pub(crate) fn with_venv(what: &str, run: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    match venv("venv", "xtask/requirements.txt") {
        Ok(venv) => run(&venv),
        Err(error) if in_ci() => Err(error),
        Err(error) => {
            eprintln!("{what}: skipped: {error:#}");
            Ok(())
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "CI says that it is CI in the environment only")]
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// A venv under `target/` with what the file requires.
pub(crate) fn venv(name: &str, requirements: &str) -> Result<PathBuf> {
    let venv = root().join("target").join(name);
    if !venv.join("bin/pip").exists() {
        succeed(command("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let pip = ["install", "--quiet", "--disable-pip-version-check", "--requirement", requirements];
    succeed(command(venv.join("bin/pip")).args(pip)).context("install the pinned tools")?;
    Ok(venv)
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
