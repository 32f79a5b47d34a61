//! Prefixes: parts of a bucket that are published on their own, each with its own manifest, releases and lock.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use twinsite_core::Invalid;

use super::layout::resembles_reserved;
use crate::{Key, RemoteObject};

/// Below it are the records of all prefixes.
pub(crate) const PREFIXES: &str = ".twinsite/prefixes/";

/// Ends the prefix in the keys of its records, as no segment of a prefix is called so.
const END: &str = "-/";

/// The name of the record that says that there is a prefix, below its other records.
const RECORD: &str = "prefix.json";

/// A part of a bucket that is published on its own, such as `docs/`. Everything below it belongs to whoever publishes it, and nothing else
/// does. No prefix is below another one.
///
/// ```
/// use twinsite_sync::Prefix;
///
/// let docs: Prefix = "/docs".parse()?;
/// assert_eq!(docs.as_str(), "docs/");
/// assert!(docs.contains(&"docs/index.html".parse()?) && !docs.contains(&"docs.html".parse()?));
/// assert!(docs.overlaps(&"docs/v2/".parse()?) && !docs.overlaps(&"docs-v2/".parse()?));
/// # Ok::<(), twinsite_core::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// The longest prefix, in bytes of UTF-8: it is part of the keys of records.
    pub const MAX_LEN: usize = 200;

    /// The prefix, with a slash at its end and none at its beginning.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for keys below it.
    pub fn contains(&self, key: &Key) -> bool {
        key.as_str().starts_with(&*self.0)
    }

    /// True if one is below the other, or both are the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.starts_with(&*other.0) || other.0.starts_with(&*self.0)
    }

    /// The same name below the prefix.
    ///
    /// # Errors
    /// [`Invalid`] if that is longer than S3 takes.
    pub fn join(&self, key: &Key) -> Result<Key, Invalid> {
        format!("{}{key}", self.0).parse()
    }

    /// A key below the prefix as a name of its own; `None` if it is not below.
    pub fn relative(&self, key: &Key) -> Option<Key> {
        key.as_str().strip_prefix(&*self.0)?.parse().ok()
    }

    /// Below it are the records of the prefix: `.twinsite/prefixes/docs/-/`.
    pub fn records(&self) -> String {
        format!("{PREFIXES}{}{END}", self.0)
    }

    /// The key of the record that says that there is this prefix.
    pub fn record_key(&self) -> Key {
        let text = format!("{}{RECORD}", self.records());
        text.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
    }

    /// The prefix of such a record.
    pub(crate) fn of_record(key: &Key) -> Option<Self> {
        let name = key.as_str().strip_prefix(PREFIXES)?.strip_suffix(RECORD)?.strip_suffix(END)?;
        name.parse::<Self>().ok().filter(|prefix| prefix.as_str() == name)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Prefix {
    type Err = Invalid;

    /// A slash at the beginning may be there, one at the end may be missing.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |rule: &str| Err(Invalid::new("prefix", text, rule));
        let name = text.strip_prefix('/').unwrap_or(text);
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() {
            return invalid("is empty: without --prefix, the main site is published");
        }
        if name.len() >= Self::MAX_LEN {
            return invalid("is longer than 200 bytes");
        }
        // The records of prefixes come before everything that is below one in the order of a listing, and wildcards are for policies.
        if !name.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return invalid("does not begin with a letter, a digit or an underscore");
        }
        if name.chars().any(|c| c.is_control() || c.is_whitespace() || "*?$%#\\\"'".contains(c)) {
            return invalid("has a space, a control character, a quotation mark, or one of * ? $ % # \\");
        }
        if name.split('/').any(|segment| matches!(segment, "" | "." | ".." | "-")) {
            return invalid("has a segment that is empty, or is `.`, `..` or `-`");
        }
        if resembles_reserved(name) {
            return invalid("is reserved");
        }
        Ok(Self(format!("{name}/").into()))
    }
}

/// The prefixes that a bucket has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes(BTreeSet<Prefix>);

impl Prefixes {
    /// Those of a listing.
    pub(crate) fn of(listing: &[RemoteObject]) -> Self {
        let start = listing.partition_point(|object| object.key.as_str() < PREFIXES);
        let records = listing[start..].iter().map(|object| &object.key);
        let records = records.take_while(|key| key.as_str().starts_with(PREFIXES));
        Self(records.filter_map(Prefix::of_record).collect())
    }

    /// Adds a prefix if this is its record.
    pub(crate) fn learn(&mut self, key: &Key) {
        self.0.extend(Prefix::of_record(key));
    }

    /// Adds those of another bucket.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &Prefix> {
        self.0.iter()
    }

    /// The prefix that a key is below.
    pub fn owner_of(&self, key: &Key) -> Option<&Prefix> {
        self.0.iter().find(|prefix| prefix.contains(key))
    }

    /// True for what is not the main site's: keys below a prefix, and the records of prefixes.
    pub(crate) fn own(&self, key: &Key) -> bool {
        key.as_str().starts_with(PREFIXES) || self.owner_of(key).is_some()
    }

    /// What a listing has beside them.
    pub(crate) fn without(&self, listing: &mut Vec<RemoteObject>) {
        listing.retain(|object| !self.own(&object.key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_one_spelling_and_its_records_have_explicit_names() {
        for text in ["docs", "/docs", "docs/", "/docs/"] {
            assert_eq!(text.parse::<Prefix>().unwrap().as_str(), "docs/", "{text}");
        }
        let nested: Prefix = "docs/v2".parse().unwrap();
        assert_eq!(nested.records(), ".twinsite/prefixes/docs/v2/-/");
        assert_eq!(nested.record_key().as_str(), ".twinsite/prefixes/docs/v2/-/prefix.json");
        assert_eq!(Prefix::of_record(&nested.record_key()), Some(nested));
        for planted in ["/-/prefix.json", "a//-/prefix.json", "a/-/-/prefix.json", "a/prefix.json", "../-/prefix.json"]
        {
            assert_eq!(Prefix::of_record(&format!("{PREFIXES}{planted}").parse().unwrap()), None, "{planted}");
        }
    }

    #[test]
    fn names_that_a_client_a_policy_or_a_record_could_take_for_another_are_refused() {
        let long = "a".repeat(Prefix::MAX_LEN);
        for text in [
            "",
            "/",
            "//",
            "//docs",
            "a//b",
            "a/../b",
            "..",
            ".",
            ".twinsite",
            ".well-known/",
            "-",
            "a/-",
            "a/-/b",
            "-a",
            "*",
            "a*",
            "a?",
            "a b",
            "a\n",
            "a%2Fb",
            "a\\b",
            "．twinsite/x",
            &long,
            "$a",
            "a#b",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text:?}");
        }
        for text in ["docs", "Docs", "a-b/c.d", "_x", "2026/", "über", "a/.well-known"] {
            assert!(text.parse::<Prefix>().is_ok(), "{text:?}");
        }
    }
}
