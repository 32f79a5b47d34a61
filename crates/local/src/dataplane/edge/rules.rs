//! The settings of a distribution that apply to a request: views of its configuration.

use std::time::Duration;

use crate::cloudfront::{Distribution, Element};

/// The managed cache policy `CachingDisabled`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
const NO_CACHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// The managed response headers policy `SecurityHeadersPolicy`.
const SECURITY_HEADERS: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

/// A cache behavior.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behavior<'a>(&'a Element);

impl<'a> Behavior<'a> {
    /// The first cache behavior that matches a path, or the default one.
    pub(super) fn matching(distribution: &'a Distribution, path: &str) -> Option<Self> {
        let config = &distribution.config;
        let matches = |behavior: &&Element| matches(behavior.at("PathPattern"), path);
        let listed = config.items("CacheBehaviors").iter().find(matches);
        listed.or_else(|| config.child("DefaultCacheBehavior")).map(Self)
    }

    pub(super) fn target(self) -> &'a str {
        self.0.at("TargetOriginId")
    }

    /// `allow-all`, `redirect-to-https` or `https-only`.
    pub(super) fn viewer(self) -> &'a str {
        self.0.at("ViewerProtocolPolicy")
    }

    pub(super) fn allows(self, method: &str) -> bool {
        let methods = self.0.items("AllowedMethods");
        if methods.is_empty() {
            ["GET", "HEAD"].contains(&method)
        } else {
            methods.iter().any(|one| one.text == method)
        }
    }

    pub(super) fn caches(self) -> bool {
        self.0.at("CachePolicyId") != NO_CACHING
    }

    pub(super) fn compresses(self) -> bool {
        self.0.at("Compress") == "true"
    }

    pub(super) fn security_headers(self) -> bool {
        self.0.at("ResponseHeadersPolicyId") == SECURITY_HEADERS
    }

    /// The ARN of the viewer-request function.
    pub(super) fn function(self) -> Option<&'a str> {
        let functions = self.0.items("FunctionAssociations").iter();
        functions.filter(|one| one.at("EventType") == "viewer-request").map(|one| one.at("FunctionARN")).next()
    }
}

/// Matches a path pattern: `*` for any characters, `?` for one; the leading slash is optional.
fn matches(pattern: &str, path: &str) -> bool {
    let plain = |text: &str| text.trim_start_matches('/').to_owned();
    crate::iam::glob(&plain(pattern), &plain(path))
}

/// The origins of a target: one, or the members of an origin group with its failover criteria.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) origins: Vec<Origin<'a>>,
    pub(super) failover_codes: Vec<u16>,
}

impl<'a> Target<'a> {
    pub(super) fn of(distribution: &'a Distribution, target: &str) -> Self {
        let config = &distribution.config;
        let origin = |id: &str| config.items("Origins").iter().find(|origin| origin.at("Id") == id).map(Origin);
        let group = config.items("OriginGroups").iter().find(|group| group.at("Id") == target);
        let Some(group) = group else {
            return Self { origins: origin(target).into_iter().collect(), failover_codes: Vec::new() };
        };
        let members = group.items("Members").iter().filter_map(|member| origin(member.at("OriginId")));
        let codes = group.child("FailoverCriteria").map(|criteria| criteria.items("StatusCodes")).unwrap_or_default();
        let failover_codes = codes.iter().filter_map(|code| code.text.parse().ok()).collect();
        Self { origins: members.collect(), failover_codes }
    }
}

/// An origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a>(&'a Element);

impl<'a> Origin<'a> {
    pub(super) fn host(self) -> &'a str {
        self.0.at("DomainName")
    }

    pub(super) fn path(self) -> &'a str {
        self.0.at("OriginPath")
    }

    /// Whether it is a custom origin, such as a website endpoint, rather than an S3 bucket.
    pub(super) fn is_custom(self) -> bool {
        self.0.child("CustomOriginConfig").is_some()
    }

    /// The HTTP port; `None` for HTTPS, which website endpoints do not support.
    pub(super) fn http_port(self) -> Option<u16> {
        let custom = self.0.child("CustomOriginConfig")?;
        (custom.at("OriginProtocolPolicy") != "https-only").then(|| custom.at("HTTPPort").parse().unwrap_or(80))
    }

    /// The id of the origin access control.
    pub(super) fn control(self) -> &'a str {
        self.0.at("OriginAccessControlId")
    }

    /// How long connecting to an origin takes until it fails.
    pub(super) fn connect_timeout(self) -> Duration {
        let number = |name: &str, default: u64| self.0.at(name).parse().unwrap_or(default);
        Duration::from_secs(number("ConnectionAttempts", 3) * number("ConnectionTimeout", 10))
    }
}

/// A custom error response.
pub(super) struct CustomError {
    /// The path of the error page, if one is set.
    pub(super) page: Option<String>,
    /// The status in the response.
    pub(super) status: u16,
    /// How long the error is cached.
    pub(super) ttl: Duration,
}

/// The custom error response of a status.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html>
pub(super) fn custom_error(distribution: &Distribution, status: u16) -> CustomError {
    let all = distribution.config.items("CustomErrorResponses");
    let found = all.iter().find(|page| page.at("ErrorCode") == status.to_string());
    let text = |name: &str| found.map(|page| page.at(name)).filter(|text| !text.is_empty());
    CustomError {
        page: text("ResponsePagePath").map(str::to_owned),
        status: text("ResponseCode").and_then(|code| code.parse().ok()).unwrap_or(status),
        ttl: Duration::from_secs(text("ErrorCachingMinTTL").and_then(|ttl| ttl.parse().ok()).unwrap_or(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_with_and_without_the_slash() {
        assert!(matches("/.well-known/twinsite/*", "/.well-known/twinsite/health.txt"));
        assert!(matches("*.jpg", "/a/b.jpg") && matches("/a?c", "/abc"));
        assert!(!matches("/api/*", "/apix"));
    }
}
