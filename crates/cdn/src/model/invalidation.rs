//! Invalidation paths: every URL path that a changed object may have been requested by, within CloudFront's limits.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use twinsite_core::{Invalid, ResourceId};

/// Everything except unreserved characters (RFC 3986) and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Paths to invalidate, sorted. Each counts once towards the 1,000 free ones per month, with or without a wildcard.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvalidationPaths(Vec<String>);

impl InvalidationPaths {
    /// The maximum number of paths in progress for one distribution.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
    pub const MAX_PATHS: usize = 3000;

    /// The maximum number of wildcard paths in progress for one distribution.
    pub const MAX_WILDCARDS: usize = 15;

    /// The paths under which objects with these keys may be cached. `index` is the index document of every folder.
    ///
    /// ```
    /// use twinsite_cdn::InvalidationPaths;
    ///
    /// let paths = InvalidationPaths::for_keys(["about/index.html", "assets/app.css"], "index.html");
    /// assert_eq!(paths.as_slice(), ["/about", "/about/", "/about/index.html", "/assets/app.css"]);
    /// ```
    pub fn for_keys<K: AsRef<str>>(keys: impl IntoIterator<Item = K>, index: &str) -> Self {
        let url_paths = keys.into_iter().flat_map(|key| url_paths(key.as_ref(), index));
        Self::within_limits(url_paths.map(|path| exact_or_wildcard(&path)).collect())
    }

    /// Literal paths, percent-encoded as browsers send them.
    ///
    /// # Errors
    /// [`Invalid`] for a path that does not start with a slash, has characters that must be encoded, or has a `*` that is not
    /// its last character.
    pub fn parse<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Invalid> {
        let mut parsed = BTreeSet::new();
        for path in paths {
            let path = path.as_ref();
            let invalid = |rule: &str| Invalid::new("invalidation path", path, rule);
            if !path.starts_with('/') {
                return Err(invalid("does not start with a slash"));
            }
            if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(invalid("has characters that must be percent-encoded"));
            }
            if path.find('*').is_some_and(|at| at + 1 != path.len()) {
                return Err(invalid("has a `*` that is not its last character"));
            }
            parsed.insert(path.to_owned());
        }
        Ok(Self::within_limits(parsed))
    }

    /// The paths, each with its leading slash; a `*` is always the last character.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// True if there is nothing to invalidate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if a URL path, encoded as browsers send it, is invalidated.
    pub fn covers(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == pattern,
        })
    }

    /// Replaces paths by wildcards where there are more than CloudFront allows: top-level folders with the most paths first,
    /// and everything if that is not enough.
    fn within_limits(paths: BTreeSet<String>) -> Self {
        let everything = || Self(vec!["/*".to_owned()]);
        let wildcards = paths.iter().filter(|path| path.ends_with('*')).count();
        if wildcards > Self::MAX_WILDCARDS {
            return everything();
        }
        if paths.len() <= Self::MAX_PATHS {
            return Self(paths.into_iter().collect());
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for path in &paths {
            *counts.entry(top_level_folder(path)).or_default() += 1;
        }
        let mut largest: Vec<(&str, usize)> = counts.into_iter().filter(|(folder, _)| *folder != "/").collect();
        largest.sort_by_key(|(folder, count)| (std::cmp::Reverse(*count), *folder));
        let (mut collapsed, mut remaining) = (BTreeSet::new(), paths.len());
        for (folder, count) in largest.into_iter().take(Self::MAX_WILDCARDS - wildcards) {
            if remaining + collapsed.len() <= Self::MAX_PATHS {
                break;
            }
            collapsed.insert(folder);
            remaining -= count;
        }
        if remaining + collapsed.len() > Self::MAX_PATHS {
            return everything();
        }
        let exact = paths.iter().filter(|path| !collapsed.contains(top_level_folder(path))).cloned();
        let mut all: Vec<String> = collapsed.iter().map(|folder| format!("{folder}*")).chain(exact).collect();
        all.sort();
        Self(all)
    }
}

/// An invalidation that CloudFront has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedInvalidation {
    /// The distribution.
    pub distribution: ResourceId,
    /// The invalidation.
    pub id: ResourceId,
    /// The number of paths.
    pub paths: usize,
}

/// Replaces the rest of a path by a wildcard from the first character that CloudFront cannot match literally: an encoded `*`
/// is a wildcard too, and browsers send `~` either encoded or not.
fn exact_or_wildcard(path: &str) -> String {
    let ambiguous = ["~", "%2A"].iter().filter_map(|text| path.find(text)).min();
    ambiguous.map_or_else(|| path.to_owned(), |at| format!("{}*", &path[..at]))
}

/// The path of a key and, for an index document, of its folder with and without the trailing slash.
fn url_paths(key: &str, index: &str) -> Vec<String> {
    let path = format!("/{}", utf8_percent_encode(key, PATH));
    let folder = key.strip_suffix(index).filter(|folder| folder.is_empty() || folder.ends_with('/'));
    let Some(folder) = folder else { return vec![path] };
    let folder = format!("/{}", utf8_percent_encode(folder, PATH));
    let without_slash = folder.strip_suffix('/').filter(|path| !path.is_empty()).map(str::to_owned);
    [Some(path), Some(folder), without_slash].into_iter().flatten().collect()
}

/// The first folder of a path with both slashes; `/` for top-level paths.
fn top_level_folder(path: &str) -> &str {
    path[1..].find('/').map_or("/", |end| &path[..end + 2])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders_are_asked_for_in_three_forms() {
        let paths = |key: &str| InvalidationPaths::for_keys([key], "index.html").0;
        assert_eq!(paths("index.html"), ["/", "/index.html"]);
        assert_eq!(paths("a/index.html"), ["/a", "/a/", "/a/index.html"]);
        assert_eq!(paths("myindex.html"), ["/myindex.html"]);
        assert!(InvalidationPaths::for_keys(Vec::<String>::new(), "index.html").is_empty());
    }

    #[test]
    fn literal_paths_are_checked() {
        let parse = |path: &str| InvalidationPaths::parse([path]).map(|paths| paths.0);
        assert_eq!(parse("/a%20b/*"), Ok(vec!["/a%20b/*".to_owned()]));
        for bad in ["a", "", "/a b", "/*/x", "/ü"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn characters_are_encoded_as_browsers_do() {
        let paths = |key: &str| InvalidationPaths::for_keys([key], "index.html").0.remove(0);
        assert_eq!(paths("a b+c.css"), "/a%20b%2Bc.css");
        assert_eq!(paths("Ü/x.png"), "/%C3%9C/x.png");
    }

    #[test]
    fn what_is_not_matched_as_it_is_becomes_a_wildcard_and_many_such_become_one() {
        let paths = |keys: &[String]| InvalidationPaths::for_keys(keys, "index.html").0;
        assert_eq!(paths(&["a/~user/index.html".into()]), ["/a/*"]);
        assert_eq!(paths(&["b/x*.png".into(), "c.css".into()]), ["/b/x*", "/c.css"]);
        let many: Vec<String> = (0..16).map(|n| format!("{n}/~x")).collect();
        assert_eq!(paths(&many), ["/*"]);
    }

    #[test]
    fn many_changes_become_few_wildcards_and_at_last_one() {
        let many: Vec<String> = (0..4000).map(|n| format!("docs/{n}.txt")).chain(["a.txt".into()]).collect();
        assert_eq!(InvalidationPaths::for_keys(&many, "index.html").0, ["/a.txt", "/docs/*"]);
        let flat: Vec<String> = (0..4000).map(|n| format!("{n}.txt")).collect();
        assert_eq!(InvalidationPaths::for_keys(&flat, "index.html").0, ["/*"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_form_is_covered_within_the_limits(
            folders in 1usize..40, per in 1usize..200, flat in 0usize..50, odd in "[a-z ~+%ü*]{0,6}",
        ) {
            let deep = (0..folders).flat_map(|f| (0..per).map(move |n| (f, n)));
            let mut keys: Vec<String> = deep.map(|(f, n)| format!("f{f}{odd}/{n}/index.html")).collect();
            keys.extend((0..flat).map(|n| format!("{odd}{n}.css")));
            let made = InvalidationPaths::for_keys(&keys, "index.html");
            let wildcards = made.0.iter().filter(|path| path.ends_with('*')).count();
            prop_assert!(made.0.len() <= InvalidationPaths::MAX_PATHS && wildcards <= InvalidationPaths::MAX_WILDCARDS);
            prop_assert!(made.0.iter().all(|path| path.starts_with('/') && path.find('*').is_none_or(|at| at + 1 == path.len())));
            for key in &keys {
                for form in url_paths(key, "index.html") {
                    prop_assert!(made.covers(&form), "{form}");
                }
            }
        }
    }
}
