//! Progress as data: libraries emit events, the command line renders them.

use std::fmt;
use std::time::Duration;

use crate::{Action, Side, StepId};

/// A phase of publishing or copying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Listing the bucket.
    List,
    /// Reading file contents to compare them.
    Hash,
    /// Uploading and rewriting objects.
    Transfer,
    /// Copying objects from bucket to bucket.
    Copy,
    /// Comparing the buckets.
    Verify,
    /// Downloading objects into files.
    Download,
}

impl Phase {
    /// The lower-case word used in messages and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Hash => "hash",
            Self::Transfer => "transfer",
            Self::Copy => "copy",
            Self::Verify => "verify",
            Self::Download => "download",
        }
    }
}

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Its bytes were uploaded.
    Put,
    /// Its metadata was rewritten in place; no bytes were uploaded.
    Rewrite,
    /// It was copied from another bucket by S3; no bytes passed through this machine.
    Copy,
    /// It was deleted.
    Delete,
    /// A file was not published, although no rule leaves it out.
    Withhold,
    /// Its bytes were written into a file.
    Download,
}

impl Verb {
    /// The lower-case word used in messages and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Rewrite => "rewrite",
            Self::Copy => "copy",
            Self::Delete => "delete",
            Self::Withhold => "withhold",
            Self::Download => "download",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An event of a running operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A step of a plan has started.
    StepStarted {
        /// The step.
        step: StepId,
        /// What it does.
        action: Action,
    },
    /// A step of a plan has completed.
    StepDone {
        /// The step.
        step: StepId,
        /// What it did.
        action: Action,
        /// How long it took.
        took: Duration,
    },
    /// A step of a plan has failed; the error itself is part of the operation's result.
    StepFailed {
        /// The step.
        step: StepId,
        /// The error's text.
        error: String,
    },
    /// The operation is waiting.
    Waiting {
        /// What it waits for.
        what: String,
        /// For how long so far.
        since: Duration,
        /// The usual duration, in words.
        usually: Option<&'static str>,
    },
    /// A phase has started.
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
    /// Progress of a phase; the numbers are increments.
    Progress {
        /// The phase.
        phase: Phase,
        /// Which bucket it is about; `None` when about none or both.
        side: Option<Side>,
        /// Objects completed since the previous event.
        objects: u64,
        /// Bytes completed since the previous event.
        bytes: u64,
    },
    /// A phase has completed.
    PhaseDone {
        /// The phase.
        phase: Phase,
        /// Which bucket it was about; `None` when about none or both.
        side: Option<Side>,
        /// How long it took.
        took: Duration,
    },
    /// One object was put, rewritten, copied or deleted, or a file was withheld.
    Object {
        /// What was done.
        verb: Verb,
        /// In which bucket.
        side: Option<Side>,
        /// The object's key.
        key: String,
        /// Why, in one word: `absent`, `size`, `content`, `metadata`, `forced`, `extraneous`; for a withheld file, what it is.
        reason: &'static str,
        /// Bytes sent; 0 for rewrites, copies and deletes.
        bytes: u64,
    },
    /// An observation of a drill.
    Drill {
        /// Time since the outage began.
        at: Duration,
        /// What was observed.
        what: String,
    },
    /// A warning; the operation goes on.
    Warning {
        /// The text, a sentence without its full stop.
        text: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A warning about several things of one kind; the operation goes on.
    Warnings {
        /// The text, which says how many they are.
        text: String,
        /// What it is about, in order.
        items: Vec<String>,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// Receives events. Called concurrently from many tasks; must not block.
pub trait Watch: Send + Sync {
    /// Receives one event.
    fn event(&self, event: &Event);
}

/// Discards all events.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoopWatch;

impl Watch for NoopWatch {
    fn event(&self, _: &Event) {}
}
