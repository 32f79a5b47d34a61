//! The error of every operation: what failed, why, and what to do next.

use std::io;

use twinsite_aws::{AwsError, Kind};
use twinsite_aws_session::SessionError;
use twinsite_core::{Cancelled, Halted, Invalid, PlanError};
use twinsite_dns_failover::probe::ProbeError;

use crate::archive::ArchiveError;
use twinsite_sync::lock::LockError;
use twinsite_sync::{Interrupted, SourceError, StoreError, SyncError};

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation}: {cause}")]
#[non_exhaustive]
pub struct Error {
    /// The operation, as the rest of a sentence that begins with `could not`.
    pub operation: String,
    /// The reason.
    #[source]
    pub cause: Box<Cause>,
    /// What to do next, one suggestion each. Commands are in backticks.
    pub hints: Vec<String>,
}

/// The reason of an [`Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A call of an AWS service failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A proxy, a file of certificates or an endpoint that the environment names cannot be used.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Publishing or copying failed before anything was changed.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// Publishing or copying stopped before its end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The source directory cannot be published.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An archive cannot be unpacked.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A plan stopped before its end.
    #[error(transparent)]
    Halted(#[from] Halted<AwsError>),
    /// The steps do not form a plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A value violates a rule of the service it is meant for.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A probe failed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A record is not valid JSON of its kind.
    #[error(transparent)]
    Record(#[from] serde_json::Error),
    /// The run was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Existing resources conflict with the configuration, one per line. Nothing was changed.
    #[error("{0}")]
    Conflicts(String),
    /// A release is published, but visitors do not get it.
    #[error("{reasons}")]
    NotServed {
        /// The release.
        release: u64,
        /// What visitors get instead, one page per line.
        reasons: String,
    },
    /// The request cannot be fulfilled as it was made.
    #[error("{0}")]
    Usage(String),
    /// A precondition does not hold.
    #[error("{0}")]
    Refused(String),
}

/// Classes of errors by how a command that meets them should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operation failed.
    Failed,
    /// The request, the configuration or the source directory is wrong; repeating it does not help.
    Usage,
    /// The run was cancelled; repeating the operation completes it.
    Interrupted,
}

/// Names the operation that an error belongs to.
pub(crate) trait Context<T> {
    fn context(self, operation: &str) -> Result<T, Error>;
}

impl<T, E: Into<Cause>> Context<T> for Result<T, E> {
    fn context(self, operation: &str) -> Result<T, Error> {
        self.map_err(|error| Error::new(operation, error))
    }
}

const REPEAT: &str = "run the same command again to finish the rest";

impl Error {
    /// An error with the hints that belong to its cause.
    pub fn new(operation: impl Into<String>, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        let mut hints = hints(&cause);
        hints.dedup();
        Self { operation: operation.into(), cause: Box::new(cause), hints }
    }

    /// A precondition that does not hold.
    pub fn refused(operation: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(operation, Cause::Refused(why.into()))
    }

    /// A request that cannot be fulfilled as it was made.
    pub fn usage(operation: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(operation, Cause::Usage(why.into()))
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// True if the lock was lost: another deploy may have it by now.
    pub(crate) fn is_lost_lock(&self) -> bool {
        matches!(&*self.cause, Cause::Sync(SyncError::Lock(LockError::Lost)))
    }

    /// True if a bucket could not be reached, before anything was changed.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(&*self.cause, Cause::Sync(error) if error.is_unreachable())
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        match &*self.cause {
            Cause::Source(error) | Cause::Sync(SyncError::Source(error)) => match error {
                SourceError::Changed(_) => ErrorKind::Failed,
                _ => ErrorKind::Usage,
            },
            Cause::Usage(_)
            | Cause::Invalid(_)
            | Cause::Session(_)
            | Cause::Archive(_)
            | Cause::Sync(
                SyncError::BelowPrefix { .. } | SyncError::PrefixOverlaps { .. } | SyncError::PrefixOfMainSite { .. },
            ) => ErrorKind::Usage,
            Cause::Cancelled(_) | Cause::Sync(SyncError::Cancelled | SyncError::Lock(LockError::Cancelled)) => {
                ErrorKind::Interrupted
            }
            Cause::Aws(error) if error.kind == Kind::Interrupted => ErrorKind::Interrupted,
            Cause::Interrupted(stopped) if stopped.failed.is_empty() => ErrorKind::Interrupted,
            Cause::Halted(halted) if halted.failed.iter().all(|(_, error)| error.kind == Kind::Interrupted) => {
                ErrorKind::Interrupted
            }
            _ => ErrorKind::Failed,
        }
    }

    /// Several conflicts, reported together.
    pub(crate) fn conflicts(operation: &str, conflicts: Vec<(String, String)>) -> Self {
        let (reasons, mut hints): (Vec<String>, Vec<String>) = conflicts.into_iter().unzip();
        hints.dedup();
        Self { hints, ..Self::new(operation, Cause::Conflicts(reasons.join("\n"))) }
    }
}

fn hints(cause: &Cause) -> Vec<String> {
    let one = |hint: &str| vec![hint.to_owned()];
    match cause {
        Cause::Aws(error) => aws_hint(error).map(one).unwrap_or_default(),
        Cause::Sync(error) => sync_hints(error),
        Cause::Source(error) => source_hints(error),
        Cause::Interrupted(stopped) => {
            let mut hints = stopped.failed.first().map(|(_, error)| sync_hints(error)).unwrap_or_default();
            hints.push(REPEAT.to_owned());
            hints
        }
        Cause::Halted(halted) => {
            let first = halted.failed.first().and_then(|(_, error)| aws_hint(error));
            let done = "completed steps stay completed; run the same command again to finish the rest";
            first.into_iter().chain([done]).map(str::to_owned).collect()
        }
        Cause::NotServed { .. } => one("it stays published: check it, or roll back with `twinsite rollback`"),
        _ => Vec::new(),
    }
}

fn source_hints(error: &SourceError) -> Vec<String> {
    let hint = match error {
        SourceError::Project { output: Some(output), .. } => {
            let publish = format!("publish the output of its build: `twinsite deploy {}`", output.display());
            return vec![publish, "to publish the directory itself, add --allow-project-root".to_owned()];
        }
        SourceError::Project { output: None, .. } => {
            let build = "build the site, and name the output directory: dist, build, public, _site or out";
            return vec![build.to_owned(), "to publish the directory itself, add --allow-project-root".to_owned()];
        }
        SourceError::NoIndex { output: Some(output), .. } => {
            let publish = format!("is this the one? `twinsite deploy {}`", output.display());
            return vec![publish, "to publish the directory as it is, add --allow-no-index".to_owned()];
        }
        SourceError::NoIndex { .. } => {
            "did the build fail? Set publish.index if index documents have another name, or add --allow-no-index"
        }
        SourceError::Empty(_) => "did the build fail? To take a site down on purpose, use `twinsite destroy`",
        SourceError::Missing(_) => "build the site first, or name its output directory",
        SourceError::Unpublishable(_) => "list names to leave out in `.twinsiteignore`",
        SourceError::Changed(_) => "wait for the build to finish",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

fn sync_hints(error: &SyncError) -> Vec<String> {
    let one = |hint: &str| vec![hint.to_owned()];
    match error {
        SyncError::Source(error) => source_hints(error),
        SyncError::Store(error) | SyncError::Lock(LockError::Store(error)) => match error {
            StoreError::Aws(error) if error.code.as_deref() == Some("NoSuchBucket") => {
                one("create the buckets first: `twinsite apply`")
            }
            StoreError::Aws(error) => aws_hint(error).map(one).unwrap_or_default(),
            _ => Vec::new(),
        },
        SyncError::TooManyDeletes { count, .. } => vec![
            "see which with --dry-run --delete none".to_owned(),
            format!("allow it with --max-delete {count}, or keep the objects with --delete none"),
        ],
        SyncError::BelowPrefix { prefix, .. } => vec![
            format!(
                "publish these files on their own: `twinsite deploy DIR --prefix {prefix}`, or remove them from the directory"
            ),
            format!("if nobody publishes the prefix, delete its record `{}`", prefix.record_key()),
        ],
        SyncError::PrefixOverlaps { .. } => {
            one("choose a prefix that is not below another one: `twinsite status` lists those there are")
        }
        SyncError::PrefixOfMainSite { .. } => vec![
            "take them over with --take-over, and remove them from the directory of the main site".to_owned(),
            "or deploy the main site without them first".to_owned(),
        ],
        SyncError::Raced(_) => one(REPEAT),
        SyncError::Lost(_) => {
            one("choose a newer release: `twinsite releases`; publish.keep_releases sets how many are kept")
        }
        SyncError::Lock(LockError::Held { .. }) => one("wait for it to finish, or wait longer with --lock-timeout; \
             the lock of a process that has died expires within two minutes"),
        SyncError::Lock(LockError::Damaged) => {
            one("wait longer with --lock-timeout: it is taken over as soon as it is older than a lease")
        }
        SyncError::Lock(LockError::Lost) => {
            one("was this machine asleep? Run the same command again to finish the rest")
        }
        _ => Vec::new(),
    }
}

/// What to do about an error code of one service.
fn code_hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "CNAMEAlreadyExists" => {
            "another distribution has this alias, possibly in another account; find it with `aws cloudfront \
             list-conflicting-aliases`, then remove the alias there or move it with `aws cloudfront associate-alias`"
        }
        "InvalidChangeBatch" => {
            "the records were changed by someone else or are protected: check them in Route 53, and plan again"
        }
        "TooManyDistributions"
        | "TooManyHealthChecks"
        | "TooManyOriginAccessControls"
        | "FunctionSizeLimitExceeded"
        | "LimitExceededException"
        | "LimitExceeded"
        | "TooManyBuckets"
        | "TooManyCacheBehaviors"
        | "TooManyFunctions"
        | "TooManyDistributionCNAMEs"
        | "TopicLimitExceeded"
        | "SubscriptionLimitExceeded"
        | "LimitExceededFault"
        | "LimitsExceeded" => {
            "a quota of the account is reached: request an increase in the Service Quotas console, or delete unused resources"
        }
        "InvalidViewerCertificate" => "check that the certificate is issued and covers the domain: `twinsite status`",
        _ => return None,
    })
}

/// What to do about an AWS error.
fn aws_hint(error: &AwsError) -> Option<&'static str> {
    if let Some(hint) = error.code.as_deref().and_then(code_hint) {
        return Some(hint);
    }
    Some(match error.kind {
        Kind::NoCredentials => {
            "sign in (`aws sso login`), or set AWS_PROFILE, --profile or AWS_ACCESS_KEY_ID; to try it without an AWS \
             account, add --local"
        }
        Kind::BadCredentials => {
            "the credentials are invalid or expired: sign in again, or check --profile; if only one region reports this, \
             enable that region for the account"
        }
        Kind::ClockSkew => "set the clock of this machine: requests are signed with the time",
        Kind::Network => {
            "check the network, the proxy and --endpoint-url; if AWS does not respond, `twinsite status` shows what does, and \
             `twinsite failover` needs the backup region only"
        }
        Kind::Unavailable => {
            "the service is out of order: `twinsite status` shows what responds, and `twinsite failover` needs the backup \
             region only; try again later, and see https://health.aws.amazon.com/"
        }
        Kind::Denied => "the credentials lack the permission for this operation: see `twinsite iam-policy`",
        Kind::Throttled => "requests are throttled: try again in a minute",
        Kind::Conflict => "the name is taken, or another change is in progress: try again in a minute",
        Kind::RegionDisabled => "enable the region for this account, or choose another one",
        Kind::Precondition => "it was changed by someone else in the meantime: run the command again",
        Kind::Interrupted => REPEAT,
        Kind::TimedOut => "it may still complete: run the same command again to continue waiting",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_one_service_come_with_a_way_out() {
        let mut error = AwsError::refused("CreateDistributionWithTags", "www.example.com", "No.");
        assert_eq!(aws_hint(&error), None);
        for (code, part) in [("CNAMEAlreadyExists", "list-conflicting-aliases"), ("TooManyDistributions", "quota")] {
            error.code = Some(code.to_owned());
            assert!(aws_hint(&error).unwrap().contains(part));
        }
    }

    #[test]
    fn a_cancelled_wait_is_an_interruption_and_a_failed_step_is_not() {
        let halted =
            |error| Halted { done: Vec::new(), failed: vec![("cdn/deployed".into(), error)], not_started: Vec::new() };
        let cancelled = AwsError::interrupted("GetDistribution", "E1");
        assert_eq!(Error::new("apply", halted(cancelled)).kind(), ErrorKind::Interrupted);
        let failed = AwsError::refused("GetDistribution", "E1", "it was deleted");
        assert_eq!(Error::new("apply", halted(failed)).kind(), ErrorKind::Failed);
    }
}
