//! HTTP clients for the AWS SDK that connect to the embedded cloud, in this process or in another one.

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
use crate::fault::ConnectionReset;

impl Cloud {
    /// An HTTP client for the AWS SDK that calls this cloud without a socket.
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(InProcess(self.clone()));
        http_client_fn(move |_, _| connector.clone())
    }
}

/// An HTTP client for the AWS SDK that sends every request to one address. The `Host` header is unchanged, so requests are
/// routed there as they are in-process.
pub fn http_client_at(address: SocketAddr) -> SharedHttpClient {
    let connectors: Mutex<Vec<(Timeouts, SharedHttpConnector)>> = Mutex::default();
    http_client_fn(move |settings, components| {
        // The SDK calls this for every request, and a new connector would open a new connection.
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = connectors.iter().find(|(other, _)| *other == timeouts) {
            return connector.clone();
        }
        let mut builder = Connector::builder().connector_settings(settings.clone());
        builder.set_sleep_impl(components.sleep_impl());
        let connector =
            SharedHttpConnector::new(Remote { address, connector: SharedHttpConnector::new(builder.build_http()) });
        connectors.push((timeouts, connector.clone()));
        connector
    })
}

/// The connect and read timeouts of a connector.
type Timeouts = (Option<Duration>, Option<Duration>);

#[derive(Debug)]
struct InProcess(Cloud);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut http_request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            add_host(&mut http_request);
            let cloud_request = http_request.map(|body| match body.bytes() {
                Some(bytes) => Body::from(bytes::Bytes::copy_from_slice(bytes)),
                None => Body::http_body_unsync(body),
            });
            let response =
                cloud.call(cloud_request).await.map_err(|reset: ConnectionReset| ConnectorError::io(reset.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
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

/// HTTP/1.1 requires a `Host` header; requests of the SDK have the host in the URI only.
fn add_host(request: &mut http::Request<SdkBody>) {
    let host = request.uri().authority().and_then(|host| host.as_str().parse().ok());
    if let (None, Some(host)) = (request.headers().get(http::header::HOST), host) {
        request.headers_mut().insert(http::header::HOST, host);
    }
}
