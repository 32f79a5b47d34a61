//! What one service has answered, or why it has not.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws::{AwsError, Kind};
use twinsite_dns_failover::FindZoneError;
use twinsite_dns_failover::probe::ProbeError;
use twinsite_sync::{StoreError, SyncError};

use crate::delegation::DelegationError;
use crate::error::{Cause, Error};

/// A part of the state of a site, which was read independently of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Part<T> {
    /// It was read.
    Known {
        /// The state.
        value: T,
    },
    /// It could not be read.
    Unavailable {
        /// The class of the reason.
        kind: FailureKind,
        /// The reason.
        reason: String,
    },
    /// The credentials lack a permission.
    Forbidden {
        /// The IAM action.
        action: String,
        /// What the service said.
        reason: String,
    },
}

/// Classes of reasons why a part could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureKind {
    /// No connection: refused, broken, or the name was not resolved.
    Unreachable,
    /// No response within the deadline.
    TimedOut,
    /// The service has responded that it is out of order (5xx).
    ServerError,
    /// Requests are throttled.
    Throttled,
    /// There are no credentials, or they are invalid or expired.
    Credentials,
    /// The account is unknown, from which the name of the resource is derived.
    AccountUnknown,
    /// It was not asked for.
    NotAsked,
    /// It was read, and means nothing: a damaged record.
    Damaged,
    /// The state in AWS conflicts with the configuration.
    Conflict,
    /// Anything else.
    Other,
}

/// Why a part could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Unavailable { kind: FailureKind, reason: String },
    Forbidden { action: String, reason: String },
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self::Unavailable { kind, reason: reason.into() }
    }

    /// Names the service of an action that is an operation so far.
    pub(crate) fn of_service(self, service: &str) -> Self {
        match self {
            Self::Forbidden { action, reason } if !action.contains(':') => {
                Self::Forbidden { action: iam_action(service, &action), reason }
            }
            other => other,
        }
    }
}

/// The action that an operation needs, where its name is another one.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
fn iam_action(service: &str, operation: &str) -> String {
    let action = match operation {
        "HeadBucket" | "ListObjectsV2" => "ListBucket",
        "HeadObject" => "GetObject",
        "GetBucketReplication" => "GetReplicationConfiguration",
        other => other,
    };
    format!("{service}:{action}")
}

impl<T> Part<T> {
    /// The state, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known { value } => Some(value),
            Self::Unavailable { .. } | Self::Forbidden { .. } => None,
        }
    }

    /// True if it was read.
    pub fn is_known(&self) -> bool {
        self.known().is_some()
    }

    /// True if the service has responded, if only with an error.
    pub fn is_answered(&self) -> bool {
        match self {
            Self::Known { .. } | Self::Forbidden { .. } => true,
            Self::Unavailable { kind, .. } => {
                matches!(
                    kind,
                    FailureKind::ServerError | FailureKind::Throttled | FailureKind::Conflict | FailureKind::Damaged
                )
            }
        }
    }

    /// The same with another state.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Known { value } => Part::Known { value: change(value) },
            Self::Unavailable { kind, reason } => Part::Unavailable { kind, reason },
            Self::Forbidden { action, reason } => Part::Forbidden { action, reason },
        }
    }
}

impl<T> From<Result<T, Failure>> for Part<T> {
    fn from(answer: Result<T, Failure>) -> Self {
        match answer {
            Ok(value) => Self::Known { value },
            Err(Failure::Unavailable { kind, reason }) => Self::Unavailable { kind, reason },
            Err(Failure::Forbidden { action, reason }) => Self::Forbidden { action, reason },
        }
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        let reason = format!("{}: {}", error.operation, error.message);
        let kind = match error.kind {
            Kind::Denied => {
                // `User: … is not authorized to perform: sns:ListTagsForResource on resource: …`
                let named = error.message.split_once("to perform: ").map(|(_, rest)| rest);
                let named = named.and_then(|rest| rest.split_whitespace().next()).filter(|word| word.contains(':'));
                return Self::Forbidden { action: named.unwrap_or(error.operation).to_owned(), reason };
            }
            Kind::Network => FailureKind::Unreachable,
            Kind::TimedOut => FailureKind::TimedOut,
            Kind::Unavailable => FailureKind::ServerError,
            Kind::Throttled => FailureKind::Throttled,
            Kind::NoCredentials | Kind::BadCredentials | Kind::ClockSkew => FailureKind::Credentials,
            _ => FailureKind::Other,
        };
        Self::Unavailable { kind, reason }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Aws(error) => error.into(),
            other => Self::new(FailureKind::Other, other.to_string()),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            damaged @ SyncError::DamagedRecord { .. } => Self::new(FailureKind::Damaged, damaged.to_string()),
            other => Self::new(FailureKind::Other, other.to_string()),
        }
    }
}

impl From<FindZoneError> for Failure {
    fn from(error: FindZoneError) -> Self {
        match error {
            FindZoneError::Aws(error) => error.into(),
            FindZoneError::Conflict(conflict) => Self::new(FailureKind::Conflict, conflict.to_string()),
        }
    }
}

impl From<DelegationError> for Failure {
    fn from(error: DelegationError) -> Self {
        match error {
            DelegationError::Aws(error) => error.into(),
            DelegationError::Probe(error) => error.into(),
        }
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        let kind = match error {
            ProbeError::TimedOut(_) => FailureKind::TimedOut,
            ProbeError::Connection(_) | ProbeError::NoAddress(_) => FailureKind::Unreachable,
            ProbeError::Unavailable(_) => FailureKind::NotAsked,
            _ => FailureKind::Other,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match *error.cause {
            Cause::Aws(error) => error.into(),
            Cause::Sync(error) => error.into(),
            Cause::Conflicts(reasons) => Self::new(FailureKind::Conflict, reasons),
            other => Self::new(FailureKind::Other, other.to_string()),
        }
    }
}
