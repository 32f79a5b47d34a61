//! Alerts: who hears of it when health, replication or the certificate are in trouble. Topics and alarms are where the metrics
//! are: health checks and the certificate in us-east-1, failed replication in the primary's region, late replication in the
//! backup's.

mod alarm;
mod calls;
mod clients;
mod diff;
mod wire;

pub use alarm::{Alarm, Dimension};
pub use clients::Notices;
pub use diff::{destroy_steps, steps};

use std::collections::BTreeMap;

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Arn, Deferred, Field, Need, Region, ResourceId, Site};

use crate::health::Role;

/// Who hears of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// The addresses that are written to; without any there are no alarms.
    pub emails: Vec<String>,
    /// The health checks.
    pub checks: Vec<(Role, Deferred<ResourceId>)>,
    /// The certificate.
    pub certificate: Deferred<Arn>,
}

impl Desired {
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone())
    }

    /// The name of every topic, and what the name of every alarm begins with.
    pub(crate) fn name(&self) -> String {
        format!("twinsite-{}", self.site.slug())
    }

    pub(crate) fn topic(&self, region: &Region) -> String {
        format!("arn:{}:sns:{region}:{}:{}", region.partition(), self.site.account, self.name())
    }
}

/// A topic that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// Its tags.
    pub tags: Tags,
    /// The addresses that are subscribed, with the subscription's ARN once their owners have said yes.
    pub emails: BTreeMap<String, Option<String>>,
}

/// The tag that says that twinsite has subscribed an address, and may take it off again; `None` for addresses that cannot
/// be in a tag.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
pub(crate) fn mark(email: &str) -> Option<String> {
    let fits = |c: char| c.is_alphanumeric() || "+-=._:/@".contains(c);
    let mark = format!("{MARK}{email}");
    (email.chars().all(fits) && mark.len() <= 128).then_some(mark)
}

pub(crate) const MARK: &str = "twinsite:email:";

/// An alarm that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its tags.
    pub tags: Tags,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Its settings, in the words of [`Alarm::words`].
    pub words: BTreeMap<String, String>,
}

/// What is there, by region.
pub type Observed = BTreeMap<Region, (Option<Topic>, BTreeMap<String, Found>)>;

/// A change to who hears of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A topic is created.
    CreateTopic {
        /// Where.
        region: Region,
        /// Its name.
        name: String,
        /// Its tags.
        tags: Tags,
    },
    /// An address is written to, once its owner has said yes.
    Subscribe {
        /// Where.
        region: Region,
        /// The topic.
        topic: String,
        /// The address.
        email: String,
    },
    /// An address that twinsite had subscribed is taken off.
    Unsubscribe {
        /// Where.
        region: Region,
        /// The topic.
        topic: String,
        /// The address.
        email: String,
        /// The subscription; `None` when its owner never said yes: such ones lapse by themselves.
        subscription: Option<String>,
    },
    /// An alarm is created or put right.
    PutAlarm {
        /// The alarm.
        alarm: Box<Alarm>,
        /// Its tags.
        tags: Tags,
        /// What differs.
        fields: Vec<Field>,
    },
    /// An alarm is deleted.
    DeleteAlarm {
        /// Where.
        region: Region,
        /// Its name.
        name: String,
    },
    /// A topic is deleted, with its subscriptions.
    DeleteTopic {
        /// Where.
        region: Region,
        /// The topic.
        topic: String,
    },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::CreateTopic { region, name, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                let first = [Field::set("Region", region.as_str()), Field::set("Topic", name)];
                first.into_iter().chain(tags).collect()
            }
            Self::Subscribe { region: _, topic, email } => {
                let note = "it is written to once its owner has clicked the link in a mail from AWS";
                vec![Field::set("Topic", topic), Field::set("email", email), Field::set("confirmation", note)]
            }
            Self::Unsubscribe { region: _, topic, email, subscription: _ } => {
                vec![Field::set("Topic", topic), Field::unset("email", email)]
            }
            Self::PutAlarm { alarm, tags: _, fields } => {
                let first = [Field::set("Region", alarm.region.as_str()), Field::set("Alarm", &alarm.name)];
                first.into_iter().chain(fields.iter().cloned()).collect()
            }
            Self::DeleteAlarm { region, name } => {
                vec![Field::set("Region", region.as_str()), Field::unset("Alarm", name)]
            }
            Self::DeleteTopic { region: _, topic } => vec![Field::unset("Topic", topic)],
        }
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::PutAlarm { alarm, .. } => alarm.needs(),
            _ => Vec::new(),
        }
    }
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A topic or alarm of our name is somebody else's.
    #[error("the {what} `{name}` in {region} is there already, and is not this site's")]
    Foreign {
        /// `topic` or `alarm`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Where.
        region: Region,
    },
}

impl Problem {
    /// How to mend it.
    pub fn hint(&self) -> &'static str {
        "delete or rename it, if nobody needs it; or leave alerts.email out"
    }
}
