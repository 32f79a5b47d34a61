//! What a site costs at list prices, and what it survives.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Mode, Side};

use crate::config::{Config, Standby};

/// US dollars a month for a health check of an AWS endpoint; the first fifty basic checks of an account are free.
/// <https://aws.amazon.com/route53/pricing/>
const CHECK: f64 = 0.5;
/// Each option: TLS, string matching, an interval of ten seconds.
const OPTION: f64 = 1.0;
/// A hosted zone.
const ZONE: f64 = 0.5;
/// An alarm on a metric.
const ALARM: f64 = 0.1;
/// A replication metric; there are three.
const METRIC: f64 = 0.3;

/// What a site costs and survives.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Estimate {
    /// Fixed costs in US dollars a month.
    pub monthly_usd: f64,
    /// What the fixed costs consist of.
    pub fixed: String,
    /// What is charged by usage.
    pub by_usage: Vec<String>,
    /// What the site survives, and what visitors notice.
    pub survives: Vec<String>,
}

impl Estimate {
    /// The estimate for a configuration.
    pub fn of(config: &Config) -> Self {
        let (checks, options) = checks(config);
        // One for each check except that of the failover switch, and three for certificate and replication.
        let alarms = if config.emails.is_empty() { 0 } else { checks + 3 - u32::from(config.mode != Mode::Origin) };
        let monthly = f64::from(checks) * CHECK + f64::from(options) * OPTION + ZONE + 3.0 * METRIC;
        let monthly = monthly + f64::from(alarms) * ALARM;
        let fixed = format!(
            "{checks} health checks with {options} options, {alarms} alarms, a hosted zone, replication metrics"
        );
        let mut by_usage = vec![
            "storage in both regions, including the object versions of kept releases".to_owned(),
            "inter-region traffic, once for every published object".to_owned(),
            "CloudFront requests and traffic beyond the free tier".to_owned(),
        ];
        if config.mode != Mode::Dns {
            by_usage.push("a CloudFront function at requests and responses, with a key value store: about $0.35 per million requests".to_owned());
        }
        if config.standby == Some(Standby::Https) {
            by_usage.push("the HTTPS standby, while it serves: $1.00 per million requests of up to 512 KB".to_owned());
        }
        if config.time_control {
            by_usage.push("Replication Time Control, per replicated gigabyte".to_owned());
        }
        if !config.aliases.is_empty() {
            by_usage.push("each hosted zone of an alias other than that of the domain: $0.50 a month".to_owned());
        }
        let mut survives = survives(config);
        survives.extend(aliases_survive(config));
        Self { monthly_usd: monthly, fixed, by_usage, survives }
    }
}

/// The number of health checks, and of their options in total.
fn checks(config: &Config) -> (u32, u32) {
    let fast = u32::from(config.dns.health.interval.as_secs() == 10);
    match config.mode {
        // Primary, backup and the failover switch with string matching, and a calculated one.
        Mode::Dns => (4, 3 + 3 * fast),
        // The same, and the edge with string matching and TLS.
        Mode::Layered => (5, 5 + 4 * fast),
        // Three with string matching and TLS.
        Mode::Origin => (3, 6 + 3 * fast),
    }
}

fn survives(config: &Config) -> Vec<String> {
    let mode = config.mode;
    let https = config.standby == Some(Standby::Https);
    let seconds = config.dns.health.failover_bound().max_total.as_secs();
    let lines: &[&str] = match mode {
        Mode::Dns if https => &[
            "loss of the primary region: DNS fails over to the backup, over HTTPS only (API Gateway); http:// fails until the primary recovers",
            "not an outage of CloudFront: it is not checked",
        ],
        Mode::Layered if https => &[
            "loss of the primary region, of its bucket or of access to it: CloudFront fails over to the backup within seconds, over HTTPS",
            "an outage of CloudFront: DNS fails over to the backup, over HTTPS only (API Gateway); http:// fails until CloudFront recovers",
        ],
        Mode::Dns => &[
            "loss of the primary region: DNS fails over to the backup, over HTTP only; https:// fails until the primary recovers",
            "not an outage of CloudFront: it is not checked",
        ],
        Mode::Origin => &[
            "loss of the primary region, of its bucket or of access to it: CloudFront fails over to the backup within seconds, over HTTPS",
            "not an outage of CloudFront",
        ],
        Mode::Layered => &[
            "loss of the primary region, of its bucket or of access to it: CloudFront fails over to the backup within seconds, over HTTPS",
            "an outage of CloudFront: DNS fails over to the backup, over HTTP only; https:// fails until CloudFront recovers",
        ],
    };
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if mode != Mode::Dns {
        lines.push("missing pages are requested from both buckets: $0.40 per million more".to_owned());
    }
    if mode != Mode::Origin {
        if https {
            let text = "names that browsers open over HTTPS only (HSTS, `.dev`, `.app`): the standby serves them, once `apply` has proven it; \
                        objects over 10 MB and names with + % ? are not served by it";
            lines.push(text.to_owned());
        }
        lines.push(format!(
            "DNS failover takes up to {seconds} s, and longer in browsers and resolvers that ignore the TTL"
        ));
    }
    lines.push("not a bad deploy: it replicates in seconds; see `twinsite rollback`".to_owned());
    lines
}

/// What visitors of aliases notice.
fn aliases_survive(config: &Config) -> Option<String> {
    if config.aliases.is_empty() {
        return None;
    }
    let names = config.aliases.iter().map(|alias| format!("`{alias}`")).collect::<Vec<_>>().join(", ");
    let (domain, region) = (&config.domain, config.regions.get(Side::Backup));
    Some(match config.mode {
        Mode::Origin => {
            format!(
                "aliases ({names}): CloudFront redirects them to `{domain}` without an origin; they fail only if CloudFront does"
            )
        }
        Mode::Dns | Mode::Layered => format!(
            "aliases ({names}): CloudFront redirects them to `{domain}` without an origin; after a DNS failover redirect buckets in \
             {region} do, over HTTP only"
        ),
    })
}

#[cfg(test)]
mod tests {
    use twinsite_core::Pair;

    use super::*;

    fn estimate(mode: Mode) -> Estimate {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        Estimate::of(&Config { mode, ..Config::new("www.example.com".parse().unwrap(), regions) })
    }

    #[test]
    fn the_cost_follows_from_the_checks() {
        let layered = estimate(Mode::Layered);
        assert!((layered.monthly_usd - 8.9).abs() < 1e-9, "{}", layered.monthly_usd);
        assert!(estimate(Mode::Dns).monthly_usd < layered.monthly_usd);
        let all = estimate(Mode::Dns).survives.join("\n");
        assert!(all.contains("HTTP only") && all.contains("not an outage of CloudFront"), "{all}");
    }
}
