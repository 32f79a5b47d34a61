//! Looking at the site once a second, as visitors, name servers and checkers see it.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures::join;
use twinsite_core::wait::pause;
use twinsite_core::{Host, Pair, Run, Side, Site, probe};
use twinsite_dns_failover::look::{Answer, LookError, Seen as Page};
use twinsite_dns_failover::{Check, DnsFailover};
use twinsite_s3_site::S3Site;

use super::timeline::{Look, Sample, Seen};
use crate::stack::Ground;

/// How often the checkers are asked, in the world's seconds: Route 53 takes five questions a second from a whole account.
const CHECKED: f64 = 10.0;

/// Somebody who looks.
pub(super) struct Watcher {
    site: Site,
    ground: Ground,
    dns: DnsFailover,
    checks: Vec<Check>,
    /// What tells the sides apart: the version of the object that is asked for, in each bucket.
    versions: Pair<Option<String>>,
    /// The distribution's own host.
    front: Option<Host>,
    /// What has to arrive in the backup, when replication is what is broken.
    canary: Option<(S3Site, String)>,
    /// The visitor's resolver: addresses, and until when they are kept.
    kept: Option<(Vec<IpAddr>, f64)>,
    clock: Clock,
    checked: Option<f64>,
}

/// The world's time since the watch began, and since the primary was broken.
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

    /// The primary is broken now.
    pub(super) fn broken(&self) {
        self.broken.get_or_init(|| self.elapsed());
    }

    /// Seconds since the primary was broken; negative before.
    pub(super) fn at(&self) -> f64 {
        self.broken.get().map_or(-1.0, |broken| self.elapsed() - broken)
    }
}

impl Watcher {
    pub(super) fn new(
        site: Site,
        ground: Ground,
        (dns, checks): (DnsFailover, Vec<Check>),
        versions: Pair<Option<String>>,
        front: Option<Host>,
    ) -> Self {
        let clock = Clock::start(ground.speed);
        Self { site, ground, dns, checks, versions, front, canary: None, kept: None, clock, checked: None }
    }

    /// The world's seconds since the watch began.
    pub(super) fn elapsed(&self) -> f64 {
        self.clock.elapsed()
    }

    /// How long the watch has lasted on this machine's clock.
    pub(super) fn on_this_machine(&self) -> Duration {
        self.clock.since.elapsed()
    }

    /// Tells the time to others.
    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// How many times faster time runs.
    pub(super) fn speed(&self) -> u32 {
        self.ground.speed
    }

    /// How many checks there are that somebody has to have a verdict on.
    pub(super) fn checks(&self) -> usize {
        self.checks.len()
    }

    /// Looks from now on whether this arrives in the backup.
    pub(super) fn wait_for(&mut self, s3: S3Site, canary: String) {
        self.canary = Some((s3, canary));
    }

    /// Waits for the next second.
    pub(super) async fn pause(&self, run: &Run) {
        pause(run, self.ground.real(Duration::from_secs(1))).await;
    }

    /// Looks once.
    pub(super) async fn look(&mut self) -> Sample {
        let domain = self.site.domain.to_string();
        let answer = self.ground.names(&domain).await;
        let addresses = self.addresses(answer.as_ref());
        let path = format!("/{}", probe::HEALTH);
        let due = self.checked.is_none_or(|last| self.elapsed() - last >= CHECKED);
        let health = async {
            // Checkers that cannot be asked just now are asked again later.
            if due { self.dns.verdicts(&self.checks).await.unwrap_or_default() } else { Default::default() }
        };
        let visit = |tls: bool| self.visit(&addresses, &domain, &path, tls);
        let (http, https, backup, health) = join!(visit(false), visit(true), self.backup(&path), health);
        if due {
            self.checked = Some(self.elapsed());
        }
        let dns = led_to(&answer, &http);
        let health = health.into_iter().map(|(role, well)| (role.to_string(), well)).collect();
        Sample { at: self.clock.at(), dns, http: self.look_of(http), https: self.look_of(https), backup, health }
    }

    /// The addresses that the visitor's resolver knows: old ones as long as it may keep them.
    fn addresses(&mut self, answer: Result<&Answer, &LookError>) -> Vec<IpAddr> {
        let now = self.elapsed();
        if self.kept.as_ref().is_none_or(|(_, until)| now >= *until)
            && let Ok(answer) = answer
        {
            let until = now + f64::from(answer.ttl().unwrap_or_default());
            self.kept = Some((answer.addresses().collect(), until));
        }
        self.kept.as_ref().map(|(addresses, _)| addresses.clone()).unwrap_or_default()
    }

    async fn visit(&self, addresses: &[IpAddr], host: &str, path: &str, tls: bool) -> Result<Page, LookError> {
        match addresses.first() {
            Some(address) => self.ground.visit(*address, host, path, tls).await,
            None => Err(LookError::Broken("the name leads nowhere".to_owned())),
        }
    }

    /// Whether the backup has the site, whatever DNS says: at its website endpoint or, where there is none, by the path that
    /// the distribution serves from it.
    async fn backup(&self, path: &str) -> bool {
        if let Some((s3, canary)) = &self.canary {
            return s3.has_canary(&self.site, canary).await.unwrap_or(false);
        }
        let word = self.site.health_word();
        let has = |page: &Page| page.status == 200 && String::from_utf8_lossy(&page.body).contains(&word);
        let (host, path, tls) = if self.site.mode.public_buckets() {
            (self.site.website_host(Side::Backup), path.to_owned(), false)
        } else {
            let Some(front) = &self.front else { return false };
            (front.to_string(), format!("/{}", probe::key_of(Side::Backup)), true)
        };
        let address = match self.ground.names(&host).await.ok().and_then(|answer| answer.addresses().next()) {
            Some(address) => Some(address),
            // On the internet, a zone's name servers know nothing of AWS's own names.
            None => {
                tokio::net::lookup_host((host.as_str(), 80)).await.ok().and_then(|mut all| all.next()).map(|a| a.ip())
            }
        };
        let Some(address) = address else { return false };
        self.ground.visit(address, &host, &path, tls).await.is_ok_and(|page| has(&page))
    }

    fn look_of(&self, page: Result<Page, LookError>) -> Look {
        let page = match page {
            Ok(page) => page,
            Err(error) => return Look::Failed(error.to_string()),
        };
        // Whoever is sent to HTTPS is served there.
        if (301..309).contains(&page.status) && page.header("location").starts_with("https://") {
            return Look::Failed("is sent to HTTPS".to_owned());
        }
        let word = self.site.health_word();
        if page.status != 200 || !String::from_utf8_lossy(&page.body).contains(&word) {
            return Look::Failed(format!("HTTP status {}", page.status));
        }
        Look::Site(self.side_of(&page))
    }

    /// The side by the version of the object, or by whether it is a replica.
    fn side_of(&self, page: &Page) -> Seen {
        let Pair { primary, backup } = &self.versions;
        let version = page.header("x-amz-version-id");
        let is = |known: &Option<String>| known.as_deref() == Some(version);
        match (is(primary), is(backup), page.header("x-amz-replication-status")) {
            (true, false, _) => Seen::Primary,
            (false, true, _) | (_, _, "REPLICA") => Seen::Backup,
            (_, _, "COMPLETED" | "COMPLETE" | "PENDING" | "FAILED") => Seen::Primary,
            _ if !page.through_cloudfront() => Seen::Backup,
            _ => Seen::Either,
        }
    }
}

/// Where the name servers lead: by the name in a CNAME or, behind an alias, by who answers there.
fn led_to(answer: &Result<Answer, LookError>, http: &Result<Page, LookError>) -> Option<Seen> {
    let answer = answer.as_ref().ok()?;
    if answer.names().any(|name| name.contains("s3-website")) {
        return Some(Seen::Backup);
    }
    if answer.names().any(|name| name.ends_with(".cloudfront.net")) {
        return Some(Seen::Primary);
    }
    match http {
        Ok(page) if page.through_cloudfront() => Some(Seen::Primary),
        Ok(_) => Some(Seen::Backup),
        Err(_) => Some(Seen::Primary),
    }
}
