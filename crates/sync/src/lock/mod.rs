//! One publish at a time: a lock in the bucket itself, held by a conditional write.
//!
//! The lock is an object that is put only if there is none. It names its holder, is renewed while the holder works, and
//! is deleted at the end. A holder that died is recognised without trusting clocks: its lock stays the same for longer than a
//! living one's would. Whoever takes a dead holder's lock over inherits what that one owed to visitors.
//!
//! ```
//! use twinsite_core::Run;
//! use twinsite_sync::MemoryStore;
//! use twinsite_sync::lock::{Lease, PendingInvalidations, Owner, take};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, run) = (MemoryStore::default(), Run::silent());
//! let mut lock = take(&store, Owner::here("deploy"), PendingInvalidations::default(), Lease::default(), &run).await?;
//! let (answer, lost) = lock.hold(&run, async |run| if run.is_cancelled() { 0 } else { 42 }).await;
//! assert!(answer == 42 && lost.is_none());
//! lock.free().await?;
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! How S3 makes writes conditional: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

mod pending;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use twinsite_core::{Event, Run, wait};

pub use crate::model::error::LockError;
pub use crate::model::owner::Owner;
use crate::model::time::now;
use crate::store::{Condition, Store};
use crate::{ETag, Headers, Key, StoreError};
pub(crate) use pending::has_pending;
pub use pending::{PendingInvalidations, clear_pending, read_pending, record_pending};

/// The lock's key.
pub(crate) const KEY: &str = ".twinsite/lock";

/// Clocks of two machines may differ by so many seconds.
const SKEW: i64 = 120;

/// How long a lock lasts and how long one waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// A lock that was not renewed for so long is nobody's.
    pub ttl: Duration,
    /// How long to wait for somebody else's.
    pub timeout: Duration,
    /// Whether to make sure first that the store honours conditions at all.
    pub probe: bool,
}

impl Default for Lease {
    fn default() -> Self {
        Self { ttl: Duration::from_mins(1), timeout: Duration::from_mins(5), probe: false }
    }
}

/// What the object says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    owner: Owner,
    token: String,
    since: i64,
    expires: i64,
    owed: PendingInvalidations,
}

impl Document {
    fn bytes(&self) -> Result<bytes::Bytes, StoreError> {
        let text = serde_json::to_vec(self).map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(text.into())
    }
}

fn key() -> Key {
    KEY.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

fn headers() -> Headers {
    Headers {
        content_type: Some("application/json".to_owned()),
        cache_control: Some("no-store".to_owned()),
        ..Headers::default()
    }
}

/// A lock that is held.
#[derive(Debug)]
pub struct Lock<'a, S> {
    store: &'a S,
    document: Document,
    inherited: PendingInvalidations,
    etag: ETag,
    lease: Lease,
    renewed: Instant,
    waited: bool,
}

/// Whose lock it was when it was last looked at, and since when it has not changed.
struct Seen {
    etag: ETag,
    at: Instant,
}

/// Takes the lock, and waits for it should somebody have it. What is owed to visitors is written into it, so that whoever
/// comes after a crash pays it.
///
/// # Errors
/// [`LockError`]; nothing has been changed then.
pub async fn take<'a, S: Store>(
    store: &'a S,
    owner: Owner,
    owed: PendingInvalidations,
    lease: Lease,
    run: &Run,
) -> Result<Lock<'a, S>, LockError> {
    let started = Instant::now();
    let token = format!("{:032x}", fastrand::u128(..));
    let mut document = Document { owner, token, since: now(), expires: 0, owed };
    let mut seen: Option<Seen> = None;
    let mut condition: Option<ETag> = None;
    let (mut waited, mut inherited) = (false, PendingInvalidations::default());
    loop {
        document.expires = now() + i64::try_from(lease.ttl.as_secs()).unwrap_or(i64::MAX);
        let renewed = Instant::now();
        if let Some(etag) = write(store, &document, condition.as_ref()).await? {
            let lock = Lock { store, document, inherited, etag, lease, renewed, waited };
            return if lease.probe { lock.probed().await } else { Ok(lock) };
        }
        let Some((bytes, etag)) = store.read(&key()).await? else {
            condition = None;
            continue;
        };
        waited = true;
        let holder: Option<Document> = serde_json::from_slice(&bytes).ok();
        let still = seen.as_ref().filter(|seen| seen.etag == etag).map(|seen| seen.at);
        let silent = still.is_some_and(|at| at.elapsed() > lease.ttl);
        if silent || holder.as_ref().is_none_or(is_dead) {
            if let Some(holder) = holder {
                inherited.join(holder.owed.clone());
                document.owed.join(holder.owed);
            }
            condition = Some(etag);
            continue;
        }
        if still.is_none() {
            seen = Some(Seen { etag, at: Instant::now() });
        }
        condition = None;
        let Some(holder) = holder else { continue };
        wait_for(&holder, started, &lease, run).await?;
    }
}

async fn wait_for(holder: &Document, started: Instant, lease: &Lease, run: &Run) -> Result<(), LockError> {
    let since = started.elapsed();
    if since >= lease.timeout {
        return Err(LockError::Held(Box::new(holder.owner.clone()), (now() - holder.since).max(0)));
    }
    let what = format!("{} to finish", holder.owner);
    run.emit(&Event::Waiting { what, since, usually: None });
    let step = (lease.ttl / 20).clamp(Duration::from_millis(20), Duration::from_secs(2));
    wait::pause(run, step.min(lease.timeout.saturating_sub(since))).await;
    if run.is_cancelled() { Err(LockError::Cancelled) } else { Ok(()) }
}

/// A holder that ended without freeing its lock, as far as that can be known at once.
fn is_dead(holder: &Document) -> bool {
    holder.owner.is_dead() || holder.expires + SKEW < now()
}

async fn write<S: Store>(store: &S, document: &Document, over: Option<&ETag>) -> Result<Option<ETag>, StoreError> {
    let bytes = document.bytes()?;
    let digest = crate::md5(&bytes);
    let condition = over.map_or(Condition::Absent, Condition::Is);
    store.put_if(&key(), &headers(), (bytes, digest), condition).await
}

impl<S: Store> Lock<'_, S> {
    /// What is owed to visitors: by this publish, and by those that died before it.
    pub fn pending_invalidations(&self) -> &PendingInvalidations {
        &self.document.owed
    }

    /// What others owed who died with the lock in hand.
    pub fn inherited_pending(&self) -> &PendingInvalidations {
        &self.inherited
    }

    /// True when somebody else had the lock before: what was planned without it may be out of date.
    pub fn was_waited_for(&self) -> bool {
        self.waited
    }

    /// A second lock must be refused while this one is there.
    async fn probed(self) -> Result<Self, LockError> {
        let other = Document { token: "probe".to_owned(), ..self.document.clone() };
        if write(self.store, &other, None).await?.is_none() {
            return Ok(self);
        }
        self.store.delete(&[key()]).await?;
        Err(LockError::Unconditional)
    }

    /// Adds to what is owed, before it is made to be owed.
    ///
    /// # Errors
    /// [`LockError::Lost`] when the lock is somebody else's by now.
    pub async fn add_pending(&mut self, owed: PendingInvalidations) -> Result<(), LockError> {
        let before = self.document.owed.clone();
        self.document.owed.join(owed);
        if self.document.owed == before {
            return Ok(());
        }
        if self.renew().await? { Ok(()) } else { Err(LockError::Lost) }
    }

    async fn renew(&mut self) -> Result<bool, StoreError> {
        let renewed = Instant::now();
        self.document.expires = now() + i64::try_from(self.lease.ttl.as_secs()).unwrap_or(i64::MAX);
        // Two renewals within a second would be the same object, whose entity tag says nothing about who wrote it.
        let next = Document { token: format!("{:032x}", fastrand::u128(..)), ..self.document.clone() };
        let Some(etag) = write(self.store, &next, Some(&self.etag)).await? else { return Ok(false) };
        (self.document, self.etag, self.renewed) = (next, etag, renewed);
        Ok(true)
    }

    /// Works while the lock is renewed. Should it be lost, the work is asked to stop, through the run that it is given.
    pub async fn hold<T>(&mut self, run: &Run, work: impl AsyncFnOnce(Run) -> T) -> (T, Option<LockError>) {
        let inner = Run { watch: run.watch.clone(), cancel: run.cancel.child_token() };
        let mut work = Box::pin(work(inner.clone()));
        tokio::select! {
            biased;
            done = &mut work => return (done, None),
            () = self.beat() => inner.cancel.cancel(),
        }
        (work.await, Some(LockError::Lost))
    }

    /// Renews until that fails for good: when somebody else has taken the lock, or soon could.
    async fn beat(&mut self) {
        // The beat goes on while the owner's run is being stopped: requests in flight are still under the lock.
        let always = Run::silent();
        loop {
            wait::pause(&always, self.lease.ttl / 4).await;
            match self.renew().await {
                Ok(false) => return,
                Err(_) if self.renewed.elapsed() > self.lease.ttl * 3 / 4 => return,
                Ok(true) | Err(_) => {}
            }
        }
    }

    /// Lets others have it.
    ///
    /// # Errors
    /// [`LockError::Lost`] when somebody else has it already.
    pub async fn free(self) -> Result<(), LockError> {
        if self.store.delete_if(&key(), &self.etag).await? { Ok(()) } else { Err(LockError::Lost) }
    }
}

#[cfg(test)]
mod tests;
