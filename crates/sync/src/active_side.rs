//! Which of two buckets is written first: the primary, unless the backup was made active because the primary could not be reached.
//!
//! A change of sides is an object below `.twinsite/active/` in the backup bucket, whose name has a number and the side. It is written on
//! the condition that there is none of that name, and never replaced, so that of two changes at the same time one fails, and a late
//! replica changes nothing. The newest one counts. Its name is enough to know the side: the listing of a publish shows it.
//!
//! Releases that are made while the backup is active have numbers with a gap before them. The primary may have releases that had not been
//! replicated when it became unreachable: their numbers are in that gap, so no two releases have the same one.

use serde::{Deserialize, Serialize};
use twinsite_core::Side;

use crate::model::layout::ACTIVE as PREFIX;
use crate::model::time::now;
use crate::store::{Condition, Store, list_prefix};
use crate::{Headers, Key, ReleaseId, StoreError, SyncError};

/// Numbers of releases are counted on from the next multiple of this.
const ROUND: u64 = 1000;

/// At least so many numbers are left out: more releases than can wait for replication.
const LEAST_GAP: u64 = 500;

/// A number that is so much greater than the one before was not made by counting.
const MAX_STEP: u64 = 1000;

/// A change of sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideChange {
    /// Its number, from 1.
    pub number: u64,
    /// The side that is active since.
    pub side: Side,
    /// What its record says.
    pub details: ChangeDetails,
}

/// What the record of a change of sides says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeDetails {
    /// The version of this format; set by [`change_side`].
    pub version: u32,
    /// When it was made, in seconds since the epoch, by the clock of who made it.
    pub since: i64,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The least number of the releases that are made from then on.
    #[serde(default)]
    pub first_release: ReleaseId,
}

/// The version of the format that this program writes and reads.
const VERSION: u32 = 1;

/// A change of sides by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedChange {
    /// Its number.
    pub number: u64,
    /// The side that is active since.
    pub side: Side,
}

impl ListedChange {
    /// The same, if it is the backup that is active since.
    pub fn to_backup(newest: Option<Self>) -> Option<Self> {
        newest.filter(|change| change.side == Side::Backup)
    }

    fn of(key: &Key) -> Option<Self> {
        let (number, side) = key.as_str().strip_prefix(PREFIX)?.split_once('-')?;
        let digits = number.len() == 10 && number.bytes().all(|byte| byte.is_ascii_digit());
        let side = [Side::Primary, Side::Backup].into_iter().find(|one| one.as_str() == side)?;
        digits.then(|| number.parse().ok()).flatten().map(|number| Self { number, side })
    }

    fn key(self) -> Key {
        let text = format!("{PREFIX}{:010}-{}", self.number, self.side.as_str());
        text.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
    }

    /// The newest of those that a listing of the backup bucket shows; `None` if the sides were never changed.
    pub fn newest<'a>(listing: impl IntoIterator<Item = &'a Key>) -> Option<Self> {
        let mut all: Vec<Self> = listing.into_iter().filter_map(Self::of).collect();
        all.sort_by_key(|change| change.number);
        // Whoever may write one key must not end the count.
        let steps = |newest: Option<Self>, next: Self| match newest {
            Some(newest) if next.number - newest.number > MAX_STEP => Some(newest),
            None if next.number > MAX_STEP => None,
            _ => Some(next),
        };
        all.into_iter().fold(None, steps)
    }
}

/// The newest change of sides by its name; `None` if the sides were never changed. One request.
///
/// # Errors
/// [`SyncError`] if the bucket could not be read.
pub async fn newest_change(backup: &impl Store) -> Result<Option<ListedChange>, SyncError> {
    let records = list_prefix(backup, PREFIX).await?;
    Ok(ListedChange::newest(records.iter().map(|record| &record.key)))
}

/// The whole of a change. Of a record that is damaged, only what its name says is known.
///
/// # Errors
/// [`SyncError`] if the bucket could not be read.
pub async fn read_change(backup: &impl Store, change: ListedChange) -> Result<SideChange, SyncError> {
    let read = match backup.get(&change.key()).await {
        Err(StoreError::TooLarge { .. }) => None,
        read => read?,
    };
    let details = read.and_then(|bytes| serde_json::from_slice::<ChangeDetails>(&bytes).ok());
    let details = details.filter(|details| details.version == VERSION).unwrap_or_default();
    Ok(SideChange { number: change.number, side: change.side, details })
}

/// Makes a side the active one.
///
/// # Errors
/// [`SyncError::Raced`] if somebody else has changed the sides since `before` was read.
pub async fn change_side(
    backup: &impl Store,
    before: Option<ListedChange>,
    side: Side,
    details: ChangeDetails,
) -> Result<SideChange, SyncError> {
    let number = before.map_or(0, |before| before.number) + 1;
    let change = ListedChange { number, side };
    let details = ChangeDetails { version: VERSION, since: now(), ..details };
    let bytes = serde_json::to_vec(&details).map_err(|error| StoreError::Broken(error.to_string()))?;
    let bytes = bytes::Bytes::from(bytes);
    let headers = Headers::of_record("application/json");
    let digest = crate::md5(&bytes);
    match backup.put_if(&change.key(), &headers, (bytes.into(), digest), &Condition::Absent).await {
        Ok(_) => Ok(SideChange { number, side, details }),
        Err(StoreError::Changed(_)) => Err(SyncError::Raced(format!("the {side} was made active by another command"))),
        Err(error) => Err(error.into()),
    }
}

/// The least number of releases that are made when the backup becomes active: the primary may have made some that the backup does not
/// know.
pub fn first_release_after(newest_known: ReleaseId) -> ReleaseId {
    ReleaseId(newest_known.0.saturating_add(LEAST_GAP).div_ceil(ROUND).max(1) * ROUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    fn keys(names: &[&str]) -> Vec<Key> {
        names.iter().map(|name| format!("{PREFIX}{name}").parse().unwrap()).collect()
    }

    #[test]
    fn the_newest_record_counts_and_planted_ones_do_not() {
        let newest = |names: &[&str]| ListedChange::newest(&keys(names)).map(|change| (change.number, change.side));
        assert_eq!(newest(&[]), None);
        assert_eq!(newest(&["0000000001-backup", "0000000002-primary"]), Some((2, Side::Primary)));
        assert_eq!(newest(&["0000000002-primary", "9999999999-backup"]), Some((2, Side::Primary)));
        assert_eq!(newest(&["9999999999-backup", "1-backup", "0000000003-other", "0000000003"]), None);
    }

    #[test]
    fn numbers_of_releases_leave_room_for_those_that_the_backup_does_not_know() {
        for (known, first) in [(0, 1000), (13, 1000), (500, 1000), (501, 2000), (999, 2000), (1001, 2000)] {
            assert_eq!(first_release_after(ReleaseId(known)), ReleaseId(first), "{known}");
        }
    }

    #[tokio::test]
    async fn of_two_changes_at_the_same_time_one_fails() {
        let store = MemoryStore::default();
        assert_eq!(newest_change(&store).await.unwrap(), None);
        let details = ChangeDetails { reason: "the primary is gone".into(), ..ChangeDetails::default() };
        let made = change_side(&store, None, Side::Backup, details.clone()).await.unwrap();
        let found = newest_change(&store).await.unwrap().unwrap();
        assert_eq!(read_change(&store, found).await.unwrap(), made);
        assert!(matches!(change_side(&store, None, Side::Backup, details).await, Err(SyncError::Raced(_))));
        let back = change_side(&store, Some(found), Side::Primary, ChangeDetails::default()).await.unwrap();
        assert_eq!((back.number, newest_change(&store).await.unwrap().unwrap().side), (2, Side::Primary));
    }

    #[tokio::test]
    async fn of_a_damaged_record_the_name_is_known() {
        let store = MemoryStore::default();
        let key = &keys(&["0000000001-backup"])[0];
        store.put(key, &Headers::default(), ("junk".into(), crate::md5(b"junk"))).await.unwrap();
        let found = newest_change(&store).await.unwrap().unwrap();
        let read = read_change(&store, found).await.unwrap();
        assert_eq!((read.side, read.details), (Side::Backup, ChangeDetails::default()));
    }
}
