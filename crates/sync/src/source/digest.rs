//! Reading files: small ones whole, and all for their digests. The bytes hashed are the bytes sent: S3 refuses others.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::{Event, Phase, Run};

use crate::source::walk::stamp;
use crate::{Body, Content, FileRange, Index, Md5, SourceError, SourceObject, StoreError, SyncError, md5};

/// Bytes that are read at once: few enough to stay in a core's cache.
const BUFFER: usize = 256 << 10;

/// The whole file, and its digest.
///
/// # Errors
/// [`SourceError::Changed`] when it is not the file that was found, or changes while it is read.
pub(crate) fn load(object: &SourceObject) -> Result<(Bytes, Md5), SourceError> {
    if let Body::Memory(bytes) = &object.body {
        return Ok((bytes.clone(), md5(bytes)));
    }
    let mut file = Opened::new(object)?;
    let loaded = file.exactly(object.size)?;
    // That it is now as it was found shows that it was so all the while: one look does for small files.
    file.check()?;
    Ok(loaded)
}

/// The digest of a range of the file, which is read once more while it is sent. The digest goes with it, so that nothing else
/// arrives should the file change in between.
///
/// # Errors
/// As [`load`].
pub(crate) fn checked_range(object: &SourceObject, offset: u64, length: u64) -> Result<(Content, Md5), SourceError> {
    let mut file = Opened::new(object)?;
    file.check()?;
    file.file.seek(SeekFrom::Start(offset)).map_err(|source| unreadable(object, source))?;
    let digest = file.digest(length, &mut Vec::new())?;
    file.check()?;
    Ok((Content::File(FileRange { path: file.path, offset, length }), digest))
}

/// All of the file as something to be sent, and its CRC-64/NVME, by which the store knows whether the same bytes arrive.
///
/// # Errors
/// As [`load`].
pub(crate) fn checksummed_range(object: &SourceObject) -> Result<(FileRange, u64), SourceError> {
    let mut file = Opened::new(object)?;
    file.check()?;
    let mut sum = crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme);
    file.pieces(object.size, &mut Vec::new(), |piece| sum.update(piece))?;
    file.check()?;
    Ok((FileRange { path: file.path, offset: 0, length: object.size }, sum.finalize()))
}

/// Why a range could not be sent: because the file is not what it was, if so, else because of what the store says.
pub(crate) fn attribute_error(object: &SourceObject, error: StoreError) -> SyncError {
    if let Body::Memory(_) = &object.body {
        return error.into();
    }
    match Opened::new(object).and_then(|file| file.check()) {
        Ok(()) => error.into(),
        Err(changed) => changed.into(),
    }
}

/// The digest of each part of the file.
pub fn part_digests(object: &SourceObject, part_size: u64) -> Result<Vec<Md5>, SourceError> {
    if let Body::Memory(bytes) = &object.body {
        let size = usize::try_from(part_size).unwrap_or(usize::MAX).max(1);
        let parts = bytes.chunks(size).map(md5);
        return Ok(if bytes.is_empty() { vec![md5(bytes)] } else { parts.collect() });
    }
    let mut file = Opened::new(object)?;
    file.check()?;
    let (mut parts, mut buffer) = (Vec::new(), Vec::new());
    let mut left = object.size;
    while left > 0 || parts.is_empty() {
        let size = left.min(part_size);
        parts.push(file.digest(size, &mut buffer)?);
        left -= size;
    }
    file.check()?;
    Ok(parts)
}

/// A file that was opened, to be looked at before what was read of it is believed.
struct Opened<'a> {
    object: &'a SourceObject,
    path: PathBuf,
    stamp: crate::Stamp,
    file: File,
}

impl<'a> Opened<'a> {
    fn new(object: &'a SourceObject) -> Result<Self, SourceError> {
        let (path, stamp) = object.file().ok_or_else(|| SourceError::Changed(object.key.clone()))?;
        let file = File::open(&path).map_err(|source| unreadable(object, source))?;
        Ok(Self { object, path, stamp, file })
    }

    /// So many bytes from where it stands, and their digest: each piece is hashed while it is in the core's cache.
    fn exactly(&mut self, size: u64) -> Result<(Bytes, Md5), SourceError> {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let mut hash = md5_simd::Md5::new();
        for piece in bytes.chunks_mut(BUFFER) {
            self.file.read_exact(piece).map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => SourceError::Changed(self.object.key.clone()),
                _ => unreadable(self.object, source),
            })?;
            hash.update(piece);
        }
        Ok((bytes.into(), Md5(hash.finalize())))
    }

    fn check(&self) -> Result<(), SourceError> {
        let metadata = self.file.metadata().map_err(|source| unreadable(self.object, source))?;
        let same = stamp(&metadata) == self.stamp;
        if same { Ok(()) } else { Err(SourceError::Changed(self.object.key.clone())) }
    }

    fn digest(&mut self, size: u64, buffer: &mut Vec<u8>) -> Result<Md5, SourceError> {
        let mut hash = md5_simd::Md5::new();
        self.pieces(size, buffer, |piece| hash.update(piece))?;
        Ok(Md5(hash.finalize()))
    }

    /// So many bytes from where it stands, piece by piece.
    fn pieces(&mut self, size: u64, buffer: &mut Vec<u8>, mut take: impl FnMut(&[u8])) -> Result<(), SourceError> {
        buffer.resize(BUFFER, 0);
        let mut left = size;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let got = self.file.read(&mut buffer[..want]).map_err(|source| unreadable(self.object, source))?;
            if got == 0 {
                return Err(SourceError::Changed(self.object.key.clone()));
            }
            take(&buffer[..got]);
            left -= got as u64;
        }
        Ok(())
    }
}

fn unreadable(object: &SourceObject, source: io::Error) -> SourceError {
    SourceError::Unreadable { key: object.key.clone(), source }
}

/// Reads a file without keeping other tasks waiting.
pub(crate) async fn spawn_read<T: Send + 'static>(
    object: &Arc<SourceObject>,
    work: impl FnOnce(&SourceObject) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let file = Arc::clone(object);
    let done = tokio::task::spawn_blocking(move || work(&file)).await;
    done.unwrap_or_else(|stopped| Err(unreadable(object, io::Error::other(stopped))))
}

/// The MD5 of a whole file, read through a buffer that can be used again.
pub(crate) fn digest_of(object: &SourceObject, buffer: &mut Vec<u8>) -> Result<Md5, SourceError> {
    if let Body::Memory(bytes) = &object.body {
        return Ok(md5(bytes));
    }
    let mut file = Opened::new(object)?;
    let digest = file.digest(object.size, buffer)?;
    file.check()?;
    Ok(digest)
}

/// The digests of many files, in their order: from the index where it knows them, else read on all cores, the largest first.
///
/// # Errors
/// The first file that changed or could not be read.
pub async fn hash(objects: &[&Arc<SourceObject>], index: &Index, run: &Run) -> Result<Vec<Md5>, SourceError> {
    let mut digests = Vec::with_capacity(objects.len());
    let mut unknown = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        digests.push(index.get(object));
        if digests[at].is_none() {
            unknown.push((at, Arc::clone(object)));
        }
    }
    if !unknown.is_empty() {
        let started = Instant::now();
        let bytes = unknown.iter().map(|(_, object)| object.size).sum();
        let count = unknown.len() as u64;
        run.emit(&Event::PhaseStarted { phase: Phase::Hash, side: None, objects: Some(count), bytes: Some(bytes) });
        unknown.sort_by_key(|(_, object)| std::cmp::Reverse(object.size));
        let cores = cores();
        let batches = batches(unknown, cores).into_iter().map(|batch| hash_batch(batch, run.clone()));
        let mut hashed = stream::iter(batches).buffer_unordered(cores);
        while let Some(batch) = hashed.try_next().await? {
            for (at, digest) in batch {
                index.put(objects[at], digest);
                digests[at] = Some(digest);
            }
        }
        run.emit(&Event::PhaseDone { phase: Phase::Hash, side: None, took: started.elapsed() });
    }
    // There is one for each: what was not known has been read, or its error returned.
    Ok(digests.into_iter().flatten().collect())
}

/// Threads that can hash at once.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get)
}

/// A file, and its place among those that are asked for.
type Placed = (usize, Arc<SourceObject>);

/// Batches of roughly equal bytes, small enough that no core waits long for another.
fn batches(files: Vec<Placed>, cores: usize) -> Vec<Vec<Placed>> {
    let total: u64 = files.iter().map(|(_, object)| object.size + 4096).sum();
    let most = (total / (cores as u64 * 8)).max(1 << 20);
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for (at, object) in files {
        if bytes > most {
            batches.push(Vec::new());
            bytes = 0;
        }
        bytes += object.size + 4096;
        if let Some(batch) = batches.last_mut() {
            batch.push((at, object));
        }
    }
    batches
}

async fn hash_batch(batch: Vec<Placed>, run: Run) -> Result<Vec<(usize, Md5)>, SourceError> {
    let first = batch.first().map(|(_, object)| object.key.clone());
    let done = tokio::task::spawn_blocking(move || {
        let mut buffer = Vec::new();
        let digest = |(at, object): Placed| {
            let digest = digest_of(&object, &mut buffer)?;
            let (phase, bytes) = (Phase::Hash, object.size);
            run.emit(&Event::Progress { phase, side: None, objects: 1, bytes });
            Ok((at, digest))
        };
        batch.into_iter().map(digest).collect::<Result<Vec<_>, SourceError>>()
    });
    match (done.await, first) {
        (Ok(result), _) => result,
        (Err(stopped), Some(key)) => Err(SourceError::Unreadable { key, source: io::Error::other(stopped) }),
        (Err(_), None) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use ::md5::Digest as _;
    use proptest::prelude::*;

    use super::*;
    use crate::model::checksum::crc64;
    use crate::{Rules, md5, walk};

    /// As another implementation has it.
    fn reference(bytes: &[u8]) -> Md5 {
        Md5(::md5::Md5::digest(bytes).into())
    }

    #[test]
    fn digests_are_right_at_every_length() {
        let bytes: Vec<u8> = (0..1000_u32).map(|n| (n * 7 % 251) as u8).collect();
        for length in 0..bytes.len() {
            assert_eq!(md5(&bytes[..length]), reference(&bytes[..length]), "{length}");
        }
        assert_eq!(md5(b"abc").to_string(), "900150983cd24fb0d6963f7d28e17f72");
        // As <https://reveng.sourceforge.io/crc-catalogue/all.htm> has it.
        assert_eq!(crc64(b"123456789"), 0xae8b_1486_0a79_9888);
    }

    proptest! {
        #[test]
        fn whole_or_in_parts_as_another_implementation_has_it(bytes: Vec<u8>, part in 1_u64..100) {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("file"), &bytes).unwrap();
            let source = walk(dir.path(), &Rules::web()).unwrap();
            let object = &source.objects()[0];
            prop_assert_eq!(md5(&bytes), reference(&bytes));
            prop_assert_eq!(digest_of(object, &mut Vec::new()).unwrap(), reference(&bytes));
            let (range, sum) = checksummed_range(object).unwrap();
            prop_assert_eq!((range.length, sum), (bytes.len() as u64, crc64(&bytes)));
            let parts: Vec<Md5> = bytes.chunks(usize::try_from(part).unwrap()).map(reference).collect();
            let wanted = if bytes.is_empty() { vec![reference(b"")] } else { parts };
            prop_assert_eq!(part_digests(object, part).unwrap(), wanted);
        }
    }
}
