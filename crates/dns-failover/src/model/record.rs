//! Record sets.

use std::fmt;

use twinsite_core::{Deferred, Host, Need, ResourceId};

use super::ZoneId;

/// The role of a record set in a failover pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverRole {
    /// Returned while its health check is healthy.
    Primary,
    /// Returned while the primary is unhealthy.
    Secondary,
}

impl FailoverRole {
    /// The name in Route 53's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        }
    }

    /// The set identifier, by which the record sets of a pair are recognised.
    pub fn set_identifier(self) -> &'static str {
        match self {
            Self::Primary => "twinsite-primary",
            Self::Secondary => "twinsite-backup",
        }
    }

    /// True for the set identifier of either role.
    pub(crate) fn has_set_identifier(identifier: &str) -> bool {
        [Self::Primary, Self::Secondary].iter().any(|role| role.set_identifier() == identifier)
    }
}

/// The target of an alias record: an AWS resource with a hosted zone id.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasTarget {
    /// The host of the resource.
    pub host: Deferred<Host>,
    /// The hosted zone id of the resource, not the one of the record.
    pub zone: ZoneId,
    /// Whether Route 53 treats the record as unhealthy if the resource is, as it can for load balancers. Must be false for
    /// distributions, and has no meaning for S3 website endpoints.
    pub evaluate_target_health: bool,
}

impl AliasTarget {
    /// A target whose health Route 53 does not evaluate.
    pub fn new(host: Deferred<Host>, zone: ZoneId) -> Self {
        Self { host, zone, evaluate_target_health: false }
    }
}

/// The target of a record set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordTarget {
    /// An alias of an AWS resource. Its TTL is the one of the resource.
    Alias(AliasTarget),
    /// A host, as the value of a CNAME record.
    Cname {
        /// The host.
        host: Deferred<Host>,
        /// The TTL in seconds.
        ttl: u64,
    },
}

/// A desired record set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordSet {
    /// `A`, `AAAA` or `CNAME`.
    pub r#type: &'static str,
    /// The target.
    pub target: RecordTarget,
    /// The role in a failover pair; `None` for simple routing.
    pub failover: Option<FailoverRole>,
    /// The health check that decides whether the record set is returned.
    pub check: Option<Deferred<ResourceId>>,
}

/// The property of alias records with `EvaluateTargetHealth`.
pub(crate) const EVALUATES_TARGET_HEALTH: &str = ", evaluates the target's health";

impl RecordSet {
    pub(crate) fn needs(&self) -> Vec<Need> {
        let host = match &self.target {
            RecordTarget::Alias(AliasTarget { host, .. }) | RecordTarget::Cname { host, .. } => host,
        };
        host.need().into_iter().chain(self.check.as_ref().and_then(Deferred::need)).collect()
    }
}

impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { r#type: _, target, failover, check } = self;
        match target {
            RecordTarget::Alias(AliasTarget { host, zone, evaluate_target_health: _ }) => {
                write!(f, "alias {host} in {zone}")?;
            }
            RecordTarget::Cname { host, ttl } => write!(f, "{host}, TTL {ttl}")?,
        }
        if let Some(role) = failover {
            write!(f, ", {}", role.as_str())?;
        }
        if let Some(check) = check {
            write!(f, ", health check {check}")?;
        }
        match target {
            RecordTarget::Alias(AliasTarget { evaluate_target_health: true, .. }) => {
                f.write_str(EVALUATES_TARGET_HEALTH)
            }
            _ => Ok(()),
        }
    }
}

/// A DNS name in lower case without the trailing dot.
pub(crate) fn normalized_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
