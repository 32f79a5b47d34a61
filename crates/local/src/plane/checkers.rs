//! Route 53's health checkers at work: they ask over real sockets, each in its turn.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Plane;
use super::probe::probe;
use crate::world::route53::{Check, REGIONS, by_id};

/// How often it is looked whose turn it is.
const TICK: Duration = Duration::from_secs(1);

/// Probes until told to stop.
pub(super) async fn run(plane: Plane, stop: CancellationToken) {
    let clock = plane.world().clock().clone();
    let (mut rota, mut probes) = (Rota::default(), JoinSet::new());
    while !stop.is_cancelled() {
        plane.cloud().settle();
        let checks: Vec<Check> = plane.world().account(|account, _| account.route53.checks().cloned().collect());
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        plane.world().health().keep(&ids);
        for (check, checker) in rota.due(&checks, clock.now()) {
            let plane = plane.clone();
            probes.spawn(async move {
                let name = check.config.fully_qualified_domain_name.clone().unwrap_or_default();
                let given = check.config.ip_address.as_ref().and_then(|address| address.parse().ok());
                let seen = probe(&check.config, given.or_else(|| plane.resolve(&name)), plane.ports()).await;
                plane.world().health().see(&check, checker, seen, plane.world().clock().now());
            });
        }
        while probes.try_join_next().is_some() {}
        sound_alarms(&plane);
        tokio::select! {
            () = clock.sleep(TICK) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Alarms on the health of checks follow it.
fn sound_alarms(plane: &Plane) {
    let states: Vec<(String, &'static str)> = plane.world().account(|account, _| {
        let all = by_id(account.route53.checks());
        let health = plane.world().health();
        let state = |id: &str| if health.is_healthy(&all, id) { "OK" } else { "ALARM" };
        let watching = account.cloudwatch.all().filter_map(|(arn, alarm)| {
            let on = |name: &str| alarm.settings[name].as_str().unwrap_or_default();
            let id = alarm.settings["Dimensions"].as_array()?.iter().find(|one| one["Name"] == "HealthCheckId")?;
            let fits = on("Namespace") == "AWS/Route53" && on("MetricName") == "HealthCheckStatus";
            let state = state(id["Value"].as_str()?);
            (fits && alarm.state != state).then(|| (arn.clone(), state))
        });
        watching.collect()
    });
    if states.is_empty() {
        return;
    }
    let changed: Result<(), crate::world::Fault> = plane.world().change_account(|account, _| {
        for (arn, state) in states {
            if let Ok(alarm) = account.cloudwatch.alarm_mut(&arn) {
                state.clone_into(&mut alarm.state);
            }
        }
        Ok(())
    });
    // A state that cannot be written is tried again with the next tick.
    drop(changed);
}

/// When each checker asks next: they are spread evenly over the interval.
#[derive(Debug, Default)]
pub(super) struct Rota {
    next: BTreeMap<String, Vec<SystemTime>>,
}

impl Rota {
    /// Who asks what now.
    pub(super) fn due(&mut self, checks: &[Check], now: SystemTime) -> Vec<(Check, usize)> {
        self.next.retain(|id, _| checks.iter().any(|check| check.id == *id));
        let mut due = Vec::new();
        let probed = |check: &&Check| check.config.child_health_checks.is_none() && check.config.disabled != Some(true);
        for check in checks.iter().filter(probed) {
            let interval = Duration::from_secs(u64::from(check.config.request_interval.unwrap_or(30)));
            let count = u32::try_from(REGIONS.len()).unwrap_or(1);
            let spread = |n: usize| now + interval / count * u32::try_from(n).unwrap_or_default();
            let first = || (0..REGIONS.len()).map(spread).collect();
            for (checker, next) in self.next.entry(check.id.clone()).or_insert_with(first).iter_mut().enumerate() {
                if *next <= now {
                    // Whoever comes late does not make up for what was missed.
                    *next = (*next + interval).max(now);
                    due.push((check.clone(), checker));
                }
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::route53::CheckConfig;

    #[test]
    fn checkers_take_turns() {
        let mut rota = Rota::default();
        let checks = [Check {
            id: "a".into(),
            caller_reference: "a".into(),
            config: CheckConfig { request_interval: Some(30), ..CheckConfig::default() },
            version: 1,
        }];
        let asked: Vec<usize> = (0..60)
            .map(|second| rota.due(&checks, SystemTime::UNIX_EPOCH + Duration::from_secs(second)).len())
            .collect();
        assert_eq!(asked.iter().sum::<usize>(), 16);
        assert!(asked.iter().all(|asked| *asked <= 1));
    }
}
