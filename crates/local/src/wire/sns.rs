//! SNS on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/sns/latest/api/API_Operations.html>

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use s3s::Body;
use serde::Serialize;

use super::query::{Form, answer as answered};
use super::reply;
use crate::route::scope;
use crate::world::World;
use crate::world::sns::{Fault, Sns, Subscription};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicAnswer {
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SubscriptionAnswer {
    subscription_arn: String,
}

#[derive(Serialize)]
struct Members<T> {
    member: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Topics {
    topics: Members<TopicAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Subscriptions {
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
struct Tags {
    tags: Members<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// Until the receiver has said yes, SNS shows words where the ARN would be.
fn shown(one: &Subscription, pending: &str) -> String {
    if one.confirmed { one.arn.clone() } else { pending.to_owned() }
}

/// Answers a request to SNS.
pub(super) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    let region = scope(request).map_or("us-east-1", |scope| scope.region);
    carry_out(world, &Form::of(request), region).unwrap_or_else(|fault| refusal(&fault))
}

fn carry_out(world: &World, form: &Form, region: &str) -> Result<Response<Body>, Fault> {
    let text = |name: &str| form.get(name).unwrap_or_default();
    let (action, topic) = (text("Action"), text("TopicArn"));
    let nothing = || Ok::<_, Fault>(answered(action, &()));
    match action {
        "CreateTopic" => {
            let arn = Sns::arn(region, text("Name"));
            let tags = form.pairs("Tags").into_iter().collect();
            world.change_account(|account, _| account.sns.create(&arn, tags))?;
            Ok(answered(action, &TopicAnswer { topic_arn: arn }))
        }
        "DeleteTopic" => {
            world.change_account(|account, _| {
                account.sns.delete(topic);
                Ok::<_, Fault>(())
            })?;
            nothing()
        }
        "GetTopicAttributes" => {
            world.account(|account, _| account.sns.topic(topic).map(drop))?;
            nothing()
        }
        "ListTopics" => {
            let arns: Vec<_> = world.account(|account, _| account.sns.topics(region).map(str::to_owned).collect());
            let member = arns.into_iter().map(|topic_arn| TopicAnswer { topic_arn }).collect();
            Ok(answered(action, &Topics { topics: Members { member } }))
        }
        "Subscribe" => {
            let (protocol, endpoint) = (text("Protocol"), text("Endpoint"));
            let made = world.change_account(|account, _| account.sns.subscribe(topic, protocol, endpoint))?;
            let whole = text("ReturnSubscriptionArn") == "true";
            let arn = if whole { made.arn } else { shown(&made, "pending confirmation") };
            Ok(answered(action, &SubscriptionAnswer { subscription_arn: arn }))
        }
        "Unsubscribe" => {
            world.change_account(|account, _| {
                account.sns.unsubscribe(text("SubscriptionArn"));
                Ok::<_, Fault>(())
            })?;
            nothing()
        }
        "ListSubscriptionsByTopic" => list_subscriptions(world, topic),
        "ListTagsForResource" | "TagResource" | "UntagResource" => tags(world, form, action),
        other => Err(Fault::InvalidParameter(format!("Action {other} is not emulated"))),
    }
}

fn list_subscriptions(world: &World, topic: &str) -> Result<Response<Body>, Fault> {
    let all = world.account(|account, _| account.sns.topic(topic).map(|topic| topic.subscriptions.clone()))?;
    let info = |one: Subscription| SubscriptionInfo {
        subscription_arn: shown(&one, "PendingConfirmation"),
        owner: crate::world::ACCOUNT,
        protocol: one.protocol,
        endpoint: one.endpoint,
        topic_arn: topic.to_owned(),
    };
    let member = all.into_iter().map(info).collect();
    Ok(answered("ListSubscriptionsByTopic", &Subscriptions { subscriptions: Members { member } }))
}

fn tags(world: &World, form: &Form, action: &str) -> Result<Response<Body>, Fault> {
    let arn = form.get("ResourceArn").unwrap_or_default();
    if action == "ListTagsForResource" {
        let tags = world.account(|account, _| account.sns.topic(arn).map(|topic| topic.tags.clone()))?;
        let member = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
        return Ok(answered(action, &Tags { tags: Members { member } }));
    }
    let (add, gone) = (form.pairs("Tags"), form.list("TagKeys"));
    world.change_account(|account, _| {
        let tags = &mut account.sns.topic_mut(arn)?.tags;
        tags.retain(|key, _| !gone.contains(key));
        tags.extend(add);
        Ok::<_, Fault>(())
    })?;
    Ok(answered(action, &()))
}

fn refusal(fault: &Fault) -> Response<Body> {
    let (status, code) = match fault {
        Fault::NotFound(_) => (StatusCode::NOT_FOUND, "NotFound"),
        Fault::InvalidParameter(_) => (StatusCode::BAD_REQUEST, "InvalidParameter"),
        Fault::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    };
    reply::error(status, code, &fault.to_string())
}
