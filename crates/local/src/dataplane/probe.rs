//! Probes of health checkers.
//!
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Context;
use crate::route53::CheckConfig;

/// The timeouts for connecting, and for the response after that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// In fast time, a busy machine may need longer than the rest of a timeout.
const BUSY: Duration = Duration::from_millis(500);
/// How many bytes of a body are searched.
const SEARCHED: usize = 5120;
/// How many bytes are read: headers, and the part of the body that is searched.
const READ: usize = 16 * 1024;

/// Probes an endpoint from a country. `Ok` when it is healthy, `Err` when not; both with the status text.
pub(super) async fn probe(
    config: &CheckConfig,
    address: Option<IpAddr>,
    country: &str,
    context: &Context,
) -> Result<String, String> {
    let patience = |time: Duration| context.world().clock().real(time).max(BUSY);
    let name = config.fully_qualified_domain_name.clone().unwrap_or_default();
    let tls = config.r#type.starts_with("HTTPS");
    let port = config.port.unwrap_or(if tls { 443 } else { 80 });
    let address = address.ok_or_else(|| format!("DNS resolution failed: {name}"))?;
    let connect = TcpStream::connect(SocketAddr::new(address, context.ports().local(port)));
    let stream = timeout(patience(CONNECT_TIMEOUT), connect).await.map_err(|_| "Connection timed out".to_owned())?;
    let stream = stream.map_err(|error| format!("Connection failed: {error}"))?;
    if config.r#type == "TCP" {
        return Ok("TCP connection established".to_owned());
    }
    let path = config.resource_path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Amazon-Route53-Health-Check-Service (embedded)\r\n\
         Accept: */*\r\nCloudFront-Viewer-Country: {country}\r\nConnection: close\r\n\r\n"
    );
    let answer = async {
        if !tls {
            return exchange(stream, &request).await;
        }
        let name =
            ServerName::try_from(if config.enable_sni == Some(true) { name.clone() } else { address.to_string() });
        let name = name.map_err(|error| format!("SSL alert: {error}"))?;
        let stream = TlsConnector::from(unverified_tls()?).connect(name, stream).await;
        exchange(stream.map_err(|error| format!("SSL alert: {error}"))?, &request).await
    };
    let answer = timeout(patience(RESPONSE_TIMEOUT), answer)
        .await
        .map_err(|_| "The endpoint did not respond in time".to_owned())??;
    verdict(&answer, config.search_string.as_deref())
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Result<Vec<u8>, String> {
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("Connection failed: {error}"))?;
    let mut answer = Vec::new();
    // A connection may be reset after the response.
    let read = (&mut stream).take(READ as u64).read_to_end(&mut answer).await;
    match read {
        Err(error) if answer.is_empty() => Err(format!("Connection failed: {error}")),
        _ if answer.is_empty() => Err("Connection failed: the endpoint closed it without an answer".to_owned()),
        _ => Ok(answer),
    }
}

fn verdict(answer: &[u8], search_string: Option<&str>) -> Result<String, String> {
    let text = String::from_utf8_lossy(answer);
    let status = text.split(' ').nth(1).unwrap_or_default();
    let status_text = format!("HTTP Status Code {status}");
    if !status.starts_with('2') && !status.starts_with('3') {
        return Err(status_text);
    }
    let Some(search_string) = search_string else { return Ok(status_text) };
    let body = answer.windows(4).position(|end| end == b"\r\n\r\n").map_or(&[][..], |at| &answer[at + 4..]);
    let body = String::from_utf8_lossy(&body[..body.len().min(SEARCHED)]);
    if body.contains(search_string) {
        Ok(format!("{status_text}, the search string was found"))
    } else {
        Err(format!("{status_text}, the search string was not found"))
    }
}

/// Route 53 does not verify certificates.
fn unverified_tls() -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let verifier = Arc::new(NoVerification(provider));
    Ok(Arc::new(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_and_the_search_string_decide() {
        let answer = |status: &str, body: &str| format!("HTTP/1.1 {status}\r\nServer: x\r\n\r\n{body}").into_bytes();
        assert!(verdict(&answer("200 OK", "all well"), Some("well")).is_ok());
        assert!(verdict(&answer("200 OK", "all well"), Some("ill")).unwrap_err().contains("not found"));
        assert!(verdict(&answer("301 Moved", ""), None).is_ok());
        assert_eq!(verdict(&answer("404 Not Found", "well"), Some("well")).unwrap_err(), "HTTP Status Code 404");
        let late = format!("{}well", "x".repeat(SEARCHED));
        assert!(verdict(&answer("200 OK", &late), Some("well")).is_err());
    }
}
