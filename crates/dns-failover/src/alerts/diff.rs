//! From the actual to the desired state: pure.

use std::collections::BTreeMap;

use twinsite_core::{Action, Reason, Region, Step, differences};

use super::alarm::Alarm;
use super::model::{
    Actual, ActualAlarm, Change, Conflict, Conflicts, Desired, RegionalAlerts, SUBSCRIPTION_TAG, Topic,
};
use super::site_alarms::site_alarms;
use crate::step_ids;

/// The steps that bring topics, subscriptions and alarms into the desired state. Subscriptions that others made are kept.
///
/// # Errors
/// [`Conflicts`] if a topic or an alarm with a name of the site's does not belong to it. Nothing should be changed then.
pub fn plan_changes(desired: &Desired, actual: &Actual) -> Result<Vec<Step<Change>>, Conflicts> {
    let conflicts = conflicts(desired, actual);
    if !conflicts.is_empty() {
        return Err(Conflicts(conflicts));
    }
    let alarms = site_alarms(desired);
    let mut steps = Vec::new();
    for (region, RegionalAlerts { topic, alarms: existing }) in actual {
        let regional: Vec<&Alarm> = alarms.iter().filter(|alarm| alarm.region == *region).collect();
        if regional.is_empty() {
            steps.extend(topic.as_ref().map(|_| topic_deletion(desired, region, Reason::Unwanted)));
        } else {
            steps.extend(topic_steps(desired, region, topic.as_ref()));
        }
        steps.extend(regional.iter().filter_map(|alarm| alarm_step(desired, alarm, existing.get(&alarm.name))));
        let obsolete = existing.keys().filter(|name| !regional.iter().any(|alarm| alarm.name == **name));
        steps.extend(obsolete.map(|name| alarm_deletion(region, name, Reason::Unwanted)));
    }
    Ok(steps)
}

fn conflicts(desired: &Desired, actual: &Actual) -> Vec<Conflict> {
    let (mut conflicts, owner) = (Vec::new(), desired.owner());
    for (region, RegionalAlerts { topic, alarms }) in actual {
        if topic.as_ref().is_some_and(|topic| !owner.owns(&topic.tags)) {
            let name = desired.resource_name();
            conflicts.push(Conflict::NotOwned { kind: "topic", name, region: region.clone() });
        }
        for (name, _) in alarms.iter().filter(|(_, alarm)| !owner.owns(&alarm.tags)) {
            conflicts.push(Conflict::NotOwned { kind: "alarm", name: name.clone(), region: region.clone() });
        }
    }
    conflicts
}

/// Creates the topic, subscribes the desired addresses, and unsubscribes those that twinsite has subscribed before.
fn topic_steps(desired: &Desired, region: &Region, actual: Option<&Topic>) -> Vec<Step<Change>> {
    let (id, topic) = (step_ids::topic(region), desired.topic_arn(region));
    let mut steps = Vec::new();
    if actual.is_none() {
        let (name, tags) = (desired.resource_name(), desired.owner().created());
        let create = Change::CreateTopic { region: region.clone(), name, tags };
        steps.push(Step::new(&id, Action::Create, Reason::Absent, create));
    }
    let is_subscribed = |email: &&String| actual.is_some_and(|topic| topic.emails.contains_key(*email));
    for email in desired.emails.iter().filter(|email| !is_subscribed(email)) {
        let subscribe = Change::Subscribe { region: region.clone(), topic: topic.clone(), email: email.clone() };
        let step = Step::new(step_ids::subscription(region, email), Action::Create, Reason::Absent, subscribe);
        steps.push(step.follows(&id));
    }
    let Some(actual) = actual else { return steps };
    let subscribed_before = actual.tags.keys().filter_map(|key| key.strip_prefix(SUBSCRIPTION_TAG));
    for email in subscribed_before.filter(|email| !desired.emails.iter().any(|desired| desired == email)) {
        let unsubscribe = Change::Unsubscribe {
            region: region.clone(),
            topic: topic.clone(),
            email: email.to_owned(),
            subscription: actual.emails.get(email).cloned().flatten(),
        };
        steps.push(Step::new(step_ids::subscription(region, email), Action::Delete, Reason::Unwanted, unsubscribe));
    }
    steps
}

fn topic_deletion(desired: &Desired, region: &Region, reason: Reason) -> Step<Change> {
    let delete = Change::DeleteTopic { region: region.clone(), topic: desired.topic_arn(region) };
    Step::new(step_ids::topic(region), Action::Delete, reason, delete)
}

fn alarm_step(desired: &Desired, alarm: &Alarm, actual: Option<&ActualAlarm>) -> Option<Step<Change>> {
    let properties = alarm.to_properties();
    let (action, reason, fields) = match actual {
        None => (Action::Create, Reason::Absent, differences(&BTreeMap::new(), &properties)),
        Some(actual) => (Action::Update, Reason::Drifted, differences(&actual.properties, &properties)),
    };
    if fields.is_empty() {
        return None;
    }
    let put = Change::PutAlarm { alarm: Box::new(alarm.clone()), tags: desired.owner().created(), fields };
    let step = Step::new(step_ids::alarm(&alarm.region, &alarm.name), action, reason, put);
    Some(step.follows(step_ids::topic(&alarm.region)))
}

fn alarm_deletion(region: &Region, name: &str, reason: Reason) -> Step<Change> {
    let delete = Change::DeleteAlarm { region: region.clone(), name: name.to_owned() };
    Step::new(step_ids::alarm(region, name), Action::Delete, reason, delete)
}

/// The steps that delete the topics and alarms that were created for the site.
pub fn plan_destruction(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let owner = desired.owner();
    let reason = || Reason::Asked("destroy".to_owned());
    let mut steps = Vec::new();
    for (region, RegionalAlerts { topic, alarms }) in actual {
        let owned = alarms.iter().filter(|(_, alarm)| owner.created_by(&alarm.tags));
        steps.extend(owned.map(|(name, _)| alarm_deletion(region, name, reason())));
        if topic.as_ref().is_some_and(|topic| owner.created_by(&topic.tags)) {
            steps.push(topic_deletion(desired, region, reason()));
        }
    }
    steps
}
