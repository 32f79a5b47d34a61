//! The data plane: what visitors and health checkers meet. It reads what was configured through the APIs, and nothing else.

mod answer;
mod ca;
mod checkers;
mod dns;
mod edge;
mod net;
mod probe;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::Cloud;
use crate::world::World;
use crate::world::route53::by_id;
use answer::{Answer, Known, Record, Value};
use ca::Authority;
use edge::Edge;
pub use net::Ports;
use net::{HOME, Net, Opened, Place, place_of};

/// Where the data plane is to be found, for resolvers and clients that know nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The ports that every endpoint has.
    pub ports: Ports,
    /// Where the name servers are.
    pub name_server: IpAddr,
    /// The certificate that signs what edges show, in PEM form.
    pub authority: String,
    /// How many times faster time runs.
    pub speed: u32,
}

/// Why the data plane could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// A port is taken.
    #[error("port {port} cannot be listened on: {source}")]
    Port {
        /// The port; 0 for any.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// TLS could not be set up.
    #[error("{0}")]
    Tls(String),
}

/// The data plane of a cloud. Clones are the same.
#[derive(Clone)]
pub(crate) struct Plane {
    inner: Arc<Inner>,
}

struct Inner {
    cloud: Cloud,
    net: Net,
    edge: Edge,
}

/// Sockets that are open, and wait to be served.
pub struct Ready {
    plane: Plane,
    tls: Arc<rustls::ServerConfig>,
    names: (UdpSocket, TcpListener),
    opened: UnboundedReceiver<Opened>,
    home: [(TcpListener, bool); 2],
    directory: Directory,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Ready {
    /// Opens the sockets. Port 0 takes any free one. The certificate authority is kept in `dir`, or gone with the process.
    ///
    /// # Errors
    /// [`PlaneError`] when a port is taken.
    pub async fn open(cloud: &Cloud, dir: Option<&Path>, wanted: Ports, speed: u32) -> Result<Self, PlaneError> {
        let taken = |port| move |source| PlaneError::Port { port, source };
        let names = dns::open(wanted.dns).await.map_err(taken(wanted.dns))?;
        let http = TcpListener::bind(SocketAddr::new(HOME, wanted.http)).await.map_err(taken(wanted.http))?;
        let https = TcpListener::bind(SocketAddr::new(HOME, wanted.https)).await.map_err(taken(wanted.https))?;
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let ports = Ports {
            dns: port(&names.1).map_err(taken(wanted.dns))?,
            http: port(&http).map_err(taken(wanted.http))?,
            https: port(&https).map_err(taken(wanted.https))?,
        };
        let authority = Arc::new(Authority::open(dir).map_err(PlaneError::Tls)?);
        let tls = ca::tls(&authority, cloud.world()).map_err(PlaneError::Tls)?;
        let (sender, opened) = unbounded_channel();
        let inner =
            Inner { cloud: cloud.clone(), net: Net::new(ports, sender), edge: Edge::new(cloud.world().clone()) };
        if speed > 1 {
            cloud.world().clock().run_at(speed);
        }
        let directory = Directory { ports, name_server: HOME, authority: authority.pem().to_owned(), speed };
        cloud.publish(Some(directory.clone()));
        let (plane, home) = (Plane { inner: Arc::new(inner) }, [(http, false), (https, true)]);
        Ok(Self { plane, tls, names, opened, home, directory })
    }

    /// Where it is to be found.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Serves until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let Self { plane, tls, names, opened, home, directory: _ } = self;
        let mut names = dns::serve(plane.clone(), names);
        let web = web::run(plane.clone(), tls, opened, home, stop.clone());
        tokio::join!(web, checkers::run(plane.clone(), stop));
        plane.cloud().publish(None);
        // What is still being answered then is not waited for by anybody.
        drop(names.shutdown_gracefully().await);
    }
}

impl Plane {
    fn cloud(&self) -> &Cloud {
        &self.inner.cloud
    }

    fn world(&self) -> &World {
        self.inner.cloud.world()
    }

    fn edge(&self) -> &Edge {
        &self.inner.edge
    }

    fn ports(&self) -> Ports {
        self.inner.net.ports()
    }

    fn is_out(&self, place: &Place) -> bool {
        let faults = self.world().faults();
        match place {
            Place::Edge => faults.cdn_out,
            Place::Website(region) => faults.regions_out.contains(region),
        }
    }

    /// What name servers say, and the record that goes with saying nothing.
    fn answer(&self, name: &str, kind: &str) -> (Answer, Option<Record>) {
        let address = |name: &str| place_of(name).map(|place| self.inner.net.address(&place));
        self.world().account(|account, _| {
            let (all, health) = (by_id(account.route53.checks()), self.world().health());
            let healthy = |id: &str| health.is_healthy(&all, id);
            let known = Known { zones: &account.route53, healthy: &healthy, address: &address };
            (known.answer(name, kind), known.authority(name))
        })
    }

    /// The address of a name, as a resolver would find it.
    fn resolve(&self, name: &str) -> Option<IpAddr> {
        if let Ok(address) = name.parse() {
            return Some(address);
        }
        let (answer, _) = self.answer(&name.trim_end_matches('.').to_ascii_lowercase(), "A");
        let Answer::Records(records) = answer else { return None };
        records.iter().find_map(|record| match record.value {
            Value::Address(address) => Some(address),
            _ => None,
        })
    }
}
