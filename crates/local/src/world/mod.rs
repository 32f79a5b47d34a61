//! The state of the embedded cloud's S3: buckets, versions, uploads. Knows nothing of HTTP.

mod account;
pub mod acm;
pub mod batch;
mod blobs;
mod bucket;
pub mod cloudfront;
pub mod cloudwatch;
mod disk;
pub mod iam;
mod list;
mod object;
mod policy;
mod replication;
pub mod route53;
pub mod sns;
mod time;
mod trouble;
mod upload;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use futures::Stream;

pub use account::{Account, Delays, Moment};
pub use blobs::{CHUNK, Chunk};
pub use bucket::{Block, BucketSettings, Doc, Versioning};
pub use disk::random_id;
pub use list::{Page, Query, VersionsPage};
pub use object::{Checksums, Headers, Part, Version};
pub(crate) use policy::glob;
pub use policy::{Caller, Policy, Verdict};
pub use replication::Replicated;
pub use time::Clock;
pub use trouble::Faults;
pub use upload::{PartRef, Upload};
pub use write::{Condition, Deleted, NewObject};

use blobs::Blobs;
use bucket::Bucket;
use disk::Disk;
use replication::{Grants, Queue};

/// The account that owns everything in the embedded cloud, unless a test says otherwise.
pub const ACCOUNT: &str = "000000000000";

/// What S3 refuses; each variant is one of its error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `NoSuchBucket`.
    #[error("The specified bucket does not exist")]
    NoSuchBucket,
    /// `NoSuchKey`.
    #[error("The specified key does not exist.")]
    NoSuchKey,
    /// `NoSuchVersion`.
    #[error("The specified version does not exist.")]
    NoSuchVersion,
    /// `NoSuchUpload`.
    #[error("The specified upload does not exist. It may have been aborted or completed.")]
    NoSuchUpload,
    /// `MethodNotAllowed`: a version that is a delete marker was read.
    #[error("The specified method is not allowed against this resource.")]
    MethodNotAllowed,
    /// `BucketAlreadyExists`: somebody else has the name.
    #[error("The requested bucket name is not available. The bucket namespace is shared by all users of the system.")]
    BucketAlreadyExists,
    /// `BucketAlreadyOwnedByYou`.
    #[error("Your previous request to create the named bucket succeeded and you already own it.")]
    BucketAlreadyOwnedByYou,
    /// `BucketNotEmpty`.
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty,
    /// `AccessDenied`.
    #[error("Access Denied")]
    AccessDenied,
    /// `PreconditionFailed`.
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed,
    /// `InvalidPart`.
    #[error("One or more of the specified parts could not be found, or its entity tag does not match.")]
    InvalidPart,
    /// `InvalidPartOrder`.
    #[error("The list of parts was not in ascending order.")]
    InvalidPartOrder,
    /// `EntityTooSmall`.
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall,
    /// A configuration that was never set; the text is its error code.
    #[error("The {0} does not exist")]
    NoSuchConfiguration(&'static str),
    /// `MalformedPolicy`.
    #[error("{0}")]
    MalformedPolicy(String),
    /// `InternalError`: the state on disk could not be read or written.
    #[error("{0}")]
    Disk(String),
}

/// Why a world could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// Another process has it open.
    #[error("`{0}` is in use by another process")]
    InUse(String),
    /// The state could not be read or written.
    #[error("the state in `{path}` could not be opened: {reason}")]
    Unreadable {
        /// The state directory.
        path: String,
        /// What went wrong.
        reason: String,
    },
}

/// What a key holds now.
#[derive(Clone, Debug)]
pub enum Current {
    /// An object.
    Object(Arc<Version>),
    /// A delete marker.
    DeleteMarker(Arc<Version>),
    /// Nothing.
    Missing,
}

#[derive(Debug, Default)]
struct State {
    buckets: BTreeMap<String, Bucket>,
    account: Account,
}

/// All buckets of all regions. Clones share the same state.
#[derive(Clone, Debug)]
pub struct World {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: RwLock<State>,
    blobs: Blobs,
    disk: Option<Disk>,
    clock: Clock,
    delays: std::sync::Mutex<Delays>,
    queue: Queue,
    grants: Grants,
    faults: RwLock<Faults>,
    health: route53::Health,
}

impl World {
    /// A world that is gone when the last clone is dropped.
    pub fn memory() -> Self {
        Self::with_clock(Clock::system())
    }

    /// A world in memory whose clock a test can set.
    pub fn with_clock(clock: Clock) -> Self {
        Self::over(State::default(), Blobs::memory(), None, clock)
    }

    /// A world that is kept in a directory. It survives the process being killed at any moment; only one
    /// process can have it open.
    pub fn open(dir: &Path) -> Result<Self, WorldError> {
        let (disk, state, used) = Disk::open(dir)?;
        let blobs = Blobs::files(dir, &used)
            .map_err(|error| WorldError::Unreadable { path: dir.display().to_string(), reason: error.to_string() })?;
        let clock = Clock::system();
        // A world whose time ran faster may be ahead of this machine: it does not go back.
        let versions = state.buckets.values().flat_map(|bucket| bucket.keys.values()).flatten();
        if let Some(newest) = versions.map(|version| version.modified).max() {
            clock.not_before(newest);
        }
        Ok(Self::over(state, blobs, Some(disk), clock))
    }

    fn over(state: State, blobs: Blobs, disk: Option<Disk>, clock: Clock) -> Self {
        let (delays, queue) = (std::sync::Mutex::new(Delays::BRIEF), Queue::found_in(&state));
        let (state, faults) = (RwLock::new(state), RwLock::default());
        Self {
            inner: Arc::new(Inner {
                state,
                blobs,
                disk,
                clock,
                delays,
                queue,
                grants: Grants::default(),
                faults,
                health: route53::Health::default(),
            }),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.inner.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What health checkers have seen.
    pub fn health(&self) -> &route53::Health {
        &self.inner.health
    }

    /// The world's clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// A bucket's settings, by value; `None` when there is no such bucket.
    pub fn bucket(&self, name: &str) -> Option<BucketSettings> {
        self.read().buckets.get(name).map(|bucket| bucket.settings.clone())
    }

    /// All buckets of an account.
    pub fn buckets(&self, owner: &str) -> Vec<BucketSettings> {
        let state = self.read();
        state.buckets.values().map(|bucket| &bucket.settings).filter(|s| s.owner == owner).cloned().collect()
    }

    /// What a key holds now.
    pub fn current(&self, bucket: &str, key: &str) -> Result<Current, Fault> {
        let state = self.read();
        let versions = state.buckets.get(bucket).ok_or(Fault::NoSuchBucket)?.keys.get(key);
        Ok(match versions.and_then(|versions| versions.last()) {
            None => Current::Missing,
            Some(marker) if marker.is_marker() => Current::DeleteMarker(Arc::clone(marker)),
            Some(version) => Current::Object(Arc::clone(version)),
        })
    }

    /// One object: the current one, or the version named.
    pub fn object(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Arc<Version>, Fault> {
        let Some(id) = version else {
            return match self.current(bucket, key)? {
                Current::Object(version) => Ok(version),
                Current::DeleteMarker(_) | Current::Missing => Err(Fault::NoSuchKey),
            };
        };
        let state = self.read();
        let versions = state.buckets.get(bucket).ok_or(Fault::NoSuchBucket)?.keys.get(key);
        let found = versions.and_then(|all| all.iter().find(|version| version.id == id));
        match found {
            None => Err(Fault::NoSuchVersion),
            Some(marker) if marker.is_marker() => Err(Fault::MethodNotAllowed),
            Some(version) => Ok(Arc::clone(version)),
        }
    }

    /// Bytes of an object, chunk by chunk.
    pub fn body(
        &self,
        version: &Version,
        range: Range<u64>,
    ) -> impl Stream<Item = std::io::Result<Bytes>> + Send + Sync + use<> {
        futures::stream::iter(self.pieces(version, range))
    }

    /// Like [`World::body`], for callers that do not wait.
    pub fn pieces(
        &self,
        version: &Version,
        range: Range<u64>,
    ) -> impl Iterator<Item = std::io::Result<Bytes>> + Send + Sync + use<> {
        blobs::read(self.clone(), version.chunks().cloned().collect(), range)
    }

    /// The bytes of a part that belongs to no object yet, chunk by chunk.
    pub fn part_body(&self, part: &Part) -> Vec<std::io::Result<Bytes>> {
        part.chunks.iter().map(|chunk| self.inner.blobs.load(chunk)).collect()
    }

    /// Stores bytes that a later object or part will consist of.
    pub fn store(&self, bytes: Bytes) -> Result<Chunk, Fault> {
        self.inner.blobs.store(bytes).map_err(|error| Fault::Disk(error.to_string()))
    }

    /// True when the object may be read without credentials.
    pub fn anonymous_may_read(&self, bucket: &str, key: &str) -> bool {
        self.anonymous_may(bucket, "s3:GetObject", &format!("/{key}"))
    }

    /// True when the bucket may be listed without credentials.
    pub fn anonymous_may_list(&self, bucket: &str) -> bool {
        self.anonymous_may(bucket, "s3:ListBucket", "")
    }

    fn anonymous_may(&self, bucket: &str, action: &str, path: &str) -> bool {
        let state = self.read();
        let Some(settings) = state.buckets.get(bucket).map(|b| &b.settings) else { return false };
        let restricted = |block: &Block| block.restrict_public_buckets;
        if restricted(&settings.block) || state.account.block.as_ref().is_some_and(restricted) {
            return false;
        }
        let Some(policy) = settings.policy.as_deref().and_then(|text| Policy::parse(text).ok()) else { return false };
        policy.verdict(&Caller::Anonymous, action, &format!("arn:aws:s3:::{bucket}{path}")) == Verdict::Allow
    }

    /// Makes everything so far durable. A world does so by itself within a moment; this is for the end of a process.
    pub fn flush(&self) -> Result<(), Fault> {
        self.keep(Disk::flush)
    }

    fn keep(&self, write: impl FnOnce(&Disk) -> Result<(), disk::DiskError>) -> Result<(), Fault> {
        match &self.inner.disk {
            None => Ok(()),
            Some(disk) => write(disk).map_err(|error| Fault::Disk(error.to_string())),
        }
    }
}
