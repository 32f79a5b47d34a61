//! A short cut for small puts. The SDK puts together for every request anew what is the same for all of them, which costs
//! more than hashing and sending a small file. So the first put goes through the SDK, and tells where it went, what it was signed
//! for and through which connections; the others go there directly, with the SDK's own signer, credentials and connections.
//!
//! It is for puts that go well. Whatever else comes back, the SDK makes the put once more, and waits, retries and reports as it
//! does for everything.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::auth::{AuthScheme, AuthSchemeId};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::identity::{Identity, ResolveCachedIdentity, SharedIdentityResolver};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::timeout::TimeoutConfig;
use bytes::Bytes;
use http_body::Body;

use super::fence::Fence;
use super::throttles::Throttles;
use super::wire::{Answered, Conditional, Sent, content_md5, encoded, header_pairs, kept, quoted, tag_kind};
use crate::store::{Condition, Written};
use crate::{Content, ETag, Headers, Key, Md5};

/// The most bytes of a small put. What the SDK does for each request is lost in the time that more bytes take, and it watches
/// over their upload.
const SMALL: usize = 1 << 20;

/// How long a small put may take before the SDK is asked to make it.
const LONG: Duration = Duration::from_mins(1);

/// After so many puts in a row that the SDK had to make once more, it makes them all.
const MISSES: u32 = 8;

const IF_MATCH: &str = "if-match";
const IF_NONE_MATCH: &str = "if-none-match";

/// A put of a small object.
#[derive(Clone, Copy)]
pub(super) struct SmallPut<'a> {
    pub(super) key: &'a Key,
    pub(super) headers: &'a Headers,
    pub(super) bytes: &'a Bytes,
    pub(super) md5: &'a Md5,
    pub(super) condition: &'a Condition,
}

/// The short cut to one bucket, once it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct FastPut(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    template: OnceLock<PutTemplate>,
    /// How many puts in a row have not gone well.
    misses: AtomicU32,
}

impl FastPut {
    /// Puts an object; `None` when the SDK has to.
    pub(super) async fn put(
        &self,
        put: SmallPut<'_>,
        fence: Option<&Fence>,
        throttles: &Throttles,
    ) -> Option<Conditional> {
        let template = self.0.template.get()?;
        if put.bytes.len() > SMALL || self.0.misses.load(Ordering::Relaxed) >= MISSES {
            return None;
        }
        let request = template.request(&put).await?;
        if fence.is_some_and(|fence| fence.check().is_err()) {
            return None;
        }
        let answer = tokio::time::timeout(LONG, template.connector.call(request)).await.ok().and_then(Result::ok);
        if let Some(answer) = &answer {
            throttles.see(answer.status().as_u16());
        }
        let done = match answer {
            Some(answer) if answer.status().as_u16() == 200 => answered(answer).await.map(Conditional::Written),
            // The precondition did not hold. Putting once more would not change that.
            Some(answer) if answer.status().as_u16() == 412 => {
                drop(ByteStream::new(answer.into_body()).collect().await);
                Some(Conditional::Refused(Sent::Content(Content::Memory(put.bytes.clone()))))
            }
            _ => None,
        };
        match &done {
            Some(_) => self.0.misses.store(0, Ordering::Relaxed),
            None => drop(self.0.misses.fetch_add(1, Ordering::Relaxed)),
        }
        done
    }

    /// Looks over the SDK's shoulder while it puts this object; `None` when there is nothing more to learn.
    pub(super) fn learner(&self, key: &Key) -> Option<TemplateRecorder> {
        self.0.template.get().is_none().then(|| TemplateRecorder { key: key.clone(), learnt: Arc::default() })
    }

    /// The put went well.
    pub(super) fn open(&self, learner: &TemplateRecorder) {
        let learnt = learner.learnt.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(template) = learnt {
            // Of several first puts any one will do.
            drop(self.0.template.set(template));
        }
    }
}

async fn answered(answer: HttpResponse) -> Option<Answered> {
    let header = |name| answer.headers().get(name).map(str::to_owned);
    let (etag, version) = (header("etag"), kept(header("x-amz-version-id")));
    let encryption = header(SSE).map(|name| name.as_str().into());
    let tag_kind = tag_kind(encryption.as_ref(), header("x-amz-server-side-encryption-customer-algorithm").as_deref());
    let crc64 = header("x-amz-checksum-crc64nvme");
    if !answer.body().is_end_stream() {
        // A connection is kept only when all was read.
        ByteStream::new(answer.into_body()).collect().await.ok()?;
    }
    let etag = etag.as_deref().map(ETag::parse);
    Some(Answered { written: Written { etag, tag_kind, version, modified: None }, crc64 })
}

/// What all puts to a bucket have in common.
#[derive(Debug)]
struct PutTemplate {
    /// The address up to the key.
    base: String,
    region: String,
    service: String,
    /// How the objects are encrypted, if that is configured.
    encryption: Vec<(&'static str, String)>,
    /// As the SDK introduces itself.
    agent: Vec<(&'static str, String)>,
    connector: SharedHttpConnector,
    identities: SharedIdentityResolver,
    components: RuntimeComponents,
}

/// Headers that the SDK adds of itself beside [`AGENT`], or that are made anew for each put.
const USUAL: [&str; 9] = [
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "content-length",
    "content-md5",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
];

const SSE: &str = "x-amz-server-side-encryption";

/// Headers of the configured encryption, which all puts to a bucket have in common.
const ENCRYPTION: [&str; 2] = [SSE, "x-amz-server-side-encryption-aws-kms-key-id"];

const AGENT: [&str; 2] = ["user-agent", "x-amz-user-agent"];

impl PutTemplate {
    /// What a request of the SDK's tells; `None` when puts to this bucket are somehow special.
    fn learn(request: &HttpRequest, key: &Key, components: &RuntimeComponents, cfg: &ConfigBag) -> Option<Self> {
        let mine = |name: &str| {
            let content = name.starts_with("content-") || name == "cache-control";
            let condition = name == IF_MATCH || name == IF_NONE_MATCH;
            content || condition || name.starts_with("x-amz-meta-") || name == "x-amz-website-redirect-location"
        };
        let shared = |name: &str| AGENT.contains(&name) || ENCRYPTION.contains(&name);
        let usual = |name: &str| USUAL.contains(&name) || shared(name) || mine(name);
        if !request.headers().iter().all(|(name, _)| usual(name)) {
            return None;
        }
        let address = request.uri().split_once('?').map_or(request.uri(), |(address, _)| address);
        let base = address.strip_suffix(&encoded(key))?.to_owned();
        let (region, service) = scope(request.headers().get("authorization")?)?;
        let kept = |name| request.headers().get(name).map(|value| (name, value.to_owned()));
        let agent = AGENT.into_iter().filter_map(kept).collect();
        let encryption = ENCRYPTION.into_iter().filter_map(kept).collect();
        let timeouts = cfg.load::<TimeoutConfig>()?;
        let mut settings = HttpConnectorSettings::builder();
        settings.set_connect_timeout(timeouts.connect_timeout()).set_read_timeout(timeouts.read_timeout());
        let connector = components.http_client()?.http_connector(&settings.build(), components);
        let identities = components.auth_scheme(AuthSchemeId::new("sigv4"))?.identity_resolver(components)?;
        Some(Self { base, region, service, encryption, agent, connector, identities, components: components.clone() })
    }

    async fn request(&self, put: &SmallPut<'_>) -> Option<HttpRequest> {
        let SmallPut { key, headers, bytes, md5, condition } = *put;
        let identity = self.identity().await?;
        let mut request = http::Request::put(format!("{}{}", self.base, encoded(key)));
        request = request.header("content-length", bytes.len()).header("content-md5", content_md5(md5));
        for (name, value) in header_pairs(headers) {
            request = request.header(name.as_ref(), value);
        }
        for (name, value) in &self.encryption {
            request = request.header(*name, value);
        }
        request = match condition {
            Condition::None => request,
            Condition::Absent => request.header(IF_NONE_MATCH, "*"),
            Condition::Is(etag) => request.header(IF_MATCH, quoted(etag)),
        };
        let mut request = request.body(SdkBody::from(bytes.clone())).ok()?;
        self.sign(&mut request, &identity)?;
        for (name, value) in &self.agent {
            request.headers_mut().insert(*name, value.parse().ok()?);
        }
        HttpRequest::try_from(request).ok()
    }

    /// As the SDK has it: kept until it is about to expire.
    async fn identity(&self) -> Option<Identity> {
        let (cache, cfg) = (self.components.identity_cache(), ConfigBag::base());
        cache.resolve_cached_identity(self.identities.clone(), &self.components, &cfg).await.ok()
    }

    fn sign(&self, request: &mut http::Request<SdkBody>, identity: &Identity) -> Option<()> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.components.time_source()?.now())
            .settings(settings)
            .build()
            .ok()?
            .into();
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        // Content-MD5 guards the body; hashing it a second time for the signature would only cost time.
        let body = SignableBody::UnsignedPayload;
        let signable = SignableRequest::new("PUT", request.uri().to_string(), headers, body).ok()?;
        let (signature, _) = sign(signable, &params).ok()?.into_parts();
        signature.apply_to_request_http1x(request);
        Some(())
    }
}

/// The region and service of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`. Other signatures are
/// made otherwise.
fn scope(authorization: &str) -> Option<(String, String)> {
    let credential = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=")?;
    let mut scope = credential.split(',').next()?.split('/').rev();
    scope.next().filter(|end| *end == "aws4_request")?;
    let (service, region) = (scope.next()?, scope.next()?);
    Some((region.to_owned(), service.to_owned()))
}

/// Sees a put on its template, when all about it is decided.
#[derive(Clone, Debug)]
pub(super) struct TemplateRecorder {
    key: Key,
    learnt: Arc<Mutex<Option<PutTemplate>>>,
}

impl Intercept for TemplateRecorder {
    fn name(&self) -> &'static str {
        "TemplateRecorder"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let template = PutTemplate::learn(context.request(), &self.key, components, cfg);
        *self.learnt.lock().unwrap_or_else(PoisonError::into_inner) = template;
        Ok(())
    }
}
