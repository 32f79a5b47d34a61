//! What a store lacks of S3.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::{Deserialize, Serialize};

/// A part of S3 that a store does not have. It is found out when a request is refused for it, and not used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Preconditions of writes: `If-None-Match` and `If-Match`. Writes then have none, and the lock alone keeps two publishes apart.
    Conditions,
    /// Preconditions on the destination of a copy.
    CopyConditions,
    /// CRC-64/NVME and the other checksums in `x-amz-checksum-*`. `Content-MD5` is sent instead.
    Checksums,
    /// `DeleteObjects`. Objects are deleted one by one.
    BatchDeletes,
    /// `CopyObject`. Objects are read and written again.
    Copies,
    /// `ListObjectVersions`. There are no older versions.
    Versions,
}

impl Limit {
    const ALL: [Self; 6] =
        [Self::Conditions, Self::CopyConditions, Self::Checksums, Self::BatchDeletes, Self::Copies, Self::Versions];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What the store lacks, and what is done instead.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conditions => "does not support conditional writes",
            Self::CopyConditions => "does not support preconditions on the destination of a copy, so copies have none",
            Self::Checksums => "does not support CRC-64/NVME checksums, so files are sent with their MD5",
            Self::BatchDeletes => "does not support DeleteObjects, so objects are deleted one by one",
            Self::Copies => "does not support CopyObject, so objects are read and uploaded again",
            Self::Versions => "does not support ListObjectVersions, so it keeps no older versions for a rollback",
        })
    }
}

/// What was found out about one store. Its clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits(Arc<AtomicU8>);

impl Limits {
    pub(crate) fn has(&self, limit: Limit) -> bool {
        self.0.load(Ordering::Relaxed) & limit.bit() != 0
    }

    pub(crate) fn add(&self, limit: Limit) {
        self.0.fetch_or(limit.bit(), Ordering::Relaxed);
    }

    pub(crate) fn all(&self) -> BTreeSet<Limit> {
        Limit::ALL.into_iter().filter(|limit| self.has(*limit)).collect()
    }
}
