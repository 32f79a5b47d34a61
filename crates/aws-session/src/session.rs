//! Credentials and clients.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use twinsite_aws::{AwsError, EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY, retries, timeouts};
use twinsite_core::{AccountId, Region, Run};

use crate::awaited::Awaited;
use crate::endpoint::{self, Endpoints};
use crate::error::SessionError;
use crate::fixed_endpoint::FixedEndpoint;
use crate::proxy::Proxies;
use crate::settings::Settings;
use crate::{http_client, retry};

/// Endpoint and credentials. The default is AWS with the SDK's default credential chain.
/// <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/credproviders.html>
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A profile of the shared configuration files, instead of the default one.
    pub profile: Option<String>,
    /// One endpoint for all services, as of S3-compatible servers and emulators; buckets are then addressed by path.
    pub endpoint: Option<String>,
    /// An HTTP client to use instead of the network, with fixed credentials: the embedded cloud.
    pub embedded: Option<SharedHttpClient>,
    /// The credentials with which requests to the embedded cloud are signed, instead of those that nothing restricts: an access key
    /// of a user there, or a session of a role, whose policies the embedded cloud enforces.
    pub embedded_credentials: Option<Credentials>,
    /// Retries of each call. If `None`, those of [`retries`], with the attempts and the mode that the environment or the profile sets.
    pub retry: Option<RetryConfig>,
    /// Retries where `retry` is `None`, instead of those of [`retries`]. What the environment or the profile sets takes precedence.
    pub default_retry: Option<RetryConfig>,
    /// What the pauses between attempts go by: `None` for the time of this machine. An embedded cloud has a time of its own.
    pub sleep: Option<SharedAsyncSleep>,
    /// The region, instead of that of the environment or the profile, for [`Session::s3_in`]. Stores that are not AWS have regions of other
    /// names, too.
    pub region: Option<String>,
    /// The operation that requests are made for: its events say what is waited for without a response, and its cancellation ends these waits.
    /// If `None`, only the deadlines of requests do.
    pub run: Option<Run>,
}

/// The principal of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The ARN of the user or role.
    pub arn: String,
}

impl Caller {
    /// The caller of an endpoint that has no accounts. Names that are derived from the account then have this one.
    pub fn unknown() -> Self {
        let account = "000000000000".parse().unwrap_or_else(|_| unreachable!("twelve digits are an account id"));
        Self { account, arn: String::new() }
    }
}

/// Credentials and connections shared by all clients.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    endpoints: Endpoints,
    proxy: Option<String>,
    awaited: Awaited,
    /// The attempts of a call where nothing else is configured.
    default_attempts: u32,
}

const US_EAST_1: &str = "us-east-1";

/// The configuration of a service in one region.
macro_rules! regional {
    ($self:ident, $service:ident, $region:expr) => {
        $service::config::Builder::from(&$self.config)
            .region($service::config::Region::new(($region).to_owned()))
            .interceptor($self.awaited.clone())
            .build()
    };
}

/// The configuration of a global service, whose requests are signed for us-east-1.
macro_rules! global {
    ($self:ident, $service:ident) => {
        regional!($self, $service, US_EAST_1)
    };
}

impl Session {
    /// Opens a session without sending a request: invalid credentials are reported by the first call.
    ///
    /// Proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), trusted certificates (`AWS_CA_BUNDLE`, `SSL_CERT_FILE`),
    /// endpoints (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`), retries and the settings of the profile with the same meaning hold for all
    /// clients.
    ///
    /// # Errors
    /// [`SessionError`] if one of these settings cannot be followed.
    pub async fn open(access: Access) -> Result<Self, SessionError> {
        let Access { profile, endpoint, embedded, embedded_credentials, retry, default_retry, sleep, region, run } =
            access;
        let awaited = Awaited::new(run.unwrap_or_else(Run::silent));
        let default_retry = default_retry.unwrap_or_else(retries);
        let default_attempts = default_retry.max_attempts();
        let sleep = sleep.unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new()));
        if let Some(client) = embedded {
            let base = base(SdkConfig::builder(), retry.unwrap_or(default_retry), sleep);
            let config = embedded_config(awaited.client(client), base, embedded_credentials, region);
            let endpoints = Endpoints { is_aws_sts: true, ..Endpoints::default() };
            return Ok(Self { config, endpoints, proxy: None, awaited, default_attempts });
        }
        let settings = Settings::real(profile.clone()).await;
        let retry = retry.unwrap_or_else(|| retry::configured(&settings, default_retry));
        // Without a retry policy, the loader reads it, and panics if it is invalid.
        let loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retry.clone());
        let proxies = Proxies::configured(&settings)?;
        let proxy = proxies.https.as_ref().or(proxies.http.as_ref()).map(ToString::to_string);
        let mut loader = loader.http_client(awaited.client(http_client::configured(&settings, proxies)?));
        if let Some(url) = endpoint {
            endpoint::check("--endpoint-url", &url)?;
            loader = loader.endpoint_url(url);
        }
        if let Some(name) = profile {
            loader = loader.profile_name(name);
        }
        if let Some(region) = region {
            loader = loader.region(aws_sdk_s3::config::Region::new(region));
        }
        let config = base(loader.load().await.into_builder(), retry, sleep).build();
        let endpoints = Endpoints::of(&config, &settings)?;
        Ok(Self { config, endpoints, proxy, awaited, default_attempts })
    }

    /// The proxy that the environment names for requests to AWS, without its credentials, and the variable that names it.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// The region that is configured, or us-east-1.
    fn region(&self) -> &str {
        self.config.region().map_or(US_EAST_1, |region| region.as_ref())
    }

    /// How many seconds the clock of the service that has responded last is ahead of this machine's, by the `Date` of its response; `None`
    /// before any response. AWS refuses requests whose time differs by more than five minutes, and S3 by more than fifteen:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>.
    pub fn clock_offset(&self) -> Option<i64> {
        self.awaited.clock_offset()
    }

    /// The endpoint of S3; `None` if it is that of AWS.
    pub fn s3_endpoint(&self) -> Option<&str> {
        self.endpoints.s3.as_deref()
    }

    /// Whether STS is that of AWS, and not that of another endpoint, which may have none.
    pub fn is_aws_sts(&self) -> bool {
        self.endpoints.is_aws_sts
    }

    /// S3 in one region.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(aws_sdk_s3::config::Region::new(region.to_string()))
            .interceptor(self.awaited.clone())
            .force_path_style(self.endpoints.path_style)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// S3 in a region of a store that may not be AWS; in the configured region if `None`.
    pub fn s3_in(&self, region: Option<&str>) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(aws_sdk_s3::config::Region::new(region.unwrap_or(self.region()).to_owned()))
            .interceptor(self.awaited.clone())
            .force_path_style(self.endpoints.path_style)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// The region of a bucket; `None` if the store does not tell.
    ///
    /// # Errors
    /// [`AwsError`] if the bucket does not exist, or may not be listed.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
    pub async fn bucket_region(&self, bucket: &str) -> Result<Option<String>, AwsError> {
        let error = match self.s3_in(None).head_bucket().bucket(bucket).send().await {
            Ok(found) => return Ok(found.bucket_region),
            Err(error) => error,
        };
        // A bucket of another region is a redirect, or a signature for the wrong region.
        let region = error.raw_response().and_then(|response| response.headers().get("x-amz-bucket-region"));
        let region = region.filter(|region| *region != self.region()).map(str::to_owned);
        let error = AwsError::new("HeadBucket", bucket, error);
        if region.is_some() || error.is_unknown_operation() && error.status != Some(404) && error.status != Some(400) {
            return Ok(region);
        }
        Err(error)
    }

    /// S3 Control in one region: account-wide settings and batch jobs.
    pub fn s3control(&self, region: &Region) -> aws_sdk_s3control::Client {
        let mut config = aws_sdk_s3control::config::Builder::from(&self.config)
            .region(aws_sdk_s3control::config::Region::new(region.to_string()))
            .interceptor(self.awaited.clone());
        if let Some(url) = &self.endpoints.s3_control {
            config = config.interceptor(FixedEndpoint(url.clone()));
        }
        aws_sdk_s3control::Client::from_conf(config.build())
    }

    /// CloudFront; its control plane is in us-east-1.
    pub fn cloudfront(&self) -> aws_sdk_cloudfront::Client {
        aws_sdk_cloudfront::Client::from_conf(global!(self, aws_sdk_cloudfront))
    }

    /// CloudFront `KeyValueStore`: the keys of key value stores. It is a global data plane, whose requests bear asymmetric signatures
    /// (`SigV4A`) for every region.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-kvp.html>
    pub fn key_value_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        let mut config = aws_sdk_cloudfrontkeyvaluestore::config::Builder::from(&self.config)
            .region(aws_sdk_cloudfrontkeyvaluestore::config::Region::new(US_EAST_1));
        if let Some(url) = &self.endpoints.key_value_store {
            config = config.interceptor(FixedEndpoint(url.clone()));
        }
        aws_sdk_cloudfrontkeyvaluestore::Client::from_conf(config.build())
    }

    /// Route 53; its control plane is in us-east-1.
    pub fn route53(&self) -> aws_sdk_route53::Client {
        aws_sdk_route53::Client::from_conf(global!(self, aws_sdk_route53))
    }

    /// IAM; its control plane is in us-east-1.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::from_conf(global!(self, aws_sdk_iam))
    }

    /// ACM in us-east-1, as CloudFront requires.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html>
    pub fn acm(&self) -> aws_sdk_acm::Client {
        aws_sdk_acm::Client::from_conf(global!(self, aws_sdk_acm))
    }

    /// ACM in one region, for certificates that are not those of CloudFront.
    pub fn acm_in(&self, region: &Region) -> aws_sdk_acm::Client {
        aws_sdk_acm::Client::from_conf(regional!(self, aws_sdk_acm, region.as_str()))
    }

    /// API Gateway (HTTP APIs) in one region.
    pub fn api_gateway(&self, region: &Region) -> aws_sdk_apigatewayv2::Client {
        aws_sdk_apigatewayv2::Client::from_conf(regional!(self, aws_sdk_apigatewayv2, region.as_str()))
    }

    /// SNS in one region.
    pub fn sns(&self, region: &Region) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::from_conf(regional!(self, aws_sdk_sns, region.as_str()))
    }

    /// CloudWatch in one region.
    pub fn cloudwatch(&self, region: &Region) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::from_conf(regional!(self, aws_sdk_cloudwatch, region.as_str()))
    }

    /// STS in one region: identities, and sessions of roles.
    pub fn sts(&self, region: &Region) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::from_conf(regional!(self, aws_sdk_sts, region.as_str()))
    }

    /// Fewer attempts than others, unless their number is configured.
    fn first_retries(&self) -> RetryConfig {
        let retry = self.config.retry_config().cloned().unwrap_or_else(retries);
        if retry.max_attempts() == self.default_attempts { retry.with_max_attempts(3) } else { retry }
    }

    /// The principal of these credentials, from the region of the configuration; [`Caller::unknown`] at a store or an emulator without STS,
    /// which has no accounts either. Uses fewer attempts than other calls, because it is the first one: without a network the error should
    /// come soon.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        self.caller_in(self.region()).await
    }

    /// [`Self::caller`] from a given region.
    pub async fn caller_in(&self, region: &str) -> Result<Caller, AwsError> {
        let region = region.to_owned();
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .region(aws_sdk_sts::config::Region::new(region))
            .interceptor(self.awaited.clone())
            .retry_config(self.first_retries())
            .build();
        let answer = aws_sdk_sts::Client::from_conf(config).get_caller_identity().send().await;
        let identity = match answer.map_err(|e| AwsError::new("GetCallerIdentity", "these credentials", e)) {
            Err(error) if !self.is_aws_sts() && error.is_unknown_operation() => return Ok(Caller::unknown()),
            identity => identity?,
        };
        let account = identity.account().unwrap_or_default();
        let account = account.parse().map_err(|e| AwsError::unexpected("GetCallerIdentity", "these credentials", e))?;
        Ok(Caller { account, arn: identity.arn().unwrap_or_default().to_owned() })
    }
}

/// Does not read the environment or shared configuration files, so neither can redirect an embedded session.
fn embedded_config(
    client: SharedHttpClient,
    base: aws_types::sdk_config::Builder,
    credentials: Option<Credentials>,
    region: Option<String>,
) -> SdkConfig {
    let unrestricted = || Credentials::new(EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY, None, None, "embedded");
    let keys = credentials.unwrap_or_else(unrestricted);
    base.http_client(client)
        .region(aws_sdk_s3::config::Region::new(region.unwrap_or_else(|| US_EAST_1.to_owned())))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build()
}

fn base(
    builder: aws_types::sdk_config::Builder,
    retry: RetryConfig,
    sleep: SharedAsyncSleep,
) -> aws_types::sdk_config::Builder {
    builder
        .behavior_version(BehaviorVersion::latest())
        .sleep_impl(sleep)
        .time_source(SystemTimeSource::new())
        .retry_config(retry)
        .timeout_config(timeouts())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
}
