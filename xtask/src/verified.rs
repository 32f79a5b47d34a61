//! The tests of moto that are marked `aws_verified`, because they passed on AWS itself, on the embedded cloud.
//!
//! moto's source distribution has its tests in it; it is pinned by its hash. The tests that are expected to fail are in
//! `xtask/verified/expected-failures.txt`, each with a reason. That list may only shrink: a test that passes although it is
//! in the list is an error, as is one that fails although it is not.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use crate::embedded::Process;
use crate::process::{built, cargo, command, root, succeed};
use crate::venv::venv;

/// The services that the embedded cloud has.
const SERVICES: [&str; 8] = ["acm", "cloudfront", "cloudwatch", "iam", "route53", "s3", "s3control", "sns"];

const EXPECTED_FAILURES: &str = "xtask/verified/expected-failures.txt";

/// Seconds until a test counts as failed: one that pages for ever ends too.
const TIME_LIMIT: &str = "--timeout=60";

/// Runs the tests and compares their outcomes with the list.
pub(crate) fn run() -> Result<()> {
    let venv = venv("verified/venv", "xtask/verified/requirements.txt")?;
    let moto = source(&venv)?;
    let server = Server::start()?;
    let outcomes = outcomes(&venv, &moto, &server.endpoint)?;
    let text = fs::read_to_string(root().join(EXPECTED_FAILURES)).context("read the expected failures")?;
    let findings = findings(&outcomes, &expected_failures(&text)?);
    ensure!(findings.is_empty(), "{} differences from {EXPECTED_FAILURES}:\n{}", findings.len(), findings.join("\n"));
    let passed = outcomes.values().filter(|outcome| *outcome == "passed").count();
    eprintln!("verified: {passed} of {} tests that passed on AWS pass, the others are expected not to", outcomes.len());
    Ok(())
}

/// The unpacked source distribution. pip verifies its hash.
fn source(venv: &Path) -> Result<PathBuf> {
    let pins = fs::read_to_string(root().join("xtask/verified/moto.txt"))?;
    let pin = pins.lines().find_map(|line| line.strip_prefix("moto==")).context("moto is pinned")?;
    let name = format!("moto-{}", pin.split(' ').next().unwrap_or_default());
    let dir = root().join("target/verified");
    let unpacked = dir.join(&name);
    if unpacked.exists() {
        return Ok(unpacked);
    }
    let download = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "moto"];
    let pinned = ["--require-hashes", "--requirement", "xtask/verified/moto.txt", "--dest"];
    succeed(command(venv.join("bin/pip")).args(download).args(pinned).arg(&dir)).context("download moto's source")?;
    // An interrupted run leaves no half of it under the final name.
    let unpacking = dir.join("unpacking");
    let archive = dir.join(format!("{name}.tar.gz"));
    succeed(command(venv.join("bin/python")).args(["-m", "tarfile", "-e"]).arg(archive).arg(&unpacking))?;
    fs::rename(unpacking.join(&name), &unpacked)?;
    fs::remove_dir(unpacking)?;
    Ok(unpacked)
}

/// An empty embedded cloud without anything that twinsite provisions.
struct Server {
    _process: Process,
    endpoint: String,
}

impl Server {
    fn start() -> Result<Self> {
        succeed(&mut cargo(&["build", "--quiet", "--package", "twinsite-local", "--example", "serve"]))?;
        let mut serve = command(built("debug/examples/serve"));
        let mut process = Process(serve.arg("0").stdout(Stdio::piped()).spawn().context("start the embedded cloud")?);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().context("its output")?).read_line(&mut line)?;
        let endpoint = line.strip_prefix("API ").and_then(|rest| rest.split(',').next());
        let endpoint = endpoint.with_context(|| format!("it says where it listens: {line}"))?.to_owned();
        Ok(Self { _process: process, endpoint })
    }
}

/// The outcome of each test: `passed`, `failed` or `skipped`.
fn outcomes(venv: &Path, moto: &Path, endpoint: &str) -> Result<BTreeMap<String, String>> {
    let (report, log) = (root().join("target/verified/outcomes"), root().join("target/verified/log"));
    fs::remove_file(&report).ok();
    let output = fs::File::create(&log)?;
    let mut pytest = command(venv.join("bin/python"));
    pytest.args(["-m", "pytest", "-m", "aws_verified", "-p", "outcomes", "-p", "no:cacheprovider", "--color=no"]);
    pytest.args([TIME_LIMIT, "-q"]).args(SERVICES.map(|service| format!("tests/test_{service}"))).current_dir(moto);
    let isolated = [
        ("AWS_ACCESS_KEY_ID", "embedded"),
        ("AWS_SECRET_ACCESS_KEY", "embedded-secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "none"),
        ("AWS_SHARED_CREDENTIALS_FILE", "none"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("MOTO_TEST_ALLOW_AWS_REQUEST", "true"),
        ("PYTHONDONTWRITEBYTECODE", "true"),
    ];
    pytest.envs(isolated).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").env("AWS_ENDPOINT_URL", endpoint);
    // The account is put before this host, and an address has no subdomains.
    pytest.env("AWS_ENDPOINT_URL_S3_CONTROL", endpoint.replace("127.0.0.1", "localhost"));
    pytest.env("PYTHONPATH", root().join("xtask/verified")).env("OUTCOMES", &report);
    let status = pytest.stdout(output.try_clone()?).stderr(output).status().context("start pytest")?;
    // 1: some tests failed.
    let complete = matches!(status.code(), Some(0 | 1)) && report.exists();
    ensure!(complete, "pytest ended with {status}, see {}", log.display());
    let text = fs::read_to_string(report)?;
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(lines.map(|(outcome, test)| (test.to_owned(), outcome.to_owned())).collect())
}

/// The tests in the list, each with its reason: `TEST: REASON`.
fn expected_failures(text: &str) -> Result<BTreeMap<&str, &str>> {
    let mut expected = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((test, reason)) = line.split_once(": ") else { bail!("{EXPECTED_FAILURES}: `{line}` has no reason") };
        ensure!(expected.insert(test, reason).is_none(), "{EXPECTED_FAILURES}: `{test}` is there twice");
    }
    Ok(expected)
}

fn findings(outcomes: &BTreeMap<String, String>, expected: &BTreeMap<&str, &str>) -> Vec<String> {
    let unexpected =
        outcomes.iter().filter_map(|(test, outcome)| match (outcome.as_str(), expected.contains_key(test.as_str())) {
            ("passed", true) => Some(format!("{test} passes: take it out of the list")),
            ("passed", false) | (_, true) => None,
            (outcome, false) => Some(format!("{test} {outcome}: see target/verified/log")),
        });
    let gone = expected.keys().filter(|test| !outcomes.contains_key(**test));
    unexpected.chain(gone.map(|test| format!("{test} was not run: take it out of the list"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_from_the_list_is_found() {
        let expected = expected_failures("# why\n\na::b[x: y]: never\nc::d: later\ne::f: gone\n");
        assert!(expected_failures("a::b\n").is_err(), "a reason is required");
        let ran = [("a::b", "passed"), ("c::d", "passed"), ("g::h", "failed"), ("i::j", "skipped"), ("k::l", "passed")];
        let outcomes = ran.map(|(test, outcome)| (test.to_owned(), outcome.to_owned())).into();
        let found = findings(&outcomes, &expected.unwrap());
        assert_eq!(found.len(), 5, "{found:?}");
    }
}
