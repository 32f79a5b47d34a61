//! What a site costs and what it does not survive: the small print of a plan.

use twinsite_core::Mode;
use twinsite_dns_failover::{Settings, budget};

use crate::config::Config;

/// Dollars a month, from AWS's list prices for endpoints inside AWS; the first fifty basic checks of an account are free.
/// <https://aws.amazon.com/route53/pricing/>
const CHECK: f64 = 0.5;
/// Each of: TLS, a word that is looked for, ten seconds instead of thirty.
const OPTION: f64 = 1.0;
/// A hosted zone.
const ZONE: f64 = 0.5;
/// An alarm on a metric.
const ALARM: f64 = 0.1;
/// A metric of replication; there are three.
const METRIC: f64 = 0.3;

/// The small print of a plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outlook {
    /// What is paid whether anybody visits or not, in dollars a month.
    pub(crate) monthly: f64,
    /// What that is made of.
    pub(crate) made_of: String,
    /// What is paid by use.
    pub(crate) by_use: Vec<String>,
    /// What visitors see when something is lost.
    pub(crate) survives: Vec<String>,
}

impl Outlook {
    pub(crate) fn of(config: &Config) -> Self {
        let (checks, options) = checks(config);
        // One for each check but the stop object's, and three for certificate and replication.
        let alarms = if config.emails.is_empty() { 0 } else { checks + 3 - u32::from(config.mode != Mode::Origin) };
        let monthly = f64::from(checks) * CHECK + f64::from(options) * OPTION + ZONE + 3.0 * METRIC;
        let monthly = monthly + f64::from(alarms) * ALARM;
        let made_of = format!(
            "{checks} health checks with {options} options, {alarms} alarms, a hosted zone, replication metrics"
        );
        let mut by_use = vec![
            "storage twice, with what the kept releases need beside what is live".to_owned(),
            "traffic between the regions, once for every object that is published".to_owned(),
            "CloudFront requests and traffic beyond its free tier".to_owned(),
        ];
        if config.time_control {
            by_use.push("replication time control, for every gigabyte that is replicated".to_owned());
        }
        Self { monthly, made_of, by_use, survives: survives(config.mode, config.dns.health) }
    }
}

/// How many health checks there are, and how many options they have between them.
fn checks(config: &Config) -> (u32, u32) {
    let fast = u32::from(config.dns.health.interval.as_secs() == 10);
    match config.mode {
        // Primary and backup with a word, stop without, and one that is made of others.
        Mode::Dns => (4, 2 + 3 * fast),
        // The same, and the edge with a word and TLS.
        Mode::Layered => (5, 4 + 4 * fast),
        // Three with a word and TLS.
        Mode::Origin => (3, 6 + 3 * fast),
    }
}

fn survives(mode: Mode, health: Settings) -> Vec<String> {
    let seconds = budget(health).total_most.as_secs();
    let lines: &[&str] = match mode {
        Mode::Dns => &[
            "the primary region: visitors move to the backup by DNS, over HTTP only: https:// fails until the primary is back",
            "not CloudFront: it is not watched",
        ],
        Mode::Origin => {
            &["the primary region: CloudFront asks the backup within seconds, with TLS", "not CloudFront itself"]
        }
        Mode::Layered => &[
            "the primary region: CloudFront asks the backup within seconds, with TLS",
            "CloudFront: visitors move to the backup by DNS, over HTTP only: https:// fails until CloudFront is back",
        ],
    };
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if mode != Mode::Origin {
        lines.push(format!("DNS takes up to {seconds} s, and longer in browsers and resolvers that ignore the TTL"));
    }
    lines.push("not a bad deploy: what is published is replicated in seconds".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook(text: &str) -> Outlook {
        let regions = "[primary]\nregion = \"us-east-1\"\n[backup]\nregion = \"us-west-2\"\n";
        Outlook::of(&Config::parse(&format!("[site]\ndomain = \"www.example.com\"\n{text}\n{regions}")).unwrap())
    }

    #[test]
    fn the_cost_follows_from_the_checks() {
        let layered = outlook("");
        assert!((layered.monthly - 7.9).abs() < 1e-9, "{}", layered.monthly);
        assert!(outlook("mode = \"dns\"").monthly < layered.monthly);
        let all = format!("{:?}", outlook("mode = \"dns\"").survives);
        assert!(all.contains("HTTP only") && all.contains("not CloudFront"), "{all}");
    }
}
