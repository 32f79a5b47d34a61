//! What a file's content was when it was last read, so that it need not be read again: as git's index keeps it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::{Md5, SourceObject, Stamp};

/// By path as it is written: to hash or compare a path as such is to take it apart.
type Entries = HashMap<OsString, (Stamp, Md5)>;

/// Remembers the digest of every file that was read, by path and [`Stamp`].
///
/// Clones share what they know. It only ever spares work: without it, or when it cannot be read or written, everything is as correct and slower.
#[derive(Clone, Debug, Default)]
pub struct Index {
    file: Option<PathBuf>,
    entries: Arc<Mutex<Entries>>,
    /// True when it knows more than the file does.
    is_newer: Arc<AtomicBool>,
}

#[derive(Serialize, Deserialize)]
struct Entry(String, u64, i128, i128, u64, String);

impl Index {
    /// An index for this run only.
    pub fn memory() -> Self {
        Self::default()
    }

    /// Reads an index. One that is missing, damaged or of another version is as good as empty.
    pub fn open(file: &Path) -> Self {
        let entries = Arc::new(Mutex::new(read(file).unwrap_or_default()));
        Self { file: Some(file.to_owned()), entries, is_newer: Arc::default() }
    }

    /// The digest of a file, if it is still as it was when it was read.
    pub fn get(&self, object: &SourceObject) -> Option<Md5> {
        let (path, now) = object.file()?;
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(path.as_os_str()).filter(|(stamp, _)| *stamp == now).map(|(_, digest)| *digest)
    }

    /// Remembers a file's digest.
    pub fn put(&self, object: &SourceObject, digest: Md5) {
        if let Some((path, stamp)) = object.file() {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.insert(path.into(), (stamp, digest));
            self.is_newer.store(true, Ordering::Relaxed);
        }
    }

    /// Writes it down, in one go or not at all.
    ///
    /// # Errors
    /// What the system said, for a warning: nothing depends on it.
    pub fn save(&self) -> std::io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.is_newer.load(Ordering::Relaxed)) else { return Ok(()) };
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let fresh = file.with_extension(format!("{}.new", std::process::id()));
        let written = self.write(&fresh).and_then(|()| std::fs::rename(&fresh, file));
        if written.is_err() {
            // The half-written file is of no use to anybody; that it could not be written is what matters.
            drop(std::fs::remove_file(&fresh));
        }
        written
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let mut out = BufWriter::new(std::fs::File::create(file)?);
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, (stamp, digest)) in entries.iter() {
            let Some(path) = path.to_str() else { continue };
            let Stamp { size, mtime, ctime, inode } = *stamp;
            serde_json::to_writer(&mut out, &Entry(path.to_owned(), size, mtime, ctime, inode, digest.to_string()))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

/// Reads the entries that can be trusted: a file touched in the very moment the index was written, or later, may have
/// changed again without its stamp showing it.
fn read(file: &Path) -> Option<Entries> {
    let mut input = std::fs::File::open(file).ok()?;
    let written = input.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let written = i128::try_from(written.as_nanos()).ok()?;
    // In one piece: reading from a stream would look at every byte one by one.
    let mut text = Vec::new();
    input.read_to_end(&mut text).ok()?;
    let mut entries = Entries::with_capacity(text.len() / 200);
    for entry in serde_json::Deserializer::from_slice(&text).into_iter::<Entry>() {
        let Entry(path, size, mtime, ctime, inode, digest) = entry.ok()?;
        let mut md5 = [0; 16];
        hex::decode_to_slice(digest, &mut md5).ok()?;
        // Clocks of file systems tick every few milliseconds.
        if mtime.max(ctime) < written - 20_000_000 {
            entries.insert(path.into(), (Stamp { size, mtime, ctime, inode }, Md5(md5)));
        }
    }
    Some(entries)
}
