//! HTTP requests to a chosen address, whatever DNS returns for the host.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::ProbeError;

/// The root certificates that are trusted.
#[derive(Clone, Debug)]
pub struct TrustStore(Arc<ClientConfig>);

impl TrustStore {
    /// The root certificates of the operating system.
    ///
    /// # Errors
    /// [`ProbeError::TrustStore`] if there are none.
    pub fn system() -> Result<Self, ProbeError> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let cause = found.errors.into_iter().next();
            return Err(ProbeError::TrustStore(cause.map_or_else(|| "none found".into(), Into::into)));
        }
        Self::from_certificates(found.certs)
    }

    /// A single root certificate in PEM form.
    ///
    /// # Errors
    /// [`ProbeError::TrustStore`] if it cannot be parsed.
    pub fn from_pem(pem: &str) -> Result<Self, ProbeError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
        Self::from_certificates(vec![certificate.map_err(|error| ProbeError::TrustStore(error.into()))?])
    }

    fn from_certificates(certificates: Vec<CertificateDer<'static>>) -> Result<Self, ProbeError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| ProbeError::TrustStore(error.into()))?;
        Ok(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// A GET request.
#[derive(Clone, Copy, Debug)]
pub struct HttpRequest<'a> {
    /// The host, for the `Host` header and the TLS handshake.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
    /// The port.
    pub port: u16,
    /// The trusted root certificates for HTTPS; `None` for HTTP.
    pub tls: Option<&'a TrustStore>,
}

/// A response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The time from the start of the connection to the end of the body.
    pub took: Duration,
}

impl Response {
    /// The value of a header; empty if it is missing or not ASCII.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// True if the response came through CloudFront.
    pub fn is_from_cloudfront(&self) -> bool {
        self.headers.contains_key("x-cache") || self.header("via").contains("cloudfront")
    }
}

/// Sends a GET request to an address. Does not follow redirects.
///
/// # Errors
/// [`ProbeError`] if no complete response was received within the time limit.
pub async fn http_get(address: IpAddr, request: &HttpRequest<'_>, limit: Duration) -> Result<Response, ProbeError> {
    let started = Instant::now();
    let exchange = async {
        let stream = TcpStream::connect(SocketAddr::new(address, request.port)).await?;
        let Some(TrustStore(config)) = request.tls else { return send(stream, request).await };
        let host = ServerName::try_from(request.host.to_owned()).map_err(|error| ProbeError::Tls(error.into()))?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(host, stream).await;
        send(stream.map_err(|error| ProbeError::Tls(error.into()))?, request).await
    };
    let response = timeout(limit, exchange).await.map_err(|_| ProbeError::TimedOut(limit))??;
    let (head, body) = response.into_parts();
    Ok(Response { status: head.status.as_u16(), headers: head.headers, body, took: started.elapsed() })
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: &HttpRequest<'_>,
) -> Result<http::Response<Bytes>, ProbeError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(http_error)?;
    let request = Request::builder().uri(request.path).header("host", request.host).header("user-agent", "twinsite");
    let request = request.header("connection", "close").body(Empty::<Bytes>::new()).map_err(http_error)?;
    let response = async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(http::Response::from_parts(head, body.collect().await?.to_bytes()))
    };
    // The connection has to be driven until the response is complete.
    let (response, _) = futures::future::join(response, connection).await;
    response.map_err(|error: hyper::Error| http_error(error))
}

fn http_error(error: impl std::error::Error + Send + Sync + 'static) -> ProbeError {
    ProbeError::Http(Box::new(error))
}
