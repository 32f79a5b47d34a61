//! Route 53's control plane, through the SDK.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, HealthCheckConfig, HealthCheckType, ResourceRecord,
    ResourceRecordSet, ResourceRecordSetFailover, RrType, Tag, TagResourceType,
};
use twinsite_local::Account;
use twinsite_local::Cloud;
use twinsite_local::route53::Protection;

use crate::{code, session};

async fn zone(client: &Client) -> String {
    let made = client.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap();
    made.hosted_zone.unwrap().id.trim_start_matches("/hostedzone/").to_owned()
}

fn cname(identifier: Option<(&str, ResourceRecordSetFailover)>, value: &str) -> ResourceRecordSet {
    let set = ResourceRecordSet::builder().name("www.example.com").r#type(RrType::Cname).ttl(60);
    let set = set.resource_records(ResourceRecord::builder().value(value).build().unwrap());
    match identifier {
        Some((id, failover)) => set.set_identifier(id).failover(failover).build().unwrap(),
        None => set.build().unwrap(),
    }
}

fn batch(changes: Vec<(ChangeAction, ResourceRecordSet)>) -> ChangeBatch {
    let change = |(action, set)| Change::builder().action(action).resource_record_set(set).build().unwrap();
    ChangeBatch::builder().set_changes(Some(changes.into_iter().map(change).collect())).build().unwrap()
}

#[tokio::test]
async fn records_change_in_batches_and_listings_show_them() {
    let cloud = Cloud::memory();
    let client = session(&cloud).await.route53();
    let id = zone(&client).await;
    let pair =
        [("p", ResourceRecordSetFailover::Primary, "a.test"), ("s", ResourceRecordSetFailover::Secondary, "b.test")];
    let creates = pair.map(|(id, role, value)| (ChangeAction::Create, cname(Some((id, role)), value)));
    let changed = client.change_resource_record_sets().hosted_zone_id(&id).change_batch(batch(creates.to_vec()));
    let change = changed.send().await.unwrap().change_info.unwrap();
    assert_eq!(change.status.as_str(), "PENDING");
    cloud.world().clock().advance(std::time::Duration::from_mins(1));
    let change = client.get_change().id(change.id.trim_start_matches("/change/")).send().await.unwrap();
    assert_eq!(change.change_info.unwrap().status.as_str(), "INSYNC");
    let listed = client.list_resource_record_sets().hosted_zone_id(&id).start_record_name("www.example.com");
    let listed = listed.send().await.unwrap().resource_record_sets;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].failover, Some(ResourceRecordSetFailover::Primary));
    assert_eq!(listed[1].resource_records()[0].value, "b.test");
    let page = client.list_resource_record_sets().hosted_zone_id(&id).max_items(1).send().await.unwrap();
    assert!(page.is_truncated && page.next_record_name.is_some());
    let refused = client.delete_hosted_zone().id(&id).send().await;
    assert_eq!(code(refused), "HostedZoneNotEmpty");
}

#[tokio::test]
async fn an_invalid_batch_is_refused_with_every_reason() {
    let cloud = Cloud::memory();
    let client = session(&cloud).await.route53();
    let id = zone(&client).await;
    let alias = AliasTarget::builder().hosted_zone_id("Z2FDTNDATAQYW2").dns_name("x.example.net");
    let alias = alias.evaluate_target_health(false).build().unwrap();
    let stray = ResourceRecordSet::builder().name("example.com").r#type(RrType::A).alias_target(alias).build().unwrap();
    let refused = client
        .change_resource_record_sets()
        .hosted_zone_id(&id)
        .change_batch(batch(vec![(ChangeAction::Create, stray)]));
    let refused = refused.send().await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_change_batch(), "{refused:?}");
    assert!(format!("{refused:?}").contains("does not lie within the target zone"), "{refused:?}");
}

#[tokio::test]
async fn protected_records_do_not_change() {
    let cloud = Cloud::memory();
    let client = session(&cloud).await.route53();
    let id = zone(&client).await;
    let name = "www.example.com".to_owned();
    let protection = Protection { record_name: name, record_type: "CNAME".to_owned(), comment: Some("frozen".into()) };
    let protect = |account: &mut Account, _| account.route53.protect(&id, vec![protection]);
    cloud.world().change_account(protect).unwrap();
    let create = batch(vec![(ChangeAction::Create, cname(None, "a.test"))]);
    let refused = client.change_resource_record_sets().hosted_zone_id(&id).change_batch(create).send().await;
    assert!(format!("{:?}", refused.unwrap_err()).contains("frozen"));
}

#[tokio::test]
async fn health_checks_are_created_updated_tagged_and_deleted() {
    let cloud = Cloud::memory();
    let client = session(&cloud).await.route53();
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::HttpStrMatch).search_string("ok");
    let config = config.fully_qualified_domain_name("site.test").resource_path("/health.txt").build().unwrap();
    let make = || client.create_health_check().caller_reference("c1").health_check_config(config.clone()).send();
    let check = make().await.unwrap().health_check.unwrap();
    assert_eq!(make().await.unwrap().health_check.unwrap().id, check.id);
    let settings = check.health_check_config.unwrap();
    assert_eq!((settings.port, settings.request_interval, settings.failure_threshold), (Some(80), Some(30), Some(3)));
    let update = client.update_health_check().health_check_id(&check.id).failure_threshold(1);
    let stale = update.clone().health_check_version(7).send().await;
    assert_eq!(code(stale), "HealthCheckVersionMismatch");
    let updated = update.health_check_version(1).send().await.unwrap().health_check.unwrap();
    let config = updated.health_check_config.unwrap();
    assert_eq!((updated.health_check_version, config.failure_threshold), (2, Some(1)));
    assert_eq!(config.r#type, HealthCheckType::HttpStrMatch);
    let kind = TagResourceType::Healthcheck;
    let tag = client.change_tags_for_resource().resource_type(kind.clone()).resource_id(&check.id);
    tag.add_tags(Tag::builder().key("site").value("a & b").build()).send().await.unwrap();
    let tags = client.list_tags_for_resources().resource_type(kind).resource_ids(&check.id).send().await.unwrap();
    assert_eq!(tags.resource_tag_sets[0].tags()[0].value.as_deref(), Some("a & b"));
    assert_eq!(client.list_health_checks().send().await.unwrap().health_checks.len(), 1);
    client.delete_health_check().health_check_id(&check.id).send().await.unwrap();
    let gone = client.get_health_check().health_check_id(&check.id).send().await;
    assert_eq!(code(gone), "NoSuchHealthCheck");
}

#[tokio::test]
async fn zones_are_listed_by_name() {
    let cloud = Cloud::memory();
    let client = session(&cloud).await.route53();
    for (name, reference) in [("example.com", "1"), ("example.org", "2"), ("a.example.com", "3")] {
        client.create_hosted_zone().name(name).caller_reference(reference).send().await.unwrap();
    }
    let again = client.create_hosted_zone().name("example.net").caller_reference("1").send().await;
    assert_eq!(code(again), "HostedZoneAlreadyExists");
    let from = client.list_hosted_zones_by_name().dns_name("a.example.com").max_items(2).send().await.unwrap();
    let names: Vec<_> = from.hosted_zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(names, ["a.example.com.", "example.org."]);
}
