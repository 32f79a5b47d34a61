//! SNS: topics and who hears of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What SNS refuses, with its own error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `NotFound`.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// `InvalidParameter`.
    #[error("Invalid parameter: {0}")]
    InvalidParameter(String),
    /// The state on disk could not be written.
    #[error("{0}")]
    Disk(String),
}

impl From<super::Fault> for Fault {
    fn from(fault: super::Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

/// Somebody who hears of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its ARN.
    pub arn: String,
    /// `email`, `https`…
    pub protocol: String,
    /// Where it goes.
    pub endpoint: String,
    /// False until the receiver has said yes.
    pub confirmed: bool,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Who hears of it.
    pub subscriptions: Vec<Subscription>,
}

/// All state of the service, of all regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sns {
    topics: BTreeMap<String, Topic>,
    counter: u64,
}

impl Sns {
    /// The ARN of a topic, which follows from region and name.
    pub fn arn(region: &str, name: &str) -> String {
        format!("arn:aws:sns:{region}:{}:{name}", super::ACCOUNT)
    }

    /// Creates a topic; the same again when it is there with the same tags.
    pub fn create(&mut self, arn: &str, tags: BTreeMap<String, String>) -> Result<(), Fault> {
        match self.topics.get(arn) {
            Some(there) if there.tags == tags || tags.is_empty() => Ok(()),
            Some(_) => Err(Fault::InvalidParameter("Tags Reason: Topic already exists with different tags".to_owned())),
            None => {
                self.topics.insert(arn.to_owned(), Topic { tags, subscriptions: Vec::new() });
                Ok(())
            }
        }
    }

    /// One topic.
    pub fn topic(&self, arn: &str) -> Result<&Topic, Fault> {
        self.topics.get(arn).ok_or(Fault::NotFound("Topic"))
    }

    /// One topic, to be changed.
    pub fn topic_mut(&mut self, arn: &str) -> Result<&mut Topic, Fault> {
        self.topics.get_mut(arn).ok_or(Fault::NotFound("Topic"))
    }

    /// All topics of a region by ARN.
    pub fn topics(&self, region: &str) -> impl Iterator<Item = &str> {
        let place = format!(":sns:{region}:");
        self.topics.keys().filter(move |arn| arn.contains(&place)).map(String::as_str)
    }

    /// Deletes a topic and its subscriptions; also when there is none.
    pub fn delete(&mut self, arn: &str) {
        self.topics.remove(arn);
    }

    /// Subscribes; the same again when it is subscribed already.
    pub fn subscribe(&mut self, topic: &str, protocol: &str, endpoint: &str) -> Result<Subscription, Fault> {
        if protocol == "email" && !endpoint.contains('@') {
            return Err(Fault::InvalidParameter("Email address".to_owned()));
        }
        self.counter += 1;
        let arn = format!("{topic}:00000000-0000-4000-8000-{:012}", self.counter);
        let there = self.topic_mut(topic)?;
        let same = |one: &&Subscription| one.protocol == protocol && one.endpoint == endpoint;
        if let Some(one) = there.subscriptions.iter().find(same) {
            return Ok(one.clone());
        }
        let (protocol, endpoint) = (protocol.to_owned(), endpoint.to_owned());
        let made = Subscription { arn, protocol, endpoint, confirmed: false };
        there.subscriptions.push(made.clone());
        Ok(made)
    }

    /// Takes a subscription away.
    pub fn unsubscribe(&mut self, arn: &str) {
        for topic in self.topics.values_mut() {
            topic.subscriptions.retain(|subscription| subscription.arn != arn);
        }
    }

    /// What the receiver of an e-mail does.
    pub fn confirm(&mut self, topic: &str, endpoint: &str) -> Result<(), Fault> {
        let mut all = self.topic_mut(topic)?.subscriptions.iter_mut();
        let one = all.find(|one| one.endpoint == endpoint).ok_or(Fault::NotFound("Subscription"))?;
        one.confirmed = true;
        Ok(())
    }
}
