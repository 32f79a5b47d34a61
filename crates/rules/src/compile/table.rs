//! The keys of the key value store, and the function's code that reads them.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::headers::EdgeHeaders;
use super::paths::PathLists;
use super::{NotHonored, Target};
use crate::files::Files;
use crate::headers::HeaderRule;
use crate::model::{Redirect, Redirects, Segment};
use crate::path::canonical_segment;

/// The part of the viewer-request function that interprets a table: `redirectFor(request, await tableHead())` returns a response, the request with another
/// path, or `null`; `kindOf(path, head)` tells what a path means. It needs the module `cloudfront` as `cf`.
pub const FUNCTION_CODE: &str = include_str!("function.js");

/// The part of the code that redirects visitors of an alias to the canonical name.
pub const ALIAS_FUNCTION_CODE: &str = include_str!("alias.js");

/// The longest key, in characters. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MAX_KEY: usize = 512;

/// The longest value, in characters.
const MAX_VALUE: usize = 1024;

/// The most that rules may take, in bytes of keys and values.
const MAX_TABLE: usize = 4_500_000;

/// The most that a table may take, in bytes of keys and values. A store has at most 5 MB.
const MAX_STORE: usize = 4_900_000;

/// The version of the encoding, which the function knows.
const VERSION: u32 = 1;

/// Flags of an entry.
const FORCE: u8 = 1;
const STRICT_SLASH: u8 = 2;
const SLASH: u8 = 4;

/// What the key value store says of redirects.
///
/// - `redirects`: the version of the encoding, a digest of the other keys, the number of redirect rules, the number of lists of paths, the
///   digest and number of the parts of the header rules (0 for none), and letters that say how other paths are answered: `s` if a slash at
///   the end is removed, `p` if navigations get the index document of the site.
/// - `h:DIGEST:N`: a part of the header rules, as JSON. See `headers.rs`.
/// - `/PATH`: what is about one path, without a trailing slash: a list of rules, after a `0` if the site has a file there.
/// - `p:`, `p:/SEGMENT`: rules with placeholders, by their first segment.
///
/// - `u:N`: a list of paths that are files without a dot in their names, or folders: what a path means cannot be told by its look. See
///   `paths.rs`.
///
/// A rule is a list: its place in the order, its pattern (empty if it is about one path), flags, status, target and, if it has
/// conditions, the parameters of the query. A list that is too long for a value ends with the key of its rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    keys: BTreeMap<String, String>,
}

/// Whether a table tells what paths mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// It does.
    Listed,
    /// It does not.
    Unlisted,
}

/// What a table is made of.
#[derive(Clone, Copy, Debug)]
pub struct TableSource<'a> {
    /// The redirect rules.
    pub redirects: &'a Redirects,
    /// The site's files, which rules that are not forced do not hide.
    pub files: &'a Files,
    /// The header rules. Only the headers that S3 does not store become part of the table.
    pub headers: &'a [HeaderRule],
    /// Whether the table tells what paths mean.
    pub paths: Paths,
}

/// A text that is not a table.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct TableError {
    reason: String,
    #[source]
    source: Option<serde_json::Error>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    keys: BTreeMap<String, String>,
}

impl Table {
    /// The key that says what the others are. It is put last.
    pub const HEAD: &str = "redirects";

    /// Whether a key of the store is one of a table.
    pub fn owns(key: &str) -> bool {
        key == Self::HEAD
            || key.starts_with('/')
            || key.starts_with("p:")
            || key.starts_with("u:")
            || key.starts_with("h:")
    }

    /// The keys, with their values.
    pub fn keys(&self) -> &BTreeMap<String, String> {
        &self.keys
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Compiles rules and, where asked for, what paths mean. Rules that do not fit into the store are left out and listed.
    pub fn compile(source: TableSource<'_>) -> (Self, Vec<NotHonored>) {
        let TableSource { redirects, files, headers, paths } = source;
        let (lists, count, mut not_honored) = Self::lists(redirects, files);
        let mut table = Self { keys: Self::of_lists(lists) };
        let (headers, unsent) = EdgeHeaders::compile(headers);
        not_honored.extend(unsent);
        let mut parts = "0".to_owned();
        if !headers.0.is_empty() {
            // Under names of their own, so that parts of two tables are never read as one.
            let digest = hex::encode(&Sha256::digest(headers.0.concat())[..4]);
            parts = format!("{digest}:{}", headers.0.len());
            table.keys.extend(headers.0.into_iter().enumerate().map(|(at, part)| (format!("h:{digest}:{at}"), part)));
        }
        let used: usize = table.keys.iter().map(|(key, value)| key.len() + value.len()).sum();
        let mut lists = 0;
        if paths == Paths::Listed
            && let Some(listed) = PathLists::of(files).filter(|lists| lists.size() + used <= MAX_STORE)
        {
            lists = listed.0.len();
            table.keys.extend(listed.keys());
        }
        if !table.keys.is_empty() || paths == Paths::Listed {
            let head = format!("{VERSION} {} {count} {lists} {parts} {}", table.digest(), files.options.letters());
            let head = head.trim_end().to_owned();
            table.keys.insert(Self::HEAD.to_owned(), head);
        }
        (table, not_honored)
    }

    /// Whether the table tells what paths mean; if not, there are more of them than the store has room for.
    pub fn has_paths(&self) -> bool {
        self.keys.get(Self::HEAD).and_then(|head| head.split(' ').nth(3)).is_some_and(|lists| lists != "0")
    }

    /// Whether the table has headers of responses.
    pub fn has_headers(&self) -> bool {
        self.keys.keys().any(|key| key.starts_with("h:"))
    }

    /// The rules by their keys, their number, and those that are left out.
    fn lists(redirects: &Redirects, files: &Files) -> (BTreeMap<String, Vec<Value>>, usize, Vec<NotHonored>) {
        let (mut lists, mut not_honored): (BTreeMap<String, Vec<Value>>, Vec<NotHonored>) = Default::default();
        let (mut count, mut patterns, mut size) = (0_usize, 0, 0);
        let mut kept: Vec<&Redirect> = Vec::new();
        for (order, rule) in redirects.0.iter().enumerate() {
            let key = match (rule.is_exact(), rule.from.segments.first()) {
                (true, _) => rule.from.path(),
                (false, Some(Segment::Literal(first))) => format!("p:/{first}"),
                (false, Some(Segment::Placeholder(_)) | None) => "p:".to_owned(),
            };
            let entry = entry(order, rule);
            let length = entry.to_string().len();
            patterns += usize::from(!rule.is_exact());
            let reason = if key.len() > MAX_KEY - 4 {
                Some(format!("its path is longer than the {MAX_KEY} characters of a key"))
            } else if length + key.len() + 20 > MAX_VALUE {
                Some(format!("it is longer than the {MAX_VALUE} characters of a value"))
            } else if !rule.is_exact() && patterns > Redirects::MAX_PATTERNS {
                Some(format!("there are more than {} rules with placeholders or `*`", Redirects::MAX_PATTERNS))
            } else if size + length + key.len() > MAX_TABLE {
                Some("the key value store has no room for it".to_owned())
            } else {
                None
            };
            if let Some(reason) = reason {
                not_honored.push(NotHonored::new(rule, Target::CloudFront, reason));
                continue;
            }
            size += length + key.len() + 1;
            count += 1;
            lists.entry(key).or_default().push(entry);
            kept.push(rule);
        }
        // Where there is a file, rules that are not forced do not apply.
        let unforced = kept.iter().filter(|rule| !rule.force).map(|rule| Redirect {
            query: BTreeMap::new(),
            force: true,
            ..(*rule).clone()
        });
        let unforced = Redirects(unforced.collect());
        if !unforced.is_empty() {
            for path in files.paths().filter(|path| unforced.matches(path)) {
                size += path.len() + 3;
                if size > MAX_TABLE || path.len() > MAX_KEY {
                    // Pages must not be hidden: better no rule than a wrong one.
                    let reason = "the key value store has no room for all files that it must not hide; `!` after the status forces it";
                    let told = kept.iter().filter(|rule| !rule.force && !rule.is_exact());
                    not_honored.extend(told.map(|rule| NotHonored::new(rule, Target::CloudFront, reason)));
                    let others = redirects.0.iter().filter(|rule| rule.force || rule.is_exact()).cloned().collect();
                    let (lists, count, mut rest) = Self::lists(&Redirects(others), files);
                    not_honored.append(&mut rest);
                    return (lists, count, not_honored);
                }
                lists.entry(path.to_owned()).or_default().insert(0, json!(0));
            }
        }
        (lists, count, not_honored)
    }

    fn of_lists(lists: BTreeMap<String, Vec<Value>>) -> BTreeMap<String, String> {
        let mut keys = BTreeMap::new();
        for (key, list) in lists {
            let mut parts: Vec<Vec<Value>> = vec![Vec::new()];
            let mut size = 0;
            for entry in list {
                let length = entry.to_string().len() + 1;
                // The key of the rest is the last item of a part.
                if size + length + key.len() + 10 > MAX_VALUE {
                    parts.push(Vec::new());
                    size = 0;
                }
                size += length;
                if let Some(last) = parts.last_mut() {
                    last.push(entry);
                }
            }
            let name = |part: usize| if part == 0 { key.clone() } else { format!("{key}#{part}") };
            let last = parts.len() - 1;
            for (part, mut list) in parts.into_iter().enumerate() {
                if part < last {
                    list.push(json!(name(part + 1)));
                }
                keys.insert(name(part), Value::Array(list).to_string());
            }
        }
        keys
    }

    /// A digest of the keys and values.
    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for text in self.keys.iter().flat_map(|(key, value)| [key, value]) {
            digest.update(u64::try_from(text.len()).unwrap_or_default().to_le_bytes());
            digest.update(text.as_bytes());
        }
        hex::encode(&digest.finalize()[..16])
    }

    /// The table as text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&json!(Stored { version: VERSION, keys: self.keys.clone() })).unwrap_or_default()
    }

    /// Reads [`Self::to_text`].
    ///
    /// # Errors
    /// Another format, and keys that do not belong to a table: those of others in the same store must not be changed.
    pub fn from_text(text: &[u8]) -> Result<Self, TableError> {
        let stored: Stored = serde_json::from_slice(text)
            .map_err(|source| TableError { reason: "it is damaged".to_owned(), source: Some(source) })?;
        let refuse = |reason: String| Err(TableError { reason, source: None });
        if stored.version != VERSION {
            return refuse(format!("its format is of version {}, and this program reads {VERSION}", stored.version));
        }
        let fits =
            |(key, value): (&String, &String)| Self::owns(key) && key.len() <= MAX_KEY && value.len() <= MAX_VALUE;
        match stored.keys.iter().find(|entry| !fits(*entry)) {
            Some((key, _)) => refuse(format!("the key `{}` does not belong to a table", key.escape_debug())),
            None => Ok(Self { keys: stored.keys }),
        }
    }
}

impl Redirects {
    /// Whether a rule matches, whatever it answers.
    fn matches(&self, path: &str) -> bool {
        self.resolve(path, "", &Files::default()).is_some()
    }
}

fn entry(order: usize, rule: &Redirect) -> Value {
    let pattern = if rule.is_exact() { String::new() } else { rule.from.path() };
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    let flags = flag(rule.force, FORCE) | flag(rule.strict_slash, STRICT_SLASH) | flag(rule.from.slash, SLASH);
    let mut entry = vec![json!(order), json!(pattern), json!(flags), json!(rule.status), json!(rule.to)];
    if !rule.query.is_empty() {
        let canonical = rule.query.iter().map(|(name, value)| {
            let value = if value.starts_with(':') { value.clone() } else { canonical_segment(value) };
            (name.clone(), value)
        });
        entry.push(json!(canonical.collect::<BTreeMap<_, _>>()));
    }
    Value::Array(entry)
}
