//! What is left out: reserved prefixes, what a site never has on purpose, and the ignore rules of the configuration and of
//! `.twinsiteignore` files, in gitignore syntax. A rule that cannot be understood is an error, never skipped.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use twinsite_core::Invalid;

use super::withheld;
use crate::model::layout::{PRIVATE, resembles_reserved};

/// The name of the files that say what to leave out.
const FILE: &str = ".twinsiteignore";

/// Whether an entry of the source is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Published,
    /// It is, whatever it contains: a rule names it.
    Named,
    /// A rule leaves it out, or it is twinsite's own.
    Ignored,
    /// It is withheld, for this reason.
    Withheld(&'static str),
    /// It would be below a reserved prefix.
    Reserved,
}

/// An ignore rule, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoreRule {
    /// The file it stands in, relative to the source; empty for `publish.ignore`.
    pub file: PathBuf,
    /// Its line, from 1; for `publish.ignore`, its place in the list.
    pub line: usize,
    /// The pattern.
    pub pattern: String,
}

impl fmt::Display for IgnoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, pattern } = self;
        let pattern = pattern.escape_debug();
        if file.as_os_str().is_empty() {
            write!(f, "`{pattern}` in publish.ignore")
        } else {
            write!(f, "`{pattern}` in `{}`, line {line}", file.display().to_string().escape_debug())
        }
    }
}

/// What is wrong with a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) why: String,
}

/// The rules of one place.
#[derive(Clone, Debug)]
struct Matcher {
    globs: Gitignore,
    rules: Vec<IgnoreRule>,
}

/// The rules in force, the outermost first; later ones and inner ones win, as in git.
#[derive(Clone, Debug)]
pub(crate) struct Ignored {
    matchers: Vec<Matcher>,
    /// Rules that have decided about something.
    used: BTreeSet<IgnoreRule>,
}

impl Ignored {
    /// Patterns that were checked when they were given.
    pub(super) fn new(patterns: &[String]) -> Self {
        let rule = |(at, pattern): (usize, &String)| rule_of(Path::new(""), at + 1, pattern);
        let rules: Vec<IgnoreRule> = patterns.iter().enumerate().filter_map(rule).collect();
        let matchers = Matcher::new(Path::new(""), rules).into_iter().collect();
        Self { matchers, used: BTreeSet::new() }
    }

    /// Reads a folder's own rules, should it have any.
    pub(crate) fn enter(&mut self, folder: &Path, relative: &Path) -> Result<(), (PathBuf, Malformed)> {
        let path = folder.join(FILE);
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(());
        }
        let unreadable = |why: String| (path.clone(), Malformed { line: 1, column: 1, why });
        // A pipe would be waited for.
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(unreadable("it is not a file".to_owned())),
            Err(error) => return Err(unreadable(format!("it cannot be read: {error}"))),
        }
        let bytes = std::fs::read(&path).map_err(|error| unreadable(format!("it cannot be read: {error}")))?;
        let file = relative.join(FILE);
        let read = text_of(&bytes).and_then(|text| {
            let lines = text.lines().enumerate();
            let rules = lines.filter_map(|(at, line)| {
                let rule = rule_of(&file, at + 1, line)?;
                Some(check_line(line, at + 1).map(|()| rule))
            });
            Matcher::new(relative, rules.collect::<Result<_, _>>()?)
        });
        self.matchers.push(read.map_err(|malformed| (path, malformed))?);
        Ok(())
    }

    /// Whether one entry is published; its parents are known to be.
    pub(crate) fn judge(&mut self, relative: &Path, folder: bool) -> Verdict {
        let text = relative.to_string_lossy();
        if relative.parent() == Some(Path::new("")) && (text == PRIVATE.trim_end_matches('/') && folder) {
            return Verdict::Ignored;
        }
        if resembles_reserved(&text) {
            return Verdict::Reserved;
        }
        if relative.file_name().is_some_and(|name| name == FILE) {
            return Verdict::Ignored;
        }
        let (ruled, rule) = self.ruled(relative, folder);
        self.used.extend(rule);
        match ruled {
            Ruled::Ignored => Verdict::Ignored,
            Ruled::Named => Verdict::Named,
            Ruled::Unnamed => withheld::reason(relative, folder).map_or(Verdict::Published, Verdict::Withheld),
        }
    }

    /// The same for a path of which nothing is known.
    pub(crate) fn judge_path(&mut self, path: &Path, folder: bool) -> Verdict {
        let mut folders: Vec<_> = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        folders.reverse();
        for folder in folders {
            match self.judge(folder, true) {
                Verdict::Published | Verdict::Named => {}
                verdict => return verdict,
            }
        }
        self.judge(path, folder)
    }

    /// The rule that decides about an entry.
    fn ruled(&self, relative: &Path, folder: bool) -> (Ruled, Option<IgnoreRule>) {
        for matcher in self.matchers.iter().rev().filter(|matcher| relative.starts_with(matcher.globs.path())) {
            match matcher.globs.matched(relative, folder) {
                Match::Ignore(glob) => return (Ruled::Ignored, matcher.rule(glob.original())),
                Match::Whitelist(glob) => {
                    let ruled = if is_name(glob.original()) { Ruled::Named } else { Ruled::Unnamed };
                    return (ruled, matcher.rule(glob.original()));
                }
                Match::None => {}
            }
        }
        (Ruled::Unnamed, None)
    }

    /// Whether a rule leaves a path, or a folder above it, out.
    pub(crate) fn is_ignored(&self, relative: &Path) -> bool {
        let mut above: Vec<_> = relative.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        let ignored = |path: &Path, folder: bool| self.ruled(path, folder).0 == Ruled::Ignored;
        above.iter().any(|folder| ignored(folder, true)) || ignored(relative, false)
    }

    /// Rules that have decided about nothing that was judged.
    pub(crate) fn unused(&self) -> Vec<IgnoreRule> {
        let rules = self.matchers.iter().flat_map(|matcher| &matcher.rules);
        rules.filter(|rule| !self.used.contains(rule)).cloned().collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruled {
    Ignored,
    /// A pattern with `!` names it.
    Named,
    /// No pattern matches, or one with `!` that matches nearly everything.
    Unnamed,
}

impl Matcher {
    fn new(relative: &Path, rules: Vec<IgnoreRule>) -> Result<Self, Malformed> {
        let mut builder = GitignoreBuilder::new(relative);
        for rule in &rules {
            let added = builder.add_line(None, &rule.pattern).map(drop);
            added.map_err(|error| malformed(&rule.pattern, rule.line, &error.to_string()))?;
        }
        let last = rules.last().map_or(1, |rule| rule.line);
        let globs = builder.build().map_err(|error| Malformed { line: last, column: 1, why: error.to_string() })?;
        Ok(Self { globs, rules })
    }

    /// The last rule with this text, which is the one that counts.
    fn rule(&self, pattern: &str) -> Option<IgnoreRule> {
        self.rules.iter().rev().find(|rule| rule.pattern == pattern).cloned()
    }
}

/// A line as a rule; `None` for comments and empty lines.
fn rule_of(file: &Path, line: usize, text: &str) -> Option<IgnoreRule> {
    let pattern = text.strip_prefix('\u{feff}').unwrap_or(text);
    let blank = pattern.trim().is_empty() || pattern.starts_with('#');
    (!blank).then(|| IgnoreRule { file: file.to_owned(), line, pattern: trimmed(pattern).to_owned() })
}

/// Without spaces at the end, unless they are escaped, as git reads lines.
fn trimmed(pattern: &str) -> &str {
    let bare = pattern.trim_end_matches(' ');
    if bare.ends_with('\\') && bare.len() < pattern.len() { &pattern[..=bare.len()] } else { bare }
}

/// Whether a pattern with `!` names something, instead of matching whatever there is: `!.env` does, `!*` and `!.*` do not.
fn is_name(pattern: &str) -> bool {
    let last = pattern.trim_start_matches('!').trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut class = false;
    let literal = |c: char| match c {
        '[' => {
            class = true;
            false
        }
        ']' => {
            class = false;
            false
        }
        other => other.is_alphanumeric() && !class,
    };
    last.chars().any(literal)
}

/// The text of a rule file: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it.
fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_be_bytes)?),
        _ => Cow::Borrowed(utf_8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))?),
    };
    let bare = |at: usize| !text[at + 1..].starts_with('\n');
    let odd = text.char_indices().find(|(at, c)| *c == '\0' || *c == '\r' && bare(*at));
    match odd {
        None => Ok(text),
        Some((at, '\0')) => Err(place(&text, at, "it has a NUL character; save the file as UTF-8")),
        Some((at, _)) => Err(place(&text, at, "a line ends with a carriage return alone; end lines with a line feed")),
    }
}

fn utf_8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        place(&valid, valid.len(), "it is not UTF-8; save the file as UTF-8")
    })
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Malformed> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::new();
    for read in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let Ok(c) = read else { return Err(place(&text, text.len(), "it is not UTF-16; save the file as UTF-8")) };
        text.push(c);
    }
    if rest.is_empty() { Ok(text) } else { Err(place(&text, text.len(), "it ends within a character of UTF-16")) }
}

/// The line and column of an offset.
fn place(text: &str, at: usize, why: &str) -> Malformed {
    let before = &text[..at];
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Malformed { line: before.matches('\n').count() + 1, column, why: why.to_owned() }
}

fn malformed(pattern: &str, line: usize, why: &str) -> Malformed {
    let why = why.trim_start_matches(|c| c != ':').trim_start_matches(": ").to_owned();
    Malformed { line, column: column_of(pattern), why }
}

/// Where in a malformed pattern the fault is: at what is not closed, or at a dangling backslash.
fn column_of(pattern: &str) -> usize {
    let (mut open, mut escaped) = (None, false);
    for (at, c) in pattern.chars().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                open = open.or(Some(at));
            }
            '[' | '{' => open = Some(at),
            _ => {}
        }
    }
    if escaped { pattern.chars().count() } else { open.map_or(1, |at| at + 1) }
}

/// Where a class of characters begins that never ends, counted from 0.
fn unclosed_class(pattern: &str) -> Option<usize> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '[' => {
                // A bracket that comes first, or behind the negation, belongs to the class.
                let negated = usize::from(matches!(chars.get(at + 1), Some('!' | '^')));
                let from = at + 2 + negated;
                let Some(end) = chars.iter().skip(from).position(|c| *c == ']') else { return Some(at) };
                at = from + end;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Refuses a line that is not a pattern.
fn check_line(text: &str, line: usize) -> Result<(), Malformed> {
    let fault = |why: &str| Err(Malformed { line, column: 1, why: why.to_owned() });
    if let Some(at) = text.chars().position(|c| c.is_control() && c != '\t') {
        let why = "it has a control character".to_owned();
        return Err(Malformed { line, column: at + 1, why });
    }
    let Some(IgnoreRule { pattern, .. }) = rule_of(Path::new(""), line, text) else { return Ok(()) };
    if pattern.trim_start_matches('!').trim_matches('/').is_empty() {
        return fault("it names nothing");
    }
    if pattern.ends_with('\\') && !pattern.ends_with("\\\\") {
        return Err(malformed(&pattern, line, ": it ends with a backslash, which escapes nothing"));
    }
    if let Some(at) = unclosed_class(&pattern) {
        return Err(Malformed {
            line,
            column: at + 1,
            why: "a class of characters is not closed; write `\\[` for a bracket".to_owned(),
        });
    }
    let mut builder = GitignoreBuilder::new("");
    let added = builder.add_line(None, &pattern).map(drop);
    added.map_err(|error| malformed(&pattern, line, &error.to_string()))?;
    builder.build().map(drop).map_err(|error| malformed(&pattern, line, &error.to_string()))
}

/// Refuses what is not a pattern.
pub(super) fn check(pattern: &str) -> Result<(), Invalid> {
    check_line(pattern, 1).map_err(|malformed| {
        let Malformed { column, why, .. } = malformed;
        Invalid::new("ignore pattern", pattern, format!("is not one, column {column}: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_work_as_in_git() {
        let mut ignored = Ignored::new(&["*.map".into(), "/drafts/".into(), "!keep.map".into()]);
        for path in ["a.map", "a/b.map", "drafts/x.html"] {
            assert!(ignored.is_ignored(Path::new(path)), "{path}");
        }
        for path in ["keep.map", "a/drafts/x.html", ".well-known/x", "index.html"] {
            assert!(!ignored.is_ignored(Path::new(path)), "{path}");
        }
        for (path, verdict) in [
            (".git/config", Verdict::Withheld("version control")),
            ("a/.DS_Store", Verdict::Withheld("file of an operating system")),
            (".twinsite/lock", Verdict::Ignored),
            (".well-known/twinsite/stop.txt", Verdict::Reserved),
            ("a/.twinsiteignore", Verdict::Ignored),
            ("keep.map", Verdict::Named),
            ("index.html", Verdict::Published),
        ] {
            assert_eq!(ignored.judge_path(Path::new(path), false), verdict, "{path}");
        }
    }

    #[test]
    fn patterns_that_match_everything_name_nothing() {
        for yes in ["!.env", "!*.key", "!/a/.env", "!.ssh/", "!**/.env*"] {
            assert!(is_name(yes), "{yes}");
        }
        for no in ["!*", "!**", "!/**", "!.*", "!*.*", "![a-z]*", "!a/*", "!?*/"] {
            assert!(!is_name(no), "{no}");
        }
    }

    #[test]
    fn rules_that_decide_nothing_are_known() {
        let mut ignored = Ignored::new(&["*.map".into(), "drats/".into(), "# note".into()]);
        ignored.judge(Path::new("a.map"), false);
        ignored.judge(Path::new("drafts"), true);
        let unused: Vec<String> = ignored.unused().iter().map(ToString::to_string).collect();
        assert_eq!(unused, ["`drats/` in publish.ignore"]);
    }
}
