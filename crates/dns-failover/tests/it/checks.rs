//! What is watched.

use std::collections::BTreeMap;
use std::time::Duration;

use twinsite_core::Mode;
use twinsite_local::Cloud;
use twinsite_local::ServiceError;
use twinsite_local::route53::HealthCheck;

use crate::{applied, checks, cloud, destroyed, dns, ids, want};

/// The checks by what they are for.
fn by_role(cloud: &Cloud) -> BTreeMap<String, HealthCheck> {
    cloud.world().account(|account, _| {
        let role = |check: &HealthCheck| check.caller_reference.split(':').nth(2).unwrap().to_owned();
        account.route53.checks().map(|check| (role(check), check.clone())).collect()
    })
}

#[tokio::test]
async fn each_mode_watches_what_it_depends_on() {
    for (mode, roles) in [
        (Mode::Dns, &["backup", "primary", "serving", "stop"][..]),
        (Mode::Layered, &["backup", "edge", "primary", "serving", "stop"]),
        (Mode::Origin, &["backup", "edge", "primary"]),
    ] {
        let (cloud, want) = (cloud().await, want("www.example.com", mode));
        let dns = dns(&cloud).await;
        applied(&dns, &want).await.unwrap();
        let there = by_role(&cloud);
        assert_eq!(there.keys().map(String::as_str).collect::<Vec<_>>(), roles, "{mode}");
        let path = |role: &str| there[role].config.resource_path.clone().unwrap();
        if mode == Mode::Origin {
            assert_eq!(path("primary"), "/.well-known/twinsite/primary/health.txt");
            assert_eq!(there["backup"].config.r#type, "HTTPS_STR_MATCH");
            continue;
        }
        assert_eq!(
            (there["primary"].config.r#type.as_str(), path("stop").as_str()),
            ("HTTP_STR_MATCH", "/.well-known/twinsite/stop.txt")
        );
        assert_eq!((there["stop"].config.inverted, there["stop"].config.search_string.clone()), (Some(true), None));
        let first = if mode == Mode::Dns { "primary" } else { "edge" };
        let mut children = there["serving"].config.child_health_checks.clone().unwrap().child_health_check;
        let mut wanted = vec![there[first].id.clone(), there["stop"].id.clone()];
        children.sort();
        wanted.sort();
        assert_eq!((children, there["serving"].config.health_threshold), (wanted, Some(2)));
    }
}

#[tokio::test]
async fn settings_are_put_right_in_place_where_they_can_change() {
    let (cloud, mut want) = (cloud().await, want("www.example.com", Mode::Layered));
    let dns = dns(&cloud).await;
    applied(&dns, &want).await.unwrap();
    let before = by_role(&cloud);
    want.health.threshold = 1;
    assert_eq!(ids(&dns, &want).await, ["health/edge", "health/primary", "health/backup", "health/stop"]);
    applied(&dns, &want).await.unwrap();
    assert_eq!(ids(&dns, &want).await, [""; 0]);
    let edge = &before["edge"].id;
    assert_eq!(by_role(&cloud)["edge"].id, *edge);
    let disabled: Result<(), ServiceError> = cloud.world().change_account(|account, _| {
        let mut config = account.route53.check(edge)?.config.clone();
        (config.disabled, config.search_string) = (Some(true), Some("other".into()));
        account.route53.update_check(edge, None, config).map(drop)
    });
    disabled.unwrap();
    assert_eq!(ids(&dns, &want).await, ["health/edge"]);
    applied(&dns, &want).await.unwrap();
    assert_eq!(ids(&dns, &want).await, [""; 0]);
}

#[tokio::test]
async fn a_check_whose_interval_changes_is_replaced_after_the_records_name_its_successor() {
    let (cloud, mut want) = (cloud().await, want("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    applied(&dns, &want).await.unwrap();
    let before = by_role(&cloud);
    want.health.interval = Duration::from_secs(10);
    applied(&dns, &want).await.unwrap();
    let after = by_role(&cloud);
    assert_eq!(ids(&dns, &want).await, [""; 0]);
    assert_eq!(checks(&cloud), 4);
    assert_ne!(before["primary"].id, after["primary"].id);
    assert_eq!(before["serving"].id, after["serving"].id);
    assert_eq!(after["backup"].config.request_interval, Some(10));
}

#[tokio::test]
async fn what_was_destroyed_can_be_made_again_though_route_53_remembers_the_references() {
    let (cloud, want) = (cloud().await, want("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    for _ in 0..3 {
        applied(&dns, &want).await.unwrap();
        assert_eq!((ids(&dns, &want).await, checks(&cloud)), (vec![], 4));
        destroyed(&dns, &want).await;
        assert_eq!(checks(&cloud), 0);
    }
}

#[tokio::test]
async fn checks_of_other_sites_are_not_ours() {
    let cloud = cloud().await;
    let (one, two) = (want("a.example.com", Mode::Dns), want("b.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    applied(&dns, &one).await.unwrap();
    applied(&dns, &two).await.unwrap();
    assert_eq!(checks(&cloud), 8);
    destroyed(&dns, &one).await;
    assert_eq!((checks(&cloud), ids(&dns, &two).await), (4, vec![]));
}
