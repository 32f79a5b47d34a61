//! Stopped after every single call, or with its answer lost: the next apply finishes, and nothing is made twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use twinsite_core::Mode;
use twinsite_local::{Cloud, InjectedFault};

use crate::{applied, desired, planned, s3_site};

/// Lets `k` calls through, then makes trouble: for one operation's retries, or for all that follow.
fn trouble_at(cloud: &Cloud, k: usize, trouble: InjectedFault) {
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { trouble } else { InjectedFault::None });
}

/// Retries would only make these tests slow.
async fn impatient(cloud: &Cloud) -> twinsite_s3_site::S3Site {
    let access = twinsite_aws_session::Access { embedded: Some(cloud.http_client()), ..Default::default() };
    let session = twinsite_aws_session::Session::open(access).await.unwrap();
    let once = aws_sdk_s3::config::retry::RetryConfig::disabled();
    let client = |region: &str| {
        let config = session.s3(&region.parse().unwrap()).config().to_builder().retry_config(once.clone());
        aws_sdk_s3::Client::from_conf(config.build())
    };
    let control = session.s3control(&"us-east-1".parse().unwrap());
    let control = control.config().to_builder().retry_config(once.clone()).build();
    let control = aws_sdk_s3control::Client::from_conf(control);
    let iam = session.iam().config().to_builder().retry_config(once.clone()).build();
    let iam = aws_sdk_iam::Client::from_conf(iam);
    twinsite_s3_site::S3Site::new(twinsite_core::Pair::new(client("us-east-1"), client("us-west-2")), control, iam)
}

async fn converges(trouble: InjectedFault) {
    let desired = desired(Mode::Layered);
    for k in 0.. {
        let cloud = Cloud::memory();
        let s3 = impatient(&cloud).await;
        let plan = planned(&s3, &desired).await;
        trouble_at(&cloud, k, trouble);
        let first = twinsite_core::apply(plan, &s3, &twinsite_core::Run::silent()).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let s3 = s3_site(&cloud).await;
        applied(&s3, &desired).await.unwrap();
        assert!(planned(&s3, &desired).await.is_empty(), "after {k}");
        assert_eq!(cloud.world().s3().buckets(twinsite_local::ACCOUNT).len(), 2);
        assert_eq!(cloud.world().account(|account, _| account.iam.roles().count()), 1);
        if first.is_ok() {
            assert!(k > 12, "{k}");
            return;
        }
    }
}

#[tokio::test]
async fn stopped_after_any_call_the_next_apply_finishes() {
    converges(InjectedFault::Refuse).await;
}

#[tokio::test]
async fn a_lost_reply_to_any_call_is_made_good() {
    converges(InjectedFault::LoseReply).await;
}
