//! What is sent: bytes, or a range of a file that is too large to be held.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;

/// The body of a put or of a part. It can be read more than once: requests are made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// In memory.
    Memory(Bytes),
    /// In a file, from where it is read while it is sent.
    File(FileRange),
}

/// A range of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRange {
    /// The file.
    pub path: PathBuf,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

impl Content {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(range) => range.length,
        }
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// When the file cannot be read, or is shorter by now.
    pub fn bytes(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File(range) => {
                let mut bytes = vec![0; usize::try_from(range.length).map_err(io::Error::other)?];
                range.open()?.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}

impl FileRange {
    /// The file, at the range's beginning.
    pub(crate) fn open(&self) -> io::Result<File> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(file)
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Self {
        Self::Memory(text.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Memory(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, FileRange};

    #[test]
    fn a_range_is_what_the_file_has_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        let range = |offset, length| Content::File(FileRange { path: path.clone(), offset, length });
        assert_eq!(range(3, 4).bytes().unwrap(), "3456");
        assert_eq!(range(3, 4).size(), 4);
        assert!(range(8, 4).bytes().is_err(), "it has only two there");
    }
}
