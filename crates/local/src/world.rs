//! The state of the embedded cloud: S3, the other services of the account, and what they share.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use redb::TableDefinition;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::acm::Acm;
use crate::apigateway::ApiGateway;
use crate::cloudfront::CloudFront;
use crate::cloudwatch::CloudWatch;
use crate::context::WeatherSettings;
use crate::context::{Clock, Delays, Disk, DiskError, Endpoints, Now, Outages, ServiceError, insert, rows};
use crate::iam::Iam;
use crate::route53::{Health, Route53};
use crate::s3::{AccountView, PublicAccessBlock, S3};
use crate::s3control::Jobs;
use crate::sns::Sns;
use crate::weather::{Conditions, Outlook};

const ACCOUNT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("account");
/// When the state of every service but S3 was last changed.
const CHANGED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("changed");
const WEATHER: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("weather");

/// Why a state directory could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// Another process has it open.
    #[error("`{0}` is in use by another process")]
    InUse(String),
    /// It could not be read or written.
    #[error("the state in `{path}` could not be opened: {source}")]
    Unreadable {
        /// The state directory.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The state of every service but S3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Account {
    /// The public access block of the account.
    pub block: Option<PublicAccessBlock>,
    /// ACM.
    pub acm: Acm,
    /// API Gateway.
    pub api_gateway: ApiGateway,
    /// S3 Batch Operations.
    pub batch: Jobs,
    /// CloudFront.
    pub cloudfront: CloudFront,
    /// CloudWatch.
    pub cloudwatch: CloudWatch,
    /// IAM.
    pub iam: Iam,
    /// Route 53.
    pub route53: Route53,
    /// SNS.
    pub sns: Sns,
}

/// The state of the embedded cloud. Clones share it.
#[derive(Clone, Debug)]
pub struct World {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Lock order: the account before anything in `s3`, which never locks the account.
    account: RwLock<Account>,
    s3: S3,
    disk: Option<Arc<Disk>>,
    clock: Clock,
    outages: RwLock<Outages>,
    /// Notified when an outage begins or ends.
    outages_changed: Notify,
    health: Health,
    endpoints: RwLock<Option<Endpoints>>,
    weather: Conditions,
}

impl World {
    /// A world in memory.
    pub fn memory() -> Self {
        let clock = Clock::system();
        Self::new(Account::default(), S3::memory(clock.clone()), None, clock, Outlook::default())
    }

    /// The world stored in a directory, which one process at a time can open. It survives the process being killed.
    pub fn open(dir: &Path) -> Result<Self, WorldError> {
        let path = || dir.display().to_string();
        let unreadable = |error: DiskError| WorldError::Unreadable { path: path(), source: Box::new(error) };
        let disk = Disk::open(dir).map_err(unreadable)?.ok_or_else(|| WorldError::InUse(path()))?;
        let (disk, clock) = (Arc::new(disk), Clock::system());
        let mut account = Account::default();
        rows(&disk, ACCOUNT, |_, stored| account = stored).map_err(unreadable)?;
        let mut outlook = Outlook::default();
        rows(&disk, WEATHER, |_, stored| outlook = stored).map_err(unreadable)?;
        let s3 = S3::open(dir, &disk, clock.clone()).map_err(unreadable)?;
        // A world whose clock ran faster may be ahead of this machine's: it must not go back. S3 keeps whole seconds, and knows of no
        // changes of other services: a distribution that was listed must not disappear.
        let mut newest = s3.newest();
        rows(&disk, CHANGED, |_, changed: SystemTime| newest = newest.max(Some(changed))).map_err(unreadable)?;
        if let Some(newest) = newest {
            clock.not_before(newest);
        }
        Ok(Self::new(account, s3, Some(disk), clock, outlook))
    }

    fn new(account: Account, s3: S3, disk: Option<Arc<Disk>>, clock: Clock, outlook: Outlook) -> Self {
        clock.set_weather(outlook.settings);
        let weather = Conditions::new(outlook);
        s3.set_account(AccountView { iam: account.iam.clone(), block: account.block });
        let (outages, health, endpoints) = (RwLock::default(), Health::default(), RwLock::default());
        let outages_changed = Notify::new();
        let account = RwLock::new(account);
        Self {
            inner: Arc::new(Inner { account, s3, disk, clock, outages, outages_changed, health, endpoints, weather }),
        }
    }

    /// S3.
    pub fn s3(&self) -> &S3 {
        &self.inner.s3
    }

    /// The observations of Route 53's health checkers.
    pub fn health(&self) -> &Health {
        &self.inner.health
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Sets how long changes made from now on take to propagate.
    pub fn set_delays(&self, delays: Delays) {
        self.clock().set_delays(delays);
    }

    /// Reads the state of every service but S3.
    pub fn account<R>(&self, read: impl FnOnce(&Account, Now) -> R) -> R {
        read(&self.inner.account.read().unwrap_or_else(PoisonError::into_inner), self.clock().snapshot())
    }

    /// Changes the state of every service but S3, and stores it. When `change` fails, nothing is changed.
    pub fn change_account<R>(
        &self,
        change: impl FnOnce(&mut Account, Now) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let mut account = self.inner.account.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = account.clone();
        let now = self.clock().snapshot();
        let result = change(&mut changed, now)?;
        if changed == *account {
            return Ok(result);
        }
        if let Some(disk) = &self.inner.disk {
            let stored = disk.write(|transaction| {
                insert(transaction, ACCOUNT, "account", &changed)?;
                insert(transaction, CHANGED, "account", &now.time)
            });
            stored.map_err(ServiceError::internal)?;
        }
        self.inner.s3.set_account(AccountView { iam: changed.iam.clone(), block: changed.block });
        *account = changed;
        Ok(result)
    }

    /// Sets or removes the public access block of the account.
    pub fn set_account_block(&self, block: Option<PublicAccessBlock>) -> Result<(), ServiceError> {
        self.change_account(|account, _| {
            account.block = block;
            Ok(())
        })
    }

    /// The outages in force.
    pub fn outages(&self) -> Outages {
        self.inner.outages.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts and ends outages.
    pub fn set_outages(&self, outages: Outages) {
        *self.inner.outages.write().unwrap_or_else(PoisonError::into_inner) = outages;
        self.inner.outages_changed.notify_waiters();
    }

    /// Completes when outages begin or end.
    pub(crate) fn outages_changed(&self) -> Notified<'_> {
        self.inner.outages_changed.notified()
    }

    /// The weather.
    pub fn weather(&self) -> WeatherSettings {
        self.inner.weather.settings()
    }

    /// Changes the weather, and stores it. What has happened so far has no consequences any more.
    ///
    /// # Errors
    /// The state could not be written.
    pub fn set_weather(&self, settings: WeatherSettings) -> Result<(), ServiceError> {
        self.inner.weather.set(settings);
        self.clock().set_weather(settings);
        self.store_weather()
    }

    pub(crate) fn conditions(&self) -> &Conditions {
        &self.inner.weather
    }

    pub(crate) fn store_weather(&self) -> Result<(), ServiceError> {
        let Some(disk) = &self.inner.disk else { return Ok(()) };
        let outlook = self.inner.weather.outlook();
        let stored = disk.write(|transaction| insert(transaction, WEATHER, "weather", &outlook));
        stored.map_err(ServiceError::internal)
    }

    /// Where the data plane listens, while it is open.
    pub fn endpoints(&self) -> Option<Endpoints> {
        self.inner.endpoints.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_endpoints(&self, endpoints: Option<Endpoints>) {
        *self.inner.endpoints.write().unwrap_or_else(PoisonError::into_inner) = endpoints;
    }

    /// Replicates the object versions that are due. Every request does this first.
    pub(crate) fn replicate_due(&self) {
        // A disk that fails is reported to the next request that changes something.
        drop(self.inner.s3.replicate_due(&self.outages()));
    }

    /// The whole state except the contents of objects, counters and history: equal dumps mean equal resources.
    pub fn dump(&self) -> serde_json::Value {
        let account = self.account(|account, _| serde_json::json!(account));
        let mut dump = serde_json::json!({"account": account, "buckets": self.inner.s3.summary()});
        remove_history(&mut dump);
        dump
    }

    /// Makes every change so far durable. This happens on its own within a fraction of a second.
    pub fn flush(&self) -> Result<(), ServiceError> {
        self.inner.disk.as_deref().map_or(Ok(()), Disk::flush).map_err(ServiceError::internal)
    }
}

fn remove_history(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|key, _| !["counter", "changes", "retired", "jobs"].contains(&key.as_str()));
            map.values_mut().for_each(remove_history);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(remove_history),
        _ => {}
    }
}
