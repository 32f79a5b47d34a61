//! Desired and actual state, changes and conflicts of alerts.

use std::collections::BTreeMap;

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Arn, Deferred, Field, Need, Region, Resource, Site};

use super::alarm::Alarm;
use crate::model::CheckRef;

/// The desired state of the alerts of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// The email addresses to notify. Without any, there are no topics and no alarms.
    pub emails: Vec<String>,
    /// The health checks.
    pub checks: Vec<CheckRef>,
    /// The certificate.
    pub certificate: Deferred<Arn>,
    /// Tags of the owner, which new resources get beside those by which twinsite recognises them.
    pub tags: Tags,
}

impl Desired {
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone()).with_tags(self.tags.clone())
    }

    /// The name of the topic in each region, and what the names of all alarms start with.
    pub(crate) fn resource_name(&self) -> String {
        format!("twinsite-{}", self.site.slug())
    }

    pub(crate) fn topic_arn(&self, region: &Region) -> String {
        format!("arn:{}:sns:{region}:{}:{}", region.partition(), self.site.account, self.resource_name())
    }
}

/// The actual state of the alerts, by region.
pub type Actual = BTreeMap<Region, RegionalAlerts>;

/// The alerts in one region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegionalAlerts {
    /// The topic of the site.
    pub topic: Option<Topic>,
    /// The alarms of the site, by name.
    pub alarms: BTreeMap<String, ActualAlarm>,
}

/// An SNS topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topic {
    /// Its tags.
    pub tags: Tags,
    /// The subscribed email addresses, with the ARN of the subscription once it is confirmed.
    pub emails: BTreeMap<String, Option<String>>,
}

/// What the keys of the tags that mark subscriptions of twinsite start with.
pub(crate) const SUBSCRIPTION_TAG: &str = "twinsite:email:";

/// The key of the tag that marks a subscription as created by twinsite, so that it may be deleted; `None` for addresses with
/// characters that tags do not allow.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
pub(crate) fn subscription_tag(email: &str) -> Option<String> {
    let legal = |c: char| c.is_alphanumeric() || "+-=._:/@".contains(c);
    let key = format!("{SUBSCRIPTION_TAG}{email}");
    (email.chars().all(legal) && key.len() <= 128).then_some(key)
}

/// A CloudWatch alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActualAlarm {
    /// Its tags.
    pub tags: Tags,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Its settings, normalized as by [`Alarm::to_properties`].
    pub properties: BTreeMap<String, String>,
}

/// A change of a topic, a subscription or an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Creates a topic.
    CreateTopic {
        /// The region.
        region: Region,
        /// Its name.
        name: String,
        /// Its tags.
        tags: Tags,
    },
    /// Subscribes an email address, which must confirm the subscription.
    Subscribe {
        /// The region.
        region: Region,
        /// The ARN of the topic.
        topic: String,
        /// The address.
        email: String,
    },
    /// Unsubscribes an email address that twinsite had subscribed.
    Unsubscribe {
        /// The region.
        region: Region,
        /// The ARN of the topic.
        topic: String,
        /// The address.
        email: String,
        /// The ARN of the subscription; `None` if it was never confirmed, in which case SNS deletes it after two days.
        subscription: Option<String>,
    },
    /// Creates or updates an alarm.
    PutAlarm {
        /// The alarm.
        alarm: Box<Alarm>,
        /// Its tags.
        tags: Tags,
        /// The settings that differ.
        fields: Vec<Field>,
    },
    /// Deletes an alarm.
    DeleteAlarm {
        /// The region.
        region: Region,
        /// Its name.
        name: String,
    },
    /// Deletes a topic with its subscriptions.
    DeleteTopic {
        /// The region.
        region: Region,
        /// The ARN of the topic.
        topic: String,
    },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::CreateTopic { region: _, name: _, tags } => {
                tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value)).collect()
            }
            Self::Subscribe { region: _, topic, email: _ } => {
                let pending = "true: notified after its owner has confirmed the subscription by email";
                vec![Field::set("TopicArn", topic), Field::set("PendingConfirmation", pending)]
            }
            Self::PutAlarm { alarm: _, tags: _, fields } => fields.clone(),
            Self::Unsubscribe { .. } | Self::DeleteAlarm { .. } | Self::DeleteTopic { .. } => Vec::new(),
        }
    }

    fn resource(&self) -> Option<Resource> {
        let (service, kind, name) = match self {
            Self::CreateTopic { region, name, .. } => ("SNS", "topic", format!("{name} in {region}")),
            Self::DeleteTopic { region: _, topic } => ("SNS", "topic", topic.clone()),
            Self::Subscribe { region, email, .. } | Self::Unsubscribe { region, email, .. } => {
                ("SNS", "subscription", format!("{email} in {region}"))
            }
            Self::PutAlarm { alarm, .. } => ("CloudWatch", "alarm", format!("{} in {}", alarm.name, alarm.region)),
            Self::DeleteAlarm { region, name } => ("CloudWatch", "alarm", format!("{name} in {region}")),
        };
        Some(Resource::new(service, kind, name))
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::PutAlarm { alarm, .. } => alarm.needs(),
            _ => Vec::new(),
        }
    }
}

/// A reason why no plan can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// A topic or alarm with a name of the site's does not belong to it.
    #[error("the {kind} `{name}` in {region} exists and does not belong to this site")]
    NotOwned {
        /// `topic` or `alarm`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The region.
        region: Region,
    },
}

impl Conflict {
    /// How to resolve it.
    pub fn hint(&self) -> &'static str {
        "delete or rename it, or remove alerts.email from the configuration"
    }
}

/// All conflicts of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Conflicts(pub Vec<Conflict>);
