//! What Route 53's health checkers have seen, and how the service decides by it.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use super::{Check, CheckConfig};

/// Where the checkers are.
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

/// An endpoint is healthy when more than this share of the checkers, in percent, says so.
const SHARE: usize = 18;

/// What one checker has seen of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Its verdict; `None` before there was a first answer.
    pub healthy: Option<bool>,
    /// How many probes in a row have said otherwise.
    pub against: u32,
    /// What the last probe saw, in the service's words.
    pub said: String,
    /// When.
    pub at: SystemTime,
}

impl Sight {
    fn new() -> Self {
        let said = "Unknown: no probe has been made yet".to_owned();
        Self { healthy: None, against: 0, said, at: SystemTime::UNIX_EPOCH }
    }

    /// A checker changes its mind after so many probes in a row.
    fn see(&mut self, probe: Result<String, String>, threshold: u32, at: SystemTime) {
        let good = probe.is_ok();
        self.said = match probe {
            Ok(said) => format!("Success: {said}"),
            Err(said) => format!("Failure: {said}"),
        };
        self.at = at;
        match self.healthy {
            None => self.healthy = Some(good),
            Some(verdict) if verdict == good => self.against = 0,
            Some(_) => {
                self.against += 1;
                if self.against >= threshold {
                    (self.healthy, self.against) = (Some(good), 0);
                }
            }
        }
    }
}

/// What the checkers have seen.
#[derive(Clone, Debug, Default)]
pub struct Health {
    seen: Arc<RwLock<BTreeMap<String, Vec<Sight>>>>,
}

impl Health {
    /// Takes what one checker's probe has seen.
    pub(crate) fn see(&self, check: &Check, checker: usize, probe: Result<String, String>, at: SystemTime) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let sights = seen.entry(check.id.clone()).or_insert_with(|| vec![Sight::new(); REGIONS.len()]);
        if let Some(sight) = sights.get_mut(checker) {
            sight.see(probe, check.config.failure_threshold.unwrap_or(3), at);
        }
    }

    /// Forgets checks that are no more.
    pub(crate) fn keep(&self, ids: &[&str]) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|id, _| ids.contains(&id.as_str()));
    }

    /// What each checker has seen of an endpoint.
    pub fn sights(&self, id: &str) -> Vec<Sight> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.get(id).cloned().unwrap_or_else(|| vec![Sight::new(); REGIONS.len()])
    }

    /// True when a check is healthy; one that there is not counts as healthy.
    pub fn is_healthy(&self, checks: &BTreeMap<&str, &CheckConfig>, id: &str) -> bool {
        let Some(config) = checks.get(id) else { return true };
        if config.disabled == Some(true) {
            return true;
        }
        let well = match &config.child_health_checks {
            Some(children) => {
                let well = children.child_health_check.iter().filter(|child| self.is_healthy(checks, child)).count();
                well >= config.health_threshold.unwrap_or_default() as usize
            }
            None => self.endpoint_is_healthy(id),
        };
        well != (config.inverted == Some(true))
    }

    /// Until anybody has seen anything, an endpoint counts as healthy.
    fn endpoint_is_healthy(&self, id: &str) -> bool {
        let verdicts: Vec<bool> = self.sights(id).iter().filter_map(|sight| sight.healthy).collect();
        let well = verdicts.iter().filter(|verdict| **verdict).count();
        verdicts.is_empty() || well * 100 > SHARE * verdicts.len()
    }
}

/// The checks of an account, by id.
pub fn by_id<'a>(checks: impl Iterator<Item = &'a Check>) -> BTreeMap<&'a str, &'a CheckConfig> {
    checks.map(|check| (check.id.as_str(), &check.config)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::route53::Children;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn check(id: &str, config: CheckConfig) -> Check {
        Check { id: id.into(), caller_reference: id.into(), config, version: 1 }
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
    fn a_checker_changes_its_mind_after_the_threshold_and_eighteen_percent_are_enough() {
        let (health, check) = (Health::default(), check("a", http(false)));
        let all = by_id(std::iter::once(&check));
        assert!(health.is_healthy(&all, "a"), "until there is an answer");
        let bad = || Err("HTTP Status Code 503".to_owned());
        (0..8).for_each(|checker| health.see(&check, checker, Ok("200".into()), NOW));
        for probes in 1..=3 {
            (0..8).for_each(|checker| health.see(&check, checker, bad(), NOW));
            assert_eq!(health.is_healthy(&all, "a"), probes < 3);
        }
        let recovered = |checker| (0..3).for_each(|_| health.see(&check, checker, Ok("200".into()), NOW));
        recovered(0);
        assert!(!health.is_healthy(&all, "a"), "one of eight is 12.5 %");
        recovered(1);
        assert!(health.is_healthy(&all, "a"), "two of eight are 25 %");
        assert!(health.sights("a")[7].said.starts_with("Failure: HTTP Status Code 503"));
    }

    #[test]
    fn checks_are_turned_round_combined_and_disabled() {
        let (health, stop) = (Health::default(), check("stop", http(true)));
        let children = Children { child_health_check: vec!["stop".into()] };
        let (threshold, children) = (Some(1), Some(children));
        let both = CheckConfig { health_threshold: threshold, child_health_checks: children, ..CheckConfig::default() };
        let both = check("both", both);
        let (healthy, off) = (|checks: [&Check; 2], id: &str| health.is_healthy(&by_id(checks.into_iter()), id), true);
        health.see(&stop, 0, Err("HTTP Status Code 403".into()), NOW);
        assert!(healthy([&stop, &both], "stop") && healthy([&stop, &both], "both"));
        (0..3).for_each(|_| health.see(&stop, 0, Ok("200".into()), NOW));
        assert!(!healthy([&stop, &both], "stop") && !healthy([&stop, &both], "both"));
        let disabled = check("stop", CheckConfig { disabled: Some(off), ..http(true) });
        assert!(healthy([&disabled, &both], "stop"));
        assert!(healthy([&stop, &both], "gone"));
    }
}
