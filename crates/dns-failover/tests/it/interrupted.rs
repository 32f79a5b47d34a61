//! Apply with all requests failing from the k-th on, or their responses lost: the next apply completes it, and no resource is created twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_core::Mode;
use twinsite_dns_failover::DnsFailover;
use twinsite_local::{Cloud, InjectedFault};

use crate::{BRIEF, applied, apply_steps, checks, cloud, desired, destroyed, dns, ids, planned, session, sets};

/// Without retries, which would make these tests slow.
async fn dns_without_retries(cloud: &Cloud) -> DnsFailover {
    let once = aws_sdk_route53::config::retry::RetryConfig::disabled();
    let client = session(cloud).await.route53().config().to_builder().retry_config(once).build();
    DnsFailover::new(aws_sdk_route53::Client::from_conf(client)).polling(BRIEF)
}

async fn converges(mode: Mode, fault: InjectedFault) {
    let desired = desired("www.example.com", mode);
    for k in 0.. {
        let cloud = cloud().await;
        let steps = planned(&dns_without_retries(&cloud).await, &desired).await;
        let count = steps.iter().filter(|step| step.id.as_str().starts_with("health/")).count();
        let seen = AtomicUsize::new(0);
        cloud.inject_faults(
            move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { fault } else { InjectedFault::None },
        );
        let first = apply_steps(&dns_without_retries(&cloud).await, steps).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let dns = dns(&cloud).await;
        applied(&dns, &desired).await.unwrap();
        assert_eq!(ids(&dns, &desired).await, [""; 0], "{mode}: after {k}");
        assert_eq!((checks(&cloud), sets(&cloud).len()), (count, 2), "{mode}: after {k}");
        destroyed(&dns, &desired).await;
        assert_eq!((checks(&cloud), sets(&cloud).len()), (0, 0), "{mode}: after {k}");
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
