//! `twinsite local`: the embedded cloud on localhost, until Ctrl-C.

use std::net::SocketAddr;
use std::path::Path;

use futures::future::join3;
use tokio::net::TcpListener;
use twinsite_core::{Pair, Run, Side, Site};
use twinsite_local::{Attached, Cloud, ServeError, attach_or_open, listen, serve as serve_all, serve_website};

use super::Outcome;
use crate::args::{Global, Local};
use crate::error::Failure;
use crate::render::Screen;
use crate::stack::{config, local_site};

const WHAT: &str = "serve the embedded cloud";

/// Where the embedded cloud is to be found.
pub(crate) struct Addresses {
    pub(crate) api: SocketAddr,
    pub(crate) websites: Pair<SocketAddr>,
    pub(crate) buckets: Pair<String>,
}

pub(crate) async fn local(global: &Global, options: &Local, run: &Run, screen: &Screen) -> Result<Outcome, Failure> {
    let local = Global { local: true, ..global.clone() };
    let site = local_site(&config(&local)?)?;
    match attach_or_open(&global.state).map_err(|error| Failure::world(&error))? {
        Attached::Own(cloud) => serve(&cloud, &site, (&global.state, options.port), (run, screen)).await,
        Attached::Remote(address) => {
            Err(Failure::new(WHAT, format!("it is served already, at http://{address}")).hint("use that one"))
        }
    }
}

/// Serves every service on one port, and each side's website on one of its own.
pub(super) async fn serve(
    cloud: &Cloud,
    site: &Site,
    (state, port): (&Path, u16),
    (run, screen): (&Run, &Screen),
) -> Result<Outcome, Failure> {
    let failed = |error: ServeError| Failure::new(WHAT, error).hint("choose another port with --port");
    let api = listen(port).await.map_err(failed)?;
    let websites = Pair::new(listen(0).await.map_err(failed)?, listen(0).await.map_err(failed)?);
    let addresses = Addresses {
        api: address(&api)?,
        websites: Pair::new(address(&websites.primary)?, address(&websites.backup)?),
        buckets: site.buckets.as_ref().map(ToString::to_string),
    };
    Cloud::announce(state, addresses.api).map_err(|error| Failure::new(WHAT, error))?;
    screen.serving(&addresses);
    let stop = || run.cancel.clone().cancelled_owned();
    let website =
        |listener, side: Side| serve_website(listener, cloud.clone(), addresses.buckets.get(side).clone(), stop());
    let Pair { primary, backup } = websites;
    join3(serve_all(api, cloud.clone(), stop()), website(primary, Side::Primary), website(backup, Side::Backup)).await;
    // A marker that stays behind is noticed by whoever finds nobody at the address.
    drop(Cloud::withdraw(state));
    cloud.world().flush().map_err(|fault| Failure::new("keep the embedded cloud's state", fault))?;
    Ok(Outcome::Served)
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::new(WHAT, error))
}
