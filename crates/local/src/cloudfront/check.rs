//! Validation of distribution configurations.
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>

use super::{CloudFront, Distribution, Element};
use crate::acm::{Acm, CertificateStatus};
use crate::context::{ACCOUNT, ServiceError};
use crate::s3::{Doc, S3};

/// The managed cache policies.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
const CACHE_POLICIES: [&str; 7] = [
    "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    "08627262-05a9-4f76-9ded-b50ca2e3a84f",
    "2e54312d-136d-493c-8eb9-b001f22f67d2",
];
/// The managed response headers policies.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>
const HEADERS_POLICIES: [&str; 5] = [
    "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "60669652-455b-4ae9-85a4-c4c02393f86c",
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
    "e61eb60c-9c35-4d20-a928-2b84e02af89c",
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
];

/// Adds the defaults of the settings of a distribution.
pub(super) fn with_defaults(mut config: Element) -> Element {
    "DistributionConfig".clone_into(&mut config.name);
    for list in ["Aliases", "CacheBehaviors", "CustomErrorResponses", "OriginGroups"] {
        config.add_default(Element::list(list, Vec::new()));
    }
    for (name, text) in [
        ("DefaultRootObject", ""),
        ("PriceClass", "PriceClass_All"),
        ("WebACLId", ""),
        ("HttpVersion", "http2"),
        ("IsIPV6Enabled", "true"),
        ("ContinuousDeploymentPolicyId", ""),
        ("Staging", "false"),
    ] {
        config.add_default(Element::leaf(name, text));
    }
    let restriction = vec![Element::leaf("RestrictionType", "none"), Element::leaf("Quantity", "0")];
    config.add_default(Element::node("Restrictions", vec![Element::node("GeoRestriction", restriction)]));
    config.add_default(leaves("ViewerCertificate", &[("CloudFrontDefaultCertificate", "true")]));
    config
}

/// A configuration as answers have it: with the defaults of everything in it that the request left out.
pub(super) fn complete(config: &Element) -> Element {
    let mut config = config.clone();
    let logging = [("Enabled", "false"), ("IncludeCookies", "false"), ("Bucket", ""), ("Prefix", "")];
    config.add_default(leaves("Logging", &logging));
    for child in &mut config.children {
        match child.name.as_str() {
            "DefaultCacheBehavior" => behavior_defaults(child),
            "CacheBehaviors" => child.items_mut().iter_mut().for_each(behavior_defaults),
            "Origins" => child.items_mut().iter_mut().for_each(origin_defaults),
            "CustomErrorResponses" => child.items_mut().iter_mut().for_each(|error| {
                defaults(error, &[("ResponsePagePath", ""), ("ResponseCode", ""), ("ErrorCachingMinTTL", "10")]);
            }),
            "ViewerCertificate" => certificate_defaults(child),
            _ => {}
        }
    }
    config
}

fn leaves(name: &str, pairs: &[(&str, &str)]) -> Element {
    Element::node(name, pairs.iter().map(|(name, text)| Element::leaf(name, *text)).collect())
}

fn defaults(element: &mut Element, pairs: &[(&str, &str)]) {
    for (name, text) in pairs {
        element.add_default(Element::leaf(name, *text));
    }
}

/// The defaults of a cache behavior.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DefaultCacheBehavior.html>
fn behavior_defaults(behavior: &mut Element) {
    defaults(behavior, &[("SmoothStreaming", "false"), ("Compress", "false"), ("FieldLevelEncryptionId", "")]);
    for list in ["TrustedSigners", "TrustedKeyGroups"] {
        behavior.add_default(leaves(list, &[("Enabled", "false"), ("Quantity", "0")]));
    }
    for list in ["LambdaFunctionAssociations", "FunctionAssociations"] {
        behavior.add_default(Element::list(list, Vec::new()));
    }
    behavior.add_default(leaves("GrpcConfig", &[("Enabled", "false")]));
    let read = || ["HEAD", "GET"].map(|method| Element::leaf("Method", method)).to_vec();
    behavior.add_default(Element::list("AllowedMethods", read()));
    if let Some(methods) = behavior.children.iter_mut().find(|child| child.name == "AllowedMethods") {
        methods.add_default(Element::list("CachedMethods", read()));
    }
    if behavior.child("ForwardedValues").is_some() {
        defaults(behavior, &[("MinTTL", "0"), ("DefaultTTL", "86400"), ("MaxTTL", "31536000")]);
    }
}

/// The defaults of an origin.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html>
fn origin_defaults(origin: &mut Element) {
    let own =
        [("OriginPath", ""), ("ConnectionAttempts", "3"), ("ConnectionTimeout", "10"), ("OriginAccessControlId", "")];
    defaults(origin, &own);
    origin.add_default(Element::list("CustomHeaders", Vec::new()));
    origin.add_default(leaves("OriginShield", &[("Enabled", "false")]));
    for child in &mut origin.children {
        match child.name.as_str() {
            "CustomOriginConfig" => {
                defaults(child, &[("OriginReadTimeout", "30"), ("OriginKeepaliveTimeout", "5")]);
            }
            "S3OriginConfig" => defaults(child, &[("OriginAccessIdentity", "")]),
            _ => {}
        }
    }
}

/// The defaults of the certificate, and its ARN under its old name.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html>
fn certificate_defaults(certificate: &mut Element) {
    let arn = certificate.at("ACMCertificateArn").to_owned();
    if arn.is_empty() {
        let own =
            [("SSLSupportMethod", "vip"), ("MinimumProtocolVersion", "TLSv1"), ("CertificateSource", "cloudfront")];
        return defaults(certificate, &own);
    }
    let own =
        [("CloudFrontDefaultCertificate", "false"), ("MinimumProtocolVersion", "TLSv1"), ("CertificateSource", "acm")];
    defaults(certificate, &own);
    certificate.children.retain(|child| child.name != "Certificate");
    certificate.add_default(Element::leaf("Certificate", arn));
}

impl CloudFront {
    pub(super) fn check(&self, config: &Element, except: Option<&str>, acm: &Acm) -> Result<(), ServiceError> {
        if let Some(list) = config.inconsistent() {
            let message = format!("The value of Quantity and the number of Items of {list} don't match.");
            return Err(ServiceError::invalid("InconsistentQuantities", message));
        }
        if config.at("CallerReference").is_empty() || config.at("Comment").len() > 128 {
            return Err(ServiceError::invalid(
                "InvalidArgument",
                "CallerReference is missing, or Comment has more than 128 characters.",
            ));
        }
        self.check_aliases(config, except)?;
        check_certificate(config, acm)?;
        check_tls(config)?;
        check_web_acl(config)?;
        check_geo_restriction(config)?;
        self.check_origins(config)?;
        let default = config.child("DefaultCacheBehavior");
        let behaviors = default.into_iter().chain(config.items("CacheBehaviors"));
        behaviors.into_iter().try_for_each(|behavior| self.check_behavior(config, behavior))
    }

    fn check_aliases(&self, config: &Element, except: Option<&str>) -> Result<(), ServiceError> {
        for alias in config.items("Aliases") {
            let others = self.distributions().filter(|other| Some(other.id.as_str()) != except);
            if others.flat_map(Distribution::aliases).any(|other| other == alias.text) {
                let message =
                    "One or more of the CNAMEs you provided are already associated with a different resource.";
                return Err(ServiceError::new("CNAMEAlreadyExists", 409, message));
            }
        }
        Ok(())
    }

    fn check_origins(&self, config: &Element) -> Result<(), ServiceError> {
        let origins = config.items("Origins");
        if origins.is_empty() {
            return Err(ServiceError::invalid("InvalidOrigin", "A distribution has at least one origin."));
        }
        for origin in origins {
            if origin.child("S3OriginConfig").is_some() == origin.child("CustomOriginConfig").is_some() {
                let message = "Exactly one of CustomOriginConfig and S3OriginConfig must be specified";
                return Err(ServiceError::invalid("InvalidArgument", message));
            }
            let control = origin.at("OriginAccessControlId");
            if !control.is_empty() {
                self.access_control(control)?;
            }
            let shield = origin.at("OriginShield/OriginShieldRegion");
            if origin.at("OriginShield/Enabled") == "true" && !SHIELD_REGIONS.contains(&shield) {
                let message = "The parameter Origin Shield Region is not valid.";
                return Err(ServiceError::invalid("InvalidArgument", message));
            }
            let wait: u32 = origin.at("ConnectionTimeout").parse().unwrap_or(10);
            let attempts: u32 = origin.at("ConnectionAttempts").parse().unwrap_or(3);
            if !(1..=10).contains(&wait) || !(1..=3).contains(&attempts) {
                return Err(ServiceError::invalid(
                    "InvalidArgument",
                    "ConnectionTimeout must be 1 to 10, ConnectionAttempts 1 to 3.",
                ));
            }
        }
        let known = |id: &str| origins.iter().any(|origin| origin.at("Id") == id);
        for group in config.items("OriginGroups") {
            let members = group.items("Members");
            if members.len() != 2 {
                return Err(ServiceError::invalid("InvalidArgument", "An origin group has exactly two members."));
            }
            if let Some(member) = members.iter().find(|member| !known(member.at("OriginId"))) {
                return Err(no_origin(member.at("OriginId")));
            }
        }
        Ok(())
    }

    fn check_behavior(&self, config: &Element, behavior: &Element) -> Result<(), ServiceError> {
        let target = behavior.at("TargetOriginId");
        let is = |element: &&Element| element.at("Id") == target;
        let group = config.items("OriginGroups").iter().any(|element| is(&element));
        if !group && !config.items("Origins").iter().any(|element| is(&element)) {
            return Err(no_origin(target));
        }
        let methods = behavior.items("AllowedMethods");
        if group && methods.iter().any(|method| ["POST", "PUT", "PATCH", "DELETE"].contains(&method.text.as_str())) {
            let message = "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a cached behavior \
                           associated with an origin group";
            return Err(ServiceError::invalid("InvalidArgument", message));
        }
        let cache = behavior.at("CachePolicyId");
        if !cache.is_empty() && !CACHE_POLICIES.contains(&cache) {
            return Err(ServiceError::new("NoSuchCachePolicy", 404, "The cache policy does not exist."));
        }
        if cache.is_empty() && behavior.child("ForwardedValues").is_none() {
            return Err(ServiceError::invalid(
                "InvalidArgument",
                "A behavior needs a CachePolicyId or ForwardedValues.",
            ));
        }
        let headers = behavior.at("ResponseHeadersPolicyId");
        if !headers.is_empty() && !HEADERS_POLICIES.contains(&headers) {
            let message = format!("{headers} does not exist.");
            return Err(ServiceError::new("NoSuchResponseHeadersPolicy", 404, message));
        }
        for function in behavior.items("FunctionAssociations") {
            let live = self.functions.values().any(|f| f.live.is_some() && f.arn() == function.at("FunctionARN"));
            if !live {
                let message = "The function cannot be found, or was not published to the LIVE stage.";
                return Err(ServiceError::invalid("InvalidFunctionAssociation", message));
            }
        }
        Ok(())
    }
}

/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/origin-shield.html>
const SHIELD_REGIONS: [&str; 13] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "me-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html>
fn check_tls(config: &Element) -> Result<(), ServiceError> {
    const POLICIES: [&str; 9] = [
        "SSLv3",
        "TLSv1",
        "TLSv1_2016",
        "TLSv1.1_2016",
        "TLSv1.2_2018",
        "TLSv1.2_2019",
        "TLSv1.2_2021",
        "TLSv1.2_2025",
        "TLSv1.3_2025",
    ];
    let policy = config.at("ViewerCertificate/MinimumProtocolVersion");
    let sni = config.at("ViewerCertificate/SSLSupportMethod") == "sni-only";
    if policy.is_empty() || POLICIES.contains(&policy) && !(sni && policy == "SSLv3") {
        return Ok(());
    }
    Err(ServiceError::invalid("InvalidMinimumProtocolVersion", "The minimum protocol version is not valid."))
}

/// Web ACLs of AWS WAF by their ARN, those of WAF Classic by their id. There is no AWS WAF here, so that any ACL of this account exists; one
/// of another account is not accessible, as on AWS.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>
fn check_web_acl(config: &Element) -> Result<(), ServiceError> {
    let id = config.at("WebACLId");
    let rest = id.strip_prefix("arn:aws:wafv2:us-east-1:").and_then(|rest| rest.strip_prefix(ACCOUNT));
    let path: Vec<&str> =
        rest.and_then(|rest| rest.strip_prefix(":global/webacl/")).unwrap_or_default().split('/').collect();
    let is_global = matches!(path[..], [name, id] if !name.is_empty() && !id.is_empty());
    if id.is_empty() || is_global || !id.starts_with("arn:") {
        return Ok(());
    }
    let message = "Web ACL is not accessible by the requester.";
    Err(ServiceError::invalid("InvalidWebACLId", message))
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GeoRestriction.html>
fn check_geo_restriction(config: &Element) -> Result<(), ServiceError> {
    let restriction = config.child("Restrictions").and_then(|all| all.child("GeoRestriction"));
    let Some(restriction) = restriction else { return Ok(()) };
    let is_code = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let codes = restriction.child("Items").map(|items| items.children.as_slice()).unwrap_or_default();
    let fits = match restriction.at("RestrictionType") {
        "none" => codes.is_empty(),
        "whitelist" | "blacklist" => !codes.is_empty(),
        _ => false,
    };
    if fits && codes.iter().all(|code| is_code(&code.text)) {
        return Ok(());
    }
    Err(ServiceError::invalid(
        "InvalidGeoRestrictionParameter",
        "The specified geo restriction parameter is not valid.",
    ))
}

/// CloudFront writes legacy logs by an ACL, which the bucket must have.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html>
pub(super) fn check_logging(config: &Element, s3: &S3) -> Result<(), ServiceError> {
    if config.at("Logging/Enabled") != "true" {
        return Ok(());
    }
    let host = config.at("Logging/Bucket");
    let name = host.strip_suffix(".s3.amazonaws.com").unwrap_or_default();
    let problem = |message: String| Err(ServiceError::invalid("InvalidArgument", message));
    if s3.bucket(name).is_none() {
        return problem(format!("The S3 bucket that you specified for CloudFront logs doesn't exist: {host}"));
    }
    match s3.doc(name, Doc::Ownership) {
        Ok(controls) if !controls.contains("BucketOwnerEnforced") => Ok(()),
        Ok(_) | Err(_) => {
            problem(format!("The S3 bucket that you specified for CloudFront logs does not enable ACL access: {host}"))
        }
    }
}

fn no_origin(id: &str) -> ServiceError {
    ServiceError::new("NoSuchOrigin", 404, format!("No origin exists with the specified Origin Id {id}."))
}

fn check_certificate(config: &Element, acm: &Acm) -> Result<(), ServiceError> {
    let arn = config.at("ViewerCertificate/ACMCertificateArn");
    let aliases = config.items("Aliases");
    let bad = |message: &str| Err(ServiceError::invalid("InvalidViewerCertificate", message));
    if arn.is_empty() {
        let message = "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted \
                       certificate that validates your authorization to use the domain name.";
        return if aliases.is_empty() { Ok(()) } else { bad(message) };
    }
    if !arn.starts_with("arn:aws:acm:us-east-1:") {
        return bad("The specified SSL certificate isn't in the us-east-1 region.");
    }
    let Ok(certificate) = acm.get(arn) else {
        return bad("The specified SSL certificate doesn't exist, isn't valid, or doesn't include a valid chain.");
    };
    if !matches!(certificate.status, CertificateStatus::Issued { .. }) {
        return bad("The specified SSL certificate isn't issued.");
    }
    match aliases.iter().find(|alias| !certificate.covers(&alias.text)) {
        Some(_) => {
            bad("The certificate that is attached to your distribution doesn't cover the alternate domain name.")
        }
        None => Ok(()),
    }
}
