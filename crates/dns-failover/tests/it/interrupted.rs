//! Stopped after every single call, or with its answer lost: the next apply finishes, and nothing is made twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_core::Mode;
use twinsite_dns_failover::DnsFailover;
use twinsite_local::{Cloud, InjectedFault};

use crate::{BRIEF, applied, carried_out, checks, cloud, destroyed, dns, ids, planned, session, sets, want};

/// Retries would only make these tests slow.
async fn impatient(cloud: &Cloud) -> DnsFailover {
    let once = aws_sdk_route53::config::retry::RetryConfig::disabled();
    let client = session(cloud).await.route53().config().to_builder().retry_config(once).build();
    DnsFailover::new(aws_sdk_route53::Client::from_conf(client)).polling(BRIEF)
}

async fn converges(mode: Mode, trouble: InjectedFault) {
    let want = want("www.example.com", mode);
    for k in 0.. {
        let cloud = cloud().await;
        let steps = planned(&impatient(&cloud).await, &want).await;
        let count = steps.iter().filter(|step| step.id.as_str().starts_with("health/")).count();
        let seen = AtomicUsize::new(0);
        cloud.inject_faults(
            move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { trouble } else { InjectedFault::None },
        );
        let first = carried_out(&impatient(&cloud).await, steps).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let dns = dns(&cloud).await;
        applied(&dns, &want).await.unwrap();
        assert_eq!(ids(&dns, &want).await, [""; 0], "{mode}: after {k}");
        assert_eq!((checks(&cloud), sets(&cloud).len()), (count, 2), "{mode}: after {k}");
        destroyed(&dns, &want).await;
        assert_eq!((checks(&cloud), sets(&cloud).len()), (0, 0), "{mode}: after {k}");
        if first.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn stopped_after_any_call_the_next_apply_finishes() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        converges(mode, InjectedFault::Refuse).await;
    }
}

#[tokio::test]
async fn a_lost_reply_to_any_call_is_made_good() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        converges(mode, InjectedFault::LoseReply).await;
    }
}
