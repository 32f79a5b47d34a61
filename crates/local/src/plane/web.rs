//! The sockets that visitors and health checkers come to.

use std::sync::Arc;

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

use super::Plane;
use super::net::{Opened, Place, place_of};
use crate::route::host_of;
use crate::website;

/// Answers at every address, also at those that are handed out later, until told to stop.
pub(super) async fn run(
    plane: Plane,
    tls: Arc<rustls::ServerConfig>,
    mut opened: UnboundedReceiver<Opened>,
    home: [(TcpListener, bool); 2],
    stop: CancellationToken,
) {
    let mut doors = JoinSet::new();
    let acceptor = TlsAcceptor::from(tls);
    for (listener, tls) in home {
        let acceptor = tls.then(|| acceptor.clone());
        doors.spawn(door(plane.clone(), listener, None, acceptor, stop.clone()));
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            next = opened.recv() => {
                let Some(Opened { listener, place, tls }) = next else { break };
                let acceptor = tls.then(|| acceptor.clone());
                doors.spawn(door(plane.clone(), listener, Some(place), acceptor, stop.clone()));
            }
        }
    }
    while doors.join_next().await.is_some() {}
}

/// One address and port.
async fn door(
    plane: Plane,
    listener: TcpListener,
    place: Option<Place>,
    acceptor: Option<TlsAcceptor>,
    stop: CancellationToken,
) {
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => {
                // A connection that was gone before it was taken is nobody's loss.
                let Ok((stream, _)) = accepted else { continue };
                // Nobody is behind this door: the connection is closed without a word.
                if place.as_ref().is_some_and(|place| plane.is_out(place)) {
                    continue;
                }
                visits.spawn(visit(plane.clone(), stream, place.clone(), acceptor.clone()));
            }
            Some(_) = visits.join_next() => {}
        }
    }
    visits.shutdown().await;
}

async fn visit(plane: Plane, stream: TcpStream, place: Option<Place>, acceptor: Option<TlsAcceptor>) {
    // A socket that refuses still serves.
    drop(stream.set_nodelay(true));
    match acceptor {
        None => serve(plane, stream, place, false).await,
        Some(acceptor) => {
            // Whoever speaks no TLS is not served.
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(plane, stream, place, true).await;
            }
        }
    }
}

async fn serve(
    plane: Plane,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    place: Option<Place>,
    tls: bool,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let (plane, place) = (plane.clone(), place.clone());
        async move { plane.answer_web(request, place, tls).await }
    });
    let builder = Builder::new(TokioExecutor::new());
    // A visitor who goes away in the middle is not missed.
    drop(builder.serve_connection(TokioIo::new(stream), answer).await);
}

/// Nobody is there: the connection breaks.
#[derive(Debug, thiserror::Error)]
#[error("the embedded cloud was told not to answer")]
pub(super) struct Out;

impl Plane {
    async fn answer_web(
        &self,
        request: Request<Incoming>,
        place: Option<Place>,
        tls: bool,
    ) -> Result<Response<Body>, Out> {
        let host = host_of(&request).to_ascii_lowercase();
        // At the address that everything shares, the name decides.
        let place = place.or_else(|| place_of(&host)).unwrap_or_else(|| {
            let bucket = self.world().bucket(&host).filter(|_| !self.edge().knows(&host));
            bucket.map_or(Place::Edge, |bucket| Place::Website(bucket.region))
        });
        if self.is_out(&place) {
            return Err(Out);
        }
        self.cloud().settle();
        match place {
            Place::Edge => Ok(self.edge().answer(&request.map(|_| ()), tls).await),
            Place::Website(region) => Ok(self.website(&request.map(|_| Body::empty()), &host, &region)),
        }
    }

    /// The bucket is the part in front of the endpoint's name or, behind a CNAME, the whole name.
    fn website(&self, request: &Request<Body>, host: &str, region: &str) -> Response<Body> {
        let bucket = host.find(".s3-website").map_or(host, |at| &host[..at]);
        let here = self.world().bucket(bucket).is_some_and(|bucket| bucket.region == region);
        if !here {
            return website::failure(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        website::answer(self.world(), bucket, request)
    }
}
