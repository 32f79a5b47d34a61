//! The health checks of a site.

use std::collections::BTreeMap;
use std::time::Duration;

use twinsite_core::Mode;
use twinsite_local::Cloud;
use twinsite_local::ServiceError;
use twinsite_local::route53::HealthCheck;

use crate::{applied, checks, cloud, desired, destroyed, dns, ids};

/// The checks by purpose.
fn by_purpose(cloud: &Cloud) -> BTreeMap<String, HealthCheck> {
    cloud.world().account(|account, _| {
        let purpose = |check: &HealthCheck| check.caller_reference.split(':').nth(2).unwrap().to_owned();
        account.route53.checks().map(|check| (purpose(check), check.clone())).collect()
    })
}

#[tokio::test]
async fn each_mode_has_its_own_checks() {
    for (mode, purposes) in [
        (Mode::Dns, &["backup", "primary", "serving", "stop"][..]),
        (Mode::Layered, &["backup", "edge", "primary", "serving", "stop"]),
        (Mode::Origin, &["backup", "edge", "primary"]),
    ] {
        let (cloud, desired) = (cloud().await, desired("www.example.com", mode));
        let dns = dns(&cloud).await;
        applied(&dns, &desired).await.unwrap();
        let actual = by_purpose(&cloud);
        assert_eq!(actual.keys().map(String::as_str).collect::<Vec<_>>(), purposes, "{mode}");
        let path = |purpose: &str| actual[purpose].config.resource_path.clone().unwrap();
        if mode == Mode::Origin {
            assert_eq!(path("primary"), "/.well-known/twinsite/primary/health.txt");
            assert_eq!(actual["backup"].config.r#type, "HTTPS_STR_MATCH");
            continue;
        }
        assert_eq!(
            (actual["primary"].config.r#type.as_str(), path("stop").as_str()),
            ("HTTP_STR_MATCH", "/.well-known/twinsite/stop.txt")
        );
        assert_eq!(
            (actual["stop"].config.inverted, actual["stop"].config.search_string.clone()),
            (Some(true), Some("stop".into()))
        );
        let first = if mode == Mode::Dns { "primary" } else { "edge" };
        let mut children = actual["serving"].config.child_health_checks.clone().unwrap().child_health_check;
        let mut expected = vec![actual[first].id.clone(), actual["stop"].id.clone()];
        children.sort();
        expected.sort();
        assert_eq!((children, actual["serving"].config.health_threshold), (expected, Some(2)));
    }
}

#[tokio::test]
async fn changeable_settings_are_updated_in_place() {
    let (cloud, mut desired) = (cloud().await, desired("www.example.com", Mode::Layered));
    let dns = dns(&cloud).await;
    applied(&dns, &desired).await.unwrap();
    let before = by_purpose(&cloud);
    desired.timing.threshold = 1;
    assert_eq!(ids(&dns, &desired).await, ["health/edge", "health/primary", "health/backup", "health/stop"]);
    applied(&dns, &desired).await.unwrap();
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
    let edge = &before["edge"].id;
    assert_eq!(by_purpose(&cloud)["edge"].id, *edge);
    let disabled: Result<(), ServiceError> = cloud.world().change_account(|account, _| {
        let mut config = account.route53.check(edge)?.config.clone();
        (config.disabled, config.search_string) = (Some(true), Some("other".into()));
        account.route53.update_check(edge, None, config).map(drop)
    });
    disabled.unwrap();
    assert_eq!(ids(&dns, &desired).await, ["health/edge"]);
    applied(&dns, &desired).await.unwrap();
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
}

#[tokio::test]
async fn a_check_with_another_interval_is_replaced_after_the_records_use_the_new_one() {
    let (cloud, mut desired) = (cloud().await, desired("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    applied(&dns, &desired).await.unwrap();
    let before = by_purpose(&cloud);
    desired.timing.interval = Duration::from_secs(10);
    applied(&dns, &desired).await.unwrap();
    let after = by_purpose(&cloud);
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
    assert_eq!(checks(&cloud), 4);
    assert_ne!(before["primary"].id, after["primary"].id);
    assert_eq!(before["serving"].id, after["serving"].id);
    assert_eq!(after["backup"].config.request_interval, Some(10));
}

#[tokio::test]
async fn destroyed_checks_can_be_created_again_though_route_53_remembers_their_references() {
    let (cloud, desired) = (cloud().await, desired("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    for _ in 0..3 {
        applied(&dns, &desired).await.unwrap();
        assert_eq!((ids(&dns, &desired).await, checks(&cloud)), (vec![], 4));
        destroyed(&dns, &desired).await;
        assert_eq!(checks(&cloud), 0);
    }
}

#[tokio::test]
async fn checks_of_other_sites_are_kept() {
    let cloud = cloud().await;
    let (one, two) = (desired("a.example.com", Mode::Dns), desired("b.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    applied(&dns, &one).await.unwrap();
    applied(&dns, &two).await.unwrap();
    assert_eq!(checks(&cloud), 8);
    destroyed(&dns, &one).await;
    assert_eq!((checks(&cloud), ids(&dns, &two).await), (4, vec![]));
}
