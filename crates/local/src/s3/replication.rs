//! Replication between buckets, of versions that are created after the rule.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::encryption::opaque_etag;
use super::{AccountView, BucketSettings, Buckets, Doc, Headers, Kms, S3, Version, Versioning};
use crate::context::{Outages, ServiceError};

/// The replication status of a version: `x-amz-replication-status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicationStatus {
    /// Not replicated yet.
    Pending,
    /// Replicated.
    Completed,
    /// Replication failed, and is not retried.
    Failed,
    /// It is a replica.
    Replica,
}

impl ReplicationStatus {
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

/// The replication configuration of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Rules {
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
    delete_marker_replication: Setting,
    source_selection_criteria: SourceSelectionCriteria,
    destination: Destination,
}

/// Which encrypted objects are replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SourceSelectionCriteria {
    sse_kms_encrypted_objects: Setting,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    prefix: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Setting {
    status: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    bucket: String,
    encryption_configuration: EncryptionConfiguration,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct EncryptionConfiguration {
    #[serde(rename = "ReplicaKmsKeyID")]
    replica_kms_key_id: Option<String>,
}

impl Rules {
    /// Parses the configuration of a bucket; `None` when it has none.
    pub(super) fn parse(settings: &BucketSettings) -> Option<Arc<Self>> {
        let text = settings.docs.get(&Doc::Replication)?;
        quick_xml::de::from_str(text).ok().map(Arc::new)
    }

    /// The bucket that a version is replicated to: that of the matching rule with the highest priority.
    fn destination(&self, version: &Version) -> Option<&str> {
        let rule = self.matching(version)?;
        let includes_markers = rule.delete_marker_replication.status == "Enabled";
        let includes_kms = rule.source_selection_criteria.sse_kms_encrypted_objects.status == "Enabled";
        let included = (!version.is_marker() || includes_markers) && (version.kms.is_none() || includes_kms);
        rule.destination.bucket.strip_prefix("arn:aws:s3:::").filter(|_| included)
    }

    /// The matching rule with the highest priority.
    fn matching(&self, version: &Version) -> Option<&Rule> {
        let prefix = |rule: &Rule| rule.filter.prefix.clone().or(rule.prefix.clone()).unwrap_or_default();
        let enabled = self.rule.iter().filter(|rule| rule.status == "Enabled");
        let matching = enabled.filter(|rule| version.key.starts_with(&prefix(rule)));
        matching.max_by_key(|rule| rule.priority)
    }

    /// The key of KMS that the replica of a version is encrypted with.
    fn replica_key(&self, version: &Version) -> Option<String> {
        let key = self.matching(version)?.destination.encryption_configuration.replica_kms_key_id.clone();
        key.filter(|_| version.kms.is_some())
    }

    /// Whether a rule applies to a version.
    pub(crate) fn apply_to(&self, version: &Version) -> bool {
        self.destination(version).is_some()
    }

    /// The replication status of a new version.
    pub(super) fn initial_status(&self, version: &Version) -> Option<ReplicationStatus> {
        // Replicas are not replicated again.
        let is_replica = version.replicated.is_some();
        (!is_replica && self.apply_to(version)).then_some(ReplicationStatus::Pending)
    }
}

/// A version to be replicated.
#[derive(Clone, Debug)]
struct Task {
    bucket: String,
    key: String,
    id: String,
    due: SystemTime,
}

/// The versions to be replicated, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<VecDeque<Task>>);

impl Queue {
    fn tasks(&self) -> MutexGuard<'_, VecDeque<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop_due(&self, now: SystemTime) -> Option<Task> {
        let mut tasks = self.tasks();
        if tasks.front()?.due > now { None } else { tasks.pop_front() }
    }

    /// The versions that were pending when the state was closed.
    pub(super) fn of_pending(buckets: &Buckets) -> Self {
        let mut tasks = VecDeque::new();
        for (name, bucket) in buckets {
            let versions = bucket.keys.values().flatten();
            for version in versions.filter(|version| version.replicated == Some(ReplicationStatus::Pending)) {
                tasks.push_back(Task::new(name, version, version.modified));
            }
        }
        Self(Mutex::new(tasks))
    }
}

impl Task {
    fn new(bucket: &str, version: &Version, due: SystemTime) -> Self {
        Self { bucket: bucket.to_owned(), key: version.key.clone(), id: version.id.clone(), due }
    }
}

/// A role and the buckets that it replicates between.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    role: String,
    source: String,
    destination: String,
}

/// Which roles may replicate, cached until the account changes: parsing policies for every version would be slow.
#[derive(Debug, Default)]
pub(super) struct Permissions(Mutex<Vec<(Grant, bool)>>);

impl Permissions {
    fn check(&self, account: &AccountView, grant: Grant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, allowed)) = known.iter().find(|(other, _)| *other == grant) {
            return *allowed;
        }
        let allowed = may_replicate(account, &grant);
        known.push((grant, allowed));
        allowed
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Whether the role exists, S3 may assume it, and it may read the source and write the destination.
fn may_replicate(account: &AccountView, grant: &Grant) -> bool {
    let Some(role) = account.iam.role_by_arn(&grant.role) else { return false };
    role.trusts("s3.amazonaws.com")
        && role.allows("s3:GetObjectVersionForReplication", &grant.source)
        && role.allows("s3:ReplicateObject", &grant.destination)
}

impl S3 {
    /// Queues a new version if it is to be replicated.
    pub(super) fn enqueue(&self, bucket: &str, version: &Version) {
        if version.replicated == Some(ReplicationStatus::Pending) {
            let now = self.clock().snapshot();
            self.inner.queue.tasks().push_back(Task::new(bucket, version, now.time + now.delays.replication));
        }
    }

    /// How many versions of a bucket are pending replication.
    pub fn backlog(&self, bucket: &str) -> usize {
        self.inner.queue.tasks().iter().filter(|task| task.bucket == bucket).count()
    }

    /// Replicates the versions that are due.
    pub(crate) fn replicate_due(&self, outages: &Outages) -> Result<(), ServiceError> {
        let now = self.clock().snapshot();
        if outages.replication_paused {
            return Ok(());
        }
        while let Some(task) = self.inner.queue.pop_due(now.time) {
            if !self.run_task(&task, outages)? {
                // Tasks run in order, so those behind it wait for the region too.
                let due = now.time + now.delays.replication;
                self.inner.queue.tasks().push_back(Task { due, ..task });
                return Ok(());
            }
        }
        Ok(())
    }

    /// Replicates one version. Returns false when a region is out and the task has to be retried.
    fn run_task(&self, task: &Task, outages: &Outages) -> Result<bool, ServiceError> {
        let account = self.account();
        let mut buckets = self.write();
        let Some(source) = buckets.get(&task.bucket) else { return Ok(true) };
        let versions = source.keys.get(&task.key);
        let version = versions.and_then(|all| all.iter().find(|version| version.id == task.id)).cloned();
        let Some(version) = version.filter(|one| one.replicated == Some(ReplicationStatus::Pending)) else {
            return Ok(true);
        };
        // The rule may have been removed meanwhile.
        let Some(rules) = source.rules.clone() else { return Ok(true) };
        let Some(name) = rules.destination(&version) else { return Ok(true) };
        let destination = buckets.get(name).map(|bucket| &bucket.settings);
        let is_out = |settings: &BucketSettings| outages.regions_out.contains(&settings.region);
        if is_out(&source.settings) || destination.is_some_and(is_out) {
            return Ok(false);
        }
        let versioned = destination.is_some_and(|settings| settings.versioning == Versioning::Enabled);
        let grant = Grant { role: rules.role.clone(), source: task.bucket.clone(), destination: name.to_owned() };
        let status = if versioned && self.inner.permissions.check(&account, grant) {
            self.insert_replica(&mut buckets, name, &version, rules.replica_key(&version))?;
            ReplicationStatus::Completed
        } else {
            ReplicationStatus::Failed
        };
        self.set_status(&mut buckets, task, status)?;
        Ok(true)
    }

    /// Replicates an existing version whatever its status, as a batch job does.
    pub(crate) fn replicate_existing(
        &self,
        bucket: &str,
        version: &Version,
    ) -> Result<ReplicationStatus, ServiceError> {
        let account = self.account();
        let mut buckets = self.write();
        let Some(rules) = buckets.get(bucket).and_then(|bucket| bucket.rules.clone()) else {
            return Ok(ReplicationStatus::Failed);
        };
        let Some(name) = rules.destination(version) else { return Ok(ReplicationStatus::Failed) };
        let versioned = buckets.get(name).is_some_and(|there| there.settings.versioning == Versioning::Enabled);
        let grant = Grant { role: rules.role.clone(), source: bucket.to_owned(), destination: name.to_owned() };
        let status = if versioned && may_replicate(&account, &grant) {
            self.insert_replica(&mut buckets, name, version, rules.replica_key(version))?;
            ReplicationStatus::Completed
        } else {
            ReplicationStatus::Failed
        };
        self.set_status(&mut buckets, &Task::new(bucket, version, version.modified), status)?;
        Ok(status)
    }

    /// The versions of a bucket that its rules apply to, in key order.
    pub(crate) fn replicable(
        &self,
        bucket: &str,
        after: &str,
        limit: usize,
        select: impl Fn(&Version) -> bool,
    ) -> Vec<Arc<Version>> {
        let buckets = self.read();
        let Some(bucket) = buckets.get(bucket) else { return Vec::new() };
        let Some(rules) = &bucket.rules else { return Vec::new() };
        let start = if after.is_empty() { Bound::Unbounded } else { Bound::Excluded(after) };
        let versions = bucket.keys.range::<str, _>((start, Bound::Unbounded)).flat_map(|(_, versions)| versions);
        let selected = versions.filter(|version| !version.is_marker() && rules.apply_to(version) && select(version));
        selected.take(limit).cloned().collect()
    }

    /// Whether a bucket has a replication configuration.
    pub(crate) fn has_replication(&self, bucket: &str) -> bool {
        self.read().get(bucket).is_some_and(|bucket| bucket.rules.is_some())
    }

    /// Adds a replica, with the same id, time and headers except the website redirect.
    fn insert_replica(
        &self,
        buckets: &mut Buckets,
        name: &str,
        version: &Version,
        key: Option<String>,
    ) -> Result<(), ServiceError> {
        let Some(bucket) = buckets.get_mut(name) else { return Ok(()) };
        let mut versions = bucket.keys.get(&version.key).cloned().unwrap_or_default();
        if versions.iter().any(|existing| existing.id == version.id) {
            return Ok(());
        }
        let headers = Headers { website_redirect: None, ..version.headers.clone() };
        let region = &bucket.settings.region;
        let own = Kms::default_of(&bucket.settings);
        // The key that the rule names, else the default of the destination.
        let kms = match key {
            Some(key) => Some(Kms::new(Some(&key), own.is_some_and(|own| own.bucket_key), region)),
            None => own,
        };
        // It is encrypted anew, so that it has another `ETag` than its original.
        let etag = match (&kms, version.etag.split_once('-')) {
            (None, _) => version.etag.clone(),
            (Some(_), None) => opaque_etag(),
            (Some(_), Some((_, parts))) => format!("{}-{parts}", opaque_etag()),
        };
        let replica = Version { replicated: Some(ReplicationStatus::Replica), etag, headers, kms, ..version.clone() };
        // Versions written later, on either side, stay newer.
        let index = versions.iter().rposition(|existing| existing.modified <= replica.modified).map_or(0, |at| at + 1);
        versions.insert(index, Arc::new(replica));
        self.persist_versions(name, &version.key, &versions)?;
        bucket.keys.insert(version.key.clone(), versions);
        Ok(())
    }

    fn set_status(&self, buckets: &mut Buckets, task: &Task, status: ReplicationStatus) -> Result<(), ServiceError> {
        let Some(versions) = buckets.get_mut(&task.bucket).and_then(|bucket| bucket.keys.get_mut(&task.key)) else {
            return Ok(());
        };
        if let Some(slot) = versions.iter_mut().find(|version| version.id == task.id) {
            *slot = Arc::new(Version { replicated: Some(status), ..(**slot).clone() });
        }
        self.persist_versions(&task.bucket, &task.key, versions)
    }
}
