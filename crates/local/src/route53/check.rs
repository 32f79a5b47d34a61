//! Health checks: validation and updates.

use serde::{Deserialize, Serialize};

use super::model::CheckConfig;

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Its id.
    pub id: String,
    /// The caller reference, which makes creation idempotent.
    pub caller_reference: String,
    /// Its configuration, with defaults filled in.
    pub config: CheckConfig,
    /// Incremented by every update.
    pub version: u64,
}

/// Validates a configuration and fills in defaults. `known` tells whether a health check exists.
///
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html>
pub(super) fn complete(mut config: CheckConfig, known: impl Fn(&str) -> bool) -> Result<CheckConfig, String> {
    match config.r#type.as_str() {
        "CALCULATED" => calculated(&config, known)?,
        "HTTP" | "HTTPS" | "HTTP_STR_MATCH" | "HTTPS_STR_MATCH" | "TCP" => probing(&mut config)?,
        "CLOUDWATCH_METRIC" | "RECOVERY_CONTROL" => return Err(format!("type {} is not emulated", config.r#type)),
        other => return Err(format!("Invalid parameter: Type {other}")),
    }
    config.inverted.get_or_insert(false);
    config.disabled.get_or_insert(false);
    Ok(config)
}

fn calculated(config: &CheckConfig, known: impl Fn(&str) -> bool) -> Result<(), String> {
    let children = config.child_health_checks.as_ref().map_or(&[][..], |c| &c.child_health_check);
    if children.is_empty() || children.len() > 256 {
        return Err("A calculated health check must have 1 to 256 children".to_owned());
    }
    if let Some(unknown) = children.iter().find(|id| !known(id)) {
        return Err(format!("The child health check {unknown} does not exist"));
    }
    if config.request_interval.is_some() || config.fully_qualified_domain_name.is_some() {
        return Err("A calculated health check has neither an interval nor an endpoint".to_owned());
    }
    config.health_threshold.map(drop).ok_or_else(|| "HealthThreshold is required".to_owned())
}

fn probing(config: &mut CheckConfig) -> Result<(), String> {
    let https = config.r#type.starts_with("HTTPS");
    if config.fully_qualified_domain_name.is_none() && config.ip_address.is_none() {
        return Err("Either IPAddress or FullyQualifiedDomainName is required".to_owned());
    }
    if config.r#type.ends_with("STR_MATCH") != config.search_string.is_some() {
        return Err("SearchString goes with the string-match types, and only with them".to_owned());
    }
    if config.search_string.as_ref().is_some_and(|text| text.is_empty() || text.len() > 255) {
        return Err("SearchString must have 1 to 255 characters".to_owned());
    }
    let interval = *config.request_interval.get_or_insert(30);
    if ![10, 30].contains(&interval) {
        return Err(format!("RequestInterval must be 10 or 30, not {interval}"));
    }
    let threshold = *config.failure_threshold.get_or_insert(3);
    if !(1..=10).contains(&threshold) {
        return Err(format!("FailureThreshold must be 1 to 10, not {threshold}"));
    }
    if config.regions.as_ref().is_some_and(|r| r.region.len() < 3) {
        return Err("At least three regions are needed".to_owned());
    }
    config.port.get_or_insert(if https { 443 } else { 80 });
    config.measure_latency.get_or_insert(false);
    config.enable_sni.get_or_insert(https);
    Ok(())
}

impl HealthCheck {
    /// Applies the fields of an update that are present. Type, interval and latency measurement cannot be updated.
    ///
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html>
    pub fn update(&mut self, sent: CheckConfig) {
        fn replace<T>(into: &mut Option<T>, from: Option<T>) {
            if from.is_some() {
                *into = from;
            }
        }
        let config = &mut self.config;
        replace(&mut config.ip_address, sent.ip_address);
        replace(&mut config.port, sent.port);
        replace(&mut config.resource_path, sent.resource_path);
        replace(&mut config.fully_qualified_domain_name, sent.fully_qualified_domain_name);
        replace(&mut config.search_string, sent.search_string);
        replace(&mut config.failure_threshold, sent.failure_threshold);
        replace(&mut config.inverted, sent.inverted);
        replace(&mut config.disabled, sent.disabled);
        replace(&mut config.health_threshold, sent.health_threshold);
        replace(&mut config.child_health_checks, sent.child_health_checks);
        replace(&mut config.enable_sni, sent.enable_sni);
        replace(&mut config.regions, sent.regions);
        self.version += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Children;
    use super::*;

    fn http() -> CheckConfig {
        let name = Some("site.example.com".to_owned());
        CheckConfig { r#type: "HTTP".into(), fully_qualified_domain_name: name, ..CheckConfig::default() }
    }

    #[test]
    fn defaults_are_filled_in() {
        let config = complete(http(), |_| false).unwrap();
        assert_eq!((config.port, config.request_interval, config.failure_threshold), (Some(80), Some(30), Some(3)));
        let https = complete(CheckConfig { r#type: "HTTPS".into(), ..http() }, |_| false).unwrap();
        assert_eq!((https.port, https.enable_sni), (Some(443), Some(true)));
    }

    #[test]
    fn impossible_checks_are_refused() {
        for bad in [
            CheckConfig { request_interval: Some(20), ..http() },
            CheckConfig { failure_threshold: Some(11), ..http() },
            CheckConfig { search_string: Some("x".into()), ..http() },
            CheckConfig { fully_qualified_domain_name: None, ..http() },
            CheckConfig { r#type: "FTP".into(), ..http() },
        ] {
            assert!(complete(bad.clone(), |_| false).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_calculated_check_needs_children_that_exist() {
        let children = Some(Children { child_health_check: vec!["c1".into()] });
        let config = CheckConfig {
            r#type: "CALCULATED".into(),
            child_health_checks: children,
            health_threshold: Some(1),
            ..CheckConfig::default()
        };
        assert!(complete(config.clone(), |id| id == "c1").is_ok());
        assert!(complete(config, |_| false).unwrap_err().contains("c1"));
    }
}
