//! One publish at a time: a lock in the bucket itself, held by a conditional write.
//!
//! The lock is an object that is put only if there is none. It names its holder, is renewed while the holder works, and is deleted at
//! the end. A lock that was not renewed within its time to live is expired, and may be taken over; that is measured by the store's clock
//! (the `Date` of a response minus the `Last-Modified` of the lock) or by how long a waiter has seen the same lock, never by comparing
//! the clocks of two machines. Whoever takes over a lock inherits the unfinished publish that it describes.
//!
//! The lock lets deploys take turns. It does not decide correctness: every write of a publish is conditional on what was listed, so a
//! holder that goes on after it has lost the lock, for example because its machine was suspended, changes nothing that its successor wrote.
//!
//! A store that does not support conditional writes is left to the lock alone, and the lock is then no more than a lease by agreement: it is
//! written, and after a pause read again, to see whether somebody else has written it meanwhile. Two deploys of which one is slower than
//! that pause between looking and writing may both believe that they hold it.
//!
//! ```
//! use twinsite_core::Run;
//! use twinsite_sync::MemoryStore;
//! use twinsite_sync::lock::{Lease, UnfinishedPublish, Owner, take};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, run) = (MemoryStore::default(), Run::silent());
//! let mut lock = take(&store, Owner::here("deploy"), UnfinishedPublish::default(), Lease::default(), &run).await?;
//! let (answer, lost) = lock.hold(&run, async |run| if run.is_cancelled() { 0 } else { 42 }).await;
//! assert!(answer == 42 && lost.is_none());
//! lock.free().await?;
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! How S3 makes writes conditional: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

mod limits;
mod look;
mod unfinished;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use twinsite_core::{Event, Run, Side, wait};

pub use crate::model::error::LockError;
pub use crate::model::owner::Owner;
use crate::model::time::{BootTime, now};
use crate::store::{Condition, Limit, ListedObject, NotDeleted, ReadObject, Store};
use crate::{ETag, Headers, Key, StoreError};
pub(crate) use limits::is_record as is_limits;
pub use limits::{read_limits, record_limits};
pub use look::{HeldLock, look};
pub(crate) use unfinished::has_unfinished;
pub use unfinished::{UnfinishedPublish, clear_unfinished, read_unfinished, record_unfinished};

/// The lock's key in the primary.
pub(crate) const KEY: &str = ".twinsite/lock";

/// The lock's key in the backup, while only that is published to. It is another one, because the lock of the primary is replicated.
pub(crate) const BACKUP_KEY: &str = ".twinsite/lock-backup";

/// How long a lock lasts and how long one waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// A lock that was not renewed for so long is nobody's.
    pub ttl: Duration,
    /// How long to wait for somebody else's.
    pub timeout: Duration,
    /// Whether to test first that the store supports conditional writes at all.
    pub probe: bool,
}

impl Lease {
    /// On a store without conditions: how long after writing the lock it is read again.
    fn settling(&self) -> Duration {
        (self.ttl / 20).clamp(Duration::from_millis(20), Duration::from_secs(2))
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self { ttl: Duration::from_mins(1), timeout: Duration::from_mins(5), probe: false }
    }
}

/// What the object says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    /// The version of this format.
    version: u32,
    owner: Owner,
    /// Different in every write: two writes within a second would otherwise have the same entity tag.
    token: String,
    /// When the holder began to wait for the lock, in seconds since the epoch by its own clock. Shown to people only.
    since: i64,
    #[serde(serialize_with = "unfinished::in_lock")]
    unfinished: UnfinishedPublish,
}

const VERSION: u32 = 1;

impl Document {
    fn bytes(&self) -> Result<bytes::Bytes, StoreError> {
        let text = serde_json::to_vec(self).map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(text.into())
    }

    /// `None` if it is damaged, or of another version: then it names no holder, and is taken over when it has expired.
    fn read(bytes: &[u8]) -> Option<Self> {
        let document: Self = serde_json::from_slice(bytes).ok()?;
        let Owner { what, host, .. } = &document.owner;
        let is_whole = !what.is_empty() && !host.is_empty() && !document.token.is_empty();
        (document.version == VERSION && is_whole).then_some(document)
    }

    /// For how long the holder has had the lock, or waited for it, in seconds; `None` if its clock and ours do not agree at all.
    fn held_for(&self) -> Option<u64> {
        const A_MONTH: u64 = 31 * 24 * 60 * 60;
        let seconds = u64::try_from(now().checked_sub(self.since)?).ok()?;
        (seconds < A_MONTH).then_some(seconds)
    }
}

fn fresh_token() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// What the holder of the lock has left to do, if there is one and it says.
///
/// # Errors
/// [`StoreError`] if the store could not be read.
pub(crate) async fn unfinished_of_holder<S: Store>(store: &S, lock: &Key) -> Result<UnfinishedPublish, StoreError> {
    let read = read_lock(store, lock).await?;
    let holder = read.and_then(|read| Document::read(&read.bytes));
    Ok(holder.map(|holder| holder.unfinished).unwrap_or_default())
}

/// True for the lock of either side.
pub(crate) fn is_lock(key: &Key) -> bool {
    [KEY, BACKUP_KEY].contains(&key.as_str())
}

fn key(side: Side) -> Key {
    let text = match side {
        Side::Primary => KEY,
        Side::Backup => BACKUP_KEY,
    };
    text.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

fn headers() -> Headers {
    Headers::of_record("application/json")
}

/// A lock that is held.
#[derive(Debug)]
pub struct Lock<'a, S> {
    store: &'a S,
    key: Key,
    document: Document,
    inherited: UnfinishedPublish,
    etag: ETag,
    lease: Lease,
    /// When the last renewal was requested, as [`BootTime::millis`]; shared with the run of the work.
    renewed: Arc<AtomicU64>,
    waited: bool,
}

/// The lock of another holder, and since when it has been the same.
struct Seen {
    etag: ETag,
    at: BootTime,
}

/// Takes the lock, and waits while another holder has it. `unfinished` is stored in it, for a successor, should this process
/// die.
///
/// # Errors
/// [`LockError`]; nothing has been changed then.
pub async fn take<'a, S: Store>(
    store: &'a S,
    owner: Owner,
    unfinished: UnfinishedPublish,
    lease: Lease,
    run: &Run,
) -> Result<Lock<'a, S>, LockError> {
    Box::pin(take_on(Side::Primary, store, owner, unfinished, lease, run)).await
}

/// The same with the lock of a side: the backup has one of its own, for publishes to the backup alone.
///
/// # Errors
/// As [`take`].
pub async fn take_on<'a, S: Store>(
    side: Side,
    store: &'a S,
    owner: Owner,
    unfinished: UnfinishedPublish,
    lease: Lease,
    run: &Run,
) -> Result<Lock<'a, S>, LockError> {
    let started = BootTime::now();
    let key = key(side);
    let mut document = Document { version: VERSION, owner, token: fresh_token(), since: now(), unfinished };
    if lease.probe
        && !store.limits().contains(&Limit::Conditions)
        && !Box::pin(limits::enforces_conditions(store)).await?
    {
        store.add_limit(Limit::Conditions);
    }
    let mut seen: Option<Seen> = None;
    let mut condition = Condition::Absent;
    let (mut waited, mut inherited, mut warned) = (false, UnfinishedPublish::default(), None::<ETag>);
    loop {
        let requested = BootTime::now().millis();
        if let Some(etag) = write(store, &key, &document, &condition, lease.settling()).await? {
            if store.limits().contains(&Limit::Conditions) {
                warn_unconditional(run);
            }
            let renewed = Arc::new(AtomicU64::new(requested));
            return Ok(Lock { store, key, document, inherited, etag, lease, renewed, waited });
        }
        condition = Condition::Absent;
        let Some(ReadObject { bytes, etag, age }) = read_lock(store, &key).await? else { continue };
        waited = true;
        let since = seen.as_ref().filter(|seen| seen.etag == etag).map(|seen| seen.at);
        let unchanged = since.map(BootTime::elapsed).max(age.map(|age| age.saturating_sub(DATE_RESOLUTION)));
        let holder = Document::read(&bytes);
        let ended = holder.as_ref().is_some_and(|holder| holder.owner.is_dead());
        if ended || unchanged.is_some_and(|unchanged| unchanged > lease.ttl) {
            if holder.is_none() && warned.replace(etag.clone()).as_ref() != Some(&etag) {
                warn_damaged(&key, unchanged.unwrap_or_default(), run);
            }
            // Whoever has damaged it may have left edges with older objects.
            let everything = || UnfinishedPublish { all: true, record: true, ..UnfinishedPublish::default() };
            let left = holder.map_or_else(everything, |holder| holder.unfinished);
            inherited.join(left.clone());
            document.unfinished.join(left);
            condition = Condition::Is(etag);
            continue;
        }
        if since.is_none() {
            seen = Some(Seen { etag, at: BootTime::now() });
        }
        wait_for(&key, holder, started, &lease, run).await?;
    }
}

/// Reads the lock. What is too large to be one counts as damaged, and is not read.
async fn read_lock<S: Store>(store: &S, key: &Key) -> Result<Option<ReadObject>, StoreError> {
    match store.read_up_to(key, MAX_LOCK).await {
        Err(StoreError::TooLarge { etag: Some(etag), age, .. }) => {
            Ok(Some(ReadObject { bytes: bytes::Bytes::new(), etag, age }))
        }
        read => read,
    }
}

/// The most bytes of a lock: twice those of one with as many keys as may be named in it.
const MAX_LOCK: u64 = 16 << 20;

fn warn_damaged(key: &Key, unchanged: Duration, run: &Run) {
    let seconds = unchanged.as_secs();
    let text = format!(
        "the lock `{key}` is damaged: it names no holder, and was not renewed for {seconds} s; it is taken over"
    );
    let hint = "what its holder has left to invalidate is not known: everything is invalidated";
    run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
}

/// `Date` and `Last-Modified` are in whole seconds.
const DATE_RESOLUTION: Duration = Duration::from_secs(2);

async fn wait_for(
    key: &Key,
    holder: Option<Document>,
    started: BootTime,
    lease: &Lease,
    run: &Run,
) -> Result<(), LockError> {
    let since = started.elapsed();
    if since >= lease.timeout {
        return Err(match holder {
            Some(holder) => LockError::Held { seconds: holder.held_for(), owner: Box::new(holder.owner) },
            None => LockError::Damaged,
        });
    }
    let what = match holder {
        Some(holder) => format!("{} to finish", holder.owner),
        None => format!("the lock `{key}`, which is damaged and names no holder, to expire"),
    };
    run.emit(&Event::Waiting { what, since, usually: None });
    let step = (lease.ttl / 20).clamp(Duration::from_millis(20), Duration::from_secs(2));
    wait::pause(run, step.min(lease.timeout.saturating_sub(since))).await;
    if run.is_cancelled() { Err(LockError::Cancelled) } else { Ok(()) }
}

fn warn_unconditional(run: &Run) {
    let text = "the bucket's store does not support conditional writes: two deploys at the same time may overwrite one another's \
                objects, and so may other programs";
    let hint = "run one deploy at a time; after the store was replaced or updated, delete `.twinsite/limits` to have it tested again";
    run.emit(&Event::Warning { text: text.to_owned(), hint: Some(hint.to_owned()) });
}

/// Writes the lock; `None` if the condition does not hold. `settling` is how long a store without conditions is given to show another
/// holder's write.
async fn write<S: Store>(
    store: &S,
    key: &Key,
    document: &Document,
    condition: &Condition,
    settling: Duration,
) -> Result<Option<ETag>, StoreError> {
    if store.limits().contains(&Limit::Conditions) {
        return Box::pin(write_unconditionally(store, key, document, condition, settling)).await;
    }
    let bytes = document.bytes()?;
    let digest = crate::md5(&bytes);
    match store.put_exclusively(key, &headers(), (bytes.into(), digest), condition).await {
        Ok(written) => Ok(Some(written.etag.unwrap_or(ETag::Md5(digest)))),
        Err(StoreError::Changed(_)) => Ok(None),
        Err(StoreError::Unconditional(_)) => {
            let written = Box::pin(write_unconditionally(store, key, document, condition, settling)).await?;
            store.add_limit(Limit::Conditions);
            Ok(written)
        }
        Err(error) => Err(error),
    }
}

/// The same without the help of the store: the condition is tested before, and the lock read again afterwards.
async fn write_unconditionally<S: Store>(
    store: &S,
    key: &Key,
    document: &Document,
    condition: &Condition,
    settling: Duration,
) -> Result<Option<ETag>, StoreError> {
    let read = async || read_lock(store, key).await;
    let before = read().await?;
    if !condition.holds(before.as_ref().map(|object| &object.etag)) {
        return Ok(None);
    }
    let bytes = document.bytes()?;
    let digest = crate::md5(&bytes);
    store.put(key, &headers(), (bytes.into(), digest)).await?;
    // A deploy that is being cancelled must not believe that it holds the lock, either.
    wait::pause(&Run::silent(), settling).await;
    let after = read().await?;
    let is_ours = |object: &ReadObject| Document::read(&object.bytes).is_some_and(|read| read.token == document.token);
    Ok(after.filter(is_ours).map(|object| object.etag))
}

impl<S: Store> Lock<'_, S> {
    /// What is left to do: for this publish, and for those that died before it.
    pub fn unfinished(&self) -> &UnfinishedPublish {
        &self.document.unfinished
    }

    /// What is left to do for holders that died.
    pub fn inherited(&self) -> &UnfinishedPublish {
        &self.inherited
    }

    /// True when somebody else had the lock before: what was planned without it may be out of date.
    pub fn was_waited_for(&self) -> bool {
        self.waited
    }

    /// Adds to what is left to do, before the publish makes it necessary.
    ///
    /// # Errors
    /// [`LockError::Lost`] when the lock is somebody else's by now.
    pub async fn add_unfinished(&mut self, unfinished: UnfinishedPublish) -> Result<(), LockError> {
        if self.document.unfinished.join(unfinished) { self.confirm().await } else { Ok(()) }
    }

    /// Extends the lease; `false` if the lock is another holder's.
    async fn renew(&mut self) -> Result<bool, StoreError> {
        let requested = BootTime::now().millis();
        self.document.token = fresh_token();
        let condition = Condition::Is(self.etag.clone());
        let written = write(self.store, &self.key, &self.document, &condition, Duration::ZERO).await?;
        let Some(etag) = written else { return Ok(false) };
        self.etag = etag;
        self.renewed.store(requested, Ordering::Relaxed);
        Ok(true)
    }

    /// Extends the lease, and so finds out whether the lock is still this holder's.
    ///
    /// # Errors
    /// [`LockError::Lost`] if it is not.
    pub async fn confirm(&mut self) -> Result<(), LockError> {
        if self.renew().await? { Ok(()) } else { Err(LockError::Lost) }
    }

    /// How long the holder may still write.
    fn remaining(&self) -> Duration {
        remaining(&self.renewed, self.lease.ttl)
    }

    /// Runs `work` while the lock is renewed. If the lock is lost, or could not be renewed in time, the run that `work` is given is
    /// cancelled; it counts as cancelled as soon as the lease has expired, also if this process was stopped meanwhile.
    pub async fn hold<T>(&mut self, run: &Run, work: impl AsyncFnOnce(Run) -> T) -> (T, Option<LockError>) {
        let (renewed, ttl) = (Arc::clone(&self.renewed), self.lease.ttl);
        let inner = run.child(move || remaining(&renewed, ttl).is_zero());
        let mut work = Box::pin(work(inner.clone()));
        tokio::select! {
            biased;
            done = &mut work => {
                let lost = self.remaining().is_zero() && inner.is_cancelled() && !run.is_cancelled();
                return (done, lost.then_some(LockError::Lost));
            }
            () = self.keep_renewing() => inner.cancel.cancel(),
        }
        (work.await, Some(LockError::Lost))
    }

    /// Renews until that fails for good: when another holder has taken the lock, or soon could.
    async fn keep_renewing(&mut self) {
        // Renewing goes on while the owner's run is being cancelled: requests in flight are still under the lock.
        let always = Run::silent();
        loop {
            wait::pause(&always, self.lease.ttl / 4).await;
            let remaining = self.remaining();
            // A request without a response must not be awaited for longer than the lease.
            match tokio::time::timeout(remaining, self.renew()).await {
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(_)) if self.remaining().is_zero() => return,
                Ok(Ok(true) | Err(_)) => {}
            }
        }
    }

    /// Lets others have it.
    ///
    /// # Errors
    /// [`LockError::Lost`] when somebody else has it already.
    pub async fn free(self) -> Result<(), LockError> {
        if self.store.limits().contains(&Limit::Conditions) {
            let there = self.store.read(&self.key).await?;
            if there.is_none_or(|object| object.etag != self.etag) {
                return Err(LockError::Lost);
            }
            self.store.delete(&[self.key]).await?;
            return Ok(());
        }
        let not_deleted = self.store.delete_if(&[ListedObject { key: self.key, etag: self.etag }]).await?;
        match not_deleted.into_iter().next() {
            None => Ok(()),
            Some(NotDeleted { error: StoreError::Changed(_), .. }) => Err(LockError::Lost),
            Some(NotDeleted { error, .. }) => Err(error.into()),
        }
    }
}

/// The holder stops writing after three quarters of the time to live: requests in flight then end before anybody may take over.
fn remaining(renewed: &AtomicU64, ttl: Duration) -> Duration {
    let elapsed = BootTime::now().millis().saturating_sub(renewed.load(Ordering::Relaxed));
    (ttl * 3 / 4).saturating_sub(Duration::from_millis(elapsed))
}

#[cfg(test)]
mod tests;
