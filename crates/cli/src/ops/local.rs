//! `twinsite local`: the embedded cloud on localhost, until Ctrl-C.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join5;
use tokio::net::TcpListener;
use twinsite_core::wait::pause;
use twinsite_core::{Pair, Run, Side, Site};
use twinsite_local::plane::{Directory, Ports, Ready};
use twinsite_local::world::WorldError;
use twinsite_local::world::route53::{Check, Tagged, by_id};
use twinsite_local::{Attached, Cloud, ServeError, attach_or_open, listen, serve as serve_all, serve_website};

use super::Outcome;
use crate::args::{Global, Local};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::{Ground, config, local_site};

const WHAT: &str = "serve the embedded cloud";

/// Where the embedded cloud is to be found.
pub(crate) struct Addresses {
    pub(crate) api: SocketAddr,
    pub(crate) websites: Pair<SocketAddr>,
    pub(crate) buckets: Pair<String>,
    /// Where visitors go.
    pub(crate) visitors: Directory,
    /// The certificate that they have to trust.
    pub(crate) authority: PathBuf,
    /// The name that they type.
    pub(crate) domain: String,
}

/// How to serve.
pub(super) struct Serving {
    pub(super) port: u16,
    pub(super) ports: Ports,
    pub(super) speed: u32,
}

impl Serving {
    /// At any free ports, in real time.
    pub(super) const ANY: Self = Self { port: 0, ports: Ports { dns: 0, http: 0, https: 0 }, speed: 1 };
}

pub(crate) async fn local(global: &Global, options: &Local, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    let local = Global { local: true, ..global.clone() };
    let site = local_site(&config(&local)?)?;
    let Local { port, dns_port: dns, http_port: http, https_port: https, speed, memory } = *options;
    let serving = Serving { port, ports: Ports { dns, http, https }, speed };
    match open(&global.state, memory).map_err(|error| Failure::world(&error))? {
        Attached::Own(cloud) => Box::pin(serve(&cloud, &site, (&global.state, serving), (run, screen))).await,
        Attached::Remote(address) => {
            Err(Failure::new(WHAT, format!("it is served already, at http://{address}")).hint("use that one"))
        }
    }
}

/// A cloud in memory is announced like any other, so nobody else may be serving there.
fn open(state: &Path, memory: bool) -> Result<Attached, WorldError> {
    match attach_or_open(state)? {
        Attached::Own(_) if memory => Ok(Attached::Own(Cloud::memory())),
        attached => Ok(attached),
    }
}

/// Serves every service on one port, and each side's website on one of its own.
pub(super) async fn serve(
    cloud: &Cloud,
    site: &Site,
    (state, serving): (&Path, Serving),
    (run, screen): (&Run, &Screen),
) -> Result<Outcome, Failure> {
    let failed = |error: ServeError| Failure::new(WHAT, error).hint("choose another port with --port");
    let api = listen(serving.port).await.map_err(failed)?;
    let plane = Ready::open(cloud, Some(state), serving.ports, serving.speed).await;
    let plane =
        plane.map_err(|error| Failure::new(WHAT, error).hint("choose other ports: see `twinsite local --help`"))?;
    let websites = Pair::new(listen(0).await.map_err(failed)?, listen(0).await.map_err(failed)?);
    let addresses = Addresses {
        api: address(&api)?,
        websites: Pair::new(address(&websites.primary)?, address(&websites.backup)?),
        buckets: site.buckets.as_ref().map(ToString::to_string),
        visitors: plane.directory().clone(),
        authority: state.join("ca.pem"),
        domain: site.domain.to_string(),
    };
    Cloud::announce(state, addresses.api).map_err(|error| Failure::new(WHAT, error))?;
    screen.serving(&addresses);
    let stop = || run.cancel.clone().cancelled_owned();
    let website =
        |listener, side: Side| serve_website(listener, cloud.clone(), addresses.buckets.get(side).clone(), stop());
    let Pair { primary, backup } = websites;
    let apis = serve_all(api, cloud.clone(), stop());
    let visitors = plane.run(run.cancel.clone());
    let live = live(cloud, site, run, screen);
    join5(apis, website(primary, Side::Primary), website(backup, Side::Backup), visitors, live).await;
    // A marker that stays behind is noticed by whoever finds nobody at the address.
    drop(Cloud::withdraw(state));
    cloud.world().flush().map_err(|fault| Failure::new("keep the embedded cloud's state", fault))?;
    Ok(Outcome::Served)
}

/// How often it is looked whether something has changed.
const TICK: Duration = Duration::from_millis(500);

/// Says what changes, until told to stop: where DNS leads, how each side is, what waits to be replicated.
async fn live(cloud: &Cloud, site: &Site, run: &Run, screen: &Screen) {
    let mut shown = String::new();
    while !run.is_cancelled() {
        let now = state_of(cloud, site).await;
        if now != shown {
            screen.live(&now);
            shown = now;
        }
        pause(run, TICK).await;
    }
}

async fn state_of(cloud: &Cloud, site: &Site) -> String {
    let Some(directory) = cloud.directory() else { return String::new() };
    let names = match Ground::local(&directory) {
        Ok(ground) => ground.names(site.domain.as_str()).await,
        Err(error) => Err(error),
    };
    let leads = match names {
        Ok(answer) if answer.names().any(|name| name.contains("s3-website")) => "the backup",
        Ok(answer) if answer.names().next().is_some() => "the CDN",
        Ok(answer) => answer
            .addresses()
            .next()
            .map_or("nowhere yet: `twinsite apply --local`", |_| "the CDN or a website (alias)"),
        Err(_) => "nobody knows",
    };
    let world = cloud.world();
    let health = world.account(|account, _| {
        let all = by_id(account.route53.checks());
        let name = |check: &Check| {
            let tags = account.route53.tags(Tagged::HealthCheck, &check.id).unwrap_or_default();
            tags.get("Name")
                .and_then(|name| name.rsplit(' ').next().map(str::to_owned))
                .unwrap_or_else(|| check.id.clone())
        };
        let word = |id: &str| if world.health().is_healthy(&all, id) { "healthy" } else { "unhealthy" };
        let each = account.route53.checks().map(|check| format!("{} {}", name(check), word(&check.id)));
        each.collect::<Vec<_>>().join(", ")
    });
    let waiting: usize = site.buckets.iter().map(|(_, bucket)| world.backlog(bucket.as_str())).sum();
    let health = if health.is_empty() { "no health checks".to_owned() } else { health };
    format!("DNS leads to {leads} · {health} · {waiting} objects to be replicated")
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::new(WHAT, error))
}
