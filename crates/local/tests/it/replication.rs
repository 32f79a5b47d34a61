//! Replication of objects that are created after the rule.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketVersioningStatus, DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination,
    EncryptionConfiguration, ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus,
    ServerSideEncryption, SourceSelectionCriteria, SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus,
    VersioningConfiguration,
};
use twinsite_local::Cloud;
use twinsite_local::s3::{Current, Versioning};
use twinsite_local::{Delays, Outages};

use crate::session;

const TRUST: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const MAY: &str = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

struct Pair {
    cloud: Cloud,
    from: Client,
    to: Client,
}

/// Two buckets and a rule; `early.txt` is older than the rule.
async fn pair(may: &str) -> Pair {
    pair_with(may, None).await
}

/// The same, with a key of KMS for replicas of objects that are encrypted with one.
async fn pair_with(may: &str, key: Option<&str>) -> Pair {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    let session = session(&cloud).await;
    let (from, to) = (session.s3(&"us-east-1".parse().unwrap()), session.s3(&"us-west-2".parse().unwrap()));
    from.create_bucket().bucket("origin").send().await.unwrap();
    let west = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint("us-west-2".into()).build();
    to.create_bucket().bucket("dest").create_bucket_configuration(west).send().await.unwrap();
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    from.put_bucket_versioning().bucket("origin").versioning_configuration(on.clone()).send().await.unwrap();
    to.put_bucket_versioning().bucket("dest").versioning_configuration(on).send().await.unwrap();
    from.put_object().bucket("origin").key("early.txt").send().await.unwrap();
    let iam = session.iam();
    let role = iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap().role.unwrap();
    iam.put_role_policy().role_name("r").policy_name("p").policy_document(may).send().await.unwrap();
    let markers = DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Enabled).build();
    let rule = ReplicationRule::builder()
        .priority(1)
        .filter(ReplicationRuleFilter::builder().prefix("").build())
        .status(ReplicationRuleStatus::Enabled)
        .delete_marker_replication(markers);
    let mut destination = Destination::builder().bucket("arn:aws:s3:::dest");
    let mut rule = rule;
    if let Some(key) = key {
        let encrypted = SseKmsEncryptedObjects::builder().status(SseKmsEncryptedObjectsStatus::Enabled).build();
        let criteria = SourceSelectionCriteria::builder().sse_kms_encrypted_objects(encrypted.unwrap()).build();
        let encryption = EncryptionConfiguration::builder().replica_kms_key_id(key).build();
        (rule, destination) =
            (rule.source_selection_criteria(criteria), destination.encryption_configuration(encryption));
    }
    let rule = rule.destination(destination.build().unwrap());
    let rules = ReplicationConfiguration::builder().role(role.arn).rules(rule.build().unwrap()).build().unwrap();
    from.put_bucket_replication().bucket("origin").replication_configuration(rules).send().await.unwrap();
    Pair { cloud, from, to }
}

async fn status(client: &Client, bucket: &str, key: &str) -> Option<String> {
    let head = client.head_object().bucket(bucket).key(key).send().await.ok()?;
    Some(head.replication_status().map_or_else(|| "none".to_owned(), |status| status.as_str().to_owned()))
}

#[tokio::test]
async fn objects_created_after_the_rule_are_replicated_with_id_time_and_headers() {
    let Pair { from, to, .. } = pair(MAY).await;
    let put =
        from.put_object().bucket("origin").key("a.html").content_type("text/html").website_redirect_location("/b");
    let put = put.body(b"page".to_vec().into()).send().await.unwrap();
    assert_eq!(status(&from, "origin", "a.html").await.unwrap(), "COMPLETED");
    let replica = to.get_object().bucket("dest").key("a.html").send().await.unwrap();
    assert_eq!(replica.replication_status().unwrap().as_str(), "REPLICA");
    assert_eq!(replica.version_id, put.version_id);
    assert_eq!((replica.content_type(), replica.website_redirect_location()), (Some("text/html"), None));
    assert_eq!(replica.body.collect().await.unwrap().to_vec(), b"page");
    assert_eq!(status(&to, "dest", "early.txt").await, None, "existing objects are not replicated");
    assert_eq!(status(&from, "origin", "early.txt").await.unwrap(), "none");
    from.delete_object().bucket("origin").key("a.html").send().await.unwrap();
    assert_eq!(status(&to, "dest", "a.html").await, None, "delete markers are replicated");
    let there = to.list_object_versions().bucket("dest").send().await.unwrap();
    assert_eq!((there.versions().len(), there.delete_markers().len()), (1, 1), "version deletions are not");
}

#[tokio::test]
async fn a_failed_replication_is_not_retried() {
    let Pair { cloud, from, to } =
        pair(r#"{"Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}"#).await;
    from.put_object().bucket("origin").key("a").send().await.unwrap();
    assert_eq!(status(&from, "origin", "a").await.unwrap(), "FAILED", "the role lacks permission");
    let Pair { cloud: other, from: east, .. } = pair(MAY).await;
    other.world().s3().update_bucket("dest", |settings| settings.versioning = Versioning::Suspended).unwrap();
    east.put_object().bucket("origin").key("a").send().await.unwrap();
    assert_eq!(status(&east, "origin", "a").await.unwrap(), "FAILED", "versioning is suspended there");
    assert_eq!((status(&to, "dest", "a").await, cloud.world().s3().backlog("origin")), (None, 0));
}

#[tokio::test]
async fn replication_is_pending_while_paused_or_a_region_is_out() {
    let Pair { cloud, from, to } = pair(MAY).await;
    cloud.world().set_outages(Outages { replication_paused: true, ..Outages::default() });
    from.put_object().bucket("origin").key("a").send().await.unwrap();
    assert_eq!(status(&from, "origin", "a").await.unwrap(), "PENDING");
    assert_eq!(cloud.world().s3().backlog("origin"), 1);
    cloud.world().set_outages(Outages { regions_out: ["us-west-2".to_owned()].into(), ..Outages::default() });
    assert_eq!(status(&from, "origin", "a").await.unwrap(), "PENDING");
    assert!(matches!(cloud.world().s3().current("dest", "a"), Ok(Current::Missing)));
    cloud.world().set_outages(Outages::default());
    assert_eq!(status(&to, "dest", "a").await.unwrap(), "REPLICA");
    assert_eq!(
        (status(&from, "origin", "a").await.unwrap().as_str(), cloud.world().s3().backlog("origin")),
        ("COMPLETED", 0)
    );
}

#[tokio::test]
async fn objects_encrypted_with_kms_are_replicated_when_the_rule_says_so() {
    let key = "arn:aws:kms:us-west-2:000000000000:key/replica";
    for (rule, expected) in [(None, None), (Some(key), Some(key))] {
        let Pair { from, to, .. } = pair_with(MAY, rule).await;
        let put = from.put_object().bucket("origin").key("k").server_side_encryption(ServerSideEncryption::AwsKms);
        put.send().await.unwrap();
        from.put_object().bucket("origin").key("plain").send().await.unwrap();
        assert_eq!(status(&to, "dest", "plain").await.as_deref(), Some("REPLICA"));
        let replica = to.head_object().bucket("dest").key("k").send().await.ok();
        assert_eq!(replica.and_then(|replica| replica.ssekms_key_id).as_deref(), expected);
    }
}
