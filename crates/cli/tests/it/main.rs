//! The real binary, as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod attempts;
mod bad_input;
mod deploy;
mod doctor;
mod documentation;
mod drill;
mod environment;
mod front;
mod help;
mod history;
mod hostile;
mod hung;
mod interrupted;
mod output;
mod packaging;
mod prefixes;
mod rules;
mod server;
mod site;
mod source;
mod status;
mod stores;
mod takeover;
mod terminal;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A project directory with a configuration and a little site in `public`.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("twinsite.toml", CONFIG);
        project.write("public/index.html", "<link href=assets/app.css>");
        project.write("public/404.html", "lost");
        project.write("public/about/index.html", "about");
        project.write("public/assets/app.css", "body{}");
        project.write("public/assets/a b+ü.svg", "<svg/>");
        project
    }

    /// The same project, with the state of its embedded cloud, which no process may have open.
    fn copy(&self) -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        let everything = self.path().join(".");
        assert!(Command::new("cp").arg("-a").arg(everything).arg(copy.path()).status().unwrap().success());
        copy
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_twinsite"));
        command.args(args).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").stdin(std::process::Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran(self.command(args).output().unwrap())
    }

    /// A command on the embedded cloud that must succeed.
    fn local(&self, args: &[&str]) -> Ran {
        let ran = self.run(&[args, &["--local"]].concat());
        assert_eq!(ran.code(), 0, "{args:?}: {}", ran.err());
        ran
    }

    /// The status, whatever it is.
    fn status(&self) -> String {
        let ran = self.run(&["status", "--local"]);
        assert!([0, 5, 6].contains(&ran.code()), "{}", ran.err());
        ran.out()
    }

    /// The last line of a command's JSON.
    fn json(&self, args: &[&str]) -> Value {
        self.local(&[args, &["--json"]].concat()).lines().pop().unwrap()
    }
}

const CONFIG: &str =
    "[site]\ndomain = \"www.example.com\"\n\n[primary]\nregion = \"us-east-1\"\n\n[backup]\nregion = \"us-west-2\"\n";

struct Ran(Output);

impl Ran {
    fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
