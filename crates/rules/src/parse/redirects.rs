//! The parser of `_redirects`.

use std::collections::BTreeMap;

use super::{MAX_LINE, ParseError, ParseErrors, Word, check_text, words};
use crate::model::{Draft, Place, Redirects, STATUSES, Syntax, Unsupported};

const FILE: &str = "_redirects";

/// The rules of a `_redirects` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedRedirects {
    /// The rules that are supported, in their order.
    pub redirects: Redirects,
    /// The rules that are not.
    pub unsupported: Vec<Unsupported>,
}

/// Parses a `_redirects` file: `FROM [NAME=VALUE …] TO [STATUS[!]] [CONDITIONS]` on each line.
///
/// <https://docs.netlify.com/manage/routing/redirects/overview/>,
/// <https://developers.cloudflare.com/pages/configuration/redirects/>
///
/// # Errors
/// Every line that cannot be understood, and files that are too large.
pub fn parse_redirects(text: impl AsRef<[u8]>, syntax: Syntax) -> Result<ParsedRedirects, ParseErrors> {
    let text = check_text(FILE, text.as_ref())?;
    let (mut parsed, mut errors) = (ParsedRedirects::default(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let place = Place { file: FILE, line: index + 1 };
        let words = words(line);
        let Some(first) = words.first() else { continue };
        if line.chars().count() > MAX_LINE {
            let reason = format!("the line is longer than {MAX_LINE} characters");
            errors.push(ParseError { file: FILE, line: place.line, column: MAX_LINE + 1, reason });
            continue;
        }
        match parse_line(*first, &words[1..], &place, syntax) {
            Ok(Ok(draft)) => match draft.check() {
                Ok(rule) => parsed.redirects.0.push(rule),
                Err(unsupported) => parsed.unsupported.push(unsupported),
            },
            Ok(Err(unsupported)) => parsed.unsupported.push(unsupported),
            Err(Fault { column, reason }) => errors.push(ParseError { file: FILE, line: place.line, column, reason }),
        }
        if parsed.redirects.0.len() > Redirects::MAX {
            let reason = format!("there are more than {} rules", Redirects::MAX);
            errors.push(ParseError { file: FILE, line: place.line, column: 1, reason });
            break;
        }
    }
    if errors.is_empty() { Ok(parsed) } else { Err(ParseErrors(errors)) }
}

struct Fault {
    column: usize,
    reason: String,
}

impl Fault {
    fn at(word: Word<'_>, reason: impl Into<String>) -> Self {
        Self { column: word.column, reason: reason.into() }
    }
}

/// Whether a word is a target rather than a condition on the query.
fn is_target(word: &str) -> bool {
    word.starts_with('/') || word.starts_with("http://") || word.starts_with("https://") || !word.contains('=')
}

fn parse_line<'t>(
    from: Word<'t>,
    rest: &[Word<'t>],
    place: &Place,
    syntax: Syntax,
) -> Result<Result<Draft<'t>, Unsupported>, Fault> {
    let text = [from].iter().chain(rest).map(|word| word.text).collect::<Vec<_>>().join(" ");
    if !(from.text.starts_with('/') || from.text.starts_with("http://") || from.text.starts_with("https://")) {
        return Err(Fault::at(from, format!("`{}`: a rule starts with a path, such as `/old`", from.text)));
    }
    let unsupported =
        |reason: &str| Ok(Err(Unsupported { place: place.clone(), text: text.clone(), reason: reason.to_owned() }));
    let mut query = BTreeMap::new();
    let mut rest = rest.iter().copied();
    let to = loop {
        let end = Word { text: "", column: from.column + from.text.chars().count() };
        let word = rest.next().ok_or_else(|| Fault::at(end, "the rule has no target"))?;
        if is_target(word.text) {
            break word;
        }
        let (name, value) = word.text.split_once('=').unwrap_or((word.text, ""));
        if name.is_empty() || value.is_empty() {
            return Err(Fault::at(
                word,
                format!("`{}`: a condition on the query is NAME=VALUE or NAME=:PLACEHOLDER", word.text),
            ));
        }
        if query.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Fault::at(word, format!("the query parameter `{name}` is named twice")));
        }
    };
    if to.text.parse::<u16>().is_ok() {
        return Err(Fault::at(to, format!("the rule has no target before the status `{}`", to.text)));
    }
    let (mut status, mut force) = (syntax.default_status(), syntax == Syntax::CloudflarePages);
    let mut conditions = Vec::new();
    for (index, word) in rest.enumerate() {
        let (digits, forced) = word.text.strip_suffix('!').map_or((word.text, false), |digits| (digits, true));
        if index == 0 && digits.starts_with(|first: char| first.is_ascii_digit()) {
            let known = digits.parse().ok().filter(|status| STATUSES.contains(status));
            status = known.ok_or_else(|| {
                let known = STATUSES.map(|status| status.to_string()).join(", ");
                Fault::at(word, format!("`{digits}` is not a status of redirects: one of {known}"))
            })?;
            force |= forced;
        } else if word.text.contains('=') {
            conditions.push(word.text.split('=').next().unwrap_or_default().to_owned());
        } else {
            return Err(Fault::at(word, format!("`{}` is neither a status nor a condition", word.text)));
        }
    }
    if !conditions.is_empty() {
        return unsupported(&format!("conditions on {} are not supported", conditions.join(", ")));
    }
    if syntax == Syntax::CloudflarePages && !query.is_empty() {
        return unsupported("conditions on the query are not part of the syntax of Cloudflare Pages");
    }
    let strict_slash = syntax == Syntax::CloudflarePages;
    let (from, to) = (from.text, to.text);
    Ok(Ok(Draft { place: place.clone(), text, from, to, status, force, strict_slash, query }))
}
