//! The observations of Route 53's health checkers, and the health that follows from them.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use super::{CheckConfig, HealthCheck};

/// The regions of the checkers.
pub const REGIONS: [&str; 8] = [
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-west-1",
    "sa-east-1",
    "us-east-1",
    "us-west-1",
    "us-west-2",
];

/// An endpoint is healthy when more than this percentage of the checkers report it healthy.
const HEALTHY_PERCENT: usize = 18;

/// The latest observation of one endpoint by one checker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// The verdict; `None` before the first probe.
    pub healthy: Option<bool>,
    /// How many consecutive probes contradict the verdict.
    pub contradictions: u32,
    /// The result of the last probe, worded as the service words it.
    pub status: String,
    /// When it was made.
    pub at: SystemTime,
}

impl Observation {
    fn new() -> Self {
        let status = "Unknown: no probe has been made yet".to_owned();
        Self { healthy: None, contradictions: 0, status, at: SystemTime::UNIX_EPOCH }
    }

    /// Records a probe. The verdict changes after `threshold` consecutive contradicting probes.
    fn record(&mut self, probe: Result<String, String>, threshold: u32, at: SystemTime) {
        let good = probe.is_ok();
        self.status = match probe {
            Ok(status) => format!("Success: {status}"),
            Err(status) => format!("Failure: {status}"),
        };
        self.at = at;
        match self.healthy {
            None => self.healthy = Some(good),
            Some(verdict) if verdict == good => self.contradictions = 0,
            Some(_) => {
                self.contradictions += 1;
                if self.contradictions >= threshold {
                    (self.healthy, self.contradictions) = (Some(good), 0);
                }
            }
        }
    }
}

/// The observations of all checkers. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Health {
    observations: Arc<RwLock<BTreeMap<String, Vec<Observation>>>>,
}

impl Health {
    /// Records the result of a probe.
    pub(crate) fn record(&self, check: &HealthCheck, checker: usize, probe: Result<String, String>, at: SystemTime) {
        let mut observations = self.observations.write().unwrap_or_else(PoisonError::into_inner);
        let of_check = observations.entry(check.id.clone()).or_insert_with(|| vec![Observation::new(); REGIONS.len()]);
        if let Some(observation) = of_check.get_mut(checker) {
            observation.record(probe, check.config.failure_threshold.unwrap_or(3), at);
        }
    }

    /// Drops the observations of health checks that no longer exist.
    pub(crate) fn retain(&self, ids: &[&str]) {
        let mut observations = self.observations.write().unwrap_or_else(PoisonError::into_inner);
        observations.retain(|id, _| ids.contains(&id.as_str()));
    }

    /// The observation of each checker, in the order of [`REGIONS`].
    pub fn observations(&self, id: &str) -> Vec<Observation> {
        let observations = self.observations.read().unwrap_or_else(PoisonError::into_inner);
        observations.get(id).cloned().unwrap_or_else(|| vec![Observation::new(); REGIONS.len()])
    }

    /// Whether a health check is healthy. One that does not exist is considered healthy.
    pub fn is_healthy(&self, checks: &BTreeMap<&str, &CheckConfig>, id: &str) -> bool {
        let Some(config) = checks.get(id) else { return true };
        if config.disabled == Some(true) {
            return true;
        }
        let healthy = match &config.child_health_checks {
            Some(children) => {
                let healthy = children.child_health_check.iter().filter(|child| self.is_healthy(checks, child)).count();
                healthy >= config.health_threshold.unwrap_or_default() as usize
            }
            None => self.endpoint_is_healthy(id),
        };
        healthy != (config.inverted == Some(true))
    }

    /// An endpoint is considered healthy until the first observation.
    fn endpoint_is_healthy(&self, id: &str) -> bool {
        let verdicts: Vec<bool> = self.observations(id).iter().filter_map(|observation| observation.healthy).collect();
        let healthy = verdicts.iter().filter(|verdict| **verdict).count();
        verdicts.is_empty() || healthy * 100 > HEALTHY_PERCENT * verdicts.len()
    }
}

/// The configurations of health checks by id.
pub fn configs_by_id<'a>(checks: impl Iterator<Item = &'a HealthCheck>) -> BTreeMap<&'a str, &'a CheckConfig> {
    checks.map(|check| (check.id.as_str(), &check.config)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::model::Children;
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn check(id: &str, config: CheckConfig) -> HealthCheck {
        HealthCheck { id: id.into(), caller_reference: id.into(), config, version: 1 }
    }

    fn http(inverted: bool) -> CheckConfig {
        CheckConfig {
            r#type: "HTTP".into(),
            inverted: Some(inverted),
            failure_threshold: Some(3),
            ..CheckConfig::default()
        }
    }

    #[test]
    fn verdicts_change_at_the_threshold_and_eighteen_percent_suffice() {
        let (health, check) = (Health::default(), check("a", http(false)));
        let all = configs_by_id(std::iter::once(&check));
        assert!(health.is_healthy(&all, "a"), "until there is an answer");
        let bad = || Err("HTTP Status Code 503".to_owned());
        (0..8).for_each(|checker| health.record(&check, checker, Ok("200".into()), NOW));
        for probes in 1..=3 {
            (0..8).for_each(|checker| health.record(&check, checker, bad(), NOW));
            assert_eq!(health.is_healthy(&all, "a"), probes < 3);
        }
        let recovered = |checker| (0..3).for_each(|_| health.record(&check, checker, Ok("200".into()), NOW));
        recovered(0);
        assert!(!health.is_healthy(&all, "a"), "one of eight is 12.5 %");
        recovered(1);
        assert!(health.is_healthy(&all, "a"), "two of eight are 25 %");
        assert!(health.observations("a")[7].status.starts_with("Failure: HTTP Status Code 503"));
    }

    #[test]
    fn checks_are_inverted_calculated_and_disabled() {
        let (health, stop) = (Health::default(), check("stop", http(true)));
        let children = Children { child_health_check: vec!["stop".into()] };
        let (threshold, children) = (Some(1), Some(children));
        let both = CheckConfig { health_threshold: threshold, child_health_checks: children, ..CheckConfig::default() };
        let both = check("both", both);
        let (healthy, off) =
            (|checks: [&HealthCheck; 2], id: &str| health.is_healthy(&configs_by_id(checks.into_iter()), id), true);
        health.record(&stop, 0, Err("HTTP Status Code 403".into()), NOW);
        assert!(healthy([&stop, &both], "stop") && healthy([&stop, &both], "both"));
        (0..3).for_each(|_| health.record(&stop, 0, Ok("200".into()), NOW));
        assert!(!healthy([&stop, &both], "stop") && !healthy([&stop, &both], "both"));
        let disabled = check("stop", CheckConfig { disabled: Some(off), ..http(true) });
        assert!(healthy([&disabled, &both], "stop"));
        assert!(healthy([&stop, &both], "gone"));
    }
}
