//! Stopped after every single call, or with its answer lost: the next apply finishes, and nothing is made twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_core::Mode;
use twinsite_local::{Cloud, InjectedFault};

use crate::{BRIEF, applied, cdn, cloud, destroyed, ids, session, want, with_certificate};

/// Retries would only make these tests slow.
async fn impatient(cloud: &Cloud) -> twinsite_cdn::Cdn {
    let session = session(cloud).await;
    let once = aws_sdk_cloudfront::config::retry::RetryConfig::disabled();
    let acm = session.acm().config().to_builder().retry_config(once.clone()).build();
    let cloudfront = session.cloudfront().config().to_builder().retry_config(once).build();
    let (acm, cloudfront) = (aws_sdk_acm::Client::from_conf(acm), aws_sdk_cloudfront::Client::from_conf(cloudfront));
    twinsite_cdn::Cdn::new(acm, cloudfront).polling(BRIEF)
}

/// The request number `k` and all behind it fail, or only lose their answers.
fn trouble_from(cloud: &Cloud, k: usize, trouble: InjectedFault) {
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { trouble } else { InjectedFault::None });
}

async fn converges(mode: Mode, trouble: InjectedFault) {
    let want = want(mode);
    for k in 0.. {
        let cloud = cloud();
        with_certificate(&cloud, &["www.example.com"]);
        let steps = crate::planned(&impatient(&cloud).await, &want).await.steps;
        trouble_from(&cloud, k, trouble);
        let first = crate::carried_out(&impatient(&cloud).await, steps).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let cdn = cdn(&cloud).await;
        applied(&cdn, &want).await.unwrap();
        assert_eq!(ids(&cdn, &want).await, [""; 0], "{mode}: after {k}");
        cloud.world().account(|account, _| {
            let front = &account.cloudfront;
            assert_eq!(front.distributions().count(), 1, "{mode}: after {k}");
            assert!(front.controls.len() <= 1 && front.functions.len() <= 1);
        });
        destroyed(&cdn, &want).await;
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
