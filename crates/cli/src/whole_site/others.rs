//! What others set behind our back is named by `plan` and `status`, with what it does to visitors and a way out.

use std::sync::Mutex;

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, Condition, ExpirationStatus, IndexDocument, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    Redirect, RoutingRule, StorageClass, Transition, TransitionStorageClass, WebsiteConfiguration,
};
use serde_json::{Value, json};
use twinsite_site::{Domain, Event, Level, Side, StatusRequest, Watch};

use super::*;

/// The warnings of a run.
#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Watch for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { text, hint } = event {
            self.0.lock().unwrap().push(format!("{text} | {}", hint.as_deref().unwrap_or_default()));
        }
    }
}

/// What `plan` warns of.
async fn warnings(stack: &TestSite) -> String {
    let watch = Arc::new(Warnings::default());
    let run = Run::new(Arc::clone(&watch) as Arc<dyn Watch>);
    // A conflict does not keep the warnings back.
    let planned = site::plan(&stack.context, AdoptBuckets::Refuse, &run).await;
    assert!(planned.is_ok(), "{planned:?}");
    watch.0.lock().unwrap().join("\n")
}

/// The findings of `status`.
async fn findings(cloud: &Cloud, text: &str) -> Vec<(Level, String)> {
    let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
    let environment =
        Environment { access, polling: crate::local::POLLING, network: Network::Unavailable, outages: None };
    let config = config::parse(text).unwrap();
    let request = StatusRequest::within(std::time::Duration::from_mins(1));
    let status = Box::pin(site::status(&config, &environment, request, &Run::silent())).await.unwrap();
    status.findings.into_iter().map(|finding| (finding.level, finding.text)).collect()
}

fn text_of(stack: &TestSite, side: Side) -> String {
    stack.site.buckets.get(side).to_string()
}

#[tokio::test]
async fn lifecycle_rules_archived_objects_denies_and_redirects_of_others_are_named() {
    let (cloud, text) = (cloud(), toml(Mode::Layered));
    let stack = open(&cloud, &text, None).await;
    applied(&stack).await.unwrap();
    assert_eq!(warnings(&stack).await, "");
    let (s3, bucket) = (stack.session.s3(&stack.site.regions.backup), text_of(&stack, Side::Backup));
    let rule = |id: &str| {
        let filter = LifecycleRuleFilter::builder().prefix("").build();
        LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled).filter(filter)
    };
    let rules = [
        rule("cleanup").expiration(LifecycleExpiration::builder().days(30).build()),
        rule("cold")
            .transitions(Transition::builder().days(90).storage_class(TransitionStorageClass::DeepArchive).build()),
        rule("instant")
            .transitions(Transition::builder().days(90).storage_class(TransitionStorageClass::GlacierIr).build()),
        rule("old").noncurrent_version_expiration(NoncurrentVersionExpiration::builder().noncurrent_days(7).build()),
        rule("off").status(ExpirationStatus::Disabled).expiration(LifecycleExpiration::builder().days(1).build()),
    ];
    let own = s3.get_bucket_lifecycle_configuration().bucket(&bucket).send().await.unwrap().rules.unwrap();
    let rules = own.into_iter().chain(rules.into_iter().map(|rule| rule.build().unwrap())).collect();
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    s3.put_bucket_lifecycle_configuration().bucket(&bucket).lifecycle_configuration(rules).send().await.unwrap();
    let put = s3.put_object().bucket(&bucket).key("old.html").storage_class(StorageClass::Glacier);
    put.body(b"cold".to_vec().into()).send().await.unwrap();
    let read = s3.get_object().bucket(&bucket).key("old.html").send().await.unwrap_err();
    assert_eq!(read.into_service_error().meta().code(), Some("InvalidObjectState"));
    let policy = s3.get_bucket_policy().bucket(&bucket).send().await.unwrap().policy.unwrap();
    let mut policy: Value = serde_json::from_str(&policy).unwrap();
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Sid": "FromVpcOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*"), "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    }));
    s3.put_bucket_policy().bucket(&bucket).policy(policy.to_string()).send().await.unwrap();
    let redirect = RoutingRule::builder()
        .condition(Condition::builder().http_error_code_returned_equals("404").build())
        .redirect(Redirect::builder().replace_key_with("index.html").build())
        .build();
    let website = WebsiteConfiguration::builder()
        .index_document(IndexDocument::builder().suffix("index.html").build().unwrap())
        .error_document(aws_sdk_s3::types::ErrorDocument::builder().key("404.html").build().unwrap())
        .routing_rules(redirect)
        .build();
    s3.put_bucket_website().bucket(&bucket).website_configuration(website).send().await.unwrap();

    let named = warnings(&stack).await;
    for part in [
        "`cleanup` of the backup bucket `www.example.com` is about every object and deletes them 30 days after their creation",
        "`cold` of the backup bucket `www.example.com` is about every object and moves them to DEEP_ARCHIVE",
        "rule `old`",
        "`old.html` of the backup bucket `www.example.com` cannot be read, because the storage class is GLACIER",
        "denies every request (FromVpcOnly): visitors get 403 | delete the statement",
        "a RoutingRule with HttpErrorCodeReturnedEquals 404",
    ] {
        assert!(named.contains(part), "{part}\n{named}");
    }
    for harmless in ["`instant`", "`off`", "twinsite-"] {
        assert!(!named.contains(harmless), "{harmless}\n{named}");
    }
    let found = findings(&cloud, &text).await;
    let problem = |part: &str| found.iter().any(|(level, text)| *level == Level::Problem && text.contains(part));
    assert!(problem("`cleanup`") && problem("FromVpcOnly") && problem("GLACIER"), "{found:?}");
    let is_notice = |(level, text): &(Level, String)| *level == Level::Notice && text.contains("`old`");
    assert!(found.iter().any(is_notice), "{found:?}");
    assert_eq!(steps(&stack).await, [""; 0], "what others set stays");
}

#[tokio::test]
async fn caa_records_that_forbid_amazon_are_named_before_the_certificate_is_requested() {
    let cloud = cloud();
    let stack = open(&cloud, &toml(Mode::Layered), None).await;
    let route53 = stack.session.route53();
    let zone = route53.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0);
    put_record(&route53, &zone.id, "example.com", "CAA", "0 issue \"letsencrypt.org\"").await;
    let named = warnings(&stack).await;
    assert!(named.contains("the CAA records of `example.com` do not allow Amazon"), "{named}");
    assert!(named.contains("CAA_ERROR") && named.contains("0 issue \"amazon.com\""), "{named}");
    // The closest records count.
    put_record(&route53, &zone.id, "www.example.com", "CAA", "0 issue \"amazontrust.com\"").await;
    let origin = open(&cloud, &toml(Mode::Origin), None).await;
    assert_eq!(warnings(&origin).await, "");
}

async fn put_record(route53: &aws_sdk_route53::Client, zone: &str, name: &str, kind: &str, value: &str) {
    use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(300).resource_records(record);
    let change =
        Change::builder().action(ChangeAction::Upsert).resource_record_set(set.build().unwrap()).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

async fn create_zone(route53: &aws_sdk_route53::Client, name: &str, reference: &str) -> String {
    let created = route53.create_hosted_zone().name(name).caller_reference(reference).send().await.unwrap();
    created.hosted_zone.unwrap().id
}

#[tokio::test]
async fn a_more_specific_zone_is_named_and_destroy_leaves_no_record_in_the_old_one() {
    for mode in MODES {
        let cloud = cloud();
        let stack = open(&cloud, &toml(mode), None).await;
        applied(&stack).await.unwrap();
        let before = records_of_site(&stack).await;
        assert!(!before.is_empty());
        create_zone(&stack.session.route53(), "www.example.com", "later").await;
        let named = warnings(&stack).await;
        assert!(named.contains("(`example.com`) has twinsite's records of `www.example.com`, too"), "{mode}: {named}");
        destroyed(&stack).await;
        assert_eq!(records_of_site(&stack).await, [""; 0], "{mode}: they would lead to a bucket whose name is free");
    }
}

/// The address records of the site's name in all zones.
async fn records_of_site(stack: &TestSite) -> Vec<String> {
    let (route53, mut found) = (stack.session.route53(), Vec::new());
    let domain: Domain = stack.site.domain.clone();
    for zone in route53.list_hosted_zones().send().await.unwrap().hosted_zones {
        let sets = route53.list_resource_record_sets().hosted_zone_id(zone.id).send().await.unwrap();
        let sets =
            sets.resource_record_sets.into_iter().filter(|set| set.name.trim_end_matches('.') == domain.as_str());
        found.extend(
            sets.map(|set| set.r#type.to_string()).filter(|kind| ["A", "AAAA", "CNAME"].contains(&kind.as_str())),
        );
    }
    found
}

#[tokio::test]
async fn without_its_hosted_zone_a_site_is_destroyed_all_the_same() {
    for mode in MODES {
        let cloud = cloud();
        let stack = open(&cloud, &toml(mode), None).await;
        applied(&stack).await.unwrap();
        let route53 = stack.session.route53();
        let zone = route53.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0);
        delete_records(&route53, &zone.id).await;
        route53.delete_hosted_zone().id(&zone.id).send().await.unwrap();
        let refused = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
        assert!(refused.to_string().contains("no public hosted zone"), "{refused}");
        destroyed(&stack).await;
        let s3 = stack.session.s3(&stack.site.regions.primary);
        assert_eq!(s3.list_buckets().send().await.unwrap().buckets().len(), 0, "{mode}");
        assert_eq!(route53.list_health_checks().send().await.unwrap().health_checks.len(), 0, "{mode}");
    }
}

/// Deletes every record but those that a zone always has, as Route 53 demands before a zone is deleted.
async fn delete_records(route53: &aws_sdk_route53::Client, zone: &str) {
    use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch};
    let sets = route53.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap().resource_record_sets;
    let others = sets.into_iter().filter(|set| !["NS", "SOA"].contains(&set.r#type.as_str()));
    let changes =
        others.map(|set| Change::builder().action(ChangeAction::Delete).resource_record_set(set).build().unwrap());
    let batch = ChangeBatch::builder().set_changes(Some(changes.collect())).build().unwrap();
    route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

/// A redirect of missing pages is healthy to a check that only looks at the status.
#[tokio::test]
async fn the_check_of_the_failover_switch_looks_for_its_word() {
    let cloud = cloud();
    let stack = open(&cloud, &toml(Mode::Layered), None).await;
    applied(&stack).await.unwrap();
    let checks = stack.session.route53().list_health_checks().send().await.unwrap().health_checks;
    let configs = checks.iter().filter_map(|check| check.health_check_config());
    let stop = configs.clone().find(|config| config.resource_path() == Some("/.well-known/twinsite/stop.txt")).unwrap();
    assert_eq!((stop.r#type.as_str(), stop.search_string()), ("HTTP_STR_MATCH", Some("stop")));
}

#[tokio::test]
async fn a_downgrade_of_tls_is_shown_from_the_value_before_to_the_value_after() {
    let cloud = cloud();
    let stack = open(&cloud, &toml(Mode::Layered), None).await;
    applied(&stack).await.unwrap();
    let cloudfront = stack.session.cloudfront();
    let id =
        cloudfront.list_distributions().send().await.unwrap().distribution_list.unwrap().items.unwrap().remove(0).id;
    let read = cloudfront.get_distribution_config().id(&id).send().await.unwrap();
    let mut config = read.distribution_config.unwrap();
    let version = aws_sdk_cloudfront::types::MinimumProtocolVersion::TlSv1;
    config.viewer_certificate.as_mut().unwrap().minimum_protocol_version = Some(version);
    let update = cloudfront.update_distribution().id(&id).if_match(read.e_tag.unwrap());
    update.distribution_config(config).send().await.unwrap();
    let summary = stack.plan(AdoptBuckets::Refuse).await.unwrap().summary();
    let shown: Vec<_> =
        summary.steps[0].changes.iter().map(|c| (&*c.property, c.before.as_deref(), c.after.as_deref())).collect();
    assert_eq!(shown, [("ViewerCertificate.MinimumProtocolVersion", Some("TLSv1"), Some("TLSv1.2_2021"))]);
}

#[tokio::test]
async fn logs_need_a_bucket_with_acls_which_is_found_out_before_anything_is_changed() {
    let cloud = cloud();
    let text = format!("{}[cdn]\nlog_bucket = \"logs-of-us\"\nlog_prefix = \"cdn/\"\n", toml(Mode::Layered));
    let stack = open(&cloud, &text, None).await;
    let refused = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(refused.to_string().contains("`logs-of-us` for logs of CloudFront does not exist"), "{refused}");
    let s3 = stack.session.s3(&stack.site.regions.primary);
    s3.create_bucket().bucket("logs-of-us").send().await.unwrap();
    let refused = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(refused.to_string().contains("has no ACLs"), "{refused}");
    assert!(refused.hints[0].contains("put-bucket-ownership-controls"), "{refused:?}");
    let rule =
        OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerPreferred).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    s3.put_bucket_ownership_controls().bucket("logs-of-us").ownership_controls(controls).send().await.unwrap();
    applied(&stack).await.unwrap();
    assert_eq!(steps(&stack).await, [""; 0]);
    let cloudfront = stack.session.cloudfront();
    let id =
        cloudfront.list_distributions().send().await.unwrap().distribution_list.unwrap().items.unwrap().remove(0).id;
    let read = cloudfront.get_distribution_config().id(&id).send().await.unwrap();
    let logging = read.distribution_config.unwrap().logging.unwrap();
    assert_eq!((logging.bucket(), logging.prefix()), ("logs-of-us.s3.amazonaws.com", "cdn/"));
    // Without the key it is left as it is, and "none" removes it.
    let unset = open(&cloud, &toml(Mode::Layered), None).await;
    assert_eq!(steps(&unset).await, [""; 0]);
    let none = open(&cloud, &format!("{}[cdn]\nlog_bucket = \"none\"\n", toml(Mode::Layered)), None).await;
    let plan = none.plan(AdoptBuckets::Refuse).await.unwrap().summary();
    let removed = &plan.steps[0].changes[0];
    assert_eq!(
        (&*removed.property, removed.before.as_deref(), removed.after.as_deref()),
        ("Logging", Some("logs-of-us.s3.amazonaws.com/cdn/"), None)
    );
    applied(&none).await.unwrap();
    assert_eq!(steps(&none).await, [""; 0]);
}

/// The embedded name servers answer for the newer of two zones with one name, as if the registrar delegated to that one.
#[tokio::test]
async fn a_zone_that_is_not_delegated_to_is_named_before_anything_is_created() {
    use twinsite_local::dataplane::DataPlane;
    let cloud = cloud();
    let first = open(&cloud, &toml(Mode::Layered), None).await;
    let route53 = first.session.route53();
    let own = route53.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let other = create_zone(&route53, "example.com", "another").await;
    let ports = twinsite_local::Ports { dns: 0, http: 0, https: 0 };
    let ready = DataPlane::open(&cloud, None, ports, 1).await.unwrap();
    let (endpoints, stop) = (ready.endpoints().clone(), tokio_util::sync::CancellationToken::new());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(ready.run(stop.clone()));
    let network = || twinsite_site::ProbeNetwork {
        name_servers: vec![std::net::SocketAddr::new(endpoints.name_server, endpoints.ports.dns)],
        http: endpoints.ports.http,
        https: endpoints.ports.https,
        roots: twinsite_dns_failover::probe::TrustStore::from_pem(&endpoints.authority).unwrap(),
        speed: 1,
    };
    let in_zone = |zone: &str| format!("{}[dns]\nzone_id = \"{zone}\"\n", toml(Mode::Layered));
    let wrong = open_with(&cloud, &in_zone(&own), None, Network::Given(network())).await;
    let named = warnings(&wrong).await;
    for part in
        ["`example.com` is delegated to ns-", "ACM cannot see the validation record", "enter the zone's name servers"]
    {
        assert!(named.contains(part), "{part}\n{named}");
    }
    let right = open_with(&cloud, &in_zone(&other), None, Network::Given(network())).await;
    assert_eq!(warnings(&right).await, "");
    stop.cancel();
}
