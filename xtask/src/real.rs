//! `cargo xtask real`: real directories, published and read back by boto3.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use crate::embedded::Home;
use crate::interop::same_in_both;
use crate::process::{built, cargo, command, root, succeed, works};
use crate::venv;

/// A Debian package of documentation.
pub(crate) struct Package {
    name: &'static str,
    inside: &'static str,
}

impl Package {
    /// More than ten thousand files of HTML.
    pub(crate) const JDK: Self = Self { name: "openjdk-17-doc", inside: "usr/share/doc/openjdk-17-jre-headless" };
    /// More than thirty thousand.
    pub(crate) const RUST: Self = Self { name: "rust-doc", inside: "usr/share/doc/rust-doc" };
}

/// Publishes this workspace's documentation and a Debian package's, and compares both buckets with each.
pub(crate) fn run() -> Result<()> {
    venv::with_venv("real", |venv| {
        document()?;
        publish(venv, &built("doc"))?;
        match debian(&Package::JDK) {
            Ok(source) => publish(venv, &source),
            Err(error) => {
                eprintln!("real: the Debian package is skipped: {error:#}");
                Ok(())
            }
        }
    })
}

/// This workspace's documentation, with that of some dependencies: thousands of files.
fn document() -> Result<()> {
    succeed(&mut cargo(&["doc", "--quiet", "--workspace", "--no-deps"]))?;
    let mut doc = cargo(&["doc", "--quiet", "--no-deps"]);
    for dependency in ["aws-sdk-sts", "clap_builder", "futures-util", "hyper", "time", "tokio"] {
        doc.args(["--package", dependency]);
    }
    succeed(&mut doc)
}

fn publish(venv: &Path, source: &Path) -> Result<()> {
    let home = Home::fresh("real", "debug")?;
    succeed(home.twinsite().args(["deploy", "--apply", "--local", "--quiet", "--allow-no-index"]).arg(source))?;
    same_in_both(venv, source, &home.serve()?)
}

/// The package's documents, downloaded once.
///
/// # Errors
/// Where there is no apt, or it reaches no archive.
pub(crate) fn debian(Package { name, inside }: &Package) -> Result<PathBuf> {
    let home = root().join("target/debian").join(name);
    let source = home.join("tree").join(inside);
    if source.is_dir() {
        return Ok(source);
    }
    ensure!(works(command("apt-get").arg("--version")), "there is no apt-get here");
    fs::create_dir_all(&home)?;
    // Without the option, apt warns that its own user may not write here.
    let download = || {
        let mut apt = command("apt-get");
        apt.args(["-qq", "-o", "APT::Sandbox::User=root", "download", name]).current_dir(&home).status()
    };
    if !download().is_ok_and(|status| status.success()) {
        succeed(command("apt-get").args(["-qq", "update"])).context("refresh the package lists")?;
        ensure!(download()?.success(), "the package could not be downloaded");
    }
    let package = fs::read_dir(&home)?.filter_map(Result::ok).map(|entry| entry.path());
    let package = package.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let unpacked = home.join("unpacked");
    succeed(command("dpkg-deb").arg("-x").arg(package.context("the package is missing")?).arg(&unpacked))?;
    remove_dead_links(&unpacked.join(inside))?;
    fs::rename(unpacked, home.join("tree"))?;
    Ok(source)
}

/// Links to files of other packages lead nowhere here, and twinsite rightly refuses them.
fn remove_dead_links(dir: &Path) -> Result<()> {
    for entry in WalkDir::new(dir) {
        let entry = entry?;
        if entry.path_is_symlink() && !entry.path().exists() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
