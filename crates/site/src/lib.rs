#![doc = include_str!("../README.md")]

/// The guide to the library is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/library.md")]
struct LibraryGuide;

mod active_side;
mod archive;
mod backfill;
mod bucket_checks;
mod buckets;
mod certificate;
mod change;
mod commit;
mod config;
mod context;
mod delegation;
mod deploy;
mod differences;
mod doctor;
pub mod drill;
mod error;
mod estimate;
mod failover;
mod import;
mod invalidation;
mod network;
mod options;
mod others;
mod outage_injector;
mod plan;
mod policy;
mod policy_document;
mod prefixes;
mod probes;
mod protection;
mod publish_result;
mod pull;
mod purge;
mod releases;
mod response_limit;
mod rollback;
mod scoped_stores;
mod site_rules;
mod source_directory;
mod source_notices;
mod standby;
mod standby_policy;
mod standby_proof;
mod state;
mod status;
mod store_limits;
mod trust_policy;
mod unfinished;
mod verify;
mod visitor_check;
mod warnings;
mod work_tree;

pub use active_side::{BackupAlone, Leveled, level_primary};
pub use archive::ArchiveError;
pub use backfill::{
    BackfillPlan, BackfillRequest, BackfillResult, BatchJob, Copied, Engine, Versions, backfill, plan_backfill,
};
pub use buckets::{BucketUrl, Buckets, BucketsConfig, PreparedDeploy};
pub use certificate::{CertificateFiles, import_certificate};
pub use change::{Services, SiteChange};
pub use config::{CdnConfig, Config, DnsConfig, PublishConfig, Standby};
pub use context::{Environment, PrimaryRegion, SiteContext};
pub use deploy::{
    ActivePlan, PublishRequest, check_first_publish, deploy, plan_deploy, prepare, prepare_active, publish, take_prefix,
};
pub use differences::{FileDifference, SiteDifferences, diff};
pub use doctor::{Check, CheckName, CheckResult, Doctor, DoctorRequest, doctor, doctor_without_configuration};
pub use drill::Outage;
pub use error::{Cause, Error, ErrorKind};
pub use estimate::Estimate;
pub use failover::{
    EdgeInvalidation, FailbackChecks, FailbackRequest, FailedBack, FailedOver, FailoverBy, Moved, MovedBy,
    SeenOverHttps, failback, failover,
};
pub use import::{Effect, ImportRequest, Imported, ImportedBucket, ImportedSetting, NotExpressed, import};
pub use invalidation::{Changes, CloudFront, EdgeRules, InvalidationResult, Invalidator, NoCdn};
pub use network::{Network, ProbeNetwork, ProbeRequest, Scheme};
pub use options::{DeployRequest, OlderCommit, PublishOptions, VisitorCheck, WaitForInvalidation};
pub use plan::{
    AdoptBuckets, ApplyResult, PlanSummary, PlannedResource, PlannedStep, PropertyChange, SitePlan, apply, destroy,
    estimate, plan, plan_destroy, plan_destroy_former,
};
pub use policy::{PolicyKind, policy};
pub use policy_document::PolicyDocument;
pub use prefixes::PrefixState;
pub use publish_result::{
    BackupResult, BackupState, CollectedReleases, DeployPlan, DeployPlanSummary, DeployResult, PlannedBackup,
    PlannedObject, PlannedPrimary, PrimaryResult, PrimaryState, PublishResult, StillPublic, SupersededKey,
};
pub use pull::{ExistingFiles, LeftOutObject, PullPlan, PullPlanSummary, PullRequest, PullResult, plan_pull, pull};
pub use purge::{PurgePlan, PurgeResult, PurgedKey, plan_purge, purge};
pub use releases::{
    DamagedRelease, ListedRelease, ReleaseDetails, ReleaseDifference, ReleaseSummary, ReleasedObject, Releases,
    UnreadBucket, compare_releases, release, releases,
};
pub use rollback::{RollbackRequest, RollbackSource, deploy_or_roll_back, plan_rollback, rollback};
pub use scoped_stores::TakeOver;
pub use site_rules::{RulesResult, UnhonoredRule};
pub use source_directory::{SourceDirectory, SourceOptions};
pub use standby_proof::StandbyProof;
pub use status::{
    AlarmState, AliasState, BucketExistence, BucketState, CertificateState, CertificateStatus, DistributionState,
    DnsState, FailureKind, Finding, Health, HealthCheckState, Identity, Level, LockState, Part, PublishState,
    RecordState, RegionalAlerts, SideName, SideState, SiteHealth, Status, StatusRequest, TableAtEdges, Target, Unread,
    VisitState, VisitorState, ZoneState, status,
};
pub use trust_policy::{GitHubIds, TrustedJobs, trust_policy};
pub use verify::{Difference, UnreachableBucket, VerifyResult, verify};
pub use work_tree::WorkTree;

/// The types of other twinsite crates that this crate's functions take and return.
pub use twinsite_aws_session::{Access, Session};
pub use twinsite_core::{Domain, Event, Mode, NoopWatch, Pair, Region, Run, Side, Site, Watch};
pub use twinsite_rules::{
    ConfiguredRedirect, PasswordHash, Place, ProtectedPath, Protection, Redirects, Syntax, TrailingSlash,
};
pub use twinsite_sync::{
    Deletes, EncryptionAlgorithm, Guard, HeaderRule, Prefix, RetentionPolicy, Sending, Setting, SourceChecks,
};
