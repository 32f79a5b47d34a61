use super::*;
use crate::MemoryStore;

const BRIEF: Lease = Lease { ttl: Duration::from_millis(200), timeout: Duration::from_millis(100), probe: true };

fn elsewhere() -> Owner {
    Owner { host: "elsewhere".into(), birth: Some("another machine".into()), ..Owner::here("deploy") }
}

async fn taken(store: &MemoryStore, timeout: u64) -> Result<Lock<'_, MemoryStore>, LockError> {
    let lease = Lease { timeout: Duration::from_millis(timeout), ..BRIEF };
    let owed = UnfinishedPublish::new([timeout.to_string()].into());
    take(store, elsewhere(), owed, lease, &Run::silent()).await
}

#[tokio::test]
async fn only_one_has_it_and_the_other_is_told_who() {
    let store = MemoryStore::default();
    let first = taken(&store, 50).await.unwrap();
    let refused = taken(&store, 50).await.unwrap_err();
    assert!(refused.to_string().contains("a deploy on elsewhere"), "{refused}");
    first.free().await.unwrap();
    let second = taken(&store, 50).await.unwrap();
    assert!(!second.was_waited_for());
    second.free().await.unwrap();
    assert!(store.contents().is_empty());
}

#[tokio::test]
async fn a_living_holder_keeps_it_and_a_silent_one_is_succeeded_with_its_debts() {
    let store = MemoryStore::default();
    let mut first = taken(&store, 50).await.unwrap();
    let work = async |run: Run| {
        let refused = taken(&store, 600).await;
        assert!(matches!(refused, Err(LockError::Held { .. })), "renewed for three times its lease");
        run.is_cancelled()
    };
    let (stopped, lost) = first.hold(&Run::silent(), work).await;
    assert!(!stopped && lost.is_none());
    let second = taken(&store, 900).await.unwrap();
    assert!(second.was_waited_for());
    assert_eq!(second.unfinished().keys.len(), 2, "its own debt and the silent one's");
    // The first one wakes up again.
    let (stopped, lost) = first
        .hold(&Run::silent(), async |run: Run| {
            run.cancel.cancelled().await;
            true
        })
        .await;
    assert!(stopped && matches!(lost, Some(LockError::Lost)));
    assert!(matches!(first.free().await, Err(LockError::Lost)));
    second.free().await.unwrap();
}

#[tokio::test]
async fn a_process_of_this_machine_that_is_gone_is_succeeded_at_once() {
    let store = MemoryStore::default();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let dead = Owner { process: child.id(), ..Owner::here("deploy") };
    child.wait().unwrap();
    let lease = Lease { ttl: Duration::from_mins(1), ..BRIEF };
    take(&store, dead, UnfinishedPublish::default(), lease, &Run::silent()).await.unwrap();
    let living = take(&store, Owner::here("deploy"), UnfinishedPublish::default(), lease, &Run::silent()).await;
    // Where nothing can be known about processes, it has to be waited for.
    assert_eq!(living.is_ok(), cfg!(target_os = "linux"));
}

async fn taken_without_conditions(store: &MemoryStore) -> Result<Lock<'_, MemoryStore>, LockError> {
    let lease = Lease { ttl: Duration::from_secs(4), timeout: Duration::from_millis(500), probe: true };
    take(store, elsewhere(), UnfinishedPublish::default(), lease, &Run::silent()).await
}

#[tokio::test]
async fn without_conditions_one_of_several_takes_the_lock() {
    let store = MemoryStore::ignoring_conditions();
    // Each a process of its own, which has to find out by itself.
    let stores: Vec<MemoryStore> = (0..4).map(|_| store.another_handle()).collect();
    let taken = futures::future::join_all(stores.iter().map(taken_without_conditions)).await;
    let (held, refused): (Vec<_>, Vec<_>) = taken.into_iter().partition(Result::is_ok);
    assert_eq!(held.len(), 1);
    assert!(refused.iter().all(|refused| matches!(refused, Err(LockError::Held { .. }))));
    for held in held {
        let mut held = held.unwrap();
        held.confirm().await.unwrap();
        held.free().await.unwrap();
    }
    assert!(store.contents().is_empty());
}

#[tokio::test]
async fn without_conditions_a_holder_notices_that_its_lock_was_taken_over() {
    let store = MemoryStore::ignoring_conditions();
    let mut first = taken_without_conditions(&store).await.unwrap();
    store.delete(&[key(Side::Primary)]).await.unwrap();
    let mut second = taken_without_conditions(&store).await.unwrap();
    assert!(matches!(first.confirm().await, Err(LockError::Lost)));
    assert!(matches!(first.free().await, Err(LockError::Lost)));
    second.confirm().await.unwrap();
    second.free().await.unwrap();
}
