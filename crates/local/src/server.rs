//! Serves the embedded cloud on localhost.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Cloud;
use crate::context::Outages;
use crate::context::WeatherSettings;
use crate::fault::{Pause, PauseStatus};
use crate::protocol::reply::typed;
use crate::protocol::request::host_of;

/// The server could not listen.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be listened on: {source}")]
#[non_exhaustive]
pub struct ServeError {
    /// The address.
    pub address: SocketAddr,
    source: std::io::Error,
}

/// Request counts: `GET` returns them, `DELETE` returns and resets them. No bucket name can start with an underscore.
pub(crate) const REQUESTS: &str = "/_twinsite/requests";
/// Where the data plane listens: `GET`.
pub(crate) const ENDPOINTS: &str = "/_twinsite/endpoints";
/// Outages: `GET` returns them, `PUT` replaces them.
pub(crate) const FAULTS: &str = "/_twinsite/faults";
/// A request to hold: `PUT` sets it, `GET` returns its status, `DELETE` releases it.
pub(crate) const PAUSE: &str = "/_twinsite/pause";

/// The weather: `GET` returns it, `PUT` replaces it.
pub(crate) const WEATHER: &str = "/_twinsite/weather";

/// The size of the largest request to a control endpoint, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Listens on localhost. Port 0 takes any free one.
pub async fn listen(port: u16) -> Result<TcpListener, ServeError> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpListener::bind(address).await.map_err(|source| ServeError { address, source })
}

/// Serves every service until `shutdown` resolves, then finishes the requests in flight.
pub async fn serve(listener: TcpListener, cloud: Cloud, shutdown: impl Future<Output = ()>) {
    accept(listener, shutdown, move |request: Request<Incoming>| {
        let cloud = cloud.clone();
        async move {
            match request.uri().path() {
                REQUESTS | ENDPOINTS | FAULTS | PAUSE | WEATHER if is_local(host_of(&request)) => {
                    Ok(control(&cloud, request).await)
                }
                REQUESTS | ENDPOINTS | FAULTS | PAUSE | WEATHER => {
                    Ok(typed(StatusCode::FORBIDDEN, "text/plain", "this is for programs on this machine\n".to_owned()))
                }
                _ => cloud.call(request.map(Body::from)).await,
            }
        }
    })
    .await;
}

/// Whether a host names this machine. A page on the web could reach the control endpoints by a name of its own that leads
/// here, but its requests have that name.
fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

/// Answers the control endpoints, which tests and commands in other processes use.
async fn control(cloud: &Cloud, request: Request<Incoming>) -> Response<Body> {
    let (head, incoming) = request.into_parts();
    let Ok(body) = Limited::new(incoming, MAX_BODY).collect().await.map(Collected::to_bytes) else {
        return typed(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", String::new());
    };
    match (&head.method, head.uri.path()) {
        (&Method::GET, REQUESTS) => json(&cloud.request_counts()),
        (&Method::DELETE, REQUESTS) => {
            let counts = cloud.request_counts();
            cloud.reset_request_counts();
            json(&counts)
        }
        (&Method::GET, ENDPOINTS) => json(&cloud.endpoints()),
        (&Method::GET, FAULTS) => json(&cloud.world().outages()),
        (&Method::PUT, FAULTS) => replace(&body, |outages: Outages| {
            cloud.world().set_outages(outages.clone());
            outages
        }),
        (&Method::GET, WEATHER) => json(&cloud.world().weather()),
        (&Method::PUT, WEATHER) => replace(&body, |settings: WeatherSettings| {
            // A disk that fails is reported to the next request that changes something.
            drop(cloud.world().set_weather(settings));
            settings
        }),
        (&Method::GET, PAUSE) => json(&cloud.pause_status()),
        (&Method::PUT, PAUSE) => replace(&body, |pause: Pause| {
            cloud.pause_at(pause);
            cloud.pause_status()
        }),
        (&Method::DELETE, PAUSE) => {
            cloud.release();
            json(&None::<PauseStatus>)
        }
        _ => typed(StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new()),
    }
}

fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_string(value) {
        Ok(text) => typed(StatusCode::OK, "application/json", text),
        Err(error) => typed(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
    }
}

fn replace<T: DeserializeOwned, R: Serialize>(body: &[u8], set: impl FnOnce(T) -> R) -> Response<Body> {
    match serde_json::from_slice(body) {
        Ok(value) => json(&set(value)),
        Err(error) => typed(StatusCode::BAD_REQUEST, "text/plain", error.to_string()),
    }
}

/// Serves the website endpoint of one bucket until `shutdown` resolves.
pub async fn serve_website(listener: TcpListener, cloud: Cloud, bucket: String, shutdown: impl Future<Output = ()>) {
    let bucket: Arc<str> = bucket.into();
    accept(listener, shutdown, move |request: Request<Incoming>| {
        let answer = cloud.website(&bucket, &request.map(Body::from));
        async move { Ok::<_, Infallible>(answer) }
    })
    .await;
}

async fn accept<H, F, E>(listener: TcpListener, shutdown: impl Future<Output = ()>, handle: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut shutdown = pin!(shutdown);
    let mut connections = JoinSet::new();
    let graceful = tokio_util::sync::CancellationToken::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => {
                // The client has disconnected already.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, handle.clone(), graceful.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    graceful.cancel();
    while connections.join_next().await.is_some() {}
}

async fn connection<H, F, E>(stream: TcpStream, handle: H, graceful: tokio_util::sync::CancellationToken)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    // Otherwise small responses wait for the client's delayed acknowledgement. It works without, only slower.
    drop(stream.set_nodelay(true));
    let builder = Builder::new(TokioExecutor::new());
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service_fn(handle)));
    tokio::select! {
        // Errors are those of clients that disconnect.
        _ = served.as_mut() => return,
        () = graceful.cancelled() => served.as_mut().graceful_shutdown(),
    }
    drop(served.await);
}
