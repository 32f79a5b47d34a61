//! A failover pair: two targets of one name, of which Route 53 returns the healthy one.

use std::time::Duration;

use twinsite_core::{Deferred, Host, Pair, ResourceId};

use super::{AliasTarget, FailoverRole, RecordSet, RecordTarget};

/// The types of the alias records of a failover pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AliasTypes {
    /// IPv4 and IPv6.
    #[default]
    AAndAaaa,
    /// IPv4 only, for targets without IPv6 such as S3 website endpoints.
    A,
}

/// The targets of a failover pair. Both are of the same kind, as a CNAME record excludes all other records of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailoverTargets {
    /// Any hosts, as CNAME records. Not possible at the apex of a zone.
    Cname {
        /// The hosts.
        hosts: Pair<Deferred<Host>>,
        /// The TTL.
        ttl: Duration,
    },
    /// AWS resources, as alias records.
    Alias {
        /// The resources.
        targets: Pair<AliasTarget>,
        /// The record types.
        types: AliasTypes,
    },
}

/// A failover pair for any two targets and any health checks.
///
/// A known check is given as [`Deferred::Known`], one that is created by another step of the same plan as
/// [`Deferred::After`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailoverPair {
    /// The name of the records.
    pub name: Host,
    /// The targets.
    pub targets: FailoverTargets,
    /// The health checks. The primary needs one, unless it is an alias target whose health Route 53 evaluates. If both
    /// targets are unhealthy, Route 53 returns the primary.
    pub checks: Pair<Option<Deferred<ResourceId>>>,
}

impl FailoverPair {
    /// The record sets of the pair.
    pub fn record_sets(&self) -> Vec<RecordSet> {
        let Self { name: _, targets, checks } = self;
        let sets =
            |r#type: &'static str, targets: Pair<RecordTarget>| {
                let set = |failover: FailoverRole, target: RecordTarget, check: &Option<Deferred<ResourceId>>| {
                    RecordSet { r#type, target, failover: Some(failover), check: check.clone() }
                };
                [
                    set(FailoverRole::Primary, targets.primary, &checks.primary),
                    set(FailoverRole::Secondary, targets.backup, &checks.backup),
                ]
            };
        match targets {
            FailoverTargets::Cname { hosts, ttl } => {
                let targets = hosts.as_ref().map(|host| RecordTarget::Cname { host: host.clone(), ttl: ttl.as_secs() });
                sets("CNAME", targets).to_vec()
            }
            FailoverTargets::Alias { targets, types } => {
                let targets = targets.as_ref().map(|target| RecordTarget::Alias(target.clone()));
                let mut all = sets("A", targets.clone()).to_vec();
                if *types == AliasTypes::AAndAaaa {
                    all.extend(sets("AAAA", targets));
                }
                all
            }
        }
    }

    /// True if Route 53 can find out that the primary is unhealthy.
    pub(crate) fn detects_failure(&self) -> bool {
        let evaluated = match &self.targets {
            FailoverTargets::Alias { targets, .. } => targets.primary.evaluate_target_health,
            FailoverTargets::Cname { .. } => false,
        };
        evaluated || self.checks.primary.is_some()
    }
}
