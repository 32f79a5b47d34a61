//! Where the names of the world's endpoints lead on this machine.
//!
//! Each endpoint has an address of its own, as on the internet, and all have the same two ports: a resolver tells them apart
//! by address, and a client that was told an address still has to know the port. Only Linux answers on all of 127.0.0.0/8; on
//! other systems everything is at 127.0.0.1, and told apart by the host that a request names.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;

/// The address that serves whatever has none of its own.
pub(super) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What stands at an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// `CloudFront`'s edges.
    Edge,
    /// S3's website endpoints of a region.
    Website(String),
}

/// A listener that has just been opened.
pub(super) struct Opened {
    pub(super) listener: TcpListener,
    pub(super) place: Place,
    pub(super) tls: bool,
}

/// The ports that every endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// What stands for port 53, UDP and TCP.
    pub dns: u16,
    /// What stands for port 80.
    pub http: u16,
    /// What stands for port 443.
    pub https: u16,
}

impl Ports {
    /// The port on this machine that stands for one of the internet's.
    pub fn of(self, port: u16) -> u16 {
        match port {
            53 => self.dns,
            80 => self.http,
            443 => self.https,
            other => other,
        }
    }
}

/// The addresses, handed out as they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Net {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    given: Mutex<BTreeMap<Place, IpAddr>>,
    opened: UnboundedSender<Opened>,
}

impl Net {
    pub(super) fn new(ports: Ports, opened: UnboundedSender<Opened>) -> Self {
        Self { inner: Arc::new(Inner { ports, given: Mutex::default(), opened }) }
    }

    pub(super) fn ports(&self) -> Ports {
        self.inner.ports
    }

    /// The address of an endpoint. The first time, it begins to listen there.
    pub(super) fn address(&self, place: &Place) -> IpAddr {
        let mut given = self.inner.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = given.get(place) {
            return *address;
        }
        let regions = given.keys().filter(|place| matches!(place, Place::Website(_))).count();
        let own = match place {
            Place::Edge => Ipv4Addr::new(127, 0, 2, 1),
            Place::Website(_) => Ipv4Addr::new(127, 0, 1, u8::try_from(regions + 1).unwrap_or(254)),
        };
        let own = IpAddr::V4(own);
        let address = if self.open(own, place).is_ok() { own } else { HOME };
        given.insert(place.clone(), address);
        address
    }

    /// Website endpoints speak no TLS: nobody listens there.
    fn open(&self, address: IpAddr, place: &Place) -> io::Result<()> {
        let ports = [(self.inner.ports.http, false), (self.inner.ports.https, true)];
        for (port, tls) in ports.into_iter().filter(|(_, tls)| !tls || *place == Place::Edge) {
            let listener = StdListener::bind(SocketAddr::new(address, port))?;
            listener.set_nonblocking(true)?;
            let opened = Opened { listener: TcpListener::from_std(listener)?, place: place.clone(), tls };
            // When nobody takes it any more, the plane is shutting down.
            drop(self.inner.opened.send(opened));
        }
        Ok(())
    }
}

/// The place that a host name of AWS's own leads to.
pub(super) fn place_of(name: &str) -> Option<Place> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name.ends_with(".cloudfront.net") {
        return Some(Place::Edge);
    }
    let host = name.strip_suffix(".amazonaws.com")?;
    let region = host.rsplit_once("s3-website-").or_else(|| host.rsplit_once("s3-website."))?.1;
    region.parse::<twinsite_core::Region>().is_ok().then(|| Place::Website(region.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_aws_lead_to_its_endpoints() {
        let website = |region: &str| Some(Place::Website(region.to_owned()));
        assert_eq!(place_of("d1.cloudfront.net."), Some(Place::Edge));
        assert_eq!(place_of("www.example.com.s3-website-us-west-2.amazonaws.com"), website("us-west-2"));
        assert_eq!(place_of("s3-website.eu-central-1.amazonaws.com"), website("eu-central-1"));
        assert_eq!(place_of("www.example.com"), None);
    }
}
