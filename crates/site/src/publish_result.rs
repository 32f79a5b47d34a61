//! The results of deploys and rollbacks, planned and done.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::Pair;
use twinsite_sync::release::Collected;
use twinsite_sync::replicate::Compared;
use twinsite_sync::{Key, Prefix, Prepared, Published, Report, SyncError, SyncPlan};

use crate::active_side::BackupAlone;
use crate::failover::Moved;
use crate::invalidation::InvalidationResult;
use crate::purge::{PurgePlan, PurgedKey};
use crate::releases::ReleaseSummary;
use crate::scoped_stores::BucketStore;
use crate::site_rules::RulesResult;

/// The result of a deploy or a rollback.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
#[non_exhaustive]
pub enum DeployResult {
    /// The directory or release is live, whether or not anything had to be changed.
    Published(Box<PublishResult>),
    /// Nothing was published.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// What was published.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PublishResult {
    /// The prefix below which it was published; `null`: the main site.
    pub prefix: Option<String>,
    /// What was done to the primary bucket.
    pub primary: PrimaryResult,
    /// How the backup bucket followed.
    pub backup: BackupResult,
    /// The new release; `null` if nothing changed.
    pub release: Option<ReleaseSummary>,
    /// Releases that are no longer kept.
    pub collected: CollectedReleases,
    /// What was invalidated.
    pub invalidation: InvalidationResult,
    /// What visitors can still request although it is not part of the release.
    pub still_public: StillPublic,
    /// What became of the redirect rules and header rules of the directory and of the configuration. A rollback brings those of the release
    /// back, and has none of its own.
    pub rules: RulesResult,
    /// Of a rollback: keys of the release that were purged since, or belong to a prefix since, and are not brought back.
    pub left_out: Vec<String>,
    /// How visitors were sent to the backup, because it alone has the release.
    pub moved: Option<Moved>,
    /// Whether the site has a distribution, without which visitors cannot see it; `null` if it was not looked up, because nothing has
    /// changed, or if there is no site.
    pub has_distribution: Option<bool>,
    /// The address of the site.
    pub url: Option<String>,
}

/// What visitors can still request although it is not part of what was published, by reason. Noncurrent versions are not public.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StillPublic {
    /// Assets that earlier releases refer to, which are kept until these releases have expired.
    pub superseded: Vec<SupersededKey>,
    /// Keys that twinsite did not publish, and keeps.
    pub foreign: Vec<String>,
}

/// A superseded asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SupersededKey {
    /// The key.
    pub key: String,
    /// The newest release that refers to it; `null` if it is not known.
    pub release: Option<u64>,
}

impl StillPublic {
    pub(crate) fn of(plan: &SyncPlan) -> Self {
        let superseded = plan
            .superseded_objects()
            .iter()
            .map(|one| SupersededKey { key: one.key.to_string(), release: one.release.map(|release| release.0) });
        Self { superseded: superseded.collect(), foreign: plan.foreign().iter().map(ToString::to_string).collect() }
    }
}

/// What was done to the primary bucket.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PrimaryResult {
    /// Whether it was published to.
    pub state: PrimaryState,
    /// Objects uploaded.
    pub put: usize,
    /// Objects whose headers were rewritten in place.
    pub rewritten: usize,
    /// Objects deleted.
    pub deleted: usize,
    /// Objects that were up to date.
    pub unchanged: usize,
    /// Of what was uploaded or rewritten, the objects whose entity tags are no digests of their bytes, as with encryption by a key of
    /// KMS.
    pub opaque: usize,
    /// Bytes uploaded.
    pub bytes: u64,
    /// Keys of the release that another program replaced or deleted while it was published: visitors get what that program left.
    pub replaced: Vec<String>,
    /// The time until the last upload was complete: from then on, the bucket serves the release.
    pub seconds: f64,
    /// Why it was not published to.
    pub error: Option<String>,
    /// The address of its website endpoint.
    pub url: Option<String>,
}

/// Whether the primary was published to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrimaryState {
    /// It serves the release.
    #[default]
    Published,
    /// It could not be reached, twice.
    Unreachable,
    /// The backup is the active side. The primary is written again after `failback`.
    NotActive,
}

/// How the backup bucket followed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct BackupResult {
    /// Whether it is in sync with the primary.
    pub state: BackupState,
    /// Objects that arrived by replication.
    pub replicated: usize,
    /// Keys that were copied because replication was late or had failed.
    pub copied: Vec<String>,
    /// Objects that were copied because the backup lacked them before the deploy.
    pub backfilled: usize,
    /// Objects deleted.
    pub deleted: usize,
    /// How long the deploy waited for it.
    pub waited_seconds: f64,
    /// Why it is not in sync.
    pub error: Option<String>,
    /// Keys that differ because another program wrote to the buckets while the release was published.
    pub differing: Vec<String>,
    /// Keys that only the backup has, and had before. They are kept, and do not count as differences.
    pub foreign: Vec<String>,
    /// What was written to it directly, because it is the active side.
    pub alone: Option<PrimaryResult>,
    /// The address of its website endpoint.
    pub url: Option<String>,
}

/// Whether the backup is in sync with the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackupState {
    /// Both buckets hold the same objects.
    InSync,
    /// The backup was not awaited, because the run was cancelled.
    NotAwaited,
    /// The backup differs; `backfill` copies what is missing.
    OutOfSync,
    /// There is no backup bucket.
    None,
    /// The release was published to the backup alone, which is the active side.
    Alone,
}

/// Releases that are no longer kept.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CollectedReleases {
    /// Their ids.
    pub releases: Vec<u64>,
    /// Object versions deleted because no kept release refers to them.
    pub versions: usize,
    /// The size of these versions.
    pub bytes: u64,
}

fn primary_result(report: &Report) -> PrimaryResult {
    PrimaryResult {
        state: PrimaryState::Published,
        error: None,
        put: report.put,
        rewritten: report.rewritten,
        deleted: report.deleted,
        unchanged: report.kept,
        opaque: report.wrote.iter().filter(|wrote| wrote.digest.is_some()).count(),
        bytes: report.bytes,
        replaced: Vec::new(),
        seconds: report.took.as_secs_f64(),
        url: None,
    }
}

/// A publish that had nothing to do.
pub(crate) fn unchanged(report: &Report) -> PublishResult {
    PublishResult {
        primary: primary_result(report),
        backup: BackupResult {
            state: BackupState::InSync,
            replicated: 0,
            copied: Vec::new(),
            backfilled: 0,
            deleted: 0,
            waited_seconds: 0.0,
            error: None,
            differing: Vec::new(),
            foreign: Vec::new(),
            alone: None,
            url: None,
        },
        release: None,
        collected: CollectedReleases::default(),
        invalidation: InvalidationResult::None,
        still_public: StillPublic::default(),
        rules: RulesResult::default(),
        left_out: Vec::new(),
        moved: None,
        has_distribution: None,
        prefix: None,
        url: None,
    }
}

pub(crate) fn publish_result(
    published: Published,
    collected: &Collected,
    invalidation: InvalidationResult,
) -> PublishResult {
    let Published { report, drift, replication, release, replaced, foreign } = published;
    let state = match &replication.trouble {
        None => BackupState::InSync,
        Some(SyncError::Cancelled) => BackupState::NotAwaited,
        Some(_) => BackupState::OutOfSync,
    };
    PublishResult {
        backup: BackupResult {
            state,
            replicated: replication.replicated,
            copied: replication.copied.iter().map(ToString::to_string).collect(),
            backfilled: drift.copied,
            deleted: drift.deleted,
            waited_seconds: replication.waited.as_secs_f64(),
            error: replication.trouble.as_ref().map(ToString::to_string),
            differing: replication.differing.iter().map(ToString::to_string).collect(),
            foreign: foreign.iter().map(ToString::to_string).collect(),
            alone: None,
            url: None,
        },
        release: release.as_ref().map(ReleaseSummary::from),
        collected: CollectedReleases {
            releases: collected.releases.iter().map(|id| id.0).collect(),
            versions: collected.versions,
            bytes: collected.bytes,
        },
        invalidation,
        primary: PrimaryResult {
            replaced: replaced.iter().map(ToString::to_string).collect(),
            ..primary_result(&report)
        },
        ..unchanged(&report)
    }
}

impl PublishResult {
    /// The result of a publish to one bucket, which counted as both.
    pub(crate) fn without_backup(self) -> Self {
        let backup = BackupResult { state: BackupState::None, ..unchanged(&Report::default()).backup };
        Self { backup, ..self }
    }

    /// The result of a publish whose only bucket was the backup, if it was.
    pub(crate) fn of_active_side(self, alone: Option<&BackupAlone>) -> Self {
        let Some(BackupAlone { unreachable, .. }) = alone else { return self };
        let state = if unreachable.is_some() { PrimaryState::Unreachable } else { PrimaryState::NotActive };
        let primary = PrimaryResult { state, error: unreachable.clone(), ..Default::default() };
        let backup = BackupResult { state: BackupState::Alone, alone: Some(self.primary), ..self.backup };
        Self { primary, backup, ..self }
    }
}

/// A deploy that was planned and not executed.
#[derive(Debug)]
pub struct DeployPlan {
    /// The prefix below which it is published; `None`: the main site.
    pub prefix: Option<Prefix>,
    /// The plan.
    pub prepared: Prepared,
    /// The name of the primary bucket.
    pub bucket: String,
    /// The name of the backup bucket, if there is one.
    pub backup: Option<String>,
    /// What is purged after the deploy, if that was asked for.
    pub purge: Option<PurgePlan>,
    /// What becomes of the redirect rules and header rules.
    pub rules: RulesResult,
    /// Of a rollback: keys of the release that were purged since, and are not brought back.
    pub left_out: Vec<Key>,
}

/// The planned changes of a deploy as a result.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DeployPlanSummary {
    /// The prefix below which it is published; `null`: the main site.
    pub prefix: Option<String>,
    /// Changes of the primary bucket.
    pub primary: PlannedPrimary,
    /// Objects that the backup lacks already, or an error if it cannot be read; `null` if there is no backup.
    pub backup: Option<PlannedBackup>,
    /// What `--purge` removes from both buckets after the deploy.
    pub purge: Vec<PurgedKey>,
    /// What stays public although it is not part of what is published.
    pub still_public: StillPublic,
    /// What becomes of the redirect rules and header rules of the directory and of the configuration.
    pub rules: RulesResult,
    /// Of a rollback: keys of the release that were purged since, or belong to a prefix since, and are not brought back.
    pub left_out: Vec<String>,
}

/// Planned changes of the primary bucket.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedPrimary {
    /// The bucket.
    pub bucket: String,
    /// Objects to upload.
    pub put: Vec<PlannedObject>,
    /// Objects whose headers are rewritten in place.
    pub rewrite: Vec<PlannedObject>,
    /// Objects to delete.
    pub delete: Vec<PlannedObject>,
    /// Keys that twinsite did not publish, and keeps.
    pub foreign: Vec<String>,
    /// The number of objects that are up to date.
    pub unchanged: usize,
    /// The number of objects that stay because a kept release refers to them.
    pub superseded: usize,
    /// Bytes to upload.
    pub bytes: u64,
}

/// Objects that differ between the buckets.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedBackup {
    /// The bucket.
    pub bucket: String,
    /// Objects to copy from the primary.
    pub copy: Vec<PlannedObject>,
    /// Keys that were deleted in the primary.
    pub delete: Vec<String>,
    /// Keys that twinsite did not publish, and keeps.
    pub foreign: Vec<String>,
    /// The number of objects that are in sync.
    pub unchanged: usize,
    /// Why the bucket could not be read.
    pub error: Option<String>,
}

/// An object that a plan changes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedObject {
    /// The key.
    pub key: String,
    /// Why it is changed.
    pub reason: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl PlannedObject {
    pub(crate) fn new(key: &Key, reason: &dyn Display, bytes: u64) -> Self {
        Self { key: key.to_string(), reason: reason.to_string(), bytes }
    }
}

impl PlannedBackup {
    pub(crate) fn new(bucket: &str, compared: Result<&Compared, &SyncError>) -> Self {
        let error = compared.as_ref().err().map(ToString::to_string);
        let compared = compared.ok();
        let copies = compared.into_iter().flat_map(|compared| &compared.copies);
        Self {
            bucket: bucket.to_owned(),
            copy: copies.map(|copy| PlannedObject::new(&copy.object.key, &copy.cause, copy.object.size)).collect(),
            delete: compared
                .into_iter()
                .flat_map(|compared| &compared.gone)
                .map(|object| object.key.to_string())
                .collect(),
            foreign: compared.into_iter().flat_map(|compared| &compared.foreign).map(ToString::to_string).collect(),
            unchanged: compared.map(|compared| compared.in_sync).unwrap_or_default(),
            error,
        }
    }
}

impl DeployPlan {
    /// The plan for these two buckets.
    pub(crate) fn new(prepared: Prepared, stores: &Pair<BucketStore>) -> Self {
        let backup = Some(stores.backup.bucket().to_owned());
        let (bucket, rules) = (stores.primary.bucket().to_owned(), RulesResult::default());
        Self {
            prefix: stores.primary.prefix().cloned(),
            prepared,
            bucket,
            backup,
            purge: None,
            rules,
            left_out: Vec::new(),
        }
    }

    /// The plan as a result.
    pub fn summary(&self) -> DeployPlanSummary {
        let plan = &self.prepared.plan;
        let puts = plan.puts().iter();
        let rewrites = plan.rewrites().iter();
        let deletes = plan.deletes().iter();
        DeployPlanSummary {
            prefix: self.prefix.as_ref().map(ToString::to_string),
            primary: PlannedPrimary {
                bucket: self.bucket.clone(),
                put: puts.map(|put| PlannedObject::new(&put.object.key, &put.reason, put.object.size)).collect(),
                rewrite: rewrites
                    .map(|one| PlannedObject::new(&one.object.key, &one.reason, one.object.size))
                    .collect(),
                delete: deletes.map(|one| PlannedObject::new(&one.key, &"extraneous", one.size)).collect(),
                foreign: plan.foreign().iter().map(ToString::to_string).collect(),
                unchanged: plan.kept(),
                superseded: plan.superseded(),
                bytes: plan.bytes(),
            },
            backup: self.backup.as_ref().map(|backup| PlannedBackup::new(backup, self.prepared.drift.as_ref())),
            purge: self.purge.as_ref().map(PurgePlan::summary).unwrap_or_default(),
            still_public: StillPublic::of(plan),
            rules: self.rules.clone(),
            left_out: self.left_out.iter().map(ToString::to_string).collect(),
        }
    }
}
