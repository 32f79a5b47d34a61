//! Probes of an open site: requests to its hosts as visitors make them.

use twinsite_core::{Event, Run, Side};
use twinsite_dns_failover::probe::{ProbeError, Response};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::network::{Network, ProbeNetwork, ProbeRequest, Scheme};
use crate::state::SiteState;

impl SiteContext {
    /// Probes measure what visitors get, from this machine, so they are not sent through a proxy: it may keep copies, resolve names in
    /// its own way, and cannot be told which address to ask. Where only a proxy reaches the internet they fail, and that must not look
    /// like an outage.
    pub(crate) fn warn_of_proxy(&self, run: &Run) {
        if let (Network::Internet, Some(proxy)) = (&self.network, self.session.proxy()) {
            let text = format!("the site is requested as visitors do, directly and not through the proxy {proxy}");
            let hint =
                "if only the proxy reaches the internet, these requests fail: run this command elsewhere".to_owned();
            run.emit(&Event::Warning { text, hint: Some(hint) });
        }
    }

    /// True if only a proxy may reach the internet from here.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        matches!(self.network, Network::Internet) && self.session.proxy().is_some()
    }

    /// The response of one side's website endpoint to a request for a key, bypassing the site's own DNS records.
    pub(crate) async fn get_website(&self, side: Side, key: &str) -> Result<Response, ProbeError> {
        let (host, path) = (self.site.website_host(side), format!("/{key}"));
        Box::pin(self.get_from_host(ProbeRequest { host: &host, path: &path, scheme: Scheme::Http })).await
    }

    /// The response of a host, resolved as visitors resolve it.
    pub(crate) async fn get_from_host(&self, request: ProbeRequest<'_>) -> Result<Response, ProbeError> {
        Box::pin(self.network.get_at(request.host, request)).await
    }

    /// The network for probes that query the site's own name servers.
    pub(crate) async fn probe_network(&self, state: &SiteState) -> Result<ProbeNetwork, Error> {
        const OPERATION: &str = "prepare probes of the site";
        match &self.network {
            Network::Given(network) => Ok(network.clone()),
            Network::Internet => {
                let names = self.services.dns.name_servers(&state.dns.actual.zone.id).await.context(OPERATION)?;
                ProbeNetwork::internet(&names).await.context(OPERATION)
            }
            Network::Unavailable => Err(Error::refused(OPERATION, "the embedded cloud's data plane is not served")
                .hint("start it: `twinsite local`")),
        }
    }
}
