//! Results that are shown again and again: on a terminal in place of the one before, elsewhere only if they have changed.

use std::io::{IsTerminal, Write, stdout};

use super::printable::printable;
use super::{OutputMode, Screen};
use crate::result::CommandResult;

/// The results of `--watch`.
pub(crate) struct WatchedBlocks<'a> {
    screen: &'a Screen,
    /// The text that is shown.
    shown: Option<String>,
}

impl<'a> WatchedBlocks<'a> {
    pub(super) fn new(screen: &'a Screen) -> Self {
        Self { screen, shown: None }
    }

    /// Shows a result.
    pub(crate) fn show(&mut self, result: &CommandResult) {
        match self.screen.mode {
            OutputMode::Json => return self.screen.show_intermediate(result),
            OutputMode::Quiet => return,
            OutputMode::Normal | OutputMode::Verbose => {}
        }
        self.screen.close();
        let text = printable(self.screen.text(result).trim_end()).into_owned();
        let mut out = stdout().lock();
        // A reader that has closed the pipe has read enough.
        if stdout().is_terminal() {
            // Home, the text with each line cleared to its end, and what is left of the text before.
            let first = if self.shown.is_none() { "\u{1b}[2J" } else { "" };
            let lines = text.replace('\n', "\u{1b}[K\n");
            drop(write!(out, "{first}\u{1b}[H{lines}\u{1b}[K\n\u{1b}[J").and_then(|()| out.flush()));
        } else if self.shown.as_ref() != Some(&text) {
            let separator = if self.shown.is_some() { "\n" } else { "" };
            drop(writeln!(out, "{separator}{text}"));
        }
        self.shown = Some(text);
    }
}
