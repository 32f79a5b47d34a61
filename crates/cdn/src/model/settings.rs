//! The settings of a distribution, as data and as normalized properties.

use std::collections::BTreeMap;
use std::fmt::Write;

use twinsite_core::{Arn, Deferred, Mode, Need, ResourceId, Side, probe, url_path};

use super::{Desired, OwnerSettings};

/// Managed cache policies. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
pub(crate) const CACHING_OPTIMIZED_POLICY: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
pub(crate) const CACHING_DISABLED_POLICY: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// The managed security headers policy. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>
pub(crate) const SECURITY_HEADERS_POLICY: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";
/// The id of the origin group.
pub(crate) const ORIGIN_GROUP: &str = "site";
/// Connection attempts, and seconds to connect and to respond. With CloudFront's defaults, a lost primary would delay a
/// request by thirty seconds.
pub(crate) const CONNECTION_ATTEMPTS: i32 = 2;
pub(crate) const CONNECTION_TIMEOUT: i32 = 3;
pub(crate) const READ_TIMEOUT: i32 = 10;
/// The properties that are left as they are unless they are configured.
pub(crate) const WEB_ACL: &str = "WebACLId";
pub(crate) const GEO_RESTRICTION: &str = "Restrictions.GeoRestriction";
pub(crate) const LOGGING: &str = "Logging";
pub(crate) const ORIGIN_SHIELD: &str = "OriginShield";
/// Seconds for which CloudFront caches a 404 response.
pub(crate) const ERROR_CACHING_TTL: i64 = 10;

/// An origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id within the distribution.
    pub id: String,
    /// Its host.
    pub host: String,
    /// Its kind.
    pub kind: OriginKind,
}

/// How CloudFront accesses an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginKind {
    /// A public S3 website endpoint, which supports HTTP only.
    Website,
    /// S3's REST API, with requests signed through this access control.
    Private(Deferred<ResourceId>),
}

/// A cache behavior without caching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheBypass {
    /// The path pattern.
    pub path_pattern: String,
    /// The id of the origin or origin group.
    pub target: String,
    /// The function at viewer-request, which answers.
    pub function: Option<Arn>,
}

/// The error document for missing pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// Its path.
    pub path: String,
    /// The statuses of origins that it replaces, as 404.
    pub statuses: &'static [i32],
}

/// The managed settings of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DistributionSettings {
    /// The domain that visitors use.
    pub alias: String,
    /// The comment by which the distribution is recognised.
    pub comment: String,
    /// The caller reference, which makes the creation idempotent.
    pub caller_reference: String,
    /// The default root object; empty for website endpoints, which have index documents.
    pub root_object: String,
    /// Whether IPv6 is enabled.
    pub ipv6: bool,
    /// The price class.
    pub price_class: &'static str,
    /// The certificate.
    pub certificate: Deferred<Arn>,
    /// The two buckets, the primary first; in mode `dns` only the primary.
    pub origins: Vec<Origin>,
    /// The status codes on which the second origin is used; empty without an origin group.
    pub failover_codes: &'static [i32],
    /// `redirect-to-https` or `allow-all`.
    pub viewer_protocol_policy: &'static str,
    /// The response headers policy.
    pub response_headers_policy: Option<&'static str>,
    /// The function at viewer-request and viewer-response.
    pub function: Option<Arn>,
    /// The path of the error document, and the statuses for which it is sent with status 404.
    pub error_page: Option<ErrorPage>,
    /// The paths of health checks, which are never cached. More specific ones come first, as the first match applies.
    pub cache_bypasses: Vec<CacheBypass>,
    /// Settings that are left as they are unless they are configured, and the minimum version of TLS.
    pub owner_settings: OwnerSettings,
}

impl DistributionSettings {
    pub(crate) fn new(desired: &Desired, certificate: Deferred<Arn>, access_control: &Deferred<ResourceId>) -> Self {
        let (site, private) = (&desired.site, desired.has_private_origins());
        let sides = if site.mode == Mode::Dns { &[Side::Primary][..] } else { &Side::BOTH };
        let origins = sides.iter().map(|side| {
            let (host, kind) = if private {
                (desired.bucket_host(*side), OriginKind::Private(access_control.clone()))
            } else {
                (site.website_host(*side), OriginKind::Website)
            };
            Origin { id: side.to_string(), host, kind }
        });
        let failover_codes = desired.failover_codes();
        let function = Arn::cloudfront_function(&site.account, &desired.resource_name());
        let target = default_target(failover_codes);
        let mut cache_bypasses = Vec::new();
        if desired.has_function() {
            cache_bypasses.extend([probe::EDGE, probe::ORIGIN].map(|path| CacheBypass {
                path_pattern: format!("/{path}"),
                target: target.clone(),
                function: Some(function.clone()),
            }));
        }
        if private {
            cache_bypasses.extend(Side::BOTH.map(|side| CacheBypass {
                path_pattern: format!("/{}{side}/*", probe::FOLDER),
                target: side.to_string(),
                function: None,
            }));
        }
        cache_bypasses.push(CacheBypass { path_pattern: format!("/{}*", probe::FOLDER), target, function: None });
        let statuses = desired.missing_statuses();
        let error_page = desired.not_found.as_ref().map(|key| ErrorPage { path: url_path(key), statuses });
        Self {
            alias: site.domain.to_string(),
            comment: desired.comment(),
            caller_reference: desired.caller_reference(),
            root_object: if private { desired.index.clone() } else { String::new() },
            ipv6: private || !desired.apex,
            price_class: desired.price_class.as_str(),
            certificate,
            origins: origins.collect(),
            failover_codes,
            viewer_protocol_policy: if desired.redirect_to_https { "redirect-to-https" } else { "allow-all" },
            response_headers_policy: desired.security_headers.then_some(SECURITY_HEADERS_POLICY),
            function: desired.has_function().then_some(function),
            error_page,
            cache_bypasses,
            owner_settings: desired.owner_settings.clone(),
        }
    }

    /// Whether a property of the actual distribution is a setting that is left as it is.
    pub(crate) fn is_left_as_it_is(&self, property: &str) -> bool {
        let OwnerSettings { minimum_tls: _, web_acl, geo_restriction, origin_shield, logging } = &self.owner_settings;
        match property {
            WEB_ACL => web_acl.is_as_it_is(),
            GEO_RESTRICTION => geo_restriction.is_as_it_is(),
            LOGGING => logging.is_as_it_is(),
            other => other.ends_with(ORIGIN_SHIELD) && origin_shield.is_as_it_is(),
        }
    }

    /// The target of the default cache behavior: the origin group, or the primary.
    pub(crate) fn target(&self) -> String {
        default_target(self.failover_codes)
    }

    pub(crate) fn needs(&self) -> Vec<Need> {
        let access_controls = self.origins.iter().filter_map(|origin| match &origin.kind {
            OriginKind::Private(access_control) => access_control.need(),
            OriginKind::Website => None,
        });
        self.certificate.need().into_iter().chain(access_controls).collect()
    }

    /// The settings as properties in a normalized form. Plans compare them with the properties of the actual distribution,
    /// print them and fingerprint them.
    pub fn to_properties(&self) -> BTreeMap<String, String> {
        let Self {
            alias,
            comment,
            caller_reference: _,
            root_object,
            ipv6,
            price_class,
            certificate,
            origins,
            failover_codes,
            viewer_protocol_policy,
            response_headers_policy,
            function,
            error_page,
            cache_bypasses,
            owner_settings,
        } = self;
        let mut properties = BTreeMap::from([(format!("Alias {alias}"), "present".to_owned())]);
        let mut set = |name: &str, value: String| drop(properties.insert(name.to_owned(), value));
        set("Comment", comment.clone());
        set("Enabled", "true".to_owned());
        set("DefaultRootObject", root_object.clone());
        set("IsIPV6Enabled", ipv6.to_string());
        set("HttpVersion", "http2and3".to_owned());
        set("PriceClass", (*price_class).to_owned());
        set("ViewerCertificate.ACMCertificateArn", certificate.to_string());
        set("ViewerCertificate.MinimumProtocolVersion", owner_settings.minimum_tls.as_str().to_owned());
        set("ViewerCertificate.SSLSupportMethod", "sni-only".to_owned());
        for Origin { id, host, kind } in origins {
            let mut set = |name: &str, value: String| set(&format!("Origin {id}.{name}"), value);
            set("DomainName", host.clone());
            set("OriginPath", String::new());
            match kind {
                OriginKind::Website => {
                    set("OriginProtocolPolicy", "http-only".to_owned());
                    set("HTTPPort", "80".to_owned());
                }
                OriginKind::Private(access_control) => set("OriginAccessControlId", access_control.to_string()),
            }
            set("ConnectionAttempts", CONNECTION_ATTEMPTS.to_string());
            set("ConnectionTimeout", CONNECTION_TIMEOUT.to_string());
            set("OriginReadTimeout", READ_TIMEOUT.to_string());
            if let Some(region) = owner_settings.origin_shield.value() {
                set(ORIGIN_SHIELD, region.region().to_string());
            }
        }
        if let Some(arn) = owner_settings.web_acl.value() {
            set(WEB_ACL, arn.as_str().to_owned());
        }
        if let Some(restriction) = owner_settings.geo_restriction.value() {
            set(GEO_RESTRICTION, restriction.to_string());
        }
        if let Some(logging) = owner_settings.logging.value() {
            set(LOGGING, format!("{}/{}", logging.host(), logging.prefix));
        }
        if !failover_codes.is_empty() {
            let codes: Vec<String> = failover_codes.iter().map(ToString::to_string).collect();
            let members: Vec<&str> = origins.iter().map(|origin| origin.id.as_str()).collect();
            let group = format!("{} on {}", members.join(" then "), codes.join(", "));
            set(&format!("OriginGroup {ORIGIN_GROUP}"), group);
        }
        let mut set_default = |name: &str, value: String| set(&format!("DefaultCacheBehavior.{name}"), value);
        set_default("TargetOriginId", self.target());
        set_default("ViewerProtocolPolicy", (*viewer_protocol_policy).to_owned());
        set_default("AllowedMethods", "GET HEAD OPTIONS".to_owned());
        set_default("Compress", "true".to_owned());
        set_default("CachePolicyId", CACHING_OPTIMIZED_POLICY.to_owned());
        if let Some(policy) = response_headers_policy {
            set_default("ResponseHeadersPolicyId", (*policy).to_owned());
        }
        if let Some(function) = function {
            set_default("FunctionAssociations", format!("{function} at viewer-request, {function} at viewer-response"));
        }
        for (index, CacheBypass { path_pattern, target, function }) in (1..).zip(cache_bypasses) {
            let mut behavior = format!("{index}: {target}, allow-all, {CACHING_DISABLED_POLICY}");
            if let Some(function) = function {
                let _ = write!(behavior, ", {function} at viewer-request");
            }
            set(&format!("CacheBehavior {path_pattern}"), behavior);
        }
        if let Some(ErrorPage { path, statuses }) = error_page {
            let response = format!("{path} as 404, {ERROR_CACHING_TTL} s");
            properties
                .extend(statuses.iter().map(|status| (format!("CustomErrorResponse {status}"), response.clone())));
        }
        properties
    }
}

fn default_target(failover_codes: &[i32]) -> String {
    if failover_codes.is_empty() { Side::Primary.to_string() } else { ORIGIN_GROUP.to_owned() }
}
