//! The parser of `_headers`.

use super::{MAX_LINE, ParseError, ParseErrors, check_text};
use crate::headers::{HeaderLine, HeaderRule};
use crate::model::Place;

const FILE: &str = "_headers";

/// The most rules.
const MAX_RULES: usize = 1_000;

/// The rules of a `_headers` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedHeaders {
    /// The rules, in their order. Of two that set the same header, the later one counts.
    pub rules: Vec<HeaderRule>,
}

/// Parses a `_headers` file: a path on a line of its own, and below it, indented, lines of `Name: value`. `! Name` takes a header away.
///
/// <https://docs.netlify.com/manage/routing/headers/>, <https://developers.cloudflare.com/pages/configuration/headers/>
///
/// # Errors
/// Every line that cannot be understood, and files that are too large.
pub fn parse_headers(text: impl AsRef<[u8]>) -> Result<ParsedHeaders, ParseErrors> {
    let text = check_text(FILE, text.as_ref())?;
    let (mut parsed, mut errors) = (ParsedHeaders::default(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let place = Place { file: FILE, line: index + 1 };
        let column = line.len() - line.trim_start().len() + 1;
        let mut fault = |reason: String| errors.push(ParseError { file: FILE, line: index + 1, column, reason });
        if line.chars().count() > MAX_LINE {
            fault(format!("the line is longer than {MAX_LINE} characters"));
        } else if trimmed.starts_with('/') || trimmed.starts_with("https://") || trimmed.starts_with("http://") {
            parsed.rules.push(HeaderRule { place, path: trimmed.to_owned(), lines: Vec::new() });
            if parsed.rules.len() > MAX_RULES {
                fault(format!("there are more than {MAX_RULES} rules"));
                break;
            }
        } else if let Some(rule) = parsed.rules.last_mut() {
            let (name, value) = match (trimmed.strip_prefix('!'), trimmed.split_once(':')) {
                (Some(name), _) => (name.trim(), None),
                (None, Some((name, value))) => (name.trim_end(), Some(value.trim())),
                (None, None) => {
                    fault(format!("`{trimmed}` is neither a path nor `Name: value`"));
                    continue;
                }
            };
            let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            if name.is_empty() || !name.bytes().all(is_token) {
                fault(format!("`{name}` is not the name of a header"));
            } else if value == Some("") {
                fault(format!("the header `{name}` has no value"));
            } else {
                rule.lines.push(HeaderLine { place, name: name.to_owned(), value: value.map(str::to_owned) });
            }
        } else {
            fault("a header has no path above it".to_owned());
        }
    }
    if errors.is_empty() { Ok(parsed) } else { Err(ParseErrors(errors)) }
}
