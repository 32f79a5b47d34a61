//! Directories under `target/` in which twinsite runs against an embedded cloud of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{built, cargo, command, root, succeed};

/// A project directory whose embedded cloud nobody else uses.
pub(crate) struct Home {
    path: PathBuf,
    binary: PathBuf,
}

impl Home {
    /// Builds the binary and empties `target/NAME`.
    pub(crate) fn fresh(name: &str, profile: &str) -> Result<Self> {
        if profile == "release" {
            release()?;
        } else {
            succeed(&mut cargo(&["build", "--quiet", "--package", "twinsite"]))?;
        }
        let home = Self { path: root().join("target").join(name), binary: built(profile) };
        if home.path.exists() {
            fs::remove_dir_all(&home.path)?;
        }
        fs::create_dir_all(&home.path)?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The built binary, not yet told what to do.
    pub(crate) fn twinsite(&self) -> Command {
        let mut twinsite = command(self.binary.join("twinsite"));
        twinsite.current_dir(&self.path);
        twinsite
    }

    /// The example of `twinsite-sync` that publishes to one bucket, built now as a release.
    pub(crate) fn example() -> Result<PathBuf> {
        release()?;
        Ok(built("release/examples/publish"))
    }

    /// Serves the embedded cloud until the answer is dropped.
    pub(crate) fn serve(&self) -> Result<Serving> {
        self.serve_with(&[])
    }

    /// The same, of a cloud that is forgotten at the end.
    pub(crate) fn serve_in_memory(&self) -> Result<Serving> {
        self.serve_with(&["--memory"])
    }

    /// The same, with time running so many times faster.
    pub(crate) fn serve_at(&self, speed: u32) -> Result<Serving> {
        self.serve_with(&["--speed", &speed.to_string()])
    }

    fn serve_with(&self, args: &[&str]) -> Result<Serving> {
        let mut local = self.twinsite();
        let child = local
            .args(["local", "--json"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .context("start twinsite local")?;
        let mut process = Process(child);
        let out = process.0.stdout.take().context("its output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("the server names addresses and buckets");
        Ok(Serving {
            _process: process,
            endpoint: text(&said["api"])?,
            primary: text(&said["primary"]["bucket"])?,
            backup: text(&said["backup"]["bucket"])?,
            said,
        })
    }
}

/// Builds all that is measured. One command for all of it: other sets of packages have other sets of features, and each would
/// be built anew.
fn release() -> Result<()> {
    let packages = ["--package", "twinsite", "--package", "twinsite-sync"];
    let targets = ["--bin", "twinsite", "--example", "publish"];
    succeed(cargo(&["build", "--quiet", "--release"]).args(packages).args(targets))
}

/// An embedded cloud that is being served.
pub(crate) struct Serving {
    _process: Process,
    /// The address of all services.
    pub(crate) endpoint: String,
    /// The primary bucket.
    pub(crate) primary: String,
    /// The backup bucket.
    pub(crate) backup: String,
    said: Value,
}

impl Serving {
    /// Something else that it says of itself.
    pub(crate) fn said(&self, name: &str) -> String {
        self.said[name].as_str().map_or_else(|| self.said[name].to_string(), str::to_owned)
    }
}

/// A process that is stopped when it goes out of scope, on errors too.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
