//! The permissions that operations of SNS need.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>

use bytes::Bytes;
use http::Request;

use super::Sns;
use crate::iam::{Keys, Permission};
use crate::protocol::query::Form;
use crate::protocol::request::region_of;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(sns: &Sns, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let form = Form::parse(request);
    let on = |topic: &str| {
        let keys =
            sns.topic(topic).map_or_else(|_| Keys::default(), |found| Keys::default().with_resource_tags(&found.tags));
        let keys = keys.with_request_tags(&form.pairs("Tags"));
        Permission::new(format!("sns:{}", form.action()), topic).with(&keys)
    };
    match form.action() {
        "CreateTopic" => {
            let create = on(&Sns::arn(region_of(request), form.text("Name")));
            // To create with tags is to tag.
            let tags = !form.pairs("Tags").is_empty();
            let tag = tags.then(|| Permission { action: "sns:TagResource".to_owned(), ..create.clone() });
            Some(std::iter::once(create).chain(tag).collect())
        }
        "ListTopics" => Some(vec![Permission::new("sns:ListTopics", "*")]),
        "Subscribe" => {
            let keys =
                Keys::default().with("sns:Protocol", form.text("Protocol")).with("sns:Endpoint", form.text("Endpoint"));
            Some(vec![on(form.text("TopicArn")).with(&keys)])
        }
        "ListSubscriptionsByTopic" | "GetTopicAttributes" | "DeleteTopic" => Some(vec![on(form.text("TopicArn"))]),
        // The ARN of a subscription is that of its topic with an id behind it.
        "Unsubscribe" => form.text("SubscriptionArn").rsplit_once(':').map(|(topic, _)| vec![on(topic)]),
        "ListTagsForResource" | "TagResource" | "UntagResource" => Some(vec![on(form.text("ResourceArn"))]),
        _ => None,
    }
}
