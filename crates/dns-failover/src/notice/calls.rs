//! One function for each SNS and CloudWatch operation, by its AWS name.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, Statistic, Tag as AlarmTag};
use aws_sdk_sns::types::Tag;
use twinsite_aws::{AwsError, Tags};
use twinsite_core::Outputs;

use super::{Alarm, Found, Topic, mark, wire};

/// Both services in one region.
pub(super) struct Calls<'a> {
    pub(super) sns: &'a aws_sdk_sns::Client,
    pub(super) cloudwatch: &'a aws_sdk_cloudwatch::Client,
}

macro_rules! call {
    ($operation:literal, $subject:expr, $request:expr) => {
        Box::pin($request.send()).await.map_err(|error| AwsError::new($operation, $subject, error))
    };
}

impl Calls<'_> {
    /// The topic, and the alarms whose names begin so.
    pub(super) async fn observe(
        &self,
        topic: &str,
        prefix: &str,
    ) -> Result<(Option<Topic>, BTreeMap<String, Found>), AwsError> {
        let mut alarms = BTreeMap::new();
        for alarm in self.describe_alarms(prefix).await? {
            let arn = alarm.alarm_arn().unwrap_or_default();
            let tags = call!("ListTagsForResource", arn, self.cloudwatch.list_tags_for_resource().resource_arn(arn));
            let tags = AwsError::absent(tags)?.and_then(|answer| answer.tags).unwrap_or_default().into_iter();
            let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
            let state = alarm.state_value().map_or("", |state| state.as_str()).to_owned();
            let found = Found { tags, state, words: wire::words(&alarm) };
            alarms.insert(alarm.alarm_name.unwrap_or_default(), found);
        }
        Ok((self.topic(topic).await?, alarms))
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
    async fn describe_alarms(&self, prefix: &str) -> Result<Vec<MetricAlarm>, AwsError> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let request = self.cloudwatch.describe_alarms().alarm_name_prefix(prefix).set_next_token(token);
            let page = call!("DescribeAlarms", prefix, request)?;
            all.extend(page.metric_alarms.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn topic(&self, arn: &str) -> Result<Option<Topic>, AwsError> {
        let tags = call!("ListTagsForResource", arn, self.sns.list_tags_for_resource().resource_arn(arn));
        let Some(tags) = AwsError::absent(tags)? else { return Ok(None) };
        let tags = tags.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
        let (mut emails, mut token) = (BTreeMap::new(), None);
        loop {
            let request = self.sns.list_subscriptions_by_topic().topic_arn(arn).set_next_token(token);
            let page = call!("ListSubscriptionsByTopic", arn, request)?;
            let all = page.subscriptions.unwrap_or_default().into_iter();
            emails.extend(all.filter(|one| one.protocol() == Some("email")).map(|one| {
                let confirmed = one.subscription_arn.filter(|arn| arn.starts_with("arn:"));
                (one.endpoint.unwrap_or_default(), confirmed)
            }));
            token = page.next_token;
            if token.is_none() {
                return Ok(Some(Topic { tags, emails }));
            }
        }
    }

    /// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
    pub(super) async fn create_topic(&self, name: &str, tags: &Tags) -> Result<(), AwsError> {
        let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let set = set.collect::<Result<Vec<_>, _>>();
        let set = set.map_err(|error| AwsError::unexpected("CreateTopic", name, error))?;
        call!("CreateTopic", name, self.sns.create_topic().name(name).set_tags(Some(set))).map(drop)
    }

    /// <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>
    pub(super) async fn subscribe(&self, topic: &str, email: &str) -> Result<(), AwsError> {
        // The mark comes first: an address that is subscribed without it would stay for ever.
        if let Some(mark) = mark(email) {
            let tag = Tag::builder().key(mark).value("subscribed").build();
            let tag = tag.map_err(|error| AwsError::unexpected("TagResource", topic, error))?;
            call!("TagResource", topic, self.sns.tag_resource().resource_arn(topic).tags(tag))?;
        }
        let request = self.sns.subscribe().topic_arn(topic).protocol("email").endpoint(email);
        call!("Subscribe", topic, request).map(drop)
    }

    /// <https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html>
    pub(super) async fn unsubscribe(
        &self,
        topic: &str,
        email: &str,
        subscription: Option<&str>,
    ) -> Result<(), AwsError> {
        if let Some(arn) = subscription {
            let gone = call!("Unsubscribe", topic, self.sns.unsubscribe().subscription_arn(arn));
            AwsError::absent(gone.map(drop))?;
        }
        let mark = mark(email).unwrap_or_default();
        call!("UntagResource", topic, self.sns.untag_resource().resource_arn(topic).tag_keys(mark)).map(drop)
    }

    pub(super) async fn delete_topic(&self, topic: &str) -> Result<(), AwsError> {
        AwsError::absent(call!("DeleteTopic", topic, self.sns.delete_topic().topic_arn(topic)).map(drop)).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
    pub(super) async fn put_metric_alarm(&self, alarm: &Alarm, tags: &Tags, outputs: &Outputs) -> Result<(), AwsError> {
        let unmade = || AwsError::unexpected("PutMetricAlarm", &alarm.name, "what it watches was not made");
        let about = wire::dimensions(alarm, outputs).ok_or_else(unmade)?;
        let tags = tags.iter().map(|(key, value)| AlarmTag::builder().key(key).value(value).build()).collect();
        let request = self
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(&alarm.name)
            .alarm_description(alarm.description)
            .namespace(alarm.metric.0)
            .metric_name(alarm.metric.1)
            .set_dimensions(Some(about))
            .statistic(Statistic::from(alarm.statistic))
            .period(alarm.periods.0)
            .evaluation_periods(alarm.periods.1)
            .comparison_operator(ComparisonOperator::from(alarm.bound.0))
            .threshold(f64::from(alarm.bound.1))
            .treat_missing_data(alarm.missing)
            .alarm_actions(&alarm.topic)
            .set_tags(Some(tags));
        call!("PutMetricAlarm", &alarm.name, request).map(drop)
    }

    pub(super) async fn delete_alarm(&self, name: &str) -> Result<(), AwsError> {
        let answer = call!("DeleteAlarms", name, self.cloudwatch.delete_alarms().alarm_names(name));
        AwsError::absent(answer.map(drop)).map(drop)
    }
}
