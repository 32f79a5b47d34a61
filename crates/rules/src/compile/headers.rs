//! Header rules as the function in CloudFront evaluates them.

use serde_json::{Value, json};

use super::{NotHonored, Target};
use crate::headers::{HeaderLine, HeaderRule};
use crate::path::canonical_segment;

/// Characters of a part of the rules: a value of the key value store has at most 1,024.
const PART: usize = 1_000;

/// Parts at most: each is a read of the store for each response.
const MAX_PARTS: usize = 8;

/// Rules as JSON: a list of a regular expression over paths, and a list of names and values, or `null` for a header that is taken away.
///
/// A path is compared in canonical form, that of a folder or its index document as the folder without a slash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EdgeHeaders(pub(super) Vec<String>);

impl EdgeHeaders {
    /// Compiles what CloudFront sends of the rules. What does not fit is left out and listed.
    pub(super) fn compile(rules: &[HeaderRule]) -> (Self, Vec<NotHonored>) {
        let (mut kept, mut not_honored): (Vec<Value>, Vec<NotHonored>) = Default::default();
        let mut size = 2;
        for rule in rules {
            let lines = rule.parts().edge;
            if lines.is_empty() {
                continue;
            }
            let headers: Vec<Value> = merged(&lines).into_iter().map(|(name, value)| json!([name, value])).collect();
            let entry = json!([expression(&rule.path), headers]);
            let length = entry.to_string().len() + 1;
            if size + length > MAX_PARTS * PART {
                let reason = format!("all header rules together are longer than {} characters", MAX_PARTS * PART);
                not_honored.extend(lines.iter().map(|line| NotHonored {
                    place: line.place.clone(),
                    text: format!("{} {}", rule.path, line.name),
                    target: Target::CloudFront,
                    reason: reason.clone(),
                    in_part: false,
                }));
                continue;
            }
            size += length;
            kept.push(entry);
        }
        if kept.is_empty() {
            return (Self::default(), not_honored);
        }
        let text = Value::Array(kept).to_string();
        // All of it is ASCII: paths are encoded, and values of other characters are refused.
        let parts = text.as_bytes().chunks(PART).map(|part| String::from_utf8_lossy(part).into_owned());
        (Self(parts.collect()), not_honored)
    }
}

/// The headers of a rule by their names in lower case. One that is there several times has all values.
fn merged(lines: &[HeaderLine]) -> Vec<(String, Option<String>)> {
    let mut headers: Vec<(String, Option<String>)> = Vec::new();
    for HeaderLine { name, value, .. } in lines {
        let name = name.to_ascii_lowercase();
        match (headers.iter_mut().find(|(known, _)| *known == name), value) {
            (Some((_, Some(first))), Some(value)) => first.extend([", ", value.as_str()]),
            (Some((_, known)), value) => known.clone_from(value),
            (None, value) => headers.push((name, value.clone())),
        }
    }
    headers
}

/// A regular expression over canonical paths without a slash at the end, in the syntax of JavaScript.
pub(crate) fn expression(path: &str) -> String {
    let bare = path.trim_start_matches('/').trim_end_matches('/');
    let mut text = String::from("^");
    for (at, segment) in bare.split('/').enumerate() {
        match segment {
            "" if at == 0 => {}
            // `/docs/*` is about `/docs/`, too.
            "*" => text.push_str("(/.*)?"),
            _ if segment.starts_with(':') => text.push_str("/[^/]+"),
            _ => {
                let parts = segment.split('*').map(|part| escaped(&canonical_segment(part)));
                text.push('/');
                text.push_str(&parts.collect::<Vec<_>>().join(".*"));
            }
        }
    }
    text + "$"
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        if !letter.is_ascii_alphanumeric() && !"%-_~!'".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;

    #[test]
    fn paths_are_expressions() {
        for (path, expected) in [
            ("/*", "^(/.*)?$"),
            ("/", "^$"),
            ("/a/", "^/a$"),
            ("/a/*", "^/a(/.*)?$"),
            ("/*.jpg", r"^/.*\.jpg$"),
            ("/img*", "^/img.*$"),
            ("/:lang/feed.xml", r"^/[^/]+/feed\.xml$"),
            ("/a b/(x).js", r"^/a%20b/\(x\)\.js$"),
        ] {
            assert_eq!(expression(path), expected, "{path}");
        }
    }

    #[test]
    fn long_rules_are_in_parts_and_what_is_too_long_is_told() {
        let place = Place { file: "_headers", line: 2 };
        let line = |value: usize| HeaderLine {
            place: place.clone(),
            name: "Content-Security-Policy".to_owned(),
            value: Some("x".repeat(value)),
        };
        let rule = |value| HeaderRule { place: place.clone(), path: "/*".to_owned(), lines: vec![line(value)] };
        let (headers, not_honored) = EdgeHeaders::compile(&[rule(1_500), rule(7_000), rule(10)]);
        assert_eq!((headers.0.len(), not_honored.len()), (2, 1), "{not_honored:?}");
        assert!(headers.0.iter().all(|part| part.len() <= PART));
        let read: Value = serde_json::from_str(&headers.0.concat()).unwrap();
        assert_eq!(read[0][1][0][0], json!("content-security-policy"));
        assert_eq!(read.as_array().unwrap().len(), 2);
    }
}
