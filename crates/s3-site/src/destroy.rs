//! Taking the buckets away again: those that twinsite created, and nothing else.

use twinsite_core::{Action, BucketName, Pair, Reason, Side, Step};

use crate::bucket::{Found, Observed};
use crate::change::{BucketChange, Change, What};
use crate::diff::without_ours;
use crate::policy;
use crate::role::{self, RoleState};
use crate::want::Desired;

/// How many objects, versions and delete markers each bucket holds, for the owner to see before saying yes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// In the two buckets.
    pub buckets: Pair<u64>,
    /// In those that another mode has left behind, in the order in which they were found.
    pub former: Vec<u64>,
    /// The role that an interrupted batch job has left behind.
    pub batch_role: Option<RoleState>,
}

/// The steps that take the buckets away. A bucket that was handed over stays, without our tags and policy statements.
pub fn destroy_steps(want: &Desired, have: &Observed, contents: &Contents) -> Vec<Step<Change>> {
    let buckets = Side::BOTH.into_iter();
    let buckets = buckets.filter_map(|side| step(want, side, have.buckets.get(side), *contents.buckets.get(side)));
    let former = destroy_former(have, contents).into_iter();
    let batch = role::destroy_batch(want, contents.batch_role.as_ref());
    buckets.chain(former).chain(role::destroy(want, have.role.as_ref())).chain(batch).collect()
}

/// The steps that take away what another mode has left behind, and nothing else.
pub fn destroy_former(have: &Observed, contents: &Contents) -> Vec<Step<Change>> {
    let former = have.former.iter().zip(&contents.former);
    let step = |((side, bucket), objects): (&(Side, BucketName), &u64)| {
        let what = What::Delete { objects: *objects };
        let change = Change::Bucket(BucketChange { side: *side, bucket: bucket.clone(), what });
        let reason = Reason::Asked("destroy".to_owned());
        Step::new(format!("{side}/former-bucket"), Action::Delete, reason, change)
    };
    former.map(step).collect()
}

fn step(want: &Desired, side: Side, found: &Found, objects: u64) -> Option<Step<Change>> {
    let Found::Bucket(state) = found else { return None };
    let owner = want.owner();
    let bucket = want.site.buckets.get(side).clone();
    let reason = || Reason::Asked("destroy".to_owned());
    if owner.created_by(&state.tags) {
        let change = Change::Bucket(BucketChange { side, bucket, what: What::Delete { objects } });
        return Some(Step::new(format!("{side}/bucket"), Action::Delete, reason(), change));
    }
    if !owner.owns(&state.tags) {
        return None;
    }
    let tags = without_ours(&state.tags, &owner.adopted());
    // A policy that cannot be read has no statement of ours.
    let policy = state.policy.as_deref().map(|text| policy::without_ours(text).unwrap_or(Some(text.to_owned())));
    let replicates = state.replication.rule.is_some();
    let what = What::Release { policy: policy.flatten(), tags, replicates };
    let change = Change::Bucket(BucketChange { side, bucket, what });
    Some(Step::new(format!("{side}/release"), Action::Update, reason(), change))
}
