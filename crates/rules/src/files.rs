//! The paths at which a site has files.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::path::{canonical, without_slash};

/// Whether paths of pages end with a slash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// Those of folders do, and those of files do not.
    #[default]
    Keep,
    /// All do: a page without `.html` at the end of its name is a folder with an index document.
    Add,
    /// None does: folders are redirected to paths without a slash.
    Remove,
}

impl FromStr for TrailingSlash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "add" => Ok(Self::Add),
            "remove" => Ok(Self::Remove),
            other => Err(format!("`{other}` is none of `keep`, `add` and `remove`")),
        }
    }
}

/// How paths are answered that are not simply those of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathOptions {
    /// Whether paths of pages end with a slash.
    pub trailing_slash: TrailingSlash,
    /// Whether navigations to paths that the site does not have get its index document.
    pub spa: bool,
}

impl PathOptions {
    /// As the head of a table has them: `s` if slashes are removed, `p` for navigations.
    pub(crate) fn letters(self) -> String {
        let removes = self.trailing_slash == TrailingSlash::Remove;
        [(removes, 's'), (self.spa, 'p')].into_iter().filter_map(|(is_set, letter)| is_set.then_some(letter)).collect()
    }
}

/// The paths at which visitors get a file of the site: a rule that is not forced does not apply there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Canonical paths of files.
    plain: BTreeSet<String>,
    /// Canonical paths of folders with an index document, without trailing slashes; that of the root is `/`.
    folders: BTreeSet<String>,
    /// How other paths are answered.
    pub(crate) options: PathOptions,
}

impl Files {
    /// The files with these keys. An index document is served at the path of its folder, too.
    pub fn of_keys<'k>(keys: impl IntoIterator<Item = &'k str>, index: &str) -> Self {
        let mut all = Self::default();
        for key in keys {
            // A key is text, and not encoded.
            let encoded = key.split('/').map(|segment| segment.replace('%', "%25")).collect::<Vec<_>>().join("/");
            if let Some(folder) = encoded.strip_suffix(index)
                && (folder.is_empty() || folder.ends_with('/'))
            {
                all.folders.insert(without_slash(&canonical(folder)).to_owned());
            }
            all.plain.insert(canonical(&encoded));
        }
        all
    }

    /// The same files, with other options.
    #[must_use]
    pub fn with_options(self, options: PathOptions) -> Self {
        Self { options, ..self }
    }

    /// The path to which visitors of a path are redirected because it ends with a slash, or does not.
    pub(crate) fn slash_redirect(&self, path: &str) -> Option<String> {
        let bare = without_slash(path);
        let has_file = self.plain.contains(bare);
        if bare == path {
            return (self.folders.contains(path) && path != "/" && !has_file).then(|| format!("{path}/"));
        }
        let has_dot = bare.rsplit('/').next().unwrap_or_default().contains('.');
        (self.options.trailing_slash == TrailingSlash::Remove && has_file && !has_dot).then(|| bare.to_owned())
    }

    /// Whether visitors get a file at this path, with or without a trailing slash.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = without_slash(path);
        self.plain.contains(path) || self.folders.contains(path)
    }

    /// The canonical paths, without trailing slashes.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.plain.union(&self.folders).map(String::as_str)
    }

    /// The paths of files whose names have no dot, as folders' names have none.
    pub(crate) fn without_dot(&self) -> impl Iterator<Item = &str> {
        self.plain.iter().map(String::as_str).filter(|path| !path.rsplit('/').next().unwrap_or_default().contains('.'))
    }

    /// The paths of folders with an index document, but for the root and those at whose path there is a file.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.difference(&self.plain).map(String::as_str).filter(|path| *path != "/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_at_the_paths_at_which_they_are_served() {
        let files = Files::of_keys(["index.html", "a/index.html", "a/x%20y.html", "myindex.html"], "index.html");
        for path in ["/", "/index.html", "/a", "/a/", "/a/x%2520y.html", "/myindex.html"] {
            assert!(files.has(path), "{path}");
        }
        assert!(!files.has("/my") && !files.has("/a/x%20y.html") && !files.has("/b"));
    }

    #[test]
    fn files_that_look_like_folders_are_known_and_folders_that_look_like_files() {
        let keys = ["index.html", "LICENSE", "docs/1.0/index.html", "a.b/c", "about", "about/index.html", "x.css"];
        let files = Files::of_keys(keys, "index.html");
        assert_eq!(files.without_dot().collect::<Vec<_>>(), ["/LICENSE", "/a.b/c", "/about"]);
        assert_eq!(files.folders().collect::<Vec<_>>(), ["/docs/1.0"]);
    }
}
