//! Requests to the control endpoints of an embedded cloud in another process.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use crate::context::Endpoints;
use crate::context::Outages;
use crate::context::WeatherSettings;
use crate::server::{ENDPOINTS, FAULTS, REQUESTS, WEATHER};

/// The request counts of the cloud served at an address. `None` when nothing answers there.
pub async fn request_counts_at(address: SocketAddr) -> Option<BTreeMap<String, u64>> {
    call(address, Method::GET, REQUESTS).await
}

/// Returns and resets the request counts of the cloud served at an address. `None` when nothing answers there.
pub async fn reset_request_counts_at(address: SocketAddr) -> Option<BTreeMap<String, u64>> {
    call(address, Method::DELETE, REQUESTS).await
}

/// Where the data plane of the cloud served at an address listens. `None` when nothing answers there, or it has none.
pub async fn endpoints_at(address: SocketAddr) -> Option<Endpoints> {
    call::<Option<Endpoints>>(address, Method::GET, ENDPOINTS).await.flatten()
}

/// The weather of the cloud served at an address. `None` when nothing answers there.
pub async fn weather_at(address: SocketAddr) -> Option<WeatherSettings> {
    call(address, Method::GET, WEATHER).await
}

/// Changes the weather of the cloud served at an address. `None` when nothing answers there.
pub async fn set_weather_at(address: SocketAddr, settings: WeatherSettings) -> Option<()> {
    let body = serde_json::to_vec(&settings).ok()?;
    let changed: WeatherSettings = send(address, Method::PUT, WEATHER, body.into()).await?;
    (changed == settings).then_some(())
}

/// The outages in force in the cloud served at an address. `None` when nothing answers there.
pub async fn outages_at(address: SocketAddr) -> Option<Outages> {
    call(address, Method::GET, FAULTS).await
}

/// Starts and ends outages in the cloud served at an address. `None` when nothing answers there.
pub async fn set_outages_at(address: SocketAddr, outages: Outages) -> Option<()> {
    let body = serde_json::to_vec(&outages).ok()?;
    let changed: Outages = send(address, Method::PUT, FAULTS, body.into()).await?;
    (changed == outages).then_some(())
}

async fn call<T: DeserializeOwned>(address: SocketAddr, method: Method, path: &str) -> Option<T> {
    send(address, method, path, Bytes::new()).await
}

async fn send<T: DeserializeOwned>(address: SocketAddr, method: Method, path: &str, body: Bytes) -> Option<T> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let builder = Request::builder().method(method).uri(path).header(http::header::HOST, address.to_string());
    let request = builder.body(Full::new(body)).ok()?;
    let response = async move {
        let body = sender.send_request(request).await.ok()?.into_body().collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    };
    futures::future::join(response, connection).await.0
}
