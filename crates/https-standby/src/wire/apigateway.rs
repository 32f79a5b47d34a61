//! APIs and custom domain names in the types of the API Gateway SDK.

use std::collections::HashMap;

use aws_sdk_apigatewayv2::operation::get_domain_name::GetDomainNameOutput;
use aws_sdk_apigatewayv2::types::{
    Api as SdkApi, DomainNameConfiguration, EndpointType, Integration as SdkIntegration, IpAddressType, SecurityPolicy,
};
use twinsite_aws::Tags;

use crate::model::{Endpoint, INTEGRATION_URI, IP_ADDRESS_TYPE, Settings};

pub(crate) fn tags(from: Option<&HashMap<String, String>>) -> Tags {
    from.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

pub(crate) fn api_settings(api: &SdkApi) -> Settings {
    let ip = api.ip_address_type().map_or("ipv4", IpAddressType::as_str);
    let disabled = api.disable_execute_api_endpoint().unwrap_or_default();
    Settings::from([(IP_ADDRESS_TYPE, ip.to_owned()), ("DisableExecuteApiEndpoint", disabled.to_string())])
}

pub(crate) fn integration_settings(from: &SdkIntegration) -> Settings {
    let mut parameters: Vec<String> =
        from.request_parameters().into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.sort_unstable();
    Settings::from([
        ("IntegrationType", from.integration_type().map_or("", |kind| kind.as_str()).to_owned()),
        ("IntegrationMethod", from.integration_method().unwrap_or_default().to_owned()),
        (INTEGRATION_URI, from.integration_uri().unwrap_or_default().to_owned()),
        ("ConnectionType", from.connection_type().map_or("INTERNET", |kind| kind.as_str()).to_owned()),
        ("PayloadFormatVersion", from.payload_format_version().unwrap_or("1.0").to_owned()),
        ("TimeoutInMillis", from.timeout_in_millis().unwrap_or(30_000).to_string()),
        ("RequestParameters", parameters.join(" ")),
    ])
}

pub(crate) fn domain_settings(from: &DomainNameConfiguration) -> Settings {
    Settings::from([
        ("EndpointType", from.endpoint_type().map_or("REGIONAL", EndpointType::as_str).to_owned()),
        ("SecurityPolicy", from.security_policy().map_or("TLS_1_2", SecurityPolicy::as_str).to_owned()),
        (IP_ADDRESS_TYPE, from.ip_address_type().map_or("ipv4", IpAddressType::as_str).to_owned()),
    ])
}

pub(crate) fn domain_configuration(certificate: &str, settings: &Settings) -> DomainNameConfiguration {
    let setting = |name: &str| settings.get(name).map_or("", String::as_str);
    DomainNameConfiguration::builder()
        .certificate_arn(certificate)
        .endpoint_type(EndpointType::from(setting("EndpointType")))
        .security_policy(SecurityPolicy::from(setting("SecurityPolicy")))
        .ip_address_type(IpAddressType::from(setting(IP_ADDRESS_TYPE)))
        .build()
}

/// The first configuration of a custom domain name; Regional ones have no other.
pub(crate) fn configuration(from: &GetDomainNameOutput) -> DomainNameConfiguration {
    let first = from.domain_name_configurations().first().cloned();
    first.unwrap_or_else(|| DomainNameConfiguration::builder().build())
}

pub(crate) fn endpoint(from: &DomainNameConfiguration) -> Option<Endpoint> {
    let host = from.api_gateway_domain_name()?.parse().ok()?;
    Some(Endpoint { host, hosted_zone: from.hosted_zone_id()?.to_owned() })
}
