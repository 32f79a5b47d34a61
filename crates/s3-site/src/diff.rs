//! From what is to what should be: pure, and total. Every field of the observed state is looked at.

use twinsite_aws::Tags;
use twinsite_core::{Action, BucketName, Reason, Side, Step};

use crate::bucket::{Block, Found, Lifecycle, Observed, SideState};
use crate::change::{BucketChange, Change, Setting, What};
use crate::policy;
use crate::problem::{Problem, Unfit};
use crate::replication::{self, Replication};
use crate::role;
use crate::want::{Adopt, Desired};

/// Days after which uploads that were not completed are thrown away.
const ABORT_DAYS: i32 = 7;

/// Nothing goes by age alone: old versions go when no release that is kept names them, and only a deploy knows that.
const LIFECYCLE: Lifecycle = Lifecycle { abort_days: Some(ABORT_DAYS), noncurrent_days: None, markers: true };

/// The steps that bring both buckets into the wanted state.
///
/// # Errors
/// [`Unfit`] with everything that stands in the way; nothing should be changed then.
pub fn steps(want: &Desired, have: &Observed) -> Result<Vec<Step<Change>>, Unfit> {
    let mut problems = account_problems(want, have.account);
    let mut steps = Vec::new();
    for side in Side::BOTH {
        match Planner::new(want, side).side(have.buckets.get(side)) {
            Ok(more) => steps.extend(more),
            Err(problem) => problems.push(problem),
        }
    }
    match role::steps(want, have.role.as_ref()) {
        Ok(more) => steps.extend(more),
        Err(problem) => problems.push(problem),
    }
    if problems.is_empty() { Ok(steps) } else { Err(Unfit(problems)) }
}

fn account_problems(want: &Desired, account: Option<Block>) -> Vec<Problem> {
    let Some(Block { acls: _, ignore_acls: _, policies, restrict }) = account else { return Vec::new() };
    if !want.site.mode.public_buckets() {
        return Vec::new();
    }
    let settings = [("BlockPublicPolicy", policies), ("RestrictPublicBuckets", restrict)];
    settings.into_iter().filter(|(_, on)| *on).map(|(setting, _)| Problem::AccountBlock { setting }).collect()
}

struct Planner<'a> {
    want: &'a Desired,
    side: Side,
    bucket: &'a BucketName,
}

impl<'a> Planner<'a> {
    fn new(want: &'a Desired, side: Side) -> Self {
        Self { want, side, bucket: want.site.buckets.get(side) }
    }

    fn side(&self, found: &Found) -> Result<Vec<Step<Change>>, Problem> {
        let (side, bucket) = (self.side, self.bucket.clone());
        match found {
            Found::Nothing => Ok(self.new_bucket()),
            Found::Forbidden => {
                let region = self.want.site.regions.get(side).clone();
                Err(Problem::Forbidden { side, bucket, region })
            }
            Found::Elsewhere(region) => Err(Problem::Elsewhere { side, bucket, region: region.clone() }),
            Found::Bucket(state) => self.old_bucket(state),
        }
    }

    /// S3 gives new buckets some of these settings by itself since April 2023; other servers, and buckets from before,
    /// do not. All of them are stated, so that the plan does not depend on it.
    fn new_bucket(&self) -> Vec<Step<Change>> {
        let region = self.want.site.regions.get(self.side).clone();
        let tags = self.want.owner().created();
        let fresh = SideState { tags: tags.clone(), ..SideState::default() };
        let create = self.step("bucket", (Action::Create, Reason::Absent), What::Create { region, tags });
        // A bucket that does not exist has no policy that could be odd.
        let rest = self.settings(&fresh).unwrap_or_default();
        let rest = rest.into_iter().map(|step| Step { reason: Reason::Absent, ..step });
        std::iter::once(create).chain(rest).collect()
    }

    fn old_bucket(&self, state: &SideState) -> Result<Vec<Step<Change>>, Problem> {
        let (side, bucket, owner) = (self.side, self.bucket.clone(), self.want.owner());
        if let Some(site) = owner.other(&state.tags) {
            return Err(Problem::OtherSite { side, bucket, site: site.to_owned() });
        }
        if owner.owns(&state.tags) {
            return self.settings(state);
        }
        if self.want.adopt == Adopt::Refuse {
            return Err(Problem::Untagged { side, bucket });
        }
        let reason = Reason::Asked("is handed over (--adopt)".to_owned());
        let mut want = state.tags.clone();
        want.extend(owner.adopted());
        let adopt = self.step("tags", (Action::Update, reason), What::Tags { have: state.tags.clone(), want });
        Ok(std::iter::once(adopt).chain(self.settings(state)?).collect())
    }

    fn settings(&self, state: &SideState) -> Result<Vec<Step<Change>>, Problem> {
        let SideState {
            tags: _,
            versioned,
            owner_enforced,
            sse_s3,
            block,
            website,
            lifecycle,
            policy,
            replication,
            probes,
        } = state;
        let mut steps = Vec::new();
        let want = self.want.block();
        for (name, right, what) in [
            ("versioning", *versioned, What::Set(Setting::Versioning)),
            ("ownership", *owner_enforced, What::Set(Setting::Ownership)),
            ("encryption", *sse_s3, What::Set(Setting::Encryption)),
            ("access-block", *block == Some(want), What::Set(Setting::Block { have: *block, want })),
        ] {
            if !right {
                steps.push(self.update(name, what));
            }
        }
        if let Some(wanted) = self.want.website().filter(|wanted| website.as_ref() != Some(wanted)) {
            steps.push(self.update("website", What::Website { have: website.clone(), want: wanted }));
        }
        let rules = LIFECYCLE;
        if *lifecycle != rules {
            steps.push(self.update("lifecycle", What::Lifecycle { have: *lifecycle, want: rules }));
        }
        steps.extend(self.policy(policy.as_deref())?);
        steps.extend(self.replication(replication)?);
        if !probes {
            let (keys, word) = (self.want.site.health_keys(), self.want.site.health_word());
            steps.push(self.update("probes", What::Probes { keys, word }).follows(self.id("versioning")));
        }
        Ok(steps)
    }

    fn policy(&self, have: Option<&str>) -> Result<Option<Step<Change>>, Problem> {
        let wanted = policy::wanted(self.want, self.bucket.as_str(), have);
        let odd = |policy::Odd| Problem::OddPolicy { side: self.side, bucket: self.bucket.clone() };
        Ok(wanted.map_err(odd)?.map(|want| {
            let have = have.map(str::to_owned);
            let step = self.update("policy", What::Policy { have, want });
            // S3 refuses a public policy until the block is lifted.
            step.follows(self.id("access-block"))
        }))
    }

    /// After everything that S3 checks when it takes a rule: both buckets, their versions, and the role.
    fn replication(&self, have: &Replication) -> Result<Option<Step<Change>>, Problem> {
        let Replication { rule, others } = have;
        let wanted = replication::wanted(self.want, self.side);
        if let (Some(want), Some(role)) = (&wanted, others)
            && want.role != *role
        {
            let (side, bucket) = (self.side, self.bucket.clone());
            return Err(Problem::OtherReplication { side, bucket, role: role.clone() });
        }
        if *rule == wanted {
            return Ok(None);
        }
        let step = self.update("replication", What::Replication { have: rule.clone(), want: wanted });
        let before = ["bucket", "versioning"].map(|name| format!("{}/{name}", self.side.other()));
        let before = before.into_iter().chain([self.id("versioning"), role::STEP.to_owned()]);
        let before = before.chain(["replication/trust".to_owned(), "replication/permissions".to_owned()]);
        Ok(Some(before.fold(step, Step::follows)))
    }

    fn id(&self, name: &str) -> String {
        format!("{}/{name}", self.side)
    }

    fn update(&self, name: &str, what: What) -> Step<Change> {
        self.step(name, (Action::Update, Reason::Drifted), what).follows(self.id("bucket")).follows(self.id("tags"))
    }

    fn step(&self, name: &str, (action, reason): (Action, Reason), what: What) -> Step<Change> {
        let change = Change::Bucket(BucketChange { side: self.side, bucket: self.bucket.clone(), what });
        Step::new(self.id(name), action, reason, change)
    }
}

/// The tags of others, without ours.
pub(crate) fn without_ours(tags: &Tags, ours: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| !ours.contains_key(*key)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

#[cfg(test)]
mod tests;
