//! The one boundary where errors become words for people: what failed, why, and what to do next.

use std::fmt::{self, Display};

use twinsite_aws::{AwsError, Kind};
use twinsite_core::Halted;
use twinsite_local::world::WorldError;
use twinsite_s3_site::Unfit;
use twinsite_sync::lock::LockError;
use twinsite_sync::{Interrupted, SourceError, StoreError, SyncError};

use crate::exit::Exit;

/// What is said when a command fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed: the rest of a sentence that begins with `could not`.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
    /// What to do next.
    pub(crate) hints: Vec<String>,
    /// How the process ends.
    pub(crate) exit: Exit,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, why: impl Display) -> Self {
        Self { what: what.into(), why: why.to_string(), hints: Vec::new(), exit: Exit::Failed }
    }

    /// A fault of the command line or the configuration.
    pub(crate) fn usage(what: impl Into<String>, why: impl Display) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what, why) }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn aws(what: &str, error: &AwsError) -> Self {
        Self::new(what, error).with(hint_for(error))
    }

    pub(crate) fn unfit(what: &str, unfit: &Unfit) -> Self {
        let mut hints: Vec<String> = unfit.0.iter().map(|problem| problem.hint().to_owned()).collect();
        hints.dedup();
        Self { hints, ..Self::new(what, unfit) }
    }

    /// Several things that stand in the way, with a hint for each.
    pub(crate) fn problems(what: &str, why: impl Display, hints: impl Iterator<Item = &'static str>) -> Self {
        let mut hints: Vec<String> = hints.map(str::to_owned).collect();
        hints.dedup();
        Self { hints, ..Self::new(what, why) }
    }

    /// Everything that stands in the way, said at once.
    pub(crate) fn all(failures: [Option<Self>; 4]) -> Self {
        let mut failures = failures.into_iter().flatten();
        let first = failures.next().unwrap_or_else(|| Self::new("plan", "nothing stands in the way"));
        failures.fold(first, |mut all, more| {
            all.why = format!("{}\n{}", all.why, more.why);
            all.hints.extend(more.hints);
            all
        })
    }

    /// `stopped` when the owner said so: a step that was waiting then is not one that failed.
    pub(crate) fn halted(what: &str, halted: &Halted<AwsError>, stopped: bool) -> Self {
        let left = "what is done is done; run the same command again to finish the rest".to_owned();
        let exit = if stopped || halted.failed.is_empty() { Exit::Interrupted } else { Exit::Failed };
        let hint = halted.failed.first().and_then(|(_, error)| hint_for(error));
        Self { exit, ..Self::new(what, halted) }.with(hint).hint(left)
    }

    pub(crate) fn source(what: &str, error: &SourceError) -> Self {
        let failure = Self::usage(what, error);
        match error {
            SourceError::Empty(_) => {
                failure.hint("did the build fail? To take a site down on purpose, use `twinsite destroy`")
            }
            SourceError::Missing(_) => failure.hint("build the site first, or name its output directory"),
            SourceError::Unpublishable(_) => failure.hint("names to leave out go into `.twinsiteignore`"),
            SourceError::Changed(_) => Self { exit: Exit::Failed, ..failure }.hint("wait for the build to finish"),
            SourceError::NotADirectory(_) | SourceError::Rule(_) | SourceError::Unreadable { .. } => failure,
        }
    }

    pub(crate) fn sync(what: &str, error: &SyncError) -> Self {
        match error {
            SyncError::Source(error) => Self::source(what, error),
            SyncError::Store(error) | SyncError::Lock(LockError::Store(error)) => Self::store(what, error),
            SyncError::TooManyDeletes { count, .. } => Self::new(what, error)
                .hint("look at it with --dry-run --delete none")
                .hint(format!("allow it with --max-delete {count}, or keep them with --delete none")),
            SyncError::Raced(_) => Self::new(what, error).hint("run the same command again"),
            SyncError::Lost(_) => Self::new(what, error)
                .hint("choose a newer release: `twinsite releases`; how many are kept: publish.keep_releases"),
            SyncError::Lock(error @ LockError::Held(..)) => Self::new(what, error)
                .hint("wait for it, or for longer with --lock-timeout; should it be dead, its lock ends by itself within two minutes"),
            SyncError::Lock(error @ LockError::Unconditional) => {
                Self::new(what, error).hint("use S3, or a store that honours `If-None-Match` on PutObject")
            }
            SyncError::Lock(error @ LockError::Lost) => Self::new(what, error)
                .hint("was this machine asleep? Run the same command again: it finishes the rest"),
            SyncError::Lock(LockError::Cancelled) | SyncError::Cancelled => Self { exit: Exit::Interrupted, ..Self::new(what, error) },
        }
    }

    fn store(what: &str, error: &StoreError) -> Self {
        match error {
            StoreError::Aws(error) if error.code.as_deref() == Some("NoSuchBucket") => {
                Self::new(what, error).hint("create the buckets first: `twinsite apply`, or add --apply")
            }
            StoreError::Aws(error) => Self::aws(what, error),
            _ => Self::new(what, error),
        }
    }

    pub(crate) fn interrupted(what: &str, stopped: &Interrupted) -> Self {
        let again = "run the same command again to finish the rest";
        match stopped.failed.first() {
            None => Self { exit: Exit::Interrupted, ..Self::new(what, stopped) }.hint(again),
            Some((_, error)) => {
                let because = Self::sync(what, error);
                Self { why: stopped.to_string(), exit: Exit::Failed, ..because }.hint(again)
            }
        }
    }

    pub(crate) fn world(error: &WorldError) -> Self {
        let failure = Self::new("open the embedded cloud", error);
        match error {
            WorldError::InUse(_) => failure.hint("wait for the other command, or name another directory with --state"),
            WorldError::Unreadable { .. } => failure.hint("name another directory with --state, or delete this one"),
        }
    }

    fn with(mut self, hint: Option<&str>) -> Self {
        self.hints.extend(hint.map(str::to_owned));
        self
    }
}

/// What to do about a refusal that one service knows.
fn hint_for_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "CNAMEAlreadyExists" => {
            "another distribution answers to this name, perhaps in another account; `aws cloudfront list-conflicting-aliases` \
             tells whose: remove the alias there, or move it with `aws cloudfront associate-alias`"
        }
        "InvalidChangeBatch" => {
            "the records changed meanwhile or are protected: look at them in Route 53, and plan again"
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
            "the account has no more room for these: ask for a higher quota in the Service Quotas console, or delete unused ones"
        }
        "InvalidViewerCertificate" => "see whether the certificate covers the name and is issued: `twinsite status`",
        _ => return None,
    })
}

/// What to do about an AWS error.
fn hint_for(error: &AwsError) -> Option<&'static str> {
    if let Some(hint) = error.code.as_deref().and_then(hint_for_code) {
        return Some(hint);
    }
    match error.kind {
        Kind::NoCredentials => Some(
            "sign in (`aws sso login`), or set AWS_PROFILE, --profile or AWS_ACCESS_KEY_ID; to try things out without an \
             account, add --local",
        ),
        Kind::BadCredentials => Some(
            "the credentials are wrong or have expired: sign in again, or check --profile; where only one region says so, \
             enable that region for the account",
        ),
        Kind::ClockSkew => Some("this machine's clock is wrong: set it, requests are signed with the time"),
        Kind::Network => Some("check the network, the proxy and --endpoint-url"),
        Kind::Denied => Some("these credentials lack the permission for this operation"),
        Kind::Throttled => Some("AWS asks for slower requests: try again in a minute"),
        Kind::Conflict => Some("somebody else has that name, or is changing the same thing: try again in a minute"),
        Kind::RegionDisabled => Some("enable the region for this account, or choose another one"),
        Kind::Precondition => Some("it was changed by somebody else in the meantime: run the command again"),
        Kind::Interrupted => Some("what is done stays done: run the same command again to finish the rest"),
        Kind::TimedOut => Some("it may still complete: run the same command again to continue waiting"),
        _ => None,
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.what, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_one_service_come_with_a_way_out() {
        let mut error = AwsError::refused("CreateDistributionWithTags", "www.example.com", "No.");
        assert_eq!(hint_for(&error), None);
        for (code, part) in [("CNAMEAlreadyExists", "list-conflicting-aliases"), ("TooManyDistributions", "quota")] {
            error.code = Some(code.to_owned());
            assert!(hint_for(&error).unwrap().contains(part));
        }
    }

    #[test]
    fn a_wait_that_was_stopped_is_no_failure() {
        let failed = vec![("cdn/deployed".into(), AwsError::refused("GetDistribution", "E1", "stopped"))];
        let halted = Halted { done: Vec::new(), failed, not_started: Vec::new() };
        assert_eq!(Failure::halted("apply", &halted, true).exit, Exit::Interrupted);
        assert_eq!(Failure::halted("apply", &halted, false).exit, Exit::Failed);
    }
}
