//! Counts with their nouns, sizes, and lines that fit a terminal.

use std::fmt::Display;

/// The number of columns of a terminal.
pub(super) const COLUMNS: usize = 80;

/// A text after a label, in lines of at most 80 columns; lines that continue it are indented by the width of the label. Words that are
/// longer, such as ARNs and addresses, are not cut.
pub(super) fn wrapped(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let (mut out, mut column) = (label.to_owned(), indent);
    for (index, word) in words(text).into_iter().enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > COLUMNS {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += width;
    }
    out
}

/// The words of a text; a command in backticks is one, so that it can be copied.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_command = false;
    for word in text.split(' ') {
        match words.last_mut().filter(|_| is_command) {
            Some(command) => {
                command.push(' ');
                command.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
        is_command ^= word.matches('`').count() % 2 == 1;
    }
    words
}

/// A number with its noun.
pub(super) fn count<N: Copy + Display + From<u8> + PartialEq>(number: N, noun: &str) -> String {
    if number == N::from(1) { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Bytes in binary units.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
