//! Control characters in names, messages and responses are escaped before they reach a terminal, where they could change what
//! is displayed, the window's title, or the clipboard.

use std::borrow::Cow;
use std::fmt::Write;

/// Text of one or more lines: every control character but line feed and tab is escaped.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_control(c) && c != '\n' && c != '\t', |c, out| out.extend(c.escape_default()))
}

/// A value within a line, which cannot begin another line.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_control, |c, out| out.extend(c.escape_default()))
}

/// JSON, in whose strings `serde_json` escapes only the control characters below U+0020.
pub(super) fn printable_json(text: &str) -> Cow<'_, str> {
    escaped(text, is_control, |c, out| {
        let _ = write!(out, "\\u{:04x}", u32::from(c));
    })
}

/// C0, DEL and C1, line and paragraph separators, and the characters that reorder bidirectional text.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, escape: impl Fn(char) -> bool, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&escape) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if escape(c) { write(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else_is() {
        assert!(matches!(printable("größe\n\t✓ 日本 \u{200d}👩"), Cow::Borrowed(_)));
        assert_eq!(printable("\u{1b}[2J\r\u{7}\u{7f}\u{9b}31m"), r"\u{1b}[2J\r\u{7}\u{7f}\u{9b}31m");
        assert_eq!(printable("a\u{202e}b\u{2066}c\u{2028}d"), r"a\u{202e}b\u{2066}c\u{2028}d");
        assert_eq!(one_line("a\nb\tc"), r"a\nb\tc");
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = serde_json::json!({"key": "\u{1b}\u{7f}\u{9b}\u{202e} ü"});
        let text = printable_json(&value.to_string()).into_owned();
        assert!(text.is_ascii() || !text.contains(is_control), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
