//! Errors of probes.

use std::error::Error;
use std::time::Duration;

type Source = Box<dyn Error + Send + Sync>;

/// Why a probe has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// No complete response within this time.
    #[error("no response within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The host has no address.
    #[error("no address for {0}")]
    NoAddress(String),
    /// The probe cannot be sent from here, for this reason.
    #[error("{0}")]
    Unavailable(String),
    /// The connection could not be established, or was closed.
    #[error(transparent)]
    Connection(#[from] std::io::Error),
    /// The TLS handshake has failed, for instance because the certificate is not for this host or not trusted.
    #[error("TLS: {0}")]
    Tls(#[source] Source),
    /// The trusted certificates could not be loaded.
    #[error("root certificates: {0}")]
    TrustStore(#[source] Source),
    /// The DNS message could not be encoded or decoded.
    #[error("malformed DNS message: {0}")]
    Dns(#[source] Source),
    /// The name server has responded with an error code.
    #[error("the name server responded: {0}")]
    NameServer(String),
    /// The HTTP request could not be sent, or its response could not be parsed.
    #[error("HTTP: {0}")]
    Http(#[source] Source),
}
