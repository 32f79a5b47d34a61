use std::sync::atomic::{AtomicU32, Ordering};

use twinsite_local::InjectedFault;

use crate::{get, put, site};

#[tokio::test]
async fn the_sdk_retries_slow_down_and_lost_replies() {
    let (cloud, s3) = site().await;
    let seen = AtomicU32::new(0);
    cloud.inject_faults(move |request| match (request.operation.as_str(), seen.fetch_add(1, Ordering::Relaxed)) {
        ("PutObject", 0) => InjectedFault::SlowDown,
        ("PutObject", 1) => InjectedFault::LoseReply,
        ("PutObject", 2) => InjectedFault::Refuse,
        _ => InjectedFault::None,
    });
    put(&s3, "k", "v").await;
    assert_eq!(get(&s3, "k").await, "v");
    assert_eq!(cloud.request_counts().get("PutObject"), Some(&4));
    let versions = s3.list_object_versions().bucket("site").send().await.unwrap();
    assert_eq!(versions.versions().len(), 2, "the put whose reply was lost was executed");
}
