//! The managed settings of a distribution as properties, from the types of the CloudFront SDK.

use std::collections::BTreeMap;
use std::fmt::Write;

use aws_sdk_cloudfront::types::{
    Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CustomErrorResponse, CustomErrorResponses,
    CustomOriginConfig, DefaultCacheBehavior, DistributionConfig, FunctionAssociation, FunctionAssociations,
    GeoRestrictionType, HttpVersion, Method, Origin as SdkOrigin, OriginGroup, OriginGroupFailoverCriteria,
    OriginGroupMember, OriginGroupMembers, OriginGroups, OriginShield, Origins, PriceClass, Restrictions,
    S3OriginConfig, StatusCodes, ViewerCertificate,
};
use twinsite_core::probe;

use crate::model::{GEO_RESTRICTION, LOGGING, ORIGIN_GROUP, ORIGIN_SHIELD, WEB_ACL};

/// The managed settings of a configuration, normalized as by [`DistributionSettings::to_properties`]. `names` are those that the site has
/// or had.
pub(crate) fn properties(config: &DistributionConfig, names: &[String]) -> BTreeMap<String, String> {
    let http_version = config.http_version().map_or("http2", HttpVersion::as_str).to_ascii_lowercase();
    let price_class = config.price_class().map_or("PriceClass_All", PriceClass::as_str).to_owned();
    let mut properties = BTreeMap::from([
        ("Comment".to_owned(), config.comment().to_owned()),
        ("Enabled".to_owned(), config.enabled().to_string()),
        ("DefaultRootObject".to_owned(), config.default_root_object().unwrap_or_default().to_owned()),
        ("IsIPV6Enabled".to_owned(), config.is_ipv6_enabled().unwrap_or_default().to_string()),
        ("HttpVersion".to_owned(), http_version),
        ("PriceClass".to_owned(), price_class),
    ]);
    properties.extend(viewer_certificate_properties(config.viewer_certificate()));
    properties.extend(owner_properties(config));
    let aliases = config.aliases().map(Aliases::items).unwrap_or_default();
    let aliases = aliases.iter().filter(|alias| names.contains(alias));
    properties.extend(aliases.map(|alias| (format!("Alias {alias}"), "present".to_owned())));
    for origin in config.origins().map(Origins::items).unwrap_or_default() {
        if is_managed_origin(origin) {
            properties.extend(origin_properties(origin));
        }
    }
    for group in config.origin_groups().map(OriginGroups::items).unwrap_or_default() {
        if group.id() == ORIGIN_GROUP {
            properties.insert(format!("OriginGroup {ORIGIN_GROUP}"), origin_group_property(group));
        }
    }
    if let Some(behavior) = config.default_cache_behavior() {
        properties.extend(default_behavior_properties(behavior));
    }
    let behaviors = config.cache_behaviors().map(CacheBehaviors::items).unwrap_or_default();
    for (index, behavior) in behaviors.iter().enumerate().filter(|(_, behavior)| is_managed_behavior(behavior)) {
        let viewer = behavior.viewer_protocol_policy().as_str();
        let cache = behavior.cache_policy_id().unwrap_or_default();
        let mut property = format!("{}: {}, {viewer}, {cache}", index + 1, behavior.target_origin_id());
        for function in behavior.function_associations().map(FunctionAssociations::items).unwrap_or_default() {
            let _ = write!(property, ", {}", function_property(function));
        }
        properties.insert(format!("CacheBehavior {}", behavior.path_pattern()), property);
    }
    let errors = config.custom_error_responses().map(CustomErrorResponses::items).unwrap_or_default();
    for error in errors.iter().filter(|error| is_managed_error(error, errors)) {
        let (status, page) = (error.error_code(), error.response_page_path().unwrap_or_default());
        let (code, ttl) = (error.response_code().unwrap_or("404"), error.error_caching_min_ttl().unwrap_or_default());
        properties.insert(format!("CustomErrorResponse {status}"), format!("{page} as {code}, {ttl} s"));
    }
    properties
}

/// True for the error document of missing pages: for 404, and for 403 if it is the same document, sent as 404. Other responses to 403 are
/// not managed.
pub(super) fn is_managed_error(error: &CustomErrorResponse, all: &[CustomErrorResponse]) -> bool {
    let page = all.iter().find(|one| one.error_code() == 404).and_then(CustomErrorResponse::response_page_path);
    let is_same = error.response_code() == Some("404") && error.response_page_path() == page;
    error.error_code() == 404 || error.error_code() == 403 && page.is_some() && is_same
}

fn function_property(function: &FunctionAssociation) -> String {
    format!("{} at {}", function.function_arn(), function.event_type().as_str())
}

pub(super) fn is_managed_origin(origin: &SdkOrigin) -> bool {
    ["primary", "backup"].contains(&origin.id())
}

pub(super) fn is_managed_behavior(behavior: &CacheBehavior) -> bool {
    behavior.path_pattern().trim_start_matches('/').starts_with(probe::FOLDER)
}

/// A setting of a distribution: its name, with that of the element it belongs to, and its value.
type Property = (String, String);

fn viewer_certificate_properties(certificate: Option<&ViewerCertificate>) -> [Property; 3] {
    let arn = certificate.and_then(ViewerCertificate::acm_certificate_arn).unwrap_or("none");
    let tls = certificate.and_then(ViewerCertificate::minimum_protocol_version).map_or("", |tls| tls.as_str());
    let support = certificate.and_then(ViewerCertificate::ssl_support_method).map_or("", |support| support.as_str());
    [("ACMCertificateArn", arn), ("MinimumProtocolVersion", tls), ("SSLSupportMethod", support)]
        .map(|(name, value)| (format!("ViewerCertificate.{name}"), value.to_owned()))
}

/// The settings that are left as they are unless they are configured, as far as there are any.
fn owner_properties(config: &DistributionConfig) -> Vec<Property> {
    let mut properties = Vec::new();
    if let Some(arn) = config.web_acl_id().filter(|arn| !arn.is_empty()) {
        properties.push((WEB_ACL, arn.to_owned()));
    }
    let restriction = config.restrictions().and_then(Restrictions::geo_restriction);
    if let Some(restriction) = restriction.filter(|one| one.restriction_type() != &GeoRestrictionType::None) {
        let mut codes = restriction.items().to_vec();
        codes.sort_unstable();
        properties.push((GEO_RESTRICTION, format!("{} {}", restriction.restriction_type().as_str(), codes.join(" "))));
    }
    if let Some(logging) = config.logging().filter(|logging| logging.enabled()) {
        let (bucket, prefix) = (logging.bucket(), logging.prefix());
        properties.push((LOGGING, format!("{bucket}/{prefix}")));
    }
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// CloudFront's defaults are filled in.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html>
fn origin_properties(origin: &SdkOrigin) -> Vec<Property> {
    let (custom, s3) = (origin.custom_origin_config(), origin.s3_origin_config());
    let read = custom.and_then(CustomOriginConfig::origin_read_timeout);
    let read = read.or_else(|| s3.and_then(S3OriginConfig::origin_read_timeout)).unwrap_or(30);
    let mut properties = vec![
        ("DomainName", origin.domain_name().to_owned()),
        ("OriginPath", origin.origin_path().unwrap_or_default().to_owned()),
        ("ConnectionAttempts", origin.connection_attempts().unwrap_or(3).to_string()),
        ("ConnectionTimeout", origin.connection_timeout().unwrap_or(10).to_string()),
        ("OriginReadTimeout", read.to_string()),
    ];
    if let Some(custom) = custom {
        properties.push(("OriginProtocolPolicy", custom.origin_protocol_policy().as_str().to_owned()));
        properties.push(("HTTPPort", custom.http_port().to_string()));
    } else if s3.is_some() {
        properties.push(("OriginAccessControlId", origin.origin_access_control_id().unwrap_or_default().to_owned()));
    }
    if let Some(region) =
        origin.origin_shield().filter(|shield| shield.enabled()).and_then(OriginShield::origin_shield_region)
    {
        properties.push((ORIGIN_SHIELD, region.to_owned()));
    }
    let id = origin.id();
    properties.into_iter().map(|(name, value)| (format!("Origin {id}.{name}"), value)).collect()
}

fn origin_group_property(group: &OriginGroup) -> String {
    let members = group.members().map(OriginGroupMembers::items).unwrap_or_default();
    let members: Vec<&str> = members.iter().map(OriginGroupMember::origin_id).collect();
    let codes = group.failover_criteria().and_then(OriginGroupFailoverCriteria::status_codes);
    let mut codes: Vec<i32> = codes.map(StatusCodes::items).unwrap_or_default().to_vec();
    codes.sort_unstable();
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    format!("{} on {}", members.join(" then "), codes.join(", "))
}

fn default_behavior_properties(behavior: &DefaultCacheBehavior) -> Vec<Property> {
    let methods = behavior.allowed_methods().map(AllowedMethods::items).unwrap_or_default();
    let mut methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    methods.sort_unstable();
    let mut properties = vec![
        ("TargetOriginId", behavior.target_origin_id().to_owned()),
        ("ViewerProtocolPolicy", behavior.viewer_protocol_policy().as_str().to_owned()),
        ("AllowedMethods", methods.join(" ")),
        ("Compress", behavior.compress().unwrap_or_default().to_string()),
        ("CachePolicyId", behavior.cache_policy_id().unwrap_or_default().to_owned()),
    ];
    if let Some(policy) = behavior.response_headers_policy_id().filter(|id| !id.is_empty()) {
        properties.push(("ResponseHeadersPolicyId", policy.to_owned()));
    }
    let functions = behavior.function_associations().map(FunctionAssociations::items).unwrap_or_default();
    if !functions.is_empty() {
        let mut functions: Vec<String> = functions.iter().map(function_property).collect();
        functions.sort();
        properties.push(("FunctionAssociations", functions.join(", ")));
    }
    properties.into_iter().map(|(name, value)| (format!("DefaultCacheBehavior.{name}"), value)).collect()
}
