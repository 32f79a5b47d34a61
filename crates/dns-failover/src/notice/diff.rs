//! From who hears of what to who should: pure.

use std::collections::BTreeMap;

use twinsite_core::{Action, Field, Reason, Region, Step};

use super::alarm::wanted;
use super::{Alarm, Change, Desired, Found, MARK, Observed, Problem, Topic};

/// The steps that bring topics, subscriptions and alarms into the wanted state. Subscriptions that others made stay.
///
/// # Errors
/// [`Problem`] when a topic or alarm of our name is somebody else's; nothing should be changed then.
pub fn steps(want: &Desired, have: &Observed) -> Result<Vec<Step<Change>>, Vec<Problem>> {
    let problems = foreign(want, have);
    if !problems.is_empty() {
        return Err(problems);
    }
    let alarms = wanted(want);
    let mut steps = Vec::new();
    for (region, (topic, there)) in have {
        let mine: Vec<&Alarm> = alarms.iter().filter(|alarm| alarm.region == *region).collect();
        steps.extend(topic_steps(want, region, topic.as_ref(), mine.is_empty()));
        steps.extend(mine.iter().filter_map(|alarm| alarm_step(want, alarm, there.get(&alarm.name))));
        let unwanted = there.keys().filter(|name| !mine.iter().any(|alarm| alarm.name == **name));
        steps.extend(unwanted.map(|name| delete(region, name, Reason::Unwanted)));
    }
    Ok(steps)
}

fn foreign(want: &Desired, have: &Observed) -> Vec<Problem> {
    let mut problems = Vec::new();
    let owner = want.owner();
    for (region, (topic, alarms)) in have {
        if topic.as_ref().is_some_and(|topic| !owner.owns(&topic.tags)) {
            problems.push(Problem::Foreign { what: "topic", name: want.name(), region: region.clone() });
        }
        for (name, _) in alarms.iter().filter(|(_, alarm)| !owner.owns(&alarm.tags)) {
            problems.push(Problem::Foreign { what: "alarm", name: name.clone(), region: region.clone() });
        }
    }
    problems
}

fn topic_id(region: &Region) -> String {
    format!("notice/{region}/topic")
}

fn topic_steps(want: &Desired, region: &Region, have: Option<&Topic>, quiet: bool) -> Vec<Step<Change>> {
    let topic = want.topic(region);
    if quiet {
        let delete = Change::DeleteTopic { region: region.clone(), topic };
        return have
            .map(|_| Step::new(topic_id(region), Action::Delete, Reason::Unwanted, delete))
            .into_iter()
            .collect();
    }
    let mut steps = Vec::new();
    if have.is_none() {
        let create = Change::CreateTopic { region: region.clone(), name: want.name(), tags: want.owner().created() };
        steps.push(Step::new(topic_id(region), Action::Create, Reason::Absent, create));
    }
    let known = |email: &&String| have.is_some_and(|topic| topic.emails.contains_key(*email));
    for email in want.emails.iter().filter(|email| !known(email)) {
        let subscribe = Change::Subscribe { region: region.clone(), topic: topic.clone(), email: email.clone() };
        let id = format!("notice/{region}/email/{email}");
        steps.push(Step::new(id, Action::Create, Reason::Absent, subscribe).follows(topic_id(region)));
    }
    steps.extend(have.into_iter().flat_map(|have| dropped(want, region, have)));
    steps
}

/// Addresses that twinsite has subscribed and nobody wants any more.
fn dropped(want: &Desired, region: &Region, have: &Topic) -> Vec<Step<Change>> {
    let marked = have.tags.keys().filter_map(|key| key.strip_prefix(MARK));
    let unwanted = marked.filter(|email| !want.emails.iter().any(|wanted| wanted == email));
    let step = |email: &str| {
        let change = Change::Unsubscribe {
            region: region.clone(),
            topic: want.topic(region),
            email: email.to_owned(),
            subscription: have.emails.get(email).cloned().flatten(),
        };
        Step::new(format!("notice/{region}/email/{email}"), Action::Delete, Reason::Unwanted, change)
    };
    unwanted.map(step).collect()
}

fn alarm_step(want: &Desired, alarm: &Alarm, have: Option<&Found>) -> Option<Step<Change>> {
    let words = alarm.words();
    let nothing = BTreeMap::new();
    let now = have.map_or(&nothing, |have| &have.words);
    let changed = words.iter().filter(|(name, value)| now.get(*name) != Some(value));
    let fields: Vec<Field> = changed
        .map(|(name, value)| Field { name: name.clone(), actual: now.get(name).cloned(), desired: Some(value.clone()) })
        .collect();
    let (action, reason) = match have {
        None => (Action::Create, Reason::Absent),
        Some(_) => (Action::Update, Reason::Drifted),
    };
    let put =
        || Change::PutAlarm { alarm: Box::new(alarm.clone()), tags: want.owner().created(), fields: fields.clone() };
    let id = format!("notice/{}/alarm/{}", alarm.region, alarm.name);
    (!fields.is_empty()).then(|| Step::new(id, action, reason, put()).follows(topic_id(&alarm.region)))
}

fn delete(region: &Region, name: &str, reason: Reason) -> Step<Change> {
    let change = Change::DeleteAlarm { region: region.clone(), name: name.to_owned() };
    Step::new(format!("notice/{region}/alarm/{name}"), Action::Delete, reason, change)
}

/// The steps that take our alarms and topics away.
pub fn destroy_steps(want: &Desired, have: &Observed) -> Vec<Step<Change>> {
    let owner = want.owner();
    let reason = || Reason::Asked("destroy".to_owned());
    let mut steps = Vec::new();
    for (region, (topic, alarms)) in have {
        let ours = alarms.iter().filter(|(_, alarm)| owner.created_by(&alarm.tags));
        steps.extend(ours.map(|(name, _)| delete(region, name, reason())));
        if topic.as_ref().is_some_and(|topic| owner.created_by(&topic.tags)) {
            let change = Change::DeleteTopic { region: region.clone(), topic: want.topic(region) };
            steps.push(Step::new(topic_id(region), Action::Delete, reason(), change));
        }
    }
    steps
}
