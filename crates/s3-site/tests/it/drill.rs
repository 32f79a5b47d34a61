//! Simulated outages, their journal, and the failover switch.

use twinsite_core::{Mode, Side};
use twinsite_local::{Cloud, Delays};
use twinsite_s3_site::{BucketOutage, RestoreAction};

use crate::{applied, desired, planned, s3_site};

#[tokio::test]
async fn the_journal_restores_the_primary_exactly_after_every_outage() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    let (s3, site) = (s3_site(&cloud).await, &desired.site);
    applied(&s3, &desired).await.unwrap();
    let settings = || cloud.world().s3().bucket(site.buckets.primary.as_str()).unwrap();
    let before = settings();
    for (outage, drift) in [
        (BucketOutage::Website, Some("primary/website")),
        (BucketOutage::Policy, Some("primary/policy")),
        (BucketOutage::Switch, None),
        (BucketOutage::Replication, Some("primary/replication")),
    ] {
        let restore = s3.read_restore_action(site, outage).await.unwrap();
        assert_eq!(restore.outage(), outage);
        s3.write_drill_journal(site, &serde_json::to_string(&restore).unwrap()).await.unwrap();
        s3.break_primary(site, &restore).await.unwrap();
        s3.break_primary(site, &restore).await.unwrap();
        let ids: Vec<String> = planned(&s3, &desired).await.steps().map(|step| step.id.to_string()).collect();
        assert_eq!(ids, Vec::from_iter(drift));
        assert_eq!(s3.has_failover_switch(site).await.unwrap(), outage == BucketOutage::Switch);
        let journal = s3.read_drill_journal(site).await.unwrap().unwrap();
        let restore: RestoreAction = serde_json::from_str(&journal).unwrap();
        s3.restore_primary(site, &restore).await.unwrap();
        s3.restore_primary(site, &restore).await.unwrap();
        s3.delete_drill_journal(site).await.unwrap();
        assert_eq!((settings(), s3.read_drill_journal(site).await.unwrap()), (before.clone(), None), "{outage}");
        assert!(!s3.has_failover_switch(site).await.unwrap());
    }
}

#[tokio::test]
async fn without_a_journal_every_outage_is_restored_from_the_desired_state() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        let (cloud, desired) = (Cloud::memory(), desired(mode));
        let (s3, site) = (s3_site(&cloud).await, &desired.site);
        applied(&s3, &desired).await.unwrap();
        let settings = || cloud.world().s3().bucket(site.buckets.primary.as_str()).unwrap();
        let before = settings();
        assert_eq!(s3.restore_to_desired(&desired).await.unwrap(), [], "{mode}: nothing is broken");
        let all = [BucketOutage::Website, BucketOutage::Policy, BucketOutage::Switch, BucketOutage::Replication];
        let effective: Vec<BucketOutage> = all.into_iter().filter(|outage| outage.is_effective_in(mode)).collect();
        for broken in effective.iter().map(|one| vec![*one]).chain([effective.clone()]) {
            for outage in &broken {
                let restore = s3.read_restore_action(site, *outage).await.unwrap();
                s3.break_primary(site, &restore).await.unwrap();
            }
            assert_eq!(s3.restore_to_desired(&desired).await.unwrap(), broken, "{mode}");
            assert_eq!(settings(), before, "{mode}: {broken:?}");
            assert!(!s3.has_failover_switch(site).await.unwrap());
        }
    }
}

#[tokio::test]
async fn an_outage_that_would_break_nothing_is_refused() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Origin));
    let (s3, site) = (s3_site(&cloud).await, &desired.site);
    assert_eq!(s3.read_drill_journal(site).await.unwrap(), None);
    applied(&s3, &desired).await.unwrap();
    let refused = s3.read_restore_action(site, BucketOutage::Website).await.unwrap_err();
    assert_eq!(refused.message, "the bucket has no website");
}

#[tokio::test]
async fn the_replication_probe_arrives_in_the_backup_and_is_deleted_from_both() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    let (s3, site) = (s3_site(&cloud).await, &desired.site);
    applied(&s3, &desired).await.unwrap();
    cloud.world().set_delays(Delays::NONE);
    assert!(s3.health_object_version(site, Side::Primary).await.unwrap().is_some());
    s3.put_replication_probe(site, "1").await.unwrap();
    assert!(s3.has_replication_probe(site, "1").await.unwrap());
    assert!(!s3.has_replication_probe(site, "2").await.unwrap());
    s3.delete_replication_probe(site).await.unwrap();
    assert!(!s3.has_replication_probe(site, "1").await.unwrap());
}

/// Whoever may publish may write the journal: it must not be a way to change what publishers cannot.
#[tokio::test]
async fn a_planted_journal_changes_no_setting() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    let (s3, site) = (s3_site(&cloud).await, &desired.site);
    applied(&s3, &desired).await.unwrap();
    let settings = || cloud.world().s3().bucket(site.buckets.primary.as_str()).unwrap();
    let before = settings();
    for planted in [
        r#"{"how":"policy","policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"}"#,
        r#"{"how":"policy","policy":null}"#,
        r#"{"how":"website","website":{"redirect_all":["elsewhere.example",null]}}"#,
        r#"{"how":"replication","rules":["theirs"]}"#,
        r#"{"how":"stop-object"}"#,
    ] {
        s3.write_drill_journal(site, planted).await.unwrap();
        let journal = s3.read_drill_journal(site).await.unwrap().unwrap();
        let restore: RestoreAction = serde_json::from_str(&journal).unwrap();
        s3.restore_primary(site, &restore).await.unwrap();
        assert_eq!(settings(), before, "{planted}");
    }
}
