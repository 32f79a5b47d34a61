//! SNS on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/sns/latest/api/API_Operations.html>

use bytes::Bytes;
use http::{Request, Response};
use s3s::Body;
use serde_json::json;

use super::{Sns, Subscription};
use crate::context::{ACCOUNT, ServiceError, change_tags};
use crate::protocol::json::tag_list;
use crate::protocol::query::{Form, respond};
use crate::protocol::request::region_of;

/// SNS returns a placeholder instead of the ARN of a subscription that is not confirmed.
fn arn_or(subscription: &Subscription, placeholder: &str) -> String {
    if subscription.confirmed { subscription.arn.clone() } else { placeholder.to_owned() }
}

/// Answers a request to SNS.
pub(crate) fn answer(sns: &mut Sns, request: &Request<Bytes>) -> Result<Response<Body>, ServiceError> {
    let form = Form::parse(request);
    let (action, topic, resource) = (form.action(), form.text("TopicArn"), form.text("ResourceArn"));
    let result = match action {
        "CreateTopic" => {
            let arn = Sns::arn(region_of(request), form.text("Name"));
            sns.create_topic(&arn, form.pairs("Tags"))?;
            json!({"TopicArn": arn})
        }
        "ListTopics" => {
            let topics: Vec<_> = sns.topics(region_of(request)).map(|arn| json!({"TopicArn": arn})).collect();
            json!({"Topics": {"member": topics}})
        }
        "Subscribe" => {
            let subscription = sns.subscribe(topic, form.text("Protocol"), form.text("Endpoint"))?;
            let always = form.text("ReturnSubscriptionArn") == "true";
            let arn = if always { subscription.arn } else { arn_or(&subscription, "pending confirmation") };
            json!({"SubscriptionArn": arn})
        }
        "ListSubscriptionsByTopic" => {
            let info = |one: &Subscription| {
                json!({
                    "SubscriptionArn": arn_or(one, "PendingConfirmation"),
                    "Owner": ACCOUNT,
                    "Protocol": one.protocol,
                    "Endpoint": one.endpoint,
                    "TopicArn": topic,
                })
            };
            json!({"Subscriptions": {"member": sns.topic(topic)?.subscriptions.iter().map(info).collect::<Vec<_>>()}})
        }
        "ListTagsForResource" => json!({"Tags": {"member": tag_list(&sns.topic(resource)?.tags)}}),
        "GetTopicAttributes" => sns.topic(topic).map(|_| json!({}))?,
        "DeleteTopic" => {
            sns.delete_topic(topic);
            json!({})
        }
        "Unsubscribe" => {
            sns.unsubscribe(form.text("SubscriptionArn"));
            json!({})
        }
        "TagResource" | "UntagResource" => {
            change_tags(&mut sns.topic_mut(resource)?.tags, form.pairs("Tags"), &form.list("TagKeys"));
            json!({})
        }
        other => return Err(ServiceError::not_implemented(&format!("SNS {other}"))),
    };
    respond(action, result)
}
