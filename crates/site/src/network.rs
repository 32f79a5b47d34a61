//! How probes reach the site: name servers, ports and trust roots of the internet, or of an embedded cloud.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use twinsite_dns_failover::probe::{DnsResponse, HttpRequest, ProbeError, Response, TrustStore, dns_query, http_get};

/// How long an HTTP probe may take, and a DNS query.
const HTTP_TIMEOUT: Duration = Duration::from_secs(12);
const DNS_TIMEOUT: Duration = Duration::from_secs(3);

/// Name servers, ports and trust roots for probes.
#[derive(Clone, Debug)]
pub struct ProbeNetwork {
    /// Name servers in the order in which they are queried.
    pub name_servers: Vec<SocketAddr>,
    /// The port that stands for 80.
    pub http: u16,
    /// The port that stands for 443.
    pub https: u16,
    /// The certificate authorities that probes trust.
    pub roots: TrustStore,
    /// How many times faster the network's clock runs than this machine's; 1 on the internet.
    pub speed: u32,
}

/// Which network probes use.
#[derive(Clone, Debug, Default)]
pub enum Network {
    /// The internet, with the name servers of the site's hosted zone.
    #[default]
    Internet,
    /// A given network, such as the data plane of an embedded cloud.
    Given(ProbeNetwork),
    /// None: an embedded cloud whose data plane is not served.
    Unavailable,
}

impl Network {
    /// The response of a host at an address of `at`, which is resolved as visitors resolve it.
    ///
    /// # Errors
    /// [`ProbeError`] if there is no complete response.
    pub(crate) async fn get_at(&self, at: &str, request: ProbeRequest<'_>) -> Result<Response, ProbeError> {
        let no_address = || ProbeError::NoAddress(at.to_owned());
        match self {
            Self::Given(network) => {
                let addresses = network.resolve(&network.dns_query(at).await?).await;
                network.http_get(*addresses.first().ok_or_else(no_address)?, request).await
            }
            Self::Internet => {
                let found = tokio::net::lookup_host((at, 443)).await;
                let found = found.map_err(ProbeError::Connection)?.next();
                let (roots, name_servers) = (TrustStore::system()?, Vec::new());
                let network = ProbeNetwork { name_servers, http: 80, https: 443, roots, speed: 1 };
                network.http_get(found.ok_or_else(no_address)?.ip(), request).await
            }
            Self::Unavailable => {
                Err(ProbeError::Unavailable("the embedded cloud's data plane is not served".to_owned()))
            }
        }
    }
}

impl ProbeNetwork {
    /// The internet, with the name servers of one hosted zone.
    pub(crate) async fn internet(names: &[String]) -> Result<Self, ProbeError> {
        let mut name_servers = Vec::new();
        for name in names {
            let found = tokio::net::lookup_host((name.as_str(), 53)).await;
            // A zone has four; one that cannot be resolved is not needed.
            name_servers.extend(found.into_iter().flatten().find(SocketAddr::is_ipv4));
        }
        if name_servers.is_empty() {
            return Err(ProbeError::Unavailable("none of the zone's name servers could be resolved".to_owned()));
        }
        Ok(Self { name_servers, http: 80, https: 443, roots: TrustStore::system()?, speed: 1 })
    }

    /// Queries the name servers for a name; the first response counts.
    ///
    /// # Errors
    /// The last server's error if none responds.
    pub async fn dns_query(&self, name: &str) -> Result<DnsResponse, ProbeError> {
        let mut last = ProbeError::TimedOut(Duration::ZERO);
        for server in &self.name_servers {
            match dns_query(*server, name, DNS_TIMEOUT).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The addresses that an answer leads to, as a visitor's resolver finds them. Name servers answer for their own zones
    /// only: a CNAME record that leads out of them comes without an address. Those of an embedded cloud have AWS's names too.
    pub async fn resolve(&self, answer: &DnsResponse) -> Vec<IpAddr> {
        let addresses: Vec<IpAddr> = answer.addresses().collect();
        let Some(name) = answer.names().last().filter(|_| addresses.is_empty()) else { return addresses };
        match self.dns_query(name).await {
            Ok(answer) => answer.addresses().collect(),
            Err(ProbeError::NameServer(_)) => {
                let found = tokio::net::lookup_host((name, 80)).await;
                found.into_iter().flatten().map(|address| address.ip()).collect()
            }
            Err(_) => addresses,
        }
    }

    /// Requests a path of a host at an address.
    ///
    /// # Errors
    /// [`ProbeError`] if no complete response arrives within twelve seconds.
    pub async fn http_get(&self, address: IpAddr, request: ProbeRequest<'_>) -> Result<Response, ProbeError> {
        self.http_get_within(address, request, HTTP_TIMEOUT).await
    }

    /// The same with another limit.
    pub(crate) async fn http_get_within(
        &self,
        address: IpAddr,
        request: ProbeRequest<'_>,
        limit: Duration,
    ) -> Result<Response, ProbeError> {
        let ProbeRequest { host, path, scheme } = request;
        let (port, roots) = match scheme {
            Scheme::Http => (self.http, None),
            Scheme::Https => (self.https, Some(&self.roots)),
        };
        http_get(address, &HttpRequest { host, path, port, tls: roots }, limit).await
    }

    /// This machine's duration of a duration of the network's clock.
    pub fn real(&self, duration: Duration) -> Duration {
        duration / self.speed.max(1)
    }
}

/// A scheme of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS; certificates are verified.
    Https,
}

/// The request of a probe.
#[derive(Clone, Copy, Debug)]
pub struct ProbeRequest<'a> {
    /// The host, as in the `Host` header and in TLS.
    pub host: &'a str,
    /// The path, encoded, with its leading slash.
    pub path: &'a str,
    /// The scheme.
    pub scheme: Scheme,
}
