//! Exit codes, as documented in `docs/src/reference/exit-codes.md`.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// Drift was found, or a plan is not empty under `--check`.
    Drift,
    /// A drill missed its objective.
    Missed,
    /// `status` or `doctor` found that something is wrong.
    Degraded,
    /// `status`, `doctor` or `verify` found nothing wrong, but could not read everything.
    Unknown,
    /// Stopped by a signal.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Drift => 3,
            Self::Missed => 4,
            Self::Degraded => 5,
            Self::Unknown => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
