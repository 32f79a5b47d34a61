//! The health checkers of Route 53, which probe over sockets, and the alarms that follow from them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::probe::probe;
use crate::route53::{HealthCheck, REGIONS, configs_by_id};

/// How often due probes are started.
const INTERVAL: Duration = Duration::from_secs(1);

/// Probes until `stop` is cancelled.
pub(super) async fn run(context: Context, stop: CancellationToken) {
    let clock = context.world().clock().clone();
    let (mut schedule, mut probes) = (Schedule::default(), JoinSet::new());
    while !stop.is_cancelled() {
        context.world().replicate_due();
        let checks: Vec<HealthCheck> =
            context.world().account(|account, _| account.route53.checks().cloned().collect());
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        context.world().health().retain(&ids);
        for (check, checker) in schedule.due(&checks, clock.now()) {
            let context = context.clone();
            probes.spawn(async move {
                let name = check.config.fully_qualified_domain_name.clone().unwrap_or_default();
                let given = check.config.ip_address.as_ref().and_then(|address| address.parse().ok());
                let address = given.or_else(|| context.resolve(&name));
                let country = checker_country(checker);
                let result = probe(&check.config, address, country, &context).await;
                context.world().health().record(&check, checker, result, context.world().clock().now());
            });
        }
        while probes.try_join_next().is_some() {}
        update_alarms(&context);
        tokio::select! {
            () = clock.sleep(INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// The country that the requests of a checker come from, by the region that it is in.
fn checker_country(checker: usize) -> &'static str {
    match REGIONS.get(checker).copied().unwrap_or_default() {
        "eu-west-1" => "IE",
        "ap-southeast-1" => "SG",
        "ap-southeast-2" => "AU",
        "ap-northeast-1" => "JP",
        "sa-east-1" => "BR",
        _ => "US",
    }
}

/// Sets the states of alarms on health checks.
fn update_alarms(context: &Context) {
    let states: Vec<(String, &'static str)> = context.world().account(|account, _| {
        let configs = configs_by_id(account.route53.checks());
        let health = context.world().health();
        let state = |id: &str| if health.is_healthy(&configs, id) { "OK" } else { "ALARM" };
        let changed = account.cloudwatch.alarms().filter_map(|(arn, alarm)| {
            let setting = |name: &str| alarm.settings[name].as_str().unwrap_or_default();
            let id = alarm.settings["Dimensions"].as_array()?.iter().find(|one| one["Name"] == "HealthCheckId")?;
            let matches = setting("Namespace") == "AWS/Route53" && setting("MetricName") == "HealthCheckStatus";
            let state = state(id["Value"].as_str()?);
            (matches && alarm.state != state).then(|| (arn.clone(), state))
        });
        changed.collect()
    });
    if states.is_empty() {
        return;
    }
    let stored = context.world().change_account(|account, _| {
        for (arn, state) in states {
            if let Ok(alarm) = account.cloudwatch.alarm_mut(&arn) {
                state.clone_into(&mut alarm.state);
            }
        }
        Ok(())
    });
    // Retried with the next interval.
    drop(stored);
}

/// When each checker probes next. The checkers of a health check are spread evenly over its interval.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    next: BTreeMap<String, Vec<SystemTime>>,
}

impl Schedule {
    /// The health checks and checkers that are due.
    pub(super) fn due(&mut self, checks: &[HealthCheck], now: SystemTime) -> Vec<(HealthCheck, usize)> {
        self.next.retain(|id, _| checks.iter().any(|check| check.id == *id));
        let mut due = Vec::new();
        let probed =
            |check: &&HealthCheck| check.config.child_health_checks.is_none() && check.config.disabled != Some(true);
        for check in checks.iter().filter(probed) {
            let interval = Duration::from_secs(u64::from(check.config.request_interval.unwrap_or(30)));
            let count = u32::try_from(REGIONS.len()).unwrap_or(1);
            let spread = |n: usize| now + interval / count * u32::try_from(n).unwrap_or_default();
            let first = || (0..REGIONS.len()).map(spread).collect();
            for (checker, next) in self.next.entry(check.id.clone()).or_insert_with(first).iter_mut().enumerate() {
                if *next <= now {
                    // Missed probes are not made up for.
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
    use crate::route53::CheckConfig;

    #[test]
    fn probes_are_spread_over_the_interval() {
        let mut schedule = Schedule::default();
        let checks = [HealthCheck {
            id: "a".into(),
            caller_reference: "a".into(),
            config: CheckConfig { request_interval: Some(30), ..CheckConfig::default() },
            version: 1,
        }];
        let probes: Vec<usize> = (0..60)
            .map(|second| schedule.due(&checks, SystemTime::UNIX_EPOCH + Duration::from_secs(second)).len())
            .collect();
        assert_eq!(probes.iter().sum::<usize>(), 16);
        assert!(probes.iter().all(|probes| *probes <= 1));
    }
}
