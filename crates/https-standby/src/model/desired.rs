//! The desired state of the standby.

use std::collections::BTreeMap;

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Arn, Deferred, Side, Site};

/// Settings of a resource by name, as API Gateway names them.
pub type Settings = BTreeMap<&'static str, String>;

/// The desired state of the standby of a site: an HTTP API in the backup's region that passes requests on to the website endpoint of the
/// backup bucket, under the site's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// A certificate in the backup's region that something else manages. With `None`, one that covers the domain is looked up or requested.
    pub certificate: Option<Deferred<Arn>>,
    /// Tags of the owner, which new resources get beside those by which twinsite recognises them.
    pub tags: Tags,
}

impl Desired {
    /// The defaults for a site.
    pub fn new(site: Site) -> Self {
        Self { site, certificate: None, tags: Tags::new() }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone()).with_tags(self.tags.clone())
    }

    /// The name of the API, which with its integration is the second mark by which it is recognised.
    pub(crate) fn api_name(&self) -> String {
        format!("twinsite {}", self.site.domain)
    }

    /// The URI of the integration: the website endpoint without a path, so that the route `$default` appends that of the request. A greedy
    /// parameter would be decoded, and is reported to lose the slash at the end of a folder's path.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
    pub(crate) fn integration_uri(&self) -> String {
        format!("http://{}", self.site.website_host(Side::Backup))
    }

    /// The settings of the API. Its own endpoint stays enabled: it is the only name at which the API answers whatever DNS says.
    pub(crate) fn api_settings() -> Settings {
        Settings::from([(IP_ADDRESS_TYPE, "dualstack".to_owned()), ("DisableExecuteApiEndpoint", false.to_string())])
    }

    /// The settings of the integration. Cookies of visitors do not go on: the way to the website endpoint is not encrypted.
    pub(crate) fn integration_settings(&self) -> Settings {
        Settings::from([
            ("IntegrationType", "HTTP_PROXY".to_owned()),
            ("IntegrationMethod", "ANY".to_owned()),
            (INTEGRATION_URI, self.integration_uri()),
            ("ConnectionType", "INTERNET".to_owned()),
            ("PayloadFormatVersion", "1.0".to_owned()),
            ("TimeoutInMillis", "10000".to_owned()),
            ("RequestParameters", format!("{REMOVE_COOKIE}=''")),
        ])
    }

    /// The settings of the custom domain name, besides its certificate. HTTP APIs have TLS 1.2 and 1.3, nothing older.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-ciphers.html>
    pub(crate) fn domain_settings() -> Settings {
        Settings::from([
            ("EndpointType", "REGIONAL".to_owned()),
            ("SecurityPolicy", "TLS_1_2".to_owned()),
            (IP_ADDRESS_TYPE, "dualstack".to_owned()),
        ])
    }
}

pub(crate) const IP_ADDRESS_TYPE: &str = "IpAddressType";
pub(crate) const INTEGRATION_URI: &str = "IntegrationUri";
/// The request parameter that removes the cookies of visitors.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>
pub(crate) const REMOVE_COOKIE: &str = "remove:header.cookie";
