//! What visitors get: asked over DNS, HTTP and HTTPS, without credentials.

use std::net::IpAddr;
use std::time::Duration;

use futures::join;
use twinsite_cdn::OriginChoice;
use twinsite_core::wait::within;
use twinsite_core::{Domain, Pair, Run, Side, probe};
use twinsite_dns_failover::probe::{ProbeError, Response, TrustStore};

use super::findings::Findings;
use super::part::{Failure, FailureKind, Part};
use super::state::{AliasState, DnsState, TableAtEdges, Target, VisitState, VisitorState};
use crate::context::SiteContext;
use crate::network::{Network, ProbeNetwork, ProbeRequest, Scheme};

/// The answers to a visitor.
pub(super) struct VisitorAnswers {
    names: Vec<String>,
    addresses: Result<Vec<IpAddr>, Failure>,
    http: Result<VisitState, Failure>,
    https: Result<VisitState, Failure>,
    /// The health object, over HTTPS or over HTTP.
    health: Option<Response>,
    /// From which origin the edge that answers has visitors served, if the function there says so.
    origin: Option<OriginChoice>,
    /// Whether that edge reads the redirect table, if its function says so.
    table: Option<TableAtEdges>,
}

/// Asks for one of the site's names as a visitor does. DNS may take a third of the time limit, and the requests the rest.
pub(super) async fn ask(site: &SiteContext, name: &Domain, run: &Run, limit: Duration) -> VisitorAnswers {
    let started = run.timer.now();
    let (network, names, addresses) = match within(run, limit / 3, Box::pin(resolve(site, name))).await {
        Some(Ok(Resolved { network, names, addresses })) => (Some(network), names, Ok(addresses)),
        Some(Err(error)) => (None, Vec::new(), Err(Failure::from(error))),
        None => (None, Vec::new(), Err(Failure::new(FailureKind::TimedOut, "no response of the name servers"))),
    };
    let address = addresses.as_ref().ok().and_then(|found: &Vec<IpAddr>| found.first().copied());
    let (Some(network), Some(address)) = (network, address) else {
        let failure = match &addresses {
            Ok(_) => Failure::new(FailureKind::Unreachable, "the name has no address"),
            Err(Failure::Unavailable { kind: FailureKind::NotAsked, reason }) => {
                Failure::new(FailureKind::NotAsked, reason.clone())
            }
            Err(_) => Failure::new(FailureKind::Unreachable, "the name could not be resolved"),
        };
        return VisitorAnswers {
            names,
            addresses,
            http: Err(failure.clone()),
            https: Err(failure),
            health: None,
            origin: None,
            table: None,
        };
    };
    let left = limit.saturating_sub(run.timer.now().saturating_sub(started));
    let host = name.as_str();
    let (health, origin) = (format!("/{}", probe::HEALTH), format!("/{}", probe::ORIGIN));
    let table = format!("{origin}?{}", probe::TABLE_QUERY);
    let get = async |path: &str, scheme| {
        let got = Box::pin(network.http_get(address, ProbeRequest { host, path, scheme }));
        let late = || Failure::new(FailureKind::TimedOut, format!("no response within {:.0} s", left.as_secs_f64()));
        within(run, left, got).await.ok_or_else(late)?.map_err(Failure::from)
    };
    let (http, https, plain, secure, origin, table) = join!(
        get("/", Scheme::Http),
        get("/", Scheme::Https),
        get(&health, Scheme::Http),
        get(&health, Scheme::Https),
        get(&origin, Scheme::Https),
        get(&table, Scheme::Https)
    );
    let is_found = |response: &Response| response.status == 200;
    let health = secure.ok().filter(is_found).or(plain.ok().filter(is_found));
    let of_function = |response: Result<Response, Failure>| {
        let response = response.ok().filter(|response| is_found(response) && response.is_from_cloudfront());
        response.map(|response| String::from_utf8_lossy(&response.body).trim().to_owned())
    };
    let origin = of_function(origin).and_then(|text| text.parse().ok());
    // An older function answers with the origin.
    let table = of_function(table).and_then(|text| match text.as_str() {
        probe::TABLE_UNREADABLE => Some(TableAtEdges::Unreadable),
        probe::TABLE_ABSENT => Some(TableAtEdges::Absent),
        digest if digest.len() == 32 => Some(TableAtEdges::Read),
        _ => None,
    });
    let visit = |response: Response| VisitState {
        status: response.status,
        cloudfront: response.is_from_cloudfront(),
        location: Some(response.header("location").to_owned()).filter(|location| !location.is_empty()),
    };
    VisitorAnswers { names, addresses, http: http.map(visit), https: https.map(visit), health, origin, table }
}

struct Resolved {
    network: ProbeNetwork,
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

/// Resolves a name as visitors do: on the internet by the resolver of this machine, which needs no AWS API.
async fn resolve(site: &SiteContext, name: &Domain) -> Result<Resolved, ProbeError> {
    let domain = name.as_str();
    match &site.network {
        Network::Given(network) => {
            let answer = network.dns_query(domain).await?;
            let addresses = network.resolve(&answer).await;
            let names = answer.names().map(str::to_owned).collect();
            Ok(Resolved { network: network.clone(), names, addresses })
        }
        Network::Internet => {
            let found = tokio::net::lookup_host((domain, 443)).await.map_err(ProbeError::Connection)?;
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            // Website endpoints have none but IPv4 addresses, and not every machine has a route for others.
            addresses.sort_by_key(IpAddr::is_ipv6);
            let roots = TrustStore::system()?;
            let network = ProbeNetwork { name_servers: Vec::new(), http: 80, https: 443, roots, speed: 1 };
            Ok(Resolved { network, names: Vec::new(), addresses })
        }
        Network::Unavailable => {
            Err(ProbeError::Unavailable("the embedded cloud's data plane is not served".to_owned()))
        }
    }
}

impl VisitorAnswers {
    /// What visitors of an alias get.
    pub(super) fn of_alias(self, name: &Domain) -> AliasState {
        let VisitorState { dns, http, https, side: _, table: _ } = self.state(&Pair::default());
        AliasState { name: name.to_string(), dns, http, https }
    }

    /// What visitors get. The side is named by what the edge says, which serves health objects from the primary also during a failover by
    /// hand, and otherwise by the version of the health object.
    pub(super) fn state(self, versions: &Pair<Option<String>>) -> VisitorState {
        let Self { names, addresses, http, https, health, origin, table } = self;
        let cloudfront = |visit: &Result<VisitState, Failure>| visit.as_ref().ok().map(|visit| visit.cloudfront);
        let target = if names.iter().any(|name| name.contains(".s3-website")) {
            Some(Target::Backup)
        } else if names.iter().any(|name| name.ends_with(".cloudfront.net")) {
            Some(Target::CloudFront)
        } else {
            match cloudfront(&http).or_else(|| cloudfront(&https)) {
                Some(true) => Some(Target::CloudFront),
                Some(false) => Some(Target::Backup),
                None => None,
            }
        };
        let side = match origin {
            Some(OriginChoice::Backup) => Some(Side::Backup),
            // Another visitor may be served by the other side.
            Some(OriginChoice::PrimaryShare(_)) => None,
            Some(OriginChoice::Primary) | None => health.as_ref().and_then(|response| side_of(response, versions)),
        };
        let values =
            |addresses: Vec<IpAddr>| names.iter().cloned().chain(addresses.iter().map(ToString::to_string)).collect();
        let dns = addresses.map(|addresses| DnsState { target, values: values(addresses) });
        VisitorState {
            dns: Part::from(dns),
            http: Part::from(http),
            https: Part::from(https),
            side: side.map(Into::into),
            table,
        }
    }
}

/// What visitors miss if edges do not read the redirect table.
pub(super) fn judge_table(table: Option<TableAtEdges>, is_needed: bool, findings: &mut Findings) {
    match table {
        Some(TableAtEdges::Unreadable) => findings.problem(
            "edges cannot read the key value store: redirect rules, header rules and rewrites do not apply, and paths without an extension \
             are taken for folders or, with `clean_urls`, for pages",
            "see the AWS Health Dashboard for CloudFront; if it is well, `twinsite plan` and `twinsite apply`",
        ),
        Some(TableAtEdges::Absent) if is_needed => findings.problem(
            "edges have no redirect table: redirect rules do not apply, and CloudFront does not know which paths are folders",
            "publish the site: `twinsite deploy`",
        ),
        Some(TableAtEdges::Absent | TableAtEdges::Read) | None => {}
    }
}

/// The side that a health object comes from. Both buckets have one, of different versions.
fn side_of(response: &Response, versions: &Pair<Option<String>>) -> Option<Side> {
    let version = Some(response.header("x-amz-version-id")).filter(|version| !version.is_empty());
    let is = |side| versions.get(side).as_deref().is_some_and(|known| Some(known) == version);
    let differs = |side| versions.get(side).as_deref().is_some_and(|known| Some(known) != version);
    match version {
        _ if is(Side::Primary) != is(Side::Backup) => {
            Some(if is(Side::Primary) { Side::Primary } else { Side::Backup })
        }
        // The bucket of the other side could not be asked.
        Some(_) if differs(Side::Backup) && versions.primary.is_none() => Some(Side::Primary),
        Some(_) if differs(Side::Primary) && versions.backup.is_none() => Some(Side::Backup),
        // Without CloudFront, only the backup serves visitors.
        _ if !response.is_from_cloudfront() => Some(Side::Backup),
        _ => None,
    }
}
