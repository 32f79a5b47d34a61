//! What a command returns: the result of an operation, tagged for `--json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_site::drill::{DrillHistory, DrillResult, Scheduler, Verdict};
use twinsite_site::{
    ApplyResult, BackfillResult, BackupState, CheckResult, DeployPlanSummary, Doctor, Error, Estimate, FailedBack,
    FailedOver, Imported, InvalidationResult, PlanSummary, PlannedBackup, PolicyDocument, PublishResult,
    PullPlanSummary, PullResult, PurgeResult, ReleaseDetails, ReleaseDifference, Releases, SiteDifferences, SiteHealth,
    Status, VerifyResult,
};

use crate::exit::Exit;
use crate::generator::Generator;

/// What a command returns.
pub(crate) type Outcome = Result<CommandResult, Error>;

/// The last line of `--json`, except for documents and completion scripts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum CommandResult {
    /// `init` wrote a configuration.
    Written(WrittenResult),
    /// `import`: the configuration of what exists.
    Imported(Box<ImportedResult>),
    /// `plan`: what would change. Also written before `apply` and `destroy` act.
    Plan(PlanResult),
    /// `apply` has completed.
    Applied(ApplyResult),
    /// `deploy --dry-run` or `rollback --dry-run`.
    DryRun(Box<DeployPlanSummary>),
    /// `deploy` or `rollback` has completed.
    Deployed(Box<DeployedResult>),
    /// `deploy --if-newer` published nothing.
    Skipped {
        /// Why.
        reason: String,
    },
    /// `verify`.
    Verified(VerifyResult),
    /// `backfill --dry-run`.
    BackfillDryRun(PlannedBackup),
    /// `backfill` has completed.
    Backfilled(BackfillResult),
    /// `releases`.
    Releases(Releases),
    /// `releases ID`.
    Release(ReleaseDetails),
    /// `releases ID OTHER`.
    ReleasesCompared {
        /// What differs.
        differences: Vec<ReleaseDifference>,
    },
    /// `pull --dry-run`.
    PullDryRun(PullPlanSummary),
    /// `pull` has completed.
    Pulled(PullResult),
    /// `diff`.
    Diff(DiffResult),
    /// `status`. With `--watch`, one for each poll.
    Status(Box<Status>),
    /// `doctor`.
    Doctor(Doctor),
    /// `cert import` has completed.
    CertificateImported {
        /// The certificate's ARN.
        arn: String,
    },
    /// `destroy` has completed.
    Destroyed {
        /// The number of completed steps.
        steps: usize,
    },
    /// `drill` has completed.
    Drilled(Box<DrilledResult>),
    /// `drill --schedule`: what runs a drill regularly.
    DrillSchedule {
        /// What starts it.
        scheduler: Scheduler,
        /// A workflow, a line for a crontab, or a template of CloudFormation.
        text: String,
    },
    /// `drills`: those of the past.
    Drills(DrillHistory),
    /// `drill --restore` has completed.
    Restored {
        /// The kind of outage that was undone; `null` if nothing was broken.
        outage: Option<&'static str>,
        /// All of them: several only if the journal was damaged.
        outages: Vec<&'static str>,
        /// Whether the journal of the drill was damaged. Then everything that a drill may break was compared with the configuration.
        damaged: bool,
    },
    /// `failover`: visitors are sent to the backup.
    FailedOver(FailedOver),
    /// `failback`: visitors are sent to the primary, all or a share of them.
    FailedBack(FailedBack),
    /// `iam-policy`: the managed policies of a role, all of which are to be attached to it.
    Policy {
        /// The policies. More than one if a single document would be larger than IAM allows.
        documents: Vec<PolicyDocument>,
    },
    /// `auth hash`.
    Hashed {
        /// The hash of the password, for `users` of `[[auth]]`.
        hash: String,
    },
    /// `man` wrote man pages.
    ManPages {
        /// The directory.
        directory: String,
        /// Their file names.
        pages: Vec<String>,
    },
    /// The confirmation was refused. Nothing was changed.
    Declined,
    /// `local` has stopped.
    Served {
        /// Whether its state is kept; it is not with `--memory`.
        kept: bool,
    },
    /// `status --watch` has stopped.
    Watched,
    /// A second interrupt stopped the command at once.
    Stopped,
    /// A document or script that is printed as it is.
    #[serde(skip)]
    Document(String),
}

/// A configuration that was written.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct WrittenResult {
    /// The file.
    pub(crate) path: String,
    /// What the site costs and survives.
    pub(crate) estimate: Estimate,
    /// The generator that was recognised in the directory; `null` if none was.
    pub(crate) generator: Option<Generator>,
    /// The directory that is to be published.
    pub(crate) directory: String,
    /// The `.gitignore` to which `.twinsite/` was added; `null` if it was not.
    pub(crate) ignored: Option<String>,
}

/// A configuration that was imported, and what `apply --adopt` would change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ImportedResult {
    #[serde(flatten)]
    pub(crate) imported: Imported,
    /// The file that was written; `null` if none was.
    pub(crate) path: Option<String>,
    /// What `apply --adopt` would change; `null` if it would be refused.
    pub(crate) plan: Option<PlanSummary>,
    /// Why `apply --adopt` would be refused; `null` if it would not.
    pub(crate) refused: Option<String>,
    /// What to do about that.
    pub(crate) hints: Vec<String>,
}

/// A plan and what the planned site costs and survives.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PlanResult {
    #[serde(flatten)]
    pub(crate) plan: PlanSummary,
    /// What the site costs and survives; only of `plan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) estimate: Option<Estimate>,
    #[serde(skip)]
    pub(crate) exit_if_pending: bool,
}

/// What a deploy would change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DiffResult {
    #[serde(flatten)]
    pub(crate) differences: SiteDifferences,
    #[serde(skip)]
    pub(crate) names_only: bool,
    #[serde(skip)]
    pub(crate) exit_if_different: bool,
}

/// A publish and, in the embedded cloud, the requests it made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DeployedResult {
    #[serde(flatten)]
    pub(crate) publish: PublishResult,
    /// What `--purge` has removed from both buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purged: Option<PurgeResult>,
    /// Whether visitors got the release when it was checked; only if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checked: Option<bool>,
    /// The number of requests by operation; only in the embedded cloud.
    pub(crate) requests: Option<BTreeMap<String, u64>>,
}

/// A drill and its verdict.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DrilledResult {
    #[serde(flatten)]
    pub(crate) drill: DrillResult,
    /// Whether the objective was met.
    pub(crate) verdict: Verdict,
}

impl CommandResult {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Plan(plan) if plan.exit_if_pending && !plan.plan.steps.is_empty() => Exit::Drift,
            Self::Diff(diff) if diff.exit_if_different && !diff.differences.files.is_empty() => Exit::Drift,
            Self::Pulled(pulled) if !pulled.missing.is_empty() => Exit::Drift,
            Self::Verified(verified) if !verified.differences.is_empty() => Exit::Drift,
            Self::Verified(verified) if !verified.unreachable.is_empty() => Exit::Unknown,
            Self::Deployed(deployed) => match (deployed.publish.backup.state, &deployed.publish.invalidation) {
                (BackupState::NotAwaited, _) => Exit::Interrupted,
                // The release is published, but not everywhere: that must not go unnoticed.
                _ if !deployed.publish.primary.replaced.is_empty() => Exit::Drift,
                // Visitors cannot see it.
                _ if deployed.publish.has_distribution == Some(false) => Exit::Drift,
                (BackupState::OutOfSync | BackupState::Alone, _) | (_, InvalidationResult::Pending { .. }) => {
                    Exit::Drift
                }
                (
                    BackupState::InSync | BackupState::None,
                    InvalidationResult::None | InvalidationResult::Accepted { .. },
                ) => match &deployed.purged {
                    Some(purged) if !purged.is_complete() => Exit::Drift,
                    Some(_) | None => Exit::Done,
                },
            },
            Self::Status(status) => match status.health {
                SiteHealth::Healthy => Exit::Done,
                SiteHealth::Degraded => Exit::Degraded,
                SiteHealth::Unknown => Exit::Unknown,
            },
            Self::Doctor(doctor) => match doctor.result {
                CheckResult::Ok | CheckResult::Warning => Exit::Done,
                CheckResult::Unknown => Exit::Unknown,
                CheckResult::Problem => Exit::Degraded,
            },
            Self::Drilled(drilled) if drilled.verdict != Verdict::Met => Exit::Missed,
            Self::Stopped => Exit::Interrupted,
            Self::Declined => Exit::Failed,
            _ => Exit::Done,
        }
    }
}
