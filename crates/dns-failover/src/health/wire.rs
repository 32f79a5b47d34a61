//! Health checks in the SDK's types.

use std::collections::BTreeMap;

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
use twinsite_core::Outputs;

use super::{Spec, Watched};

/// What a configuration says, in the words of [`Spec::words`].
pub(super) fn words(config: &HealthCheckConfig) -> BTreeMap<String, String> {
    let mut words = vec![("Type", config.r#type().as_str().to_owned())];
    words.push(("Inverted", config.inverted().unwrap_or_default().to_string()));
    words.push(("Disabled", config.disabled().unwrap_or_default().to_string()));
    if config.r#type() == &HealthCheckType::Calculated {
        let mut ids: Vec<&str> = config.child_health_checks().iter().map(String::as_str).collect();
        ids.sort_unstable();
        words.push(("ChildHealthChecks", ids.join(" ")));
        words.push(("HealthThreshold", config.health_threshold().unwrap_or_default().to_string()));
    } else {
        words.push(("FullyQualifiedDomainName", config.fully_qualified_domain_name().unwrap_or_default().to_owned()));
        let tls = config.r#type().as_str().starts_with("HTTPS");
        words.push(("Port", config.port().unwrap_or(if tls { 443 } else { 80 }).to_string()));
        words.push(("ResourcePath", config.resource_path().unwrap_or_default().to_owned()));
        words.push(("RequestInterval", config.request_interval().unwrap_or(30).to_string()));
        words.push(("FailureThreshold", config.failure_threshold().unwrap_or(3).to_string()));
        words.push(("EnableSNI", config.enable_sni().unwrap_or_default().to_string()));
        words.extend(config.search_string().map(|word| ("SearchString", word.to_owned())));
    }
    words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The configuration; `None` when a value that another step was to make is missing.
pub(super) fn configuration(spec: &Spec, outputs: &Outputs) -> Result<Option<HealthCheckConfig>, BuildError> {
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::from(spec.r#type())).disabled(false);
    let config = match &spec.watched {
        Watched::Endpoint { host, path, https, word, inverted } => {
            let Some(host) = host.resolve(outputs) else { return Ok(None) };
            config
                .fully_qualified_domain_name(host.0)
                .port(spec.port())
                .resource_path(path)
                .request_interval(i32::try_from(spec.interval).unwrap_or(30))
                .failure_threshold(i32::try_from(spec.threshold).unwrap_or(3))
                .enable_sni(*https)
                // Never changes afterwards, costs extra, and nothing here reads it.
                .measure_latency(false)
                .inverted(*inverted)
                .set_search_string(word.clone())
        }
        Watched::Checks(checks) => {
            let ids: Option<Vec<String>> = checks.iter().map(|(_, id)| id.resolve(outputs).map(|id| id.0)).collect();
            let Some(ids) = ids else { return Ok(None) };
            let threshold = i32::try_from(ids.len()).unwrap_or(i32::MAX);
            config.set_child_health_checks(Some(ids)).health_threshold(threshold).inverted(false)
        }
    };
    config.build().map(Some)
}
