//! How long a DNS failover takes at most, from the settings that decide it.

use std::time::Duration;

/// The settings that decide how long a failover takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Time between two probes of one health checker: 10 s or 30 s.
    pub interval: Duration,
    /// Probes in a row that must fail.
    pub threshold: u32,
    /// How long resolvers may keep the old answer.
    pub ttl: Duration,
}

impl Default for Settings {
    /// The recipe's: three probes, thirty seconds apart, and a minute in resolvers.
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), threshold: 3, ttl: Duration::from_mins(1) }
    }
}

/// How long a failover takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Until the health check is red: at least.
    pub detect_least: Duration,
    /// Until the health check is red: at most.
    pub detect_most: Duration,
    /// Until the last resolver that honours the TTL gives the new answer: at most.
    pub total_most: Duration,
}

/// A probe may just have succeeded when the endpoint fails, and a failing one may take this long: four seconds to connect, two
/// to answer, two for the body.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>
const PROBE: Duration = Duration::from_secs(8);

/// Until the checkers' verdicts have been put together: a few seconds, which AWS does not promise.
const AGGREGATION: Duration = Duration::from_secs(10);

/// The time budget of a failover.
///
/// ```
/// use std::time::Duration;
/// use twinsite_dns_failover::{Settings, budget};
///
/// let recipe = Settings { interval: Duration::from_secs(30), threshold: 3, ttl: Duration::from_secs(60) };
/// assert_eq!(budget(recipe).total_most, Duration::from_secs(198));
/// ```
pub fn budget(settings: Settings) -> Budget {
    let Settings { interval, threshold, ttl } = settings;
    // The first failing probe may come at once.
    let detect_least = interval.saturating_mul(threshold.saturating_sub(1));
    let detect_most = interval.saturating_mul(threshold.saturating_add(1)).saturating_add(PROBE + AGGREGATION);
    Budget { detect_least, detect_most, total_most: detect_most.saturating_add(ttl) }
}
