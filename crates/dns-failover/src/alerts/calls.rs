//! One function per SNS and CloudWatch operation, named like it.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, Statistic, Tag as AlarmTag};
use aws_sdk_sns::types::Tag;
use twinsite_aws::{AwsError, Tags};
use twinsite_core::Outputs;

use super::alarm::Alarm;
use super::model::{ActualAlarm, Topic, subscription_tag};
use super::wire;
use crate::calls::call;

/// The alarms whose names start with a prefix, with their tags, by name.
pub(super) async fn list_alarms(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    prefix: &str,
) -> Result<BTreeMap<String, ActualAlarm>, AwsError> {
    let mut alarms = BTreeMap::new();
    for alarm in describe_alarms(cloudwatch, prefix).await? {
        let arn = alarm.alarm_arn().unwrap_or_default();
        let tags = call!("ListTagsForResource", arn, cloudwatch.list_tags_for_resource().resource_arn(arn));
        let tags = AwsError::absent(tags)?.and_then(|response| response.tags).unwrap_or_default().into_iter();
        let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
        let state = alarm.state_value().map_or("", |state| state.as_str()).to_owned();
        let actual = ActualAlarm { tags, state, properties: wire::properties(&alarm) };
        alarms.insert(alarm.alarm_name.unwrap_or_default(), actual);
    }
    Ok(alarms)
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
async fn describe_alarms(cloudwatch: &aws_sdk_cloudwatch::Client, prefix: &str) -> Result<Vec<MetricAlarm>, AwsError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let request = cloudwatch.describe_alarms().alarm_name_prefix(prefix).set_next_token(token);
        let page = call!("DescribeAlarms", prefix, request)?;
        all.extend(page.metric_alarms.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// The topic with its tags and email subscriptions; `None` if it does not exist.
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>
pub(super) async fn find_topic(sns: &aws_sdk_sns::Client, arn: &str) -> Result<Option<Topic>, AwsError> {
    let tags = call!("ListTagsForResource", arn, sns.list_tags_for_resource().resource_arn(arn));
    let Some(tags) = AwsError::absent(tags)? else { return Ok(None) };
    let tags = tags.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    let (mut emails, mut token) = (BTreeMap::new(), None);
    loop {
        let request = sns.list_subscriptions_by_topic().topic_arn(arn).set_next_token(token);
        let page = call!("ListSubscriptionsByTopic", arn, request)?;
        let subscriptions = page.subscriptions.unwrap_or_default().into_iter();
        emails.extend(subscriptions.filter(|subscription| subscription.protocol() == Some("email")).map(
            |subscription| {
                // Until the owner has confirmed, this is the text `PendingConfirmation`.
                let confirmed = subscription.subscription_arn.filter(|arn| arn.starts_with("arn:"));
                (subscription.endpoint.unwrap_or_default(), confirmed)
            },
        ));
        token = page.next_token;
        if token.is_none() {
            return Ok(Some(Topic { tags, emails }));
        }
    }
}

/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
pub(super) async fn create_topic(sns: &aws_sdk_sns::Client, name: &str, tags: &Tags) -> Result<(), AwsError> {
    const OPERATION: &str = "CreateTopic";
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = tags.collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|error| AwsError::unexpected(OPERATION, name, error))?;
    call!(OPERATION, name, sns.create_topic().name(name).set_tags(Some(tags))).map(drop)
}

/// <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>
pub(super) async fn subscribe(sns: &aws_sdk_sns::Client, topic: &str, email: &str) -> Result<(), AwsError> {
    // The tag first: a subscription without it would never be deleted.
    if let Some(key) = subscription_tag(email) {
        let tag = Tag::builder().key(key).value("subscribed").build();
        let tag = tag.map_err(|error| AwsError::unexpected("TagResource", topic, error))?;
        call!("TagResource", topic, sns.tag_resource().resource_arn(topic).tags(tag))?;
    }
    let request = sns.subscribe().topic_arn(topic).protocol("email").endpoint(email);
    call!("Subscribe", topic, request).map(drop)
}

/// <https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html>
pub(super) async fn unsubscribe(
    sns: &aws_sdk_sns::Client,
    topic: &str,
    email: &str,
    subscription: Option<&str>,
) -> Result<(), AwsError> {
    if let Some(arn) = subscription {
        let response = call!("Unsubscribe", topic, sns.unsubscribe().subscription_arn(arn));
        AwsError::absent(response.map(drop))?;
    }
    let key = subscription_tag(email).unwrap_or_default();
    call!("UntagResource", topic, sns.untag_resource().resource_arn(topic).tag_keys(key)).map(drop)
}

/// <https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html>
pub(super) async fn delete_topic(sns: &aws_sdk_sns::Client, topic: &str) -> Result<(), AwsError> {
    AwsError::absent(call!("DeleteTopic", topic, sns.delete_topic().topic_arn(topic)).map(drop)).map(drop)
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
pub(super) async fn put_metric_alarm(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    alarm: &Alarm,
    tags: &Tags,
    outputs: &Outputs,
) -> Result<(), AwsError> {
    const OPERATION: &str = "PutMetricAlarm";
    let dimensions = wire::dimensions(alarm, outputs).map_err(|error| error.into_aws(OPERATION, &alarm.name))?;
    let tags = tags.iter().map(|(key, value)| AlarmTag::builder().key(key).value(value).build()).collect();
    let request = cloudwatch
        .put_metric_alarm()
        .alarm_name(&alarm.name)
        .alarm_description(alarm.description)
        .namespace(alarm.namespace)
        .metric_name(alarm.metric)
        .set_dimensions(Some(dimensions))
        .statistic(Statistic::from(alarm.statistic))
        .period(alarm.period)
        .evaluation_periods(alarm.evaluation_periods)
        .comparison_operator(ComparisonOperator::from(alarm.comparison))
        .threshold(f64::from(alarm.threshold))
        .treat_missing_data(alarm.missing_data)
        .alarm_actions(&alarm.topic)
        .set_tags(Some(tags));
    call!(OPERATION, &alarm.name, request).map(drop)
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html>
pub(super) async fn delete_alarm(cloudwatch: &aws_sdk_cloudwatch::Client, name: &str) -> Result<(), AwsError> {
    let response = call!("DeleteAlarms", name, cloudwatch.delete_alarms().alarm_names(name));
    AwsError::absent(response.map(drop)).map(drop)
}
