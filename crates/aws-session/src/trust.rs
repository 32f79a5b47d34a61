//! Trusted certificates.

use std::path::PathBuf;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::SessionError;
use crate::settings::{Setting, Settings};

/// Trusts the certificates of `AWS_CA_BUNDLE`, or of `ca_bundle` of the profile, and no others. If neither is set, those of the
/// operating system or, if it is set, of `SSL_CERT_FILE`.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>
pub(crate) fn configured(settings: &Settings) -> Result<TlsContext, SessionError> {
    let bundle = settings.get("AWS_CA_BUNDLE", "ca_bundle");
    let bundle = bundle.or_else(|| settings.variable("SSL_CERT_FILE"));
    let store = match bundle {
        Some(setting) => trusted(setting)?,
        None => TrustStore::default(),
    };
    Ok(TlsContext::builder().with_trust_store(store).build().unwrap_or_default())
}

/// The certificates of a file. Of a bundle that also contains certificates that cannot be used, as those of operating systems do, the
/// others are.
fn trusted(Setting { name: setting, value }: Setting) -> Result<TrustStore, SessionError> {
    let path = PathBuf::from(value);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(SessionError::CertificateFile { setting, path, source }),
    };
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok);
    let usable: Vec<_> = found.filter(|certificate| roots.add(certificate.clone()).is_ok()).collect();
    if usable.is_empty() {
        return Err(SessionError::NoCertificate { setting, path });
    }
    let mut store = TrustStore::empty();
    for certificate in usable {
        // On one line, which every reader of this format accepts.
        let encoded = STANDARD.encode(&certificate);
        store.add_pem_certificate(format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n"));
    }
    Ok(store)
}
