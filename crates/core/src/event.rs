//! What happens, as data. Libraries say it; only the command line prints it.

use std::fmt;
use std::time::Duration;

use crate::{Action, Side, StepId};

/// A stretch of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Looking through the source directory.
    Walk,
    /// Listing the bucket.
    List,
    /// Reading file contents to compare them.
    Hash,
    /// Uploading and rewriting objects.
    Transfer,
    /// Copying objects from bucket to bucket.
    Copy,
    /// Deleting objects.
    Delete,
    /// Comparing what is in the buckets with what should be.
    Verify,
}

impl Phase {
    /// The lower-case word used in messages and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::List => "list",
            Self::Hash => "hash",
            Self::Transfer => "transfer",
            Self::Copy => "copy",
            Self::Delete => "delete",
            Self::Verify => "verify",
        }
    }
}

/// What is done to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Its bytes are sent.
    Put,
    /// Its metadata is rewritten in place; no bytes are sent.
    Rewrite,
    /// It is copied from another bucket; no bytes pass through this machine.
    Copy,
    /// It is deleted.
    Delete,
}

impl Verb {
    /// The lower-case word used in messages and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Rewrite => "rewrite",
            Self::Copy => "copy",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A step of a plan begins.
    StepStarted {
        /// The step.
        step: StepId,
        /// What it does.
        action: Action,
    },
    /// A step of a plan is done.
    StepDone {
        /// The step.
        step: StepId,
        /// What it did.
        action: Action,
        /// How long it took.
        took: Duration,
    },
    /// A step of a plan failed; the error itself is in the operation's result.
    StepFailed {
        /// The step.
        step: StepId,
        /// The error's text.
        error: String,
    },
    /// Something that takes a while is being waited for.
    Waiting {
        /// What is waited for.
        what: String,
        /// Since when.
        since: Duration,
        /// How long it usually takes, in words.
        usually: Option<&'static str>,
    },
    /// A phase begins.
    PhaseStarted {
        /// The phase.
        phase: Phase,
        /// Which bucket it is about; `None` when about none or both.
        side: Option<Side>,
        /// How many objects it is about, when known.
        objects: Option<u64>,
        /// How many bytes, when known.
        bytes: Option<u64>,
    },
    /// A phase got further: these are added to what was done before.
    Progress {
        /// The phase.
        phase: Phase,
        /// Which bucket it is about; `None` when about none or both.
        side: Option<Side>,
        /// Objects finished since the last word.
        objects: u64,
        /// Bytes finished since the last word.
        bytes: u64,
    },
    /// A phase is over.
    PhaseDone {
        /// The phase.
        phase: Phase,
        /// Which bucket it was about; `None` when about none or both.
        side: Option<Side>,
        /// How long it took.
        took: Duration,
    },
    /// One object was put, rewritten, copied or deleted.
    Object {
        /// What was done.
        verb: Verb,
        /// In which bucket.
        side: Option<Side>,
        /// The object's key.
        key: String,
        /// Why, in one word: `absent`, `size`, `content`, `metadata`, `forced`, `extraneous`.
        reason: &'static str,
        /// Bytes sent; 0 for rewrites, copies and deletes.
        bytes: u64,
    },
    /// A drill saw something.
    Moment {
        /// Since the primary was broken.
        at: Duration,
        /// What.
        what: String,
    },
    /// Something the owner should know that stops nothing.
    Warning {
        /// The text, a sentence without its full stop.
        text: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// Hears of events. Called from many tasks at once; must not block.
pub trait Watch: Send + Sync {
    /// One thing happened.
    fn event(&self, event: &Event);
}

/// Hears everything and says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {
    fn event(&self, _: &Event) {}
}
