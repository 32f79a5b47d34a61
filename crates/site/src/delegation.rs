//! Whether the domain's registrar, or the zone above, delegates to the name servers of the hosted zone: if it does not, ACM never sees the
//! validation record, and visitors never see the records.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::join;
use twinsite_aws::AwsError;
use twinsite_dns_failover::ZoneId;
use twinsite_dns_failover::probe::{ProbeError, ns_query};

use crate::context::SiteContext;
use crate::network::Network;
use crate::others::{About, ForeignSetting};
use crate::state::SiteState;

/// How long a resolver may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Where the resolvers of this machine are listed: <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>.
const RESOLVERS: &str = "/etc/resolv.conf";

/// The name servers of a hosted zone, and those that it is delegated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delegation {
    zone: ZoneId,
    name: String,
    /// As Route 53 says.
    own: Vec<String>,
    /// As resolvers find them.
    delegated: Vec<String>,
}

/// Why the delegation is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DelegationError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl Delegation {
    /// A zone that is delegated elsewhere, if at least one of its name servers is known.
    pub(crate) fn judge(&self) -> Option<ForeignSetting> {
        let Self { zone, name, own, delegated } = self;
        if own.is_empty() || delegated.iter().any(|server| own.contains(server)) {
            return None;
        }
        let has = if delegated.is_empty() {
            "is not delegated to any name servers".to_owned()
        } else {
            format!("is delegated to {}", delegated.join(", "))
        };
        let found = ForeignSetting::problem(
            format!(
                "`{name}` {has}, and the hosted zone {zone} has the name servers {}: ACM cannot see the validation record, so the certificate \
                 is not issued, and visitors do not see the records",
                own.join(", ")
            ),
            "enter the zone's name servers at the registrar (or as NS record in the zone above), or set dns.zone_id to the zone that is \
             delegated to",
        );
        Some(found.about(About::Delegation))
    }
}

impl SiteContext {
    /// Compares the name servers of the hosted zones with the delegation, as long as the certificate is not issued or the name has no
    /// records. What cannot be found out from here is no finding.
    pub(crate) async fn judge_delegation(&self, state: &SiteState) -> Vec<ForeignSetting> {
        let dns = &state.dns.actual;
        let aliases = dns.aliases.iter().filter(|alias| self.site.aliases.contains(&alias.name));
        let zones = std::iter::once(&dns.zone).chain(aliases.filter_map(|alias| alias.zone.as_ref().ok()));
        let is_issued = state.cdn.actual.certificates.is_issued(&self.site);
        let mut asked: Vec<&ZoneId> = Vec::new();
        let mut found = Vec::new();
        for zone in zones.filter(|zone| !is_issued || zone.sets.is_empty()) {
            if asked.contains(&&zone.id) {
                continue;
            }
            asked.push(&zone.id);
            let read = self.read_delegation(&zone.id, &zone.name).await;
            found.extend(read.ok().and_then(|delegation| delegation.judge()));
        }
        found
    }

    /// Asks a resolver and Route 53 for the name servers of a hosted zone.
    pub(crate) async fn read_delegation(&self, zone: &ZoneId, name: &str) -> Result<Delegation, DelegationError> {
        let name = name.trim_end_matches('.');
        let (delegated, own) =
            join(self.delegated_name_servers(name), Box::pin(self.services.dns.name_servers(zone))).await;
        let own = own?.iter().map(|server| server.trim_end_matches('.').to_ascii_lowercase()).collect();
        Ok(Delegation { zone: zone.clone(), name: name.to_owned(), own, delegated: delegated? })
    }

    /// The name servers of a zone, as resolvers find them.
    async fn delegated_name_servers(&self, zone: &str) -> Result<Vec<String>, ProbeError> {
        let none = || ProbeError::Unavailable("no resolver is known".to_owned());
        let resolvers: Vec<SocketAddr> = match &self.network {
            Network::Given(network) => network.name_servers.clone(),
            Network::Internet => system_resolvers(),
            Network::Unavailable => Vec::new(),
        };
        let mut last = none();
        for resolver in resolvers.into_iter().take(2) {
            match ns_query(resolver, zone, TIMEOUT).await {
                Ok(servers) => return Ok(servers),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn system_resolvers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string(RESOLVERS).unwrap_or_default();
    let addresses =
        text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok());
    addresses.map(|address| SocketAddr::new(address, 53)).collect()
}
