//! The steps for redirect buckets, and for the record of aliases.

use twinsite_aws::Tags;
use twinsite_core::{Action, Domain, Reason, Side, Step};

use crate::model::{
    Actual, ActualRedirectBucket, Adopt, BucketChange, BucketChangeKind, Change, Conflict, Desired, RedirectBucket,
    RedirectProblem, WebsiteRedirect,
};
use crate::step_ids;

/// The steps that bring the redirect bucket of an alias into the desired state. In a mode without DNS failover, and for a former alias,
/// there is none.
pub(crate) fn redirect_steps(desired: &Desired, found: &RedirectBucket) -> Result<Vec<Step<Change>>, Conflict> {
    let RedirectBucket { alias, bucket, actual } = found;
    if !desired.site.mode.public_buckets() || desired.former_aliases.contains(alias) {
        return Ok(removal_steps(desired, found, &Reason::Unwanted));
    }
    let conflict = |problem| Conflict::RedirectBucket { bucket: bucket.clone(), problem };
    let owner = desired.owner();
    let mut steps = Vec::new();
    let mut redirects_to = None;
    match actual {
        ActualRedirectBucket::Inaccessible => return Err(conflict(RedirectProblem::Inaccessible)),
        ActualRedirectBucket::OtherRegion(region) => {
            return Err(conflict(RedirectProblem::OtherRegion(region.clone())));
        }
        ActualRedirectBucket::Absent => {
            let (region, tags) = (desired.site.regions.backup.clone(), owner.created());
            let create = change(found, BucketChangeKind::Create { region, tags });
            let step = Step::new(step_ids::redirect_bucket(alias), Action::Create, Reason::Absent, create);
            steps.push(step.follows(step_ids::ALIAS_RECORD));
        }
        ActualRedirectBucket::Present { tags, redirect, objects: _ } => {
            redirects_to.clone_from(redirect);
            if let Some(site) = owner.other(tags) {
                return Err(conflict(RedirectProblem::OtherSite(site.to_owned())));
            }
            if !owner.owns(tags) {
                if desired.adopt == Adopt::Refuse {
                    return Err(conflict(RedirectProblem::Untagged));
                }
                let mut adopted = tags.clone();
                adopted.extend(owner.adopted());
                let put = change(found, BucketChangeKind::PutTags { actual: tags.clone(), desired: adopted });
                let reason = Reason::Asked("is handed over (--adopt)".to_owned());
                let step = Step::new(step_ids::redirect_tags(alias), Action::Update, reason, put);
                steps.push(step.follows(step_ids::ALIAS_RECORD));
            }
        }
    }
    let wanted = WebsiteRedirect::to_site(&desired.site.domain);
    if redirects_to.as_ref() != Some(&wanted) {
        let reason = if steps.is_empty() { Reason::Drifted } else { steps[0].reason.clone() };
        let put = change(found, BucketChangeKind::PutRedirect { actual: redirects_to, desired: wanted });
        let step = Step::new(step_ids::redirect_website(alias), Action::Update, reason, put);
        steps.push(step.follows(step_ids::redirect_bucket(alias)).follows(step_ids::redirect_tags(alias)));
    }
    Ok(steps)
}

/// The steps that delete the redirect bucket of an alias, or remove the site's tags from one that was adopted.
pub(crate) fn removal_steps(desired: &Desired, found: &RedirectBucket, reason: &Reason) -> Vec<Step<Change>> {
    let ActualRedirectBucket::Present { tags, redirect: _, objects } = &found.actual else { return Vec::new() };
    let owner = desired.owner();
    if owner.created_by(tags) {
        let delete = change(found, BucketChangeKind::Delete { objects: *objects });
        let id = step_ids::redirect_bucket(&found.alias);
        return vec![Step::new(id, Action::Delete, reason.clone(), delete)];
    }
    if !owner.owns(tags) {
        return Vec::new();
    }
    let adopted = owner.adopted();
    let others = tags.iter().filter(|(key, _)| !adopted.contains_key(*key));
    let others: Tags = others.map(|(key, value)| (key.clone(), value.clone())).collect();
    let put = change(found, BucketChangeKind::PutTags { actual: tags.clone(), desired: others });
    vec![Step::new(step_ids::redirect_tags(&found.alias), Action::Update, reason.clone(), put)]
}

/// The steps that record new aliases before anything is created for them, and forget former ones after everything was deleted.
pub(crate) fn record_steps(desired: &Desired, actual: &Actual) -> Vec<Step<Change>> {
    let recorded = &actual.recorded_aliases;
    let mut wanted: Vec<Domain> = desired.site.aliases.clone();
    wanted.sort();
    let mut all: Vec<Domain> = wanted.iter().chain(recorded).cloned().collect();
    all.sort();
    all.dedup();
    let step = |id: &'static str, actual: &[Domain], desired_list: &[Domain]| {
        let kind = BucketChangeKind::PutAliasRecord { actual: actual.to_vec(), desired: desired_list.to_vec() };
        let bucket = desired.site.buckets.backup.clone();
        let change = Change::Bucket(BucketChange { side: Side::Backup, bucket, kind });
        let (action, reason) = match (actual.is_empty(), desired_list.is_empty()) {
            (true, _) => (Action::Create, Reason::Absent),
            (false, true) => (Action::Delete, Reason::Unwanted),
            (false, false) => (Action::Update, Reason::Drifted),
        };
        let step = Step::new(id, action, reason, change);
        // Not the policy: in a change of mode, that waits for the distribution, and the distribution for this record.
        step.follows(step_ids::bucket(Side::Backup)).follows(step_ids::versioning(Side::Backup))
    };
    let mut steps = Vec::new();
    if all != *recorded {
        steps.push(step(step_ids::ALIAS_RECORD, recorded, &all));
    }
    if all != wanted {
        steps.push(step(step_ids::ALIAS_RECORD_REDUCED, &all, &wanted).follows(step_ids::ALIAS_RECORD));
    }
    steps
}

fn change(found: &RedirectBucket, kind: BucketChangeKind) -> Change {
    Change::Bucket(BucketChange { side: Side::Backup, bucket: found.bucket.clone(), kind })
}
