//! What is left out, in gitignore syntax: built-in patterns, configured ones, and `.twinsiteignore` files.

use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use twinsite_core::Invalid;

/// The name of the files that say what to leave out.
const FILE: &str = ".twinsiteignore";

/// Never published unless a pattern with `!` asks for it.
const ALWAYS: [&str; 8] =
    [".git/", ".hg/", ".svn/", ".DS_Store", "Thumbs.db", "/.twinsite/", "/.well-known/twinsite/", FILE];

/// The patterns in force, the outermost first; later ones and inner ones win, as in git.
#[derive(Clone, Debug)]
pub(crate) struct Ignored {
    matchers: Vec<Gitignore>,
}

impl Ignored {
    pub(super) fn new(patterns: &[String]) -> Self {
        let mut builder = GitignoreBuilder::new("");
        for pattern in ALWAYS.iter().copied().chain(patterns.iter().map(String::as_str)) {
            // Patterns were checked when they were given.
            drop(builder.add_line(None, pattern));
        }
        Self { matchers: builder.build().into_iter().collect() }
    }

    /// Takes in a folder's own patterns, should it have any.
    pub(crate) fn enter(&mut self, folder: &Path, relative: &Path) {
        let file = folder.join(FILE);
        let Ok(text) = std::fs::read_to_string(file) else { return };
        let mut builder = GitignoreBuilder::new(relative);
        for line in text.lines() {
            drop(builder.add_line(None, line));
        }
        self.matchers.extend(builder.build());
    }

    /// Whether one entry is left out; its parents are known not to be.
    pub(crate) fn is_entry_ignored(&self, relative: &Path, folder: bool) -> bool {
        for matcher in self.matchers.iter().rev().filter(|matcher| relative.starts_with(matcher.path())) {
            match matcher.matched(relative, folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }

    /// Whether a path, or a folder above it, is left out.
    pub(crate) fn is_ignored(&self, relative: &Path) -> bool {
        let mut above: Vec<_> = relative.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        above.iter().any(|folder| self.is_entry_ignored(folder, true)) || self.is_entry_ignored(relative, false)
    }
}

/// Refuses what is not a pattern.
pub(super) fn check(pattern: &str) -> Result<(), Invalid> {
    let mut builder = GitignoreBuilder::new("");
    let added = builder.add_line(None, pattern).map(drop);
    added.map_err(|error| Invalid::new("ignore pattern", pattern, format!("is not one: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_work_as_in_git() {
        let ignored = Ignored::new(&["*.map".into(), "/drafts/".into(), "!keep.map".into()]);
        let is = |path: &str| ignored.is_ignored(Path::new(path));
        for path in ["a.map", "a/b.map", "drafts/x.html", ".git/config", "a/.DS_Store", ".twinsite/lock"] {
            assert!(is(path), "{path}");
        }
        for path in ["keep.map", "a/drafts/x.html", ".well-known/x", "index.html"] {
            assert!(!is(path), "{path}");
        }
    }
}
