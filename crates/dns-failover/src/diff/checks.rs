//! The steps for health checks.

use std::collections::BTreeMap;

use twinsite_aws::{Tags, tag_fields};
use twinsite_core::{Action, Deferred, Host, Mode, Reason, ResourceId, Side, Step, differences, probe};

use crate::model::{Change, Check, CheckPurpose, CheckSettings, CheckTarget, Desired};
use crate::step_ids;

/// The steps for the health checks, and their ids for the records.
pub(crate) struct PlannedChecks {
    pub(crate) steps: Vec<Step<Change>>,
    ids: BTreeMap<CheckPurpose, Deferred<ResourceId>>,
}

impl PlannedChecks {
    /// The id of a check; `None` if the mode has no such check.
    pub(crate) fn id(&self, purpose: CheckPurpose) -> Option<Deferred<ResourceId>> {
        self.ids.get(&purpose).cloned()
    }
}

/// The steps that bring the health checks into the desired state. Superseded checks are deleted after the records use their
/// replacements.
pub(crate) fn plan_checks(desired: &Desired, actual: &[Check]) -> PlannedChecks {
    let (mut steps, mut ids) = (Vec::new(), BTreeMap::new());
    let mut kept = Vec::new();
    // Children come before the calculated check that refers to their ids.
    for purpose in purposes(desired.site.mode) {
        let settings = check_settings(desired, *purpose, &ids);
        let digest = settings.immutable_digest();
        let check = actual.iter().find(|check| check.purpose == *purpose && check.immutable_digest == digest);
        ids.insert(
            *purpose,
            check.map_or_else(|| Deferred::After(step_ids::check(*purpose)), |check| Deferred::Known(check.id.clone())),
        );
        steps.extend(check_step(desired, settings, check));
        kept.push((*purpose, digest));
    }
    let is_kept = |check: &&Check| {
        kept.iter().any(|(purpose, digest)| *purpose == check.purpose && *digest == check.immutable_digest)
    };
    let mut superseded: Vec<&Check> = actual.iter().filter(|check| !is_kept(check)).collect();
    superseded.sort_by_key(|check| std::cmp::Reverse(check.purpose));
    steps.extend(superseded.into_iter().map(|check| {
        let step = deletion_step(check, Reason::Unwanted).follows(step_ids::RECORDS);
        step.follows(step_ids::check(CheckPurpose::Serving))
    }));
    PlannedChecks { steps, ids }
}

/// The checks of a mode, children before the calculated check.
fn purposes(mode: Mode) -> &'static [CheckPurpose] {
    use CheckPurpose::{Backup, Edge, Primary, Serving, Switch};
    match mode {
        Mode::Dns => &[Primary, Backup, Switch, Serving],
        Mode::Layered => &[Edge, Primary, Backup, Switch, Serving],
        Mode::Origin => &[Edge, Primary, Backup],
    }
}

fn check_settings(
    desired: &Desired,
    purpose: CheckPurpose,
    ids: &BTreeMap<CheckPurpose, Deferred<ResourceId>>,
) -> CheckSettings {
    let site = &desired.site;
    let website = |side| Deferred::Known(Host::bucket_website(site.buckets.get(side), site.regions.get(side)));
    let distribution = || desired.distribution_host.clone();
    let endpoint = |host: Deferred<Host>, https: bool, key: &str| CheckTarget::Endpoint {
        host,
        path: format!("/{key}"),
        https,
        search_string: Some(site.health_word()),
        inverted: false,
    };
    // Private buckets are reached through the distribution, at a path per bucket.
    let bucket = |side| match site.mode {
        Mode::Origin => endpoint(distribution(), true, &probe::key_of(side)),
        Mode::Dns | Mode::Layered => endpoint(website(side), false, probe::HEALTH),
    };
    let target = match purpose {
        // A function answers at the edge, so that the health of an origin does not matter.
        CheckPurpose::Edge => endpoint(distribution(), true, probe::EDGE),
        CheckPurpose::Primary => bucket(Side::Primary),
        CheckPurpose::Backup => bucket(Side::Backup),
        // While the switch object does not exist, the response is a 403 or 404: unhealthy, inverted. A website that redirects missing
        // pages answers with 302, which is healthy to a check that does not look for the word.
        CheckPurpose::Switch => CheckTarget::Endpoint {
            host: website(Side::Backup),
            path: format!("/{}", probe::STOP),
            https: false,
            search_string: Some(probe::STOP_WORD.to_owned()),
            inverted: true,
        },
        CheckPurpose::Serving => {
            let site_check = if site.mode == Mode::Dns { CheckPurpose::Primary } else { CheckPurpose::Edge };
            let children = [site_check, CheckPurpose::Switch];
            CheckTarget::Calculated { children: children.iter().filter_map(|child| ids.get(child).cloned()).collect() }
        }
    };
    let (interval, threshold) = (desired.timing.interval.as_secs(), desired.timing.threshold);
    CheckSettings { purpose, target, interval, threshold }
}

fn check_step(desired: &Desired, settings: CheckSettings, actual: Option<&Check>) -> Option<Step<Change>> {
    let (id, tags) = (step_ids::check(settings.purpose), tags(desired, settings.purpose));
    let Some(check) = actual else {
        let reference = caller_reference(desired, &settings);
        let create = Change::CreateCheck { settings: Box::new(settings), reference, tags };
        return Some(Step::new(id, Action::Create, Reason::Absent, create));
    };
    let mut fields = differences(&check.properties, &settings.to_properties());
    fields.extend(tag_fields(&check.tags, &tags));
    if fields.is_empty() {
        return None;
    }
    let update = Change::UpdateCheck { id: check.id.clone(), settings: Box::new(settings), tags, fields };
    Some(Step::new(id, Action::Update, Reason::Drifted, update))
}

/// The tags of a check. The console shows `Name` in its list.
fn tags(desired: &Desired, purpose: CheckPurpose) -> Tags {
    let mut tags = desired.owner().created();
    tags.insert("Name".to_owned(), format!("{} {purpose}", desired.site.domain));
    tags
}

/// Makes the creation idempotent, and identifies the check as the site's before it has tags. A number is appended if Route 53
/// still remembers a deleted check with this reference.
fn caller_reference(desired: &Desired, settings: &CheckSettings) -> String {
    format!("{}{}:{}", desired.check_reference_prefix(), settings.purpose, settings.immutable_digest())
}

fn deletion_step(check: &Check, reason: Reason) -> Step<Change> {
    let delete = Change::DeleteCheck { id: check.id.clone(), purpose: check.purpose };
    Step::new(step_ids::check_deletion(check.purpose, &check.id), Action::Delete, reason, delete)
}

/// The steps that delete all checks after the records that use them, and the calculated check before its children.
pub(crate) fn destruction_steps(actual: &[Check]) -> Vec<Step<Change>> {
    let calculated: Vec<&Check> = actual.iter().filter(|check| check.purpose == CheckPurpose::Serving).collect();
    let steps = actual.iter().map(|check| {
        let step = deletion_step(check, Reason::Asked("destroy".to_owned())).follows(step_ids::RECORDS);
        let parents = calculated.iter().filter(|parent| parent.id != check.id);
        parents.fold(step, |step, parent| step.follows(step_ids::check_deletion(parent.purpose, &parent.id)))
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
        let site = twinsite_core::Site::new(domain, Mode::Layered, account, regions).unwrap();
        let desired = Desired::new(site, Deferred::After("cdn/distribution".into()));
        for purpose in CheckPurpose::ALL {
            let settings = check_settings(&desired, purpose, &BTreeMap::new());
            assert!(caller_reference(&desired, &settings).len() + "-99".len() <= 64);
        }
    }
}
