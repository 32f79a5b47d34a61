//! Apply with all requests failing from the k-th on, or their responses lost: the next apply completes it, and no resource is created twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_core::Mode;
use twinsite_local::{Cloud, InjectedFault};

use crate::{BRIEF, applied, cdn, cloud, desired, destroyed, ids, import_certificate, session};

/// Without retries, which would make these tests slow.
pub(crate) async fn cdn_without_retries(cloud: &Cloud) -> twinsite_cdn::Cdn {
    let session = session(cloud).await;
    let once = aws_sdk_cloudfront::config::retry::RetryConfig::disabled();
    let acm = session.acm().config().to_builder().retry_config(once.clone()).build();
    let cloudfront = session.cloudfront().config().to_builder().retry_config(once.clone()).build();
    let keys = session.key_value_store().config().to_builder().retry_config(once).build();
    let keys = aws_sdk_cloudfrontkeyvaluestore::Client::from_conf(keys);
    let (acm, cloudfront) = (aws_sdk_acm::Client::from_conf(acm), aws_sdk_cloudfront::Client::from_conf(cloudfront));
    twinsite_cdn::Cdn::new(acm, cloudfront, keys).polling(BRIEF)
}

/// The `k`-th and all later requests fail, or their responses are lost.
pub(crate) fn inject_faults_from(cloud: &Cloud, k: usize, fault: InjectedFault) {
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { fault } else { InjectedFault::None });
}

async fn converges(mode: Mode, fault: InjectedFault) {
    let desired = desired(mode);
    for k in 0.. {
        let cloud = cloud();
        import_certificate(&cloud, &["www.example.com"]);
        let steps = crate::planned(&cdn_without_retries(&cloud).await, &desired).await.steps;
        inject_faults_from(&cloud, k, fault);
        let first = crate::apply_steps(&cdn_without_retries(&cloud).await, steps).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let cdn = cdn(&cloud).await;
        applied(&cdn, &desired).await.unwrap();
        assert_eq!(ids(&cdn, &desired).await, [""; 0], "{mode}: after {k}");
        cloud.world().account(|account, _| {
            let actual = &account.cloudfront;
            assert_eq!(actual.distributions().count(), 1, "{mode}: after {k}");
            assert!(actual.controls.len() <= 1 && actual.functions.len() <= 1 && actual.stores.len() <= 1);
        });
        destroyed(&cdn, &desired).await;
        if first.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn after_a_failure_of_any_request_the_next_apply_completes() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        converges(mode, InjectedFault::Refuse).await;
    }
}

#[tokio::test]
async fn after_a_lost_response_to_any_request_the_next_apply_completes() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        converges(mode, InjectedFault::LoseReply).await;
    }
}
