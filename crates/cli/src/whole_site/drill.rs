//! A drill that is stopped anywhere leaves nothing broken that its journal does not put back.

use twinsite_aws::AwsError;
use twinsite_local::Outages;
use twinsite_local::s3::BucketSettings;
use twinsite_s3_site::{BucketOutage, RestoreAction};

use super::*;

/// Breaks and puts back, as the drill does; every call may be its last.
async fn drilled(stack: &TestSite, outage: BucketOutage) -> Result<(), AwsError> {
    let (s3, site) = (&stack.services.s3, &stack.site);
    let undo = s3.read_restore_action(site, outage).await?;
    s3.write_drill_journal(site, &serde_json::to_string(&undo).unwrap()).await?;
    s3.break_primary(site, &undo).await?;
    s3.restore_primary(site, &undo).await?;
    s3.delete_drill_journal(site).await
}

/// What `drill --restore` does.
async fn healed(stack: &TestSite) {
    let (s3, site) = (&stack.services.s3, &stack.site);
    if let Some(text) = s3.read_drill_journal(site).await.unwrap() {
        let undo: RestoreAction = serde_json::from_str(&text).unwrap();
        s3.restore_primary(site, &undo).await.unwrap();
        s3.delete_drill_journal(site).await.unwrap();
    }
}

fn settings(cloud: &Cloud, stack: &TestSite) -> Vec<BucketSettings> {
    stack.site.buckets.iter().map(|(_, bucket)| cloud.world().s3().bucket(bucket.as_str()).unwrap()).collect()
}

async fn nothing_stays_broken(outage: BucketOutage, mode: Mode, trouble: InjectedFault) {
    let cloud = cloud();
    let text = full(mode);
    applied(&open(&cloud, &text, None).await).await.unwrap();
    let hurried = open(&cloud, &text, Some(1)).await;
    let before = settings(&cloud, &hurried);
    for k in 0.. {
        trouble_from(&cloud, k, trouble);
        let ended = drilled(&hurried, outage).await;
        cloud.inject_faults(|_| InjectedFault::None);
        healed(&hurried).await;
        assert_eq!(settings(&cloud, &hurried), before, "{outage} in {mode}, after {k}");
        assert!(
            !outage.is_effective_in(Mode::Dns)
                || mode == Mode::Origin
                || !hurried.services.s3.has_failover_switch(&hurried.site).await.unwrap()
        );
        if ended.is_ok() {
            assert!(k > 3, "{outage}: the trouble came too late");
            return;
        }
    }
}

#[tokio::test]
async fn stopped_after_any_call_or_with_its_reply_lost_everything_is_byte_for_byte_as_it_was() {
    for outage in [BucketOutage::Website, BucketOutage::Policy, BucketOutage::Switch, BucketOutage::Replication] {
        for mode in MODES.into_iter().filter(|mode| outage.is_effective_in(*mode)) {
            for trouble in [InjectedFault::Refuse, InjectedFault::LoseReply] {
                Box::pin(nothing_stays_broken(outage, mode, trouble)).await;
            }
        }
    }
}

#[tokio::test]
async fn each_way_breaks_what_it_says_and_nothing_else() {
    let (cloud, text) = (cloud(), full(Mode::Layered));
    let stack = open(&cloud, &text, None).await;
    applied(&stack).await.unwrap();
    let (s3, site) = (&stack.services.s3, &stack.site);
    for (outage, drift) in [
        (BucketOutage::Website, &["primary/website"][..]),
        (BucketOutage::Policy, &["primary/policy"]),
        (BucketOutage::Switch, &[]),
        (BucketOutage::Replication, &["primary/replication"]),
    ] {
        let undo = s3.read_restore_action(site, outage).await.unwrap();
        s3.break_primary(site, &undo).await.unwrap();
        assert_eq!(steps(&stack).await, drift, "{outage}");
        assert_eq!(s3.has_failover_switch(site).await.unwrap(), outage == BucketOutage::Switch);
        s3.restore_primary(site, &undo).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0], "{outage}");
    }
}

#[tokio::test]
async fn the_switch_is_one_call_in_the_backups_region() {
    let (cloud, text) = (cloud(), full(Mode::Dns));
    let stack = open(&cloud, &text, Some(1)).await;
    applied(&stack).await.unwrap();
    let regions_out = ["us-east-1".to_owned()].into();
    cloud.world().set_outages(Outages { regions_out, control_out: true, cdn_out: true, ..Outages::default() });
    cloud.reset_request_counts();
    stack.services.s3.put_failover_switch(&stack.site).await.unwrap();
    assert_eq!(cloud.request_counts(), [("PutObject".to_owned(), 1)].into());
    cloud.reset_request_counts();
    stack.services.s3.delete_failover_switch(&stack.site).await.unwrap();
    assert_eq!(cloud.request_counts(), [("DeleteObject".to_owned(), 1)].into());
}
