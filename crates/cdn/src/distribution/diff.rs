//! From what is there to what should be: pure.

use std::collections::BTreeMap;

use twinsite_core::{Action, Arn, Deferred, Field, Reason, ResourceId, Step};

use super::{CONTROL, Control, DEPLOYED, Distribution, FUNCTION, Front, SIGNS, STEP, Settings, code};
use crate::change::Change;
use crate::problem::Problem;
use crate::want::Desired;

/// The steps that bring the distribution into the wanted state.
pub(crate) fn steps(want: &Desired, have: &Front, certificate: Deferred<Arn>) -> Result<Vec<Step<Change>>, Problem> {
    if let Some(id) = &have.rival {
        return Err(Problem::AliasTaken { domain: want.site.domain.clone(), id: id.clone() });
    }
    let mut steps = Vec::new();
    let control = control(want, have, &mut steps);
    function(want, have, &mut steps);
    let settings = Box::new(Settings::new(want, certificate, &control, function_arn(want)));
    let before = |step: Step<Change>| step.follows(FUNCTION).follows(CONTROL);
    let wait = |id| Step::new(DEPLOYED, Action::Wait, Reason::Pending, Change::AwaitDistribution { id }).follows(STEP);
    match &have.distribution {
        None => {
            let create = Change::CreateDistribution { settings, tags: want.owner().created() };
            steps.push(before(Step::new(STEP, Action::Create, Reason::Absent, create)));
            steps.push(wait(Deferred::After(STEP.into())));
        }
        Some(Distribution { id, deployed, settings: now, .. }) => {
            let fields = differences(now, &settings.words());
            if !fields.is_empty() {
                let update = Change::UpdateDistribution { id: id.clone(), settings, fields };
                steps.push(before(Step::new(STEP, Action::Update, Reason::Drifted, update)));
                steps.push(wait(Deferred::Known(id.clone())));
            } else if !deployed {
                steps.push(wait(Deferred::Known(id.clone())));
            }
        }
    }
    Ok(steps)
}

fn control(want: &Desired, have: &Front, steps: &mut Vec<Step<Change>>) -> Deferred<ResourceId> {
    if let Some(Control { id, how }) = &have.control {
        if want.private() && how != SIGNS {
            let update = Change::UpdateControl { id: id.clone(), name: want.name(), have: how.clone() };
            steps.push(Step::new(CONTROL, Action::Update, Reason::Drifted, update));
        }
        return Deferred::Known(id.clone());
    }
    if want.private() {
        let create = Change::CreateControl { name: want.name() };
        steps.push(Step::new(CONTROL, Action::Create, Reason::Absent, create));
    }
    Deferred::After(CONTROL.into())
}

fn function(want: &Desired, have: &Front, steps: &mut Vec<Step<Change>>) {
    let wanted = code(&want.index);
    let live = have.function.as_ref().and_then(|function| function.live.clone());
    if !want.private() || live.as_ref() == Some(&wanted) {
        return;
    }
    let (action, reason) = match have.function {
        None => (Action::Create, Reason::Absent),
        Some(_) => (Action::Update, Reason::Drifted),
    };
    let put = Change::PutFunction { name: want.name(), code: wanted, have: live };
    steps.push(Step::new(FUNCTION, action, reason, put));
}

fn function_arn(want: &Desired) -> Arn {
    Arn::cloudfront_function(&want.site.account, &want.name())
}

fn differences(have: &BTreeMap<String, String>, want: &BTreeMap<String, String>) -> Vec<Field> {
    let changed = want.iter().filter(|(name, value)| have.get(*name) != Some(value));
    let changed = changed.map(|(name, value)| {
        let have = have.get(name).cloned();
        Field { name: name.clone(), actual: have, desired: Some(value.clone()) }
    });
    let gone = have.iter().filter(|(name, _)| !want.contains_key(*name));
    changed.chain(gone.map(|(name, value)| Field::unset(name, value))).collect()
}

/// The steps that take the distribution away, once nothing leads there any more.
pub(crate) fn destroy(want: &Desired, have: &Front, after: &[&str]) -> Vec<Step<Change>> {
    let mut steps = Vec::new();
    let reason = || Reason::Asked("destroy".to_owned());
    let ours = have.distribution.as_ref().filter(|distribution| want.owner().created_by(&distribution.tags));
    if let Some(Distribution { id, enabled, deployed, .. }) = ours {
        if *enabled {
            let step = Step::new("cdn/disabled", Action::Update, reason(), Change::Disable { id: id.clone() });
            steps.push(after.iter().fold(step, |step, id| step.follows(*id)));
        }
        if *enabled || !deployed {
            let wait = Change::AwaitDistribution { id: Deferred::Known(id.clone()) };
            steps.push(Step::new(DEPLOYED, Action::Wait, Reason::Pending, wait).follows("cdn/disabled"));
        }
        let delete = Change::DeleteDistribution { id: id.clone() };
        steps.push(Step::new(STEP, Action::Delete, reason(), delete).follows(DEPLOYED));
    }
    // A distribution that stays may still need them.
    if have.distribution.is_some() && ours.is_none() {
        return steps;
    }
    if have.function.is_some() {
        let delete = Change::DeleteFunction { name: want.name() };
        steps.push(Step::new(FUNCTION, Action::Delete, reason(), delete).follows(STEP));
    }
    if let Some(Control { id, .. }) = &have.control {
        let delete = Change::DeleteControl { id: id.clone() };
        steps.push(Step::new(CONTROL, Action::Delete, reason(), delete).follows(STEP));
    }
    steps
}
