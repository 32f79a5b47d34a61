//! The upper bound of the duration of a DNS failover, from the settings that determine it.

use std::time::Duration;

/// The settings that determine the duration of a DNS failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailoverTiming {
    /// The request interval of each health checker: 10 s or 30 s.
    pub interval: Duration,
    /// The number of consecutive requests that must fail or succeed to change a checker's status.
    pub threshold: u32,
    /// The TTL of the records.
    pub ttl: Duration,
}

impl Default for FailoverTiming {
    /// Three requests at intervals of 30 s, and a TTL of one minute.
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), threshold: 3, ttl: Duration::from_mins(1) }
    }
}

/// Bounds of the duration of a failover, from the moment an endpoint fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailoverBound {
    /// The least time until the health check is unhealthy.
    pub min_detection: Duration,
    /// The most time until the health check is unhealthy.
    pub max_detection: Duration,
    /// The most time until the last resolver that respects the TTL returns the new record.
    pub max_total: Duration,
}

/// The last request may have succeeded just before the endpoint fails, and a failing request takes up to four seconds to
/// connect, two to respond and two for the body.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>
const REQUEST: Duration = Duration::from_secs(8);

/// An allowance for Route 53 to aggregate the checkers' results: usually a few seconds; AWS documents no limit.
const AGGREGATION: Duration = Duration::from_secs(10);

impl FailoverTiming {
    /// The bounds of the duration of a failover.
    ///
    /// ```
    /// use std::time::Duration;
    /// use twinsite_dns_failover::FailoverTiming;
    ///
    /// let timing = FailoverTiming { interval: Duration::from_secs(30), threshold: 3, ttl: Duration::from_secs(60) };
    /// assert_eq!(timing.failover_bound().max_total, Duration::from_secs(198));
    /// ```
    pub fn failover_bound(self) -> FailoverBound {
        let Self { interval, threshold, ttl } = self;
        // The first failing request may come immediately after the endpoint fails.
        let min_detection = interval.saturating_mul(threshold.saturating_sub(1));
        let max_detection = interval.saturating_mul(threshold.saturating_add(1)).saturating_add(REQUEST + AGGREGATION);
        FailoverBound { min_detection, max_detection, max_total: max_detection.saturating_add(ttl) }
    }
}
