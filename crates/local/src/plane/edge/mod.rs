//! CloudFront's edges: requests are routed by host, answered from what is remembered, or asked of the origins as the
//! distribution's configuration says.

mod cache;
mod dress;
mod function;
mod origin;
mod rules;

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use s3s::Body;

use crate::route::host_of;
use crate::world::World;
use crate::world::cloudfront::Distribution;
use cache::{Cache, Kept, Key, LARGEST, lifetime};
use dress::{How, Ready, dressed, failure, redirect};
use function::Made;
use origin::{Ask, Fetched, fetch};
use rules::{Behavior, Route, error_page};

/// All edges, which remember the same.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    world: World,
    cache: Arc<Cache>,
}

/// A request on its way.
struct Trip<'a> {
    edge: &'a Edge,
    distribution: &'a Distribution,
    request: &'a Request<()>,
}

impl Edge {
    pub(super) fn new(world: World) -> Self {
        Self { world, cache: Arc::default() }
    }

    /// Answers a visitor.
    pub(super) async fn answer(&self, request: &Request<()>, tls: bool) -> Response<Body> {
        let host = host_of(request).to_ascii_lowercase();
        let Some(distribution) = self.distribution(&host) else {
            let why = "The request could not be satisfied: no distribution answers to this name.";
            return dressed(failure(StatusCode::FORBIDDEN, why), request, None);
        };
        let trip = Trip { edge: self, distribution: &distribution, request };
        let path = request.uri().path().to_owned();
        let behavior = Behavior::of(&distribution, &path);
        let Some(behavior) = behavior else {
            return dressed(failure(StatusCode::INTERNAL_SERVER_ERROR, "There is no cache behavior."), request, None);
        };
        let ready = match trip.turned_away(behavior, tls) {
            Some(ready) => ready,
            None => trip.served(behavior, &host, path).await,
        };
        dressed(ready, request, Some(behavior))
    }

    /// True when a distribution answers to a name.
    pub(super) fn knows(&self, host: &str) -> bool {
        self.distribution(host).is_some()
    }

    /// The distribution that answers to a name.
    fn distribution(&self, host: &str) -> Option<Distribution> {
        let wild = |alias: &str| {
            alias.strip_prefix('*').is_some_and(|rest| {
                host.strip_suffix(rest).is_some_and(|label| !label.is_empty() && !label.contains('.'))
            })
        };
        self.world.account(|account, _| {
            let mut enabled = account.cloudfront.distributions().filter(|distribution| distribution.enabled());
            let answers = |one: &&Distribution| {
                one.domain() == host || one.aliases().any(|alias| alias.eq_ignore_ascii_case(host) || wild(alias))
            };
            enabled.find(answers).cloned()
        })
    }
}

impl Trip<'_> {
    /// What is answered without looking any further.
    fn turned_away(&self, behavior: Behavior<'_>, tls: bool) -> Option<Ready> {
        let request = self.request;
        if !behavior.allows(request.method().as_str()) {
            return Some(failure(
                StatusCode::FORBIDDEN,
                "This distribution is not configured to allow the HTTP method.",
            ));
        }
        match (behavior.viewer(), tls) {
            ("redirect-to-https", false) => {
                let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
                Some(redirect(&format!("https://{}{path}", host_of(request))))
            }
            ("https-only", false) => Some(failure(StatusCode::FORBIDDEN, "Bad request: HTTPS is required.")),
            _ => None,
        }
    }

    async fn served(&self, behavior: Behavior<'_>, host: &str, mut path: String) -> Ready {
        if let Some(arn) = behavior.function() {
            match self.through_function(arn, host, &path) {
                Ok(Made::Request { uri }) => path = uri,
                Ok(Made::Response { status, headers }) => return answered(status, &headers),
                Err(why) => {
                    let why = format!("The CloudFront function associated with this distribution failed: {why}");
                    return failure(StatusCode::SERVICE_UNAVAILABLE, &why);
                }
            }
        }
        let root = self.distribution.config.at("DefaultRootObject");
        if path == "/" && !root.is_empty() {
            path.push_str(root);
        }
        let ready = self.looked_up(behavior, &path).await;
        if ready.status.as_u16() < 400 { ready } else { self.with_error_page(ready).await }
    }

    fn through_function(&self, arn: &str, host: &str, path: &str) -> Result<Made, String> {
        let code = self.edge.world.account(|account, _| {
            let function = account.cloudfront.functions.values().find(|function| function.arn() == arn);
            function.and_then(|function| function.live.as_ref().map(|(_, code)| code.clone()))
        });
        let code = code.ok_or("it is not published")?;
        let code = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, code);
        let code = code.map_err(|error| error.to_string())?;
        function::run(&String::from_utf8_lossy(&code), self.request.method().as_str(), path, host)
    }

    /// From what is remembered, or from an origin.
    async fn looked_up(&self, behavior: Behavior<'_>, path: &str) -> Ready {
        let (world, cache) = (&self.edge.world, &self.edge.cache);
        let now = world.clock().now();
        let key = Key {
            distribution: self.distribution.id.clone(),
            target: behavior.target().to_owned(),
            path: path.to_owned(),
            head: self.request.method() == Method::HEAD,
        };
        let kept = behavior.caches().then(|| cache.get(&key, &self.distribution.invalidations)).flatten();
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.until) {
            let age = now.duration_since(kept.stored).unwrap_or_default().as_secs();
            let how = if kept.status.as_u16() < 400 { How::Hit } else { How::Error };
            return ready(kept, how, age);
        }
        let known = kept.as_ref().and_then(Kept::etag);
        let Some(fetched) = self.fetched(behavior, &Ask { method: self.request.method(), path, known }).await else {
            // What has run out is better than nothing.
            // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html>
            return match &kept {
                Some(kept) => ready(kept, How::Hit, now.duration_since(kept.stored).unwrap_or_default().as_secs()),
                None => failure(StatusCode::GATEWAY_TIMEOUT, "The origin did not answer in time."),
            };
        };
        let refreshed = fetched.status == StatusCode::NOT_MODIFIED;
        let fetched = match (&kept, refreshed) {
            (Some(kept), true) => {
                Fetched { status: kept.status, headers: kept.headers.clone(), body: kept.body.clone() }
            }
            _ => fetched,
        };
        let lives = match fetched.status.as_u16() {
            status @ 400.. => error_page(self.distribution, status).ttl,
            _ => lifetime(&fetched.headers, now),
        };
        let Fetched { status, headers, body } = fetched;
        let until = now + lives;
        let kept = Kept { status, headers, body, stored: now, until };
        if behavior.caches() && kept.body.len() as u64 <= LARGEST {
            cache.put(key, kept.clone());
        }
        let how = match (status.as_u16(), refreshed) {
            (400.., _) => How::Error,
            (_, true) => How::RefreshHit,
            _ => How::Miss,
        };
        ready(&kept, how, 0)
    }

    /// Asks one origin after the other, as the origin group says.
    async fn fetched(&self, behavior: Behavior<'_>, ask: &Ask<'_>) -> Option<Fetched> {
        let world = &self.edge.world;
        let route = Route::of(self.distribution, behavior.target());
        let mut last = None;
        for (index, origin) in route.origins.iter().enumerate() {
            let more = index + 1 < route.origins.len();
            match fetch(world, self.distribution, *origin, ask).await {
                Some(fetched) if more && route.failover.contains(&fetched.status.as_u16()) => last = Some(fetched),
                Some(fetched) => return Some(fetched),
                // Whoever does not answer is waited for, as often and as long as the origin's settings say.
                None => world.clock().sleep(origin.patience()).await,
            }
        }
        last
    }

    async fn with_error_page(&self, ready: Ready) -> Ready {
        let wanted = error_page(self.distribution, ready.status.as_u16());
        let Some(page) = wanted.page else { return ready };
        let Some(behavior) = Behavior::of(self.distribution, &page) else { return ready };
        let shown = self.looked_up(behavior, &page).await;
        if shown.status != StatusCode::OK {
            return ready;
        }
        Ready { status: StatusCode::from_u16(wanted.status).unwrap_or(ready.status), how: How::Error, ..shown }
    }
}

fn ready(kept: &Kept, how: How, age: u64) -> Ready {
    Ready { status: kept.status, headers: kept.headers.clone(), body: kept.body.clone(), how, age }
}

/// What a function answered itself.
fn answered(status: u16, headers: &[(String, String)]) -> Ready {
    let mut ready = failure(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), "");
    ready.headers.clear();
    ready.body = bytes::Bytes::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::from_bytes(name.as_bytes()), value.parse()) {
            ready.headers.insert(name, value);
        }
    }
    ready
}
