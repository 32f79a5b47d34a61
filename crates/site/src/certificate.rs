//! Import of a certificate that was issued elsewhere.

use twinsite_core::Arn;

use crate::context::SiteContext;
use crate::error::{Context, Error};

/// A certificate in PEM form.
pub struct CertificateFiles {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The intermediate certificates.
    pub chain: Option<Vec<u8>>,
    /// The private key, not encrypted.
    pub private_key: Vec<u8>,
}

/// Imports a certificate into ACM in us-east-1, replacing one that was imported for this site before.
///
/// # Errors
/// ACM rejected the certificate.
pub async fn import_certificate(site: &SiteContext, files: CertificateFiles) -> Result<Arn, Error> {
    let CertificateFiles { certificate, chain, private_key } = files;
    let files = twinsite_cdn::CertificateFiles { certificate, chain, private_key };
    let desired = site.desired_cdn(false);
    let imported = Box::pin(site.services.cdn.import_certificate(&desired, files)).await;
    imported.context("import the certificate")
}
