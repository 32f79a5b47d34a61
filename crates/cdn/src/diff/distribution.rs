//! The steps for the distribution, its access control and its function.

use twinsite_core::{Action, Arn, Deferred, Reason, ResourceId, Step, differences};

use crate::model::{
    AccessControl, Actual, Change, Conflict, Desired, Distribution, DistributionSettings, Function, Proof, SIGNING,
    viewer_request_code,
};
use crate::step_ids;

/// The steps that bring the distribution into the desired state.
pub(crate) fn distribution_steps(
    desired: &Desired,
    actual: &Actual,
    certificate: Deferred<Arn>,
    store: Option<&Deferred<Arn>>,
) -> Result<Vec<Step<Change>>, Conflict> {
    if let Some(id) = &actual.conflicting_distribution {
        return Err(Conflict::AliasTaken { domain: desired.site.domain.clone(), id: id.clone() });
    }
    let mut steps = Vec::new();
    let access_control = match &actual.access_control {
        Some(AccessControl { id, .. }) => Deferred::Known(id.clone()),
        None => Deferred::After(step_ids::ACCESS_CONTROL.into()),
    };
    if desired.has_private_origins() {
        steps.extend(access_control_step(desired, actual));
    }
    steps.extend(store.and_then(|store| function_step(desired, actual, store)));
    steps.extend(tags_step(desired, actual.distribution.as_ref()));
    let settings = Box::new(DistributionSettings::new(desired, certificate, &access_control));
    let (action, reason, change, id) = match &actual.distribution {
        None => {
            let create = Change::CreateDistribution { settings, tags: desired.owner().created() };
            (Action::Create, Reason::Absent, create, Deferred::After(step_ids::DISTRIBUTION.into()))
        }
        Some(Distribution { id, deployed, properties, .. }) => {
            let is_managed = |(name, _): &(&String, &String)| !settings.is_left_as_it_is(name);
            let managed = properties.iter().filter(is_managed).map(|(name, value)| (name.clone(), value.clone()));
            let fields = differences(&managed.collect(), &settings.to_properties());
            if fields.is_empty() {
                // A change of an earlier run may still be in progress.
                steps.extend((!deployed).then(|| deployment_step(Deferred::Known(id.clone()))));
                return Ok(steps);
            }
            let update = Change::UpdateDistribution { id: id.clone(), settings, fields };
            (Action::Update, Reason::Drifted, update, Deferred::Known(id.clone()))
        }
    };
    let step = Step::new(step_ids::DISTRIBUTION, action, reason, change);
    steps.push(step.follows(step_ids::FUNCTION).follows(step_ids::ACCESS_CONTROL));
    steps.push(deployment_step(id));
    Ok(steps)
}

/// Tags that were replaced are put back, and those of an adopted distribution are put: by them it is told from those of others.
fn tags_step(desired: &Desired, actual: Option<&Distribution>) -> Option<Step<Change>> {
    let Distribution { arn, tags: actual, proof, .. } = actual?;
    let (tags, reason) = match proof {
        Proof::Tags => return None,
        Proof::CallerReference => (desired.owner().created(), Reason::Drifted),
        Proof::Adopted => (desired.owner().adopted(), Reason::Asked("--adopt".to_owned())),
    };
    let change = Change::TagDistribution { arn: arn.clone(), actual: actual.clone(), tags };
    Some(Step::new(step_ids::DISTRIBUTION_TAGS, Action::Update, reason, change))
}

fn deployment_step(id: Deferred<ResourceId>) -> Step<Change> {
    let wait = Change::AwaitDistribution { id };
    let step = Step::new(step_ids::DISTRIBUTION_DEPLOYED, Action::Wait, Reason::Pending, wait);
    step.follows(step_ids::DISTRIBUTION)
}

fn access_control_step(desired: &Desired, actual: &Actual) -> Option<Step<Change>> {
    let name = desired.resource_name();
    let (action, reason, change) = match &actual.access_control {
        None => (Action::Create, Reason::Absent, Change::CreateAccessControl { name }),
        Some(AccessControl { signing, .. }) if signing == SIGNING => return None,
        Some(AccessControl { id, signing }) => {
            let update = Change::UpdateAccessControl { id: id.clone(), name, actual: signing.clone() };
            (Action::Update, Reason::Drifted, update)
        }
    };
    Some(Step::new(step_ids::ACCESS_CONTROL, action, reason, change))
}

fn function_step(desired: &Desired, actual: &Actual, store: &Deferred<Arn>) -> Option<Step<Change>> {
    let code = viewer_request_code(desired);
    let is_live = |live: &Function| {
        let reads_store = live.live_store.as_ref().is_some_and(|arn| *store == Deferred::Known(arn.clone()));
        live.live_code.as_ref() == Some(&code) && reads_store
    };
    if actual.function.as_ref().is_some_and(is_live) {
        return None;
    }
    let (action, reason) = match actual.function {
        None => (Action::Create, Reason::Absent),
        Some(_) => (Action::Update, Reason::Drifted),
    };
    let (name, store, actual) = (desired.resource_name(), store.clone(), actual.function.clone());
    let change = Change::PutFunction { name, code, store, actual };
    Some(Step::new(step_ids::FUNCTION, action, reason, change).follows(step_ids::STORE))
}

/// The steps that disable and delete the distribution and what it uses.
pub(crate) fn destruction_steps(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let mut steps = Vec::new();
    let reason = || Reason::Asked("destroy".to_owned());
    let owner = desired.owner();
    let is_created = |found: &&Distribution| found.proof == Proof::CallerReference || owner.created_by(&found.tags);
    let owned = actual.distribution.as_ref().filter(is_created);
    if let Some(Distribution { id, enabled, deployed, .. }) = owned {
        if *enabled {
            let disable = Change::DisableDistribution { id: id.clone() };
            steps.push(Step::new(step_ids::DISTRIBUTION_DISABLED, Action::Update, reason(), disable));
        }
        // CloudFront deletes a distribution only after its deactivation is deployed.
        if *enabled || !deployed {
            let wait = Change::AwaitDistribution { id: Deferred::Known(id.clone()) };
            let wait = Step::new(step_ids::DISTRIBUTION_DEPLOYED, Action::Wait, Reason::Pending, wait);
            steps.push(wait.follows(step_ids::DISTRIBUTION_DISABLED));
        }
        let delete = Change::DeleteDistribution { id: id.clone() };
        let delete = Step::new(step_ids::DISTRIBUTION, Action::Delete, reason(), delete);
        steps.push(delete.follows(step_ids::DISTRIBUTION_DEPLOYED));
    }
    // An adopted distribution is not deleted and may still use its function and access control.
    if actual.distribution.is_some() && owned.is_none() {
        return steps;
    }
    if actual.function.is_some() {
        let delete = Change::DeleteFunction { name: desired.resource_name() };
        let delete = Step::new(step_ids::FUNCTION, Action::Delete, reason(), delete);
        steps.push(delete.follows(step_ids::DISTRIBUTION));
    }
    if actual.store.as_ref().is_some_and(|store| desired.owns_store(store)) {
        let delete = Change::DeleteStore { name: desired.resource_name() };
        let delete = Step::new(step_ids::STORE, Action::Delete, reason(), delete);
        steps.push(delete.follows(step_ids::FUNCTION).follows(step_ids::DISTRIBUTION));
    }
    if let Some(AccessControl { id, .. }) = &actual.access_control {
        let delete = Change::DeleteAccessControl { id: id.clone() };
        let delete = Step::new(step_ids::ACCESS_CONTROL, Action::Delete, reason(), delete);
        steps.push(delete.follows(step_ids::DISTRIBUTION));
    }
    steps
}
