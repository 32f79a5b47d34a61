//! Rules that never apply, and rules that lead visitors in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::files::Files;
use crate::model::{Pattern, Place, Redirect, Redirects, Segment};
use crate::path::{canonical, without_slash};
use crate::resolve::{Answer, fill};

/// Something about a rule that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where the rule was written.
    pub place: Place,
    /// The rule as it was written.
    pub text: String,
    /// What is wrong with it.
    pub kind: FindingKind,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// An earlier rule is about the same paths.
    Duplicate(Place),
    /// An earlier rule applies to all of its paths.
    Shadowed(Place),
    /// There is a file at its path, and it is not forced.
    File,
    /// It leads to a path from which its own or other rules lead back, or on and on: the paths, in their order.
    Loop(Vec<String>),
}

impl FindingKind {
    /// Whether visitors would be led in a circle.
    pub fn is_loop(&self) -> bool {
        matches!(self, Self::Loop(_))
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(first) => write!(f, "never applies: the rule of {first} is about the same path"),
            Self::Shadowed(first) => write!(f, "never applies: the rule of {first} applies to all of its paths"),
            Self::File => write!(f, "never applies: the site has a file there"),
            Self::Loop(paths) => write!(f, "redirects in a circle: {}", paths.join(" -> ")),
        }
    }
}

/// How many redirects are followed. Browsers follow about twenty.
const HOPS: usize = 20;

/// How many paths of a loop are shown.
const SHOWN: usize = 4;

impl Redirects {
    /// Takes out the rules that only add or remove a trailing slash where slashes make no difference: they would redirect to themselves.
    /// Netlify does not apply them either.
    pub fn take_slash_rules(&mut self) -> Vec<Redirect> {
        let is_to_itself = |rule: &mut Redirect| {
            let path = rule.to.split(['?', '#']).next().unwrap_or_default();
            !rule.strict_slash
                && rule.status != 200
                && rule.is_exact()
                && rule.query.is_empty()
                && without_slash(path) == rule.from.path()
        };
        self.0.extract_if(.., is_to_itself).collect()
    }

    /// Rules that never apply, and rules that lead in a circle. Absolute URLs of the host are paths of the site.
    pub fn findings(&self, files: &Files, host: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut exact: BTreeMap<(String, bool, &BTreeMap<String, String>), &Redirect> = BTreeMap::new();
        let general: Vec<(usize, &Redirect)> =
            self.0.iter().enumerate().filter(|(_, rule)| !rule.is_exact() && rule.query.is_empty()).collect();
        for (at, rule) in self.0.iter().enumerate() {
            let mut tell = |kind| findings.push(Finding { place: rule.place.clone(), text: rule.text.clone(), kind });
            let name = (rule.from.path(), rule.strict_slash && rule.from.slash, &rule.query);
            let earlier = general.iter().take_while(|(other, _)| *other < at).map(|(_, other)| *other);
            let applies_first = |other: &&Redirect| other.force || !rule.force;
            if let Some(first) = exact.get(&name).filter(|first| applies_first(first)) {
                tell(FindingKind::Duplicate(first.place.clone()));
            } else if let Some(first) = earlier.filter(applies_first).find(|other| covers(other, rule)) {
                tell(FindingKind::Shadowed(first.place.clone()));
            } else if rule.is_exact() && !rule.force && files.has(&rule.from.path()) {
                tell(FindingKind::File);
            } else if let Some(paths) = self.circle(rule, files, host) {
                tell(FindingKind::Loop(paths));
            }
            exact.entry(name).or_insert(rule);
        }
        findings
    }

    /// The paths by which an example of the rule's paths leads in a circle.
    fn circle(&self, rule: &Redirect, files: &Files, host: &str) -> Option<Vec<String>> {
        let example = |name: &str| (name.to_owned(), "example".to_owned());
        let names = rule.from.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder(name) => Some(example(name)),
            Segment::Literal(_) => None,
        });
        let found: BTreeMap<String, String> = names.collect();
        let path = fill(&rule.from.path(), &found).replace('*', "example");
        let mut path = if rule.from.slash { format!("{path}/") } else { path };
        let parameters = rule.query.iter().map(|(name, value)| {
            let value = if value.starts_with(':') { "example" } else { value };
            format!("{name}={value}")
        });
        let mut query = parameters.collect::<Vec<_>>().join("&");
        let (mut seen, mut paths) = (BTreeSet::new(), Vec::new());
        for _ in 0..=HOPS {
            paths.push(path.clone());
            if !seen.insert((path.clone(), query.clone())) {
                return Some(paths);
            }
            let location = match self.resolve(&path, &query, files) {
                Some(Answer::Redirect { location, .. }) => location,
                Some(Answer::Rewrite { .. }) => return None,
                // A rule that adds a slash where slashes are removed, or the reverse, is one half of a circle.
                None => {
                    let next = files.slash_redirect(&canonical(&path))?;
                    if query.is_empty() { next } else { format!("{next}?{query}") }
                }
            };
            let location = path_on(host, &location)?;
            (path, query) = location
                .split_once('?')
                .map_or((location.clone(), String::new()), |(path, query)| (path.to_owned(), query.to_owned()));
        }
        paths.truncate(SHOWN);
        paths.push("…".to_owned());
        Some(paths)
    }
}

/// The path and query of a location on a host, without its fragment; `None` if it leads to another host.
fn path_on(host: &str, location: &str) -> Option<String> {
    let (scheme, rest) = match location.split_once("//") {
        Some((scheme, rest)) if ["", "http:", "https:"].iter().any(|one| scheme.eq_ignore_ascii_case(one)) => {
            (scheme, rest)
        }
        _ if location.starts_with('/') => return Some(without_fragment(location).to_owned()),
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let port = if scheme.eq_ignore_ascii_case("http:") { ":80" } else { ":443" };
    let authority = authority.strip_suffix(port).unwrap_or(authority);
    let rest = without_fragment(rest);
    authority
        .eq_ignore_ascii_case(host)
        .then(|| if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") })
}

fn without_fragment(location: &str) -> &str {
    location.split('#').next().unwrap_or_default()
}

/// Whether a rule without conditions matches every path that another rule matches.
fn covers(general: &Redirect, rule: &Redirect) -> bool {
    let (Pattern { segments, splat, slash }, other) = (&general.from, &rule.from);
    if general.strict_slash && (!splat && *slash != other.slash && !other.splat) {
        return false;
    }
    let fits = |(wanted, given): (&Segment, &Segment)| match (wanted, given) {
        (Segment::Placeholder(_), _) => true,
        (Segment::Literal(wanted), Segment::Literal(given)) => wanted == given,
        (Segment::Literal(_), Segment::Placeholder(_)) => false,
    };
    if !segments.iter().zip(&other.segments).all(fits) {
        return false;
    }
    let (have, want) = (other.segments.len(), segments.len());
    match (splat, other.splat) {
        (false, true) => false,
        (false, false) => have == want,
        // `/a/*` does not match `/a` where slashes make a difference.
        (true, false) => have > want || have == want && (!general.strict_slash || other.slash),
        (true, true) => have >= want,
    }
}
