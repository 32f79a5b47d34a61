//! `cargo xtask interop`: what twinsite wrote, read back by programs that know nothing of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walkdir::WalkDir;

use crate::process::{cargo, command, root, succeed};

/// Names that break tools. A line break is left to the crates' own tests: these programs list by line.
const ODD: [&str; 11] = [
    "a b.txt",
    "a+b.txt",
    "100%.txt",
    "a#b.txt",
    "a&b.txt",
    "~a.txt",
    "it's.txt",
    "Ü.txt",
    "U\u{308}.txt",
    "Case",
    "case",
];

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Publishes the example site and files with odd names, then reads both buckets with boto3, and the primary with the AWS CLI,
/// s5cmd and rclone.
pub(crate) fn run(venv: &Path) -> Result<()> {
    succeed(&mut cargo(&["build", "--quiet", "--package", "twinsite-cli"]))?;
    let home = root().join("target/interop");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    let source = source(&home)?;
    succeed(twinsite(&home).args(["deploy", "--apply", "--local", "--quiet"]).arg(&source))?;
    let (_server, serving) = serve(&home)?;
    let endpoint = serving["api"].as_str().context("the server names its address")?;
    for side in ["primary", "backup"] {
        let bucket = serving[side]["bucket"].as_str().context("the server names its buckets")?;
        let check = root().join("xtask/check_bucket.py");
        succeed(command(venv.join("bin/python")).arg(check).arg(&source).args([endpoint, bucket]))?;
    }
    let bucket = serving["primary"]["bucket"].as_str().context("the server names its buckets")?;
    for (name, mut tool) in tools(venv, &home, endpoint, bucket) {
        succeed(&mut tool)?;
        let (read, wanted) = (files(&home.join(name))?, files(&source)?);
        ensure!(read == wanted, "{name} did not read what was written");
        eprintln!("{name}: {} files equal", read.len());
    }
    Ok(())
}

fn source(home: &Path) -> Result<PathBuf> {
    let source = home.join("public");
    let example = root().join("examples/public");
    for entry in WalkDir::new(&example) {
        let entry = entry?;
        let to = source.join(entry.path().strip_prefix(&example)?);
        if entry.file_type().is_dir() { fs::create_dir_all(to)? } else { fs::copy(entry.path(), to).map(drop)? }
    }
    fs::create_dir_all(source.join("odd"))?;
    for name in ODD {
        fs::write(source.join("odd").join(name), name)?;
    }
    Ok(source)
}

fn twinsite(home: &Path) -> Command {
    let mut twinsite = command(root().join("target/debug/twinsite"));
    twinsite.current_dir(home);
    twinsite
}

fn serve(home: &Path) -> Result<(Server, Value)> {
    let child =
        twinsite(home).args(["local", "--json"]).stdout(Stdio::piped()).spawn().context("start twinsite local")?;
    let mut server = Server(child);
    let out = server.0.stdout.take().context("its output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    Ok((server, serde_json::from_str(&line)?))
}

fn tools(venv: &Path, home: &Path, endpoint: &str, bucket: &str) -> [(&'static str, Command); 3] {
    let tool = |name: &str| {
        let mut tool = command(venv.join("bin").join(name));
        tool.env("AWS_ACCESS_KEY_ID", "embedded").env("AWS_SECRET_ACCESS_KEY", "embedded-secret");
        tool.env("AWS_REGION", "us-east-1").stdout(Stdio::null());
        tool
    };
    let (all, root) = (format!("s3://{bucket}/*"), format!("s3://{bucket}"));
    let mut aws = tool("aws");
    aws.args(["--endpoint-url", endpoint, "s3", "sync", "--exclude", ".twinsite/*", &root]).arg(home.join("aws"));
    let mut s5cmd = tool("s5cmd");
    s5cmd.args(["--endpoint-url", endpoint, "cp", "--exclude", ".twinsite/*", &all]).arg(home.join("s5cmd/"));
    let mut rclone = tool("rclone");
    rclone.args([
        "copy",
        "--config",
        "",
        "--quiet",
        "--no-unicode-normalization",
        "--exclude",
        ".twinsite/**",
        "--s3-provider",
        "Other",
        "--s3-env-auth",
        "--s3-endpoint",
        endpoint,
    ]);
    rclone.arg(format!(":s3:{bucket}")).arg(home.join("rclone"));
    [("aws", aws), ("s5cmd", s5cmd), ("rclone", rclone)]
}

fn files(dir: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in WalkDir::new(dir) {
        let entry = entry?;
        if entry.file_type().is_file() {
            files.insert(entry.path().strip_prefix(dir)?.to_owned(), fs::read(entry.path())?);
        }
    }
    Ok(files)
}
