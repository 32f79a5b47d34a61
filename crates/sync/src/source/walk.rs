//! The source directory: every file that is to be published, in key order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use walkdir::{DirEntry, WalkDir};

use crate::model::layout::resembles_reserved;
use crate::model::source_error::{Fault, Problem, SourceError};
use crate::source::checks::{SourceChecks, check_index, check_root};
use crate::source::digest::cores;
use crate::source::rules::{
    Evidence, FoundFile, IgnoreRule, Ignored, Malformed, Rules, Sets, Verdict, read_head, withheld_content,
};
use crate::{Key, Place, Prefix, SourceObject, Stamp};

/// A directory that can be published.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is; empty when it is not a directory.
    pub root: PathBuf,
    /// In the order of their keys' bytes: planning relies on it.
    pub(crate) objects: Vec<Arc<SourceObject>>,
    ignored: Ignored,
    rules: Rules,
    withheld: Vec<Withheld>,
}

/// A file, or a folder with everything in it, that is not published although no rule leaves it out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withheld {
    /// Relative to the source; a folder ends with `/`.
    pub path: String,
    /// Why, as a noun: `environment file`.
    pub reason: &'static str,
    /// Whether a pattern with `!` could publish it.
    pub can_be_named: bool,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.path.escape_debug(), self.reason)
    }
}

/// A release has the redirect table under its own key, and in no other spelling.
fn is_reserved(object: &SourceObject) -> bool {
    resembles_reserved(object.key.as_str()) && !object.key.is_redirect_table()
}

/// The reason of what would be below a reserved prefix.
const RESERVED: &str = "reserved prefix";

impl Source {
    /// The keys of the objects that are served as redirects.
    pub(crate) fn redirects(&self) -> BTreeSet<Key> {
        let redirects = self.objects.iter().filter(|object| object.headers.website_redirect.is_some());
        redirects.map(|object| object.key.clone()).collect()
    }

    /// Objects that were not found by [`walk`], such as those of an older release. Of several with the same key the last
    /// counts. Keys below a reserved prefix, or that a client could take for one, are withheld: a release record is data, and
    /// must not decide about locks and health checks.
    pub fn of(objects: impl IntoIterator<Item = SourceObject>, rules: &Rules) -> Self {
        let (reserved, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_reserved);
        let objects: BTreeMap<Key, Arc<SourceObject>> =
            objects.into_iter().map(|object| (object.key.clone(), Arc::new(object))).collect();
        let objects = objects.into_values().collect();
        let withheld =
            |object: SourceObject| Withheld { path: object.key.to_string(), reason: RESERVED, can_be_named: false };
        let withheld = reserved.into_iter().map(withheld).collect();
        Self { root: PathBuf::new(), objects, ignored: rules.ignored(), rules: rules.clone(), withheld }
    }

    /// The same below a prefix.
    fn below(self, prefix: Prefix) -> Result<Self, SourceError> {
        let mut problems = Vec::new();
        let move_below = |object: &Arc<SourceObject>| {
            if let Ok(key) = prefix.join(&object.key) {
                return Some(Arc::new(object.copy_to(key)));
            }
            let path = object.file().map_or_else(PathBuf::new, |(path, _)| path);
            let length = prefix.as_str().len() + object.key.as_str().len();
            problems.push(Problem { path, fault: Fault::TooLong(length) });
            None
        };
        // One beginning for all keys leaves their order as it is.
        let objects = self.objects.iter().filter_map(move_below).collect();
        if !problems.is_empty() {
            return Err(SourceError::Unpublishable(problems));
        }
        Ok(Self { objects, rules: self.rules.below(Some(prefix)), ..self })
    }

    /// The prefix below which it is published; `None` for a main site.
    pub fn prefix(&self) -> Option<&Prefix> {
        self.rules.prefix()
    }

    /// Adds an object, in the place of another one with this key.
    pub fn insert(&mut self, object: SourceObject) {
        match self.objects.binary_search_by(|other| other.key.cmp(&object.key)) {
            Ok(at) => self.objects[at] = Arc::new(object),
            Err(at) => self.objects.insert(at, Arc::new(object)),
        }
    }

    /// Adds objects. Of several with the same key the last counts.
    pub fn extend(&mut self, objects: impl IntoIterator<Item = SourceObject>) {
        self.objects.extend(objects.into_iter().map(Arc::new));
        self.objects.sort_by(|a, b| a.key.cmp(&b.key));
        self.objects.dedup_by(|later, earlier| {
            let is_same = later.key == earlier.key;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
    }

    /// Takes an object out, so that it is not published.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<SourceObject>> {
        self.objects.binary_search_by(|object| object.key.cmp(key)).ok().map(|at| self.objects.remove(at))
    }

    /// What is not published although no rule leaves it out, in the order of the paths.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// Objects whose names would be withheld from a directory. An older release may have them.
    pub fn names_to_withhold(&self) -> Vec<Withheld> {
        let mut ignored = self.ignored.clone();
        let public = self.objects.iter().filter(|object| !object.key.is_redirect_table());
        let mut judge = |key: &Key| match ignored.judge_path(Path::new(self.rules.relative(key).as_str()), false) {
            Verdict::Withheld(reason) => Some(Withheld { path: key.to_string(), reason, can_be_named: true }),
            _ => None,
        };
        public.filter_map(|object| judge(&object.key)).collect()
    }

    /// Ignore rules that match nothing, or nothing that another rule does not decide.
    pub fn unused_rules(&self) -> Vec<IgnoreRule> {
        self.ignored.unused()
    }

    /// True for what visitors open: a file with a page's extension, or an index document.
    pub fn is_page(&self, key: &Key) -> bool {
        self.rules.is_page(key)
    }

    /// True for what pages that are open somewhere may still ask for when the site does not refer to it any more.
    pub(crate) fn is_asset_of_pages(&self, key: &Key) -> bool {
        self.rules.is_asset_of_pages(key)
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

    /// True when a key is reserved, or kept out by an ignore rule: what others have put there is never deleted.
    pub fn is_protected(&self, key: &Key) -> bool {
        key.is_reserved() || self.ignored.is_ignored(Path::new(self.rules.relative(key).as_str()))
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

/// [`walk`], for a directory that passes these checks.
///
/// # Errors
/// As [`walk`], and a directory that does not pass.
pub fn read_source(root: impl AsRef<Path>, rules: &Rules, checks: SourceChecks) -> Result<Source, SourceError> {
    let root = root.as_ref();
    check_root(root, checks, rules.index())?;
    let source = walk(root, rules)?;
    check_index(&source, checks, rules.index())?;
    Ok(source)
}

/// Finds everything that is to be published. Looks at every file's metadata once, and at the beginning of those whose name does
/// not tell what they are.
///
/// # Errors
/// [`SourceError`] with every file that cannot be published.
pub fn walk(root: impl AsRef<Path>, rules: &Rules) -> Result<Source, SourceError> {
    let below = rules.prefix().cloned();
    let source = walk_at_top(root.as_ref(), &rules.clone().below(None))?;
    match below {
        Some(prefix) => source.below(prefix),
        None => Ok(source),
    }
}

fn walk_at_top(root: &Path, rules: &Rules) -> Result<Source, SourceError> {
    let metadata = fs::metadata(root).map_err(|_| SourceError::Missing(root.to_owned()))?;
    if !metadata.is_dir() {
        return Err(SourceError::NotADirectory(root.to_owned()));
    }
    let home = root.canonicalize().map_err(|_| SourceError::Missing(root.to_owned()))?;
    if home.components().any(|part| part.as_os_str() == ".twinsite") {
        return Err(SourceError::Reserved(root.to_owned()));
    }
    let found = find(root, &home, rules);
    let Found { ignored, mut objects, mut problems, mut withheld } = found;
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
    withheld.sort();
    confirm_digests(&mut objects, rules);
    Ok(Source { root: root.to_owned(), objects, ignored, rules: rules.clone(), withheld })
}

/// Lets browsers keep what a manifest, a page or other names in its folder tell to be named by a digest.
fn confirm_digests(objects: &mut [Arc<SourceObject>], rules: &Rules) {
    /// Larger files are not what they are called.
    const MOST: u64 = 4 << 20;
    let mut evidence = Evidence::of(objects.iter().map(|object| &object.key));
    let read = |object: &SourceObject| object.file().and_then(|(path, _)| fs::read(path).ok());
    for object in objects.iter().filter(|object| object.size <= MOST) {
        // Below, manifests are the site's content.
        let near = object.key.as_str().matches('/').count() <= 2;
        match object.key.name() {
            "manifest.json" | "asset-manifest.json" if near => {
                let Some(text) = read(object) else { continue };
                evidence.read_manifest(&text);
            }
            _ if object.wave == crate::Wave::Entry => {
                let Some(text) = read(object) else { continue };
                evidence.read_page(&String::from_utf8_lossy(&text));
            }
            _ => {}
        }
    }
    evidence.learn(objects.iter().map(|object| &object.key));
    let mut sets = Sets::default();
    for object in objects.iter_mut().filter(|object| evidence.confirms(&object.key)) {
        rules.keep_for_a_year(Arc::make_mut(object), &mut sets);
    }
}

/// Files handed over at once.
const BATCH: usize = 256;

struct Found {
    ignored: Ignored,
    objects: Vec<Arc<SourceObject>>,
    problems: Vec<Problem>,
    withheld: Vec<Withheld>,
}

/// A file that was found, whose name does not keep it from being published.
struct Candidate {
    path: PathBuf,
    /// Whether a rule names it, so that its content does not matter.
    named: bool,
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
        let (problems, withheld) = (Vec::new(), Vec::new());
        let mut walk = Walk { root, home, ignored, problems, withheld, batch: Vec::new(), send };
        walk.run();
        let Walk { ignored, mut problems, mut withheld, send, .. } = walk;
        drop(send);
        let mut objects = Vec::new();
        for looker in lookers {
            // A panic over there is a panic here.
            let seen = looker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            objects.extend(seen.objects);
            problems.extend(seen.problems);
            withheld.extend(seen.withheld);
        }
        Found { ignored, objects, problems, withheld }
    })
}

struct Looker<'a> {
    root: &'a Path,
    /// The same, for whoever outlives the walk.
    shared: &'a Arc<Path>,
    rules: &'a Rules,
    receive: Arc<Mutex<mpsc::Receiver<Vec<Candidate>>>>,
}

/// What one thread has seen.
#[derive(Default)]
struct Seen {
    objects: Vec<Arc<SourceObject>>,
    problems: Vec<Problem>,
    withheld: Vec<Withheld>,
}

impl Looker<'_> {
    fn run(self) -> Seen {
        let (mut seen, mut sets) = (Seen::default(), Sets::default());
        loop {
            let next = self.receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(batch) = next else { return seen };
            for candidate in batch {
                match self.look(&candidate.path) {
                    Ok((key, file)) => match withheld_content(&key, &file.head).filter(|_| !candidate.named) {
                        Some(reason) => {
                            seen.withheld.push(Withheld { path: key.to_string(), reason, can_be_named: true });
                        }
                        None => seen.objects.push(Arc::new(self.rules.object(key, file, &mut sets))),
                    },
                    Err(fault) => seen.problems.push(Problem { path: candidate.path, fault }),
                }
            }
        }
    }

    fn look(&self, path: &Path) -> Result<(Key, FoundFile), Fault> {
        let unreadable = |error: std::io::Error| Fault::Unreadable(error.to_string());
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !readable_by_all(&metadata) {
            fs::File::open(path).map_err(unreadable)?;
        }
        let key = key_of(relative(self.root, path))?;
        let head = read_head(path, &key).map_err(unreadable)?;
        Ok((key, FoundFile { place: Place::Under(Arc::clone(self.shared)), stamp: stamp(&metadata), head }))
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
    withheld: Vec<Withheld>,
    batch: Vec<Candidate>,
    send: mpsc::Sender<Vec<Candidate>>,
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
        let top = name.as_os_str().is_empty();
        let verdict = if top { Verdict::Published } else { self.judge(&entry, folder) };
        match verdict {
            Verdict::Published | Verdict::Named => {}
            Verdict::Ignored => return false,
            Verdict::Withheld(reason) => return self.withhold(&entry, reason, true),
            Verdict::Reserved => return self.withhold(&entry, RESERVED, false),
        }
        let looked = self.look(&entry);
        match looked {
            Ok(()) if folder => {
                if let Err((path, malformed)) = self.ignored.enter(entry.path(), name) {
                    let Malformed { line, column, why } = malformed;
                    self.problems.push(Problem { path, fault: Fault::MalformedRule { line, column, why } });
                }
            }
            Ok(()) => {
                self.batch.push(Candidate { path: entry.into_path(), named: verdict == Verdict::Named });
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

    /// Judges an entry by its own name and, if it is a link, by the name of its target.
    fn judge(&mut self, entry: &DirEntry, folder: bool) -> Verdict {
        let verdict = self.ignored.judge(relative(self.root, entry.path()), folder);
        if verdict != Verdict::Published || !entry.path_is_symlink() {
            return verdict;
        }
        let Ok(target) = entry.path().canonicalize() else { return verdict };
        let target = target.strip_prefix(self.home).unwrap_or(Path::new(""));
        if target.as_os_str().is_empty() {
            return verdict;
        }
        if resembles_reserved(&target.to_string_lossy()) {
            return Verdict::Reserved;
        }
        match self.ignored.judge_path(target, folder) {
            withheld @ (Verdict::Withheld(_) | Verdict::Reserved) => withheld,
            Verdict::Published | Verdict::Named | Verdict::Ignored => verdict,
        }
    }

    /// Notes that an entry is withheld; there is nothing to do below it.
    fn withhold(&mut self, entry: &DirEntry, reason: &'static str, can_be_named: bool) -> bool {
        let name = relative(self.root, entry.path()).to_string_lossy();
        let slash = if entry.file_type().is_dir() { "/" } else { "" };
        self.withheld.push(Withheld { path: format!("{name}{slash}"), reason, can_be_named });
        false
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
        let verdict = self.ignored.judge(relative(self.root, &path), false);
        if !matches!(verdict, Verdict::Published | Verdict::Named) {
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
