//! The certificate authority of the edges: certificates issued by the emulated ACM have no private keys.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::net::Destination;
use crate::world::World;

/// Why the certificate authority could not be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum CaError {
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// The authority and the certificates that it has signed.
#[derive(Debug)]
pub(super) struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    signed: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

impl CertificateAuthority {
    /// Opens the authority of a state directory, or creates it. Without a directory, it is new each time.
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, CaError> {
        let stored = dir.and_then(|dir| {
            let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
            Some((read(CERTIFICATE)?, read(KEY)?))
        });
        let (pem, key) = if let Some((pem, key)) = stored {
            (pem, KeyPair::from_pem(&key)?)
        } else {
            let key = KeyPair::generate()?;
            let created = parameters().self_signed(&key)?;
            if let Some(dir) = dir {
                let write = |name: &str, text: &str| write_private(&dir.join(name), text);
                write(CERTIFICATE, &created.pem())?;
                write(KEY, &key.serialize_pem())?;
            }
            (created.pem(), key)
        };
        let issuer = Issuer::new(parameters(), key);
        Ok(Self { issuer, pem, signed: Mutex::default() })
    }

    /// The authority's certificate, for clients to trust.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate of a name, signed on first use.
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
        let certificate = Arc::new(CertifiedKey::new(vec![CertificateDer::from(leaf.der().to_vec())], private));
        signed.insert(name.to_owned(), Arc::clone(&certificate));
        Some(certificate)
    }
}

/// Writes a file that only its owner can read: with the key, anyone could impersonate any site to those who trust the
/// certificate.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
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

/// Selects certificates by SNI, for the names of enabled distributions only.
#[derive(Debug)]
struct EdgeResolver {
    authority: Arc<CertificateAuthority>,
    world: World,
}

impl ResolvesServerCert for EdgeResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        let known = name.ends_with(".cloudfront.net")
            || self.world.account(|account, _| {
                let mut enabled = account.cloudfront.distributions().filter(|one| one.is_enabled());
                enabled.any(|one| one.aliases().any(|alias| alias.eq_ignore_ascii_case(&name)))
            });
        known.then(|| self.authority.certificate(&name)).flatten()
    }
}

/// Selects the certificates of the Regional endpoints of API Gateway by SNI. Without a name that they know, they present their own.
#[derive(Debug)]
struct ApiResolver {
    authority: Arc<CertificateAuthority>,
    world: World,
    region: String,
}

impl ResolvesServerCert for ApiResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        let name = self
            .world
            .account(|account, now| account.api_gateway.certificate_name(&self.region, asked.as_deref(), now.time));
        self.authority.certificate(&name)
    }
}

/// The TLS configurations of all endpoints.
#[derive(Clone)]
pub(super) struct ServerConfigs {
    authority: Arc<CertificateAuthority>,
    world: World,
    edges: Arc<ServerConfig>,
}

impl ServerConfigs {
    pub(super) fn new(authority: Arc<CertificateAuthority>, world: &World) -> Result<Self, CaError> {
        let resolver = EdgeResolver { authority: Arc::clone(&authority), world: world.clone() };
        Ok(Self { edges: server_config(Arc::new(resolver))?, authority, world: world.clone() })
    }

    /// That of an endpoint; of the edges for the address that endpoints share. `None` if TLS cannot be set up.
    pub(super) fn of(&self, destination: Option<&Destination>) -> Option<Arc<ServerConfig>> {
        match destination {
            Some(Destination::Api(region)) => {
                let (authority, world) = (Arc::clone(&self.authority), self.world.clone());
                server_config(Arc::new(ApiResolver { authority, world, region: region.clone() })).ok()
            }
            Some(Destination::Edge | Destination::Website(_)) | None => Some(Arc::clone(&self.edges)),
        }
    }
}

fn server_config(resolver: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, CaError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
