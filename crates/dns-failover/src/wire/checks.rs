//! Health checks in the types of the SDK.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{HealthCheck, HealthCheckConfig, HealthCheckType};
use twinsite_aws::Tags;
use twinsite_core::{Invalid, Outputs};

use crate::model::{Check, CheckPurpose, CheckSettings, CheckTarget, ExistingCheck};
use twinsite_aws::{RequestError, resolve};

/// The check, if its caller reference starts with the prefix of a site. Its tags are not part of the response.
pub(crate) fn check(from: &HealthCheck, reference_prefix: &str) -> Result<Option<Check>, Invalid> {
    let rest = from.caller_reference().strip_prefix(reference_prefix);
    let Some((purpose, immutable_digest)) = rest.and_then(purpose_and_digest) else { return Ok(None) };
    let properties = from.health_check_config().map(properties).unwrap_or_default();
    Ok(Some(Check { id: from.id().parse()?, purpose, immutable_digest, tags: Tags::new(), properties }))
}

/// A check of an endpoint, whoever created it.
pub(crate) fn existing_check(from: &HealthCheck) -> Option<ExistingCheck> {
    let config = from.health_check_config()?;
    let number = |number: Option<i32>, default| number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default);
    Some(ExistingCheck {
        id: from.id().to_owned(),
        host: config.fully_qualified_domain_name()?.to_ascii_lowercase(),
        interval: number(config.request_interval(), 30),
        threshold: number(config.failure_threshold(), 3),
    })
}

/// Parses the caller reference after its prefix: `edge:0a1b2c3d` or, after a deletion, `edge:0a1b2c3d-1`.
fn purpose_and_digest(rest: &str) -> Option<(CheckPurpose, String)> {
    let (purpose, digest) = rest.split_once(':')?;
    let purpose = CheckPurpose::ALL.into_iter().find(|known| known.as_str() == purpose)?;
    let digest = digest.split_once('-').map_or(digest, |(digest, _)| digest);
    Some((purpose, digest.to_owned()))
}

/// The settings of a configuration, normalized as by [`CheckSettings::to_properties`].
fn properties(config: &HealthCheckConfig) -> BTreeMap<String, String> {
    let mut properties = vec![("Type", config.r#type().as_str().to_owned())];
    properties.push(("Inverted", config.inverted().unwrap_or_default().to_string()));
    properties.push(("Disabled", config.disabled().unwrap_or_default().to_string()));
    if config.r#type() == &HealthCheckType::Calculated {
        let mut ids: Vec<&str> = config.child_health_checks().iter().map(String::as_str).collect();
        ids.sort_unstable();
        properties.push(("ChildHealthChecks", ids.join(" ")));
        properties.push(("HealthThreshold", config.health_threshold().unwrap_or_default().to_string()));
    } else {
        let host = config.fully_qualified_domain_name().unwrap_or_default();
        properties.push(("FullyQualifiedDomainName", host.to_owned()));
        let default_port = if config.r#type().as_str().starts_with("HTTPS") { 443 } else { 80 };
        properties.push(("Port", config.port().unwrap_or(default_port).to_string()));
        properties.push(("ResourcePath", config.resource_path().unwrap_or_default().to_owned()));
        properties.push(("RequestInterval", config.request_interval().unwrap_or(30).to_string()));
        properties.push(("FailureThreshold", config.failure_threshold().unwrap_or(3).to_string()));
        properties.push(("EnableSNI", config.enable_sni().unwrap_or_default().to_string()));
        properties.extend(config.search_string().map(|text| ("SearchString", text.to_owned())));
    }
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The configuration for settings.
pub(crate) fn check_config(settings: &CheckSettings, outputs: &Outputs) -> Result<HealthCheckConfig, RequestError> {
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::from(settings.r#type())).disabled(false);
    let config = match &settings.target {
        CheckTarget::Endpoint { host, path, https, search_string, inverted } => config
            .fully_qualified_domain_name(resolve(host, outputs)?.as_str())
            .port(settings.port())
            .resource_path(path)
            .request_interval(i32::try_from(settings.interval).unwrap_or(30))
            .failure_threshold(i32::try_from(settings.threshold).unwrap_or(3))
            .enable_sni(*https)
            // Latency measurement costs extra, cannot be changed later, and is not used.
            .measure_latency(false)
            .inverted(*inverted)
            .set_search_string(search_string.clone()),
        CheckTarget::Calculated { children } => {
            let mut ids = Vec::new();
            for child in children {
                ids.push(resolve(child, outputs)?.as_str().to_owned());
            }
            let threshold = i32::try_from(ids.len()).unwrap_or(i32::MAX);
            config.set_child_health_checks(Some(ids)).health_threshold(threshold).inverted(false)
        }
    };
    Ok(config.build()?)
}
