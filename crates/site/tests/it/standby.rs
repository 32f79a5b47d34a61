//! The HTTPS standby: created, proven before DNS leads to it, removed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_aws_session::{Access, Session};
use twinsite_dns_failover::probe::TrustStore;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{ACCOUNT, Cloud, Delays, Endpoints, Ports};
use twinsite_site::{
    AdoptBuckets, Config, Environment, Error, Event, Mode, Network, ProbeNetwork, ProbeRequest, PublishOptions, Run,
    Scheme, SiteContext, Standby, Watch, apply, destroy, plan, plan_destroy,
};

use crate::site::{OPTIONS, POLLING, TestSite};
use crate::write;

/// The proof gives up after a minute and a half.
const SPEED: u32 = 60;

/// A site whose data plane is served on this machine.
struct Served {
    site: TestSite,
    directory: Endpoints,
    /// Warnings of all commands.
    warnings: Arc<Mutex<Vec<String>>>,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Warnings(Arc<Mutex<Vec<String>>>);

impl Watch for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { text, hint } = event {
            self.0.lock().unwrap().push(format!("{text} {}", hint.clone().unwrap_or_default()));
        }
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

/// The type, role and target of each record of the site.
fn records(cloud: &Cloud) -> Vec<String> {
    cloud.world().account(|account, _| {
        let sets = account.route53.zones().flat_map(|zone| zone.records().cloned().collect::<Vec<_>>());
        let of_site = sets.filter(|set| set.name == "www.example.com.");
        let target = |set: &twinsite_local::route53::RecordSet| {
            let alias = set.alias_target.as_ref().map(|alias| alias.dns_name.clone());
            alias.or_else(|| set.values().next().map(str::to_owned)).unwrap_or_default()
        };
        of_site
            .map(|set| format!("{} {} {}", set.r#type, set.failover.clone().unwrap_or_default(), target(&set)))
            .collect()
    })
}

/// Where the records of the backup lead.
fn standby_records(cloud: &Cloud) -> Vec<String> {
    records(cloud).into_iter().filter(|record| record.contains("SECONDARY")).collect()
}

impl Served {
    async fn new(configure: impl FnOnce(&mut Config)) -> Self {
        let cloud = Cloud::memory();
        cloud.world().set_delays(Delays::NONE);
        let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
        let route53 = Session::open(access).await.unwrap().route53();
        route53.create_hosted_zone().name("example.com").caller_reference("zone").send().await.unwrap();
        let site = TestSite::open(cloud, configure).await;
        let plane = DataPlane::open(&site.cloud, None, Ports::ANY, SPEED).await.unwrap();
        let (directory, stop, mut tasks) = (plane.endpoints().clone(), CancellationToken::new(), JoinSet::new());
        tasks.spawn(plane.run(stop.clone()));
        Self { site, directory, warnings: Arc::default(), stop, _tasks: tasks }
    }

    /// The site with another configuration and another network.
    async fn context(&self, configure: impl FnOnce(&mut Config), network: ProbeNetwork) -> SiteContext {
        let access = Access { embedded: Some(self.site.cloud.http_client()), ..Access::default() };
        let session = Session::open(access.clone()).await.unwrap();
        let mut config = self.site.context.config().clone();
        configure(&mut config);
        let environment = Environment { access, polling: POLLING, network: Network::Given(network), outages: None };
        SiteContext::with_session(config, session, ACCOUNT.parse().unwrap(), environment).unwrap()
    }

    fn run(&self) -> Run {
        let run = Run::new(Arc::new(Warnings(Arc::clone(&self.warnings))));
        run.with_timer(Arc::new(self.site.cloud.world().clock().clone()))
    }

    async fn steps(&self, configure: impl FnOnce(&mut Config)) -> Vec<String> {
        let context = self.context(configure, network(&self.directory)).await;
        let planned = plan(&context, AdoptBuckets::Refuse, &self.run()).await.unwrap();
        planned.summary().steps.into_iter().map(|step| step.step).collect()
    }

    async fn apply_over(&self, configure: impl FnOnce(&mut Config), network: ProbeNetwork) -> Result<(), Error> {
        let context = self.context(configure, network).await;
        let planned = plan(&context, AdoptBuckets::Refuse, &self.run()).await?;
        Box::pin(apply(&context, planned, &self.run())).await.map(drop)
    }

    async fn apply(&self, configure: impl FnOnce(&mut Config)) -> Result<(), Error> {
        self.apply_over(configure, network(&self.directory)).await
    }

    async fn deploy(&self) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["index.html", "404.html", "blog/index.html", "an odd (name).html", "ü.txt"] {
            write(dir.path(), name, name);
        }
        write(dir.path(), "large.bin", &"x".repeat(9 << 20));
        // The lock expires by the clock of the cloud.
        let options = PublishOptions { lock_ttl: Duration::from_hours(1), ..OPTIONS };
        self.site.deploy_with(dir.path(), options).await.unwrap();
    }

    fn has_security_headers(&self) -> bool {
        self.site.cloud.world().account(|account, _| {
            let text = serde_json::to_string(account.cloudfront.distributions().next().unwrap()).unwrap();
            text.contains("67f7725c-6f97-4210-82d7-5512b31e9d03")
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dns_leads_to_the_standby_once_it_is_proven() {
    for mode in [Mode::Layered, Mode::Dns] {
        let served = Served::new(|config| {
            config.mode = mode;
            config.standby = Some(Standby::Https);
            config.cdn.security_headers = Some(true);
        })
        .await;
        let cloud = &served.site.cloud;
        served.apply(|_| {}).await.unwrap();
        let website = ["CNAME SECONDARY www.example.com.s3-website-us-west-2.amazonaws.com"];
        assert_eq!(standby_records(cloud), website, "{mode}: nothing is published that could prove it");
        assert!(!served.has_security_headers(), "{mode}: browsers would insist on HTTPS");
        assert!(served.warnings.lock().unwrap().iter().any(|text| text.contains("HTTPS standby")), "{mode}");
        assert_eq!(served.steps(|_| {}).await, [""; 0], "{mode}");
        served.deploy().await;
        let expected = ["standby/proof", "cdn/distribution", "cdn/deployed", "dns/records"];
        assert_eq!(served.steps(|_| {}).await, expected, "{mode}");
        served.apply(|_| {}).await.unwrap();
        let host = cloud.world().account(|account, _| account.api_gateway.domains().next().unwrap().target.clone());
        let leads = standby_records(cloud);
        assert_eq!(leads.len(), 2, "{mode}: {leads:?}");
        assert!(["A", "AAAA"].iter().all(|kind| leads.contains(&format!("{kind} SECONDARY {host}"))), "{leads:?}");
        assert!(served.has_security_headers(), "{mode}");
        assert_eq!(served.steps(|_| {}).await, [""; 0], "{mode}");
        let network = network(&served.directory);
        let address = network.dns_query(&host).await.unwrap().addresses().next().unwrap();
        let request = ProbeRequest { host: "www.example.com", path: "/blog/", scheme: Scheme::Https };
        let page = network.http_get(address, request).await.unwrap();
        assert_eq!((page.status, &page.body[..]), (200, &b"blog/index.html"[..]), "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_does_not_answer_keeps_the_http_standby() {
    let served = Served::new(|config| config.standby = Some(Standby::Https)).await;
    served.apply(|_| {}).await.unwrap();
    served.deploy().await;
    let before = records(&served.site.cloud);
    // Nothing listens there.
    let broken = ProbeNetwork { https: 1, ..network(&served.directory) };
    let error = served.apply_over(|_| {}, broken).await.unwrap_err();
    let text = error.to_string();
    for said in ["standby/proof", "`/` is not answered", "HTTP standby", "twinsite apply"] {
        assert!(text.contains(said), "no `{said}`: {text}");
    }
    assert_eq!(records(&served.site.cloud), before);
    assert_eq!(served.steps(|_| {}).await, ["standby/proof", "dns/records"], "it is repeated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_is_removed_when_the_configuration_says_http_and_with_the_site() {
    let served = Served::new(|config| config.standby = Some(Standby::Https)).await;
    let cloud = &served.site.cloud;
    served.apply(|_| {}).await.unwrap();
    served.deploy().await;
    served.apply(|_| {}).await.unwrap();
    for standby in [None, Some(Standby::Http)] {
        let steps = served.steps(|config| config.standby = standby).await;
        let removed = ["standby/mapping", "standby/domain-name", "standby/api", "standby/certificate/0"];
        assert!(removed.iter().all(|step| steps.iter().any(|one| one == step)), "{standby:?}: {steps:?}");
        assert_eq!(steps[0], "dns/records", "{standby:?}: visitors are led away first");
    }
    served.apply(|config| config.standby = None).await.unwrap();
    assert_eq!(served.steps(|config| config.standby = Some(Standby::Http)).await, [""; 0]);
    assert!(standby_records(cloud)[0].contains("s3-website"));
    cloud.world().account(|account, _| {
        assert_eq!((account.api_gateway.apis().count(), account.api_gateway.domains().count()), (0, 0));
        assert_eq!(account.acm.all().count(), 1);
    });
    served.apply(|_| {}).await.unwrap();
    let context = served.context(|_| {}, network(&served.directory)).await;
    let planned = plan_destroy(&context).await.unwrap();
    destroy(&context, planned, &served.run()).await.unwrap();
    cloud.world().account(|account, _| {
        assert_eq!((account.api_gateway.apis().count(), account.api_gateway.domains().count()), (0, 0));
        assert_eq!(account.acm.all().count(), 0);
        assert!(
            account.route53.zones().all(twinsite_local::route53::Zone::is_bare),
            "the validation record is gone, too"
        );
    });
}

#[tokio::test]
async fn in_us_east_1_one_certificate_serves_the_distribution_and_the_standby() {
    let served = Served::new(|config| {
        config.standby = Some(Standby::Https);
        config.regions = twinsite_site::Pair::new("us-west-2".parse().unwrap(), "us-east-1".parse().unwrap());
    })
    .await;
    served.apply(|_| {}).await.unwrap();
    served.site.cloud.world().account(|account, _| {
        assert_eq!((account.acm.all().count(), account.api_gateway.domains().count()), (1, 1));
    });
    assert_eq!(served.steps(|_| {}).await, [""; 0]);
}
