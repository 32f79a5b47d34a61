//! CloudFront's edges: requests are routed by host, and answered from the cache or by the origins.

mod cache;
mod function;
mod origin;
mod response;
mod rules;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderName, Method, Request, Response, StatusCode};
use s3s::Body;

use super::net::Scheme;
use crate::cloudfront::Distribution;
use crate::protocol::reply::rfc3339;
use crate::protocol::request::host_of;
use crate::world::World;
use cache::{Cache, CachedResponse, Key, MAX_RESPONSE, max_age, ttl_of};
use function::{FunctionResult, JsRuntime, ModuleData, PublishedFunction, StoreData, ViewerRequest};
use origin::{OriginRequest, OriginResponse, fetch};
use response::{CacheResult, EdgeResponse, error_response, finish_response, redirect};
use rules::{Behavior, OriginChange, Target, custom_error};

/// All edges. They share one cache.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    world: World,
    cache: Arc<Cache>,
}

/// A request being served.
struct Exchange<'a> {
    edge: &'a Edge,
    distribution: &'a Distribution,
    request: &'a Request<()>,
    /// The address of the viewer.
    viewer: IpAddr,
}

impl Edge {
    pub(super) fn new(world: World) -> Self {
        Self { world, cache: Arc::default() }
    }

    /// Answers the request of a viewer.
    pub(super) async fn answer(&self, request: &Request<()>, scheme: Scheme, viewer: IpAddr) -> Response<Body> {
        let host = host_of(request).to_ascii_lowercase();
        let Some(distribution) = self.distribution_of(&host) else {
            let reason = "The request could not be satisfied: no distribution has this domain name.";
            return finish_response(error_response(StatusCode::FORBIDDEN, reason), request, None);
        };
        let exchange = Exchange { edge: self, distribution: &distribution, request, viewer };
        let path = request.uri().path();
        let Some(behavior) = Behavior::matching(&distribution, path) else {
            let reason = "There is no cache behavior.";
            return finish_response(error_response(StatusCode::INTERNAL_SERVER_ERROR, reason), request, None);
        };
        let response = if !serves_country(&distribution, request) {
            let reason = "The Amazon CloudFront distribution is configured to block access from your country.";
            exchange.with_custom_error(error_response(StatusCode::FORBIDDEN, reason)).await
        } else if let Some(response) = exchange.check_behavior(behavior, scheme) {
            response
        } else {
            exchange.serve(behavior, &host, path).await
        };
        finish_response(response, request, Some(behavior))
    }

    /// Whether a distribution has a domain name.
    pub(super) fn has_distribution(&self, host: &str) -> bool {
        self.distribution_of(host).is_some()
    }

    /// The distribution with a domain name.
    fn distribution_of(&self, host: &str) -> Option<Distribution> {
        let matches_wildcard = |alias: &str| {
            alias.strip_prefix('*').is_some_and(|rest| {
                host.strip_suffix(rest).is_some_and(|label| !label.is_empty() && !label.contains('.'))
            })
        };
        self.world.account(|account, _| {
            let mut enabled = account.cloudfront.distributions().filter(|distribution| distribution.is_enabled());
            let has_name = |one: &&Distribution| {
                let is_alias = |alias: &str| alias.eq_ignore_ascii_case(host) || matches_wildcard(alias);
                one.domain() == host || one.aliases().any(is_alias)
            };
            enabled.find(has_name).cloned()
        })
    }
}

/// Where a viewer is who does not say so.
const COUNTRY: &str = "US";

/// Whether the geo restriction of a distribution admits a viewer. Addresses of this machine are in no country, so that a viewer says in the
/// header `CloudFront-Viewer-Country`, which CloudFront itself derives from the address, where it stands for being.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/georestrictions.html>
fn serves_country(distribution: &Distribution, request: &Request<()>) -> bool {
    let restriction = distribution.config.child("Restrictions").and_then(|all| all.child("GeoRestriction"));
    let Some(restriction) = restriction else { return true };
    let country = request.headers().get("cloudfront-viewer-country").and_then(|value| value.to_str().ok());
    let country = country.unwrap_or(COUNTRY);
    let codes = restriction.child("Items").map(|items| items.children.as_slice()).unwrap_or_default();
    let is_listed = codes.iter().any(|code| code.text.eq_ignore_ascii_case(country));
    match restriction.at("RestrictionType") {
        "whitelist" => is_listed,
        "blacklist" => !is_listed,
        _ => true,
    }
}

impl Exchange<'_> {
    /// The response to a request that the cache behavior does not allow as it is.
    fn check_behavior(&self, behavior: Behavior<'_>, scheme: Scheme) -> Option<EdgeResponse> {
        let request = self.request;
        if !behavior.allows(request.method().as_str()) {
            let reason = "This distribution is not configured to allow the HTTP method.";
            return Some(error_response(StatusCode::FORBIDDEN, reason));
        }
        match (behavior.viewer(), scheme) {
            ("redirect-to-https", Scheme::Http) => {
                let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
                Some(redirect(&format!("https://{}{path}", host_of(request))))
            }
            ("https-only", Scheme::Http) => {
                Some(error_response(StatusCode::FORBIDDEN, "Bad request: HTTPS is required."))
            }
            _ => None,
        }
    }

    async fn serve(&self, behavior: Behavior<'_>, host: &str, path: &str) -> EdgeResponse {
        let (mut path, mut change) = (path.to_owned(), None);
        if let Some(arn) = behavior.function("viewer-request") {
            match self.run_function(arn, host, &path) {
                Ok(FunctionResult::Request { uri, origin }) => (path, change) = (uri, origin),
                Ok(FunctionResult::Response { status, headers, body }) => {
                    return generated_response(status, &headers, body);
                }
                Err(reason) => {
                    let reason = format!("The CloudFront function associated with this distribution failed: {reason}");
                    return error_response(StatusCode::SERVICE_UNAVAILABLE, &reason);
                }
            }
        }
        let root = self.distribution.config.at("DefaultRootObject");
        if path == "/" && !root.is_empty() {
            path.push_str(root);
        }
        let response = self.cached_or_fetched(behavior, &path, change.as_ref()).await;
        // Functions at viewer-response are not invoked for errors of origins.
        // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html>
        match behavior.function("viewer-response") {
            _ if response.status.as_u16() >= 400 => self.with_custom_error(response).await,
            Some(arn) => self.with_changed_headers(response, arn, host, &path),
            None => response,
        }
    }

    fn with_changed_headers(&self, response: EdgeResponse, arn: &str, host: &str, path: &str) -> EdgeResponse {
        let changed = self.published(arn).and_then(|function| {
            let shown = (response.status, &response.headers);
            function::run_on_response(&function, &self.viewer_request(host, path), self.query(), shown)
        });
        match changed {
            Ok(headers) => EdgeResponse { headers, ..response },
            Err(reason) => {
                let reason = format!("The CloudFront function associated with this distribution failed: {reason}");
                error_response(StatusCode::BAD_GATEWAY, &reason)
            }
        }
    }

    fn run_function(&self, arn: &str, host: &str, path: &str) -> Result<FunctionResult, String> {
        function::run(&self.published(arn)?, &self.viewer_request(host, path), self.query())
    }

    /// The request as functions see it.
    fn viewer_request<'v>(&'v self, host: &'v str, uri: &'v str) -> ViewerRequest<'v> {
        let (method, headers) = (self.request.method(), self.request.headers());
        ViewerRequest { method, uri, host, headers, ip: self.viewer }
    }

    fn query(&self) -> &str {
        self.request.uri().query().unwrap_or_default()
    }

    /// The live stage of a function, with its key value store as edges see it.
    fn published(&self, arn: &str) -> Result<PublishedFunction, String> {
        let unreadable = self.edge.world.outages().stores_unreadable;
        let live = self.edge.world.account(|account, now| {
            let function = account.cloudfront.functions.values().find(|function| function.arn() == arn)?;
            let (config, code) = function.live.clone()?;
            let associated = config.items("KeyValueStoreAssociations").first();
            let store = associated.and_then(|one| account.cloudfront.store_by_arn(one.at("KeyValueStoreARN")));
            let store = store.map(|store| StoreData {
                id: store.id.clone(),
                created: rfc3339(store.created),
                updated: rfc3339(store.keys_modified),
                unreadable,
                keys: store.keys_at_edges(now.time).clone(),
            });
            let is_first = config.at("Runtime") == "cloudfront-js-1.0";
            Some((code, if is_first { JsRuntime::One } else { JsRuntime::Two }, store))
        });
        let (encoded, runtime, store) = live.ok_or("it is not published")?;
        let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded);
        let code = String::from_utf8_lossy(&decoded.map_err(|error| error.to_string())?).into_owned();
        let origins = self.distribution.config.items("Origins").iter().map(|origin| origin.at("Id").to_owned());
        Ok(PublishedFunction { code, runtime, module: ModuleData { store, origins: origins.collect() } })
    }

    /// The response from the cache or, when it is not fresh there, from an origin.
    /// A modified origin is not part of the cache key.
    async fn cached_or_fetched(
        &self,
        behavior: Behavior<'_>,
        path: &str,
        change: Option<&OriginChange>,
    ) -> EdgeResponse {
        let (world, cache) = (&self.edge.world, &self.edge.cache);
        let now = world.clock().now();
        let key = Key {
            distribution: self.distribution.id.clone(),
            target: behavior.target().to_owned(),
            path: path.to_owned(),
        };
        let cached = behavior.caches().then(|| cache.get(&key, &self.distribution.invalidations)).flatten();
        let age = |cached: &CachedResponse| now.duration_since(cached.stored).unwrap_or_default().as_secs();
        if let Some(fresh) = cached.as_ref().filter(|cached| now < cached.until) {
            let result = if fresh.status.as_u16() < 400 { CacheResult::Hit } else { CacheResult::Error };
            return edge_response(fresh, result, age(fresh));
        }
        let if_none_match = cached.as_ref().and_then(CachedResponse::etag);
        // What is cached for GET answers HEAD too.
        let asked = self.request.method();
        let method = if asked == Method::HEAD { &Method::GET } else { asked };
        let origin_request = OriginRequest { method, path, if_none_match };
        let Some(fetched) = self.fetch(behavior, &origin_request, change).await else {
            // A stale response is served when no origin responds.
            // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html>
            return match &cached {
                Some(stale) => edge_response(stale, CacheResult::Hit, age(stale)),
                None => error_response(StatusCode::GATEWAY_TIMEOUT, "The origin did not answer in time."),
            };
        };
        if let Some(stale) = cached.as_ref().filter(|_| fetched.status.is_server_error()) {
            return edge_response(stale, CacheResult::Hit, age(stale));
        }
        let (response, revalidated) = match cached {
            Some(cached) if fetched.status == StatusCode::NOT_MODIFIED => {
                let CachedResponse { status, headers, body, .. } = cached;
                (OriginResponse { status, headers, body }, true)
            }
            _ => (fetched, false),
        };
        let ttl = match response.status.as_u16() {
            // Some errors are cached only if the origin says so.
            // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html>
            status @ (400 | 403 | 412 | 415) => {
                let ttl = custom_error(self.distribution, status).ttl;
                max_age(&response.headers).map_or(Duration::ZERO, |age| age.max(ttl))
            }
            status @ 400.. => {
                let ttl = custom_error(self.distribution, status).ttl;
                max_age(&response.headers).unwrap_or_default().max(ttl)
            }
            _ => ttl_of(&response.headers, now),
        };
        let OriginResponse { status, headers, body } = response;
        let response = CachedResponse { status, headers, body, stored: now, until: now + ttl };
        if behavior.caches() && !ttl.is_zero() && response.body.len() as u64 <= MAX_RESPONSE {
            cache.put(key, response.clone());
        }
        let result = match (status.as_u16(), revalidated) {
            (400.., _) => CacheResult::Error,
            (_, true) => CacheResult::RefreshHit,
            (_, false) => CacheResult::Miss,
        };
        edge_response(&response, result, 0)
    }

    /// Tries the origins of the target in order, as its failover criteria say. The response is that of the last one that was tried.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html>
    async fn fetch(
        &self,
        behavior: Behavior<'_>,
        request: &OriginRequest<'_>,
        change: Option<&OriginChange>,
    ) -> Option<OriginResponse> {
        let world = &self.edge.world;
        let modified = change.map(|change| change.applied(self.distribution, behavior.target()));
        let target = match &modified {
            Some(modified) => Target::of(&modified.distribution, &modified.target),
            None => Target::of(self.distribution, behavior.target()),
        };
        for (index, origin) in target.origins.iter().enumerate() {
            let has_next = index + 1 < target.origins.len();
            match fetch(world, self.distribution, *origin, request).await {
                Some(response) if has_next && target.failover_codes.contains(&response.status.as_u16()) => {}
                Some(response) => return Some(response),
                None => {}
            }
        }
        None
    }

    async fn with_custom_error(&self, response: EdgeResponse) -> EdgeResponse {
        let custom = custom_error(self.distribution, response.status.as_u16());
        let Some(path) = custom.page else { return response };
        let Some(behavior) = Behavior::matching(self.distribution, &path) else { return response };
        let page = self.cached_or_fetched(behavior, &path, None).await;
        if page.status != StatusCode::OK {
            return response;
        }
        let status = StatusCode::from_u16(custom.status).unwrap_or(response.status);
        EdgeResponse { status, cache: CacheResult::Error, ..page }
    }
}

fn edge_response(cached: &CachedResponse, cache: CacheResult, age: u64) -> EdgeResponse {
    let CachedResponse { status, headers, body, .. } = cached.clone();
    EdgeResponse { status, headers, body, cache, age }
}

/// The response that a function generated.
fn generated_response(status: u16, headers: &[(String, String)], body: Vec<u8>) -> EdgeResponse {
    let mut response = error_response(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), "");
    response.headers.clear();
    response.body = body.into();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value.parse()) {
            response.headers.insert(name, value);
        }
    }
    response
}
