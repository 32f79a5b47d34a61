//! The counts of an embedded cloud that another process serves.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::server::REQUESTS;

/// How often each operation was asked for at the cloud served at an address. With `anew`, it starts counting anew.
/// `None` when nobody answers there.
pub async fn requests_at(address: SocketAddr, anew: bool) -> Option<BTreeMap<String, u64>> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let method = if anew { Method::DELETE } else { Method::GET };
    let request = Request::builder().method(method).uri(REQUESTS).header(http::header::HOST, address.to_string());
    let request = request.body(Empty::<Bytes>::new()).ok()?;
    let answer = async move {
        let body = sender.send_request(request).await.ok()?.into_body().collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    };
    let (answer, _) = futures::future::join(answer, connection).await;
    answer
}
