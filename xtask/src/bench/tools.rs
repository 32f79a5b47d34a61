//! twinsite and its rivals, each told to do the same, with the settings that make it fastest and still true to content.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::site::Stage;
use super::work::Work;
use crate::embedded::Home;
use crate::interop::tool;
use crate::process::{command, root, succeed, works};

/// The bucket that rivals publish to, and the one they copy to.
const BUCKETS: [&str; 2] = ["bench-one", "bench-two"];

/// The whole of it: two buckets, releases, a lock.
pub(super) const TWINSITE: &str = "twinsite";

/// Its engine alone, which does what rivals do: one bucket, and nothing around it.
pub(super) const ENGINE: &str = "twinsite-sync";

/// A program.
pub(super) struct Tool {
    pub(super) name: &'static str,
    kind: Kind,
    program: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Twinsite,
    Engine,
    Aws,
    Hugo,
    Rclone,
    S3sync,
    S5cmd,
}

/// twinsite, and those of the rivals that are here. All but `s3sync` are in the venv; that one takes long to build:
/// `cargo install s3sync --root target/tools`.
pub(super) fn find(venv: &Path, rivals: &[String]) -> Result<Vec<Tool>> {
    let bin = venv.join("bin");
    let all = [
        ("aws", Kind::Aws, bin.join("aws"), "--version"),
        ("hugo", Kind::Hugo, bin.join("hugo"), "version"),
        ("rclone", Kind::Rclone, bin.join("rclone"), "version"),
        ("s3sync", Kind::S3sync, root().join("target/tools/bin/s3sync"), "--help"),
        ("s5cmd", Kind::S5cmd, bin.join("s5cmd"), "version"),
    ];
    let engine = Home::example()?;
    let mut tools = vec![
        Tool { name: TWINSITE, kind: Kind::Twinsite, program: PathBuf::new() },
        Tool { name: ENGINE, kind: Kind::Engine, program: engine },
    ];
    for (name, kind, program, version) in all {
        if !rivals.iter().any(|rival| rival == name) {
            continue;
        }
        if works(command(&program).arg(version)) {
            tools.push(Tool { name, kind, program });
        } else {
            eprintln!("{name}: skipped: {} does not run", program.display());
        }
    }
    Ok(tools)
}

impl Tool {
    /// Whether the program does such work at all.
    pub(super) fn can(&self, work: Work) -> bool {
        !matches!(self.kind, Kind::Hugo | Kind::Engine) || !work.is_copy()
    }

    /// Makes the buckets.
    pub(super) fn prepare(&self, stage: &Stage) -> Result<()> {
        if self.kind == Kind::Twinsite {
            // On the embedded cloud, where domains belong to whoever asks.
            return succeed(twinsite(stage, &["apply"]).arg("--local"));
        }
        for bucket in BUCKETS {
            let mut aws = tool(&stage.venv, "aws");
            let (endpoint, address) = (&stage.serving.endpoint, format!("s3://{bucket}"));
            succeed(aws.args(["--endpoint-url", endpoint, "s3", "mb", &address]))?;
        }
        Ok(())
    }

    /// True for somebody else's program.
    pub(super) fn is_rival(&self) -> bool {
        !matches!(self.kind, Kind::Twinsite | Kind::Engine)
    }

    /// The bucket that is published to.
    pub(super) fn first(&self, stage: &Stage) -> String {
        if self.kind == Kind::Twinsite { stage.serving.primary.clone() } else { BUCKETS[0].to_owned() }
    }

    /// The one that objects are copied to.
    pub(super) fn second(&self, stage: &Stage) -> String {
        if self.kind == Kind::Twinsite { stage.serving.backup.clone() } else { BUCKETS[1].to_owned() }
    }

    /// A site that was published when there was no backup yet.
    pub(super) fn prepare_copy(&self, stage: &Stage) -> Result<()> {
        if self.kind == Kind::Twinsite {
            let bucket = stage.serving.backup.as_str();
            let empty = root().join("xtask/empty_bucket.py");
            let mut python = command(stage.venv.join("bin/python"));
            return succeed(python.arg(empty).args([&stage.serving.endpoint, bucket]));
        }
        Ok(())
    }

    /// The command that does the work.
    pub(super) fn command(&self, stage: &Stage, work: Work, source: &Path) -> Result<Command> {
        let endpoint = stage.endpoint();
        let to = format!("s3://{}", BUCKETS[0]);
        let bin = || with_credentials(command(&self.program));
        Ok(match self.kind {
            Kind::Twinsite if work.is_copy() => at(stage, &["backfill"], endpoint),
            Kind::Twinsite => {
                let mut deploy = at(stage, &["deploy", "--allow-no-index"], endpoint);
                deploy.arg(source);
                deploy
            }
            Kind::Engine => {
                let mut engine = bin();
                engine.arg(source).args([BUCKETS[0], "us-east-1"]).arg(index(stage));
                engine.env("AWS_ENDPOINT_URL", endpoint);
                engine
            }
            Kind::Hugo => self.hugo(stage, source)?,
            Kind::Aws | Kind::Rclone | Kind::S3sync | Kind::S5cmd => {
                let mut program = bin();
                let args = self.arguments(endpoint, work, &source.display().to_string(), &to);
                program.args(args);
                program
            }
        })
    }

    fn arguments(&self, endpoint: &str, work: Work, source: &str, to: &str) -> Vec<String> {
        let second = format!("s3://{}", BUCKETS[1]);
        let (from, to) = if work.is_copy() { (to, second.as_str()) } else { (source, to) };
        match self.kind {
            Kind::Aws => words(&format!("--endpoint-url {endpoint} s3 sync --quiet {from} {to}")),
            Kind::Rclone => words(&format!(
                "sync --config= --s3-provider=Other --s3-env-auth --s3-endpoint={endpoint} --checksum --fast-list \
                 --transfers=64 --checkers=64 --s3-no-head --s3-no-check-bucket --no-update-modtime {} {}",
                from.replace("s3://", ":s3:"),
                to.replace("s3://", ":s3:")
            )),
            Kind::S3sync => s3sync(endpoint, work, from, to),
            Kind::S5cmd => {
                let all = if work.is_copy() { "*" } else { "" };
                words(&format!("--log error --endpoint-url {endpoint} --numworkers 64 sync {from}/{all} {to}/"))
            }
            Kind::Twinsite | Kind::Engine | Kind::Hugo => Vec::new(),
        }
    }

    /// A Hugo site whose output is the source.
    fn hugo(&self, stage: &Stage, source: &Path) -> Result<Command> {
        let (endpoint, bucket) = (stage.endpoint(), BUCKETS[0]);
        let address =
            format!("s3://{bucket}?endpoint={endpoint}&use_path_style=true&region=us-east-1&disable_https=true");
        let home = stage.home.path().join("hugo");
        fs::create_dir_all(&home)?;
        let config = format!(
            "baseURL = \"https://www.example.com/\"\npublishDir = \"{}\"\n[deployment]\nworkers = 64\n\
             [[deployment.targets]]\nname = \"bench\"\nURL = \"{address}\"\n",
            source.display()
        );
        fs::write(home.join("hugo.toml"), config)?;
        let mut hugo = with_credentials(command(&self.program));
        hugo.current_dir(&home).args(["deploy", "--maxDeletes=-1", "--workers=64", "--logLevel=error"]);
        Ok(hugo)
    }
}

/// No path of the bench has a space in it.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn s3sync(endpoint: &str, work: Work, from: &str, to: &str) -> Vec<String> {
    let side = |side: &str| {
        format!(
            "--{side}-access-key embedded --{side}-secret-access-key embedded-secret --{side}-endpoint-url {endpoint} \
             --{side}-force-path-style --{side}-region us-east-1"
        )
    };
    let source = if work.is_copy() { format!("{} --server-side-copy", side("source")) } else { String::new() };
    let fast = "--check-etag --worker-size 64 --disable-tagging --disable-payload-signing --disable-color-tracing";
    words(&format!("{fast} {} {source} {from}/ {to}/", side("target")))
}

fn with_credentials(mut program: Command) -> Command {
    program.env("AWS_ACCESS_KEY_ID", "embedded").env("AWS_SECRET_ACCESS_KEY", "embedded-secret");
    program.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
    program
}

/// Leaves programs no memory of earlier runs; twinsite alone has one.
pub(super) fn forget(stage: &Stage) -> Result<()> {
    let index = index(stage);
    if index.exists() { Ok(fs::remove_file(index)?) } else { Ok(()) }
}

fn index(stage: &Stage) -> PathBuf {
    stage.home.path().join(".twinsite/index")
}

fn twinsite(stage: &Stage, args: &[&str]) -> Command {
    let mut twinsite = stage.home.twinsite();
    twinsite.args(args).arg("--quiet");
    with_credentials(twinsite)
}

fn at(stage: &Stage, args: &[&str], endpoint: &str) -> Command {
    let mut twinsite = twinsite(stage, args);
    twinsite.args(["--endpoint-url", endpoint]);
    twinsite
}
