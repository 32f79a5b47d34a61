//! The steps that delete what was created for the site.

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Action, BucketName, Reason, Side, Step, StepId};

use super::redirect::removal_steps;
use crate::model::{
    Actual, ActualBucket, BucketChange, BucketChangeKind, BucketSettings, Change, Contents, Desired, FormerBucket,
    FormerContents, Role, RoleChange, RoleChangeKind, batch_role_name, role_name, without_managed_statements,
};
use crate::step_ids;

/// The steps that delete the buckets and the roles, as far as they were created for the site. An adopted bucket is kept,
/// without the site's tags, policy statements and replication rule.
pub fn plan_destruction(desired: &Desired, actual: &Actual, contents: &Contents) -> Vec<Step<Change>> {
    let buckets = actual.buckets.iter();
    let buckets = buckets.filter_map(|(side, bucket)| bucket_step(desired, side, bucket, contents));
    let mut steps: Vec<Step<Change>> = buckets.chain(plan_former_destruction(contents)).collect();
    steps.extend(actual.redirects.iter().flat_map(|found| removal_steps(desired, found, &requested())));
    let owner = desired.owner();
    let role = role_step(&owner, step_ids::ROLE.into(), role_name(&desired.site), actual.role.as_ref());
    steps.extend(role.map(|step| {
        let follow = |step: Step<Change>, side| step.follows(step_ids::bucket(side)).follows(step_ids::release(side));
        Side::BOTH.into_iter().fold(step, follow)
    }));
    let batch_role = contents.batch_role.as_ref();
    steps.extend(role_step(&owner, step_ids::BATCH_ROLE.into(), batch_role_name(&desired.site), batch_role));
    steps
}

/// The steps that delete buckets that belonged to the site in another mode, and nothing else.
pub fn plan_former_destruction(contents: &Contents) -> Vec<Step<Change>> {
    let steps = contents.former.iter().map(|FormerContents { bucket: FormerBucket { side, bucket }, objects }| {
        deletion_step(step_ids::former_bucket(*side), *side, bucket, *objects)
    });
    steps.collect()
}

fn requested() -> Reason {
    Reason::Asked("destroy".to_owned())
}

fn deletion_step(id: StepId, side: Side, bucket: &BucketName, objects: u64) -> Step<Change> {
    let change = BucketChange { side, bucket: bucket.clone(), kind: BucketChangeKind::Delete { objects } };
    Step::new(id, Action::Delete, requested(), Change::Bucket(change))
}

fn bucket_step(desired: &Desired, side: Side, actual: &ActualBucket, contents: &Contents) -> Option<Step<Change>> {
    let ActualBucket::Present(settings) = actual else { return None };
    let (owner, bucket) = (desired.owner(), desired.site.buckets.get(side));
    if owner.created_by(&settings.tags) {
        return Some(deletion_step(step_ids::bucket(side), side, bucket, *contents.buckets.get(side)));
    }
    owner.owns(&settings.tags).then(|| {
        let change = BucketChange { side, bucket: bucket.clone(), kind: release(&owner, settings) };
        Step::new(step_ids::release(side), Action::Update, requested(), Change::Bucket(change))
    })
}

fn release(owner: &Owner, actual: &BucketSettings) -> BucketChangeKind {
    let managed = owner.adopted();
    let others = actual.tags.iter().filter(|(key, _)| !managed.contains_key(*key));
    let tags: Tags = others.map(|(key, value)| (key.clone(), value.clone())).collect();
    // A policy that is not a policy document has no managed statements.
    let policy = actual
        .policy
        .as_ref()
        .and_then(|policy| without_managed_statements(policy).unwrap_or_else(|_| Some(policy.clone())));
    BucketChangeKind::Release {
        actual_policy: actual.policy.clone(),
        policy,
        actual_tags: actual.tags.clone(),
        tags,
        replication_rule: actual.replication.managed.clone(),
    }
}

fn role_step(owner: &Owner, id: StepId, role: String, actual: Option<&Role>) -> Option<Step<Change>> {
    actual.filter(|actual| owner.created_by(&actual.tags)).map(|_| {
        let delete = Change::Role(RoleChange { role, kind: RoleChangeKind::Delete });
        Step::new(id, Action::Delete, requested(), delete)
    })
}
