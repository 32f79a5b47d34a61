//! The paths at which a site has files.

use std::collections::BTreeSet;

use crate::path::{canonical, without_slash};

/// The paths at which visitors get a file of the site: a rule that is not forced does not apply there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeSet<String>);

impl Files {
    /// The files with these keys. An index document is served at the path of its folder, too.
    pub fn of_keys<'k>(keys: impl IntoIterator<Item = &'k str>, index: &str) -> Self {
        let mut paths = BTreeSet::new();
        for key in keys {
            // A key is text, and not encoded.
            let encoded = key.split('/').map(|segment| segment.replace('%', "%25")).collect::<Vec<_>>().join("/");
            if let Some(folder) = encoded.strip_suffix(index)
                && (folder.is_empty() || folder.ends_with('/'))
            {
                paths.insert(without_slash(&canonical(folder)).to_owned());
            }
            paths.insert(canonical(&encoded));
        }
        Self(paths)
    }

    /// Whether visitors get a file at this path, with or without a trailing slash.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains(without_slash(path))
    }

    /// The canonical paths, without trailing slashes.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
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
}
