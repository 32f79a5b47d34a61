//! Redirect rules.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::path::{canonical_segment, location};

/// Whose rules a file follows: they differ in defaults and in what matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syntax {
    /// Netlify's: status 301 unless given, files come first unless a rule is forced with `!`, a trailing slash makes no difference.
    /// <https://docs.netlify.com/manage/routing/redirects/redirect-options/>
    #[default]
    Netlify,
    /// Cloudflare Pages': status 302 unless given, rules come before files, a trailing slash makes a difference.
    /// <https://developers.cloudflare.com/pages/configuration/redirects/>
    CloudflarePages,
}

impl FromStr for Syntax {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "netlify" => Ok(Self::Netlify),
            "cloudflare-pages" => Ok(Self::CloudflarePages),
            other => Err(format!("`{other}` is neither `netlify` nor `cloudflare-pages`")),
        }
    }
}

impl Syntax {
    /// The status of a rule that has none.
    pub fn default_status(self) -> u16 {
        match self {
            Self::Netlify => 301,
            Self::CloudflarePages => 302,
        }
    }
}

/// Where a rule was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the file.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A rule that sends visitors of some paths elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub(crate) place: Place,
    /// As it was written, without spaces.
    pub(crate) text: String,
    pub(crate) from: Pattern,
    /// A path or an absolute URL, with placeholders.
    pub(crate) to: String,
    /// 200 for a rewrite, 404, or the status of a redirect.
    pub(crate) status: u16,
    /// Whether it applies where the site has a file.
    pub(crate) force: bool,
    /// Whether a trailing slash makes a difference.
    pub(crate) strict_slash: bool,
    /// The parameters that the query must have, and no others, if there are any; a value that starts with `:` is a placeholder.
    pub(crate) query: BTreeMap<String, String>,
}

impl Redirect {
    /// Where it was written.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The rule as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The status with which it answers: 200 for a rewrite.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether it is about one path, whatever the query is.
    pub(crate) fn is_exact(&self) -> bool {
        !self.from.splat && self.from.segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    pub(crate) fn is_absolute(&self) -> bool {
        !self.to.starts_with('/')
    }
}

/// The paths that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    /// Whether it ends with `*`, which stands for whatever follows.
    pub(crate) splat: bool,
    /// Whether it ends with a slash.
    pub(crate) slash: bool,
}

/// What is between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// This text, in canonical form.
    Literal(String),
    /// Any text that is not empty, by this name.
    Placeholder(String),
}

impl Pattern {
    /// The path with the placeholders and the splat as they are written; without a trailing slash.
    pub(crate) fn path(&self) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Placeholder(name) => format!("/:{name}"),
        });
        let path: String = segments.chain(self.splat.then(|| "/*".to_owned())).collect();
        if path.is_empty() { "/".to_owned() } else { path }
    }

    /// Parses a path. The error says what is wrong with it.
    pub(crate) fn parse(path: &str) -> Result<Self, String> {
        let mut pattern = Self { segments: Vec::new(), splat: false, slash: path.len() > 1 && path.ends_with('/') };
        let inner = path.strip_prefix('/').ok_or("a path starts with `/`")?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        for segment in inner.split('/').filter(|_| !inner.is_empty()) {
            if pattern.splat {
                return Err("`*` is supported at the end of a path only".to_owned());
            }
            match segment.strip_prefix(':') {
                _ if segment == "*" => pattern.splat = true,
                _ if segment.is_empty() => return Err("has an empty segment, `//`".to_owned()),
                Some(name) if is_name(name) => {
                    if pattern.segments.contains(&Segment::Placeholder(name.to_owned())) {
                        return Err(format!("has the placeholder `:{name}` twice"));
                    }
                    pattern.segments.push(Segment::Placeholder(name.to_owned()));
                }
                _ if segment.contains('*') => {
                    return Err(
                        "`*` is supported as a whole segment at the end of a path only, as in `/blog/*`".to_owned()
                    );
                }
                Some(name) if !name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                    return Err(format!("`{segment}` is not a placeholder: a name starts with a letter"));
                }
                _ if has_placeholder(segment) => {
                    return Err(format!(
                        "`{segment}`: a placeholder is supported as a whole segment only, as in `/:year/`"
                    ));
                }
                _ => pattern.segments.push(Segment::Literal(canonical_segment(segment))),
            }
        }
        pattern.slash &= !pattern.splat;
        Ok(pattern)
    }
}

/// Whether a text is the name of a placeholder.
pub(crate) fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn has_placeholder(segment: &str) -> bool {
    segment.split(':').skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// The names of the placeholders of a target, in their order.
pub(crate) fn placeholders(target: &str) -> Vec<&str> {
    let names = target.split(':').skip(1).map(|rest| {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        &rest[..end]
    });
    names.filter(|name| is_name(name)).collect()
}

/// A rule that no target supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it was written.
    pub place: Place,
    /// The rule as it was written.
    pub text: String,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

/// A set of redirect rules, in their order: of those that match, the first applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirects(pub(crate) Vec<Redirect>);

impl Redirects {
    /// The most rules of a site. Cloudflare Pages allows 2,100; the key value store has room for about ten thousand.
    pub const MAX: usize = 10_000;

    /// The most rules with placeholders or `*`, as on Cloudflare Pages: the function tries them one by one.
    pub const MAX_PATTERNS: usize = 100;

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Redirect] {
        &self.0
    }

    /// Adds a rule of the configuration after these. A trailing slash makes no difference to it.
    ///
    /// # Errors
    /// Why no target supports it.
    pub fn add(&mut self, rule: &ConfiguredRedirect<'_>) -> Result<(), Unsupported> {
        let ConfiguredRedirect { place, from, to, status, force, query } = rule;
        let conditions = query.iter().map(|(name, value)| format!(" {name}={value}"));
        let text = format!("{from}{} {to} {status}", conditions.collect::<String>());
        let unsupported = |reason: String| Unsupported { place: place.clone(), text: text.clone(), reason };
        if !STATUSES.contains(status) {
            let known = STATUSES.map(|status| status.to_string()).join(", ");
            return Err(unsupported(format!("`{status}` is not a status of redirects: one of {known}")));
        }
        if query.iter().any(|(name, value)| name.is_empty() || value.is_empty()) {
            return Err(unsupported("a condition on the query has a name and a value".to_owned()));
        }
        if [*from, *to].iter().any(|text| text.contains(char::is_whitespace)) {
            return Err(unsupported("a path has no spaces: write `%20`".to_owned()));
        }
        let draft = Draft {
            place: place.clone(),
            text,
            from,
            to,
            status: *status,
            force: *force,
            strict_slash: false,
            query: query.clone(),
        };
        self.0.push(draft.check()?);
        Ok(())
    }

    /// Adds rules after these.
    pub fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// The statuses that rules may have.
pub(crate) const STATUSES: [u16; 7] = [200, 301, 302, 303, 307, 308, 404];

/// A rule as a configuration has it.
#[derive(Clone, Debug)]
pub struct ConfiguredRedirect<'a> {
    /// Where it was written.
    pub place: Place,
    /// The path, with placeholders.
    pub from: &'a str,
    /// A path or an absolute URL, with placeholders.
    pub to: &'a str,
    /// 200 for a rewrite, or the status of a redirect.
    pub status: u16,
    /// Whether it applies where the site has a file.
    pub force: bool,
    /// The parameters that the query must have; a value that starts with `:` is a placeholder.
    pub query: BTreeMap<String, String>,
}

/// A rule before it is checked.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) place: Place,
    pub(crate) text: String,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) status: u16,
    pub(crate) force: bool,
    pub(crate) strict_slash: bool,
    pub(crate) query: BTreeMap<String, String>,
}

impl Draft<'_> {
    /// Checks a rule.
    ///
    /// # Errors
    /// Why no target supports it.
    pub(crate) fn check(self) -> Result<Redirect, Unsupported> {
        let Self { place, text, from, to, status, force, strict_slash, query } = self;
        let unsupported = |reason: String| Unsupported { place: place.clone(), text: text.clone(), reason };
        if from.starts_with("http://") || from.starts_with("https://") {
            return Err(unsupported(
                "rules for other hosts or protocols are not supported: start it with `/`".to_owned(),
            ));
        }
        if from.contains(['?', '#']) {
            let reason = "a path has neither `?` nor `#`: conditions on the query are written after it, as in `/store id=:id /shop/:id`";
            return Err(unsupported(reason.to_owned()));
        }
        let from = Pattern::parse(from).map_err(&unsupported)?;
        if from.path().to_ascii_lowercase().starts_with("/.well-known/twinsite")
            || from.path().starts_with("/.twinsite")
        {
            return Err(unsupported("`/.twinsite/` and `/.well-known/twinsite/` are reserved".to_owned()));
        }
        let is_path = to.starts_with('/') && !to.starts_with("//");
        let host = to
            .split_once("://")
            .filter(|(scheme, _)| ["http", "https"].contains(scheme))
            .map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
        match host {
            None if !is_path => {
                return Err(unsupported(
                    "a target is a path that starts with `/`, or an `https://` or `http://` URL".to_owned(),
                ));
            }
            Some(host) if host.is_empty() || !placeholders(host).is_empty() => {
                return Err(unsupported("a placeholder in the host of a target is not supported".to_owned()));
            }
            Some(_) if status == 200 => {
                return Err(unsupported("proxying to another host (status 200) is not supported".to_owned()));
            }
            _ => {}
        }
        if status == 404 {
            let reason =
                "a 404 page for some paths is not supported: every missing page has the site's `not_found` page";
            return Err(unsupported(reason.to_owned()));
        }
        let named = |name: &&str| {
            *name == "splat" && from.splat
                || from.segments.contains(&Segment::Placeholder((*name).to_owned()))
                || query.values().any(|value| value.strip_prefix(':') == Some(*name))
        };
        if let Some(unknown) = placeholders(to).into_iter().find(|name| !named(name)) {
            return Err(unsupported(format!("the target has `:{unknown}`, and the path has no such placeholder")));
        }
        // S3 reads a `+` in a path as a space.
        let to = if is_path {
            let (path, rest) = to.split_at(to.find(['?', '#']).unwrap_or(to.len()));
            format!("{}{rest}", path.replace('+', "%2B"))
        } else {
            to.to_owned()
        };
        let rule = Redirect { to: location(&to), place, text, from, status, force, strict_slash, query };
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_placeholders_and_a_splat() {
        let path = |text: &str| Pattern::parse(text).map(|pattern| (pattern.path(), pattern.slash));
        assert_eq!(path("/"), Ok(("/".to_owned(), false)));
        assert_eq!(path("/a/:year/*"), Ok(("/a/:year/*".to_owned(), false)));
        assert_eq!(path("/a b/"), Ok(("/a%20b".to_owned(), true)));
        assert_eq!(path("/*"), Ok(("/*".to_owned(), false)));
        for wrong in ["a", "/*/a", "/a*", "/:a/:a", "/:1", "/a//b", "/movies/:title.html"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
        // A colon before a digit is text.
        assert_eq!(path("/at/12:30"), Ok(("/at/12%3A30".to_owned(), false)));
    }

    #[test]
    fn targets_have_placeholders() {
        assert_eq!(placeholders("https://a.example:8080/:a/b-:b_1?c=:c"), ["a", "b_1", "c"]);
        assert_eq!(placeholders("/a/b"), [""; 0]);
    }
}
