//! Archives as sources: a TAR, plain or compressed with gzip, or a ZIP is unpacked into a temporary directory, which is published.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tempfile::TempDir;

/// The directory argument that stands for a TAR, or a TAR that is compressed with gzip, on standard input.
const STDIN: &str = "-";

/// The most bytes that an archive may unpack to: a small file can be one that fills the disk.
const MAX_BYTES: u64 = 64 << 30;

/// The most files that an archive may have.
const MAX_FILES: usize = 5_000_000;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK";
const TAR: &[u8] = b"ustar";

/// Where a TAR says what it is.
/// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>
const TAR_AT: usize = 257;

/// Why an archive cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It could not be read, or its files could not be written.
    #[error("the archive `{archive}` could not be unpacked: {source}")]
    Unreadable {
        /// The archive.
        archive: String,
        /// Why.
        source: io::Error,
    },
    /// It has an entry that is neither a file nor a folder, or one outside of its own folder.
    #[error("the archive `{archive}` has an entry that cannot be published: `{entry}` {reason}")]
    Entry {
        /// The archive.
        archive: String,
        /// The name of the entry.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is larger than any site.
    #[error("the archive `{archive}` has more than {MAX_FILES} files, or unpacks to more than {} GiB", MAX_BYTES >> 30)]
    TooLarge {
        /// The archive.
        archive: String,
    },
}

/// The format of an archive, which its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Tar,
    Zip,
    /// Of standard input, which can be read once: [`Self::Tar`] or [`Self::Gzip`].
    Stdin,
}

impl Format {
    /// That of a source; `None` if it is no archive.
    pub(crate) fn of(source: &Path) -> Option<Self> {
        /// The size of a header of a TAR.
        const HEADER: u64 = 512;
        if source.as_os_str() == STDIN {
            return Some(Self::Stdin);
        }
        let mut start = Vec::new();
        File::open(source).ok()?.take(HEADER).read_to_end(&mut start).ok()?;
        match &start[..] {
            start if start.starts_with(GZIP) => Some(Self::Gzip),
            start if start.starts_with(ZIP) => Some(Self::Zip),
            start if start.get(TAR_AT..).is_some_and(|rest| rest.starts_with(TAR)) => Some(Self::Tar),
            _ => None,
        }
    }
}

/// Unpacks an archive.
pub(crate) fn unpack(archive: &Path, format: Format) -> Result<TempDir, ArchiveError> {
    let name = archive.display().to_string();
    let unreadable = |source| ArchiveError::Unreadable { archive: name.clone(), source };
    let dir = tempfile::Builder::new().prefix("twinsite-").tempdir().map_err(unreadable)?;
    let mut unpacked = Unpacked { archive: &name, dir: dir.path(), files: 0, bytes: 0 };
    let open = || File::open(archive).map(BufReader::new).map_err(unreadable);
    match format {
        Format::Gzip => unpacked.tar(GzDecoder::new(open()?))?,
        Format::Tar => unpacked.tar(open()?)?,
        Format::Zip => unpacked.zip(open()?)?,
        Format::Stdin => {
            let mut input = BufReader::new(io::stdin().lock());
            let is_gzip = input.fill_buf().map_err(unreadable)?.starts_with(GZIP);
            if is_gzip { unpacked.tar(GzDecoder::new(input))? } else { unpacked.tar(input)? }
        }
    }
    Ok(dir)
}

/// An archive that is being unpacked.
struct Unpacked<'a> {
    archive: &'a str,
    dir: &'a Path,
    files: usize,
    bytes: u64,
}

impl Unpacked<'_> {
    fn tar(&mut self, input: impl Read) -> Result<(), ArchiveError> {
        let mut archive = tar::Archive::new(input);
        for entry in archive.entries().map_err(|error| self.unreadable(error))? {
            let entry = entry.map_err(|error| self.unreadable(error))?;
            let path = entry.path().map_err(|error| self.unreadable(error))?.into_owned();
            let kind = entry.header().entry_type();
            if kind.is_dir() {
                self.path_of(&path)?;
            } else if kind.is_file() {
                self.write(&path, entry)?;
            } else if !kind.is_pax_global_extensions() {
                return Err(self.entry(&path, "is neither a file nor a folder"));
            }
        }
        Ok(())
    }

    fn zip(&mut self, input: impl Read + Seek) -> Result<(), ArchiveError> {
        let broken = |error: zip::result::ZipError| io::Error::other(error.to_string());
        let mut archive = zip::ZipArchive::new(input).map_err(|error| self.unreadable(broken(error)))?;
        for index in 0..archive.len() {
            let entry = archive.by_index(index).map_err(|error| self.unreadable(broken(error)))?;
            let path = PathBuf::from(&*entry.name().map_err(|error| self.unreadable(broken(error)))?);
            if entry.is_dir() {
                self.path_of(&path)?;
            } else if entry.is_file() {
                self.write(&path, entry)?;
            } else {
                return Err(self.entry(&path, "is neither a file nor a folder"));
            }
        }
        Ok(())
    }

    /// Where an entry goes. It stays within the directory.
    fn path_of(&self, entry: &Path) -> Result<PathBuf, ArchiveError> {
        let mut path = self.dir.to_owned();
        for component in entry.components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(self.entry(entry, "leads out of the archive's folder"));
                }
            }
        }
        Ok(path)
    }

    fn write(&mut self, entry: &Path, content: impl Read) -> Result<(), ArchiveError> {
        let path = self.path_of(entry)?;
        self.files += 1;
        let folder = path.parent().unwrap_or(self.dir);
        std::fs::create_dir_all(folder).map_err(|error| self.unreadable(error))?;
        // A name that is there twice, as after `tar --append`: the later one counts. No link is followed, because there are none.
        let mut file = File::create(&path).map_err(|error| self.unreadable(error))?;
        let room = MAX_BYTES.saturating_sub(self.bytes).saturating_add(1);
        self.bytes += io::copy(&mut content.take(room), &mut file).map_err(|error| self.unreadable(error))?;
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            return Err(ArchiveError::TooLarge { archive: self.archive.to_owned() });
        }
        Ok(())
    }

    fn unreadable(&self, source: io::Error) -> ArchiveError {
        ArchiveError::Unreadable { archive: self.archive.to_owned(), source }
    }

    fn entry(&self, entry: &Path, reason: &'static str) -> ArchiveError {
        ArchiveError::Entry { archive: self.archive.to_owned(), entry: entry.display().to_string(), reason }
    }
}
