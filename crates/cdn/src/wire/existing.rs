//! Distributions as they are, from the types of the CloudFront SDK.

use aws_sdk_cloudfront::types::{
    Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CustomErrorResponses, CustomHeaders, DefaultCacheBehavior,
    Distribution, DistributionConfig, FunctionAssociations, GeoRestrictionType, HttpVersion,
    LambdaFunctionAssociations, Method, Origin as SdkOrigin, OriginGroupMembers, OriginGroups, OriginShield, Origins,
    PriceClass, Restrictions, ViewerCertificate,
};
use twinsite_aws::Tags;
use twinsite_core::Invalid;

use crate::model::{
    CACHING_OPTIMIZED_POLICY, ExistingBehavior, ExistingDistribution, ExistingErrorResponse, ExistingGeoRestriction,
    ExistingGroup, ExistingLogging, ExistingOrigin, OriginAccess, SECURITY_HEADERS_POLICY,
};

pub(crate) fn existing_distribution(
    from: &Distribution,
    config: &DistributionConfig,
    tags: Tags,
) -> Result<ExistingDistribution, Invalid> {
    let certificate = config.viewer_certificate();
    let restriction = config.restrictions().and_then(Restrictions::geo_restriction);
    let restriction = restriction.filter(|one| one.restriction_type() != &GeoRestrictionType::None);
    let logging = config.logging().filter(|logging| logging.enabled());
    let behaviors = config.cache_behaviors().map(CacheBehaviors::items).unwrap_or_default();
    let errors = config.custom_error_responses().map(CustomErrorResponses::items).unwrap_or_default();
    Ok(ExistingDistribution {
        id: from.id().parse()?,
        arn: from.arn().parse()?,
        host: from.domain_name().parse()?,
        tags,
        enabled: config.enabled(),
        aliases: config.aliases().map(Aliases::items).unwrap_or_default().to_vec(),
        root_object: config.default_root_object().unwrap_or_default().to_owned(),
        price_class: config.price_class().map_or("PriceClass_All", PriceClass::as_str).to_owned(),
        http_version: config.http_version().map_or("http2", HttpVersion::as_str).to_ascii_lowercase(),
        certificate: named(certificate.and_then(ViewerCertificate::acm_certificate_arn)),
        iam_certificate: named(certificate.and_then(ViewerCertificate::iam_certificate_id)),
        minimum_tls: certificate
            .and_then(ViewerCertificate::minimum_protocol_version)
            .map_or("", |policy| policy.as_str())
            .to_owned(),
        web_acl: named(config.web_acl_id()),
        geo_restriction: restriction.map(|one| ExistingGeoRestriction {
            kind: one.restriction_type().as_str().to_owned(),
            codes: one.items().to_vec(),
        }),
        logging: logging.map(|logging| ExistingLogging {
            bucket: logging.bucket().to_owned(),
            prefix: logging.prefix().to_owned(),
            cookies: logging.include_cookies(),
        }),
        origins: config.origins().map(Origins::items).unwrap_or_default().iter().map(origin).collect(),
        groups: config.origin_groups().map(OriginGroups::items).unwrap_or_default().iter().map(group).collect(),
        default_behavior: default_behavior(config.default_cache_behavior()),
        behaviors: behaviors.iter().map(behavior).collect(),
        error_responses: errors
            .iter()
            .map(|error| ExistingErrorResponse {
                status: error.error_code(),
                page: named(error.response_page_path()),
                response: named(error.response_code()),
            })
            .collect(),
    })
}

/// CloudFront returns empty texts for settings that are not made.
fn named(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn origin(from: &SdkOrigin) -> ExistingOrigin {
    let identity = from.s3_origin_config().and_then(|s3| named(Some(s3.origin_access_identity())));
    let access = match (from.s3_origin_config(), named(from.origin_access_control_id()), identity) {
        (None, _, _) => OriginAccess::Custom,
        (Some(_), Some(_), _) => OriginAccess::AccessControl,
        (Some(_), None, Some(_)) => OriginAccess::AccessIdentity,
        (Some(_), None, None) => OriginAccess::Public,
    };
    let shield = from.origin_shield().filter(|shield| shield.enabled()).and_then(OriginShield::origin_shield_region);
    let headers = from.custom_headers().map(CustomHeaders::items).unwrap_or_default().iter();
    ExistingOrigin {
        id: from.id().to_owned(),
        host: from.domain_name().to_owned(),
        path: from.origin_path().unwrap_or_default().to_owned(),
        access,
        shield: shield.map(str::to_owned),
        headers: headers.map(|header| header.header_name().to_owned()).collect(),
    }
}

fn group(from: &aws_sdk_cloudfront::types::OriginGroup) -> ExistingGroup {
    let members = from.members().map(OriginGroupMembers::items).unwrap_or_default().iter();
    ExistingGroup { id: from.id().to_owned(), members: members.map(|one| one.origin_id().to_owned()).collect() }
}

fn functions(from: Option<&FunctionAssociations>) -> Vec<String> {
    let items = from.map(FunctionAssociations::items).unwrap_or_default().iter();
    items.map(|one| format!("{} at {}", one.function_arn(), one.event_type().as_str())).collect()
}

fn lambdas(from: Option<&LambdaFunctionAssociations>) -> Vec<String> {
    let items = from.map(LambdaFunctionAssociations::items).unwrap_or_default().iter();
    items.map(|one| format!("{} at {}", one.lambda_function_arn(), one.event_type().as_str())).collect()
}

fn methods(from: Option<&AllowedMethods>) -> Vec<String> {
    let items = from.map(AllowedMethods::items).unwrap_or_default().iter();
    items.map(Method::as_str).map(str::to_owned).collect()
}

/// The default behavior and the others are two types of the SDK with the same methods.
macro_rules! behavior_of {
    ($from:expr, $pattern:expr) => {{
        let from = $from;
        let headers = named(from.response_headers_policy_id());
        let keys = from.trusted_key_groups().is_some_and(|groups| groups.enabled());
        ExistingBehavior {
            pattern: $pattern,
            target: from.target_origin_id().to_owned(),
            viewer_protocol_policy: from.viewer_protocol_policy().as_str().to_owned(),
            caching_optimized: from.cache_policy_id() == Some(CACHING_OPTIMIZED_POLICY),
            cache_policy: named(from.cache_policy_id()),
            origin_request_policy: named(from.origin_request_policy_id()),
            security_headers: headers.as_deref() == Some(SECURITY_HEADERS_POLICY),
            response_headers_policy: headers,
            functions: functions(from.function_associations()),
            lambdas: lambdas(from.lambda_function_associations()),
            compress: from.compress().unwrap_or_default(),
            methods: methods(from.allowed_methods()),
            signed: keys || from.trusted_signers().is_some_and(|signers| signers.enabled()),
            realtime_log: named(from.realtime_log_config_arn()),
        }
    }};
}

fn behavior(from: &CacheBehavior) -> ExistingBehavior {
    behavior_of!(from, from.path_pattern().to_owned())
}

fn default_behavior(from: Option<&DefaultCacheBehavior>) -> ExistingBehavior {
    from.map_or_else(ExistingBehavior::none, |from| behavior_of!(from, "*".to_owned()))
}
