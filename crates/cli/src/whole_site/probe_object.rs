//! A drill of replication puts an object that visitors can read, and leaves none, whatever fails.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_local::Ports;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::s3::Current;
use twinsite_site::Outage;
use twinsite_site::drill::{DrillRequest, PreparedDrill, Verdict, restore};

use super::*;

const PROBE_OBJECT: &str = "/.well-known/twinsite/drill.txt";

/// The requests for the probe object that fail: all of an operation, from the `from`-th.
#[derive(Clone, Copy, Debug)]
struct Failing {
    operation: &'static str,
    from: usize,
    fault: InjectedFault,
}

fn inject(cloud: &Cloud, failing: Failing) {
    let seen = Arc::new(AtomicUsize::new(0));
    cloud.inject_faults(move |request| {
        let concerned = request.operation == failing.operation && request.path.ends_with(PROBE_OBJECT);
        let fails = concerned && seen.fetch_add(1, Ordering::Relaxed) + 1 >= failing.from;
        if fails { failing.fault } else { InjectedFault::None }
    });
}

/// The buckets in which visitors can read the probe object.
fn left_in(cloud: &Cloud, site: &TestSite) -> Vec<String> {
    let has = |bucket: &str| {
        let current = cloud.world().s3().current(bucket, PROBE_OBJECT.trim_start_matches('/')).unwrap();
        matches!(current, Current::Object(_))
    };
    site.site.buckets.iter().map(|(_, bucket)| bucket.to_string()).filter(|bucket| has(bucket)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_of_replication_leaves_no_probe_object() {
    let (cloud, text) = (cloud(), toml(Mode::Origin));
    applied(&open(&cloud, &text, None).await).await.unwrap();
    let ready = DataPlane::open(&cloud, None, Ports { dns: 0, http: 0, https: 0 }, 60).await.unwrap();
    let network = Network::Given(crate::local::probe_network(ready.endpoints()).unwrap());
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(ready.run(stop.clone()));
    let site = open_with(&cloud, &text, Some(1), network).await;
    let drill = async || {
        let request = DrillRequest { outage: Some(Outage::Replication), ..DrillRequest::default() };
        let prepared = Box::pin(PreparedDrill::check(&site.context, request, &Run::silent())).await.unwrap();
        Box::pin(prepared.run(&site.context, &Run::silent())).await
    };
    for (operation, from, fault) in [
        ("PutObject", 1, InjectedFault::Refuse),
        ("PutObject", 1, InjectedFault::LoseReply),
        ("PutObject", 2, InjectedFault::LoseReply),
        ("DeleteObject", 1, InjectedFault::Refuse),
        ("DeleteObject", 2, InjectedFault::LoseReply),
    ] {
        let failing = Failing { operation, from, fault };
        inject(&cloud, failing);
        let error = drill().await.unwrap_err();
        assert!(error.hints.iter().any(|hint| hint.contains("the primary was restored")), "{failing:?}: {error}");
        cloud.inject_faults(|_| InjectedFault::None);
        if operation == "DeleteObject" {
            assert_eq!(
                restore(&site.context, &Run::silent()).await.unwrap().outages,
                [Outage::Replication],
                "{failing:?}"
            );
        }
        assert_eq!(left_in(&cloud, &site), [""; 0], "{failing:?}");
        assert_eq!(
            restore(&site.context, &Run::silent()).await.unwrap().outages,
            [],
            "{failing:?}: the journal was deleted"
        );
        assert_eq!(steps(&site).await, [""; 0], "{failing:?}");
    }
    assert_eq!(drill().await.unwrap().verdict(), Verdict::Met);
    assert_eq!(left_in(&cloud, &site), [""; 0]);
    stop.cancel();
    while tasks.join_next().await.is_some() {}
}
