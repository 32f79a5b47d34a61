//! What belongs to the account and not to a bucket: the state of every service but S3.

use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::acm::Acm;
use super::batch::Jobs;
use super::cloudfront::CloudFront;
use super::cloudwatch::CloudWatch;
use super::iam::Iam;
use super::route53::Route53;
use super::sns::Sns;
use super::{Block, Fault, World};

/// The state of every service but S3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The account-wide public access block of S3.
    pub block: Option<Block>,
    /// Certificates.
    pub acm: Acm,
    /// Jobs of S3 Batch Operations.
    pub batch: Jobs,
    /// Distributions and what belongs to them.
    pub cloudfront: CloudFront,
    /// Alarms.
    pub cloudwatch: CloudWatch,
    /// Roles.
    pub iam: Iam,
    /// Hosted zones, record sets and health checks.
    pub route53: Route53,
    /// Topics.
    pub sns: Sns,
}

/// How long changes take to reach every edge, name server and validator. AWS takes minutes; what matters here is that the
/// pending states are seen, so the usual values are fractions of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Until a distribution is `Deployed`.
    pub distribution: Duration,
    /// Until an invalidation is `Completed`.
    pub invalidation: Duration,
    /// Until a change of record sets is `INSYNC`.
    pub records: Duration,
    /// Until a certificate shows its validation records.
    pub certificate: Duration,
    /// Until a new version is in the bucket that a rule sends it to.
    pub replication: Duration,
}

impl Delays {
    /// Everything at once.
    pub const NONE: Self = Self {
        distribution: Duration::ZERO,
        invalidation: Duration::ZERO,
        records: Duration::ZERO,
        certificate: Duration::ZERO,
        replication: Duration::ZERO,
    };
    /// Long enough to be seen, short enough to be waited for.
    pub const BRIEF: Self = Self {
        distribution: Duration::from_millis(500),
        invalidation: Duration::from_millis(300),
        records: Duration::from_millis(200),
        certificate: Duration::from_millis(100),
        replication: Duration::from_millis(100),
    };
}

/// The time, and how long things take.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The world's time.
    pub now: SystemTime,
    /// How long things take.
    pub delays: Delays,
}

impl World {
    /// Sets how long changes take, for those that are made from now on.
    pub fn set_delays(&self, delays: Delays) {
        *self.inner.delays.lock().unwrap_or_else(PoisonError::into_inner) = delays;
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock().now(), delays: self.delays() }
    }

    pub(super) fn delays(&self) -> Delays {
        *self.inner.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the account. The time is the world's.
    pub fn account<R>(&self, look: impl FnOnce(&Account, Moment) -> R) -> R {
        look(&self.read().account, self.moment())
    }

    /// Changes the account whole or, when `change` refuses, not at all.
    pub fn change_account<R, E: From<Fault>>(
        &self,
        change: impl FnOnce(&mut Account, Moment) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut state = self.write();
        let mut account = state.account.clone();
        let done = change(&mut account, self.moment())?;
        self.keep(|disk| disk.account(&account))?;
        self.inner.grants.forget();
        state.account = account;
        Ok(done)
    }

    /// Everything that is there, but for objects: two worlds with equal dumps are the same to anybody who looks. What only
    /// counts, or is remembered of what is gone, is left out.
    pub fn dump(&self) -> serde_json::Value {
        let state = self.read();
        let buckets: Vec<_> = state.buckets.values().map(|bucket| (&bucket.settings, bucket.keys.len())).collect();
        let mut dump = serde_json::json!({"account": state.account, "buckets": buckets});
        forget(&mut dump);
        dump
    }

    /// The account-wide public access block.
    pub fn account_block(&self) -> Option<Block> {
        self.account(|account, _| account.block)
    }

    /// Sets or removes the account-wide public access block.
    pub fn set_account_block(&self, block: Option<Block>) -> Result<(), Fault> {
        self.change_account(|account, _| {
            account.block = block;
            Ok(())
        })
    }
}

/// Takes out what is no state of the account.
fn forget(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|key, _| !["counter", "changes", "retired", "jobs"].contains(&key.as_str()));
            map.values_mut().for_each(forget);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(forget),
        _ => {}
    }
}
