//! The loopback addresses of AWS endpoints.
//!
//! Each endpoint has its own address, so that DNS answers differ; all have the same ports, which clients must be configured
//! with. Only Linux accepts connections on all of 127.0.0.0/8; elsewhere every endpoint is at 127.0.0.1, and requests are
//! routed by host.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;

use crate::context::{Ports, execute_api_host};

/// The address of endpoints that have no own one.
pub(super) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An endpoint that has an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Destination {
    /// The edges of `CloudFront`.
    Edge,
    /// The Regional endpoints of API Gateway in a region.
    Api(String),
    /// The website endpoints of S3 in a region.
    Website(String),
}

/// The scheme of the requests to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// A listener opened for an endpoint.
pub(super) struct NewListener {
    pub(super) listener: TcpListener,
    pub(super) destination: Destination,
    pub(super) scheme: Scheme,
}

/// The addresses of endpoints, assigned on first use.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    assigned: Mutex<BTreeMap<Destination, IpAddr>>,
    listeners: UnboundedSender<NewListener>,
}

impl Addresses {
    pub(super) fn new(ports: Ports, listeners: UnboundedSender<NewListener>) -> Self {
        Self { inner: Arc::new(Inner { ports, assigned: Mutex::default(), listeners }) }
    }

    pub(super) fn ports(&self) -> Ports {
        self.inner.ports
    }

    /// The address of an endpoint. The first call opens its listeners.
    pub(super) fn get(&self, destination: &Destination) -> IpAddr {
        let mut assigned = self.inner.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = assigned.get(destination) {
            return *address;
        }
        let regions =
            assigned.keys().filter(|other| std::mem::discriminant(*other) == std::mem::discriminant(destination));
        let next = u8::try_from(regions.count() + 1).unwrap_or(254);
        let own = match destination {
            Destination::Edge => Ipv4Addr::new(127, 0, 2, 1),
            Destination::Website(_) => Ipv4Addr::new(127, 0, 1, next),
            Destination::Api(_) => Ipv4Addr::new(127, 0, 3, next),
        };
        let address = IpAddr::V4(own);
        let address = if self.open(address, destination).is_ok() { address } else { LOCALHOST };
        assigned.insert(destination.clone(), address);
        address
    }

    /// Opens the listeners of an endpoint. Website endpoints do not support HTTPS, and API Gateway does not support HTTP.
    fn open(&self, address: IpAddr, destination: &Destination) -> io::Result<()> {
        let ports = [(self.inner.ports.http, Scheme::Http), (self.inner.ports.https, Scheme::Https)];
        let supported = |scheme| match destination {
            Destination::Edge => true,
            Destination::Api(_) => scheme == Scheme::Https,
            Destination::Website(_) => scheme == Scheme::Http,
        };
        for (port, scheme) in ports.into_iter().filter(|(_, scheme)| supported(*scheme)) {
            let listener = StdListener::bind(SocketAddr::new(address, port))?;
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            // Fails only while the data plane shuts down.
            drop(self.inner.listeners.send(NewListener { listener, destination: destination.clone(), scheme }));
        }
        Ok(())
    }
}

/// The endpoint that an AWS host name belongs to.
pub(super) fn destination_of(name: &str) -> Option<Destination> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name.ends_with(".cloudfront.net") {
        return Some(Destination::Edge);
    }
    if let Some((_, region)) = execute_api_host(&name) {
        return Some(Destination::Api(region.to_owned()));
    }
    let host = name.strip_suffix(".amazonaws.com")?;
    let region = host.rsplit_once("s3-website-").or_else(|| host.rsplit_once("s3-website."))?.1;
    region.parse::<twinsite_core::Region>().is_ok().then(|| Destination::Website(region.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_names_belong_to_endpoints() {
        let website = |region: &str| Some(Destination::Website(region.to_owned()));
        assert_eq!(destination_of("d1.cloudfront.net."), Some(Destination::Edge));
        assert_eq!(destination_of("www.example.com.s3-website-us-west-2.amazonaws.com"), website("us-west-2"));
        assert_eq!(destination_of("s3-website.eu-central-1.amazonaws.com"), website("eu-central-1"));
        let api = Some(Destination::Api("us-west-2".to_owned()));
        assert_eq!(destination_of("d-0123456789.execute-api.us-west-2.amazonaws.com."), api);
        assert_eq!(destination_of("www.example.com"), None);
    }
}
