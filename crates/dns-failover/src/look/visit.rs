//! One visit: a request to an address that was told, under the name that visitors type.

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

use super::LookError;

/// Whom a visitor trusts.
#[derive(Clone, Debug)]
pub struct Roots(Arc<ClientConfig>);

impl Roots {
    /// Whom this machine trusts.
    ///
    /// # Errors
    /// [`LookError::Tls`] when it trusts nobody.
    pub fn system() -> Result<Self, LookError> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
            return Err(LookError::Tls(format!("this machine's root certificates: {why}")));
        }
        Self::of(found.certs)
    }

    /// One authority alone, in PEM form.
    ///
    /// # Errors
    /// [`LookError::Tls`] when that is no certificate.
    pub fn only(pem: &str) -> Result<Self, LookError> {
        let one = CertificateDer::from_pem_slice(pem.as_bytes());
        Self::of(vec![one.map_err(|error| LookError::Tls(error.to_string()))?])
    }

    fn of(certificates: Vec<CertificateDer<'static>>) -> Result<Self, LookError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| LookError::Tls(error.to_string()))?;
        Ok(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// What a visitor asks for.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The name in the address line.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
    /// The port.
    pub port: u16,
    /// Whom the visitor trusts, over HTTPS; `None` over HTTP.
    pub roots: Option<&'a Roots>,
}

/// What a visitor saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How long it took.
    pub took: Duration,
}

impl Seen {
    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// True when the answer came through `CloudFront`.
    pub fn through_cloudfront(&self) -> bool {
        self.headers.contains_key("x-cache") || self.header("via").contains("cloudfront")
    }
}

/// Visits an address. Redirects are not followed.
///
/// # Errors
/// [`LookError`] when no whole answer came.
pub async fn visit(address: IpAddr, visit: &Visit<'_>, patience: Duration) -> Result<Seen, LookError> {
    let since = Instant::now();
    let whole = async {
        let stream = TcpStream::connect(SocketAddr::new(address, visit.port)).await;
        let stream = stream.map_err(|error| LookError::Broken(error.to_string()))?;
        let Some(roots) = visit.roots else { return exchange(stream, visit).await };
        let name = ServerName::try_from(visit.host.to_owned()).map_err(|error| LookError::Tls(error.to_string()))?;
        let stream = TlsConnector::from(Arc::clone(&roots.0)).connect(name, stream).await;
        exchange(stream.map_err(|error| LookError::Tls(error.to_string()))?, visit).await
    };
    let (head, body) = timeout(patience, whole).await.map_err(|_| LookError::TimedOut(patience.as_secs()))??;
    Ok(Seen { status: head.status.as_u16(), headers: head.headers, body, took: since.elapsed() })
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    visit: &Visit<'_>,
) -> Result<(http::response::Parts, Bytes), LookError> {
    let broken = |error: hyper::Error| LookError::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = Request::builder().uri(visit.path).header("host", visit.host).header("user-agent", "twinsite");
    let request = request.header("connection", "close").body(Empty::<Bytes>::new());
    let request = request.map_err(|error| LookError::Unreadable(error.to_string()))?;
    let answer = async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok::<_, hyper::Error>((head, body.collect().await?.to_bytes()))
    };
    let (answer, _) = futures::future::join(answer, connection).await;
    answer.map_err(broken)
}
