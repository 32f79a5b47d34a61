use aws_sdk_s3::types::{
    CorsConfiguration, CorsRule, ExpirationStatus, IndexDocument, LifecycleRule, LifecycleRuleFilter, Redirect,
    RoutingRule, Tag, Tagging, WebsiteConfiguration,
};
use twinsite_core::{Mode, Pair};
use twinsite_local::s3::{BucketSettings, Doc, PublicAccessBlock, Versioning};
use twinsite_local::{Cloud, Delays};
use twinsite_s3_site::{ActualBucket, Adopt, Conflict, plan_changes};

use crate::{applied, desired, destroyed, planned, s3_site};

type Drift = (&'static str, fn(&mut BucketSettings));

#[tokio::test]
async fn a_second_plan_is_empty_in_every_mode_and_destroy_leaves_nothing() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        let (cloud, desired) = (Cloud::memory(), desired(mode));
        let s3 = s3_site(&cloud).await;
        applied(&s3, &desired).await.unwrap();
        assert!(planned(&s3, &desired).await.is_empty(), "{mode}");
        destroyed(&s3, &desired).await;
        assert!(cloud.world().s3().buckets(twinsite_local::ACCOUNT).is_empty());
    }
}

#[tokio::test]
async fn each_setting_changed_behind_our_back_is_found_and_put_back() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    let s3 = s3_site(&cloud).await;
    applied(&s3, &desired).await.unwrap();
    let drifts: [Drift; 7] = [
        ("versioning", |s| s.versioning = Versioning::Suspended),
        ("access-block", |s| s.block = PublicAccessBlock::ALL),
        ("policy", |s| s.policy = None),
        ("website", |s| drop(s.docs.remove(&Doc::Website))),
        ("lifecycle", |s| drop(s.docs.remove(&Doc::Lifecycle))),
        ("encryption", |s| drop(s.docs.remove(&Doc::Encryption))),
        ("ownership", |s| drop(s.docs.remove(&Doc::Ownership))),
    ];
    for (name, drift) in drifts {
        cloud.world().s3().update_bucket("www.example.com", drift).unwrap();
        let plan = planned(&s3, &desired).await;
        assert_eq!(plan.steps().map(|s| s.id.to_string()).collect::<Vec<_>>(), [format!("backup/{name}")]);
        applied(&s3, &desired).await.unwrap();
        assert!(planned(&s3, &desired).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn the_role_its_rule_and_the_probes_are_put_right_too() {
    let (cloud, mut desired) = (Cloud::memory(), desired(Mode::Layered));
    let s3 = s3_site(&cloud).await;
    applied(&s3, &desired).await.unwrap();
    let role = cloud.world().account(|account, _| account.iam.roles().next().unwrap().name.clone());
    let primary = desired.site.buckets.primary.to_string();
    let change = |change: &dyn Fn(&mut twinsite_local::Account)| {
        let changed: Result<(), twinsite_local::ServiceError> = cloud.world().change_account(|account, _| {
            change(account);
            Ok(())
        });
        changed.unwrap();
    };
    let ids =
        async |desired: &_| planned(&s3, desired).await.steps().map(|step| step.id.to_string()).collect::<Vec<_>>();
    change(&|account| account.iam.put_trust(&role, r#"{"Statement":[]}"#).unwrap());
    assert_eq!(ids(&desired).await, ["replication/trust"]);
    change(&|account| account.iam.put_role_policy(&role, "replicate", r#"{"Statement":[]}"#).unwrap());
    assert_eq!(ids(&desired).await, ["replication/permissions", "replication/trust"]);
    cloud.world().s3().update_bucket(&primary, |s| drop(s.docs.remove(&Doc::Replication))).unwrap();
    applied(&s3, &desired).await.unwrap();
    assert_eq!(ids(&desired).await, [""; 0]);
    let client = aws_client(&cloud).await;
    let probe = twinsite_core::probe::HEALTH;
    client.put_object().bucket("www.example.com").key(probe).body(b"x".to_vec().into()).send().await.unwrap();
    assert_eq!(ids(&desired).await, ["backup/probes"]);
    applied(&s3, &desired).await.unwrap();
    desired.replicate_back = true;
    let both = ["replication/permissions", "backup/replication", "primary/replication"];
    assert_eq!(ids(&desired).await, both);
    applied(&s3, &desired).await.unwrap();
    desired.time_control = true;
    assert_eq!(ids(&desired).await, ["backup/replication", "primary/replication"]);
    applied(&s3, &desired).await.unwrap();
    (desired.replicate_back, desired.time_control) = (false, false);
    applied(&s3, &desired).await.unwrap();
    assert_eq!(ids(&desired).await, [""; 0]);
    destroyed(&s3, &desired).await;
    assert_eq!(cloud.world().account(|account, _| account.iam.roles().count()), 0);
}

#[tokio::test]
async fn a_trust_policy_with_conditions_is_replaced_because_it_stops_replication() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    cloud.world().set_delays(Delays::NONE);
    let (s3, site) = (s3_site(&cloud).await, &desired.site);
    applied(&s3, &desired).await.unwrap();
    let role = cloud.world().account(|account, _| account.iam.roles().next().unwrap().clone());
    let condition = r#""Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}},"Effect""#;
    let conditional = role.trust.replace("\"Effect\"", condition);
    cloud.world().change_account(|account, _| account.iam.put_trust(&role.name, &conditional)).unwrap();
    s3.put_replication_probe(site, "1").await.unwrap();
    assert!(!s3.has_replication_probe(site, "1").await.unwrap());
    let ids: Vec<String> = planned(&s3, &desired).await.steps().map(|step| step.id.to_string()).collect();
    assert_eq!(ids, ["replication/trust"]);
    applied(&s3, &desired).await.unwrap();
    s3.put_replication_probe(site, "2").await.unwrap();
    assert!(s3.has_replication_probe(site, "2").await.unwrap());
}

#[tokio::test]
async fn replication_rules_of_others_stay_and_another_role_stands_in_the_way() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    let s3 = s3_site(&cloud).await;
    applied(&s3, &desired).await.unwrap();
    let primary = desired.site.buckets.primary.as_str();
    let session = session(&cloud).await;
    let east = session.s3(&"us-east-1".parse().unwrap());
    let mut rules = rules_of(&east, primary).await;
    let mut theirs = rules.rules[0].clone();
    theirs.id = Some("theirs".into());
    theirs.priority = Some(7);
    rules.rules = vec![theirs];
    let put = async |rules| east.put_bucket_replication().bucket(primary).replication_configuration(rules).send().await;
    put(rules.clone()).await.unwrap();
    applied(&s3, &desired).await.unwrap();
    let now = rules_of(&east, primary).await;
    let ids: Vec<_> = now.rules().iter().map(|rule| (rule.id().unwrap(), rule.priority().unwrap())).collect();
    assert_eq!(ids, [("theirs", 7), ("twinsite", 8)]);
    let other = session.iam().create_role().role_name("other").assume_role_policy_document(r#"{"Statement":[]}"#);
    rules.role = other.send().await.unwrap().role.unwrap().arn;
    put(rules).await.unwrap();
    let conflicts = plan_changes(&desired, &s3.observe(&desired).await.unwrap()).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::OtherReplication { .. }]), "{conflicts:?}");
}

async fn rules_of(client: &aws_sdk_s3::Client, bucket: &str) -> aws_sdk_s3::types::ReplicationConfiguration {
    client.get_bucket_replication().bucket(bucket).send().await.unwrap().replication_configuration.unwrap()
}

async fn session(cloud: &Cloud) -> twinsite_aws_session::Session {
    let access = twinsite_aws_session::Access { embedded: Some(cloud.http_client()), ..Default::default() };
    twinsite_aws_session::Session::open(access).await.unwrap()
}

#[tokio::test]
async fn settings_of_others_on_our_bucket_stay() {
    let (cloud, mut desired) = (Cloud::memory(), desired(Mode::Dns));
    let s3 = s3_site(&cloud).await;
    applied(&s3, &desired).await.unwrap();
    let client = aws_client(&cloud).await;
    let bucket = "www.example.com";
    let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("*").build().unwrap();
    let cors = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
    client.put_bucket_cors().bucket(bucket).cors_configuration(cors).send().await.unwrap();
    let redirect = RoutingRule::builder().redirect(Redirect::builder().replace_key_with("x").build()).build();
    let index = IndexDocument::builder().suffix("other.html").build().unwrap();
    let website = WebsiteConfiguration::builder().index_document(index).routing_rules(redirect).build();
    client.put_bucket_website().bucket(bucket).website_configuration(website).send().await.unwrap();
    let lifecycle = client.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
    let theirs = LifecycleRule::builder().id("theirs").status(ExpirationStatus::Disabled);
    let theirs = theirs.filter(LifecycleRuleFilter::builder().prefix("tmp/").build()).build().unwrap();
    let rules = lifecycle.rules().iter().cloned().chain([theirs]).collect();
    let rules = aws_sdk_s3::types::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    client.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(rules).send().await.unwrap();
    desired.index = "other.html".to_owned();
    applied(&s3, &desired).await.unwrap();
    assert!(planned(&s3, &desired).await.is_empty());
    assert!(client.get_bucket_cors().bucket(bucket).send().await.is_ok());
    let website = client.get_bucket_website().bucket(bucket).send().await.unwrap();
    assert_eq!((website.index_document().unwrap().suffix(), website.routing_rules().len()), ("other.html", 1));
    let rules = client.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
    assert!(rules.rules().iter().any(|rule| rule.id() == Some("theirs")));
}

async fn aws_client(cloud: &Cloud) -> aws_sdk_s3::Client {
    let access = twinsite_aws_session::Access { embedded: Some(cloud.http_client()), ..Default::default() };
    twinsite_aws_session::Session::open(access).await.unwrap().s3(&"us-west-2".parse().unwrap())
}

#[tokio::test]
async fn foreign_buckets_are_named_and_never_touched() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Dns));
    let s3 = s3_site(&cloud).await;
    cloud.world().s3().create_bucket("www.example.com", "us-west-2", twinsite_local::ACCOUNT).unwrap();
    let before = cloud.world().s3().bucket("www.example.com").unwrap();
    let conflicts = plan_changes(&desired, &s3.observe(&desired).await.unwrap()).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::Untagged { .. }]), "{conflicts:?}");
    destroyed(&s3, &desired).await;
    assert_eq!(cloud.world().s3().bucket("www.example.com").unwrap(), before);
}

#[tokio::test]
async fn an_adopted_bucket_keeps_its_tags_and_its_content_and_outlives_destroy() {
    let (cloud, mut desired) = (Cloud::memory(), desired(Mode::Dns));
    let s3 = s3_site(&cloud).await;
    cloud.world().s3().create_bucket("www.example.com", "us-west-2", twinsite_local::ACCOUNT).unwrap();
    let client = aws_client(&cloud).await;
    let tagging = Tagging::builder().tag_set(Tag::builder().key("team").value("web").build().unwrap());
    client.put_bucket_tagging().bucket("www.example.com").tagging(tagging.build().unwrap()).send().await.unwrap();
    client.put_object().bucket("www.example.com").key("theirs").send().await.unwrap();
    desired.adopt = Adopt::Adopt;
    applied(&s3, &desired).await.unwrap();
    assert!(planned(&s3, &desired).await.is_empty());
    destroyed(&s3, &desired).await;
    let tags = client.get_bucket_tagging().bucket("www.example.com").send().await.unwrap();
    assert_eq!(tags.tag_set().iter().map(Tag::key).collect::<Vec<_>>(), ["team"]);
    assert!(client.head_object().bucket("www.example.com").key("theirs").send().await.is_ok());
    assert!(client.get_bucket_policy().bucket("www.example.com").send().await.is_err());
}

#[tokio::test]
async fn the_accounts_block_is_noticed_before_anything_is_created() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Layered));
    let s3 = s3_site(&cloud).await;
    cloud.world().set_account_block(Some(PublicAccessBlock::ALL)).unwrap();
    let conflicts = plan_changes(&desired, &s3.observe(&desired).await.unwrap()).unwrap_err().0;
    assert_eq!(conflicts.len(), 2);
    assert!(conflicts[0].hint().contains("mode = \"origin\""));
    assert!(cloud.world().s3().bucket("www.example.com").is_none());
}

#[tokio::test]
async fn a_bucket_in_the_wrong_region_is_found_there() {
    let (cloud, desired) = (Cloud::memory(), desired(Mode::Dns));
    cloud.world().s3().create_bucket("www.example.com", "eu-west-1", twinsite_local::ACCOUNT).unwrap();
    let actual = s3_site(&cloud).await.observe(&desired).await.unwrap();
    let expected = ActualBucket::OtherRegion("eu-west-1".into());
    assert_eq!(actual.buckets, Pair::new(ActualBucket::Absent, expected));
}
