//! Endpoints that are configured instead of those of AWS.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use url::Url;

use crate::error::SessionError;
use crate::settings::Settings;

/// The services that are called, by the ids that the names of variables and profile settings are made of: `AWS_ENDPOINT_URL_S3`.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
const SERVICES: [&str; 10] =
    ["S3", S3_CONTROL, "STS", "CloudFront", KEY_VALUE_STORE, "Route 53", "IAM", "ACM", "SNS", "CloudWatch"];

const S3_CONTROL: &str = "S3 Control";
const KEY_VALUE_STORE: &str = "CloudFront KeyValueStore";

/// The endpoints of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    /// That of S3, if it is not AWS.
    pub(crate) s3: Option<String>,
    /// Whether S3's buckets are addressed by path.
    pub(crate) path_style: bool,
    /// That of S3 Control, if it is not AWS.
    pub(crate) s3_control: Option<String>,
    /// That of CloudFront `KeyValueStore`, if it is not AWS.
    pub(crate) key_value_store: Option<String>,
    /// Whether STS is that of AWS.
    pub(crate) is_aws_sts: bool,
}

impl Endpoints {
    /// Those of a loaded configuration.
    ///
    /// Buckets of another endpoint are addressed by path, as by the AWS CLI: hardly any such host has names for all buckets. The
    /// profile's `addressing_style` of `s3` overrides it.
    /// <https://docs.aws.amazon.com/cli/latest/topic/s3-config.html>
    pub(crate) fn of(config: &SdkConfig, settings: &Settings) -> Result<Self, SessionError> {
        let mut endpoints = SERVICES.map(|service| (service, configured(config, service)));
        for (service, endpoint) in &endpoints {
            if let Some(url) = endpoint {
                check(&format!("the endpoint of {service}"), url)?;
            }
        }
        // The SDK passes over values that are no URLs, and would call AWS.
        if config.endpoint_url().is_none()
            && let Some(setting) = settings.get("AWS_ENDPOINT_URL", "endpoint_url")
            && !ignores_configured(settings)
        {
            check(setting.name, &setting.value)?;
        }
        let mut take = |wanted: &str| {
            endpoints.iter_mut().find(|(service, _)| *service == wanted).and_then(|(_, endpoint)| endpoint.take())
        };
        let s3 = take("S3");
        let path_style = match settings.nested("s3", "addressing_style") {
            Some("path") => true,
            Some("virtual") => false,
            _ => s3.is_some(),
        };
        let is_aws = |url: &str| url.parse::<Url>().is_ok_and(|url| is_aws_host(url.host_str().unwrap_or_default()));
        Ok(Self {
            path_style,
            s3: s3.filter(|url| !is_aws(url)),
            s3_control: take(S3_CONTROL).filter(|url| !is_aws(url)),
            key_value_store: take(KEY_VALUE_STORE).filter(|url| !is_aws(url)),
            is_aws_sts: take("STS").is_none_or(|url| is_aws(&url)),
        })
    }
}

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
fn ignores_configured(settings: &Settings) -> bool {
    let setting = settings.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
    setting.is_some_and(|setting| setting.value.eq_ignore_ascii_case("true"))
}

/// The endpoint of a service: `--endpoint-url`, or else that of the service, or else that of all services.
fn configured(config: &SdkConfig, service: &str) -> Option<String> {
    let all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return all();
    }
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = config.service_config().and_then(|settings| settings.load_config(key.ok()?));
    own.or_else(all)
}

/// Endpoints of AWS itself, of VPCs too.
fn is_aws_host(host: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|domain| host.ends_with(domain))
}

/// Fails if this is no endpoint.
pub(crate) fn check(setting: &str, url: &str) -> Result<(), SessionError> {
    let parsed = url.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let error = || SessionError::Endpoint { setting: setting.to_owned(), url: url.to_owned() };
    parsed.map(drop).ok_or_else(error)
}
