//! Commands that are shown, to be pasted into a shell.

/// A text as one word of a POSIX shell.
///
/// ```
/// use twinsite_core::shell_word;
///
/// assert_eq!(shell_word("sites/www.toml"), "sites/www.toml");
/// assert_eq!(shell_word("it's here"), r"'it'\''s here'");
/// assert_eq!(shell_word(""), "''");
/// ```
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
