//! Redirect rules and header rules as visitors meet them: at edges, at website endpoints, after rollbacks and failures.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use twinsite_core::{Mode, Side, wait};
use twinsite_dns_failover::probe::{HttpRequest, Response, dns_query, http_get};
use twinsite_local::{Delays, InjectedFault};
use twinsite_site::{
    AdoptBuckets, BackupState, Config, DeployRequest, DeployResult, InvalidationResult, PublishOptions, PublishResult,
    Run, SourceDirectory, apply, plan, plan_deploy, verify,
};
use twinsite_sync::{Key, Store};

use crate::edges::Edges;
use crate::site::{OPTIONS, TestSite};
use crate::write;

/// URLs and answers, written from Netlify's documentation.
const TABLE: &str = include_str!("../../../rules/tests/cases/netlify.txt");

fn part(name: &str) -> &'static str {
    let rest = TABLE.split_once(&format!("## {name}\n")).unwrap().1;
    rest.split("\n## ").next().unwrap()
}

/// The site of the table: every file contains its own key.
fn site_of_table(dir: &Path) {
    for key in part("files").lines() {
        write(dir, key, key);
    }
    write(dir, "_redirects", part("rules"));
}

async fn deployed(site: &TestSite, dir: &Path) -> PublishResult {
    match site.deploy(dir).await.unwrap() {
        DeployResult::Published(result) => *result,
        skipped => panic!("{skipped:?}"),
    }
}

/// An answer as the table writes it; `-` if no rule can have made it.
fn answer(response: &Response, url: &str) -> String {
    let location = response.header("location");
    let path = url.split('?').next().unwrap();
    let is_of_folder = response.status == 302 && location.split('?').next() == Some(&format!("{path}/"));
    if location.is_empty() || is_of_folder { "-".to_owned() } else { format!("{} {location}", response.status) }
}

impl Edges {
    /// A request to the website endpoint of a side.
    pub(crate) async fn website(&self, site: &TestSite, side: Side, path: &str) -> Response {
        let host = site.context.site().website_host(side);
        let server = SocketAddr::new(self.directory.name_server, self.directory.ports.dns);
        let found = dns_query(server, &host, Duration::from_secs(5)).await.unwrap();
        let request = HttpRequest { host: &host, path, port: self.directory.ports.http, tls: None };
        http_get(found.addresses().next().unwrap(), &request, Duration::from_secs(10)).await.unwrap()
    }

    async fn answer(&self, url: &str) -> String {
        answer(&self.response(url).await, url)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edges_answer_every_url_as_documented_in_the_modes_with_a_function() {
    for mode in [Mode::Origin, Mode::Layered] {
        let (site, dir) = (TestSite::applied_with(|config| config.mode = mode).await, tempfile::tempdir().unwrap());
        site_of_table(dir.path());
        let result = deployed(&site, dir.path()).await;
        assert!(result.rules.redirects > 40);
        let edges = Edges::of(&site).await;
        let mut wrong = Vec::new();
        for line in part("answers").lines() {
            let (url, expected) = line.split_once(' ').unwrap();
            let response = edges.response(url).await;
            // A rewrite is seen by the content of the other path.
            let given = match expected.strip_prefix("200 /") {
                Some(_) if response.status == 200 => format!("200 /{}", String::from_utf8_lossy(&response.body)),
                _ => answer(&response, url),
            };
            if given != expected {
                wrong.push(format!("{mode} {url}: {given}, expected {expected}"));
            }
        }
        assert_eq!(wrong, [""; 0]);
        // The files of rules are no pages, and nobody can request the table.
        for path in ["/_redirects", "/.twinsite/redirects"] {
            let response = edges.response(path).await;
            assert!([403, 404].contains(&response.status), "{mode} {path}: {}", response.status);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn website_endpoints_answer_what_they_can_and_the_rest_is_told() {
    for mode in [Mode::Dns, Mode::Layered] {
        let (site, dir) = (TestSite::applied_with(|config| config.mode = mode).await, tempfile::tempdir().unwrap());
        site_of_table(dir.path());
        let result = deployed(&site, dir.path()).await;
        let edges = Edges::of(&site).await;
        for side in Side::BOTH {
            for (url, expected) in [
                ("/home", "301 /"),
                ("/explicit/", "301 /elsewhere"),
                ("/home?x=1", "301 /"),
                ("/cuties", "301 https://www.petsofnetlify.com"),
                ("/caf%C3%A9", "301 /coffee"),
                ("/search?q=cat", "301 /find?engine=site"),
                ("/early/special", "301 /special-target"),
                ("/a%2Bb", "301 /plus"),
                ("/a+b", "-"),
                ("/my-redirect", "-"),
                ("/ecommerce/x", "-"),
                ("/late/special", "-"),
                ("/store?id=1", "-"),
                ("/taken", "-"),
                ("/shadowed", "-"),
                ("/forced", "-"),
            ] {
                let response = edges.website(&site, side, url).await;
                assert_eq!(answer(&response, url), expected, "{mode} {side} {url}");
            }
        }
        // Whatever the table says and a website endpoint does not do is told.
        let told = |rule: &str| {
            let of_websites = result.rules.not_honored.iter().filter(|one| one.target == Some("website-endpoint"));
            of_websites.filter(|one| one.rule == rule).map(|one| one.reason.clone()).collect::<Vec<_>>()
        };
        for (rule, part) in [
            ("/home /", "without the query"),
            ("/my-redirect / 302", "status 301 only"),
            ("/ecommerce/* /store/:splat", "single paths"),
            ("/store id=:id /shop/:id 301", "query"),
            ("/forced /gone 301!", "a file"),
            ("/a+b /plus", "for a space"),
            ("/pass-through /index.html 200", "rewrite"),
        ] {
            assert!(told(rule).concat().contains(part), "{rule}: {:?}", told(rule));
        }
        assert_eq!(told("/search /find?engine=site"), [""; 0]);
        let has_function = result.rules.not_honored.iter().any(|one| one.target == Some("cloudfront"));
        assert!(!has_function, "{:?}", result.rules);
    }
}

/// Headers that S3 does not store, by a function at viewer-response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edges_send_any_header_of_the_rules_for_a_path_and_forget_it_with_the_release() {
    let policy = format!("default-src 'self'; img-src {}", "https://images.example.com ".repeat(60).trim());
    let rules = format!(
        "/*\n  X-Frame-Options: DENY\n  Content-Security-Policy: {policy}\n  Permissions-Policy: camera=()\n  Permissions-Policy: geolocation=()\n\
         /docs/*\n  X-Frame-Options: SAMEORIGIN\n  ! Permissions-Policy\n  Access-Control-Allow-Origin: *\n\
         /about\n  Link: </style.css>; rel=preload\n/*.css\n  Cross-Origin-Resource-Policy: cross-origin\n  Cache-Control: max-age=60\n\
         /hsts\n  Strict-Transport-Security: max-age=1\n  Set-Cookie: a=b\n"
    );
    for mode in [Mode::Origin, Mode::Layered] {
        let (site, dir) = (TestSite::applied_with(|config| config.mode = mode).await, tempfile::tempdir().unwrap());
        for key in ["index.html", "about/index.html", "docs/index.html", "docs/a/b.html", "style.css", "404.html"] {
            write(dir.path(), key, key);
        }
        let before = deployed(&site, dir.path()).await;
        write(dir.path(), "_headers", &rules);
        let result = deployed(&site, dir.path()).await;
        let not_honored = &result.rules.not_honored;
        let by_nothing = not_honored.iter().filter(|one| one.target.is_none()).map(|one| one.rule.as_str());
        let by_nothing: Vec<&str> = by_nothing.collect();
        let (of_website, hsts) =
            if mode == Mode::Layered { (9, &["/hsts Strict-Transport-Security"][..]) } else { (3, &[][..]) };
        assert_eq!(by_nothing, [&["/hsts Set-Cookie"], hsts].concat(), "{mode}");
        assert_eq!(not_honored.len() - by_nothing.len(), of_website, "{mode}: {not_honored:?}");
        let edges = Edges::of(&site).await;
        let sent = async |path: &str| {
            let response = edges.response(path).await;
            let names = ["x-frame-options", "permissions-policy", "access-control-allow-origin", "link"];
            assert_eq!(response.status, 200, "{mode} {path}");
            names.map(|name| response.header(name).to_owned())
        };
        // The managed policy of security headers in mode `origin` has a value of its own.
        let without = [if mode == Mode::Origin { "SAMEORIGIN" } else { "" }, "", "", ""];
        let all = ["DENY", "camera=(), geolocation=()", "", ""];
        assert_eq!(sent("/").await, all, "{mode}");
        assert_eq!(
            sent("/about/").await,
            ["DENY", "camera=(), geolocation=()", "", "</style.css>; rel=preload"],
            "{mode}"
        );
        for path in ["/docs/", "/docs/a/b.html", "/%64ocs/a/b.html"] {
            assert_eq!(sent(path).await, ["SAMEORIGIN", "", "*", ""], "{mode} {path}");
        }
        let style = edges.response("/style.css").await;
        let sent_with_style = ["cross-origin-resource-policy", "cache-control", "content-security-policy"];
        let sent_with_style = sent_with_style.map(|name| style.header(name).to_owned());
        assert_eq!(sent_with_style, ["cross-origin", "max-age=60", &policy], "{mode}");
        // Without the function at viewer-response, which an earlier version did not associate, deploys say what to do.
        site.change_distribution(|config| {
            let behavior = config.default_cache_behavior.as_mut().unwrap();
            let functions = behavior.function_associations.as_mut().unwrap();
            functions.items.as_mut().unwrap().retain(|one| one.event_type().as_str() == "viewer-request");
            functions.quantity = 1;
        })
        .await;
        assert_eq!(sent("/").await, without, "{mode}");
        let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
        assert!(!planned.is_empty());
        Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
        assert_eq!(sent("/").await, all, "{mode}");
        site.roll_back(&before.release.unwrap().id.to_string()).await.unwrap();
        assert_eq!(sent("/").await, without, "{mode}");
    }
}

/// What a path means is the same in every mode, and a missing page is not redirected first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_files_without_a_dot_and_clean_urls_are_found_in_every_mode() {
    const KEYS: [&str; 13] = [
        "notes-1.5.html",
        ".well-known/twinsite.html",
        "index.html",
        "404.html",
        "about.html",
        "LICENSE",
        "docs/1.0/index.html",
        "blog/index.html",
        "blog/first.html",
        "team.html",
        "team/index.html",
        ".well-known/apple-app-site-association",
        "caf\u{e9}/index.html",
    ];
    const ANSWERS: [(&str, &str); 26] = [
        ("/notes-1.5", "404"),
        ("/.well-known/twinsite", "404"),
        ("/", "200 index.html"),
        ("/about", "200 about.html"),
        ("/about.html", "200 about.html"),
        ("/about/", "404"),
        ("/LICENSE", "200 LICENSE"),
        ("/license", "404"),
        ("/docs/1.0", "302 /docs/1.0/"),
        ("/docs/1.0/", "200 docs/1.0/index.html"),
        ("/docs/1.1", "404"),
        ("/docs", "404"),
        ("/docs/", "404"),
        ("/blog", "302 /blog/"),
        ("/blog?x=1", "302 /blog/?x=1"),
        ("/blog/", "200 blog/index.html"),
        ("/blog/first", "200 blog/first.html"),
        ("/blog/second", "404"),
        ("/team", "302 /team/"),
        ("/404", "404"),
        ("/index", "404"),
        ("/missing", "404"),
        ("/missing.css", "404"),
        ("/.well-known/apple-app-site-association", "200 .well-known/apple-app-site-association"),
        ("/caf%C3%A9", "302 /caf%C3%A9/"),
        ("/caf%c3%a9/", "200 caf\u{e9}/index.html"),
    ];
    for mode in [Mode::Origin, Mode::Layered, Mode::Dns] {
        let configure = |config: &mut Config| {
            config.mode = mode;
            config.publish.clean_urls = true;
            config.not_found = Some("404.html".to_owned());
        };
        let (site, dir) = (TestSite::applied_with(configure).await, tempfile::tempdir().unwrap());
        for key in KEYS {
            write(dir.path(), key, key);
        }
        let result = deployed(&site, dir.path()).await;
        assert_eq!((result.rules.clean_urls, result.rules.not_honored), (2, Vec::new()), "{mode}");
        let edges = Edges::of(&site).await;
        let mut wrong = Vec::new();
        for (url, expected) in ANSWERS {
            let response = if mode == Mode::Dns {
                edges.website(&site, Side::Primary, url).await
            } else {
                edges.response(url).await
            };
            let body = String::from_utf8_lossy(&response.body);
            let location = response.header("location");
            let location = location.find("//").map_or(location, |at| &location[at + 2..]);
            // A website endpoint redirects to the path, without the query, and says its own host.
            let path = location.find('/').map_or(location, |at| &location[at..]);
            let given = match response.status {
                200 => format!("200 {body}"),
                302 => format!("302 {path}"),
                403 | 404 => {
                    assert!(body == "404.html", "{mode} {url}: {body}");
                    "404".to_owned()
                }
                status => status.to_string(),
            };
            let is_same = given == expected || (mode != Mode::Origin && expected.strip_suffix("?x=1") == Some(&given));
            if !is_same {
                wrong.push(format!("{mode} {url}: {given}, expected {expected}"));
            }
        }
        assert_eq!(wrong, [""; 0]);
        // A page that becomes a folder, and a folder that is gone.
        std::fs::remove_file(dir.path().join("about.html")).unwrap();
        std::fs::remove_dir_all(dir.path().join("blog")).unwrap();
        for key in ["about/index.html", "news/index.html"] {
            write(dir.path(), key, key);
        }
        deployed(&site, dir.path()).await;
        // Edges ask again for pages after a second.
        wait::pause(&Run::silent(), Duration::from_millis(1200)).await;
        let status = async |url: &str| match mode {
            Mode::Dns => edges.website(&site, Side::Primary, url).await.status,
            Mode::Origin | Mode::Layered => edges.response(url).await.status,
        };
        let seen = [status("/about").await, status("/news").await, status("/news/").await, status("/blog").await];
        assert!(matches!(seen, [302, 302, 200, 403 | 404]), "{mode}: {seen:?}");
    }
}

/// Replication leaves redirects behind, and the replica has the time of its original: a copy with the redirect must outlast it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_backup_redirects_after_replication_has_brought_its_replicas() {
    let delays = Delays { replication: Duration::from_millis(300), ..Delays::NONE };
    let options = |parity| PublishOptions { parity_timeout: Duration::from_millis(parity), ..OPTIONS };
    for (mode, rules) in [(Mode::Dns, 1), (Mode::Layered, 12), (Mode::Layered, 40)] {
        let (site, dir) = (TestSite::applied_with(|config| config.mode = mode).await, tempfile::tempdir().unwrap());
        let rules: Vec<String> = (0..rules).map(|n| format!("/old-{n} /new-{n}\n")).collect();
        let rules = rules.concat();
        write(dir.path(), "index.html", "home");
        write(dir.path(), "404.html", "there is no such page");
        write(dir.path(), "_redirects", &rules);
        site.cloud.world().set_delays(delays);
        let result = site.deploy_with(dir.path(), options(10_000)).await.unwrap();
        let DeployResult::Published(result) = result else { panic!("skipped") };
        assert_eq!(result.backup.state, BackupState::InSync, "{mode}");
        wait::pause(&Run::silent(), Duration::from_millis(600)).await;
        let edges = Edges::of(&site).await;
        let of_backup = async || answer(&edges.website(&site, Side::Backup, "/old-0").await, "/old-0");
        assert_eq!(of_backup().await, "301 /new-0", "{mode}");
        let verified = async || verify(&site.context, None, &Run::silent()).await.unwrap().differences;
        assert_eq!(verified().await, [], "{mode}");
        // Copied before the replica comes, which then is as young as the copy.
        write(dir.path(), "_redirects", &rules.replace("/new", "/newer"));
        site.deploy_with(dir.path(), options(0)).await.unwrap();
        wait::pause(&Run::silent(), Duration::from_millis(600)).await;
        if of_backup().await == "301 /newer-0" {
            continue;
        }
        assert!(!verified().await.is_empty(), "{mode}");
        if mode == Mode::Dns {
            site.backfill().await.unwrap();
        } else {
            deployed(&site, dir.path()).await;
        }
        assert_eq!((of_backup().await.as_str(), verified().await), ("301 /newer-0", Vec::new()), "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_rolled_back_with_their_release() {
    for mode in [Mode::Origin, Mode::Layered] {
        let (site, dir) = (TestSite::applied_with(|config| config.mode = mode).await, tempfile::tempdir().unwrap());
        write(dir.path(), "index.html", "home");
        deployed(&site, dir.path()).await;
        write(dir.path(), "_redirects", "/old /first\n/docs/* /first/:splat\n");
        let with_rules = deployed(&site, dir.path()).await;
        write(dir.path(), "_redirects", "/old /second 302\n");
        deployed(&site, dir.path()).await;
        let edges = Edges::of(&site).await;
        let both = async || [edges.answer("/old").await, edges.answer("/docs/a").await];
        assert_eq!(both().await, ["302 /second", "-"], "{mode}");
        // The same directory once more: nothing to do.
        assert_eq!(deployed(&site, dir.path()).await.release.map(|release| release.id), None);
        site.roll_back(&with_rules.release.unwrap().id.to_string()).await.unwrap();
        assert_eq!(both().await, ["301 /first", "301 /first/a"], "{mode}");
        site.roll_back("1").await.unwrap();
        assert_eq!(both().await, ["-", "-"], "{mode}");
        if mode == Mode::Layered {
            assert!([403, 404].contains(&edges.website(&site, Side::Backup, "/old").await.status));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_could_not_be_put_is_put_by_the_next_deploy() {
    let site = TestSite::applied_with(|config| config.mode = Mode::Origin).await;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "index.html", "home");
    deployed(&site, dir.path()).await;
    for (rules, before, after) in [("/old /new\n", "-", "301 /new"), ("/old /newer\n", "301 /new", "301 /newer")] {
        write(dir.path(), "_redirects", rules);
        site.cloud.inject_faults(|request| match request.operation.as_str() {
            "UpdateKeys" => InjectedFault::Error { status: 403, code: "AccessDeniedException" },
            _ => InjectedFault::None,
        });
        let result = deployed(&site, dir.path()).await;
        assert!(matches!(result.invalidation, InvalidationResult::Pending { .. }), "{:?}", result.invalidation);
        site.cloud.inject_faults(|_| InjectedFault::None);
        let edges = Edges::of(&site).await;
        assert_eq!(edges.answer("/old").await, before);
        deployed(&site, dir.path()).await;
        assert_eq!(edges.answer("/old").await, after);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_store_has_the_rules_of_the_live_release() {
    let site = TestSite::applied_with(|config| config.mode = Mode::Dns).await;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "index.html", "home");
    write(dir.path(), "_redirects", "/docs/* /manual/:splat\n");
    deployed(&site, dir.path()).await;
    let site = TestSite::open(site.cloud, |config| config.mode = Mode::Layered).await;
    let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
    let edges = Edges::of(&site).await;
    assert_eq!(edges.answer("/docs/a?b=c").await, "301 /manual/a?b=c");
}

#[tokio::test]
async fn mistakes_stop_a_deploy_and_what_nothing_honours_is_told() {
    let site = TestSite::applied().await;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "index.html", "home");
    let refused = async |file: &str, text: &str| {
        write(dir.path(), file, text);
        let error = site.deploy(dir.path()).await.unwrap_err().to_string();
        std::fs::remove_file(dir.path().join(file)).unwrap();
        error
    };
    let malformed = refused("_redirects", "/a /b\n/c\n").await;
    assert!(malformed.contains("_redirects:2:3: the rule has no target"), "{malformed}");
    let circle = refused("_redirects", "/a /b\n/b /a\n").await;
    assert!(circle.contains("/a -> /b -> /a"), "{circle}");
    let header = refused("_headers", "/x\n  nonsense\n").await;
    assert!(header.contains("_headers:2:3"), "{header}");

    write(dir.path(), "page.html", "page");
    write(dir.path(), "_redirects", "/de / 302 Language=de\n/page.html /other\n/about /about/\n/fine / 302\n");
    write(dir.path(), "_headers", "/*\n  X-Frame-Options: DENY\n");
    let source = SourceDirectory::read(site.context.config(), dir.path(), None, None).await.unwrap();
    let planned = plan_deploy(&site.context, source, &DeployRequest::default(), &Run::silent()).await.unwrap();
    let rules = planned.summary().rules;
    let told: Vec<(&str, Option<&str>)> =
        rules.not_honored.iter().map(|one| (one.place.as_str(), one.target)).collect();
    let expected = [
        ("_headers:2", Some("website-endpoint")),
        ("_redirects:1", None),
        ("_redirects:3", None),
        ("_redirects:2", None),
        ("_redirects:4", Some("website-endpoint")),
    ];
    assert_eq!(told, expected, "{rules:?}");
    assert_eq!((rules.redirects, rules.headers), (2, 1));
    let put: Vec<String> = planned.summary().primary.put.into_iter().map(|object| object.key).collect();
    assert_eq!(put, [".twinsite/redirects", "index.html", "page.html"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_s3_stores_are_served() {
    let (site, dir) = (TestSite::applied().await, tempfile::tempdir().unwrap());
    write(dir.path(), "index.html", "home");
    write(dir.path(), "docs/a.html", "a");
    write(dir.path(), "docs/deep/b.txt", "b");
    write(dir.path(), "logo.svg", "<svg/>");
    write(
        dir.path(),
        "_headers",
        "/docs/*\n  Cache-Control: no-store\n  Content-Language: de\n/*.svg\n  Content-Disposition: inline\n/\n  \
         cache-control: max-age=5\n",
    );
    deployed(&site, dir.path()).await;
    let edges = Edges::of(&site).await;
    for (path, name, value) in [
        ("/docs/a.html", "cache-control", "no-store"),
        ("/docs/a.html", "content-language", "de"),
        ("/docs/deep/b.txt", "cache-control", "no-store"),
        ("/logo.svg", "content-disposition", "inline"),
        ("/", "cache-control", "max-age=5"),
    ] {
        assert_eq!(edges.response(path).await.header(name), value, "{path} {name}");
    }
    assert!([403, 404].contains(&edges.response("/_headers").await.status));
    // The configuration comes after the file, and an ignored file has no rules.
    let stored = async |site: &TestSite, key: &str| {
        let key: Key = key.parse().unwrap();
        site.context.stores().primary.head(&key).await.unwrap().unwrap().headers.cache_control.unwrap()
    };
    let site = TestSite::open(site.cloud.clone(), |config| {
        let setting = twinsite_sync::Setting::CacheControl(Some("max-age=9".to_owned()));
        config.publish.headers.push(twinsite_sync::HeaderRule::new("docs/*.html", vec![setting]).unwrap());
    });
    let site = site.await;
    site.deploy_with(dir.path(), OPTIONS).await.unwrap();
    assert_eq!(stored(&site, "docs/a.html").await, "max-age=9");
    assert_eq!(stored(&site, "docs/deep/b.txt").await, "no-store");
    write(dir.path(), "_headers", "not a rule");
    let site = TestSite::open(site.cloud.clone(), |config| config.publish.ignore.push("/_headers".to_owned())).await;
    deployed(&site, dir.path()).await;
    assert_ne!(stored(&site, "docs/deep/b.txt").await, "no-store");
}
