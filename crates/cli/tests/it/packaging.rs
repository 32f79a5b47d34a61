//! What installs twinsite, and what runs it in pipelines: the scripts of `packaging`, with the real binary.
//!
//! They need Python: where there is none, the tests do nothing, except in CI.
#![expect(clippy::disallowed_methods, reason = "tools are found as a user's are, and CI says that it is CI")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{Project, Ran};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "CI has Python");
    found
}

fn succeed(command: &mut Command) -> String {
    let ran = Ran(command.output().unwrap());
    assert_eq!(ran.code(), 0, "{command:?}: {}{}", ran.out(), ran.err());
    ran.out()
}

/// The files of a release, served by Python.
struct Releases {
    files: TempDir,
    server: Child,
    url: String,
}

const TARGET: &str = "x86_64-unknown-linux-musl";

impl Releases {
    fn serve() -> Self {
        let files = tempfile::tempdir().unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let release = files.path().join("download").join(format!("v{version}"));
        // Without symbols, if that can be had: they are most of a debug build.
        let stripped = files.path().join("twinsite");
        let strip = Command::new("strip").arg("-o").arg(&stripped).arg(env!("CARGO_BIN_EXE_twinsite")).status();
        let binary = match strip {
            Ok(status) if status.success() => stripped,
            _ => env!("CARGO_BIN_EXE_twinsite").into(),
        };
        let mut archive = Command::new("sh");
        archive.arg(root().join("packaging/archive.sh")).arg(&binary).args([TARGET, version]).arg(&release);
        let made = succeed(archive.env("GZIP", "-1"));
        assert!(made.trim_end().ends_with(&format!("twinsite-{version}-{TARGET}.tar.gz")), "{made}");
        let sums = succeed(
            Command::new("sh").args(["-c", "sha256sum -- *.tar.gz || shasum -a 256 -- *.tar.gz"]).current_dir(&release),
        );
        fs::write(release.join("SHA256SUMS"), sums).unwrap();
        fs::create_dir_all(files.path().join("latest")).unwrap();
        std::os::unix::fs::symlink(&release, files.path().join("latest/download")).unwrap();
        let mut server = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(files.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().skip_while(|word| *word != "port").nth(1).unwrap().to_owned();
        Self { files, server, url: format!("http://127.0.0.1:{port}") }
    }

    fn install(&self, prefix: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new("sh");
        command.arg(root().join("packaging/install.sh")).args([
            "--target",
            TARGET,
            "--base-url",
            &self.url,
            "--prefix",
        ]);
        command.arg(prefix).args(args).env_clear().env("PATH", "/usr/bin:/bin");
        Ran(command.output().unwrap())
    }

    fn rewrite(&self, change: impl Fn(String) -> String) {
        let sums = self.files.path().join("latest/download/SHA256SUMS");
        let text = fs::read_to_string(&sums).unwrap();
        fs::write(sums, change(text)).unwrap();
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

#[test]
fn the_installer_installs_what_has_the_right_checksum_and_nothing_else() {
    if !has_python() {
        return;
    }
    let releases = Releases::serve();
    let home = tempfile::tempdir().unwrap();
    let prefix = home.path().join("local");
    for args in
        [&[][..], &["--version", env!("CARGO_PKG_VERSION")], &["--version", concat!("v", env!("CARGO_PKG_VERSION"))]]
    {
        let ran = releases.install(&prefix, args);
        assert_eq!(ran.code(), 0, "{}", ran.err());
        assert!(ran.out().contains(concat!("installed twinsite ", env!("CARGO_PKG_VERSION"))), "{}", ran.out());
        assert!(ran.out().contains("to PATH"), "{}", ran.out());
    }
    for file in [
        "bin/twinsite",
        "share/man/man1/twinsite-deploy.1",
        "share/bash-completion/completions/twinsite",
        "share/zsh/site-functions/_twinsite",
        "share/fish/vendor_completions.d/twinsite.fish",
    ] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
    let other = home.path().join("other");
    let refused = |args: &[&str], part: &str| {
        let ran = releases.install(&other, args);
        assert!(ran.code() == 1 && ran.err().contains(part) && ran.err().contains("error: "), "{part}: {}", ran.err());
        assert!(!other.exists(), "{part}: something was installed");
    };
    refused(&["--version", "9.9.9"], "could not download");
    refused(&["--target", "riscv64-unknown-linux-musl"], "no archive for riscv64");
    refused(&["--frobnicate"], "unknown argument");
    refused(&["--version"], "needs a value");
    let digit = |c: char| if c == '0' { '1' } else { '0' };
    releases.rewrite(|sums| format!("{}{}", digit(sums.chars().next().unwrap()), &sums[1..]));
    refused(&[], "nothing was installed");
    // A line that is no line of a list, or the same archive twice, is not guessed about.
    releases.rewrite(|sums| sums.replace("twinsite-", "../twinsite-"));
    refused(&[], "no archive for");
    releases.rewrite(|sums| sums.replace("../twinsite-", "twinsite-").repeat(2));
    refused(&[], "several archives");
    assert!(prefix.join("bin/twinsite").is_file(), "what was installed before stays");
}

/// A step of a workflow: what a runner gives it, and what it has written.
struct Step {
    ran: Ran,
    outputs: Vec<(String, String)>,
    summary: String,
}

impl Step {
    fn run(project: &Project, inputs: &[(&str, &str)]) -> Self {
        let (output, summary) = (project.path().join("output"), project.path().join("summary.md"));
        for file in [&output, &summary] {
            fs::write(file, "").unwrap();
        }
        let binary = Path::new(env!("CARGO_BIN_EXE_twinsite")).parent().unwrap();
        let path = std::env::join_paths(
            std::iter::once(binary.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = Command::new("python3");
        command.arg(root().join("packaging/action/deploy.py")).current_dir(project.path()).env("PATH", path.unwrap());
        command
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for (name, value) in inputs {
            command.env(format!("INPUT_{name}"), value);
        }
        let ran = Ran(command.output().unwrap());
        let written = fs::read_to_string(&output).unwrap();
        let mut lines = written.lines();
        let mut outputs = Vec::new();
        while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        Self { ran, outputs, summary: fs::read_to_string(&summary).unwrap() }
    }

    fn output(&self, name: &str) -> &str {
        &self.outputs.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// The workflow commands on stdout.
    fn annotations(&self) -> Vec<String> {
        self.ran.out().lines().filter(|line| line.trim_start().starts_with("::")).map(str::to_owned).collect()
    }
}

#[test]
fn the_action_reports_as_runners_expect() {
    if !has_python() {
        return;
    }
    let project = Project::new();
    let hostile = "public/a|b `c`\n::error::x.txt";
    project.write(hostile, "x");
    let message = "-first\n::warning::release";
    let first = Step::run(&project, &[("ARGS", "--local --apply"), ("MESSAGE", message), ("DIRECTORY", "public")]);
    assert_eq!(first.ran.code(), 0, "{}{}", first.ran.out(), first.ran.err());
    assert_eq!(
        (first.output("release"), first.output("changed"), first.output("backup"), first.output("exit-code")),
        ("1", "true", "in-sync", "0")
    );
    assert_eq!(first.output("url"), "https://www.example.com/");
    let result: serde_json::Value = serde_json::from_str(first.output("result")).unwrap();
    assert_eq!(result["release"]["message"], message);
    assert!(first.annotations().is_empty(), "{:?}", first.annotations());
    assert!(first.summary.starts_with("## Release 1\n"), "{}", first.summary);
    assert!(first.summary.contains("| put | a&#124;b &#96;c&#96;&#10;::error::x.txt | absent |"), "{}", first.summary);

    let dry = Step::run(&project, &[("ARGS", "--local"), ("DRY_RUN", "true")]);
    assert_eq!((dry.ran.code(), dry.output("changed"), dry.output("release")), (0, "false", ""));
    assert!(dry.summary.contains("0 to upload"), "{}", dry.summary);

    let missing = Step::run(&project, &[("ARGS", "--local"), ("DIRECTORY", "none")]);
    assert_eq!((missing.ran.code(), missing.output("exit-code"), missing.output("release")), (2, "2", ""));
    let said = missing.annotations();
    assert!(said.len() == 1 && said[0].starts_with("::error title=twinsite::could not publish"), "{said:?}");
    assert!(said[0].contains("%0Abuild the site first") && missing.summary.contains("does not exist"), "{said:?}");

    let usage = Step::run(&project, &[("ARGS", "--local --frobnicate")]);
    assert!(usage.ran.code() == 2 && usage.annotations().len() == 1, "{}", usage.ran.out());
    let odd = Step::run(&project, &[("ARGS", "--local"), ("DRY_RUN", "yes")]);
    assert!(odd.ran.code() == 2 && odd.annotations()[0].contains("neither true nor false"), "{:?}", odd.annotations());
}

#[test]
fn the_actions_definition_hands_over_every_input() {
    let definition = fs::read_to_string(root().join("action.yml")).unwrap();
    let script = fs::read_to_string(root().join("packaging/action/deploy.py")).unwrap();
    for name in ["DIRECTORY", "CONFIG", "IF_NEWER", "DRY_RUN", "MESSAGE", "ARGS"] {
        let input = name.to_lowercase().replace('_', "-");
        assert!(definition.contains(&format!("INPUT_{name}: ${{{{ inputs.{input} }}}}")), "{name}");
        assert!(script.contains(&format!("\"{name}\"")) || script.contains(&format!("INPUT_{name}")), "{name}");
    }
    for output in ["release", "url", "changed", "backup", "result", "exit-code"] {
        assert!(definition.contains(&format!("steps.deploy.outputs.{output} }}}}")), "{output}");
        assert!(script.contains(&format!("set_output(\"{output}\"")), "{output}");
    }
}
