//! Git work trees: whether a folder of this machine's state would be committed.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use ignore::gitignore::GitignoreBuilder;

/// The line that keeps twinsite's folder out of a repository.
const LINE: &str = ".twinsite/";

/// A directory in the work tree of a git repository. Git is not started: a repository can have it run any command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTree {
    /// The top of the work tree.
    top: PathBuf,
    /// The directory.
    dir: PathBuf,
}

impl WorkTree {
    /// The work tree that a directory is in, if it is in one: the closest directory above it that has `.git`.
    pub fn of(dir: &Path) -> Option<Self> {
        let dir = std::path::absolute(dir).ok()?;
        let top = dir.ancestors().find(|above| above.join(".git").exists())?.to_owned();
        Some(Self { top, dir })
    }

    /// The `.gitignore` of the directory.
    pub fn ignore_file(&self) -> PathBuf {
        self.dir.join(".gitignore")
    }

    /// Whether the folder `.twinsite` of the directory is ignored, by the `.gitignore` files from the top of the work tree down to it, by
    /// `.git/info/exclude`, or by a file of its own.
    pub fn ignores_state(&self) -> bool {
        let folder = self.dir.join(".twinsite");
        let own = std::fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        if own.lines().any(|line| line.trim() == "*") {
            return true;
        }
        let mut ignored = false;
        let mut levels: Vec<&Path> = self.dir.ancestors().take_while(|above| above.starts_with(&self.top)).collect();
        levels.reverse();
        let exclude = self.top.join(".git/info/exclude");
        let files = std::iter::once((self.top.as_path(), exclude))
            .chain(levels.iter().map(|level| (*level, level.join(".gitignore"))));
        for (root, file) in files.filter(|(_, file)| file.is_file()) {
            let mut rules = GitignoreBuilder::new(root);
            // A line that is no pattern is passed over, as git does.
            drop(rules.add(&file));
            let Ok(rules) = rules.build() else { continue };
            let found = rules.matched_path_or_any_parents(&folder, true);
            if found.is_ignore() || found.is_whitelist() {
                ignored = found.is_ignore();
            }
        }
        ignored
    }

    /// Appends the folder to the directory's `.gitignore`, unless it is ignored already. True if the file was changed.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn ignore_state(&self) -> std::io::Result<bool> {
        if self.ignores_state() {
            return Ok(false);
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(self.ignore_file())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let newline = if bytes.is_empty() || bytes.ends_with(b"\n") { "" } else { "\n" };
        file.write_all(format!("{newline}{LINE}\n").as_bytes())?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join(".git/info")).unwrap();
        std::fs::create_dir_all(dir.path().join("sites/www")).unwrap();
        dir
    }

    #[test]
    fn the_folder_is_added_once_and_only_to_a_work_tree() {
        let dir = tree();
        let site = dir.path().join("sites/www");
        let tree = WorkTree::of(&site).unwrap();
        std::fs::write(site.join(".gitignore"), "dist").unwrap();
        assert!(tree.ignore_state().unwrap());
        assert!(!tree.ignore_state().unwrap());
        assert_eq!(std::fs::read_to_string(site.join(".gitignore")).unwrap(), "dist\n.twinsite/\n");
        let plain = tempfile::tempdir().unwrap();
        assert_eq!(WorkTree::of(plain.path()), None);
    }

    #[test]
    fn the_folder_may_be_ignored_above_or_by_a_file_of_its_own() {
        for (file, text, ignored) in [
            (".gitignore", ".twinsite\n", true),
            (".gitignore", "/sites/*/.twinsite/\n", true),
            (".gitignore", "/.twinsite/\n", false),
            (".git/info/exclude", ".twinsite/\n", true),
            ("sites/www/.gitignore", ".twinsite/\n!.twinsite/\n", false),
            ("sites/www/.twinsite/.gitignore", "*\n", true),
        ] {
            let dir = tree();
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let tree = WorkTree::of(&dir.path().join("sites/www")).unwrap();
            assert_eq!(tree.ignores_state(), ignored, "{file}: {text}");
        }
    }
}
