//! What a rule set answers at a URL, rule by rule in their order.

use std::collections::BTreeMap;

use crate::files::Files;
use crate::model::{Redirect, Redirects, Segment, is_name};
use crate::path::{canonical, canonical_segment, without_slash};

/// What a rule answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A redirect.
    Redirect {
        /// The status.
        status: u16,
        /// The value of the header `Location`.
        location: String,
    },
    /// What is at another path of the site, under the requested URL.
    Rewrite {
        /// The path.
        path: String,
    },
}

/// The parameters of a query, in the order in which their names first come.
#[derive(Debug, Default)]
struct Query<'q>(Vec<(&'q str, Vec<&'q str>)>);

impl<'q> Query<'q> {
    fn parse(text: &'q str) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match query.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => query.0.push((name, vec![value])),
            }
        }
        query
    }

    fn text(&self) -> String {
        let pairs = self.0.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let pair = |(name, value): (&&str, &&str)| {
            if value.is_empty() { (*name).to_owned() } else { format!("{name}={value}") }
        };
        pairs.map(pair).collect::<Vec<_>>().join("&")
    }

    /// The value of a parameter that is there once, in canonical form.
    fn value(&self, name: &str) -> Option<String> {
        match &self.0.iter().find(|(known, _)| *known == name)?.1[..] {
            [value] if !value.is_empty() => Some(canonical_segment(&value.replace('+', "%20"))),
            _ => None,
        }
    }
}

impl Redirects {
    /// What the first rule that applies answers; `None` if there is none. `path` is that of the URL as it was requested, and `query`
    /// what follows the question mark.
    pub fn resolve(&self, path: &str, query: &str, files: &Files) -> Option<Answer> {
        let (path, query) = (canonical(path), Query::parse(query));
        // Health checks are not redirected, whatever the rules say.
        if path.starts_with("/.well-known/twinsite/") {
            return None;
        }
        let has_file = files.has(&path);
        let mut applicable = self.0.iter().filter(|rule| rule.force || !has_file);
        applicable.find_map(|rule| Some(rule.answer(&rule.captures(&path, &query)?, &query)))
    }
}

impl Redirect {
    /// What the placeholders stand for, if the rule matches.
    fn captures(&self, path: &str, query: &Query<'_>) -> Option<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        let pattern = &self.from;
        let (bare, has_slash) = (without_slash(path), path.len() > 1 && path.ends_with('/'));
        let inner = if pattern.splat { path } else { bare };
        let mut rest =
            Some(inner.strip_prefix('/').unwrap_or(inner)).filter(|inner| pattern.splat || !inner.is_empty());
        for segment in &pattern.segments {
            let text = rest?;
            let (first, others) = text.split_once('/').map_or((text, None), |(first, others)| (first, Some(others)));
            match segment {
                Segment::Literal(literal) if literal == first => {}
                Segment::Placeholder(name) if !first.is_empty() => drop(found.insert(name.clone(), first.to_owned())),
                Segment::Literal(_) | Segment::Placeholder(_) => return None,
            }
            rest = others;
        }
        if pattern.splat {
            // `/blog` is matched by `/blog/*` unless slashes make a difference.
            let splat = if self.strict_slash { rest? } else { rest.unwrap_or_default() };
            found.insert("splat".to_owned(), splat.to_owned());
        } else if rest.is_some() || self.strict_slash && has_slash != pattern.slash {
            return None;
        }
        if !self.query.is_empty() {
            if query.0.len() != self.query.len() {
                return None;
            }
            for (name, wanted) in &self.query {
                let value = query.value(name)?;
                match wanted.strip_prefix(':') {
                    Some(placeholder) => drop(found.insert(placeholder.to_owned(), value)),
                    None if canonical_segment(wanted) == value => {}
                    None => return None,
                }
            }
        }
        Some(found)
    }

    fn answer(&self, found: &BTreeMap<String, String>, query: &Query<'_>) -> Answer {
        let mut target = fill(&self.to, found);
        if !self.is_absolute() {
            // Else an empty placeholder could make `//example.org`, which is another host.
            target = format!("/{}", target.trim_start_matches('/'));
        }
        let (target, fragment) = match target.split_once('#') {
            Some((target, fragment)) => (target.to_owned(), format!("#{fragment}")),
            None => (target, String::new()),
        };
        if self.status == 200 {
            return Answer::Rewrite { path: target.split('?').next().unwrap_or_default().to_owned() };
        }
        let query = query.text();
        let passed = !query.is_empty() && self.query.is_empty() && !target.contains('?');
        let query = if passed { format!("?{query}") } else { String::new() };
        Answer::Redirect { status: self.status, location: format!("{target}{query}{fragment}") }
    }
}

/// A target with the placeholders filled in.
pub(crate) fn fill(target: &str, found: &BTreeMap<String, String>) -> String {
    let mut parts = target.split(':');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        if let Some(value) = found.get(name).filter(|_| is_name(name)) {
            filled.push_str(value);
        } else {
            filled.extend([":", name]);
        }
        filled.push_str(rest);
    }
    filled
}
