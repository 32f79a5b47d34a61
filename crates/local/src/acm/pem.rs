//! PEM-encoded certificates and keys, as `ImportCertificate` receives them.
//!
//! <https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html>

use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

/// What an import was accepted with.
pub(super) struct Imported {
    /// The DNS names that the certificate covers, in its order.
    pub(super) names: Vec<String>,
    /// `RSA_2048`, `EC_prime256v1`…
    pub(super) key_algorithm: String,
}

/// Checks that there is one certificate, that the key is its own, and that the chain leads on from it.
pub(super) fn import(certificate: &str, key: &str, chain: Option<&str>) -> Result<Imported, String> {
    let certificates = decoded(certificate)?;
    let [body] = &certificates[..] else {
        return Err(
            "The certificate field contains more than one certificate. You can specify only one certificate in \
                    this field."
                .to_owned(),
        );
    };
    let parsed = parsed(body)?;
    check_key(body, key)?;
    if let Some(chain) = chain.filter(|chain| !chain.is_empty()) {
        check_chain(&parsed, &decoded(chain)?)?;
    }
    Ok(Imported { names: names(&parsed)?, key_algorithm: key_algorithm(&parsed) })
}

/// The certificates of a field, each as DER.
fn decoded(field: &str) -> Result<Vec<Vec<u8>>, String> {
    let bytes = bytes(field);
    let blocks = Pem::iter_from_buffer(&bytes).collect::<Result<Vec<_>, _>>().map_err(|_| malformed())?;
    let certificates = blocks.iter().all(|block| block.label == "CERTIFICATE");
    if blocks.is_empty() || !certificates {
        Err(malformed())
    } else {
        Ok(blocks.into_iter().map(|b| b.contents).collect())
    }
}

fn malformed() -> String {
    "The certificate is not a valid PEM-encoded X.509 certificate.".to_owned()
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    parse_x509_certificate(der).map(|(_, certificate)| certificate).map_err(|_| malformed())
}

/// Blobs are base64-encoded in JSON.
fn bytes(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// The key has to be unencrypted, and that of the certificate.
fn check_key(certificate: &[u8], key: &str) -> Result<(), String> {
    let key = PrivateKeyDer::from_pem_slice(&bytes(key)).map_err(|_| "The private key is not supported.".to_owned())?;
    let key = any_supported_type(&key).map_err(|_| "The private key is not supported.".to_owned())?;
    let pair = CertifiedKey::new(vec![CertificateDer::from(certificate.to_vec())], Arc::clone(&key));
    pair.keys_match().map_err(|_| "The private key does not match the certificate.".to_owned())
}

/// Each certificate is issued by the next.
fn check_chain(certificate: &X509Certificate<'_>, chain: &[Vec<u8>]) -> Result<(), String> {
    let mut issuer = certificate.issuer().as_raw().to_vec();
    for (index, der) in chain.iter().enumerate() {
        let next = parsed(der)?;
        if next.subject().as_raw() != issuer {
            return Err(format!(
                "Unable to validate certificate chain. The certificate chain must start with the immediate signing \
                 certificate, followed by any intermediaries in order. The index within the chain of the invalid \
                 certificate is: {index}"
            ));
        }
        issuer = next.issuer().as_raw().to_vec();
    }
    Ok(())
}

fn names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, String> {
    let alternatives = certificate.subject_alternative_name().map_err(|_| malformed())?;
    let general_names = alternatives.into_iter().flat_map(|extension| &extension.value.general_names);
    let names: Vec<String> = general_names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    if names.is_empty() { Err("The certificate has no names.".to_owned()) } else { Ok(names) }
}

fn key_algorithm(certificate: &X509Certificate<'_>) -> String {
    let bits = certificate.public_key().parsed().map_or(0, |key| key.key_size());
    match certificate.public_key().algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.10045.2.1" if bits > 256 => "EC_secp384r1".to_owned(),
        "1.2.840.10045.2.1" => "EC_prime256v1".to_owned(),
        _ => format!("RSA_{bits}"),
    }
}
