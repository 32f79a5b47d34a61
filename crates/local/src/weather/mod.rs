//! What AWS does besides answering as documented: changes become visible late, requests are refused for a while although nothing
//! is wrong with them, callers are throttled, and everything takes its time.
//!
//! Every rule names the public source of its behaviour. Durations follow the clock of the embedded cloud. What happens to a request
//! follows from the seed and from the requests before it, so a sequence of requests meets the same weather again.

mod acm;
mod apigateway;
mod cloudfront;
mod iam;
mod route53;
mod s3;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::context::{Random, ServiceError, Weather, WeatherSettings};

/// The weather with what it has still in store: which changes are not visible yet, and which resources are still in use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Outlook {
    pub(crate) settings: WeatherSettings,
    random: Random,
    /// Until when a rule applies to a subject.
    windows: BTreeMap<String, SystemTime>,
    /// The distributions that have used the resources which still count as in use.
    users: BTreeMap<String, String>,
    /// When the last requests to Route 53 were made.
    route53: Vec<SystemTime>,
}

/// The weather of a cloud.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    outlook: Mutex<Outlook>,
    /// The buckets whose settings are being changed.
    busy: Arc<Mutex<BTreeSet<String>>>,
}

/// A request, as far as the weather depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The AWS name of the operation.
    pub(crate) operation: String,
    /// The bucket, role, certificate or id that it is about; empty if it names none.
    pub(crate) subject: String,
    /// Whether the subject existed before the request, where that matters.
    pub(crate) existed: bool,
    /// The resources that the subject has used until now: those of a distribution.
    pub(crate) used: Vec<String>,
    /// When it arrived.
    pub(crate) at: SystemTime,
}

/// Marks a bucket as being changed, until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    bucket: String,
    all: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.bucket);
    }
}

impl Conditions {
    pub(crate) fn new(outlook: Outlook) -> Self {
        Self { outlook: Mutex::new(outlook), busy: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Outlook> {
        self.outlook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> WeatherSettings {
        self.lock().settings
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.settings().weather == Weather::Calm
    }

    /// What is to be stored.
    pub(crate) fn outlook(&self) -> Outlook {
        self.lock().clone()
    }

    /// Changes the weather. What has happened so far has no consequences any more.
    pub(crate) fn set(&self, settings: WeatherSettings) {
        *self.lock() = Outlook { settings, random: Random::new(settings.seed), ..Outlook::default() };
    }

    /// How long a request to a control plane takes.
    pub(crate) fn latency(&self) -> Duration {
        let mut outlook = self.lock();
        let most = outlook.settings.weather.either(120, 400);
        outlook.random.between(Duration::from_millis(20), Duration::from_millis(most))
    }

    /// Whether a request changes the settings of a bucket.
    pub(crate) fn changes_bucket(asked: &Asked) -> bool {
        s3::changes_settings(&asked.operation)
    }

    /// Marks a bucket as being changed.
    ///
    /// # Errors
    /// `OperationAborted` if another request is changing it.
    pub(crate) fn change_bucket(&self, asked: &Asked) -> Result<Busy, ServiceError> {
        let (bucket, all) = (asked.subject.clone(), Arc::clone(&self.busy));
        let is_free = self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(bucket.clone());
        if is_free { Ok(Busy { bucket, all }) } else { Err(s3::aborted()) }
    }

    /// Why a request is refused, if it is.
    pub(crate) fn refusal(&self, asked: &Asked) -> Option<ServiceError> {
        let mut outlook = self.lock();
        let outlook = &mut *outlook;
        s3::refusal(outlook, asked)
            .or_else(|| iam::refusal(outlook, asked))
            .or_else(|| acm::refusal(outlook, asked))
            .or_else(|| cloudfront::refusal(outlook, asked))
            .or_else(|| route53::refusal(outlook, asked))
            .or_else(|| apigateway::refusal(outlook, asked))
    }

    /// Notes a request that was answered: what follows from it takes time.
    /// True if anything does, so that it has to be stored.
    pub(crate) fn completed(&self, asked: &Asked) -> bool {
        let mut outlook = self.lock();
        let outlook = &mut *outlook;
        outlook.windows.retain(|_, until| *until > asked.at);
        let before = outlook.windows.clone();
        s3::completed(outlook, asked);
        iam::completed(outlook, asked);
        acm::completed(outlook, asked);
        cloudfront::completed(outlook, asked);
        route53::completed(outlook, asked);
        apigateway::completed(outlook, asked);
        outlook.windows != before
    }

    /// The id of a distribution that is gone or uses another certificate, and still counts as a user of this one; or the ARN of a load
    /// balancer that served a domain name of API Gateway.
    pub(crate) fn former_user(&self, certificate: &str, now: SystemTime) -> Option<String> {
        let outlook = self.lock();
        let is_in_use = outlook.is_open(cloudfront::IN_USE, certificate, now);
        outlook.users.get(certificate).filter(|_| is_in_use).cloned()
    }
}

impl Outlook {
    fn weather(&self) -> Weather {
        self.settings.weather
    }

    /// From now on a rule applies to a subject, for a duration between two, by the weather.
    fn open(&mut self, rule: &str, asked: &Asked, range: Range) {
        self.open_for(rule, &asked.subject, asked.at, range);
    }

    fn open_for(&mut self, rule: &str, subject: &str, at: SystemTime, range: Range) {
        let [least, most] = self.weather().either(range.aws, range.storm).map(Duration::from_secs);
        let until = at + self.random.between(least, most);
        self.windows.insert(format!("{rule} {subject}"), until);
    }

    /// Whether a rule applies to a subject.
    fn is_open(&self, rule: &str, subject: &str, now: SystemTime) -> bool {
        self.windows.get(&format!("{rule} {subject}")).is_some_and(|until| now < *until)
    }

    /// Whether a rule applies to any subject.
    fn is_any_open(&self, rule: &str, now: SystemTime) -> bool {
        let prefix = format!("{rule} ");
        self.windows.iter().any(|(key, until)| key.starts_with(&prefix) && now < *until)
    }

    /// Whether something happens that happens to so many of a hundred requests, by the weather.
    fn happens(&mut self, chance: Chance) -> bool {
        let percent = self.weather().either(chance.aws, chance.storm);
        self.random.below(100) < percent
    }
}

/// What the ARN of a load balancer of API Gateway starts with.
const LOAD_BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:999999999999:loadbalancer/net/prod-";

/// Durations in seconds: from, to.
#[derive(Clone, Copy, Debug)]
struct Range {
    aws: [u64; 2],
    storm: [u64; 2],
}

/// Percentages.
#[derive(Clone, Copy, Debug)]
struct Chance {
    aws: u64,
    storm: u64,
}

/// What a location answers that has not heard of a change yet, while another one has: every second request reaches one.
const OTHER_LOCATION: Chance = Chance { aws: 50, storm: 70 };

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(operation: &str, subject: &str, at: SystemTime) -> Asked {
        let (operation, subject) = (operation.to_owned(), subject.to_owned());
        Asked { operation, subject, existed: false, used: Vec::new(), at }
    }

    fn conditions(weather: Weather, seed: u64) -> Conditions {
        let conditions = Conditions::default();
        conditions.set(WeatherSettings { weather, seed });
        conditions
    }

    /// The codes that a fixed history of requests meets.
    fn codes(seed: u64) -> Vec<Option<&'static str>> {
        let (conditions, start) = (conditions(Weather::Storm, seed), SystemTime::UNIX_EPOCH);
        assert!(conditions.completed(&asked("CreateBucket", "b", start)));
        let at = |second: u64| asked("PutBucketVersioning", "b", start + Duration::from_secs(second));
        (0..120).map(|second| conditions.refusal(&at(second)).map(|error| error.code)).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_weather_and_another_is_not() {
        assert_eq!(codes(7), codes(7));
        assert_ne!(codes(7), codes(8));
    }

    #[test]
    fn every_refusal_passes() {
        for seed in 0..50 {
            let (conditions, start) = (conditions(Weather::Storm, seed), SystemTime::UNIX_EPOCH);
            assert!(conditions.completed(&asked("CreateRole", "role", start)));
            assert!(conditions.completed(&asked("DeleteBucket", "b", start)));
            let used = vec!["certificate".to_owned()];
            assert!(conditions.completed(&Asked { used, ..asked("DeleteDistribution", "E1", start) }));
            assert_eq!(conditions.refusal(&asked("CreateBucket", "b", start)).unwrap().code, "OperationAborted");
            assert_eq!(conditions.former_user("certificate", start).as_deref(), Some("E1"));
            let later = start + Duration::from_hours(1);
            assert!((0..100).any(|_| conditions.refusal(&asked("CreateBucket", "b", later)).is_none()), "{seed}");
            assert_eq!(conditions.former_user("certificate", later), None);
        }
    }

    #[test]
    fn a_bucket_is_changed_by_one_request_at_a_time() {
        let conditions = conditions(Weather::Aws, 1);
        let change = asked("PutBucketPolicy", "b", SystemTime::UNIX_EPOCH);
        let busy = conditions.change_bucket(&change);
        assert_eq!(conditions.change_bucket(&change).unwrap_err().code, "OperationAborted");
        drop(busy);
        assert!(conditions.change_bucket(&change).is_ok());
    }
}
