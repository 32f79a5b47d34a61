//! The data plane: DNS, CloudFront edges, website endpoints and health checkers on local sockets, as configured through the
//! APIs.

mod api;
mod ca;
mod checkers;
mod dns;
mod edge;
mod net;
mod probe;
mod resolve;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::Cloud;
use crate::context::{Endpoints, OutageSymptom, Ports};
use crate::route53::configs_by_id;
use crate::world::World;
use ca::{CaError, CertificateAuthority};
use edge::Edge;
use net::{Addresses, Destination, LOCALHOST, NewListener, Scheme, destination_of};
use resolve::{Answer, Data, MAX_CHAIN, NameServerData, Record};

/// Why the data plane could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataPlaneError {
    /// A port cannot be listened on.
    #[error("port {port} cannot be listened on: {source}")]
    Port {
        /// The port; 0 for any.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// TLS could not be set up.
    #[error("the local certificate authority: {0}")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<CaError> for DataPlaneError {
    fn from(error: CaError) -> Self {
        Self::Tls(Box::new(error))
    }
}

/// What the tasks of the data plane share.
#[derive(Clone)]
struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    addresses: Addresses,
    edge: Edge,
}

/// The data plane, listening but not yet serving.
pub struct DataPlane {
    context: Context,
    tls: ca::ServerConfigs,
    name_server: dns::Sockets,
    new_listeners: UnboundedReceiver<NewListener>,
    shared: [(TcpListener, Scheme); 2],
    endpoints: Endpoints,
}

impl std::fmt::Debug for DataPlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataPlane").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl DataPlane {
    /// Opens the sockets; port 0 stands for any free one. The certificate authority is stored in `dir` or, without one, only
    /// in memory. The clock runs `speed` times faster than real time.
    pub async fn open(cloud: &Cloud, dir: Option<&Path>, ports: Ports, speed: u32) -> Result<Self, DataPlaneError> {
        let failed = |port| move |source| DataPlaneError::Port { port, source };
        let bind = async |port| TcpListener::bind(SocketAddr::new(LOCALHOST, port)).await.map_err(failed(port));
        let name_server = dns::Sockets::open(ports.dns).await.map_err(failed(ports.dns))?;
        let (http, https) = (bind(ports.http).await?, bind(ports.https).await?);
        let port_of = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let ports = Ports {
            dns: port_of(&name_server.tcp).map_err(failed(ports.dns))?,
            http: port_of(&http).map_err(failed(ports.http))?,
            https: port_of(&https).map_err(failed(ports.https))?,
        };
        let world = cloud.world().clone();
        let authority = Arc::new(CertificateAuthority::open(dir)?);
        let tls = ca::ServerConfigs::new(authority.clone(), &world)?;
        if speed > 1 {
            world.clock().set_speed(speed);
        }
        let endpoints = Endpoints { ports, name_server: LOCALHOST, authority: authority.pem().to_owned(), speed };
        world.set_endpoints(Some(endpoints.clone()));
        let (sender, new_listeners) = unbounded_channel();
        let inner = Inner { addresses: Addresses::new(ports, sender), edge: Edge::new(world.clone()), world };
        let shared = [(http, Scheme::Http), (https, Scheme::Https)];
        Ok(Self { context: Context { inner: Arc::new(inner) }, tls, name_server, new_listeners, shared, endpoints })
    }

    /// Where it listens.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Serves until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let Self { context, tls, name_server, new_listeners, shared, endpoints: _ } = self;
        let mut name_server = name_server.serve(context.clone());
        let web = web::Listeners { tls, shared, added: new_listeners };
        tokio::join!(web.serve(context.clone(), stop.clone()), checkers::run(context.clone(), stop));
        context.world().set_endpoints(None);
        // Queries in flight are dropped.
        drop(name_server.shutdown_gracefully().await);
    }
}

impl Context {
    fn world(&self) -> &World {
        &self.inner.world
    }

    fn edge(&self) -> &Edge {
        &self.inner.edge
    }

    fn ports(&self) -> Ports {
        self.inner.addresses.ports()
    }

    /// Whether a destination is out of service. If the outage lets requests hang, this returns when it ends; what has hung is never answered.
    async fn is_out(&self, destination: &Destination) -> bool {
        let mut has_hung = false;
        loop {
            let changed = self.world().outages_changed();
            let outages = self.world().outages();
            let is_out = match destination {
                Destination::Edge => outages.cdn_out,
                Destination::Api(region) | Destination::Website(region) => outages.regions_out.contains(region),
            };
            if !is_out || outages.symptom != OutageSymptom::Hang {
                return is_out || has_hung;
            }
            has_hung = true;
            changed.await;
        }
    }

    /// The answer of the name servers.
    fn answer(&self, name: &str, kind: &str) -> Answer {
        let address = |name: &str| destination_of(name).map(|destination| self.inner.addresses.get(&destination));
        self.world().account(|account, _| {
            let (configs, health) = (configs_by_id(account.route53.checks()), self.world().health());
            let healthy = |id: &str| health.is_healthy(&configs, id);
            let data = NameServerData { zones: &account.route53, healthy: &healthy, address: &address };
            data.answer(name, kind)
        })
    }

    /// Resolves a name to an address, through all zones.
    fn resolve(&self, name: &str) -> Option<IpAddr> {
        if let Ok(address) = name.parse() {
            return Some(address);
        }
        let mut name = name.trim_end_matches('.').to_ascii_lowercase();
        for _ in 0..MAX_CHAIN {
            let records = self.answer(&name, "A").records;
            let address = records.iter().find_map(|record| match record.data {
                Data::Address(address) => Some(address),
                _ => None,
            });
            if address.is_some() {
                return address;
            }
            let Some(Record { data: Data::Cname(target), .. }) = records.last() else { return None };
            name = target.trim_end_matches('.').to_ascii_lowercase();
        }
        None
    }
}
