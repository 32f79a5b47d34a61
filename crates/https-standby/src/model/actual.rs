//! The actual state in AWS.

use twinsite_aws::Tags;
use twinsite_core::{Arn, Host, ResourceId, ValidationRecord};

use super::Settings;

/// The actual state of the standby.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actual {
    /// The certificates in the backup's region that cover the domain.
    pub certificates: Vec<Certificate>,
    /// The site's API.
    pub api: Option<Api>,
    /// Further APIs with the site's tags, which creations left behind whose responses were lost.
    pub surplus_apis: Vec<ResourceId>,
    /// The custom domain name, which may be that of somebody else.
    pub domain_name: Option<DomainName>,
}

impl Actual {
    /// Whether anything of a standby exists for the site.
    pub fn is_empty(&self) -> bool {
        self.api.is_none() && self.surplus_apis.is_empty() && self.domain_name.is_none()
    }
}

/// An HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Api {
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// Its tags.
    pub tags: Tags,
    /// Its settings.
    pub settings: Settings,
    /// The integration of its route `$default` or, without one, the first.
    pub integration: Option<Integration>,
    /// Its route `$default`.
    pub route: Option<Route>,
    /// The keys of its other routes, which are answered before `$default`.
    pub other_routes: Vec<String>,
    /// Its stage `$default`.
    pub stage: Option<Stage>,
}

/// An integration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Integration {
    /// Its id.
    pub id: ResourceId,
    /// Its settings.
    pub settings: Settings,
}

/// The route `$default`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Its id.
    pub id: ResourceId,
    /// Its target: `integrations/ID`.
    pub target: String,
}

/// The stage `$default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stage {
    /// Whether changes of the API are deployed as they are made.
    pub auto_deploy: bool,
}

/// A custom domain name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DomainName {
    /// Its ARN.
    pub arn: Arn,
    /// Its tags.
    pub tags: Tags,
    /// Its certificate.
    pub certificate: String,
    /// Its settings besides.
    pub settings: Settings,
    /// Its status: `AVAILABLE`, `UPDATING`…
    pub status: String,
    /// Where DNS records lead to it.
    pub endpoint: Option<Endpoint>,
    /// Its API mappings: their ids and the ids of the APIs. That without a key is first.
    pub mappings: Vec<Mapping>,
}

/// An API mapping of a custom domain name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapping {
    /// Its id.
    pub id: ResourceId,
    /// The id of its API.
    pub api: String,
    /// Its stage.
    pub stage: String,
    /// The path below which it applies; empty for all paths.
    pub key: String,
}

/// The target of alias records.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// `d-….execute-api.REGION.amazonaws.com`.
    pub host: Host,
    /// The hosted zone id of the endpoints of the region.
    pub hosted_zone: String,
}

/// A certificate in the backup's region.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Its ARN.
    pub arn: Arn,
    /// Its status.
    pub status: CertificateStatus,
    /// Its tags.
    pub tags: Tags,
    /// The DNS record that ACM validates it with, at first and for each renewal; `None` for imported certificates.
    pub validation_record: Option<ValidationRecord>,
    /// The ARNs of the resources that use it. API Gateway's are load balancers of an account of AWS.
    pub used_by: Vec<String>,
    /// When it expires, in seconds since 1970.
    pub not_after: Option<i64>,
}

/// The status of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// It can be used.
    Issued,
    /// ACM has not found its validation record yet.
    PendingValidation,
    /// It will not be issued, or is no longer valid: ACM's failure reason or status.
    Failed(String),
}
