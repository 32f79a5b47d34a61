//! Numbers of releases, and which are kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use twinsite_core::Invalid;

use super::layout::RELEASES;
use crate::{Key, RemoteObject};

/// A release's number: one more than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReleaseId(pub u64);

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ReleaseId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| Invalid::new("release", text, "is not a number; see `twinsite releases`"))
    }
}

impl ReleaseId {
    /// The key of one part of its record; the first part is there only when the others are.
    pub(crate) fn key(self, part: usize) -> Key {
        let text = match part {
            0 => format!("{RELEASES}{:010}.gz", self.0),
            part => format!("{RELEASES}{:010}.gz.{part}", self.0),
        };
        text.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
    }

    /// The release that comes next.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The records that a listing shows, the oldest first, and when each was written.
pub(crate) fn listed(listing: &[RemoteObject]) -> Vec<(ReleaseId, i64)> {
    let start = listing.partition_point(|object| object.key.as_str() < RELEASES);
    let records = listing[start..].iter().take_while(|object| object.key.as_str().starts_with(RELEASES));
    let id = |object: &RemoteObject| {
        let number = object.key.as_str().strip_prefix(RELEASES)?.strip_suffix(".gz")?;
        Some((ReleaseId(number.parse().ok()?), object.modified))
    };
    records.filter_map(id).collect()
}

/// Which releases are kept: so many, and all that are younger than so many days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// At least so many, the newest one among them.
    pub releases: usize,
    /// And those that were live within so many days.
    pub days: u32,
}

impl RetentionPolicy {
    /// The oldest release to be kept; `None` when there is none. Age never removes what the count keeps.
    pub(crate) fn oldest(&self, found: &[(ReleaseId, i64)], now: i64) -> Option<ReleaseId> {
        let by_count = found.len().saturating_sub(self.releases.max(1));
        let since = now - i64::from(self.days) * 86_400;
        // A release was live until the next one took its place.
        let by_age = found.iter().skip(1).position(|(_, until)| self.days > 0 && *until >= since);
        let at = by_age.map_or(by_count, |at| at.min(by_count));
        found.get(at).map(|(id, _)| *id)
    }

    /// The same, with one more release on top, which is about to be made.
    pub(crate) fn oldest_with_next(&self, found: &[(ReleaseId, i64)], now: i64) -> Option<ReleaseId> {
        if self.releases < 2 && self.days == 0 {
            return None;
        }
        let last = found.last().map_or(ReleaseId(0), |(id, _)| *id);
        let all: Vec<_> = found.iter().copied().chain([(last.next(), now)]).collect();
        self.oldest(&all, now)
    }
}
