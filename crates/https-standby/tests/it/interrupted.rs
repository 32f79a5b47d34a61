//! Apply with all requests failing from the k-th on, or their responses lost: the next apply completes it, and nothing is left twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_apigatewayv2::config::retry::RetryConfig;
use twinsite_https_standby::HttpsStandby;
use twinsite_local::{Cloud, InjectedFault};

use crate::{BRIEF, applied, apply_steps, cloud, desired, destroyed, ids, planned, session, standby, validated};

/// Without retries, which would make these tests slow.
async fn without_retries(cloud: &Cloud) -> HttpsStandby {
    let (session, region) = (session(cloud).await, "us-west-2".parse().unwrap());
    let acm = session.acm_in(&region).config().to_builder().retry_config(RetryConfig::disabled()).build();
    let gateway = session.api_gateway(&region).config().to_builder().retry_config(RetryConfig::disabled()).build();
    let (acm, gateway) = (aws_sdk_acm::Client::from_conf(acm), aws_sdk_apigatewayv2::Client::from_conf(gateway));
    HttpsStandby::new(acm, gateway).polling(BRIEF)
}

async fn converges(fault: InjectedFault) {
    let desired = desired();
    for k in 0.. {
        let cloud = cloud();
        validated(&cloud).await;
        let steps = planned(&without_retries(&cloud).await, &desired).await.steps;
        let seen = AtomicUsize::new(0);
        cloud.inject_faults(
            move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { fault } else { InjectedFault::None },
        );
        let first = apply_steps(&without_retries(&cloud).await, steps).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let standby = standby(&cloud).await;
        applied(&standby, &desired).await.unwrap();
        assert_eq!(ids(&standby, &desired).await, [""; 0], "after {k}");
        cloud.world().account(|account, _| {
            assert_eq!(
                (account.api_gateway.apis().count(), account.api_gateway.domains().count()),
                (1, 1),
                "after {k}"
            );
            assert_eq!(account.acm.all().count(), 2, "after {k}");
        });
        destroyed(&standby, &desired).await;
        cloud.world().account(|account, _| assert_eq!(account.api_gateway.apis().count(), 0, "after {k}"));
        if first.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn after_a_failure_of_any_request_the_next_apply_completes() {
    converges(InjectedFault::Refuse).await;
}

#[tokio::test]
async fn after_a_lost_response_to_any_request_the_next_apply_completes() {
    converges(InjectedFault::LoseReply).await;
}
