//! The source directory: every file that is to be published, in key order.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use walkdir::{DirEntry, WalkDir};

use crate::model::source_error::{Fault, Problem, SourceError};
use crate::source::digest::cores;
use crate::source::rules::{Ignored, Rules, Sets};
use crate::{Key, Place, SourceObject, Stamp};

/// A directory that can be published.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is; empty when it is not a directory.
    pub root: PathBuf,
    /// In the order of their keys' bytes: planning relies on it.
    pub(crate) objects: Vec<Arc<SourceObject>>,
    ignored: Ignored,
    rules: Rules,
}

impl Source {
    /// Objects that were not found by [`walk`], such as those of an older release. Of several with the same key the last
    /// counts.
    pub fn of(objects: impl IntoIterator<Item = SourceObject>, rules: &Rules) -> Self {
        let objects: BTreeMap<Key, Arc<SourceObject>> =
            objects.into_iter().map(|object| (object.key.clone(), Arc::new(object))).collect();
        let objects = objects.into_values().collect();
        Self { root: PathBuf::new(), objects, ignored: rules.ignored(), rules: rules.clone() }
    }

    /// Its files, in the order of their keys' bytes.
    pub fn objects(&self) -> &[Arc<SourceObject>] {
        &self.objects
    }

    /// When an object of this name is sent.
    pub fn wave(&self, key: &Key) -> crate::Wave {
        self.rules.wave(key)
    }

    /// The headers that the rules give an object of this name.
    pub(crate) fn headers(&self, key: &Key) -> crate::Headers {
        self.rules.headers(key)
    }

    /// True when a key is kept out by an ignore rule: excluded means protected, so such an object is never deleted.
    pub fn is_protected(&self, key: &Key) -> bool {
        key.is_reserved() || self.ignored.is_ignored(Path::new(key.as_str()))
    }

    /// The size of all files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }

    /// The file that becomes a key.
    pub fn get(&self, key: &Key) -> Option<&SourceObject> {
        self.objects.binary_search_by(|object| object.key.cmp(key)).ok().map(|at| &*self.objects[at])
    }
}

/// Finds everything that is to be published. Looks at every file's metadata once, and at no file's
/// content.
///
/// # Errors
/// [`SourceError`] with every file that cannot be published.
pub fn walk(root: impl AsRef<Path>, rules: &Rules) -> Result<Source, SourceError> {
    let root = root.as_ref();
    let metadata = fs::metadata(root).map_err(|_| SourceError::Missing(root.to_owned()))?;
    if !metadata.is_dir() {
        return Err(SourceError::NotADirectory(root.to_owned()));
    }
    let home = root.canonicalize().map_err(|_| SourceError::Missing(root.to_owned()))?;
    let found = find(root, &home, rules);
    let Found { ignored, mut objects, mut problems } = found;
    objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    for pair in objects.windows(2).filter(|pair| pair[0].key == pair[1].key) {
        let path = pair[1].file().map_or_else(PathBuf::new, |(path, _)| path);
        problems.push(Problem { path, fault: Fault::SameKey(pair[0].key.clone()) });
    }
    if !problems.is_empty() {
        return Err(SourceError::Unpublishable(problems));
    }
    if objects.is_empty() {
        return Err(SourceError::Empty(root.to_owned()));
    }
    Ok(Source { root: root.to_owned(), objects, ignored, rules: rules.clone() })
}

/// Files handed over at once.
const BATCH: usize = 256;

struct Found {
    ignored: Ignored,
    objects: Vec<Arc<SourceObject>>,
    problems: Vec<Problem>,
}

/// One thread reads folders; others ask what the files in them are, which takes longer.
fn find(root: &Path, home: &Path, rules: &Rules) -> Found {
    let shared: Arc<Path> = root.into();
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let receive = Arc::new(Mutex::new(receive));
        let looker = || {
            let looker = Looker { root, shared: &shared, rules, receive: Arc::clone(&receive) };
            scope.spawn(move || looker.run())
        };
        let lookers: Vec<_> = (0..cores().min(4)).map(|_| looker()).collect();
        let ignored = rules.ignored();
        let mut walk = Walk { root, home, ignored, problems: Vec::new(), batch: Vec::new(), send };
        walk.run();
        let Walk { ignored, mut problems, send, .. } = walk;
        drop(send);
        let mut objects = Vec::new();
        for looker in lookers {
            // A panic over there is a panic here.
            let (seen, faults) = looker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            objects.extend(seen);
            problems.extend(faults);
        }
        Found { ignored, objects, problems }
    })
}

struct Looker<'a> {
    root: &'a Path,
    /// The same, for whoever outlives the walk.
    shared: &'a Arc<Path>,
    rules: &'a Rules,
    receive: Arc<Mutex<mpsc::Receiver<Vec<PathBuf>>>>,
}

impl Looker<'_> {
    fn run(self) -> (Vec<Arc<SourceObject>>, Vec<Problem>) {
        let (mut objects, mut problems, mut sets) = (Vec::new(), Vec::new(), Sets::default());
        let place = Place::Under(Arc::clone(self.shared));
        loop {
            let next = self.receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(batch) = next else { return (objects, problems) };
            for path in batch {
                match self.look(&path) {
                    Ok((key, stamp)) => {
                        objects.push(Arc::new(self.rules.object(key, (place.clone(), stamp), &mut sets)));
                    }
                    Err(fault) => problems.push(Problem { path, fault }),
                }
            }
        }
    }

    fn look(&self, path: &Path) -> Result<(Key, Stamp), Fault> {
        let metadata = fs::metadata(path).map_err(|error| Fault::Unreadable(error.to_string()))?;
        if !readable_by_all(&metadata) {
            fs::File::open(path).map_err(|error| Fault::Unreadable(error.to_string()))?;
        }
        Ok((key_of(relative(self.root, path))?, stamp(&metadata)))
    }
}

fn relative<'p>(root: &Path, path: &'p Path) -> &'p Path {
    path.strip_prefix(root).unwrap_or(path)
}

struct Walk<'a> {
    root: &'a Path,
    home: &'a Path,
    ignored: Ignored,
    problems: Vec<Problem>,
    batch: Vec<PathBuf>,
    send: mpsc::Sender<Vec<PathBuf>>,
}

impl Walk<'_> {
    fn run(&mut self) {
        let mut entries = WalkDir::new(self.root).follow_links(true).into_iter();
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) => {
                    let folder = entry.file_type().is_dir();
                    if !self.visit(entry) && folder {
                        entries.skip_current_dir();
                    }
                }
                Err(error) => self.failed(&error),
            }
        }
        self.hand_over();
    }

    fn hand_over(&mut self) {
        // Whoever receives stays until there is nothing more to come.
        drop(self.send.send(std::mem::take(&mut self.batch)));
    }

    /// True when there is something to do below this entry.
    fn visit(&mut self, entry: DirEntry) -> bool {
        let folder = entry.file_type().is_dir();
        let name = relative(self.root, entry.path());
        if !name.as_os_str().is_empty() && self.ignored.is_entry_ignored(name, folder) {
            return false;
        }
        match self.look(&entry) {
            Ok(()) if folder => self.ignored.enter(entry.path(), name),
            Ok(()) => {
                self.batch.push(entry.into_path());
                if self.batch.len() == BATCH {
                    self.hand_over();
                }
            }
            Err(fault) => {
                self.problems.push(Problem { path: entry.into_path(), fault });
                return false;
            }
        }
        true
    }

    /// Refuses what is neither a folder nor a file of this directory.
    fn look(&self, entry: &DirEntry) -> Result<(), Fault> {
        if entry.path_is_symlink() {
            let target = entry.path().canonicalize().map_err(|_| Fault::Broken)?;
            if !target.starts_with(self.home) {
                return Err(Fault::Escapes(target));
            }
        }
        let kind = entry.file_type();
        if kind.is_dir() || kind.is_file() { Ok(()) } else { Err(Fault::NotAFile) }
    }

    fn failed(&mut self, error: &walkdir::Error) {
        let path = error.path().unwrap_or(self.root).to_owned();
        if self.ignored.is_entry_ignored(relative(self.root, &path), false) {
            return;
        }
        let fault = if error.loop_ancestor().is_some() {
            Fault::Loop
        } else if fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) && fs::metadata(&path).is_err() {
            Fault::Broken
        } else {
            Fault::Unreadable(reason(error))
        };
        self.problems.push(Problem { path, fault });
    }
}

fn reason(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

fn key_of(relative: &Path) -> Result<Key, Fault> {
    let mut text = String::new();
    for part in relative.components() {
        if !text.is_empty() {
            text.push('/');
        }
        text.push_str(part.as_os_str().to_str().ok_or(Fault::NotUtf8)?);
    }
    text.parse().map_err(|_| Fault::TooLong(text.len()))
}

/// Spares opening every file only to find out whether that can be done: a few in ten thousand are not readable by all.
#[cfg(unix)]
fn readable_by_all(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o444 == 0o444
}

/// Permissions are not a few bits here: only opening tells.
#[cfg(not(unix))]
fn readable_by_all(_: &Metadata) -> bool {
    false
}

/// What the file system says of a file.
#[cfg(unix)]
pub(crate) fn stamp(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Stamp {
        size: metadata.len(),
        mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}

/// What the file system says of a file.
#[cfg(not(unix))]
pub(crate) fn stamp(metadata: &Metadata) -> Stamp {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let mtime = since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    Stamp { size: metadata.len(), mtime, ctime: 0, inode: 0 }
}
