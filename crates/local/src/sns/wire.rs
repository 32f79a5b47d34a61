//! SNS on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/sns/latest/api/API_Operations.html>

use bytes::Bytes;
use http::{Request, Response};
use s3s::Body;
use serde::Serialize;

use super::{Sns, Subscription};
use crate::context::{ACCOUNT, ServiceError, change_tags};
use crate::protocol::query::{Form, Members, Tag, respond};
use crate::protocol::request::region_of;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicResult {
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicsResult {
    topics: Members<TopicResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubscriptionResult {
    subscription_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubscriptionsResult {
    subscriptions: Members<SubscriptionInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubscriptionInfo {
    subscription_arn: String,
    owner: &'static str,
    protocol: String,
    endpoint: String,
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsResult {
    tags: Members<Tag>,
}

/// SNS returns a placeholder instead of the ARN of a subscription that is not confirmed.
fn arn_or(subscription: &Subscription, placeholder: &str) -> String {
    if subscription.confirmed { subscription.arn.clone() } else { placeholder.to_owned() }
}

/// Answers a request to SNS.
pub(crate) fn answer(sns: &mut Sns, request: &Request<Bytes>) -> Result<Response<Body>, ServiceError> {
    let form = Form::parse(request);
    let (action, topic, resource) = (form.action(), form.text("TopicArn"), form.text("ResourceArn"));
    match action {
        "CreateTopic" => {
            let topic_arn = Sns::arn(region_of(request), form.text("Name"));
            sns.create_topic(&topic_arn, form.pairs("Tags"))?;
            return respond(action, &TopicResult { topic_arn });
        }
        "ListTopics" => {
            let arns = sns.topics(region_of(request));
            let member = arns.map(|arn| TopicResult { topic_arn: arn.to_owned() }).collect();
            return respond(action, &TopicsResult { topics: Members { member } });
        }
        "Subscribe" => {
            let subscription = sns.subscribe(topic, form.text("Protocol"), form.text("Endpoint"))?;
            let always = form.text("ReturnSubscriptionArn") == "true";
            let subscription_arn =
                if always { subscription.arn } else { arn_or(&subscription, "pending confirmation") };
            return respond(action, &SubscriptionResult { subscription_arn });
        }
        "ListSubscriptionsByTopic" => {
            let info = |one: &Subscription| SubscriptionInfo {
                subscription_arn: arn_or(one, "PendingConfirmation"),
                owner: ACCOUNT,
                protocol: one.protocol.clone(),
                endpoint: one.endpoint.clone(),
                topic_arn: topic.to_owned(),
            };
            let member = sns.topic(topic)?.subscriptions.iter().map(info).collect();
            return respond(action, &SubscriptionsResult { subscriptions: Members { member } });
        }
        "ListTagsForResource" => {
            return respond(action, &TagsResult { tags: Members::tags(&sns.topic(resource)?.tags) });
        }
        "GetTopicAttributes" => drop(sns.topic(topic)?),
        "DeleteTopic" => sns.delete_topic(topic),
        "Unsubscribe" => sns.unsubscribe(form.text("SubscriptionArn")),
        "TagResource" | "UntagResource" => {
            change_tags(&mut sns.topic_mut(resource)?.tags, form.pairs("Tags"), &form.list("TagKeys"));
        }
        other => return Err(ServiceError::not_implemented(&format!("SNS {other}"))),
    }
    respond(action, &())
}
