//! What edges of CloudFront may hold, and what they are told to forget; and redirects, which replication leaves behind.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use twinsite_core::url_path;
use twinsite_dns_failover::probe::{HttpRequest, Response, TrustStore, dns_query, http_get};
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{Endpoints, Ports};
use twinsite_site::{BackupState, DeployResult, InvalidationResult, Mode, PublishOptions};
use twinsite_sync::{HeaderRule, Key, Setting, Store};

use crate::site::{OPTIONS, TestSite};
use crate::write;

fn redirects(dir: &Path, count: usize) -> Vec<Key> {
    let names = (0..count).map(|n| format!("old/{n:02}.html"));
    names.inspect(|name| write(dir, name, name)).map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn redirects_are_copied_to_the_backup_as_replication_leaves_them_behind() {
    for count in [1, 12, 40] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "index.html", "home");
        let keys = redirects(dir.path(), count);
        let site = TestSite::applied().await;
        site.deploy(dir.path()).await.unwrap();
        let moved = HeaderRule::new("/old/*", vec![Setting::WebsiteRedirect(Some("/new/".to_owned()))]).unwrap();
        let site = TestSite::open(site.cloud, |config| config.publish.headers.push(moved)).await;
        write(dir.path(), "index.html", "home of the moved");
        let started = Instant::now();
        let (parity_timeout, lock_ttl) = (Duration::from_secs(20), Duration::from_secs(20));
        let patient = PublishOptions { parity_timeout, lock_ttl, ..OPTIONS };
        let DeployResult::Published(result) = site.deploy_with(dir.path(), patient).await.unwrap() else {
            panic!("skipped");
        };
        assert!(started.elapsed() < Duration::from_secs(5), "{count}: {:?}", started.elapsed());
        assert_eq!((result.backup.state, result.backup.copied.len()), (BackupState::InSync, count), "{result:?}");
        let backup = site.context.stores().backup;
        for key in &keys {
            let head = backup.head(key).await.unwrap().unwrap();
            assert_eq!(head.headers.website_redirect.as_deref(), Some("/new/"), "{key}");
        }
    }
}

/// The edges of a site's distribution, served on this machine.
pub(crate) struct Edges {
    address: IpAddr,
    pub(crate) directory: Endpoints,
    roots: TrustStore,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Drop for Edges {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Edges {
    pub(crate) async fn of(site: &TestSite) -> Self {
        let plane = DataPlane::open(&site.cloud, None, Ports { dns: 0, http: 0, https: 0 }, 1).await.unwrap();
        let (directory, stop, mut tasks) = (plane.endpoints().clone(), CancellationToken::new(), JoinSet::new());
        tasks.spawn(plane.run(stop.clone()));
        // The name of the distribution: that of the site may be answered with a website endpoint.
        let domain =
            site.cloud.world().account(|account, _| account.cloudfront.distributions().next().unwrap().domain());
        let server = SocketAddr::new(directory.name_server, directory.ports.dns);
        let answer = dns_query(server, &domain, Duration::from_secs(5)).await.unwrap();
        let (address, roots) =
            (answer.addresses().next().unwrap(), TrustStore::from_pem(&directory.authority).unwrap());
        Self { address, roots, directory, stop, _tasks: tasks }
    }

    pub(crate) async fn response(&self, path: &str) -> Response {
        let (host, patience) = ("www.example.com", Duration::from_secs(10));
        let request = HttpRequest { host, path, port: self.directory.ports.https, tls: Some(&self.roots) };
        http_get(self.address, &request, patience).await.unwrap()
    }

    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self.response(path).await;
        (response.status, String::from_utf8_lossy(&response.body).into_owned())
    }
}

/// The paths by which links may name a key: as browsers make them, with every reserved character encoded, and with
/// `+` for a space.
fn forms(key: &str) -> BTreeSet<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let encoded = key.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") });
    let browser = url_path(key);
    [browser.replace("%20", "+"), format!("/{}", encoded.collect::<String>()), browser].into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_browsers_ask_for_is_fresh_after_a_deploy_whatever_its_name() {
    let names = include_str!("../../../core/tests/url_paths.tsv").lines().map(|line| line.split('\t').next().unwrap());
    let is_file = |name: &&str| !name.ends_with('/') && !name.contains("//") && name.parse::<Key>().is_ok();
    let names: Vec<&str> = names.filter(is_file).collect();
    for mode in [Mode::Layered, Mode::Origin] {
        let held = HeaderRule::new("*", vec![Setting::CacheControl(Some("max-age=600".to_owned()))]).unwrap();
        let site = TestSite::applied_with(|config| {
            config.mode = mode;
            config.publish.headers.push(held);
        });
        let (site, dir) = (site.await, tempfile::tempdir().unwrap());
        let write_all = |names: &[&str], text: &str| {
            for name in names {
                write(dir.path(), name, text);
            }
        };
        write_all(&names, "old");
        site.deploy(dir.path()).await.unwrap();
        let edges = Edges::of(&site).await;
        let (mut fresh, mut singles) = (0, 0);
        for some in names.chunks(6) {
            let mut asked = Vec::new();
            for form in some.iter().flat_map(|name| forms(name)) {
                let answer = edges.get(&form).await;
                asked.extend((answer == (200, "old".to_owned())).then_some(form));
            }
            write_all(some, "newer");
            let DeployResult::Published(result) = site.deploy(dir.path()).await.unwrap() else { panic!("skipped") };
            let InvalidationResult::Accepted { paths, .. } = result.invalidation else { panic!("{result:?}") };
            singles += paths;
            for form in asked {
                assert_eq!(edges.get(&form).await, (200, "newer".to_owned()), "{mode}: {form}");
                fresh += 1;
            }
        }
        assert!(fresh * 5 > names.len() * 4 && singles > names.len() / 3, "{mode}: {fresh} forms, {singles} paths");
    }
}

async fn invalidated(site: &TestSite, dir: &Path) -> Option<(usize, f64)> {
    let DeployResult::Published(result) = site.deploy(dir).await.unwrap() else { panic!("skipped") };
    match result.invalidation {
        InvalidationResult::None => None,
        InvalidationResult::Accepted { paths, usd } => Some((paths, usd)),
        InvalidationResult::Pending { error } => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_deploy_pays_only_for_what_edges_may_hold() {
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    let build = |n: usize| {
        std::fs::remove_dir_all(dir.path().join("assets")).ok();
        (0..50).for_each(|page| write(dir.path(), &format!("p{page}/index.html"), &format!("page {n}")));
        write(dir.path(), "index.html", &format!("home {n}"));
        write(dir.path(), "404.html", &format!("lost {n}"));
        write(dir.path(), &format!("assets/app.3f2a9c{n:02}.js"), "hashed");
    };
    build(1);
    write(dir.path(), "logo.svg", "held for an hour");
    assert_eq!(invalidated(&site, dir.path()).await, None, "nothing was there before");
    build(2);
    assert_eq!(invalidated(&site, dir.path()).await, None, "edges ask for pages each second; it was 152 paths");
    build(3);
    write(dir.path(), "logo.svg", "changed in place");
    assert_eq!(invalidated(&site, dir.path()).await, Some((1, 0.005)));
    (0..40).for_each(|n| write(dir.path(), &format!("img/{n}.png"), "v1"));
    assert_eq!(invalidated(&site, dir.path()).await, None, "errors are held for ten seconds");
    (0..40).for_each(|n| write(dir.path(), &format!("img/{n}.png"), "v2.."));
    write(dir.path(), "logo.svg", "again");
    assert_eq!(invalidated(&site, dir.path()).await, Some((2, 0.01)), "a folder and a file");
    std::fs::remove_dir_all(dir.path().join("p7")).unwrap();
    assert_eq!(invalidated(&site, dir.path()).await, Some((1, 0.005)), "the redirect from /p7");
}

#[tokio::test]
async fn where_others_have_configured_caching_every_change_is_invalidated() {
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    write(dir.path(), "index.html", "home");
    site.deploy(dir.path()).await.unwrap();
    site.change_distribution(|config| {
        let mut other = config.cache_behaviors.as_ref().unwrap().items()[0].clone();
        other.path_pattern = "*.html".to_owned();
        other.cache_policy_id = Some("83da9c7e-98b4-4e11-a168-04f0df8e2c65".to_owned());
        let behaviors = config.cache_behaviors.as_mut().unwrap();
        behaviors.items.as_mut().unwrap().push(other);
        behaviors.quantity += 1;
    })
    .await;
    write(dir.path(), "index.html", "changed");
    write(dir.path(), "new.css", "new");
    assert_eq!(invalidated(&site, dir.path()).await.map(|(paths, _)| paths), Some(3));
}
