//! What the lock of a bucket says, without taking it.

use std::time::Duration;

use twinsite_core::Side;

use super::unfinished::UnfinishedPublish;
use super::{Document, Owner, key, read_lock};
use crate::StoreError;
use crate::store::Store;

/// A lock that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldLock {
    /// Who holds it; `None` if this program cannot read it.
    pub owner: Option<Owner>,
    /// How long ago it was renewed, by the store's clock; `None` if the store does not tell.
    pub age: Option<Duration>,
    /// What is left to do for its holder.
    pub unfinished: UnfinishedPublish,
}

impl HeldLock {
    /// True if its holder is known to have ended, or has not renewed it within `ttl`: the publish was interrupted, and the next one
    /// takes the lock over.
    pub fn is_abandoned(&self, ttl: Duration) -> bool {
        self.owner.as_ref().is_some_and(Owner::is_dead) || self.age.is_some_and(|age| age > ttl)
    }
}

/// Reads the lock of a side; `None` if there is none. Nothing is changed.
///
/// # Errors
/// [`StoreError`] if the store could not be read.
pub async fn look<S: Store>(store: &S, side: Side) -> Result<Option<HeldLock>, StoreError> {
    let read = read_lock(store, &key(side)).await?;
    Ok(read.map(|read| match Document::read(&read.bytes) {
        Some(Document { owner, unfinished, .. }) => HeldLock { owner: Some(owner), age: read.age, unfinished },
        None => HeldLock { owner: None, age: read.age, unfinished: UnfinishedPublish::default() },
    }))
}
