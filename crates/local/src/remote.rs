//! What an embedded cloud that another process serves says of itself, and is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use crate::plane::Directory;
use crate::server::{DIRECTORY, FAULTS, REQUESTS};
use crate::world::Faults;

/// How often each operation was asked for at the cloud served at an address. With `anew`, it starts counting anew.
/// `None` when nobody answers there.
pub async fn requests_at(address: SocketAddr, anew: bool) -> Option<BTreeMap<String, u64>> {
    ask(address, if anew { Method::DELETE } else { Method::GET }, REQUESTS, Bytes::new()).await
}

/// Where the data plane of the cloud served at an address is to be found. `None` when nobody answers there, or it has none.
pub async fn directory_at(address: SocketAddr) -> Option<Directory> {
    ask::<Option<Directory>>(address, Method::GET, DIRECTORY, Bytes::new()).await.flatten()
}

/// Breaks and mends the cloud served at an address. `None` when nobody answers there.
pub async fn break_at(address: SocketAddr, faults: &Faults) -> Option<Faults> {
    ask(address, Method::PUT, FAULTS, Bytes::from(serde_json::to_vec(faults).ok()?)).await
}

async fn ask<T: DeserializeOwned>(address: SocketAddr, method: Method, path: &str, body: Bytes) -> Option<T> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request = Request::builder().method(method).uri(path).header(http::header::HOST, address.to_string());
    let request = request.body(Full::new(body)).ok()?;
    let answer = async move {
        let body = sender.send_request(request).await.ok()?.into_body().collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    };
    let (answer, _) = futures::future::join(answer, connection).await;
    answer
}
