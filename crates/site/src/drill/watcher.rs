//! Samples a site once a second: DNS, HTTP and HTTPS as visitors use them, the backup, and the health checkers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures::join;
use tokio::task::JoinSet;
use twinsite_core::wait::pause;
use twinsite_core::{Host, Pair, Run, Side, Site, probe};
use twinsite_dns_failover::probe::{DnsResponse, ProbeError, Response};
use twinsite_dns_failover::{Check, CheckPurpose, DnsFailover};
use twinsite_s3_site::S3Site;

use super::timeline::{ByProtocol, Outcome, Sample, ServedBy};
use crate::network::{ProbeNetwork, ProbeRequest, Scheme};

/// How often the checkers are queried, in seconds: Route 53 accepts five requests a second from an account.
const HEALTH_INTERVAL: f64 = 10.0;

/// How long a visitor waits for a response. Edges may need twice thirteen seconds before they ask the backup.
const PATIENCE: Duration = Duration::from_secs(35);

/// A response, and how long it took by the network's clock.
struct Timed {
    response: Result<Response, ProbeError>,
    seconds: f64,
}

/// What is needed to probe a site.
#[derive(Clone, Debug)]
pub(super) struct SiteProbes {
    pub(super) site: Site,
    pub(super) dns: DnsFailover,
    pub(super) health_checks: Vec<Check>,
    /// The version id of the health object in each bucket, by which responses of the sides are told apart.
    pub(super) versions: Pair<Option<String>>,
    /// The distribution's own host name.
    pub(super) distribution: Option<Host>,
}

/// Samples a site.
#[derive(Debug)]
pub(super) struct Watcher {
    probes: SiteProbes,
    network: ProbeNetwork,
    /// In a drill of replication: the probe object that the backup should receive.
    expected_replica: Option<ExpectedReplica>,
    /// The visitor's resolver.
    resolved: Option<Resolved>,
    clock: Clock,
    /// When the checkers were last queried.
    health_queried: Option<f64>,
    /// The query in flight. No sample waits for it: the control plane may be what is out of service.
    health_query: JoinSet<BTreeMap<CheckPurpose, bool>>,
}

#[derive(Debug)]
struct ExpectedReplica {
    s3: S3Site,
    text: String,
}

#[derive(Debug)]
struct Resolved {
    addresses: Vec<IpAddr>,
    /// When the TTL expires.
    until: f64,
}

/// The network's time since the watch began, and since the outage did.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    since: Instant,
    speed: u32,
    broken: Arc<OnceLock<f64>>,
}

impl Clock {
    fn start(speed: u32) -> Self {
        Self { since: Instant::now(), speed, broken: Arc::default() }
    }

    fn elapsed(&self) -> f64 {
        self.since.elapsed().as_secs_f64() * f64::from(self.speed)
    }

    /// The outage begins now.
    pub(super) fn mark_broken(&self) {
        self.broken.get_or_init(|| self.elapsed());
    }

    /// Seconds since the outage began; negative before.
    pub(super) fn at(&self) -> f64 {
        self.broken.get().map_or(-1.0, |broken| self.elapsed() - broken)
    }
}

impl Watcher {
    pub(super) fn new(probes: SiteProbes, network: ProbeNetwork) -> Self {
        let clock = Clock::start(network.speed);
        Self {
            probes,
            network,
            expected_replica: None,
            resolved: None,
            clock,
            health_queried: None,
            health_query: JoinSet::new(),
        }
    }

    /// Seconds since the watch began, by the network's clock.
    pub(super) fn elapsed(&self) -> f64 {
        self.clock.elapsed()
    }

    /// The same by this machine's clock.
    pub(super) fn elapsed_real(&self) -> Duration {
        self.clock.since.elapsed()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// How many times faster than real time the network's clock runs.
    pub(super) fn speed(&self) -> u32 {
        self.network.speed
    }

    /// The number of health checks that must have been reported on.
    pub(super) fn health_checks(&self) -> usize {
        self.probes.health_checks.len()
    }

    /// From now on, `backup` of a sample tells whether this probe object has arrived.
    pub(super) fn expect_replica(&mut self, s3: S3Site, text: String) {
        self.expected_replica = Some(ExpectedReplica { s3, text });
    }

    /// Waits for the next second of the network's clock.
    pub(super) async fn pause(&self, run: &Run) {
        pause(run, self.network.real(Duration::from_secs(1))).await;
    }

    /// Takes one sample.
    pub(super) async fn sample(&mut self) -> Sample {
        let domain = self.probes.site.domain.to_string();
        let answer = self.network.dns_query(&domain).await;
        let addresses = self.resolve(answer.as_ref()).await;
        let path = format!("/{}", probe::HEALTH);
        self.query_health();
        let asked = self.clock.at();
        let get = async |scheme| {
            let response = self.get(&addresses, ProbeRequest { host: &domain, path: &path, scheme }).await;
            Timed { response, seconds: self.clock.at() - asked }
        };
        let (http, https, backup) = join!(get(Scheme::Http), get(Scheme::Https), self.backup_serves(&path));
        let mut waited = ByProtocol { http: http.seconds, https: https.seconds };
        let (http, https) = (http.response, https.response);
        let health = self.health_query.try_join_next().and_then(Result::ok).unwrap_or_default();
        let dns = dns_target(&answer, http.as_ref().or(https.as_ref()).ok());
        let health = health.into_iter().map(|(role, healthy)| (role.to_string(), healthy)).collect();
        let is_redirected = http.as_ref().is_ok_and(|response| is_redirect_to_https(response, &domain));
        let https = self.outcome_of(https);
        // Browsers follow the redirect.
        let http = if is_redirected { https.clone() } else { self.outcome_of(http) };
        if is_redirected {
            waited.http += waited.https;
        }
        Sample { at: self.clock.at(), asked, waited, dns, http, https, backup, health }
    }

    /// Queries the checkers, if that is due and they are not being queried already.
    fn query_health(&mut self) {
        let due = self.health_queried.is_none_or(|last| self.elapsed() - last >= HEALTH_INTERVAL);
        if due && self.health_query.is_empty() {
            self.health_queried = Some(self.elapsed());
            let (dns, checks) = (self.probes.dns.clone(), self.probes.health_checks.clone());
            // After a failure they are queried again in the next interval.
            self.health_query.spawn(async move { dns.check_health(&checks).await.unwrap_or_default() });
        }
    }

    /// Gives up a query of the checkers that may never be answered; the next sample begins another one.
    pub(super) fn ask_checkers_again(&mut self) {
        self.health_query = JoinSet::new();
        self.health_queried = None;
    }

    /// The addresses in the visitor's resolver, which keeps them until their TTL expires.
    async fn resolve(&mut self, answer: Result<&DnsResponse, &ProbeError>) -> Vec<IpAddr> {
        let now = self.elapsed();
        if self.resolved.as_ref().is_none_or(|resolved| now >= resolved.until)
            && let Ok(answer) = answer
        {
            let until = now + f64::from(answer.ttl().unwrap_or_default());
            self.resolved = Some(Resolved { addresses: self.network.resolve(answer).await, until });
        }
        self.resolved.as_ref().map(|resolved| resolved.addresses.clone()).unwrap_or_default()
    }

    async fn get(&self, addresses: &[IpAddr], request: ProbeRequest<'_>) -> Result<Response, ProbeError> {
        match addresses.first() {
            Some(address) => self.network.http_get_within(*address, request, PATIENCE).await,
            None => Err(ProbeError::Unavailable("the name has no address".to_owned())),
        }
    }

    /// Whether the backup serves the site, independently of the site's DNS records: at its website endpoint or, for private
    /// buckets, at the path that the distribution serves from it.
    async fn backup_serves(&self, path: &str) -> bool {
        if let Some(ExpectedReplica { s3, text }) = &self.expected_replica {
            return s3.has_replication_probe(&self.probes.site, text).await.unwrap_or(false);
        }
        let site = &self.probes.site;
        let (host, path, scheme) = if site.mode.public_buckets() {
            (site.website_host(Side::Backup), path.to_owned(), Scheme::Http)
        } else {
            let Some(distribution) = &self.probes.distribution else { return false };
            (distribution.to_string(), format!("/{}", probe::key_of(Side::Backup)), Scheme::Https)
        };
        let address = match self.network.dns_query(&host).await.ok().and_then(|answer| answer.addresses().next()) {
            Some(address) => Some(address),
            // On the internet, the name servers of a zone do not resolve AWS's own names.
            None => {
                tokio::net::lookup_host((host.as_str(), 80)).await.ok().and_then(|mut all| all.next()).map(|a| a.ip())
            }
        };
        let Some(address) = address else { return false };
        let response = self.network.http_get(address, ProbeRequest { host: &host, path: &path, scheme }).await;
        response.is_ok_and(|response| self.is_the_site(&response))
    }

    fn is_the_site(&self, response: &Response) -> bool {
        response.status == 200 && String::from_utf8_lossy(&response.body).contains(&self.probes.site.health_word())
    }

    fn outcome_of(&self, response: Result<Response, ProbeError>) -> Outcome {
        let response = match response {
            Ok(response) => response,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        if !self.is_the_site(&response) {
            return Outcome::Failed(format!("HTTP status {}", response.status));
        }
        Outcome::Served(self.served_by(&response))
    }

    /// The side, by the object's version id or replication status.
    fn served_by(&self, response: &Response) -> ServedBy {
        let Pair { primary, backup } = &self.probes.versions;
        let version = response.header("x-amz-version-id");
        let is = |known: &Option<String>| known.as_deref() == Some(version);
        match (is(primary), is(backup), response.header("x-amz-replication-status")) {
            (true, false, _) => ServedBy::Primary,
            (false, true, _) | (_, _, "REPLICA") => ServedBy::Backup,
            (_, _, "COMPLETED" | "COMPLETE" | "PENDING" | "FAILED") => ServedBy::Primary,
            _ if !response.is_from_cloudfront() => ServedBy::Backup,
            _ => ServedBy::Either,
        }
    }
}

/// True for a redirect to the same site over HTTPS.
fn is_redirect_to_https(response: &Response, domain: &str) -> bool {
    let to = response.header("location").strip_prefix("https://").and_then(|rest| rest.strip_prefix(domain));
    matches!(response.status, 301 | 302 | 307 | 308) && to.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where DNS leads: by the name in a CNAME record or, behind an alias, by what responds over either protocol.
fn dns_target(answer: &Result<DnsResponse, ProbeError>, response: Option<&Response>) -> Option<ServedBy> {
    let answer = answer.as_ref().ok()?;
    if answer.names().any(|name| name.contains("s3-website")) {
        return Some(ServedBy::Backup);
    }
    if answer.names().any(|name| name.ends_with(".cloudfront.net")) {
        return Some(ServedBy::Primary);
    }
    match response {
        Some(response) if !response.is_from_cloudfront() => Some(ServedBy::Backup),
        Some(_) | None => Some(ServedBy::Primary),
    }
}
