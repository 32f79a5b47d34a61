//! Why there is no session.

use std::io;
use std::path::PathBuf;

/// Settings of the environment or of the profile that cannot be followed. No message contains the value of a proxy's URL, which may
/// have credentials in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The file of trusted certificates could not be read.
    #[error("`{}`, the file of trusted certificates that `{setting}` names, cannot be read: {source}", .path.display())]
    CertificateFile {
        /// The environment variable or the setting of the profile.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of trusted certificates has none.
    #[error("`{}`, the file of trusted certificates that `{setting}` names, contains no certificate in PEM format", .path.display())]
    NoCertificate {
        /// The environment variable or the setting of the profile.
        setting: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A proxy's URL has no host, or a scheme that is not supported.
    #[error("the proxy in `{variable}` {problem}")]
    Proxy {
        /// The environment variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An endpoint is no URL.
    #[error("the endpoint `{url}` of `{setting}` is not an HTTP or HTTPS URL")]
    Endpoint {
        /// The option, environment variable or setting of the profile.
        setting: String,
        /// Its value.
        url: String,
    },
}
