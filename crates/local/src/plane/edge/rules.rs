//! What a distribution's configuration says about a request. A view of the XML as it was put; nothing is kept.

use std::time::Duration;

use crate::world::cloudfront::{Distribution, Element};

/// The managed cache policy that keeps nothing.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
const NO_CACHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// The managed security headers.
const SECURITY_HEADERS: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

/// How requests for some paths are served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behavior<'a>(&'a Element);

impl<'a> Behavior<'a> {
    /// The first cache behavior whose pattern fits, or the default one.
    pub(super) fn of(distribution: &'a Distribution, path: &str) -> Option<Self> {
        let config = &distribution.config;
        let fits = |behavior: &&Element| fits(behavior.at("PathPattern"), path);
        let listed = config.items("CacheBehaviors").iter().find(fits);
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

    /// The function that sees requests before anything else.
    pub(super) fn function(self) -> Option<&'a str> {
        let functions = self.0.items("FunctionAssociations").iter();
        functions.filter(|one| one.at("EventType") == "viewer-request").map(|one| one.at("FunctionARN")).next()
    }
}

/// CloudFront's patterns: `*` for any run of characters, `?` for one; the slash in front may be left out.
fn fits(pattern: &str, path: &str) -> bool {
    let plain = |text: &str| text.trim_start_matches('/').to_owned();
    crate::world::glob(&plain(pattern), &plain(path))
}

/// Where a behavior's target leads: the origins in the order in which they are asked, and the answers after which the next
/// one is.
#[derive(Debug)]
pub(super) struct Route<'a> {
    pub(super) origins: Vec<Origin<'a>>,
    pub(super) failover: Vec<u16>,
}

impl<'a> Route<'a> {
    pub(super) fn of(distribution: &'a Distribution, target: &str) -> Self {
        let config = &distribution.config;
        let origin = |id: &str| config.items("Origins").iter().find(|origin| origin.at("Id") == id).map(Origin);
        let group = config.items("OriginGroups").iter().find(|group| group.at("Id") == target);
        let Some(group) = group else {
            return Self { origins: origin(target).into_iter().collect(), failover: Vec::new() };
        };
        let members = group.items("Members").iter().filter_map(|member| origin(member.at("OriginId")));
        let codes = group.child("FailoverCriteria").map(|criteria| criteria.items("StatusCodes")).unwrap_or_default();
        let failover = codes.iter().filter_map(|code| code.text.parse().ok()).collect();
        Self { origins: members.collect(), failover }
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

    /// True for a website endpoint or another server; false for a bucket asked through S3's API.
    pub(super) fn is_custom(self) -> bool {
        self.0.child("CustomOriginConfig").is_some()
    }

    /// The port over HTTP; `None` when it is to be asked over TLS, which website endpoints do not speak.
    pub(super) fn http_port(self) -> Option<u16> {
        let custom = self.0.child("CustomOriginConfig")?;
        (custom.at("OriginProtocolPolicy") != "https-only").then(|| custom.at("HTTPPort").parse().unwrap_or(80))
    }

    /// The access control by which requests are signed.
    pub(super) fn control(self) -> &'a str {
        self.0.at("OriginAccessControlId")
    }

    /// How long it takes until an origin that does not answer is given up.
    pub(super) fn patience(self) -> Duration {
        let number = |name: &str, default: u64| self.0.at(name).parse().unwrap_or(default);
        Duration::from_secs(number("ConnectionAttempts", 3) * number("ConnectionTimeout", 10))
    }
}

/// What visitors are shown instead of an error.
pub(super) struct ErrorPage {
    /// The page's path; without one only the time is set.
    pub(super) page: Option<String>,
    /// The status that visitors see.
    pub(super) status: u16,
    /// For how long the error is remembered.
    pub(super) ttl: Duration,
}

/// The page for a status.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html>
pub(super) fn error_page(distribution: &Distribution, status: u16) -> ErrorPage {
    let all = distribution.config.items("CustomErrorResponses");
    let found = all.iter().find(|page| page.at("ErrorCode") == status.to_string());
    let text = |name: &str| found.map(|page| page.at(name)).filter(|text| !text.is_empty());
    ErrorPage {
        page: text("ResponsePagePath").map(str::to_owned),
        status: text("ResponseCode").and_then(|code| code.parse().ok()).unwrap_or(status),
        ttl: Duration::from_secs(text("ErrorCachingMinTTL").and_then(|ttl| ttl.parse().ok()).unwrap_or(10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_with_and_without_the_slash() {
        assert!(fits("/.well-known/twinsite/*", "/.well-known/twinsite/health.txt"));
        assert!(fits("*.jpg", "/a/b.jpg") && fits("/a?c", "/abc"));
        assert!(!fits("/api/*", "/apix"));
    }
}
