//! The steps for the key value store.

use twinsite_core::{Action, Arn, Deferred, Reason, Step};

use crate::model::{Actual, Change, Conflict, Desired, ORIGIN_KEY, OriginChoice, SITE_KEY, StoreKeys, initial_keys};
use crate::step_ids;

/// The store, and the steps that bring it into the desired state.
pub(crate) struct PlannedStore {
    /// Its ARN.
    pub(crate) arn: Deferred<Arn>,
    /// The steps.
    pub(crate) steps: Vec<Step<Change>>,
}

/// Creates the store with its keys, or restores what was changed. From which origin visitors are served is for operators to say: it is
/// only put where the value means nothing, which the function takes for the primary.
pub(crate) fn plan_store(desired: &Desired, actual: &Actual) -> Result<PlannedStore, Conflict> {
    let name = desired.resource_name();
    let keys = initial_keys(&desired.site.domain);
    let Some(store) = &actual.store else {
        let arn = Deferred::After(step_ids::STORE.into());
        let create = Change::CreateStore { name: name.clone(), tags: desired.owner().created() };
        let put = Change::PutStoreKeys { name, store: arn.clone(), actual: StoreKeys::new(), desired: keys };
        let mut steps = vec![
            Step::new(step_ids::STORE, Action::Create, Reason::Absent, create),
            Step::new(step_ids::STORE_KEYS, Action::Create, Reason::Absent, put),
        ];
        steps.extend(users_step(desired, &arn, None));
        return Ok(PlannedStore { arn, steps });
    };
    if !desired.owns_store(store) {
        return Err(Conflict::StoreTaken { name, arn: store.arn.clone() });
    }
    let mut steps = Vec::new();
    if !desired.owner().owns(&store.tags) {
        let (actual, tags) = (store.tags.clone(), desired.owner().created());
        let tag = Change::TagStore { arn: store.arn.clone(), actual, tags };
        steps.push(Step::new(step_ids::STORE_TAGS, Action::Update, Reason::Drifted, tag));
    }
    let is_as_desired = |key: &str, value: &str| match key {
        SITE_KEY => store.site.as_deref() == Some(value),
        _ => store.origin.as_deref().is_some_and(|origin| origin.parse::<OriginChoice>().is_ok()),
    };
    let keys: StoreKeys = keys.into_iter().filter(|(key, value)| !is_as_desired(key, value)).collect();
    if !keys.is_empty() {
        let found = [(SITE_KEY, &store.site), (ORIGIN_KEY, &store.origin)];
        let found = found.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
        let arn = Deferred::Known(store.arn.clone());
        let put = Change::PutStoreKeys { name, store: arn, actual: found.collect(), desired: keys };
        steps.push(Step::new(step_ids::STORE_KEYS, Action::Update, Reason::Drifted, put));
    }
    steps.extend(users_step(desired, &Deferred::Known(store.arn.clone()), store.users.as_ref()));
    Ok(PlannedStore { arn: Deferred::Known(store.arn.clone()), steps })
}

/// Puts the users of protected paths once the function asks for passwords: until they are there, it lets nobody in. What the head says is
/// what a deploy relies on.
fn users_step(desired: &Desired, store: &Deferred<Arn>, actual: Option<&String>) -> Option<Step<Change>> {
    let head = desired.auth.head();
    if head.as_ref() == actual {
        return None;
    }
    let (action, reason) = match actual {
        None => (Action::Create, Reason::Absent),
        Some(_) => (Action::Update, Reason::Drifted),
    };
    let (name, actual, protection) = (desired.resource_name(), actual.cloned(), desired.auth.clone());
    let put = Change::PutUsers { name, store: store.clone(), actual, protection };
    Some(
        Step::new(step_ids::STORE_USERS, action, reason, put).follows(step_ids::STORE_KEYS).follows(step_ids::FUNCTION),
    )
}
