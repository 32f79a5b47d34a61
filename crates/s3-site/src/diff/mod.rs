//! From the actual to the desired state: pure.

mod bucket;
mod destruction;
mod redirect;
mod role;
#[cfg(test)]
mod tests;

use twinsite_core::Step;

use crate::model::{Actual, Change, Conflict, Conflicts, Desired, PublicAccessBlock};

pub use destruction::{plan_destruction, plan_former_destruction};

/// The steps that bring the two buckets, and the replication between them, into the desired state.
///
/// # Errors
/// [`Conflicts`] if the desired state cannot be reached. Nothing should be changed then.
pub fn plan_changes(desired: &Desired, actual: &Actual) -> Result<Vec<Step<Change>>, Conflicts> {
    let mut conflicts = account_conflicts(desired, actual.account_block);
    let mut steps = Vec::new();
    let mut collect = |planned: Result<Vec<Step<Change>>, Conflict>| match planned {
        Ok(planned) => steps.extend(planned),
        Err(conflict) => conflicts.push(conflict),
    };
    for (side, bucket) in actual.buckets.iter() {
        collect(bucket::Planner::new(desired, side).steps(bucket));
    }
    for found in &actual.redirects {
        collect(redirect::redirect_steps(desired, found));
    }
    collect(Ok(redirect::record_steps(desired, actual)));
    collect(role::role_steps(desired, actual.role.as_ref()));
    if conflicts.is_empty() { Ok(steps) } else { Err(Conflicts(conflicts)) }
}

/// Settings of the account that keep website buckets from being read.
pub(crate) fn account_conflicts(desired: &Desired, block: Option<PublicAccessBlock>) -> Vec<Conflict> {
    let Some(block) = block.filter(|_| desired.site.mode.public_buckets()) else { return Vec::new() };
    let PublicAccessBlock { block_public_acls: _, ignore_public_acls: _, block_public_policy, restrict_public_buckets } =
        block;
    let settings = [("BlockPublicPolicy", block_public_policy), ("RestrictPublicBuckets", restrict_public_buckets)];
    settings.into_iter().filter(|(_, on)| *on).map(|(setting, _)| Conflict::AccountBlock { setting }).collect()
}
