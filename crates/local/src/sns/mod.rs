//! SNS: topics and subscriptions.

mod permissions;
mod wire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::{ACCOUNT, ServiceError, Tags};

pub(crate) use permissions::permissions;
pub(crate) use wire::answer;

/// A subscription to a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Subscription {
    /// Its ARN.
    pub arn: String,
    /// `email`, `https`…
    pub protocol: String,
    /// The address that messages are sent to.
    pub endpoint: String,
    /// Whether the owner of the endpoint has confirmed it.
    pub confirmed: bool,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Topic {
    /// Its tags.
    pub tags: Tags,
    /// Its subscriptions.
    pub subscriptions: Vec<Subscription>,
}

/// The state of SNS in all regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sns {
    topics: BTreeMap<String, Topic>,
    counter: u64,
}

fn not_found(what: &str) -> ServiceError {
    ServiceError::new("NotFound", 404, format!("{what} does not exist"))
}

fn invalid(what: &str) -> ServiceError {
    ServiceError::invalid("InvalidParameter", format!("Invalid parameter: {what}"))
}

impl Sns {
    /// The ARN of the topic with this name.
    pub fn arn(region: &str, name: &str) -> String {
        format!("arn:aws:sns:{region}:{ACCOUNT}:{name}")
    }

    /// Creates a topic. Succeeds when it exists with the same tags.
    pub fn create_topic(&mut self, arn: &str, tags: Tags) -> Result<(), ServiceError> {
        match self.topics.get(arn) {
            Some(topic) if topic.tags == tags || tags.is_empty() => Ok(()),
            Some(_) => Err(invalid("Tags Reason: Topic already exists with different tags")),
            None => {
                self.topics.insert(arn.to_owned(), Topic { tags, subscriptions: Vec::new() });
                Ok(())
            }
        }
    }

    /// A topic by ARN.
    pub fn topic(&self, arn: &str) -> Result<&Topic, ServiceError> {
        self.topics.get(arn).ok_or_else(|| not_found("Topic"))
    }

    /// A topic by ARN, to change it.
    pub fn topic_mut(&mut self, arn: &str) -> Result<&mut Topic, ServiceError> {
        self.topics.get_mut(arn).ok_or_else(|| not_found("Topic"))
    }

    /// The ARNs of the topics in a region.
    pub fn topics(&self, region: &str) -> impl Iterator<Item = &str> {
        let part = format!(":sns:{region}:");
        self.topics.keys().filter(move |arn| arn.contains(&part)).map(String::as_str)
    }

    /// Deletes a topic and its subscriptions. Succeeds when there is none.
    pub fn delete_topic(&mut self, arn: &str) {
        self.topics.remove(arn);
    }

    /// Adds a subscription, or returns the one with the same protocol and endpoint.
    pub fn subscribe(&mut self, topic: &str, protocol: &str, endpoint: &str) -> Result<Subscription, ServiceError> {
        if protocol == "email" && !endpoint.contains('@') {
            return Err(invalid("Email address"));
        }
        self.counter += 1;
        let arn = format!("{topic}:00000000-0000-4000-8000-{:012}", self.counter);
        let subscriptions = &mut self.topic_mut(topic)?.subscriptions;
        let same = |one: &&Subscription| one.protocol == protocol && one.endpoint == endpoint;
        if let Some(existing) = subscriptions.iter().find(same) {
            return Ok(existing.clone());
        }
        let (protocol, endpoint) = (protocol.to_owned(), endpoint.to_owned());
        let subscription = Subscription { arn, protocol, endpoint, confirmed: false };
        subscriptions.push(subscription.clone());
        Ok(subscription)
    }

    /// Deletes a subscription.
    pub fn unsubscribe(&mut self, arn: &str) {
        for topic in self.topics.values_mut() {
            topic.subscriptions.retain(|subscription| subscription.arn != arn);
        }
    }

    /// Confirms a subscription, as the link in the confirmation e-mail does.
    pub fn confirm(&mut self, topic: &str, endpoint: &str) -> Result<(), ServiceError> {
        let mut subscriptions = self.topic_mut(topic)?.subscriptions.iter_mut();
        let found = subscriptions.find(|one| one.endpoint == endpoint).ok_or_else(|| not_found("Subscription"))?;
        found.confirmed = true;
        Ok(())
    }
}
