//! The data plane of the embedded cloud: opened here, or found where another process serves it.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_core::Side;
use twinsite_dns_failover::look::{LookError, Roots, Seen, Visit, visit};
use twinsite_local::directory_at;
use twinsite_local::plane::{Ports, Ready};

use super::{Ground, Stack, Whole};
use crate::args::Global;
use crate::error::Failure;

/// A data plane that this process has opened.
pub(crate) struct Plane {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Plane {
    /// Lets nobody in any more.
    pub(crate) async fn close(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Stack {
    /// Opens the data plane of the embedded cloud, unless another process serves it, or the site is on AWS.
    pub(crate) async fn open_plane(&self, global: &Global, speed: u32) -> Result<Option<Plane>, Failure> {
        let Some(cloud) = &self.cloud else { return Ok(None) };
        let any = Ports { dns: 0, http: 0, https: 0 };
        let ready = Ready::open(cloud, Some(&global.state), any, speed).await;
        let ready = ready.map_err(|error| Failure::new("open the embedded cloud's data plane", error))?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(ready.run(stop.clone()));
        Ok(Some(Plane { stop, tasks }))
    }

    /// What a visitor sees at one side's website endpoint, whatever DNS says.
    pub(crate) async fn visit(&self, side: Side, key: &str) -> Result<Seen, LookError> {
        Box::pin(self.visit_host(&self.site.website_host(side), &format!("/{key}"), false)).await
    }

    /// What a visitor sees of a host.
    pub(crate) async fn visit_host(&self, host: &str, path: &str, tls: bool) -> Result<Seen, LookError> {
        let ground = match (&self.cloud, self.served) {
            (Some(cloud), _) => cloud.directory().map(|directory| Ground::local(&directory)),
            (None, Some(address)) => directory_at(address).await.map(|directory| Ground::local(&directory)),
            (None, None) => None,
        };
        let Some(ground) = ground.transpose()? else {
            let (port, roots) = if tls { (443, Some(Roots::system()?)) } else { (80, None) };
            let found = tokio::net::lookup_host((host, port)).await;
            let broken = |error: std::io::Error| LookError::Broken(error.to_string());
            let address =
                found.map_err(broken)?.next().ok_or_else(|| LookError::Broken(format!("no address for {host}")))?;
            let request = Visit { host, path, port, roots: roots.as_ref() };
            return visit(address.ip(), &request, std::time::Duration::from_secs(10)).await;
        };
        let address = ground.names(host).await?.addresses().next();
        let address = address.ok_or_else(|| LookError::Broken(format!("no address for {host}")))?;
        ground.visit(address, host, path, tls).await
    }

    /// Where visitors walk.
    pub(crate) async fn ground(&self, whole: &Whole) -> Result<Ground, Failure> {
        const WHAT: &str = "find out where visitors go";
        let look = |error| Failure::new(WHAT, error);
        let directory = match (&self.cloud, self.served) {
            (Some(cloud), _) => cloud.directory(),
            (None, Some(address)) => directory_at(address).await,
            (None, None) => {
                let zone = &whole.dns.1.zone.id;
                let names = self.services.dns.name_servers(zone).await.map_err(|error| Failure::aws(WHAT, &error))?;
                return Ground::internet(&names).await.map_err(look);
            }
        };
        let closed =
            || Failure::new(WHAT, "the embedded cloud serves no visitors").hint("start it again: `twinsite local`");
        Ground::local(&directory.ok_or_else(closed)?).map_err(look)
    }
}
