//! The lease of a lock whose renewals are not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use twinsite_core::Run;
use twinsite_sync::lock::{Lease, LockError, Owner, UnfinishedPublish, take};
use twinsite_sync::{MemoryStore, StoreError};

use crate::gated::{Gate, Gated};

/// A connection that is dead from one request on: nothing fails, and nothing is answered.
#[derive(Debug)]
struct DeadFrom(usize, AtomicUsize);

impl Gate for DeadFrom {
    async fn pass(&self) -> Result<(), StoreError> {
        if self.1.fetch_add(1, Ordering::Relaxed) >= self.0 {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_renewal_that_is_never_answered_ends_the_work_before_anybody_may_take_over() {
    let (store, ttl) = (MemoryStore::default(), Duration::from_millis(400));
    let gate = Arc::new(DeadFrom(1, AtomicUsize::new(0)));
    let gated = Gated { store: store.clone(), gate, fence: None };
    let lease = Lease { ttl, timeout: Duration::from_secs(5), probe: false };
    let elsewhere = || Owner { host: "elsewhere".into(), birth: None, ..Owner::here("deploy") };
    let started = Instant::now();
    let taken = take(&gated, elsewhere(), UnfinishedPublish::default(), lease, &Run::silent()).await;
    let mut lock = taken.unwrap();
    let (ended, lost) = lock
        .hold(&Run::silent(), async |run: Run| {
            while !run.is_cancelled() {
                tokio::task::yield_now().await;
            }
            started.elapsed()
        })
        .await;
    assert!(ended < ttl, "it still worked after {ended:?}");
    assert!(matches!(lost, Some(LockError::Lost)));
    let successor = take(&store, elsewhere(), UnfinishedPublish::default(), lease, &Run::silent()).await.unwrap();
    assert!(started.elapsed() > ttl, "nobody takes over a lease that has not expired");
    successor.free().await.unwrap();
}
