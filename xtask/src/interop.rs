//! What twinsite wrote, read back by programs that know nothing of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use walkdir::WalkDir;

use crate::embedded::{Home, Serving};
use crate::process::{command, root, succeed};

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

const CONFIG: &str = "[site]\ndomain = \"www.example.com\"\n[primary]\nregion = \"us-east-1\"\n[backup]\n\
    region = \"us-west-2\"\n[alerts]\nemail = [\"ops@example.com\"]\n";

/// What health checks ask for is in the buckets, but not in the source.
const HEALTH: &str = ".well-known/twinsite/*";

/// Publishes the example site and files with odd names, then reads both buckets with boto3, and the primary with the AWS CLI,
/// s5cmd and rclone.
pub(crate) fn run(venv: &Path) -> Result<()> {
    let home = Home::fresh("interop", "debug")?;
    let source = source(home.path())?;
    fs::write(home.path().join("twinsite.toml"), CONFIG)?;
    succeed(home.twinsite().args(["deploy", "--apply", "--local", "--quiet"]).arg(&source))?;
    let serving = home.serve()?;
    control_planes(venv, &serving)?;
    same_in_both(venv, &source, &serving)?;
    for (name, mut tool) in tools(venv, home.path(), &serving) {
        succeed(&mut tool)?;
        let (read, wanted) = (files(&home.path().join(name))?, files(&source)?);
        ensure!(read == wanted, "{name} did not read what was written");
        eprintln!("{name}: {} files equal", read.len());
    }
    Ok(())
}

/// Has the AWS CLI, whose codecs are not the Rust SDK's, read what was provisioned.
fn control_planes(venv: &Path, serving: &Serving) -> Result<()> {
    let role = "twinsite-www-example-com-replication";
    let asked: [(&[&str], &str); 7] = [
        (&["acm", "list-certificates", "--query", "CertificateSummaryList[].Status"], "ISSUED"),
        (
            &["cloudfront", "list-distributions", "--query", "DistributionList.Items[].Aliases.Items[]"],
            "www.example.com",
        ),
        (&["cloudwatch", "describe-alarms", "--query", "MetricAlarms[].MetricName"], "HealthCheckStatus"),
        (&["iam", "get-role", "--role-name", role, "--query", "Role.AssumeRolePolicyDocument"], "s3.amazonaws.com"),
        (&["route53", "list-hosted-zones", "--query", "HostedZones[].Name"], "example.com."),
        (&["route53", "list-health-checks", "--query", "HealthChecks[].HealthCheckConfig.Type"], "CALCULATED"),
        (&["sns", "list-topics", "--query", "Topics[].TopicArn"], "twinsite-www-example-com"),
    ];
    for (args, part) in asked {
        let mut aws = tool(venv, "aws");
        aws.args(["--endpoint-url", &serving.endpoint, "--output", "text"]).args(args).stdout(Stdio::piped());
        let output = aws.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success() && said.contains(part), "{args:?} does not say `{part}`: {said}");
    }
    eprintln!("aws: {} control planes read", asked.len());
    Ok(())
}

/// Has boto3 compare both buckets with a directory: every key, byte, Content-Type and Cache-Control.
pub(crate) fn same_in_both(venv: &Path, source: &Path, serving: &Serving) -> Result<()> {
    for bucket in [&serving.primary, &serving.backup] {
        let check = root().join("xtask/check_bucket.py");
        succeed(command(venv.join("bin/python")).arg(check).arg(source).args([&serving.endpoint, bucket]))?;
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

/// A program of the venv that talks to the embedded cloud.
pub(crate) fn tool(venv: &Path, name: &str) -> Command {
    let mut tool = command(venv.join("bin").join(name));
    tool.env("AWS_ACCESS_KEY_ID", "embedded").env("AWS_SECRET_ACCESS_KEY", "embedded-secret");
    tool.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1").stdout(Stdio::null());
    tool
}

fn tools(venv: &Path, home: &Path, serving: &Serving) -> [(&'static str, Command); 3] {
    let Serving { endpoint, primary, .. } = serving;
    let (all, root) = (format!("s3://{primary}/*"), format!("s3://{primary}"));
    let mut aws = tool(venv, "aws");
    aws.args(["--endpoint-url", endpoint, "s3", "sync", "--exclude", ".twinsite/*", "--exclude", HEALTH, &root])
        .arg(home.join("aws"));
    let mut s5cmd = tool(venv, "s5cmd");
    s5cmd
        .args(["--endpoint-url", endpoint, "cp", "--exclude", ".twinsite/*", "--exclude", HEALTH, &all])
        .arg(home.join("s5cmd/"));
    let mut rclone = tool(venv, "rclone");
    rclone.args([
        "copy",
        "--config",
        "",
        "--quiet",
        "--no-unicode-normalization",
        "--exclude",
        ".twinsite/**",
        "--exclude",
        ".well-known/twinsite/**",
        "--s3-provider",
        "Other",
        "--s3-env-auth",
        "--s3-endpoint",
        endpoint,
    ]);
    rclone.arg(format!(":s3:{primary}")).arg(home.join("rclone"));
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
