//! What programs are asked to do.

use std::path::Path;

use anyhow::Result;

use super::corpus::{self, Kind};
use super::link::Link;
use super::site::Stage;
use super::tools::{self, Tool};

/// Works that build on one another.
pub(super) struct Series {
    pub(super) link: Link,
    pub(super) corpus: Kind,
    pub(super) works: &'static [Work],
}

impl Series {
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.link.name(), self.corpus.name())
    }
}

/// All that is measured.
pub(super) const PLAN: [Series; 6] = [
    Series {
        link: Link::Loopback,
        corpus: Kind::Medium,
        works: &[Work::First, Work::Same, Work::Checkout, Work::Changed, Work::Copy, Work::CopyAgain],
    },
    Series { link: Link::Loopback, corpus: Kind::Large, works: &[Work::First, Work::Same, Work::Checkout] },
    Series { link: Link::Loopback, corpus: Kind::One, works: &[Work::First] },
    Series { link: Link::Loopback, corpus: Kind::Parts, works: &[Work::First] },
    Series { link: Link::Far, corpus: Kind::Medium, works: &[Work::First, Work::Checkout, Work::Changed] },
    Series { link: Link::Throttled, corpus: Kind::Medium, works: &[Work::First] },
];

/// One work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Everything is new.
    First,
    /// Nothing has changed since.
    Same,
    /// Nothing has changed, but every file is as new as a checkout in CI, and there is no index.
    Checkout,
    /// One file in a hundred has other bytes, as many as before.
    Changed,
    /// From one bucket to another that is empty.
    Copy,
    /// From one bucket to another that is equal.
    CopyAgain,
}

impl Work {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::First => "first publish",
            Self::Same => "unchanged, same machine",
            Self::Checkout => "unchanged, CI checkout",
            Self::Changed => "1 % changed, same sizes",
            Self::Copy => "bucket to bucket",
            Self::CopyAgain => "bucket to bucket, nothing to do",
        }
    }

    /// True for what starts from a bucket, not from a directory.
    pub(super) fn is_copy(self) -> bool {
        matches!(self, Self::Copy | Self::CopyAgain)
    }

    /// Makes the world as the work expects it.
    pub(super) fn set_up(self, stage: &Stage, tool: &Tool, source: &Path, round: usize) -> Result<()> {
        match self {
            Self::First | Self::Same | Self::CopyAgain => Ok(()),
            Self::Checkout => {
                corpus::touch(source)?;
                tools::forget(stage)
            }
            Self::Changed => corpus::change(source, round),
            Self::Copy => tool.prepare_copy(stage),
        }
    }

    /// Whether the bucket is the same as the source, byte for byte.
    pub(super) fn is_done(self, stage: &Stage, tool: &Tool, source: &Path) -> bool {
        let bucket = if self.is_copy() { tool.second(stage) } else { tool.first(stage) };
        stage.is_equal(source, &bucket)
    }
}
