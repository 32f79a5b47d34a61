//! What is out of order in the world at large: outages that no API can be asked to make.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::World;

/// What is out of order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Regions where nothing answers: neither S3's API nor website endpoints.
    pub regions_out: BTreeSet<String>,
    /// Whether CloudFront's edges answer nobody.
    pub cdn_out: bool,
    /// Whether the control planes of the services for the whole world are gone: CloudFront, Route 53, IAM, ACM.
    pub control_out: bool,
    /// Whether nothing is replicated for the time being.
    pub replication_paused: bool,
    /// One in so many requests for objects is answered with `503 SlowDown`; 0 for none.
    pub slow_down_every: u64,
}

impl World {
    /// What is out of order.
    pub fn faults(&self) -> Faults {
        self.inner.faults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn slow_down_every(&self) -> u64 {
        self.inner.faults.read().unwrap_or_else(PoisonError::into_inner).slow_down_every
    }

    /// Breaks and mends.
    pub fn set_faults(&self, faults: Faults) {
        *self.inner.faults.write().unwrap_or_else(PoisonError::into_inner) = faults;
    }
}
