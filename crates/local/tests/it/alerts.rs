//! SNS and CloudWatch, through the SDK.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Statistic, Tag as AlarmTag};
use aws_sdk_sns::types::Tag;
use twinsite_local::Cloud;

use crate::{code, session};

#[tokio::test]
async fn topics_are_idempotent_and_subscriptions_await_confirmation() {
    let cloud = Cloud::memory();
    let region = "us-west-2".parse().unwrap();
    let sns = session(&cloud).await.sns(&region);
    let tag = |value: &str| Tag::builder().key("k").value(value).build().unwrap();
    let create = |value: &str| sns.create_topic().name("t").tags(tag(value)).send();
    let arn = create("v").await.unwrap().topic_arn.unwrap();
    assert_eq!(arn, "arn:aws:sns:us-west-2:000000000000:t");
    assert_eq!(create("v").await.unwrap().topic_arn.unwrap(), arn);
    assert_eq!(code(create("w").await), "InvalidParameter");
    for _ in 0..2 {
        let subscribe = sns.subscribe().topic_arn(&arn).protocol("email").endpoint("a@example.com").send().await;
        assert_eq!(subscribe.unwrap().subscription_arn.unwrap(), "pending confirmation");
    }
    let listed =
        async || sns.list_subscriptions_by_topic().topic_arn(&arn).send().await.unwrap().subscriptions.unwrap();
    assert_eq!(listed().await[0].subscription_arn(), Some("PendingConfirmation"));
    cloud.world().change_account(|account, _| account.sns.confirm(&arn, "a@example.com")).unwrap();
    let confirmed = listed().await[0].subscription_arn.clone().unwrap();
    assert!(confirmed.starts_with(&arn));
    assert_eq!(sns.list_tags_for_resource().resource_arn(&arn).send().await.unwrap().tags()[0].value(), "v");
    sns.unsubscribe().subscription_arn(confirmed).send().await.unwrap();
    assert!(listed().await.is_empty());
    sns.delete_topic().topic_arn(&arn).send().await.unwrap();
    assert_eq!(code(sns.get_topic_attributes().topic_arn(&arn).send().await), "NotFound");
}

#[tokio::test]
async fn alarms_are_created_described_tagged_and_deleted_per_region() {
    let cloud = Cloud::memory();
    let session = session(&cloud).await;
    let alarms = session.cloudwatch(&"us-east-1".parse().unwrap());
    let dimension = Dimension::builder().name("HealthCheckId").value("h").build();
    let put = alarms.put_metric_alarm().alarm_name("a-1").namespace("AWS/Route53").metric_name("HealthCheckStatus");
    let put = put.statistic(Statistic::Minimum).period(60).evaluation_periods(1).threshold(1.0).dimensions(dimension);
    let put = put.comparison_operator(ComparisonOperator::LessThanThreshold);
    put.clone().tags(AlarmTag::builder().key("k").value("v").build()).send().await.unwrap();
    put.alarm_name("b").send().await.unwrap();
    let found = alarms.describe_alarms().alarm_name_prefix("a-").send().await.unwrap().metric_alarms.unwrap();
    assert_eq!((found.len(), found[0].threshold(), found[0].period()), (1, Some(1.0), Some(60)));
    assert_eq!(found[0].dimensions()[0].value(), Some("h"));
    let tags = alarms.list_tags_for_resource().resource_arn(found[0].alarm_arn().unwrap()).send().await.unwrap();
    assert_eq!(tags.tags()[0].value(), Some("v"));
    let elsewhere = session.cloudwatch(&"us-west-2".parse().unwrap());
    assert!(elsewhere.describe_alarms().send().await.unwrap().metric_alarms().is_empty());
    let page = alarms.describe_alarms().max_records(1).send().await.unwrap();
    assert!(page.next_token.is_some());
    assert_eq!(code(alarms.delete_alarms().alarm_names("none").send().await), "ResourceNotFound");
    alarms.delete_alarms().alarm_names("a-1").alarm_names("b").send().await.unwrap();
    assert!(alarms.describe_alarms().send().await.unwrap().metric_alarms().is_empty());
}
