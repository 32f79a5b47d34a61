//! From changed keys to invalidation paths: every form a visitor may have asked for, and never more than CloudFront takes.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The most paths that may be in progress for one distribution.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>
pub const MOST_PATHS: usize = 3000;

/// The most paths with a wildcard that may be in progress for one distribution.
pub const MOST_WILDCARDS: usize = 15;

/// Everything but what RFC 3986 calls unreserved, and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Paths to invalidate, in order. Each counts once against the 1,000 a month that are free, wildcards too.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalidation(Vec<String>);

impl Invalidation {
    /// The paths, each with its leading slash; a `*` is always the last character.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// True when nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when a request for this path, as browsers encode it, would be invalidated.
    pub fn covers(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == pattern,
        })
    }
}

/// The paths that a change of these keys makes stale. `index` is the index document of every folder.
pub fn invalidation<K: AsRef<str>>(keys: impl IntoIterator<Item = K>, index: &str) -> Invalidation {
    let forms = keys.into_iter().flat_map(|key| forms(key.as_ref(), index));
    let paths: BTreeSet<String> = forms.map(|form| pattern(&form)).collect();
    let wild = paths.iter().filter(|path| path.ends_with('*')).count();
    if wild > MOST_WILDCARDS {
        return Invalidation(vec!["/*".to_owned()]);
    }
    if paths.len() <= MOST_PATHS {
        return Invalidation(paths.into_iter().collect());
    }
    Invalidation(collapsed(&paths, MOST_WILDCARDS - wild))
}

/// Two characters are not matched as they are: `*` is a wildcard even when it is encoded, and of `~` it depends on the
/// visitor's browser how it arrives. Everything that goes on like the part before them is forgotten instead.
fn pattern(form: &str) -> String {
    let odd = ["~", "%2A"].iter().filter_map(|odd| form.find(odd)).min();
    odd.map_or_else(|| form.to_owned(), |at| format!("{}*", &form[..at]))
}

/// A key's own path and, for an index document, its folder with and without the slash.
fn forms(key: &str, index: &str) -> Vec<String> {
    let path = format!("/{}", utf8_percent_encode(key, PATH));
    let folder = match key.strip_suffix(index) {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => Some(folder),
        Some(_) | None => None,
    };
    let Some(folder) = folder else { return vec![path] };
    let folder = format!("/{}", utf8_percent_encode(folder, PATH));
    let bare = folder.strip_suffix('/').unwrap_or(&folder).to_owned();
    let mut forms = vec![path, folder];
    forms.extend((!bare.is_empty()).then_some(bare));
    forms
}

/// The folders at the top as wildcards, the fullest first, until the rest fits; everything when that is not enough.
fn collapsed(paths: &BTreeSet<String>, wildcards: usize) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        *folders.entry(top(path)).or_default() += 1;
    }
    let mut fullest: Vec<(&str, usize)> = folders.into_iter().filter(|(top, _)| *top != "/").collect();
    fullest.sort_by_key(|(top, count)| (std::cmp::Reverse(*count), *top));
    let (mut chosen, mut left) = (BTreeSet::new(), paths.len());
    for (folder, count) in fullest.into_iter().take(wildcards) {
        if left + chosen.len() <= MOST_PATHS {
            break;
        }
        chosen.insert(folder);
        left -= count;
    }
    if left + chosen.len() > MOST_PATHS {
        return vec!["/*".to_owned()];
    }
    let rest = paths.iter().filter(|path| !chosen.contains(top(path))).cloned();
    let mut all: Vec<String> = chosen.iter().map(|folder| format!("{folder}*")).chain(rest).collect();
    all.sort();
    all
}

/// The first folder of a path with both slashes; `/` for paths at the top.
fn top(path: &str) -> &str {
    path[1..].find('/').map_or("/", |end| &path[..end + 2])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders_are_asked_for_in_three_forms() {
        let paths = |key: &str| invalidation([key], "index.html").0;
        assert_eq!(paths("index.html"), ["/", "/index.html"]);
        assert_eq!(paths("a/index.html"), ["/a", "/a/", "/a/index.html"]);
        assert_eq!(paths("myindex.html"), ["/myindex.html"]);
        assert!(invalidation(Vec::<String>::new(), "index.html").is_empty());
    }

    #[test]
    fn characters_are_encoded_as_browsers_do() {
        let paths = |key: &str| invalidation([key], "index.html").0.remove(0);
        assert_eq!(paths("a b+c.css"), "/a%20b%2Bc.css");
        assert_eq!(paths("Ü/x.png"), "/%C3%9C/x.png");
    }

    #[test]
    fn what_is_not_matched_as_it_is_becomes_a_wildcard_and_many_such_become_one() {
        let paths = |keys: &[String]| invalidation(keys, "index.html").0;
        assert_eq!(paths(&["a/~user/index.html".into()]), ["/a/*"]);
        assert_eq!(paths(&["b/x*.png".into(), "c.css".into()]), ["/b/x*", "/c.css"]);
        let many: Vec<String> = (0..16).map(|n| format!("{n}/~x")).collect();
        assert_eq!(paths(&many), ["/*"]);
    }

    #[test]
    fn many_changes_become_few_wildcards_and_at_last_one() {
        let many: Vec<String> = (0..4000).map(|n| format!("docs/{n}.txt")).chain(["a.txt".into()]).collect();
        assert_eq!(invalidation(&many, "index.html").0, ["/a.txt", "/docs/*"]);
        let flat: Vec<String> = (0..4000).map(|n| format!("{n}.txt")).collect();
        assert_eq!(invalidation(&flat, "index.html").0, ["/*"]);
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
            let made = invalidation(&keys, "index.html");
            let wildcards = made.0.iter().filter(|path| path.ends_with('*')).count();
            prop_assert!(made.0.len() <= MOST_PATHS && wildcards <= MOST_WILDCARDS);
            prop_assert!(made.0.iter().all(|path| path.starts_with('/') && path.find('*').is_none_or(|at| at + 1 == path.len())));
            for key in &keys {
                for form in forms(key, "index.html") {
                    prop_assert!(made.covers(&form), "{form}");
                }
            }
        }
    }
}
