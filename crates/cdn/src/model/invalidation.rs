//! Invalidation paths: every URL path that a changed object may have been requested by, for the least cost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use twinsite_core::{Invalid, ResourceId, url_path};

/// Paths to invalidate, sorted. Each counts once, with or without a wildcard: 1,000 a month are free in an account.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvalidationPaths(Vec<String>);

/// How folders are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FolderUrls {
    /// By an S3 website endpoint: `/folder/` is its index document, and `/folder` a redirect that edges cache.
    Website,
    /// By a function: `/folder/` is its index document, and `/folder` is answered without the cache.
    Function,
}

/// How an object was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// There is another in its place.
    Replaced,
    /// It is new, or gone, or that is not known.
    Other,
}

impl InvalidationPaths {
    /// The maximum number of paths in progress for one distribution.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
    pub const MAX_PATHS: usize = 3000;

    /// The maximum number of wildcard paths in progress for one distribution.
    pub const MAX_WILDCARDS: usize = 15;

    /// The maximum number of paths of changed objects: with one such invalidation a day, a month's paths are free.
    pub const MAX_FREE: usize = 30;

    /// The price of a path beyond those that are free, in US dollars.
    pub const USD_PER_PATH: f64 = 0.005;

    /// The paths under which objects with these keys may be cached, however folders are served. `index` is the index document of
    /// every folder.
    ///
    /// ```
    /// use twinsite_cdn::InvalidationPaths;
    ///
    /// let paths = InvalidationPaths::for_keys(["about/index.html", "assets/app.css"], "index.html");
    /// assert_eq!(paths.as_slice(), ["/about", "/about/", "/about/index.html", "/assets/app.css"]);
    /// ```
    pub fn for_keys<K: AsRef<str>>(keys: impl IntoIterator<Item = K>, index: &str) -> Self {
        let keys: Vec<K> = keys.into_iter().collect();
        Self::for_changes(keys.iter().map(|key| (key.as_ref(), ChangeKind::Other)), index, FolderUrls::Website)
    }

    /// The paths under which changed objects may be cached. More than [`Self::MAX_FREE`] become wildcards of folders, and `/*` if
    /// that is not enough.
    pub fn for_changes<'a>(
        changes: impl IntoIterator<Item = (&'a str, ChangeKind)>,
        index: &str,
        folders: FolderUrls,
    ) -> Self {
        let url_paths = changes.into_iter().flat_map(|(key, kind)| {
            let redirect = folders == FolderUrls::Website && kind == ChangeKind::Other;
            url_paths(key, index, redirect)
        });
        Self::within_limits(url_paths.map(exact_or_wildcard).collect(), Self::MAX_FREE)
    }

    /// All paths.
    pub fn everything() -> Self {
        Self(vec!["/*".to_owned()])
    }

    /// All paths below a folder, and the folder itself without its slash.
    ///
    /// ```
    /// use twinsite_cdn::InvalidationPaths;
    ///
    /// assert_eq!(InvalidationPaths::folder("docs/").as_slice(), ["/docs", "/docs/*"]);
    /// ```
    pub fn folder(key: &str) -> Self {
        let path = url_path(key.trim_end_matches('/'));
        Self(vec![path.clone(), format!("{path}/*")])
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
            if !path.bytes().all(|byte| byte.is_ascii_graphic() && !UNSAFE.contains(&byte)) {
                return Err(invalid("has characters that must be percent-encoded"));
            }
            if path.find('*').is_some_and(|at| at + 1 != path.len()) {
                return Err(invalid("has a `*` that is not its last character"));
            }
            parsed.insert(path.to_owned());
        }
        Ok(Self::within_limits(parsed, Self::MAX_PATHS))
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
        self.0.iter().any(|pattern| matches(pattern, path))
    }

    /// The paths, at most `most` of them and within CloudFront's limits.
    fn within_limits(mut paths: BTreeSet<String>, most: usize) -> Self {
        loop {
            let wildcards: Vec<String> = paths.iter().filter(|path| path.ends_with('*')).cloned().collect();
            if paths.len() <= most && wildcards.len() <= Self::MAX_WILDCARDS {
                return Self(without_covered(&paths, &wildcards));
            }
            let Some(folder) = cheapest_folder(&paths, most) else { return Self::everything() };
            paths.retain(|path| !path.starts_with(&folder));
            paths.insert(folder + "*");
        }
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

/// How the edges of a distribution cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edges {
    /// The distribution.
    pub distribution: ResourceId,
    /// Whether `Cache-Control` decides what edges hold, as [`twinsite_core::edge::ttl`] says: no cache behavior has a policy of others,
    /// or a function that changes responses.
    pub is_caching_known: bool,
    /// For how long at least an edge holds the error that it got for a missing object.
    pub error_ttl: Duration,
    /// Whether a function adds headers to responses: without it, header rules of the key value store are not honoured.
    pub changes_headers: bool,
}

/// Characters that RFC 1738 calls unsafe, and that CloudFront refuses in a path: `~` is left out, as browsers do not encode it.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>
const UNSAFE: &[u8] = b"\"<>#{}|\\^[]`";

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == pattern,
    }
}

/// Replaces the rest of a path by a wildcard from the first character that reaches CloudFront in more than one form. Browsers send
/// punctuation as it is in a link; generators of links encode it, or not, and CloudFront caches each form on its own. S3 takes `+` for a space.
fn exact_or_wildcard(path: String) -> String {
    let in_one_form = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.%".contains(&byte);
    let raw = path.bytes().position(|byte| !in_one_form(byte));
    let encoded = ["%20", "%2B", "%5E", "%7C"].iter().filter_map(|text| path.find(text));
    match encoded.chain(raw).min() {
        Some(at) => format!("{}*", &path[..at]),
        None => path,
    }
}

/// The path of a key and, for an index document, of its folder: with the trailing slash and, if it is redirected, without.
fn url_paths(key: &str, index: &str, redirect: bool) -> Vec<String> {
    let path = url_path(key);
    let folder = key.strip_suffix(index).filter(|folder| folder.is_empty() || folder.ends_with('/'));
    let Some(folder) = folder else { return vec![path] };
    let folder = url_path(folder);
    let without_slash = folder.strip_suffix('/').filter(|path| redirect && !path.is_empty()).map(str::to_owned);
    [Some(path), Some(folder), without_slash].into_iter().flatten().collect()
}

/// The paths that no wildcard of another covers.
fn without_covered(paths: &BTreeSet<String>, wildcards: &[String]) -> Vec<String> {
    let covered = |path: &&String| wildcards.iter().any(|wildcard| wildcard != *path && matches(wildcard, path));
    paths.iter().filter(|path| !covered(path)).cloned().collect()
}

/// The folder that is replaced by a wildcard next: the one with the fewest paths of those that suffice, else the one with the
/// most. `None` if no folder has two.
fn cheapest_folder(paths: &BTreeSet<String>, most: usize) -> Option<String> {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for path in paths {
        for (end, _) in path.match_indices('/').filter(|(end, _)| *end > 0) {
            let count = counts.entry(&path[..=end]).or_default();
            count.all += 1;
            count.wildcards += usize::from(path.ends_with('*'));
        }
    }
    let wildcards = paths.iter().filter(|path| path.ends_with('*')).count();
    let too_many = wildcards > InvalidationPaths::MAX_WILDCARDS;
    let within = |wild: usize| wildcards - wild < InvalidationPaths::MAX_WILDCARDS;
    let saved = |count: &Count| if too_many { count.wildcards } else { count.all };
    let useful = || counts.iter().filter(|(_, count)| saved(count) > 1 && (too_many || within(count.wildcards)));
    let enough = useful().filter(|(_, count)| within(count.wildcards) && paths.len() - count.all < most);
    let fewest = enough.min_by_key(|(folder, count)| (count.all, std::cmp::Reverse(folder.len())));
    let largest = || useful().max_by_key(|(folder, count)| (saved(count), folder.len()));
    fewest.or_else(largest).map(|(folder, _)| (*folder).to_owned())
}

/// The paths in a folder.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    wildcards: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(keys: &[&str]) -> Vec<String> {
        InvalidationPaths::for_keys(keys, "index.html").0
    }

    #[test]
    fn folders_are_asked_for_in_three_forms() {
        assert_eq!(paths(&["index.html"]), ["/", "/index.html"]);
        assert_eq!(paths(&["a/index.html"]), ["/a", "/a/", "/a/index.html"]);
        assert_eq!(paths(&["myindex.html"]), ["/myindex.html"]);
        assert!(paths(&[]).is_empty());
    }

    #[test]
    fn the_redirect_to_a_folder_is_invalidated_only_where_it_is_cached_and_may_have_changed() {
        let paths = |kind, folders| InvalidationPaths::for_changes([("a/index.html", kind)], "index.html", folders).0;
        assert_eq!(paths(ChangeKind::Replaced, FolderUrls::Website), ["/a/", "/a/index.html"]);
        assert_eq!(paths(ChangeKind::Other, FolderUrls::Website), ["/a", "/a/", "/a/index.html"]);
        assert_eq!(paths(ChangeKind::Other, FolderUrls::Function), ["/a/", "/a/index.html"]);
    }

    #[test]
    fn literal_paths_are_checked() {
        let parse = |path: &str| InvalidationPaths::parse([path]).map(|paths| paths.0);
        assert_eq!(parse("/a%20b/*"), Ok(vec!["/a%20b/*".to_owned()]));
        for bad in ["a", "", "/a b", "/*/x", "/ü", "/test[1].html"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn characters_are_encoded_as_browsers_do() {
        assert_eq!(paths(&["a b.css"]), ["/a*"]);
        assert_eq!(paths(&["50%/Ü/x.png"]), ["/50%25/%C3%9C/x.png"]);
    }

    #[test]
    fn every_form_in_which_a_name_may_be_sent_is_covered() {
        for line in include_str!("../../../core/tests/url_paths.tsv").lines() {
            let (key, by_browsers) = line.split_once('\t').unwrap();
            let made = InvalidationPaths::for_keys([key], "index.html");
            let utf8 = || key.bytes().map(|byte| (byte, byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte)));
            let encoded: String = utf8()
                .map(|(byte, plain)| if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") })
                .collect();
            for form in [
                by_browsers,
                &by_browsers.replace("%2B", "+").replace("%5E", "^").replace("%7C", "|"),
                &by_browsers.replace("%20", "+"),
                &format!("/{encoded}"),
            ] {
                assert!(made.covers(form), "{key}: {form} is not in {made:?}");
            }
            assert!(InvalidationPaths::parse(&made.0).is_ok(), "{made:?}");
        }
    }

    #[test]
    fn what_is_not_matched_as_it_is_becomes_a_wildcard_and_many_such_become_one() {
        assert_eq!(paths(&["a/~user/index.html"]), ["/a/*"]);
        assert_eq!(paths(&["b/x*.png", "c.css", "b/x1.png"]), ["/b/x*", "/c.css"]);
        assert_eq!(paths(&["img/photo(1).jpg", "img/other.jpg"]), ["/img/other.jpg", "/img/photo*"]);
        let many: Vec<String> = (0..16).map(|n| format!("{n}/~x")).collect();
        assert_eq!(InvalidationPaths::for_keys(&many, "index.html").0, ["/*"]);
        let many: Vec<String> = (0..16).map(|n| format!("a/{n}/~x")).chain(["b.css".to_owned()]).collect();
        assert_eq!(InvalidationPaths::for_keys(&many, "index.html").0, ["/a/*", "/b.css"]);
    }

    #[test]
    fn many_changes_become_few_wildcards_and_at_last_one() {
        let many = |folder: &str, count: usize| (0..count).map(|n| format!("{folder}{n}.txt")).collect::<Vec<_>>();
        let paths = |keys: Vec<String>| InvalidationPaths::for_keys(&keys, "index.html").0;
        assert_eq!(paths([many("docs/", 4000), vec!["a.txt".into()]].concat()), ["/a.txt", "/docs/*"]);
        assert_eq!(paths(many("", 4000)), ["/*"]);
        assert_eq!(paths(many("a/", 30)).len(), 30);
        assert_eq!(paths(many("a/", 31)), ["/a/*"]);
        // The folder that suffices with the fewest paths, not the one above it.
        let made = paths([many("a/b/", 20), many("a/c/", 6), many("a/d/", 8)].concat());
        assert_eq!((made.len(), made.iter().filter(|path| path.ends_with('*')).count()), (29, 1));
        assert!(made.contains(&"/a/c/*".to_owned()), "{made:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_form_is_covered_within_the_limits(
            folders in 1usize..40, per in 1usize..200, flat in 0usize..50, odd in "[a-z ~+%ü*(]{0,6}",
        ) {
            let deep = (0..folders).flat_map(|f| (0..per).map(move |n| (f, n)));
            let mut keys: Vec<String> = deep.map(|(f, n)| format!("f{f}{odd}/{n}/index.html")).collect();
            keys.extend((0..flat).map(|n| format!("{odd}{n}.css")));
            let made = InvalidationPaths::for_keys(&keys, "index.html");
            let wildcards = made.0.iter().filter(|path| path.ends_with('*')).count();
            prop_assert!(made.0.len() <= InvalidationPaths::MAX_FREE && wildcards <= InvalidationPaths::MAX_WILDCARDS);
            prop_assert!(made.0.iter().all(|path| path.starts_with('/') && path.find('*').is_none_or(|at| at + 1 == path.len())));
            for key in &keys {
                for form in url_paths(key, "index.html", true) {
                    prop_assert!(made.covers(&form), "{form}");
                }
            }
        }
    }
}
