//! HTTP and HTTPS requests of visitors and health checkers.

use std::net::IpAddr;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::ca::ServerConfigs;
use super::net::{Destination, NewListener, Scheme, destination_of};
use super::{Context, api};
use crate::protocol::request::host_of;
use crate::s3::website;

/// The listeners of the data plane.
pub(super) struct Listeners {
    pub(super) tls: ServerConfigs,
    /// Those at the address that endpoints without an own one share.
    pub(super) shared: [(TcpListener, Scheme); 2],
    /// Those that are opened later.
    pub(super) added: UnboundedReceiver<NewListener>,
}

/// One listener and what its connections need.
#[derive(Clone)]
struct Port {
    context: Context,
    /// The endpoint at the address; `None` at the shared one.
    destination: Option<Destination>,
    /// Set for HTTPS.
    acceptor: Option<TlsAcceptor>,
}

impl Listeners {
    /// Serves until `stop` is cancelled.
    pub(super) async fn serve(self, context: Context, stop: CancellationToken) {
        let Self { tls, shared, mut added } = self;
        let mut listeners = JoinSet::new();
        let port = |destination: Option<Destination>, scheme| Port {
            context: context.clone(),
            acceptor: (scheme == Scheme::Https).then(|| tls.of(destination.as_ref())).flatten().map(TlsAcceptor::from),
            destination,
        };
        for (listener, scheme) in shared {
            listeners.spawn(port(None, scheme).accept(listener, stop.clone()));
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                next = added.recv() => {
                    let Some(NewListener { listener, destination, scheme }) = next else { break };
                    listeners.spawn(port(Some(destination), scheme).accept(listener, stop.clone()));
                }
            }
        }
        while listeners.join_next().await.is_some() {}
    }
}

impl Port {
    async fn accept(self, listener: TcpListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => {
                    // The client has disconnected already.
                    let Ok((stream, peer)) = accepted else { continue };
                    connections.spawn(self.clone().handshake(stream, peer.ip()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        connections.shutdown().await;
    }

    async fn handshake(self, stream: TcpStream, viewer: IpAddr) {
        // During an outage the connection is closed at once, or accepted and never used.
        if let Some(destination) = &self.destination
            && self.context.is_out(destination).await
        {
            return;
        }
        // It works without, only slower.
        drop(stream.set_nodelay(true));
        match self.acceptor.clone() {
            None => self.serve(stream, viewer).await,
            Some(acceptor) => {
                // A failed handshake ends the connection.
                if let Ok(stream) = acceptor.accept(stream).await {
                    self.serve(stream, viewer).await;
                }
            }
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, viewer: IpAddr) {
        let answer = service_fn(move |request: Request<Incoming>| {
            let port = self.clone();
            async move { port.answer(request, viewer).await }
        });
        let builder = Builder::new(TokioExecutor::new());
        // Errors are those of clients that disconnect.
        drop(builder.serve_connection(TokioIo::new(stream), answer).await);
    }

    async fn answer(&self, request: Request<Incoming>, viewer: IpAddr) -> Result<Response<Body>, Outage> {
        let (host, world) = (host_of(&request).to_ascii_lowercase(), self.context.world());
        // At the shared address, requests are routed by host.
        let destination = self.destination.clone().or_else(|| destination_of(&host)).unwrap_or_else(|| {
            let bucket = world.s3().bucket(&host).filter(|_| !self.context.edge().has_distribution(&host));
            bucket.map_or(Destination::Edge, |bucket| Destination::Website(bucket.region))
        });
        if self.context.is_out(&destination).await {
            return Err(Outage);
        }
        world.replicate_due();
        match destination {
            Destination::Edge => {
                let scheme = if self.acceptor.is_some() { Scheme::Https } else { Scheme::Http };
                Ok(self.context.edge().answer(&request.map(|_| ()), scheme, viewer).await)
            }
            Destination::Api(region) => Ok(api::answer(world, &region, &request.map(|_| ()), viewer).await),
            Destination::Website(region) => {
                // The bucket is named before the endpoint's suffix or, with a CNAME, by the whole host.
                let bucket = host.find(".s3-website").map_or(host.as_str(), |end| &host[..end]);
                if world.s3().bucket(bucket).is_none_or(|settings| settings.region != region) {
                    return Ok(website::error_page(404, "NoSuchBucket", "The specified bucket does not exist"));
                }
                if let Some(seconds) = world.outages().slow_regions.get(&region) {
                    world.clock().sleep(std::time::Duration::from_secs(*seconds)).await;
                }
                Ok(website::answer(world.s3(), bucket, &request.map(|_| Body::empty())))
            }
        }
    }
}

/// An outage: the connection breaks.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint does not respond: an outage is in force")]
struct Outage;
