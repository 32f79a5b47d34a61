//! What can stop a publish.

use super::owner::Owner;
use super::release_id::ReleaseId;
use std::time::Duration;

use crate::{ETag, Key, Prefix, SourceError};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The source cannot be published.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The bucket could not be read.
    #[error(transparent)]
    Store(StoreError),
    /// More would be deleted than is allowed; nothing was changed.
    #[error(
        "{count} of {owned} published objects would be deleted, more than the guard allows ({guard}); the first: {}",
        names(.examples)
    )]
    TooManyDeletes {
        /// How many would be deleted.
        count: usize,
        /// How many there are.
        owned: usize,
        /// The guard, in words.
        guard: String,
        /// Some of them.
        examples: Vec<Key>,
    },
    /// Somebody else was faster.
    #[error("{0}")]
    Raced(String),
    /// The source has objects that belong to a prefix, which is published on its own. Nothing was changed.
    #[error("{} below the prefix `{prefix}`, which is published on its own: {}", objects_are(.keys.len()), some_names(.keys))]
    BelowPrefix {
        /// The prefix.
        prefix: Prefix,
        /// The keys.
        keys: Vec<Key>,
    },
    /// A prefix cannot be published, because another one is below it, or it is below another one.
    #[error("the prefix `{prefix}` overlaps the prefix `{other}`, which is published on its own")]
    PrefixOverlaps {
        /// The prefix that was to be published.
        prefix: Prefix,
        /// The other one.
        other: Prefix,
    },
    /// A prefix cannot be published, because the main site has objects below it. Nothing was changed.
    #[error("the main site has {} below the prefix `{prefix}`: {}", objects(.keys.len()), some_names(.keys))]
    PrefixOfMainSite {
        /// The prefix.
        prefix: Prefix,
        /// The keys.
        keys: Vec<Key>,
    },
    /// The two buckets differ because another program writes to them.
    #[error("{} because another program writes to the buckets: {}", objects_differ(.0.len()), some_names(.0))]
    Differ(Vec<Key>),
    /// The lock was not to be had, or was lost.
    #[error(transparent)]
    Lock(LockError),
    /// An older release cannot be brought back: these objects' versions are not kept any more. Nothing was changed.
    #[error("{} objects of that release are not kept any more; the first: {}", .0.len(), names(.0.get(..3).unwrap_or(.0)))]
    Lost(Vec<Key>),
    /// The record of a release cannot be read.
    #[error("the record of release {id} is damaged: {reason}")]
    DamagedRecord {
        /// The release.
        id: ReleaseId,
        /// What is wrong with it.
        reason: String,
        /// Whether it is of a format that a newer version of twinsite writes, rather than damaged.
        is_newer: bool,
    },
    /// The run was cancelled.
    #[error("stopped on request")]
    Cancelled,
}

impl From<twinsite_core::Cancelled> for SyncError {
    fn from(_: twinsite_core::Cancelled) -> Self {
        Self::Cancelled
    }
}

/// A request that was given up because the run was cancelled is [`SyncError::Cancelled`].
impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        if error.is_interrupted() { Self::Cancelled } else { Self::Store(error) }
    }
}

impl From<LockError> for SyncError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Cancelled => Self::Cancelled,
            LockError::Store(error) if error.is_interrupted() => Self::Cancelled,
            error => Self::Lock(error),
        }
    }
}

impl SyncError {
    /// True if the store could not be reached, or answered that it is out of order, as opposed to one that refused the request.
    pub fn is_unreachable(&self) -> bool {
        match self {
            #[cfg(feature = "s3")]
            Self::Store(StoreError::Aws(error)) => error.is_unavailable(),
            Self::Store(StoreError::Unreachable(_)) => true,
            _ => false,
        }
    }

    /// True if the bucket does not exist.
    pub fn is_absent_bucket(&self) -> bool {
        match self {
            #[cfg(feature = "s3")]
            Self::Store(StoreError::Aws(error)) => error.code.as_deref() == Some("NoSuchBucket"),
            _ => false,
        }
    }
}

/// A number of objects that differ, with its noun and verb.
pub fn objects_differ(count: usize) -> String {
    if count == 1 { "1 object differs".to_owned() } else { format!("{count} objects differ") }
}

fn objects_are(count: usize) -> String {
    if count == 1 { "1 object is".to_owned() } else { format!("{count} objects are") }
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// As many names as fit in a sentence.
fn some_names(keys: &[Key]) -> String {
    const SHOWN: usize = 5;
    let more = keys.len().saturating_sub(SHOWN);
    let shown = names(keys.get(..SHOWN).unwrap_or(keys));
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn names(keys: &[Key]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// A call on a store that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// AWS said no, or could not be reached.
    #[cfg(feature = "s3")]
    #[error(transparent)]
    Aws(#[from] twinsite_aws::AwsError),
    /// The object that arrived is not the one that was sent.
    #[error("`{0}` did not arrive as it was sent")]
    Corrupted(Key),
    /// The precondition of a write did not hold.
    #[error("`{0}` was changed by somebody else since it was listed")]
    Changed(Key),
    /// The store does not support conditional writes. Nothing was written.
    #[error("`{0}` cannot be written on a condition: the store does not support conditional writes")]
    Unconditional(Key),
    /// An object that is read whole is larger than any that was written to be.
    #[error("`{key}` has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// Its key.
        key: Key,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
        /// Its entity tag, where it is known.
        etag: Option<ETag>,
        /// How long ago it was written, by the store's own clock.
        age: Option<Duration>,
    },
    /// The key belongs to another owner than the prefix that is published. Nothing was sent.
    #[error("`{key}` is not below the prefix `{prefix}`")]
    OutsidePrefix {
        /// The key.
        key: Key,
        /// The prefix.
        prefix: Prefix,
    },
    /// A request could not be made of these values.
    #[error("`{0}` cannot be stored: {1}")]
    Unfit(String, String),
    /// The store could not be reached.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// The store is out of order.
    #[error("{0}")]
    Broken(String),
}

impl StoreError {
    /// True for a request that was given up, because the run was cancelled.
    fn is_interrupted(&self) -> bool {
        match self {
            #[cfg(feature = "s3")]
            Self::Aws(error) => error.kind == twinsite_aws::Kind::Interrupted,
            _ => false,
        }
    }
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{owner} has the lock{}", .seconds.map(|seconds| format!(", for {seconds} s by now")).unwrap_or_default())]
    Held {
        /// Who.
        owner: Box<Owner>,
        /// For how long, in seconds; `None` if it does not say so in earnest.
        seconds: Option<u64>,
    },
    /// The lock names no holder, and has not expired yet.
    #[error("the lock `.twinsite/lock` is damaged: it names no holder, and has not expired yet")]
    Damaged,
    /// It was taken over by somebody else: this process was not heard of for too long.
    #[error("the lock was lost: it was not renewed in time, and may be somebody else's now")]
    Lost,
    /// The run was cancelled while waiting.
    #[error("stopped while waiting for the lock")]
    Cancelled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
