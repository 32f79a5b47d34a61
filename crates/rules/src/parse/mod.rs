//! Parsers of `_redirects` and `_headers`.

pub(crate) mod headers;
pub(crate) mod redirects;

use std::fmt;

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 2 << 20;

/// The longest line, in characters. Cloudflare Pages allows 1,000 in `_redirects` and 2,000 in `_headers`.
const MAX_LINE: usize = 2_000;

/// A line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The name of the file.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.reason)
    }
}

/// Every line of a file that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ParseErrors(pub Vec<ParseError>);

/// The file as text, if it is one and small enough.
fn check_text<'t>(file: &'static str, bytes: &'t [u8]) -> Result<&'t str, ParseErrors> {
    let refuse = |line: usize, reason: String| Err(ParseErrors(vec![ParseError { file, line, column: 1, reason }]));
    if bytes.len() > MAX_BYTES {
        return refuse(1, format!("the file has {} bytes, and at most {MAX_BYTES} are read", bytes.len()));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            refuse(valid.matches('\n').count() + 1, "the file is not UTF-8".to_owned())
        }
    }
}

/// A word of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word<'t> {
    text: &'t str,
    /// Where it starts, in characters from 1.
    column: usize,
}

/// The words of a line up to a comment, which is a word that starts with `#`.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(|letter: char| !letter.is_whitespace()) {
        let from = line.len() - rest.len() + start;
        let tail = &line[from..];
        if tail.starts_with('#') {
            break;
        }
        let text = tail.split(char::is_whitespace).next().unwrap_or(tail);
        words.push(Word { text, column: line[..from].chars().count() + 1 });
        rest = &tail[text.len()..];
    }
    words
}
