//! Failover pairs for any two targets.

use std::time::Duration;

use twinsite_core::{Deferred, Pair, ResourceId};
use twinsite_dns_failover::{
    AliasTarget, AliasTypes, Conflict, FailoverPair, FailoverTargets, HostedZone, cloudfront_alias_zone,
};
use twinsite_local::Cloud;

use crate::{apply_steps, cloud, dns, session, sets};

async fn zone(cloud: &Cloud) -> HostedZone {
    dns(cloud).await.list_hosted_zones().await.unwrap().remove(0)
}

/// A health check that was not created by twinsite.
async fn check(cloud: &Cloud) -> ResourceId {
    use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::Https).enable_sni(true);
    let config = config.fully_qualified_domain_name("primary.example.net").build().unwrap();
    let request = session(cloud).await.route53().create_health_check().caller_reference("own");
    request.health_check_config(config).send().await.unwrap().health_check.unwrap().id.parse().unwrap()
}

fn cname_pair(name: &str, check: Option<ResourceId>) -> FailoverPair {
    let hosts =
        Pair::new("primary.example.net", "backup.example.org").map(|host| Deferred::Known(host.parse().unwrap()));
    FailoverPair {
        name: name.parse().unwrap(),
        targets: FailoverTargets::Cname { hosts, ttl: Duration::from_secs(30) },
        checks: Pair::new(check.map(Deferred::Known), None),
    }
}

async fn applied(cloud: &Cloud, pair: &FailoverPair) {
    let dns = dns(cloud).await;
    let actual = dns.observe_records(&zone(cloud).await, &pair.name).await.unwrap();
    apply_steps(&dns, pair.plan_changes(&actual).unwrap()).await.unwrap();
    let actual = dns.observe_records(&zone(cloud).await, &pair.name).await.unwrap();
    assert_eq!(pair.plan_changes(&actual), Ok(Vec::new()));
}

#[tokio::test]
async fn a_pair_of_cname_records_uses_an_existing_check_and_is_deleted_alone() {
    let cloud = cloud().await;
    let id = check(&cloud).await;
    let (app, shop) =
        (cname_pair("app.example.com", Some(id.clone())), cname_pair("shop.example.com", Some(id.clone())));
    applied(&cloud, &app).await;
    applied(&cloud, &shop).await;
    let primary: Vec<_> = sets(&cloud).into_iter().filter(|set| set.failover.as_deref() == Some("PRIMARY")).collect();
    assert_eq!(primary.len(), 2);
    assert!(primary.iter().all(|set| set.health_check_id.as_deref() == Some(id.as_str()) && set.ttl == Some(30)));
    let dns = dns(&cloud).await;
    let actual = dns.observe_records(&zone(&cloud).await, &app.name).await.unwrap();
    apply_steps(&dns, app.plan_destruction(&actual).unwrap()).await.unwrap();
    assert!(sets(&cloud).iter().all(|set| set.name.starts_with("shop")) && sets(&cloud).len() == 2);
}

#[tokio::test]
async fn a_pair_of_alias_records_has_both_types_and_may_replace_cname_records() {
    let cloud = cloud().await;
    let id = check(&cloud).await;
    applied(&cloud, &cname_pair("app.example.com", Some(id.clone()))).await;
    let target = |host: &str| AliasTarget::new(Deferred::Known(host.parse().unwrap()), cloudfront_alias_zone());
    let targets = Pair::new(target("d1.cloudfront.net"), target("d2.cloudfront.net"));
    let checks = Pair::new(Some(Deferred::Known(id)), None);
    for (types, count) in [(AliasTypes::AAndAaaa, 4), (AliasTypes::A, 2)] {
        let targets = FailoverTargets::Alias { targets: targets.clone(), types };
        applied(&cloud, &FailoverPair { name: "app.example.com".parse().unwrap(), targets, checks: checks.clone() })
            .await;
        assert_eq!(sets(&cloud).len(), count);
    }
}

#[tokio::test]
async fn pairs_that_cannot_work_are_conflicts() {
    let cloud = cloud().await;
    let id = check(&cloud).await;
    let actual = |name: &'static str| {
        let cloud = &cloud;
        async move { dns(cloud).await.observe_records(&zone(cloud).await, &name.parse().unwrap()).await.unwrap() }
    };
    let conflict = |pair: FailoverPair, actual| pair.plan_changes(&actual).unwrap_err().0.remove(0);
    let no_check = conflict(cname_pair("a.example.com", None), actual("a.example.com").await);
    assert!(matches!(no_check, Conflict::NoHealthCheck { .. }), "{no_check}");
    let apex = conflict(cname_pair("example.com", Some(id.clone())), actual("example.com").await);
    assert!(matches!(apex, Conflict::CnameAtApex { .. }), "{apex}");
    let outside = conflict(cname_pair("notexample.com", Some(id)), actual("notexample.com").await);
    assert!(matches!(outside, Conflict::OutsideZone { .. }), "{outside}");
    assert!([no_check, apex, outside].iter().all(|conflict| !conflict.hint().is_empty()));
}
