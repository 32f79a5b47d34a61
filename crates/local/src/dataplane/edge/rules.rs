//! The settings of a distribution that apply to a request: views of its configuration.

use std::time::Duration;

use serde_json::Value;

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

    /// The ARN of the function at an event: `viewer-request` or `viewer-response`.
    pub(super) fn function(self, event: &str) -> Option<&'a str> {
        let functions = self.0.items("FunctionAssociations").iter();
        functions.filter(|one| one.at("EventType") == event).map(|one| one.at("FunctionARN")).next()
    }
}

/// Matches a path pattern: `*` for any characters, `?` for one; the leading slash is optional.
fn matches(pattern: &str, path: &str) -> bool {
    let plain = |text: &str| text.trim_start_matches('/').to_owned();
    crate::iam::glob(&plain(pattern), &plain(path))
}

/// How a function has modified the origin of a request.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OriginChange {
    /// Another origin of the distribution, by its id.
    Select(String),
    /// An origin group of two origins of the distribution.
    Group {
        /// Their ids.
        origins: Vec<String>,
        /// The status codes on which the second one is asked.
        failover_codes: Vec<u16>,
    },
    /// Other settings of the origin; of an origin group, of its first one. What is not set is inherited.
    Update(Value),
}

impl OriginChange {
    /// The change that the module `cloudfront` has noted.
    pub(super) fn parse(noted: &Value) -> Option<Self> {
        if let Some(id) = noted["select"].as_str() {
            return Some(Self::Select(id.to_owned()));
        }
        if let Some(group) = noted["group"].as_object() {
            let strings = group["origins"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let codes = group["codes"].as_array().into_iter().flatten().filter_map(Value::as_u64);
            let failover_codes = codes.filter_map(|code| u16::try_from(code).ok()).collect();
            return Some(Self::Group { origins: strings.map(str::to_owned).collect(), failover_codes });
        }
        noted.get("update").map(|changes| Self::Update(changes.clone()))
    }

    /// A distribution for one request: with the origins and the origin group that the change leads to as the target of that id.
    pub(super) fn applied(&self, distribution: &Distribution, target: &str) -> ModifiedTarget {
        let mut distribution = distribution.clone();
        let target = match self {
            Self::Select(id) => id.clone(),
            Self::Group { origins, failover_codes } => {
                let members = origins
                    .iter()
                    .map(|id| Element::node("OriginGroupMember", vec![Element::leaf("OriginId", id.as_str())]));
                let codes = failover_codes.iter().map(|code| Element::leaf("StatusCode", code.to_string()));
                let codes = Element::list("StatusCodes", codes.collect());
                let group = Element::node(
                    "OriginGroup",
                    vec![
                        Element::leaf("Id", GROUP_OF_REQUEST),
                        Element::node("FailoverCriteria", vec![codes]),
                        Element::list("Members", members.collect()),
                    ],
                );
                distribution.config.children.retain(|child| child.name != "OriginGroups");
                distribution.config.children.push(Element::list("OriginGroups", vec![group]));
                GROUP_OF_REQUEST.to_owned()
            }
            Self::Update(changes) => {
                let first =
                    Target::of(&distribution, target).origins.first().map(|origin| origin.0.at("Id").to_owned());
                let origins = distribution.config.children.iter_mut().find(|child| child.name == "Origins");
                let items = origins.into_iter().flat_map(|origins| origins.items_mut().iter_mut());
                for origin in items.filter(|origin| Some(origin.at("Id")) == first.as_deref()) {
                    update_origin(origin, changes);
                }
                target.to_owned()
            }
        };
        ModifiedTarget { distribution, target }
    }
}

/// The id of an origin group that a function has made for a request.
const GROUP_OF_REQUEST: &str = "group of the request";

/// A distribution as it is for one request whose origin a function has modified.
pub(super) struct ModifiedTarget {
    pub(super) distribution: Distribution,
    pub(super) target: String,
}

fn update_origin(origin: &mut Element, changes: &Value) {
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            origin.children.retain(|child| child.name != name);
            origin.children.push(Element::leaf(name, value));
        }
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| value.as_u64().map(|number| number.to_string());
    set("DomainName", text(&changes["domainName"]));
    set("OriginPath", text(&changes["originPath"]));
    set("ConnectionAttempts", number(&changes["connectionAttempts"]));
    set("ConnectionTimeout", number(&changes["timeouts"]["connectionTimeout"]));
    let control = &changes["originAccessControlConfig"];
    if control["enabled"] == false || control["signingBehavior"] == "never" {
        set("OriginAccessControlId", Some(String::new()));
    }
    let custom = &changes["customOriginConfig"];
    if custom.is_object() {
        let settings = [("HTTPPort", number(&custom["port"])), ("OriginProtocolPolicy", text(&custom["protocol"]))];
        let own = origin.children.iter_mut().find(|child| child.name == "CustomOriginConfig");
        if let Some(own) = own {
            for (name, value) in settings.into_iter().filter_map(|(name, value)| Some((name, value?))) {
                own.children.retain(|child| child.name != name);
                own.children.push(Element::leaf(name, value));
            }
        }
    }
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

    /// The origin response timeout.
    pub(super) fn read_timeout(self) -> Duration {
        let settings = self.0.child("CustomOriginConfig").or_else(|| self.0.child("S3OriginConfig"));
        let seconds = settings.and_then(|settings| settings.at("OriginReadTimeout").parse().ok());
        Duration::from_secs(seconds.unwrap_or(30))
    }

    /// How often a request is attempted.
    pub(super) fn attempts(self) -> u32 {
        self.0.at("ConnectionAttempts").parse().unwrap_or(3)
    }

    /// How long an attempt to connect takes until it fails.
    pub(super) fn connect_timeout(self) -> Duration {
        Duration::from_secs(self.0.at("ConnectionTimeout").parse().unwrap_or(10))
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
