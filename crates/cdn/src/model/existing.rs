//! A distribution as it is, whoever created it.

use twinsite_aws::Tags;
use twinsite_core::{Arn, Host, ResourceId};

/// An entry of the list of distributions, with what one is looked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedDistribution {
    /// Its id.
    pub id: ResourceId,
    /// Its alternate domain names.
    pub aliases: Vec<String>,
    /// The hosts of its origins.
    pub origins: Vec<String>,
}

/// A distribution with all settings that visitors notice. Values are those of CloudFront's API.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingDistribution {
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// Its own domain name.
    pub host: Host,
    /// Its tags.
    pub tags: Tags,
    /// Whether it serves requests.
    pub enabled: bool,
    /// Its alternate domain names.
    pub aliases: Vec<String>,
    /// Its default root object; empty if it has none.
    pub root_object: String,
    /// `PriceClass_100`, `PriceClass_200` or `PriceClass_All`.
    pub price_class: String,
    /// `http1.1`, `http2`, `http3` or `http2and3`.
    pub http_version: String,
    /// The ARN of its certificate in ACM.
    pub certificate: Option<String>,
    /// Its certificate in IAM.
    pub iam_certificate: Option<String>,
    /// Its security policy.
    pub minimum_tls: String,
    /// Its web ACL.
    pub web_acl: Option<String>,
    /// Whose visitors it serves.
    pub geo_restriction: Option<ExistingGeoRestriction>,
    /// Where it logs to: standard logging (legacy).
    pub logging: Option<ExistingLogging>,
    /// Its origins.
    pub origins: Vec<ExistingOrigin>,
    /// Its origin groups.
    pub groups: Vec<ExistingGroup>,
    /// The default cache behavior.
    pub default_behavior: ExistingBehavior,
    /// The other cache behaviors, in their order.
    pub behaviors: Vec<ExistingBehavior>,
    /// Its custom error responses.
    pub error_responses: Vec<ExistingErrorResponse>,
}

/// A geo restriction as CloudFront has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingGeoRestriction {
    /// `whitelist` or `blacklist`.
    pub kind: String,
    /// The codes of countries.
    pub codes: Vec<String>,
}

/// Standard logging (legacy) as CloudFront has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingLogging {
    /// The bucket, as a host.
    pub bucket: String,
    /// The prefix of the keys.
    pub prefix: String,
    /// Whether cookies are logged.
    pub cookies: bool,
}

/// How a distribution reads an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginAccess {
    /// As a web server.
    Custom,
    /// S3's REST API, with requests signed by an origin access control.
    AccessControl,
    /// S3's REST API, with an origin access identity, which access controls replace.
    AccessIdentity,
    /// S3's REST API, as anybody.
    Public,
}

/// An origin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingOrigin {
    /// Its id.
    pub id: String,
    /// Its host.
    pub host: String,
    /// What is put in front of every path.
    pub path: String,
    /// How it is read.
    pub access: OriginAccess,
    /// The region of Origin Shield.
    pub shield: Option<String>,
    /// The names of headers that CloudFront adds.
    pub headers: Vec<String>,
}

/// An origin group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingGroup {
    /// Its id.
    pub id: String,
    /// The ids of its origins, in their order.
    pub members: Vec<String>,
}

/// A cache behavior.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a behavior has these switches")]
#[non_exhaustive]
pub struct ExistingBehavior {
    /// Its path pattern; `*` of the default one.
    pub pattern: String,
    /// The id of its origin or origin group.
    pub target: String,
    /// `allow-all`, `redirect-to-https` or `https-only`.
    pub viewer_protocol_policy: String,
    /// Whether its cache policy is the managed `CachingOptimized`.
    pub caching_optimized: bool,
    /// Its cache policy; without one it has settings of before 2020.
    pub cache_policy: Option<String>,
    /// Its origin request policy.
    pub origin_request_policy: Option<String>,
    /// Its response headers policy.
    pub response_headers_policy: Option<String>,
    /// Whether that is the managed `SecurityHeadersPolicy`.
    pub security_headers: bool,
    /// CloudFront Functions, each with its event.
    pub functions: Vec<String>,
    /// Lambda@Edge functions, each with its event.
    pub lambdas: Vec<String>,
    /// Whether it compresses.
    pub compress: bool,
    /// The methods that it allows.
    pub methods: Vec<String>,
    /// Whether it requires signed URLs or cookies.
    pub signed: bool,
    /// Its configuration of real-time logs.
    pub realtime_log: Option<String>,
}

impl ExistingBehavior {
    /// That of a configuration without one, which CloudFront does not return.
    pub(crate) fn none() -> Self {
        Self {
            pattern: "*".to_owned(),
            target: String::new(),
            viewer_protocol_policy: "allow-all".to_owned(),
            caching_optimized: false,
            cache_policy: None,
            origin_request_policy: None,
            response_headers_policy: None,
            security_headers: false,
            functions: Vec::new(),
            lambdas: Vec::new(),
            compress: false,
            methods: Vec::new(),
            signed: false,
            realtime_log: None,
        }
    }
}

/// A custom error response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingErrorResponse {
    /// The status of the origin.
    pub status: i32,
    /// The path of the page that is sent instead.
    pub page: Option<String>,
    /// The status that visitors get.
    pub response: Option<String>,
}
