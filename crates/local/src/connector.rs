//! HTTP clients for the SDK that end in the embedded cloud: in this process, or in another one on this machine.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use s3s::Body;

use crate::Cloud;
use crate::fault::Refused;

pub(crate) fn in_process(cloud: &Cloud) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(InProcess(cloud.clone()));
    http_client_fn(move |_, _| connector.clone())
}

/// An HTTP client for the SDK that sends everything to one address and leaves the host name as it was: requests find
/// their service there just as they do in-process.
pub fn remote(address: SocketAddr) -> SharedHttpClient {
    let made: Mutex<Vec<(Timeouts, SharedHttpConnector)>> = Mutex::default();
    http_client_fn(move |settings, components| {
        // The SDK asks for every request, and a new connector would mean a new connection.
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = made.iter().find(|(other, _)| *other == timeouts) {
            return connector.clone();
        }
        let mut builder = Connector::builder().connector_settings(settings.clone());
        builder.set_sleep_impl(components.sleep_impl());
        let connector =
            SharedHttpConnector::new(Remote { address, connector: SharedHttpConnector::new(builder.build_http()) });
        made.push((timeouts, connector.clone()));
        connector
    })
}

/// What a connector is made for: how long to wait for a connection, and for an answer.
type Timeouts = (Option<Duration>, Option<Duration>);

#[derive(Debug)]
struct InProcess(Cloud);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            name_host(&mut request);
            let request = request.map(|body| match body.bytes() {
                Some(bytes) => Body::from(bytes::Bytes::copy_from_slice(bytes)),
                None => Body::http_body_unsync(body),
            });
            let response = cloud.call(request).await.map_err(|refused: Refused| ConnectorError::io(refused.into()))?;
            let response = response.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

#[derive(Debug)]
struct Remote {
    address: SocketAddr,
    connector: SharedHttpConnector,
}

impl HttpConnector for Remote {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let uri: Result<http::Uri, _> = request.uri().parse();
        let Ok(uri) = uri else {
            return HttpConnectorFuture::ready(Err(ConnectorError::user("the request has no valid address".into())));
        };
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        if request.headers().get("host").is_none() {
            request.headers_mut().insert("host", host);
        }
        if request.set_uri(format!("http://{}{path}", self.address)).is_err() {
            return HttpConnectorFuture::ready(Err(ConnectorError::user("the request has no valid address".into())));
        }
        self.connector.call(request)
    }
}

/// HTTP/1.1 requests carry their host in a header; the SDK's do so only in the address.
fn name_host(request: &mut http::Request<SdkBody>) {
    let host = request.uri().authority().and_then(|host| host.as_str().parse().ok());
    if let (None, Some(host)) = (request.headers().get(http::header::HOST), host) {
        request.headers_mut().insert(http::header::HOST, host);
    }
}
