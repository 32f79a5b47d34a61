//! Content-addressed chunks. An object is a list of chunks: completing a multipart upload copies nothing, and a sparse file
//! of equal chunks is stored once.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::S3;

/// The maximum size of a chunk in bytes.
pub const CHUNK: usize = 8 << 20;

/// Smaller chunks in memory are not deduplicated.
const MIN_DEDUPLICATED: usize = 1 << 20;

/// A stored range of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Size in bytes.
    pub size: u64,
    /// The file that contains it; `None` in memory, and when empty.
    pub(super) file: Option<String>,
    #[serde(skip)]
    held: Option<Arc<Held>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held(Bytes);

/// The storage of chunks.
#[derive(Debug)]
pub(super) enum Blobs {
    Memory(Mutex<HashMap<u64, Weak<Held>>>),
    Files(PathBuf),
}

impl Blobs {
    pub(super) fn memory() -> Self {
        Self::Memory(Mutex::default())
    }

    /// Stores chunks as files below `dir`, and deletes files that are not used: a killed process leaves some.
    pub(super) fn files(dir: &Path, used: &HashSet<String>) -> io::Result<Self> {
        let dir = dir.join("blobs");
        fs::create_dir_all(&dir)?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| used.contains(name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self::Files(dir))
    }

    pub(super) fn store(&self, bytes: Bytes) -> io::Result<Chunk> {
        let size = bytes.len() as u64;
        match self {
            _ if bytes.is_empty() => Ok(Chunk { size, file: None, held: None }),
            Self::Memory(known) => Ok(Chunk { size, file: None, held: Some(hold(known, bytes)) }),
            Self::Files(dir) => Ok(Chunk { size, file: Some(write(dir, &bytes)?), held: None }),
        }
    }

    pub(super) fn load(&self, chunk: &Chunk) -> io::Result<Bytes> {
        match (self, &chunk.file, &chunk.held) {
            (_, _, Some(held)) => Ok(held.0.clone()),
            (Self::Files(dir), Some(file), None) => fs::read(dir.join(file)).map(Bytes::from),
            (Self::Files(_) | Self::Memory(_), _, None) => Ok(Bytes::new()),
        }
    }
}

fn hold(known: &Mutex<HashMap<u64, Weak<Held>>>, bytes: Bytes) -> Arc<Held> {
    if bytes.len() < MIN_DEDUPLICATED {
        return Arc::new(Held(bytes));
    }
    // The checksum finds a candidate; the bytes are compared to exclude a collision.
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &bytes);
    let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
    let candidate = known().get(&sum).and_then(Weak::upgrade);
    if let Some(same) = candidate.filter(|candidate| candidate.0 == bytes) {
        return same;
    }
    let held = Arc::new(Held(bytes));
    known().insert(sum, Arc::downgrade(&held));
    held
}

fn write(dir: &Path, bytes: &[u8]) -> io::Result<String> {
    let name = hex::encode(Sha256::digest(bytes));
    let path = dir.join(&name);
    if !path.exists() {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        io::Write::write_all(&mut file, bytes)?;
        file.persist(&path).map_err(|error| error.error)?;
    }
    Ok(name)
}

/// The bytes in `range`, chunk by chunk.
pub(super) fn read(
    s3: S3,
    chunks: Vec<Chunk>,
    range: Range<u64>,
) -> impl Iterator<Item = io::Result<Bytes>> + Send + Sync + use<> {
    let mut at = 0;
    let mut wanted = Vec::new();
    for chunk in chunks {
        let (start, end) = (at, at + chunk.size);
        at = end;
        let from = range.start.clamp(start, end) - start;
        let to = range.end.clamp(start, end) - start;
        if from < to {
            wanted.push((chunk, from..to));
        }
    }
    wanted.into_iter().map(move |(chunk, range)| {
        let bytes = s3.inner.blobs.load(&chunk)?;
        let (from, to) = (usize::try_from(range.start), usize::try_from(range.end));
        match (from, to) {
            (Ok(from), Ok(to)) if to <= bytes.len() => Ok(bytes.slice(from..to)),
            _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a blob is shorter than recorded")),
        }
    })
}
