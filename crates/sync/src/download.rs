//! Writing the objects of a bucket into a directory.
//!
//! Keys come from a bucket that others may write to, so nothing is written outside of the directory, nor through a symbolic link in it, and
//! a key that names no file on this system is left out, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use twinsite_core::{Event, Phase, Run, Verb};

use crate::model::limits::part_size;
use crate::source::digest::part_digests;
use crate::source::walk::stamp;
use crate::store::{DownloadedObject, StoredObject};
use crate::{Body, ETag, Key, Place, Prefix, S3Store, SourceObject, StoreError, SyncError, Wave, multipart_etag};

/// Objects that are downloaded at once.
const CONCURRENCY: usize = 32;

/// What the name of a file begins with while it is written.
const PARTIAL: &str = ".twinsite-partial-";

/// What a download would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadPlan {
    /// Objects whose files do not exist.
    pub new: Vec<StoredObject>,
    /// Objects whose files exist and have other bytes: downloading replaces these.
    pub replaced: Vec<StoredObject>,
    /// The number of files that have the bytes of their objects.
    pub unchanged: usize,
    /// Objects that cannot be files in this directory.
    pub left_out: Vec<LeftOut>,
    /// What is left out of the keys at their beginning.
    prefix: Option<Prefix>,
}

/// An object that is not downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its key.
    pub key: Key,
    /// Why.
    pub reason: String,
}

/// What a download did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DownloadReport {
    /// The number of objects that were written into files.
    pub written: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Objects that no store has any more as they were.
    pub gone: Vec<Key>,
    /// What failed, by key.
    pub failed: Vec<(Key, SyncError)>,
    /// How long it took.
    pub took: Duration,
}

/// Compares objects with the files of a directory, which need not exist. The objects of a prefix are written without it, as they are
/// published. Read-only.
///
/// # Errors
/// A file or a folder that could not be read.
pub fn plan_download(
    objects: Vec<StoredObject>,
    dir: &Path,
    prefix: Option<Prefix>,
) -> Result<DownloadPlan, io::Error> {
    let below = prefix.as_ref().map_or("", |prefix| prefix.as_str()).to_owned();
    let folders: BTreeSet<String> = objects.iter().flat_map(|object| parents(name_of(object, &below))).collect();
    let mut plan = DownloadPlan { prefix, ..DownloadPlan::default() };
    let mut names: BTreeMap<String, Key> = BTreeMap::new();
    for object in objects {
        let name = name_of(&object, &below);
        let twin = names.insert(name.to_lowercase(), object.key.clone());
        let reason = match file_of(name) {
            Err(reason) => Some(reason.to_owned()),
            Ok(_) if folders.contains(name) => Some("there are objects below it, so that it is a folder".to_owned()),
            Ok(_) => twin
                .filter(|_| cfg!(any(windows, target_os = "macos")))
                .map(|twin| format!("it differs from `{twin}` in case only")),
        };
        if let Some(reason) = reason {
            plan.left_out.push(LeftOut { key: object.key, reason });
            continue;
        }
        match compare_file(&object, name_of(&object, &below), dir)? {
            Found::Nothing => plan.new.push(object),
            Found::SameBytes => plan.unchanged += 1,
            Found::OtherBytes => plan.replaced.push(object),
            Found::NoFile(reason) => plan.left_out.push(LeftOut { key: object.key, reason }),
        }
    }
    Ok(plan)
}

/// Writes the objects of a plan into files of the directory, each from the first of the stores that has it. A file appears under its name when
/// it is whole, so that repeating an interrupted download finishes it.
///
/// # Errors
/// [`SyncError::Cancelled`]. What failed otherwise is in the report.
pub async fn download(
    plan: DownloadPlan,
    stores: &[S3Store],
    dir: &Path,
    run: &Run,
) -> Result<DownloadReport, SyncError> {
    let started = Instant::now();
    let below = plan.prefix.as_ref().map_or("", |prefix| prefix.as_str()).to_owned();
    let objects: Vec<StoredObject> = plan.new.into_iter().chain(plan.replaced).collect();
    let (count, bytes) = (objects.len() as u64, objects.iter().map(|object| object.size).sum());
    let (phase, side) = (Phase::Download, None);
    run.emit(&Event::PhaseStarted { phase, side, objects: Some(count), bytes: Some(bytes) });
    let mut report = DownloadReport::default();
    let below = &below;
    let mut done = stream::iter(objects.into_iter().map(|object| async move {
        let done = match run.check() {
            Ok(()) => download_one(&object, name_of(&object, below), stores, dir).await,
            Err(cancelled) => Err(cancelled.into()),
        };
        (object, done)
    }))
    .buffer_unordered(CONCURRENCY);
    while let Some((object, done)) = done.next().await {
        let StoredObject { key, size: bytes, .. } = object;
        match done {
            Ok(DownloadedObject::Written) => {
                report.written += 1;
                report.bytes += bytes;
                run.emit(&Event::Progress { phase, side, objects: 1, bytes });
                let (verb, key) = (Verb::Download, key.to_string());
                run.emit(&Event::Object { verb, side, key, reason: "differs", bytes });
            }
            Ok(DownloadedObject::Gone) => report.gone.push(key),
            Err(SyncError::Cancelled) => {}
            Err(error) => report.failed.push((key, error)),
        }
    }
    report.took = started.elapsed();
    run.emit(&Event::PhaseDone { phase, side, took: report.took });
    run.check()?;
    report.gone.sort();
    report.failed.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(report)
}

/// Downloads an object: its version from the first store, then the current one if it has the same entity tag, as in a bucket that it was
/// copied to; then the same from the next store.
async fn download_one(
    object: &StoredObject,
    name: &str,
    stores: &[S3Store],
    dir: &Path,
) -> Result<DownloadedObject, SyncError> {
    let unwritable = |path: &Path, source| SyncError::from(StoreError::File { path: path.to_owned(), source });
    let file = file_of(name).map_err(|reason| {
        let why = io::Error::new(io::ErrorKind::InvalidInput, reason);
        unwritable(Path::new(name), why)
    })?;
    let path = dir.join(file);
    let folder = path.parent().unwrap_or(dir);
    tokio::fs::create_dir_all(folder).await.map_err(|error| unwritable(folder, error))?;
    // Names of files have a limit, and a random one does not meet that of another download.
    let partial = folder.join(format!("{PARTIAL}{:016x}", fastrand::u64(..)));
    let current = StoredObject { version: None, ..object.clone() };
    let mut outcome = Ok(DownloadedObject::Gone);
    'stores: for store in stores {
        for one in [object, &current].into_iter().skip(usize::from(object.version.is_none())) {
            outcome = store.download(one, &partial).await;
            match &outcome {
                Ok(DownloadedObject::Written) | Err(StoreError::File { .. }) => break 'stores,
                Ok(DownloadedObject::Gone) => {}
                Err(_) => break,
            }
        }
    }
    if let Ok(DownloadedObject::Written) = outcome {
        tokio::fs::rename(&partial, &path).await.map_err(|error| unwritable(&path, error))?;
    } else {
        // What is left of it is in nobody's way, and the reason is what failed before.
        drop(tokio::fs::remove_file(&partial).await);
    }
    Ok(outcome?)
}

enum Found {
    Nothing,
    SameBytes,
    OtherBytes,
    NoFile(String),
}

/// What the directory has where an object would be.
fn compare_file(object: &StoredObject, name: &str, dir: &Path) -> Result<Found, io::Error> {
    let mut path = dir.to_owned();
    let mut segments = name.split('/').peekable();
    while let Some(segment) = segments.next() {
        path.push(segment);
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            metadata => metadata?,
        };
        let is_last = segments.peek().is_none();
        if metadata.is_symlink() {
            return Ok(Found::NoFile(format!("`{}` is a symbolic link", path.display())));
        }
        if metadata.is_dir() == is_last {
            let what = if is_last { "a folder" } else { "no folder" };
            return Ok(Found::NoFile(format!("`{}` is {what}", path.display())));
        }
        if is_last {
            let same = metadata.len() == object.size && has_bytes_of(object, &path, &metadata)?;
            return Ok(if same { Found::SameBytes } else { Found::OtherBytes });
        }
    }
    Ok(Found::Nothing)
}

/// Whether a file has the bytes of an object; not known of opaque entity tags, and of parts of other sizes than twinsite's.
fn has_bytes_of(object: &StoredObject, path: &Path, metadata: &fs::Metadata) -> Result<bool, io::Error> {
    let body = Body::File { place: Place::At(path.into()), stamp: stamp(metadata) };
    let (key, size) = (object.key.clone(), object.size);
    let file = SourceObject { key, body, size, headers: Arc::default(), wave: Wave::Assets };
    let digests = |size| part_digests(&file, size).map_err(io::Error::other);
    Ok(match &object.etag {
        ETag::Md5(md5) => digests(u64::MAX)? == [*md5],
        ETag::Multipart(..) => multipart_etag(&digests(part_size(size))?) == object.etag,
        ETag::Opaque(_) => false,
    })
}

/// The key of an object without a prefix.
fn name_of<'a>(object: &'a StoredObject, below: &str) -> &'a str {
    let key = object.key.as_str();
    key.strip_prefix(below).unwrap_or(key)
}

/// The relative path of the file of a key.
fn file_of(key: &str) -> Result<PathBuf, &'static str> {
    if key.contains('\0') {
        return Err("it has a NUL character");
    }
    let mut path = PathBuf::new();
    for segment in key.split('/') {
        // Also what only this system takes for a path: `C:`, or backslashes on Windows.
        let mut components = Path::new(segment).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(name)), None) if name == segment => path.push(segment),
            _ => return Err("it is no path of a file: it has an empty segment, `.` or `..`"),
        }
        if segment.len() > 255 {
            return Err("a segment of it is longer than the name of a file may be");
        }
    }
    Ok(path)
}

/// The folders above a key.
fn parents(key: &str) -> impl Iterator<Item = String> {
    key.match_indices('/').map(|(at, _)| key[..at].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, bytes: &[u8]) -> StoredObject {
        let etag = ETag::Md5(crate::md5(bytes));
        StoredObject { key: key.parse().unwrap(), version: None, etag, size: bytes.len() as u64 }
    }

    #[test]
    fn keys_that_lead_out_of_the_directory_are_no_files() {
        for key in ["../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "a/.", "nul\0"] {
            assert!(file_of(key).is_err(), "{key}");
        }
        for key in ["a", "a/b.html", "..a/b..", "a b/ü+%.html", "a\\b"] {
            assert_eq!(file_of(key).is_ok(), !cfg!(windows) || !key.contains('\\'), "{key}");
        }
        assert!(file_of(&"a".repeat(256)).is_err());
    }

    #[test]
    fn files_are_compared_and_never_followed_through_links() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("site");
        fs::create_dir_all(dir.join("folder")).unwrap();
        fs::write(dir.join("same.html"), "same").unwrap();
        fs::write(dir.join("other.html"), "mine").unwrap();
        fs::write(dir.join("file"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), dir.join("link")).unwrap();
        let objects = ["same.html", "other.html", "new/a.html", "folder", "file/below", "link/x", "both", "both/x"];
        let planned = plan_download(objects.iter().map(|key| object(key, b"same")).collect(), &dir, None).unwrap();
        let keys = |objects: &[StoredObject]| objects.iter().map(|one| one.key.to_string()).collect::<Vec<_>>();
        assert_eq!(keys(&planned.new), ["new/a.html", "both/x"]);
        assert_eq!(keys(&planned.replaced), ["other.html"]);
        assert_eq!(planned.unchanged, 1);
        let left_out: Vec<&str> = planned.left_out.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(left_out, ["folder", "file/below", "link/x", "both"]);
    }

    #[test]
    fn a_directory_that_does_not_exist_has_nothing() {
        let root = tempfile::tempdir().unwrap();
        let planned = plan_download(vec![object("a/b", b"")], &root.path().join("none"), None).unwrap();
        assert_eq!(planned.new.len(), 1);
    }
}
