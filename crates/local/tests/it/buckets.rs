use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, DeleteMarkerReplication,
    DeleteMarkerReplicationStatus, Destination, IndexDocument, ObjectOwnership, PublicAccessBlockConfiguration,
    ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus, Tag,
    VersioningConfiguration, WebsiteConfiguration,
};
use twinsite_local::Cloud;

use crate::{code, put, s3, session, site};

fn located(region: &str) -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
}

#[tokio::test]
async fn location_constraints_must_match_the_endpoint() {
    let cloud = Cloud::memory();
    let (east, west) = (s3(&cloud, "us-east-1").await, s3(&cloud, "us-west-2").await);
    let bare = west.create_bucket().bucket("west").send().await;
    assert_eq!(code(bare), "IllegalLocationConstraintException");
    let elsewhere = east.create_bucket().bucket("west").create_bucket_configuration(located("us-west-2")).send().await;
    assert_eq!(code(elsewhere), "IllegalLocationConstraintException");
    west.create_bucket().bucket("west").create_bucket_configuration(located("us-west-2")).send().await.unwrap();
    east.create_bucket().bucket("east").send().await.unwrap();
    assert_eq!(west.head_bucket().bucket("west").send().await.unwrap().bucket_region(), Some("us-west-2"));
    let location = east.get_bucket_location().bucket("west").send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "us-west-2");
}

#[tokio::test]
async fn bucket_names_are_unique_in_all_regions_and_accounts() {
    let cloud = Cloud::memory();
    cloud.world().s3().create_bucket("theirs", "eu-west-1", "999999999999").unwrap();
    let (east, west) = (s3(&cloud, "us-east-1").await, s3(&cloud, "us-west-2").await);
    assert_eq!(code(east.create_bucket().bucket("theirs").send().await), "BucketAlreadyExists");
    east.create_bucket().bucket("mine").send().await.unwrap();
    east.create_bucket().bucket("mine").send().await.unwrap();
    let again = west.create_bucket().bucket("mine").create_bucket_configuration(located("us-west-2")).send().await;
    assert_eq!(code(again), "BucketAlreadyOwnedByYou");
}

#[tokio::test]
async fn tags_and_object_ownership_are_set_by_the_creation() {
    let cloud = Cloud::memory();
    let s3 = s3(&cloud, "us-east-1").await;
    let create = async |value: &str| {
        let tag = Tag::builder().key("a key").value(value).build().unwrap();
        let configuration = CreateBucketConfiguration::builder().tags(tag).build();
        let request = s3.create_bucket().bucket("site").create_bucket_configuration(configuration);
        request.object_ownership(ObjectOwnership::ObjectWriter).send().await.unwrap();
    };
    create("<1> & 2").await;
    // A repeated creation changes nothing.
    create("3").await;
    let tags = s3.get_bucket_tagging().bucket("site").send().await.unwrap().tag_set;
    assert_eq!(tags.iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(), [("a key", "<1> & 2")]);
    let controls = s3.get_bucket_ownership_controls().bucket("site").send().await.unwrap().ownership_controls.unwrap();
    assert_eq!(controls.rules()[0].object_ownership(), &ObjectOwnership::ObjectWriter);
}

#[tokio::test]
async fn a_bucket_answers_in_its_own_region_only() {
    let (cloud, _) = site().await;
    let west = s3(&cloud, "us-west-2").await;
    assert_eq!(code(west.list_objects_v2().bucket("site").send().await), "PermanentRedirect");
}

#[tokio::test]
async fn new_buckets_are_private_and_reject_public_policies_while_blocked() {
    let (cloud, s3) = site().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::site/*"}]}"#;
    let put = || s3.put_bucket_policy().bucket("site").policy(policy).send();
    assert_eq!(code(put().await), "AccessDenied");
    let open = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
    s3.put_public_access_block().bucket("site").public_access_block_configuration(open).send().await.unwrap();
    put().await.unwrap();
    let text = s3.get_bucket_policy().bucket("site").send().await.unwrap().policy.unwrap();
    assert_eq!(text, policy);
    assert!(cloud.world().s3().anonymous_may_read("site", "k"));
    let account = session(&cloud).await.s3control(&"us-east-1".parse().unwrap());
    let all = aws_sdk_s3control::types::PublicAccessBlockConfiguration::builder()
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build();
    let block = account.put_public_access_block().account_id("000000000000");
    block.public_access_block_configuration(all).send().await.unwrap();
    assert_eq!(code(put().await), "AccessDenied");
    assert!(!cloud.world().s3().anonymous_may_read("site", "k"));
}

#[tokio::test]
async fn missing_configurations_have_s3_error_codes() {
    let (_, s3) = site().await;
    assert_eq!(code(s3.get_bucket_policy().bucket("site").send().await), "NoSuchBucketPolicy");
    assert_eq!(code(s3.get_bucket_website().bucket("site").send().await), "NoSuchWebsiteConfiguration");
    assert_eq!(code(s3.get_bucket_tagging().bucket("site").send().await), "NoSuchTagSet");
    let lifecycle = s3.get_bucket_lifecycle_configuration().bucket("site").send().await;
    assert_eq!(code(lifecycle), "NoSuchLifecycleConfiguration");
    assert_eq!(code(s3.get_bucket_website().bucket("none").send().await), "NoSuchBucket");
    assert!(s3.get_bucket_encryption().bucket("site").send().await.is_ok());
    assert!(s3.get_bucket_ownership_controls().bucket("site").send().await.is_ok());
}

#[tokio::test]
async fn website_configurations_are_validated_and_returned() {
    let (_, s3) = site().await;
    let site = |suffix: &str| {
        let index = IndexDocument::builder().suffix(suffix).build().unwrap();
        WebsiteConfiguration::builder().index_document(index).build()
    };
    let bad = s3.put_bucket_website().bucket("site").website_configuration(site("a/b.html")).send().await;
    assert_eq!(code(bad), "InvalidArgument");
    s3.put_bucket_website().bucket("site").website_configuration(site("index.html")).send().await.unwrap();
    let got = s3.get_bucket_website().bucket("site").send().await.unwrap();
    assert_eq!(got.index_document().unwrap().suffix(), "index.html");
}

#[tokio::test]
async fn a_bucket_with_versions_is_not_deleted() {
    let (_, s3) = site().await;
    let id = put(&s3, "k", "v").await;
    assert_eq!(code(s3.delete_bucket().bucket("site").send().await), "BucketNotEmpty");
    s3.delete_object().bucket("site").key("k").version_id(id).send().await.unwrap();
    s3.delete_bucket().bucket("site").send().await.unwrap();
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let cloud = Cloud::memory();
    assert_eq!(session(&cloud).await.caller().await.unwrap().account.as_str(), "000000000000");
    let config = s3(&cloud, "us-east-1").await.config().to_builder();
    let wrong = |key: &'static str, secret: &'static str| {
        let keys = aws_sdk_s3::config::Credentials::new(key, secret, None, None, "test");
        aws_sdk_s3::Client::from_conf(config.clone().credentials_provider(keys).build())
    };
    assert_eq!(code(wrong("nobody", "x").list_buckets().send().await), "InvalidAccessKeyId");
    assert_eq!(code(wrong("embedded", "x").list_buckets().send().await), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn replication_requires_versioning_on_both_sides_a_role_and_complete_rules() {
    let (cloud, east) = site().await;
    let west = s3(&cloud, "us-west-2").await;
    west.create_bucket().bucket("twin").create_bucket_configuration(located("us-west-2")).send().await.unwrap();
    let destination = Destination::builder().bucket("arn:aws:s3:::twin").build().unwrap();
    let rule = ReplicationRule::builder().id("all").status(ReplicationRuleStatus::Enabled).destination(destination);
    let rule = rule.filter(ReplicationRuleFilter::builder().prefix("").build());
    let whole = rule.clone().priority(1).delete_marker_replication(
        DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Enabled).build(),
    );
    let role = "arn:aws:iam::000000000000:role/r";
    let put = async |rule: aws_sdk_s3::types::builders::ReplicationRuleBuilder| {
        let rules = ReplicationConfiguration::builder().role(role).rules(rule.build().unwrap()).build().unwrap();
        east.put_bucket_replication().bucket("site").replication_configuration(rules).send().await
    };
    assert_eq!(code(put(whole.clone()).await), "InvalidRequest");
    let trust = r#"{"Statement":[]}"#;
    let iam = session(&cloud).await.iam();
    iam.create_role().role_name("r").assume_role_policy_document(trust).send().await.unwrap();
    assert!(format!("{:?}", put(whole.clone()).await.unwrap_err()).contains("Destination bucket must have versioning"));
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    west.put_bucket_versioning().bucket("twin").versioning_configuration(enabled).send().await.unwrap();
    assert_eq!(code(put(rule).await), "InvalidRequest");
    assert_eq!(
        code(east.get_bucket_replication().bucket("site").send().await),
        "ReplicationConfigurationNotFoundError"
    );
    put(whole).await.unwrap();
    let read = east.get_bucket_replication().bucket("site").send().await.unwrap().replication_configuration.unwrap();
    assert_eq!((read.role.as_str(), read.rules[0].priority), (role, Some(1)));
    east.delete_bucket_replication().bucket("site").send().await.unwrap();
    assert!(east.get_bucket_replication().bucket("site").send().await.is_err());
}

#[tokio::test]
async fn tags_are_the_same_through_s3_control() {
    let cloud = Cloud::memory();
    let s3 = s3(&cloud, "us-west-2").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let configuration = CreateBucketConfiguration::builder().location_constraint("us-west-2".into());
    let create = s3.create_bucket().bucket("tagged");
    create.create_bucket_configuration(configuration.tags(tag("own", "a & b")).build()).send().await.unwrap();
    let control = session(&cloud).await.s3control(&"us-west-2".parse().unwrap());
    let (account, arn) = ("000000000000", "arn:aws:s3:::tagged");
    let list = control.list_tags_for_resource().account_id(account).resource_arn(arn).send().await.unwrap();
    assert_eq!(list.tags()[0].value(), "a & b");
    let more = aws_sdk_s3control::types::Tag::builder().key("more").value("1").build().unwrap();
    control.tag_resource().account_id(account).resource_arn(arn).tags(more).send().await.unwrap();
    let untag = control.untag_resource().account_id(account).resource_arn(arn).tag_keys("own");
    untag.send().await.unwrap();
    let tags = s3.get_bucket_tagging().bucket("tagged").send().await.unwrap();
    assert_eq!(tags.tag_set(), [tag("more", "1")]);
}

#[tokio::test]
async fn buckets_with_object_lock_are_refused() {
    let s3 = s3(&Cloud::memory(), "us-east-1").await;
    let lock = s3.create_bucket().bucket("locked").object_lock_enabled_for_bucket(true);
    assert_eq!(code(lock.send().await), "NotImplemented");
}
