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
        text.parse().map(Self).map_err(|_| Invalid::new("release", text, "is not a number"))
    }
}

impl ReleaseId {
    /// The key of one part of its record; the first part is there only when the others are.
    pub fn key(self, part: usize) -> Key {
        let text = match part {
            0 => format!("{RELEASES}{:010}.gz", self.0),
            part => format!("{RELEASES}{:010}.gz.{part}", self.0),
        };
        text.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
    }

    /// The release that comes next.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number in the key of any part of a record.
    pub(crate) fn of_part(key: &Key) -> Option<Self> {
        let (number, _) = key.as_str().strip_prefix(RELEASES)?.split_once(".gz")?;
        number.parse().ok().map(Self)
    }

    /// The number in the key of a first part. Keys sort like numbers because all have ten digits.
    fn of_key(key: &Key) -> Option<Self> {
        let number = key.as_str().strip_prefix(RELEASES)?.strip_suffix(".gz")?;
        let digits = number.len() == 10 && number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| number.parse().ok().map(Self)).flatten()
    }
}

/// What errors name when they are about release records as such.
pub(crate) fn releases_key() -> Key {
    RELEASES.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// A number that is so much greater than the one before was not made by counting: the record is not one of this site's.
const MAX_GAP: u64 = 100_000;

/// The records that a listing shows, the oldest first, and when each was written.
pub(crate) fn listed(listing: &[RemoteObject]) -> Vec<(ReleaseId, i64)> {
    let start = listing.partition_point(|object| object.key.as_str() < RELEASES);
    let records = listing[start..].iter().take_while(|object| object.key.as_str().starts_with(RELEASES));
    let mut found: Vec<(ReleaseId, i64)> = Vec::new();
    for object in records {
        let Some(id) = ReleaseId::of_key(&object.key) else { continue };
        let before = found.last().map(|(before, _)| before.0);
        if before.is_none_or(|before| id.0.saturating_sub(before) <= MAX_GAP) {
            found.push((id, object.modified));
        }
    }
    found
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
        let since = now.saturating_sub(i64::from(self.days) * 86_400);
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
