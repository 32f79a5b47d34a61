//! PEM-encoded certificates and keys, as `ImportCertificate` receives them.

use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

/// The DNS names that a certificate covers, in its order.
pub(super) fn names(pem: &str) -> Result<Vec<String>, String> {
    let malformed = || "The certificate field contains more than one certificate, or is not in PEM format.".to_owned();
    let bytes = decoded(pem);
    let first = Pem::iter_from_buffer(&bytes).next().and_then(Result::ok).ok_or_else(malformed)?;
    let certificate = first.parse_x509().map_err(|_| malformed())?;
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

/// Blobs are base64-encoded in JSON.
fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// Checks that the text is an unencrypted private key.
pub(super) fn check_key(pem: &str) -> Result<(), String> {
    let bytes = decoded(pem);
    let text = String::from_utf8_lossy(&bytes);
    let is_key = text.contains("PRIVATE KEY-----") && !text.contains("ENCRYPTED");
    is_key.then_some(()).ok_or_else(|| "The private key is not supported.".to_owned())
}
