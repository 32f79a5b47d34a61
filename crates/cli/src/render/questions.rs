//! Questions on the terminal. A signal ends them, and leaves the terminal as it was.

use dialoguer::console::Term;
use dialoguer::{Confirm, Input, Select};
use twinsite_site::{Cause, Error, Run};

/// Who asks.
pub(crate) struct Questions<'a> {
    pub(crate) run: &'a Run,
    /// What the answers are for, as the rest of a sentence that begins with `could not`.
    pub(crate) operation: &'static str,
}

/// An answer of words.
pub(crate) struct Question {
    text: String,
    /// The answer of those who press Enter only.
    usual: Option<String>,
}

impl Question {
    pub(crate) fn new(text: impl Into<String>, usual: Option<String>) -> Self {
        Self { text: text.into(), usual }
    }
}

impl Questions<'_> {
    /// Asks until the answer is valid.
    pub(crate) async fn words(
        &self,
        question: Question,
        valid: impl Fn(&str) -> Result<(), String> + Send + 'static,
    ) -> Result<String, Error> {
        let Question { text, usual } = question;
        self.ask(move |terminal| {
            let input =
                Input::<String>::new().with_prompt(text).validate_with(move |answer: &String| valid(answer.trim()));
            let input = match usual {
                // The default that is empty is not shown.
                Some(usual) => input.show_default(!usual.is_empty()).default(usual),
                None => input,
            };
            input.interact_text_on(&terminal).map(|answer| answer.trim().to_owned())
        })
        .await
    }

    /// Asks for one of several; the first is the usual one. Returns its index.
    pub(crate) async fn choice(&self, question: &'static str, lines: Vec<String>) -> Result<usize, Error> {
        self.ask(move |terminal| Select::new().with_prompt(question).items(&lines).default(0).interact_on(&terminal))
            .await
    }

    /// Asks whether to do something that is not usual.
    pub(crate) async fn whether(&self, question: String) -> Result<bool, Error> {
        self.ask(move |terminal| Confirm::new().with_prompt(question).default(false).interact_on(&terminal)).await
    }

    /// Asks on a thread of its own, which is left to the end of the process if a signal ends the wait.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Term) -> dialoguer::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let terminal = Terminal::save();
        let asking = tokio::task::spawn_blocking(move || question(Term::stderr()));
        let answer = tokio::select! {
            answer = asking => answer.map_err(std::io::Error::from),
            () = self.run.cancel.cancelled() => {
                terminal.restore();
                return Err(self.cancelled());
            }
        };
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(dialoguer::Error::IO(error))) if is_end(&error) => {
                Err(Error::usage(self.operation, "the input ended before all questions were answered"))
            }
            // Ctrl-C is read as a key, and raised as a signal.
            Ok(Err(dialoguer::Error::IO(error))) if error.kind() == std::io::ErrorKind::Interrupted => {
                terminal.restore();
                Err(self.cancelled())
            }
            Ok(Err(dialoguer::Error::IO(error))) | Err(error) => Err(Error::new(self.operation, Cause::Io(error))),
        }
    }

    fn cancelled(&self) -> Error {
        Error::new(self.operation, Cause::Cancelled(twinsite_core::Cancelled)).hint("nothing was changed")
    }
}

fn is_end(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotConnected, UnexpectedEof};
    matches!(error.kind(), NotConnected | UnexpectedEof)
}

/// The settings of the terminal before a question, which reads single keys.
struct Terminal {
    #[cfg(unix)]
    settings: Option<rustix::termios::Termios>,
}

impl Terminal {
    fn save() -> Self {
        Self {
            #[cfg(unix)]
            settings: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }

    /// A terminal that is closed cannot be restored, and need not be.
    fn restore(&self) {
        #[cfg(unix)]
        if let Some(settings) = &self.settings {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, settings);
        }
        let terminal = Term::stderr();
        drop(terminal.show_cursor().and_then(|()| terminal.write_line("")));
    }
}
