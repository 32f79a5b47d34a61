//! Replication between buckets: of what is put after there is a rule for it, and of nothing else.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Account, BucketSettings, Caller, Doc, Fault, Headers, Policy, State, Verdict, Version, Versioning, World};

/// How far a version has got, as `x-amz-replication-status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replicated {
    /// On its way.
    Pending,
    /// There.
    Completed,
    /// It could not be replicated, and will not be tried again.
    Failed,
    /// It came from another bucket.
    Replica,
}

impl Replicated {
    /// The header's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Replica => "REPLICA",
        }
    }
}

/// The rules of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Rules {
    role: String,
    rule: Vec<Rule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Rule {
    priority: i32,
    status: String,
    prefix: Option<String>,
    filter: Filter,
    delete_marker_replication: Switch,
    destination: Destination,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    prefix: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Switch {
    status: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    bucket: String,
}

impl Rules {
    /// The rules that were put on a bucket; none when there are none, or none that can be read.
    pub(super) fn of(settings: &BucketSettings) -> Option<Arc<Self>> {
        let text = settings.docs.get(&Doc::Replication)?;
        quick_xml::de::from_str(text).ok().map(Arc::new)
    }

    /// The bucket that a version goes to: as the rule with the highest priority says.
    fn destination(&self, version: &Version) -> Option<&str> {
        let prefix = |rule: &Rule| rule.filter.prefix.clone().or(rule.prefix.clone()).unwrap_or_default();
        let enabled = self.rule.iter().filter(|rule| rule.status == "Enabled");
        let fitting = enabled.filter(|rule| version.key.starts_with(&prefix(rule)));
        let rule = fitting.max_by_key(|rule| rule.priority)?;
        let wanted = !version.is_marker() || rule.delete_marker_replication.status == "Enabled";
        rule.destination.bucket.strip_prefix("arn:aws:s3:::").filter(|_| wanted)
    }

    /// True when a rule is about a version.
    pub(super) fn leads_somewhere(&self, version: &Version) -> bool {
        self.destination(version).is_some()
    }

    /// Where a version that is just being written stands.
    pub(super) fn standing(&self, version: &Version) -> Option<Replicated> {
        // A replica does not travel on.
        let fresh = version.replicated.is_none();
        (fresh && self.destination(version).is_some()).then_some(Replicated::Pending)
    }
}

/// A version on its way.
#[derive(Clone, Debug)]
struct Item {
    bucket: String,
    key: String,
    id: String,
    due: SystemTime,
}

/// Versions on their way, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue(std::sync::Mutex<VecDeque<Item>>);

impl Queue {
    fn take(&self, now: SystemTime) -> Option<Item> {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if items.front()?.due > now { None } else { items.pop_front() }
    }

    fn put(&self, item: Item) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
    }

    /// Everything that was on its way when the world was closed.
    pub(super) fn found_in(state: &State) -> Self {
        let mut items = VecDeque::new();
        for (bucket, there) in &state.buckets {
            for version in there.keys.values().flatten().filter(|one| one.replicated == Some(Replicated::Pending)) {
                let (bucket, key, id) = (bucket.clone(), version.key.clone(), version.id.clone());
                items.push_back(Item { bucket, key, id, due: version.modified });
            }
        }
        Self(std::sync::Mutex::new(items))
    }
}

/// A role and two buckets, by name.
type Grantee = [String; 3];

/// What roles may do, as long as the account stays as it is: policies are read once, and not for every version.
#[derive(Debug, Default)]
pub(super) struct Grants(std::sync::Mutex<Vec<(Grantee, bool)>>);

impl Grants {
    fn ask(&self, who: [&str; 3], look: impl FnOnce() -> bool) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, may)) = known.iter().find(|(grantee, _)| grantee.iter().eq(who)) {
            return *may;
        }
        let may = look();
        known.push((who.map(str::to_owned), may));
        may
    }

    /// The account is about to change.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl World {
    /// Sends a version on its way, should a rule say so.
    pub(super) fn depart(&self, bucket: &str, version: &Version) {
        if version.replicated == Some(Replicated::Pending) {
            let due = self.clock().now() + self.delays().replication;
            self.inner.queue.put(Item {
                bucket: bucket.to_owned(),
                key: version.key.clone(),
                id: version.id.clone(),
                due,
            });
        }
    }

    /// How many versions are on their way from a bucket.
    pub fn backlog(&self, bucket: &str) -> usize {
        let items = self.inner.queue.0.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().filter(|item| item.bucket == bucket).count()
    }

    /// Carries over what is due. Whoever serves a world calls this again and again; every request does it too.
    pub fn replicate(&self) -> Result<(), Fault> {
        let now = self.clock().now();
        if self.faults().replication_paused {
            return Ok(());
        }
        while let Some(item) = self.inner.queue.take(now) {
            if !self.arrive(&item)? {
                // A region that is out comes back; until then nothing behind this could travel either.
                self.inner.queue.put(Item { due: now + self.delays().replication, ..item });
                return Ok(());
            }
        }
        Ok(())
    }

    /// Carries over one version; false when a region is out.
    fn arrive(&self, item: &Item) -> Result<bool, Fault> {
        let faults = self.faults();
        let mut state = self.write();
        let Some(source) = state.buckets.get(&item.bucket) else { return Ok(true) };
        let version = source.keys.get(&item.key).and_then(|all| all.iter().find(|one| one.id == item.id)).cloned();
        let Some(version) = version.filter(|one| one.replicated == Some(Replicated::Pending)) else { return Ok(true) };
        // The rule may be gone by now: then nobody carries it over.
        let Some(rules) = source.rules.clone() else { return Ok(true) };
        let Some(name) = rules.destination(&version) else { return Ok(true) };
        let from = source.settings.region.clone();
        let there = state.buckets.get(name).map(|bucket| (bucket.settings.region.clone(), bucket.settings.versioning));
        let out = |region: &String| faults.regions_out.contains(region);
        if out(&from) || there.as_ref().is_some_and(|(region, _)| out(region)) {
            return Ok(false);
        }
        let kept = there.is_some_and(|(_, versioning)| versioning == Versioning::Enabled);
        let may = self
            .inner
            .grants
            .ask([&rules.role, &item.bucket, name], || may_replicate(&state.account, &rules.role, &item.bucket, name));
        if kept && may {
            self.land(&mut state, name, &version)?;
        }
        let done = if kept && may { Replicated::Completed } else { Replicated::Failed };
        self.mark(&mut state, item, done)?;
        Ok(true)
    }

    /// Carries over a version that is in the bucket, whatever has become of it before: what a batch job does.
    pub(super) fn carry_over(&self, state: &mut State, bucket: &str, version: &Version) -> Result<Replicated, Fault> {
        let rules = state.buckets.get(bucket).and_then(|bucket| bucket.rules.clone());
        let Some(rules) = rules else { return Ok(Replicated::Failed) };
        let Some(name) = rules.destination(version).map(str::to_owned) else { return Ok(Replicated::Failed) };
        let kept = state.buckets.get(&name).is_some_and(|there| there.settings.versioning == Versioning::Enabled);
        let done = kept && may_replicate(&state.account, &rules.role, bucket, &name);
        if done {
            self.land(state, &name, version)?;
        }
        let done = if done { Replicated::Completed } else { Replicated::Failed };
        let item =
            Item { bucket: bucket.to_owned(), key: version.key.clone(), id: version.id.clone(), due: version.modified };
        self.mark(state, &item, done)?;
        Ok(done)
    }

    /// Adds a replica: same id, same time, everything but the website redirect.
    fn land(&self, state: &mut State, name: &str, version: &Version) -> Result<(), Fault> {
        let Some(bucket) = state.buckets.get_mut(name) else { return Ok(()) };
        let mut versions = bucket.keys.get(&version.key).cloned().unwrap_or_default();
        if versions.iter().any(|there| there.id == version.id) {
            return Ok(());
        }
        let headers = Headers { website_redirect: None, ..version.headers.clone() };
        let replica = Version { replicated: Some(Replicated::Replica), headers, ..version.clone() };
        // What was written later, here or there, stays the current version.
        let at = versions.iter().rposition(|there| there.modified <= replica.modified).map_or(0, |at| at + 1);
        versions.insert(at, Arc::new(replica));
        self.keep(|disk| disk.versions(name, &version.key, &versions))?;
        bucket.keys.insert(version.key.clone(), versions);
        Ok(())
    }

    fn mark(&self, state: &mut State, item: &Item, done: Replicated) -> Result<(), Fault> {
        let Some(versions) = state.buckets.get_mut(&item.bucket).and_then(|bucket| bucket.keys.get_mut(&item.key))
        else {
            return Ok(());
        };
        if let Some(slot) = versions.iter_mut().find(|version| version.id == item.id) {
            *slot = Arc::new(Version { replicated: Some(done), ..(**slot).clone() });
        }
        self.keep(|disk| disk.versions(&item.bucket, &item.key, versions))
    }
}

/// True when the role is there, S3 may assume it, and it may read here and write there.
fn may_replicate(account: &Account, role: &str, from: &str, to: &str) -> bool {
    let trust = account.iam.by_arn(role).map(|role| role.trust.clone()).unwrap_or_default();
    let trusted = trust.contains("s3.amazonaws.com") && trust.contains("sts:AssumeRole");
    let may = |action: &str, bucket: &str| allowed(account, role, action, bucket);
    trusted && may("s3:GetObjectVersionForReplication", from) && may("s3:ReplicateObject", to)
}

/// True when a role's policies allow an action on the objects of a bucket.
pub(super) fn allowed(account: &Account, role: &str, action: &str, bucket: &str) -> bool {
    let Some(role) = account.iam.by_arn(role) else { return false };
    let mut policies = role.policies.values().filter_map(|text| Policy::parse(text).ok());
    let resource = format!("arn:aws:s3:::{bucket}/key");
    policies.any(|policy| policy.verdict(&Caller::Itself, action, &resource) == Verdict::Allow)
}
