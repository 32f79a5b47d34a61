//! Where visitors walk: the name servers, ports and certificates of AWS, or of the embedded cloud on this machine.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use twinsite_dns_failover::look::{Answer, Kind, LookError, Roots, Seen, Visit, ask, visit};
use twinsite_local::plane::Directory;

/// How long a visitor waits for an answer, and for a name server.
const PATIENCE: Duration = Duration::from_secs(12);
const ASKED: Duration = Duration::from_secs(3);

/// Where visitors walk.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    servers: Vec<SocketAddr>,
    http: u16,
    https: u16,
    roots: Roots,
    /// How many times faster time runs than on this machine.
    pub(crate) speed: u32,
}

impl Ground {
    /// The embedded cloud's.
    pub(crate) fn local(directory: &Directory) -> Result<Self, LookError> {
        let Directory { ports, name_server, authority, speed } = directory;
        let servers = vec![SocketAddr::new(*name_server, ports.dns)];
        let roots = Roots::only(authority)?;
        Ok(Self { servers, http: ports.http, https: ports.https, roots, speed: *speed })
    }

    /// The internet's, with the name servers of one zone.
    pub(crate) async fn internet(names: &[String]) -> Result<Self, LookError> {
        let mut servers = Vec::new();
        for name in names {
            let found = tokio::net::lookup_host((name.as_str(), 53)).await;
            // One of four that cannot be found is not missed.
            servers.extend(found.into_iter().flatten().find(SocketAddr::is_ipv4));
        }
        if servers.is_empty() {
            return Err(LookError::Broken("none of the zone's name servers could be found".to_owned()));
        }
        Ok(Self { servers, http: 80, https: 443, roots: Roots::system()?, speed: 1 })
    }

    /// What the name servers say: the first that answers.
    pub(crate) async fn names(&self, name: &str) -> Result<Answer, LookError> {
        let mut last = LookError::TimedOut(0);
        for server in &self.servers {
            match ask(*server, name, Kind::A, ASKED).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// What a visitor who was led to an address sees there.
    pub(crate) async fn visit(&self, address: IpAddr, host: &str, path: &str, tls: bool) -> Result<Seen, LookError> {
        let port = if tls { self.https } else { self.http };
        visit(address, &Visit { host, path, port, roots: tls.then_some(&self.roots) }, PATIENCE).await
    }

    /// How long this machine takes for a stretch of the world's time.
    pub(crate) fn real(&self, stretch: Duration) -> Duration {
        stretch / self.speed.max(1)
    }
}
