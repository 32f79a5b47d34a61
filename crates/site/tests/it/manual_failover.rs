//! Failover by hand under HTTPS: visitors on real sockets, in the time of the embedded cloud.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_aws_session::{Access, RetryConfig, Session};
use twinsite_core::{Arn, probe};
use twinsite_dns_failover::probe::TrustStore;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{ACCOUNT, Cloud, Delays, Endpoints, InjectedFault, Outages, Ports};
use twinsite_site::{
    AdoptBuckets, DeployRequest, DeployResult, EdgeInvalidation, Environment, Error, FailbackChecks, FailbackRequest,
    FailedBack, FailedOver, FailoverBy, Mode, Network, PrimaryState, ProbeNetwork, ProbeRequest, PublishResult, Run,
    Scheme, SiteContext, SitePlan, SourceDirectory, StatusRequest, TableAtEdges, apply, deploy, failback, failover,
    plan, status,
};
use twinsite_sync::{HeaderRule, Setting};

use crate::site::{OPTIONS, POLLING, TestSite};
use crate::write;

const SPEED: u32 = 20;
const HTTPS_MODES: [Mode; 2] = [Mode::Origin, Mode::Layered];
const HOST: &str = "www.example.com";
const EVEN_IF_UNHEALTHY: FailbackRequest =
    FailbackRequest { by: FailoverBy::Mode, checks: FailbackChecks::Skip, percent: None };

/// A published site whose visitors are served on this machine.
struct Served {
    cloud: Cloud,
    context: SiteContext,
    directory: Endpoints,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn network(directory: &Endpoints) -> ProbeNetwork {
    ProbeNetwork {
        name_servers: vec![SocketAddr::new(directory.name_server, directory.ports.dns)],
        http: directory.ports.http,
        https: directory.ports.https,
        roots: TrustStore::from_pem(&directory.authority).unwrap(),
        speed: SPEED,
    }
}

impl Served {
    async fn new(mode: Mode) -> Self {
        let rule = HeaderRule::new("*", vec![Setting::CacheControl(Some("max-age=0".to_owned()))]).unwrap();
        let site = TestSite::applied_with(|config| {
            config.mode = mode;
            config.cdn.redirect_to_https = Some(false);
            config.publish.headers.push(rule);
        });
        let (site, dir) = (site.await, tempfile::tempdir().unwrap());
        write(dir.path(), "index.html", "home");
        write(dir.path(), "404.html", "lost");
        site.deploy(dir.path()).await.unwrap();
        let cloud = site.cloud;
        let plane = DataPlane::open(&cloud, None, Ports { dns: 0, http: 0, https: 0 }, SPEED).await.unwrap();
        let (directory, stop, mut tasks) = (plane.endpoints().clone(), CancellationToken::new(), JoinSet::new());
        tasks.spawn(plane.run(stop.clone()));
        // What the key value store itself needs to reach the edges.
        cloud.world().set_delays(Delays { store: Duration::from_secs(8), ..Delays::NONE });
        let environment = Environment { network: Network::Given(network(&directory)), ..environment(&cloud) };
        let session = Session::open(environment.access.clone()).await.unwrap();
        let config = site.context.config().clone();
        let context = SiteContext::with_session(config, session, ACCOUNT.parse().unwrap(), environment).unwrap();
        Self { cloud, context, directory, stop, _tasks: tasks }
    }

    fn now(&self) -> SystemTime {
        self.cloud.world().clock().now()
    }

    fn run(&self) -> Run {
        Run::silent().with_timer(Arc::new(self.cloud.world().clock().clone()))
    }

    /// The address of the edges.
    async fn edge(&self) -> IpAddr {
        let domain =
            self.cloud.world().account(|account, _| account.cloudfront.distributions().next().unwrap().domain());
        network(&self.directory).dns_query(&domain).await.unwrap().addresses().next().unwrap()
    }

    /// The status, the body, and the seconds that it took, in the time of the cloud, over HTTPS.
    async fn visit(&self, path: &str) -> (u16, String, f64) {
        let (edge, started) = (self.edge().await, self.now());
        let request = ProbeRequest { host: HOST, path, scheme: Scheme::Https };
        let response = network(&self.directory).http_get(edge, request).await.unwrap();
        let took = self.now().duration_since(started).unwrap().as_secs_f64();
        (response.status, String::from_utf8_lossy(&response.body).into_owned(), took)
    }

    async fn fail_over(&self) -> Result<FailedOver, Error> {
        let environment = Environment { network: Network::Given(network(&self.directory)), ..environment(&self.cloud) };
        Box::pin(failover(self.context.config(), environment, FailoverBy::Mode, &self.run())).await
    }

    async fn fail_back(&self, percent: Option<u8>) -> Result<FailedBack, Error> {
        let request = FailbackRequest { percent, ..FailbackRequest::default() };
        Box::pin(failback(&self.context, request, &self.run())).await
    }

    /// Deploys a site of one page, in the time of the cloud.
    async fn deploy(&self, page: &str) -> PublishResult {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "index.html", page);
        write(dir.path(), "404.html", "lost");
        let source = SourceDirectory::read(self.context.config(), dir.path(), None, None).await.unwrap();
        let request = DeployRequest { options: OPTIONS, ..DeployRequest::default() };
        match Box::pin(deploy(&self.context, source, &request, &self.run())).await.unwrap() {
            DeployResult::Published(published) => *published,
            skipped => panic!("{skipped:?}"),
        }
    }

    /// Puts an object into the primary, behind the back of twinsite.
    async fn put_to_primary(&self, key: &str, body: &str) {
        put(&self.cloud, "us-east-1", self.context.site().buckets.primary.as_str(), key, body).await;
    }

    async fn put_to_backup(&self, key: &str, body: &str) {
        put(&self.cloud, "us-west-2", self.context.site().buckets.backup.as_str(), key, body).await;
    }

    fn pause_replication(&self) {
        self.cloud.world().set_outages(Outages { replication_paused: true, ..Outages::default() });
    }
}

async fn put(cloud: &Cloud, region: &str, bucket: &str, key: &str, body: &str) {
    let s3 = session(cloud).await.s3(&region.parse().unwrap());
    let put = s3.put_object().bucket(bucket).key(key).cache_control("max-age=0").content_type("text/plain");
    put.body(body.as_bytes().to_vec().into()).send().await.unwrap();
}

fn environment(cloud: &Cloud) -> Environment {
    let pause = Duration::from_millis(1);
    let retry = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(pause).with_max_backoff(pause);
    let access = Access { embedded: Some(cloud.http_client()), retry: Some(retry), ..Access::default() };
    Environment { access, polling: POLLING, network: Network::Unavailable, outages: None }
}

async fn session(cloud: &Cloud) -> Session {
    Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await.unwrap()
}

/// Visitors are not looked at.
async fn fail_over_unseen(site: &TestSite) -> Result<FailedOver, Error> {
    let environment = environment(&site.cloud);
    Box::pin(failover(site.context.config(), environment, FailoverBy::Mode, &Run::silent())).await
}

fn steps(planned: &SitePlan) -> Vec<String> {
    planned.summary().steps.into_iter().map(|step| step.step).collect()
}

async fn planned(context: &SiteContext) -> SitePlan {
    plan(context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap()
}

/// The primary's buckets answer visitors after nine seconds, its APIs do not respond, nor do the control planes.
fn brown_out(cloud: &Cloud) {
    let slow_regions = [("us-east-1".to_owned(), 9)].into();
    let outages = Outages { slow_regions, control_out: true, replication_paused: true, ..Outages::default() };
    cloud.world().set_outages(outages);
    cloud.inject_faults(
        |request| {
            if request.host.contains("us-east-1") { InjectedFault::Refuse } else { InjectedFault::None }
        },
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_brown_out_is_left_by_hand_over_https_within_30_seconds_without_the_primary_or_any_control_plane() {
    for mode in HTTPS_MODES {
        let served = Box::pin(Served::new(mode)).await;
        let cloud = &served.cloud;
        assert_eq!(served.visit("/").await.1, "home", "{mode}");
        // Wrong content with status 200, which is not replicated.
        served.pause_replication();
        served.put_to_primary("index.html", "wrong").await;
        brown_out(cloud);
        served.run().timer.sleep(Duration::from_secs(2)).await;
        let (status, body, took) = served.visit("/").await;
        assert_eq!((status, body.as_str(), took >= 9.0), (200, "wrong", true), "{mode}: {took} s");
        let began = served.now();
        let failed_over = served.fail_over().await.unwrap();
        let took = served.now().duration_since(began).unwrap();
        assert!(took < Duration::from_secs(30), "{mode}: {took:?}");
        let seen = failed_over.moved.seen.unwrap();
        assert_eq!((seen.origin.as_str(), seen.page_status, failed_over.moved.changed), ("backup", Some(200), true));
        assert!(seen.seconds >= 5, "{mode}: the store's own delay, {} s", seen.seconds);
        let invalidation = failed_over.moved.invalidation.unwrap();
        assert!(matches!(invalidation, EdgeInvalidation::NotAccepted { .. }), "{mode}: {invalidation:?}");
        served.run().timer.sleep(Duration::from_secs(2)).await;
        let (status, body, took) = served.visit("/").await;
        assert_eq!((status, body.as_str(), took < 9.0), (200, "home", true), "{mode}: {took} s");
        // Repeating it is harmless.
        assert!(!served.fail_over().await.unwrap().moved.changed, "{mode}");
        // The primary is still slow: visitors are not sent back.
        cloud.inject_faults(|_| InjectedFault::None);
        let slow_regions = [("us-east-1".to_owned(), 9)].into();
        cloud.world().set_outages(Outages { slow_regions, replication_paused: true, ..Outages::default() });
        let error = format!("{:?}", served.fail_back(None).await.unwrap_err());
        assert!(error.contains("the primary is slow"), "{mode}: {error}");
        served.pause_replication();
        let error = format!("{:?}", served.fail_back(None).await.unwrap_err());
        assert!(error.contains("out of sync"), "{mode}: {error}");
        served.put_to_primary("index.html", "home").await;
        let failed_back = Box::pin(failback(&served.context, EVEN_IF_UNHEALTHY, &served.run())).await.unwrap();
        assert!(failed_back.was_failed_over && failed_back.moved.primary_percent == 100, "{mode}");
        assert_eq!(failed_back.moved.invalidation, Some(EdgeInvalidation::Accepted), "{mode}");
        assert!(!served.fail_back(None).await.unwrap().was_failed_over, "{mode}");
    }
}

/// An outage, a release that is published in it, and the return of the primary, which lacks it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_is_published_in_an_outage_stays_with_visitors_when_the_primary_returns() {
    for mode in HTTPS_MODES {
        let served = Box::pin(Served::new(mode)).await;
        let outage = Outages { regions_out: ["us-east-1".to_owned()].into(), ..Outages::default() };
        served.cloud.world().set_outages(outage);
        let published = served.deploy("news").await;
        assert_eq!(published.primary.state, PrimaryState::Unreachable, "{mode}");
        assert_eq!(published.release.unwrap().id, 1000, "{mode}");
        assert_eq!(published.moved.unwrap().primary_percent, 0, "{mode}");
        served.run().timer.sleep(Duration::from_secs(2)).await;
        assert_eq!(served.visit("/").await.1, "news", "{mode}");

        served.cloud.world().set_outages(Outages::default());
        served.run().timer.sleep(Duration::from_secs(5)).await;
        assert_eq!(served.visit("/").await.1, "news", "{mode}: the primary has an older release");
        let published = served.deploy("more news").await;
        assert_eq!((published.primary.state, published.moved), (PrimaryState::NotActive, None), "{mode}");

        let failed_back = served.fail_back(None).await.unwrap();
        let leveled = failed_back.leveled.unwrap();
        assert!(failed_back.was_failed_over && leveled.copied > 0 && leveled.superseded.is_empty(), "{mode}");
        served.run().timer.sleep(Duration::from_secs(2)).await;
        assert_eq!(served.visit("/").await.1, "more news", "{mode}");
        served.pause_replication();
        served.put_to_primary("index.html", "by the primary").await;
        served.run().timer.sleep(Duration::from_secs(2)).await;
        assert_eq!(served.visit("/").await.1, "by the primary", "{mode}: visitors are back at the primary");
        served.cloud.world().set_outages(Outages::default());
        let published = served.deploy("the next").await;
        assert_eq!((published.primary.state, published.release.unwrap().id), (PrimaryState::Published, 1002), "{mode}");
    }
}

/// What a visitor with an address gets, over HTTP.
async fn get_from(viewer: Ipv4Addr, edge: SocketAddr, path: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(viewer.into(), 0)).unwrap();
    let mut stream = socket.connect(edge).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_of_visitors_returns_to_the_primary_and_each_visitor_stays_on_one_side() {
    const VISITORS: u8 = 60;
    for mode in HTTPS_MODES {
        let served = Box::pin(Served::new(mode)).await;
        let edge = SocketAddr::new(served.edge().await, served.directory.ports.http);
        let unmoved = served.fail_back(Some(10)).await.unwrap();
        assert!(!unmoved.was_failed_over && !unmoved.moved.changed, "{mode}: nobody is led away from the primary");
        served.fail_over().await.unwrap();
        let failed_back = served.fail_back(Some(30)).await.unwrap();
        assert_eq!(failed_back.moved.seen.unwrap().origin, "30% primary", "{mode}");
        let environment =
            Environment { network: Network::Given(network(&served.directory)), ..environment(&served.cloud) };
        let (config, request) = (served.context.config(), StatusRequest::within(Duration::from_secs(20)));
        let shown = Box::pin(status(config, &environment, request, &Run::silent())).await.unwrap();
        assert_eq!(shown.served_from.known(), Some(&Some("30% primary".to_owned())), "{mode}: {:?}", shown.served_from);
        assert_eq!(shown.failed_over_by_hand.known(), Some(&true), "{mode}");
        served.pause_replication();
        for n in 1..=VISITORS {
            for round in 0..2 {
                served.put_to_primary(&format!("{n}-{round}.txt"), "primary").await;
                served.put_to_backup(&format!("{n}-{round}.txt"), "backup").await;
            }
        }
        let mut on_primary = 0;
        for n in 1..=VISITORS {
            let viewer = Ipv4Addr::new(127, 3, n, n.wrapping_mul(37));
            let first = get_from(viewer, edge, &format!("/{n}-0.txt")).await;
            assert_eq!(first, get_from(viewer, edge, &format!("/{n}-1.txt")).await, "{mode}: {viewer}");
            on_primary += u8::from(first == "primary");
        }
        assert!((9..=27).contains(&on_primary), "{mode}: {on_primary} of {VISITORS}, about 18 expected");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_store_or_with_garbage_in_it_visitors_are_served_as_usual() {
    for mode in HTTPS_MODES {
        let served = Box::pin(Served::new(mode)).await;
        let cloud = &served.cloud;
        served.fail_over().await.unwrap();
        served.pause_replication();
        for key in ["which.txt", "other.txt"] {
            served.put_to_primary(key, "primary").await;
            served.put_to_backup(key, "backup").await;
        }
        assert_eq!(served.visit("/which.txt").await.1, "backup", "{mode}");
        cloud.world().set_outages(Outages { stores_unreadable: true, replication_paused: true, ..Outages::default() });
        assert_eq!(served.visit("/other.txt").await.1, "primary", "{mode}");
        let edge = served.visit(&format!("/{}", probe::EDGE)).await;
        assert_eq!((edge.0, edge.1), (200, served.context.site().health_word()), "{mode}");
        assert_eq!(served.visit("/none.html").await.0, 404, "{mode}");
        let network = Network::Given(network(&served.directory));
        let environment = Environment { network, ..environment(cloud) };
        let request = StatusRequest::within(Duration::from_secs(10));
        let told = Box::pin(status(served.context.config(), &environment, request, &Run::silent())).await.unwrap();
        assert_eq!(told.visitors.table, Some(TableAtEdges::Unreadable), "{mode}");
        assert!(format!("{told:?}").contains("cannot read the key value store"), "{mode}: {told:?}");
        served.pause_replication();
        // Garbage means the primary. A plan corrects it, and a failover overwrites it.
        for garbage in ["", "backup ", "0% primary", "{}", "\u{1}"] {
            put_choice(cloud, garbage).await;
            served.run().timer.sleep(Duration::from_secs(9)).await;
            assert_eq!(served.visit(&format!("/{}", probe::ORIGIN)).await.1, "primary", "{mode}: {garbage:?}");
        }
        assert_eq!(steps(&planned(&served.context).await), ["cdn/store-keys"], "{mode}");
        served.fail_over().await.unwrap();
        assert!(planned(&served.context).await.is_empty(), "{mode}: a failover by hand is no drift");
    }
}

fn store_arn(cloud: &Cloud) -> Arn {
    let arn = cloud.world().account(|account, _| {
        let mut stores = account.cloudfront.stores.values();
        stores.find(|store| store.name.starts_with("twinsite-")).unwrap().arn()
    });
    arn.parse().unwrap()
}

fn choice(cloud: &Cloud) -> String {
    let arn = store_arn(cloud);
    cloud.world().account(|account, _| account.cloudfront.store_by_arn(arn.as_str()).unwrap().keys()["origin"].clone())
}

async fn put_key(cloud: &Cloud, key: &str, value: &str) {
    let (keys, arn) = (session(cloud).await.key_value_store(), store_arn(cloud));
    let etag = keys.describe_key_value_store().kvs_arn(arn.as_str()).send().await.unwrap().e_tag;
    keys.put_key().kvs_arn(arn.as_str()).key(key).value(value).if_match(etag).send().await.unwrap();
}

async fn put_choice(cloud: &Cloud, value: &str) {
    put_key(cloud, "origin", value).await;
}

/// The `k`-th request and all later ones fail, or their responses are lost.
fn trouble_from(cloud: &Cloud, k: usize, fault: InjectedFault) {
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |_| if seen.fetch_add(1, Ordering::Relaxed) >= k { fault } else { InjectedFault::None });
}

#[tokio::test]
async fn stopped_at_any_request_the_next_failover_and_failback_complete() {
    for mode in HTTPS_MODES {
        let site = TestSite::applied_with(|config| config.mode = mode).await;
        let cloud = &site.cloud;
        for fault in [InjectedFault::Refuse, InjectedFault::LoseReply] {
            for k in 0.. {
                trouble_from(cloud, k, fault);
                let first = fail_over_unseen(&site).await;
                cloud.inject_faults(|_| InjectedFault::None);
                fail_over_unseen(&site).await.unwrap();
                assert_eq!(choice(cloud), "backup", "{mode}: after {k}");
                trouble_from(cloud, k, fault);
                let second = Box::pin(failback(&site.context, EVEN_IF_UNHEALTHY, &Run::silent())).await;
                cloud.inject_faults(|_| InjectedFault::None);
                Box::pin(failback(&site.context, EVEN_IF_UNHEALTHY, &Run::silent())).await.unwrap();
                assert_eq!(choice(cloud), "primary", "{mode}: after {k}");
                let accepted = Some(EdgeInvalidation::Accepted);
                if first.is_ok_and(|first| first.moved.invalidation == accepted)
                    && second.is_ok_and(|second| second.moved.invalidation == accepted)
                {
                    break;
                }
                assert!(k < 40, "{mode}: a failover has few requests");
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_somebody_has_planted_leads_no_write_elsewhere() {
    for mode in HTTPS_MODES {
        let site = TestSite::applied_with(|config| config.mode = mode).await;
        let cloud = &site.cloud;
        let other = session(cloud).await.cloudfront().create_key_value_store().name("other").send().await.unwrap();
        let other = other.key_value_store.unwrap().arn;
        let foreign = "arn:aws:cloudfront::999999999999:key-value-store/00000001-5678-40ab-8def-000000000001";
        for planted in [
            format!(r#"{{"version":1,"key_value_store":"{other}"}}"#),
            format!(r#"{{"version":1,"key_value_store":"{foreign}"}}"#),
            "no record".to_owned(),
        ] {
            let bucket = site.context.site().buckets.backup.to_string();
            put(cloud, "us-west-2", &bucket, ".twinsite/key-value-store.json", &planted).await;
            cloud.reset_request_counts();
            cloud.world().set_outages(Outages { control_out: true, ..Outages::default() });
            let error = fail_over_unseen(&site).await.unwrap_err();
            assert!(error.hints.iter().any(|hint| hint.contains("twinsite apply")), "{mode}: {error:?}");
            cloud.world().set_outages(Outages::default());
            assert_eq!(cloud.request_counts().get("PutKey"), None, "{mode}: {planted}");
            fail_over_unseen(&site).await.unwrap();
            assert_eq!(choice(cloud), "backup", "{mode}: found by its name");
            put_choice(cloud, "primary").await;
            let untouched =
                |account: &twinsite_local::Account| account.cloudfront.store("other").unwrap().keys().is_empty();
            assert!(cloud.world().account(|account, _| untouched(account)), "{mode}");
        }
        let planned = planned(&site.context).await;
        assert_eq!(steps(&planned), ["backup/store-record"], "{mode}");
        Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
        cloud.world().set_outages(Outages { control_out: true, ..Outages::default() });
        fail_over_unseen(&site).await.unwrap();
    }
}

#[tokio::test]
async fn a_store_of_somebody_else_is_a_conflict_and_replaced_tags_are_put_back() {
    let site = TestSite::applied_with(|config| config.mode = Mode::Origin).await;
    let (cloud, arn) = (&site.cloud, store_arn(&site.cloud));
    let client = session(cloud).await.cloudfront();
    let tags = client.list_tags_for_resource().resource(arn.as_str()).send().await.unwrap().tags.unwrap();
    let keys: Vec<String> = tags.items().iter().map(|tag| tag.key().to_owned()).collect();
    let keys = aws_sdk_cloudfront::types::TagKeys::builder().set_items(Some(keys)).build();
    client.untag_resource().resource(arn.as_str()).tag_keys(keys).send().await.unwrap();
    assert_eq!(steps(&planned(&site.context).await), ["cdn/store-tags"]);
    put_key(cloud, "site", "other.example").await;
    let error = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap_err();
    assert!(format!("{error:?}").contains("does not belong to this site"), "{error:?}");
}
