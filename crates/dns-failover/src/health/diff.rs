//! From the checks that are there to those that should be: pure.

use std::collections::BTreeMap;

use twinsite_core::{Action, Deferred, Field, Reason, ResourceId, Step};

use super::spec::wanted;
use super::{Check, Role, Spec};
use crate::change::Change;
use crate::records;
use crate::want::Desired;

/// What the rest of the plan needs to know.
pub(crate) struct Chosen {
    pub(crate) steps: Vec<Step<Change>>,
    ids: BTreeMap<Role, Deferred<ResourceId>>,
}

impl Chosen {
    /// The check of a role.
    pub(crate) fn id(&self, role: Role) -> Option<Deferred<ResourceId>> {
        self.ids.get(&role).cloned()
    }
}

/// The check that serves a role now: one that need not be replaced.
fn fitting<'a>(have: &'a [Check], role: Role, kind: &str) -> Option<&'a Check> {
    have.iter().find(|check| check.role == role && check.kind == kind)
}

/// The steps that bring the checks into the wanted state; superseded ones go once the records name their successors.
pub(crate) fn steps(want: &Desired, have: &[Check]) -> Chosen {
    // What a check is made of does not depend on the ids of others, but for the one that is made of others.
    let kinds: BTreeMap<Role, String> =
        wanted(want, |role| Deferred::After(role.step())).iter().map(|spec| (spec.role, spec.kind())).collect();
    let id = |role: Role| {
        let there = kinds.get(&role).and_then(|kind| fitting(have, role, kind));
        there.map_or_else(|| Deferred::After(role.step()), |check| Deferred::Known(check.id.clone()))
    };
    let specs = wanted(want, id);
    let mut steps = Vec::new();
    for spec in &specs {
        steps.extend(step(want, spec, fitting(have, spec.role, &spec.kind())));
    }
    let kept = |check: &&Check| kinds.get(&check.role).is_some_and(|kind| *kind == check.kind);
    let mut superseded: Vec<&Check> = have.iter().filter(|check| !kept(check)).collect();
    superseded.sort_by_key(|check| std::cmp::Reverse(check.role));
    steps.extend(superseded.into_iter().map(|check| {
        let step = delete(check, Reason::Unwanted).follows(records::STEP);
        step.follows(Role::Serving.step())
    }));
    Chosen { steps, ids: specs.iter().map(|spec| (spec.role, id(spec.role))).collect() }
}

fn step(want: &Desired, spec: &Spec, have: Option<&Check>) -> Option<Step<Change>> {
    let tags = tags(want, spec.role);
    let Some(check) = have else {
        let create = Change::CreateCheck { spec: Box::new(spec.clone()), reference: reference(want, spec), tags };
        return Some(Step::new(spec.role.step(), Action::Create, Reason::Absent, create));
    };
    let words = spec.words();
    let changed = words.iter().filter(|(name, value)| check.settings.get(*name) != Some(value));
    let mut fields: Vec<Field> = changed
        .map(|(name, value)| Field {
            name: name.clone(),
            actual: check.settings.get(name).cloned(),
            desired: Some(value.clone()),
        })
        .collect();
    let gone = check.settings.iter().filter(|(name, _)| !words.contains_key(*name));
    fields.extend(gone.map(|(name, value)| Field::unset(name, value)));
    let missing = tags.iter().filter(|(key, value)| check.tags.get(*key) != Some(value));
    fields.extend(missing.map(|(key, value)| Field::set(format!("tag {key}"), value)));
    let update =
        || Change::UpdateCheck { id: check.id.clone(), spec: Box::new(spec.clone()), tags, fields: fields.clone() };
    (!fields.is_empty()).then(|| Step::new(spec.role.step(), Action::Update, Reason::Drifted, update()))
}

/// The console shows `Name` beside each check.
fn tags(want: &Desired, role: Role) -> twinsite_aws::Tags {
    let mut tags = want.owner().created();
    tags.insert("Name".to_owned(), format!("{} {role}", want.site.domain));
    tags
}

/// What makes a check's creation repeatable, and tells whose it is before it has tags. A number is added when Route 53 still
/// remembers a deleted check of this reference.
fn reference(want: &Desired, spec: &Spec) -> String {
    format!("{}{}:{}", prefix(want), spec.role, spec.kind())
}

/// What the references of all checks of a site begin with; at most 64 characters may follow from it in all.
pub(crate) fn prefix(want: &Desired) -> String {
    use sha2::{Digest, Sha256};
    let named = format!("{}/{}", want.site.account, want.site.domain);
    format!("twinsite:{}:", hex::encode(&Sha256::digest(named)[..8]))
}

fn delete(check: &Check, reason: Reason) -> Step<Change> {
    let id = format!("health/{}/{}", check.role, check.id);
    Step::new(id, Action::Delete, reason, Change::DeleteCheck { id: check.id.clone(), role: check.role })
}

/// The steps that take all checks away, once no record names them; the one that is made of others first.
pub(crate) fn destroy(have: &[Check]) -> Vec<Step<Change>> {
    let parents: Vec<_> = have.iter().filter(|check| check.role == Role::Serving).collect();
    let steps = have.iter().map(|check| {
        let step = delete(check, Reason::Asked("destroy".to_owned())).follows(records::STEP);
        let others = parents.iter().filter(|parent| parent.id != check.id);
        others.fold(step, |step, parent| step.follows(format!("health/{}/{}", parent.role, parent.id)))
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_fit_into_64_characters() {
        let regions = twinsite_core::Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let domain = "a-rather-long-name-for-a-site.example.com".parse().unwrap();
        let account = "111122223333".parse().unwrap();
        let site = twinsite_core::Site::new(domain, twinsite_core::Mode::Layered, account, regions).unwrap();
        let want = Desired::new(site, Deferred::After("cdn/distribution".into()));
        for spec in wanted(&want, |role| Deferred::After(role.step())) {
            assert!(reference(&want, &spec).len() + "-99".len() <= 64);
        }
    }
}
