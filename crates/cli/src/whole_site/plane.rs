//! What visitors meet: names, sockets, TLS. The site is broken as the world breaks, not through any API.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_core::Side;
use twinsite_core::wait::pause;
use twinsite_dns_failover::probe::{DnsResponse, HttpRequest, ProbeError, Response, TrustStore, dns_query, http_get};
use twinsite_local::Outages;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::route53::{Observation, configs_by_id};
use twinsite_local::s3::Doc;
use twinsite_local::{Endpoints, Ports};
use twinsite_site::{Changes, Invalidator as _, WaitForInvalidation};
use twinsite_sync::{Rules, Source};

use super::*;

const HOST: &str = "www.example.com";
const PATIENCE: Duration = Duration::from_secs(5);

/// A site that is served on this machine, in fast time.
struct Served {
    cloud: Cloud,
    directory: Endpoints,
    roots: TrustStore,
    stop: CancellationToken,
    /// Serves for as long as it is there.
    _tasks: JoinSet<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Served {
    async fn new(mode: Mode, speed: u32) -> Self {
        let cloud = cloud();
        let stack = open(&cloud, &full(mode), None).await;
        applied(&stack).await.unwrap();
        let primary = stack.session.s3(&stack.site.regions.primary);
        for (key, page) in [("index.html", "home"), ("about/index.html", "about"), ("404.html", "lost")] {
            let put =
                primary.put_object().bucket(stack.site.buckets.primary.as_str()).key(key).content_type("text/html");
            put.cache_control("max-age=0").body(page.as_bytes().to_vec().into()).send().await.unwrap();
        }
        let ready = DataPlane::open(&cloud, None, Ports { dns: 0, http: 0, https: 0 }, speed).await.unwrap();
        let (directory, stop) = (ready.endpoints().clone(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(ready.run(stop.clone()));
        let roots = TrustStore::from_pem(&directory.authority).unwrap();
        let served = Self { cloud, directory, roots, stop, _tasks: tasks };
        served.until("first looks", Duration::from_mins(2), async || served.everybody_has_looked()).await;
        served
    }

    /// Before that, the first look of a checker is its verdict.
    fn everybody_has_looked(&self) -> bool {
        let (world, looked) = (self.cloud.world(), |sight: &Observation| sight.healthy.is_some());
        world.account(|account, _| {
            let mut endpoints = account.route53.checks().filter(|check| check.config.child_health_checks.is_none());
            endpoints.all(|check| world.health().observations(&check.id).iter().all(looked))
        })
    }

    async fn names(&self) -> DnsResponse {
        self.ask(HOST).await
    }

    async fn ask(&self, name: &str) -> DnsResponse {
        let server = SocketAddr::new(self.directory.name_server, self.directory.ports.dns);
        dns_query(server, name, PATIENCE).await.unwrap()
    }

    async fn address(&self) -> IpAddr {
        let answer = self.names().await;
        let target = answer.names().last().map(str::to_owned);
        let answer = if let Some(target) = target { self.ask(&target).await } else { answer };
        answer.addresses().next().unwrap()
    }

    async fn get(&self, path: &str, tls: bool) -> Result<Response, ProbeError> {
        let port = if tls { self.directory.ports.https } else { self.directory.ports.http };
        let roots = tls.then_some(&self.roots);
        http_get(self.address().await, &HttpRequest { host: HOST, path, port, tls: roots }, PATIENCE).await
    }

    fn region(&self, out: bool) {
        let regions_out = if out { ["us-east-1".to_owned()].into() } else { Default::default() };
        self.cloud.world().set_outages(Outages { regions_out, ..Outages::default() });
    }

    /// Waits until something holds; tells how long that took in the world's time.
    async fn until(&self, what: &str, most: Duration, holds: impl AsyncFn() -> bool) -> Duration {
        let (since, speed) = (Instant::now(), self.directory.speed);
        while !holds().await {
            assert!(since.elapsed() * speed < most, "{what}: not within {most:?}");
            pause(&Run::silent(), Duration::from_millis(20)).await;
        }
        since.elapsed() * speed
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_sites_are_served_in_every_mode() {
    for mode in MODES {
        let served = Served::new(mode, 30).await;
        let home = served.get("/", true).await.unwrap();
        assert_eq!((home.status, &home.body[..], home.is_from_cloudfront()), (200, &b"home"[..], true), "{mode}");
        let about = served.get("/about/", true).await.unwrap();
        assert_eq!((about.status, &about.body[..]), (200, &b"about"[..]), "{mode}: folders");
        let lost = served.get("/none.html", true).await.unwrap();
        assert_eq!((lost.status, &lost.body[..]), (404, &b"lost"[..]), "{mode}");
        let private = served.get("/.twinsite/x.html", true).await.unwrap();
        assert!([403, 404].contains(&private.status) && &private.body[..] != b"x", "{mode}: the reserved prefix");
        let names = served.names().await;
        assert_eq!(names.ttl(), Some(60), "{mode}");
    }
}

/// A request with headers of one's own: head and body as they come.
async fn asked(served: &Served, path: &str, headers: &str) -> (String, Vec<u8>) {
    let at = SocketAddr::new(served.address().await, served.directory.ports.http);
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase(), answer[end..].to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edges_cache_revalidate_forget_compress_and_redirect() {
    let served = Served::new(Mode::Dns, 30).await;
    let stack = open(&served.cloud, &full(Mode::Dns), None).await;
    let (bucket, s3) = (stack.site.buckets.primary.as_str(), stack.session.s3(&stack.site.regions.primary));
    let put = async |text: &str| {
        let put = s3.put_object().bucket(bucket).key("long.css").content_type("text/css").cache_control("max-age=60");
        put.body(text.repeat(500).into_bytes().into()).send().await.unwrap();
    };
    put("a{} ").await;
    assert!(asked(&served, "/long.css", "").await.0.contains("x-cache: miss from cloudfront"));
    let (head, body) = asked(&served, "/long.css?x=1", "").await;
    assert!(head.contains("x-cache: hit from cloudfront") && head.contains("age: ") && body.len() == 2000, "{head}");
    let (head, body) = asked(&served, "/long.css", "Accept-Encoding: br, gzip\r\n").await;
    assert!(head.contains("content-encoding: br") && head.contains("etag: w/") && body.len() < 200, "{head}");
    let etag = head.split("etag: ").nth(1).unwrap().split('\r').next().unwrap().replace("w/", "W/");
    let (head, body) = asked(&served, "/long.css", &format!("If-None-Match: {etag}\r\n")).await;
    assert!(head.starts_with("http/1.1 304") && body.is_empty(), "{head}");
    // What is cached is served until it runs out, or is invalidated.
    put("b{} ").await;
    assert!(asked(&served, "/long.css", "").await.1.starts_with(b"a{}"));
    let invalidator = stack.context.invalidator();
    let distribution = invalidator.prepare().await.unwrap().unwrap();
    let wait = WaitForInvalidation::Completed;
    let source = Source::of([], &Rules::web());
    let held = ["long.css".to_owned()].into();
    let changes = Changes {
        held,
        revalidated: BTreeSet::new(),
        created: BTreeSet::new(),
        replaced: BTreeSet::new(),
        source: &source,
    };
    invalidator.invalidate(&distribution, &changes, wait, &Run::silent()).await.unwrap();
    assert!(asked(&served, "/long.css", "").await.1.starts_with(b"b{}"));
    // A minute later it is asked for again, and has not changed.
    pause(&Run::silent(), Duration::from_millis(2200)).await;
    assert!(asked(&served, "/long.css", "").await.0.contains("x-cache: refreshhit from cloudfront"));
    let (head, _) = asked(&served, "/", "Expect: nothing\r\n").await;
    assert!(!head.contains("strict-transport-security"), "{head}");
    let private = Served::new(Mode::Origin, 30).await;
    let (head, _) = asked(&private, "/about/?q=1", "").await;
    assert!(
        head.starts_with("http/1.1 301") && head.contains(&format!("location: https://{HOST}/about/?q=1")),
        "{head}"
    );
    assert_eq!(private.get("/", true).await.unwrap().header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_dns_visitors_move_to_the_backup_within_the_budget_and_back() {
    let served = Served::new(Mode::Dns, 30).await;
    let most = twinsite_dns_failover::FailoverTiming::default().failover_bound();
    served.region(true);
    let backup =
        async || served.get("/", false).await.is_ok_and(|seen| seen.status == 200 && !seen.is_from_cloudfront());
    let took = served.until("failover", most.max_total, &backup).await;
    assert!(
        took >= most.min_detection.saturating_sub(Duration::from_secs(30)),
        "{took:?} is sooner than checkers can tell"
    );
    let seen = served.get("/", false).await.unwrap();
    assert_eq!((&seen.body[..], seen.header("x-amz-replication-status")), (&b"home"[..], "REPLICA"));
    assert!(served.names().await.names().any(|name| name.contains("s3-website-us-west-2")));
    assert!(served.get("/", true).await.is_err(), "website endpoints speak no TLS");
    served.region(false);
    let primary = async || served.get("/", true).await.is_ok_and(|seen| seen.status == 200);
    served.until("fail-back", most.max_total, &primary).await;
    assert_eq!(&served.get("/", true).await.unwrap().body[..], b"home");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_neither_side_is_healthy_the_primary_is_answered() {
    let served = Served::new(Mode::Dns, 30).await;
    let regions_out = ["us-east-1".to_owned(), "us-west-2".to_owned()].into();
    served.cloud.world().set_outages(Outages { regions_out, ..Outages::default() });
    let most = twinsite_dns_failover::FailoverTiming::default().failover_bound().max_total;
    let both_red = async || {
        let world = served.cloud.world();
        world.account(|account, _| {
            let all = configs_by_id(account.route53.checks());
            let red = all.keys().filter(|id| !world.health().is_healthy(&all, id)).count();
            // Nobody sees the stop object either, which is as well.
            red == 3
        })
    };
    served.until("both red", most, &both_red).await;
    assert!(served.names().await.names().any(|name| name.ends_with(".cloudfront.net")));
    served.region(true);
    let backup = async || served.get("/", false).await.is_ok_and(|seen| seen.status == 200);
    served.until("the backup is back", most, &backup).await;
    assert!(served.names().await.names().any(|name| name.contains("s3-website-us-west-2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_origin_no_request_fails_for_longer_than_the_origins_timeout() {
    for mode in [Mode::Origin, Mode::Layered] {
        let served = Served::new(mode, 30).await;
        served.region(true);
        for _ in 0..20 {
            let seen = served.get("/", true).await.unwrap();
            assert_eq!((seen.status, &seen.body[..]), (200, &b"home"[..]), "{mode}");
            assert!(seen.took * 30 < Duration::from_secs(15), "{mode}: {:?}", seen.took * 30);
        }
        assert_eq!(served.get("/", true).await.unwrap().header("x-amz-replication-status"), "REPLICA");
        served.region(false);
        assert_eq!(served.get("/about/", true).await.unwrap().header("x-amz-replication-status"), "COMPLETED");
    }
}

async fn remove_primary(stack: &TestSite) {
    let (s3, bucket) = (stack.session.s3(&stack.site.regions.primary), stack.site.buckets.primary.as_str());
    let listed = s3.list_object_versions().bucket(bucket).send().await.unwrap();
    for version in listed.versions() {
        let delete = s3.delete_object().bucket(bucket).key(version.key().unwrap());
        delete.version_id(version.version_id().unwrap()).send().await.unwrap();
    }
    s3.delete_bucket().bucket(bucket).send().await.unwrap();
}

/// What takes the primary away, all of which visitors survive without leaving HTTPS.
enum Loss {
    Region,
    Website,
    Denied,
    Bucket,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_the_primary_is_lost_https_is_served_and_dns_stays() {
    let most = twinsite_dns_failover::FailoverTiming::default().failover_bound().max_detection;
    for loss in [Loss::Region, Loss::Website, Loss::Denied, Loss::Bucket] {
        let served = Served::new(Mode::Layered, 60).await;
        let stack = open(&served.cloud, &full(Mode::Layered), None).await;
        let (world, bucket) = (served.cloud.world(), stack.site.buckets.primary.as_str());
        match loss {
            Loss::Region => served.region(true),
            Loss::Website => {
                world.s3().update_bucket(bucket, |settings| drop(settings.docs.remove(&Doc::Website))).unwrap();
            }
            Loss::Denied => world.s3().update_bucket(bucket, |settings| settings.policy = None).unwrap(),
            Loss::Bucket => remove_primary(&stack).await,
        }
        let alarmed = async || {
            let seen = served.get("/about/", true).await.unwrap();
            assert_eq!((seen.status, &seen.body[..]), (200, &b"about"[..]));
            let missing = served.get("/none.html", true).await.unwrap();
            assert_eq!((missing.status, &missing.body[..]), (404, &b"lost"[..]));
            assert!(served.names().await.names().any(|name| name.ends_with(".cloudfront.net")), "DNS has moved");
            world.account(|account, _| {
                let all = configs_by_id(account.route53.checks());
                all.keys().any(|id| !world.health().is_healthy(&all, id))
            })
        };
        served.until("the primary is reported as unhealthy", most + Duration::from_mins(1), alarmed).await;
        let unhealthy: Vec<_> = world.account(|account, _| {
            let all = configs_by_id(account.route53.checks());
            let checks = account.route53.checks().filter(|check| !world.health().is_healthy(&all, &check.id));
            checks.map(|check| check.config.fully_qualified_domain_name.clone()).collect()
        });
        let primary = stack.site.website_host(Side::Primary);
        assert_eq!(unhealthy, [Some(primary)], "neither the check of the edge nor what DNS depends on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_cdn_out_a_layered_site_moves_to_the_backups_website() {
    let served = Served::new(Mode::Layered, 30).await;
    served.cloud.world().set_outages(Outages { cdn_out: true, ..Outages::default() });
    let most = twinsite_dns_failover::FailoverTiming::default().failover_bound().max_total;
    let backup = async || served.get("/", false).await.is_ok_and(|seen| seen.status == 200);
    served.until("failover", most, &backup).await;
    assert!(served.names().await.names().any(|name| name.contains("s3-website-us-west-2")));
    served.cloud.world().set_outages(Outages::default());
    served.until("fail-back", most, &async || served.get("/", true).await.is_ok()).await;
}
