//! Files to publish: real documentation, and large ones.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Result, ensure};
use walkdir::WalkDir;

use super::home;
use crate::process::{command, succeed};
use crate::real::{self, Package};

/// Which files.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Ten thousand files of HTML.
    Medium,
    /// Thirty thousand.
    Large,
    /// One file of 1 GiB.
    One,
    /// Two hundred of 16 MiB.
    Parts,
}

/// Files that must not be changed: what is measured works on a copy.
pub(super) struct Corpus(PathBuf);

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::Large => "large",
            Self::One => "1 GiB",
            Self::Parts => "200 x 16 MiB",
        }
    }

    pub(super) fn get(self) -> Result<Corpus> {
        let dir = match self {
            Self::Medium => real::debian(&Package::JDK)?,
            Self::Large => real::debian(&Package::RUST)?,
            Self::One => noise("one", 1, 1 << 30)?,
            Self::Parts => noise("parts", 200, 16 << 20)?,
        };
        Ok(Corpus(dir))
    }
}

impl Corpus {
    /// A fresh copy, without links.
    pub(super) fn copy(&self) -> Result<PathBuf> {
        let to = home("source");
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        fs::create_dir_all(home(""))?;
        succeed(command("cp").args(["--recursive", "--dereference"]).arg(&self.0).arg(&to))?;
        // What was written a moment ago is no fair work for whoever reads it from memory; all find it there.
        Ok(to)
    }
}

/// Files that no two of which are equal, and that do not compress.
fn noise(name: &str, count: u64, size: usize) -> Result<PathBuf> {
    let dir = home(name);
    if dir.join("done").exists() {
        return Ok(dir.join("files"));
    }
    fs::create_dir_all(dir.join("files"))?;
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut block = vec![0_u8; 1 << 20];
    for n in 0..count {
        let mut file = File::create(dir.join("files").join(format!("{n:03}.bin")))?;
        for _ in 0..size >> 20 {
            for word in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            file.write_all(&block)?;
        }
    }
    fs::write(dir.join("done"), "")?;
    Ok(dir.join("files"))
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(dir).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// Makes all files as new as a checkout does.
#[expect(clippy::disallowed_methods, reason = "files are made as new as can be")]
pub(super) fn touch(dir: &Path) -> Result<()> {
    let now = FileTimes::new().set_modified(SystemTime::now());
    for file in files(dir)? {
        File::options().append(true).open(file)?.set_times(now)?;
    }
    Ok(())
}

/// Changes the last byte of every hundredth file.
pub(super) fn change(dir: &Path, round: usize) -> Result<()> {
    let all = files(dir)?;
    let mut changed = 0;
    for path in all.iter().skip(round % 100).step_by(100) {
        let mut bytes = fs::read(path)?;
        let Some(last) = bytes.last_mut() else { continue };
        *last ^= 1;
        fs::write(path, bytes)?;
        changed += 1;
    }
    ensure!(changed > 0, "there is nothing to change");
    Ok(())
}
