//! A cloud that is served, and requests to it over plain sockets: independent of any HTTP client.

use std::net::SocketAddr;
use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use twinsite_local::{Cloud, listen, serve};

/// A cloud that is served for as long as this is there.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Served {
    pub(crate) async fn new(cloud: &Cloud) -> Self {
        let listener = listen(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, cloud.clone(), std::future::pending()));
        Self { address, _tasks: tasks }
    }

    /// Sends a presigned request as it is, with further parameters, headers and a body.
    pub(crate) async fn send(&self, request: &PresignedRequest, headers: &str, body: &str) -> String {
        let (host, target) = request.uri().split_once("://").unwrap().1.split_once('/').unwrap();
        let signed = request.headers().fold(String::new(), |all, (name, value)| all + &format!("{name}: {value}\r\n"));
        let method = request.method();
        let head = format!("{method} /{target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
        exchange(self.address, &format!("{head}{signed}{headers}Connection: close\r\n\r\n{body}")).await
    }
}

/// For how long requests are presigned.
pub(crate) fn presigned() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_mins(1)).unwrap()
}

/// Sends bytes, and reads text until the connection is closed.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> String {
    String::from_utf8_lossy(&exchange_bytes(address, request).await).into_owned()
}

/// Sends bytes, and reads until the connection is closed.
pub(crate) async fn exchange_bytes(address: SocketAddr, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    response
}
