//! A certificate authority of this machine's own: what ACM has issued has no real key behind it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::world::World;

/// The authority, and what it has signed.
#[derive(Debug)]
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    signed: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

impl Authority {
    /// The authority of a state directory, made the first time; without a directory, one that nobody has seen before.
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, String> {
        let fault = |error: &dyn std::fmt::Display| format!("the local certificate authority: {error}");
        let kept = dir.and_then(|dir| {
            let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
            Some((read(CERTIFICATE)?, read(KEY)?))
        });
        let (pem, key) = if let Some((pem, key)) = kept {
            (pem, KeyPair::from_pem(&key).map_err(|error| fault(&error))?)
        } else {
            let key = KeyPair::generate().map_err(|error| fault(&error))?;
            let made = parameters().self_signed(&key).map_err(|error| fault(&error))?;
            if let Some(dir) = dir {
                let write = |name: &str, text: &str| write_for_owner(&dir.join(name), text);
                write(CERTIFICATE, &made.pem()).map_err(|error| fault(&error))?;
                write(KEY, &key.serialize_pem()).map_err(|error| fault(&error))?;
            }
            (made.pem(), key)
        };
        let issuer = Issuer::new(parameters(), key);
        Ok(Self { issuer, pem, signed: Mutex::default() })
    }

    /// The authority's certificate, for clients to trust.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a name, signed the first time it is asked for.
    fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = signed.get(name) {
            return Some(Arc::clone(known));
        }
        let key = KeyPair::generate().ok()?;
        let parameters = CertificateParams::new(vec![name.to_owned()]).ok()?;
        let leaf = parameters.signed_by(&key, &self.issuer).ok()?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let private = rustls::crypto::ring::sign::any_supported_type(&private).ok()?;
        let made = Arc::new(CertifiedKey::new(vec![CertificateDer::from(leaf.der().to_vec())], private));
        signed.insert(name.to_owned(), Arc::clone(&made));
        Some(made)
    }
}

/// Whoever has the key can pretend to be anybody to those who trust the certificate: nobody else may read it.
fn write_for_owner(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

fn parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "twinsite embedded cloud");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    parameters
}

/// Certificates for the names that distributions answer to, and for no others.
#[derive(Debug)]
struct Names {
    authority: Arc<Authority>,
    world: World,
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        let known = name.ends_with(".cloudfront.net")
            || self.world.account(|account, _| {
                let mut enabled = account.cloudfront.distributions().filter(|one| one.enabled());
                enabled.any(|one| one.aliases().any(|alias| alias.eq_ignore_ascii_case(&name)))
            });
        known.then(|| self.authority.certificate(&name)).flatten()
    }
}

/// TLS as edges speak it.
pub(super) fn tls(authority: &Arc<Authority>, world: &World) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let names = Arc::new(Names { authority: Arc::clone(authority), world: world.clone() });
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?.with_no_client_auth();
    let mut config = config.with_cert_resolver(names);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
