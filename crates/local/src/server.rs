//! The embedded cloud on localhost.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::Body;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Cloud;
use crate::wire::reply::typed;

/// Why the embedded cloud could not be served.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be listened on: {source}")]
pub struct ServeError {
    /// The address.
    pub address: SocketAddr,
    source: std::io::Error,
}

/// Where a served cloud tells its counts. No bucket's name can begin so.
pub(crate) const REQUESTS: &str = "/_twinsite/requests";
/// Where it says how to find its data plane.
pub(crate) const DIRECTORY: &str = "/_twinsite/directory";
/// Where it is broken and mended: `GET` shows what is out of order, `PUT` sets it.
pub(crate) const FAULTS: &str = "/_twinsite/faults";

/// Listens on localhost. Port 0 takes any free one.
pub async fn listen(port: u16) -> Result<TcpListener, ServeError> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpListener::bind(address).await.map_err(|source| ServeError { address, source })
}

/// Serves every service until `shutdown` resolves, then lets the requests in flight finish.
pub async fn serve(listener: TcpListener, cloud: Cloud, shutdown: impl Future<Output = ()>) {
    accept(listener, shutdown, move |request: Request<Incoming>| {
        let cloud = cloud.clone();
        async move {
            match request.uri().path() {
                REQUESTS => Ok(requests(&cloud, request.method())),
                DIRECTORY => Ok(typed(StatusCode::OK, "application/json", json!(cloud.directory()).to_string())),
                FAULTS => Ok(faults(&cloud, request).await),
                _ => cloud.call(request.map(Body::from)).await,
            }
        }
    })
    .await;
}

/// Tells how often each operation was asked for; `DELETE` starts counting anew.
fn requests(cloud: &Cloud, method: &Method) -> Response<Body> {
    let counts = serde_json::json!(cloud.requests()).to_string();
    if method == Method::DELETE {
        cloud.forget_requests();
    }
    typed(StatusCode::OK, "application/json", counts)
}

async fn faults(cloud: &Cloud, request: Request<Incoming>) -> Response<Body> {
    if request.method() == Method::PUT {
        let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        match serde_json::from_slice(&body) {
            Ok(faults) => cloud.world().set_faults(faults),
            Err(error) => return typed(StatusCode::BAD_REQUEST, "text/plain", error.to_string()),
        }
    }
    typed(StatusCode::OK, "application/json", json!(cloud.world().faults()).to_string())
}

/// Serves one bucket's website endpoint until `shutdown` resolves.
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
                // A connection that was gone before it was taken is nobody's loss.
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
    // Without it, small answers wait for the client's delayed acknowledgement. A socket that refuses still serves.
    drop(stream.set_nodelay(true));
    let builder = Builder::new(TokioExecutor::new());
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service_fn(handle)));
    tokio::select! {
        // A client that goes away in the middle is the client's affair.
        _ = served.as_mut() => return,
        () = graceful.cancelled() => served.as_mut().graceful_shutdown(),
    }
    drop(served.await);
}
