//! What a file's content was when it was last read, so that it need not be read again: as git's index keeps it.

use std::collections::HashMap;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crate::{Body, Md5, Place, SourceObject, Stamp};

/// What the file begins with. Others are as good as empty.
const MAGIC: &[u8] = b"twinsite index 3\n";

/// The bytes of an entry in the file, one behind the other and without a mark between them.
const ENTRY: usize = 56;

/// By a digest of the path: many long paths would be most of what there is to keep.
type Entries = HashMap<[u8; 16], Entry>;

/// What is known of a file.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// A digest of its stamp.
    stamp: [u8; 16],
    /// When it was last changed in any way, in nanoseconds since the epoch.
    changed: i64,
    content: Md5,
}

/// The state of the file of an [`Index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// There is none yet.
    Missing,
    /// It is as it was written.
    Readable,
    /// It cannot be opened or read.
    Unreadable(std::io::ErrorKind),
    /// It was read, and is damaged or of another version.
    Damaged,
}

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

    /// The state of a file. Nothing depends on it but how long a deploy takes.
    pub fn state(file: &Path) -> IndexState {
        match std::fs::read(file) {
            Ok(_) if read(file).is_some() => IndexState::Readable,
            Ok(_) => IndexState::Damaged,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => IndexState::Missing,
            Err(error) => IndexState::Unreadable(error.kind()),
        }
    }

    /// The digest of a file, if it is still as it was when it was read.
    pub fn get(&self, object: &SourceObject) -> Option<Md5> {
        let (name, now) = name(object)?;
        let stamp = digest_of(now);
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(&name).filter(|entry| entry.stamp == stamp).map(|entry| entry.content)
    }

    /// Remembers a file's digest.
    pub fn put(&self, object: &SourceObject, digest: Md5) {
        if let Some((name, stamp)) = name(object) {
            let changed = stamp.mtime.max(stamp.ctime);
            let entry = Entry { stamp: digest_of(stamp), changed, content: digest };
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.insert(name, entry);
            self.is_newer.store(true, Ordering::Relaxed);
        }
    }

    /// Makes room for so many files at once, because a table that grows is there twice for a moment.
    pub(crate) fn expect(&self, files: usize) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = files.saturating_sub(entries.len());
        entries.reserve(missing);
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
        out.write_all(MAGIC)?;
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, Entry { stamp, changed, content }) in entries.iter() {
            out.write_all(name)?;
            out.write_all(stamp)?;
            out.write_all(&changed.to_le_bytes())?;
            out.write_all(&content.0)?;
        }
        out.flush()
    }
}

/// A digest of the path of an object's file, as it is joined from its pieces, and the stamp.
fn name(object: &SourceObject) -> Option<([u8; 16], Stamp)> {
    let Body::File { place, stamp } = &object.body else { return None };
    let name = match place {
        Place::Under(root) => {
            let mut hash = md5_simd::Md5::new();
            hash.update(root.as_os_str().as_encoded_bytes());
            hash.update(b"/");
            hash.update(object.key.as_str().as_bytes());
            hash.finalize()
        }
        Place::At(path) => crate::md5(path.as_os_str().as_encoded_bytes()).0,
    };
    Some((name, *stamp))
}

fn digest_of(stamp: Stamp) -> [u8; 16] {
    let Stamp { size, mtime, ctime, inode } = stamp;
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&size.to_le_bytes());
    bytes[8..16].copy_from_slice(&mtime.to_le_bytes());
    bytes[16..24].copy_from_slice(&ctime.to_le_bytes());
    bytes[24..].copy_from_slice(&inode.to_le_bytes());
    crate::md5(&bytes).0
}

/// Reads the entries that can be trusted: a file touched in the very moment the index was written, or later, may have
/// changed again without its stamp showing it.
fn read(file: &Path) -> Option<Entries> {
    let mut input = std::fs::File::open(file).ok()?;
    let written = input.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let written = i64::try_from(written.as_nanos()).ok()?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).ok()?;
    let (all, []) = bytes.strip_prefix(MAGIC)?.as_chunks::<ENTRY>() else { return None };
    let mut entries = Entries::with_capacity(all.len());
    for entry in all {
        let (name, rest) = entry.split_first_chunk()?;
        let (stamp, rest) = rest.split_first_chunk()?;
        let (changed, rest) = rest.split_first_chunk()?;
        let changed = i64::from_le_bytes(*changed);
        // Clocks of file systems tick every few milliseconds.
        if changed < written - 20_000_000 {
            let content = Md5(rest.try_into().ok()?);
            entries.insert(*name, Entry { stamp: *stamp, changed, content });
        }
    }
    Some(entries)
}
