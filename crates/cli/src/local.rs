//! The embedded cloud: opened or found, its data plane, and `twinsite local`.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join5};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_aws::{AwsError, Kind, status_retries};
use twinsite_core::wait::{PollPolicy, pause, within};
use twinsite_core::{Domain, Event};
use twinsite_dns_failover::probe::TrustStore;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::route53::{HealthCheck, TaggedResource, configs_by_id};
use twinsite_local::{ACCOUNT, OutageSymptom, Outages, Weather, WeatherSettings, WorldError};
use twinsite_local::{
    Attached, Cloud, attach_or_open, endpoints_at, http_client_at, listen, request_counts_at, serve as serve_apis,
    serve_website,
};
use twinsite_local::{Endpoints, Ports};
use twinsite_site::drill::{OutOfService, OutageInjector};
use twinsite_site::{Access, Cause, Config, Environment, Error, Network, Pair, ProbeNetwork, Run, Session, Side, Site};

use crate::args::{self, Global, Local};
use crate::config::read_config;
use crate::folder;
use crate::render::Screen;
use crate::result::CommandResult;
use crate::served::{Addresses, DnsTarget, LocalState};

const OPERATION: &str = "serve the embedded cloud";

/// Changes take a fraction of a second in the embedded cloud.
pub(crate) const POLLING: PollPolicy =
    PollPolicy { first: Duration::from_millis(50), most: Duration::from_millis(200), total: Duration::from_mins(2) };

/// An embedded cloud, in this process or served by another one.
pub(crate) struct Embedded {
    attached: Attached,
    data_plane: Option<OpenDataPlane>,
}

/// A data plane that this process serves.
struct OpenDataPlane {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Embedded {
    /// Opens the state directory, or finds the process that serves it.
    pub(crate) async fn open(state: &Path) -> Result<Self, Error> {
        folder::create_state(state);
        let state = state.to_owned();
        let attached = tokio::task::spawn_blocking(move || attach_or_open(&state)).await;
        let attached = attached.map_err(|stopped| io_error("open the embedded cloud", stopped))?;
        Ok(Self { attached: attached.map_err(|error| world_error(&error))?, data_plane: None })
    }

    /// Changes the weather to what was typed, if anything was.
    pub(crate) async fn set_weather(&self, global: &Global) -> Result<(), Error> {
        let Some(settings) = weather_settings(global)? else { return Ok(()) };
        match &self.attached {
            Attached::Own(cloud) => set_weather(cloud, settings),
            Attached::Remote(address) => {
                let changed = twinsite_local::set_weather_at(*address, settings).await;
                changed
                    .ok_or_else(|| Error::refused("change the weather", "the process that serves it does not answer"))
            }
        }
    }

    async fn weather(&self) -> WeatherSettings {
        match &self.attached {
            Attached::Own(cloud) => cloud.world().weather(),
            Attached::Remote(address) => twinsite_local::weather_at(*address).await.unwrap_or_default(),
        }
    }

    /// Says in which weather the cloud is, if it is not calm.
    pub(crate) async fn tell_weather(&self, run: &Run) {
        let WeatherSettings { weather, seed } = self.weather().await;
        if weather != Weather::Calm {
            let text = format!("the embedded cloud delays and refuses requests: weather {weather}, seed {seed}");
            let hint = format!("--weather {weather} --weather-seed {seed} repeats it, --weather calm ends it");
            run.emit(&Event::Warning { text, hint: Some(hint) });
        }
    }

    /// Serves the data plane on any free ports, unless another process serves this cloud.
    pub(crate) async fn open_data_plane(&mut self, state: &Path, speed: u32) -> Result<(), Error> {
        let Attached::Own(cloud) = &self.attached else { return Ok(()) };
        let any = Ports { dns: 0, http: 0, https: 0 };
        let ready = DataPlane::open(cloud, Some(state), any, speed).await;
        let ready =
            ready.map_err(|error| Error::refused("serve the embedded cloud's data plane", error.to_string()))?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(ready.run(stop.clone()));
        self.data_plane = Some(OpenDataPlane { stop, tasks });
        Ok(())
    }

    /// Endpoint, polling intervals and probes of this cloud.
    pub(crate) async fn environment(&self) -> Result<Environment, Error> {
        let (client, directory) = match &self.attached {
            Attached::Own(cloud) => (cloud.http_client(), cloud.endpoints()),
            Attached::Remote(address) => (http_client_at(*address), endpoints_at(*address).await),
        };
        let network = match directory {
            Some(directory) => Network::Given(probe_network(&directory)?),
            None => Network::Unavailable,
        };
        let access = Access { embedded: Some(client), ..Access::default() };
        let polling = match self.weather().await.weather {
            Weather::Calm => POLLING,
            _ => PollPolicy { total: Duration::from_hours(1), ..PollPolicy::MINUTES },
        };
        let outages = EmbeddedOutages(self.attached.clone());
        Ok(Environment { access, polling, network, outages: Some(Arc::new(outages)) })
    }

    /// Creates a hosted zone that contains the domain, unless there is one.
    pub(crate) async fn create_hosted_zone(&self, config: &Config) -> Result<(), Error> {
        /// Longer than that, only an injected outage takes.
        const LIMIT: Duration = Duration::from_secs(1);
        let access = Access { retry: Some(status_retries()), ..self.environment().await?.access };
        let route53 = Session::open(access).await;
        let route53 = route53.map_err(|error| Error::new("open the embedded cloud", error))?.route53();
        match within(&Run::silent(), LIMIT, Box::pin(hosted_zone(&route53, config))).await {
            // An outage was injected; operations that need the service report it.
            None => Ok(()),
            Some(Err(error)) if matches!(error.kind, Kind::Network | Kind::Unavailable) => Ok(()),
            Some(other) => other.map_err(|error| Error::new("open the embedded cloud", error)),
        }
    }

    /// Stops the data plane and makes the state durable.
    pub(crate) async fn close(mut self) -> Result<(), Error> {
        if let Some(mut data_plane) = self.data_plane.take() {
            data_plane.stop.cancel();
            while data_plane.tasks.join_next().await.is_some() {}
        }
        match &self.attached {
            Attached::Own(cloud) => flush(cloud),
            Attached::Remote(_) => Ok(()),
        }
    }

    /// The number of requests by operation since [`Self::reset_requests`].
    pub(crate) async fn requests(&self) -> Option<BTreeMap<String, u64>> {
        match &self.attached {
            Attached::Own(cloud) => Some(cloud.request_counts()),
            Attached::Remote(address) => request_counts_at(*address).await,
        }
    }

    /// Starts counting requests anew.
    pub(crate) async fn reset_requests(&self) {
        match &self.attached {
            Attached::Own(cloud) => cloud.reset_request_counts(),
            Attached::Remote(address) => drop(twinsite_local::reset_request_counts_at(*address).await),
        }
    }

    /// Serves this cloud on any free ports until the run is cancelled.
    pub(crate) async fn serve(
        mut self,
        site: &Site,
        state: &Path,
        run: &Run,
        screen: &Screen,
    ) -> Result<CommandResult, Error> {
        let Attached::Own(cloud) = &self.attached else {
            return Err(Error::refused(OPERATION, "another process already serves this embedded cloud"));
        };
        let cloud = cloud.clone();
        if let Some(mut data_plane) = self.data_plane.take() {
            data_plane.stop.cancel();
            while data_plane.tasks.join_next().await.is_some() {}
        }
        let any = Serving { port: 0, ports: Ports { dns: 0, http: 0, https: 0 }, speed: 1 };
        Box::pin(Server { cloud: &cloud, site, state, kept: true }.serve(any, run, screen)).await
    }
}

/// Outages of an embedded cloud, in this process or served by another one.
#[derive(Debug)]
struct EmbeddedOutages(Attached);

impl EmbeddedOutages {
    async fn change(&self, change: impl FnOnce(&mut Outages)) -> io::Result<()> {
        let changed = self.0.change_outages(change).await;
        changed.ok_or_else(|| io::Error::other("the process that serves the embedded cloud does not answer"))
    }
}

impl OutageInjector for EmbeddedOutages {
    fn begin(&self, outage: OutOfService) -> BoxFuture<'_, io::Result<()>> {
        let OutOfService { region, hangs, control_planes, cdn } = outage;
        Box::pin(self.change(move |outages| {
            outages.regions_out.extend(region.map(|region| region.to_string()));
            outages.control_out |= control_planes;
            outages.cdn_out |= cdn;
            if hangs {
                outages.symptom = OutageSymptom::Hang;
            }
        }))
    }

    fn end(&self, outage: OutOfService) -> BoxFuture<'_, io::Result<()>> {
        let OutOfService { region, hangs, control_planes, cdn } = outage;
        Box::pin(self.change(move |outages| {
            if let Some(region) = region {
                outages.regions_out.remove(region.as_str());
            }
            outages.control_out &= !control_planes;
            outages.cdn_out &= !cdn;
            if hangs {
                outages.symptom = OutageSymptom::default();
            }
        }))
    }
}

/// The weather that was typed; `None` if none was. Without a seed, one is drawn.
fn weather_settings(global: &Global) -> Result<Option<WeatherSettings>, Error> {
    let weather = match (global.weather, global.weather_seed) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(Error::usage("read the options", "--weather-seed needs --weather")),
        (Some(args::Weather::Calm), _) => Weather::Calm,
        (Some(args::Weather::Aws), _) => Weather::Aws,
        (Some(args::Weather::Storm), _) => Weather::Storm,
    };
    let drawn =
        || twinsite_local::random_id().bytes().fold(0, |seed: u64, byte| (seed * 31 + u64::from(byte)) % 1_000_000);
    Ok(Some(WeatherSettings { weather, seed: global.weather_seed.unwrap_or_else(drawn) }))
}

fn set_weather(cloud: &Cloud, settings: WeatherSettings) -> Result<(), Error> {
    let changed = cloud.world().set_weather(settings);
    changed.map_err(|error| Error::refused("save the embedded cloud's state", error.to_string()))
}

/// Creates the hosted zones of the names of a site, as far as there are none.
pub(crate) async fn hosted_zone(route53: &aws_sdk_route53::Client, config: &Config) -> Result<(), AwsError> {
    let zones = route53.list_hosted_zones().send().await;
    let zones = zones.map_err(|error| AwsError::new("ListHostedZones", "the embedded cloud", error))?.hosted_zones;
    let mut zones: Vec<String> = zones.iter().map(|zone| zone.name.trim_end_matches('.').to_owned()).collect();
    for domain in std::iter::once(&config.domain).chain(&config.aliases).map(Domain::as_str) {
        let contains = |zone: &String| domain == zone || domain.ends_with(&format!(".{zone}"));
        if zones.iter().any(contains) {
            continue;
        }
        // `www.example.com` is in the zone `example.com`, and so is `example.com` itself.
        let name = match domain.split_once('.') {
            Some((_, parent)) if parent.contains('.') => parent,
            _ => domain,
        };
        let created = route53.create_hosted_zone().name(name).caller_reference(name).send().await;
        created.map_err(|error| AwsError::new("CreateHostedZone", name, error))?;
        zones.push(name.to_owned());
    }
    Ok(())
}

pub(crate) fn probe_network(directory: &Endpoints) -> Result<ProbeNetwork, Error> {
    let Endpoints { ports, name_server, authority, speed, .. } = directory;
    let roots = TrustStore::from_pem(authority)
        .map_err(|error| Error::new("read the embedded certificate authority", error))?;
    let name_servers = vec![SocketAddr::new(*name_server, ports.dns)];
    Ok(ProbeNetwork { name_servers, http: ports.http, https: ports.https, roots, speed: *speed })
}

fn flush(cloud: &Cloud) -> Result<(), Error> {
    cloud.world().flush().map_err(|error| Error::refused("save the embedded cloud's state", error.to_string()))
}

fn world_error(error: &WorldError) -> Error {
    let failure = Error::refused("open the embedded cloud", error.to_string());
    match error {
        WorldError::InUse(_) => failure.hint("wait for the other command, or name another directory with --state"),
        WorldError::Unreadable { .. } => failure.hint("name another directory with --state, or delete this one"),
        _ => failure,
    }
}

fn io_error(operation: &str, error: impl Into<io::Error>) -> Error {
    Error::new(operation, Cause::Io(error.into()))
}

/// Ports and clock of a served cloud.
struct Serving {
    port: u16,
    ports: Ports,
    speed: u32,
}

/// `twinsite local`: serves the embedded cloud until the run is cancelled.
pub(crate) async fn serve_until_stopped(
    global: &Global,
    options: &Local,
    run: &Run,
    screen: &Screen,
) -> Result<CommandResult, Error> {
    let site = embedded_site(&read_config(global)?)?;
    let Local { port, dns_port: dns, http_port: http, https_port: https, speed, memory } = *options;
    let serving = Serving { port, ports: Ports { dns, http, https }, speed };
    folder::create_state(&global.state);
    let cloud = match attach_or_open(&global.state).map_err(|error| world_error(&error))? {
        // The state directory announces the address of a cloud in memory, too.
        Attached::Own(_) if memory => Cloud::memory(),
        Attached::Own(cloud) => cloud,
        Attached::Remote(address) => {
            let why = format!("it is already served at http://{address}");
            return Err(Error::refused(OPERATION, why).hint("use that one, or name another directory with --state"));
        }
    };
    if let Some(settings) = weather_settings(global)? {
        set_weather(&cloud, settings)?;
    }
    let embedded = Embedded { attached: Attached::Own(cloud.clone()), data_plane: None };
    embedded.tell_weather(run).await;
    Box::pin(Server { cloud: &cloud, site: &site, state: &global.state, kept: !memory }.serve(serving, run, screen))
        .await
}

/// The site in the embedded cloud, whose account id is fixed.
fn embedded_site(config: &Config) -> Result<Site, Error> {
    let invalid = |error| Error::new("use the configuration", Cause::Invalid(error));
    let account = ACCOUNT.parse().map_err(invalid)?;
    Site::new(config.domain.clone(), config.mode, account, config.regions.clone()).map_err(invalid)
}

struct Server<'a> {
    cloud: &'a Cloud,
    site: &'a Site,
    state: &'a Path,
    /// Whether the state outlives the process.
    kept: bool,
}

impl Server<'_> {
    /// Serves all APIs on one port, the website endpoint of each bucket on one, and the data plane.
    async fn serve(&self, serving: Serving, run: &Run, screen: &Screen) -> Result<CommandResult, Error> {
        let Self { cloud, site, state, kept: _ } = self;
        let failed = |error: twinsite_local::ServeError| {
            Error::refused(OPERATION, error.to_string()).hint("choose another port with --port")
        };
        let api = listen(serving.port).await.map_err(failed)?;
        let data_plane = DataPlane::open(cloud, Some(state), serving.ports, serving.speed).await;
        let data_plane = data_plane.map_err(|error| {
            Error::refused(OPERATION, error.to_string()).hint("choose other ports: see `twinsite local --help`")
        })?;
        let websites = Pair::new(listen(0).await.map_err(failed)?, listen(0).await.map_err(failed)?);
        let addresses = Addresses {
            api: address(&api)?,
            websites: Pair::new(address(&websites.primary)?, address(&websites.backup)?),
            buckets: site.buckets.as_ref().map(ToString::to_string),
            visitors: data_plane.endpoints().clone(),
            authority: state.join("ca.pem"),
            domain: site.domain.to_string(),
            kept: self.kept,
        };
        Cloud::announce(state, addresses.api).map_err(|error| io_error(OPERATION, error))?;
        screen.serving(&addresses);
        let stop = || run.cancel.clone().cancelled_owned();
        let website = |listener, side: Side| {
            serve_website(listener, (*cloud).clone(), addresses.buckets.get(side).clone(), stop())
        };
        let Pair { primary, backup } = websites;
        let apis = serve_apis(api, (*cloud).clone(), stop());
        let visitors = data_plane.run(run.cancel.clone());
        let changes = self.report_changes(run, screen);
        join5(apis, website(primary, Side::Primary), website(backup, Side::Backup), visitors, changes).await;
        // A marker that cannot be removed is detected as stale by the next command.
        drop(Cloud::withdraw(state));
        flush(cloud)?;
        Ok(CommandResult::Served { kept: self.kept })
    }

    /// Shows the state of the embedded cloud whenever it changes.
    async fn report_changes(&self, run: &Run, screen: &Screen) {
        const INTERVAL: Duration = Duration::from_millis(500);
        let mut shown = None;
        while !run.is_cancelled() {
            let state = self.state_now().await;
            if state != shown {
                if let Some(state) = &state {
                    screen.local_state(state);
                }
                shown = state;
            }
            pause(run, INTERVAL).await;
        }
    }

    async fn state_now(&self) -> Option<LocalState> {
        let network = probe_network(&self.cloud.endpoints()?).ok()?;
        let dns = match network.dns_query(self.site.domain.as_str()).await {
            Ok(answer) if answer.names().any(|name| name.contains("s3-website")) => DnsTarget::Backup,
            Ok(answer) if answer.names().next().is_some() => DnsTarget::CloudFront,
            Ok(answer) if answer.addresses().next().is_some() => DnsTarget::Alias,
            Ok(_) => DnsTarget::NoRecord,
            Err(_) => DnsTarget::Unavailable,
        };
        let world = self.cloud.world();
        let health_checks = world.account(|account, _| {
            let all = configs_by_id(account.route53.checks());
            let name = |check: &HealthCheck| {
                let tags = account.route53.tags(TaggedResource::HealthCheck, &check.id).unwrap_or_default();
                let name = tags.get("Name").and_then(|name| name.rsplit(' ').next().map(str::to_owned));
                name.unwrap_or_else(|| check.id.clone())
            };
            let checks = account.route53.checks();
            checks.map(|check| (name(check), world.health().is_healthy(&all, &check.id))).collect()
        });
        let waiting = self.site.buckets.iter().map(|(_, bucket)| world.s3().backlog(bucket.as_str())).sum();
        Some(LocalState { dns, health_checks, replication_backlog: waiting })
    }
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|error| io_error(OPERATION, error))
}
