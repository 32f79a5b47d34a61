//! Slashes at the end of paths, single-page applications, and what edges serve without the key value store.

use std::path::Path;

use twinsite_core::{Mode, Side};
use twinsite_local::Outages;
use twinsite_site::{Config, DeployResult, PublishResult, TrailingSlash};

use crate::auth::request_of;
use crate::edges::Edges;
use crate::site::TestSite;
use crate::write;

/// A path, the headers of a request, and the status and the file of its answer.
type Asked<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);

const MODES: [Mode; 3] = [Mode::Origin, Mode::Layered, Mode::Dns];

async fn deployed(site: &TestSite, dir: &Path) -> PublishResult {
    match site.deploy(dir).await.unwrap() {
        DeployResult::Published(result) => *result,
        skipped => panic!("{skipped:?}"),
    }
}

/// Status and location, or the body of a page.
async fn seen(edges: &Edges, site: &TestSite, mode: Mode, path: &str) -> String {
    let response = match mode {
        Mode::Dns => edges.website(site, Side::Primary, path).await,
        Mode::Origin | Mode::Layered => edges.response(path).await,
    };
    match response.status {
        200 => format!("200 {}", String::from_utf8_lossy(&response.body)),
        403 | 404 => "404".to_owned(),
        status => {
            let location = response.header("location");
            let location = location.split_once(".amazonaws.com").map_or(location, |(_, path)| path);
            format!("{status} {}", location.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()))
        }
    }
}

fn site_with_pages(dir: &Path) {
    for key in
        ["index.html", "404.html", "about.html", "docs/index.html", "docs/guide.html", "docs/1.0/index.html", "LICENSE"]
    {
        write(dir, key, key);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slashes_are_added_and_removed_in_every_mode_and_never_in_a_circle() {
    const ADD: [(&str, &str); 8] = [
        ("/about", "302 /about/"),
        ("/about/", "200 about.html"),
        ("/about.html", "200 about.html"),
        ("/docs", "302 /docs/"),
        ("/docs/", "200 docs/index.html"),
        ("/docs/guide/", "200 docs/guide.html"),
        ("/LICENSE", "200 LICENSE"),
        ("/missing/", "404"),
    ];
    const REMOVE: [(&str, &str); 9] = [
        ("/about", "200 about.html"),
        ("/docs", "200 docs/index.html"),
        ("/docs/guide", "200 docs/guide.html"),
        ("/docs/1.0/", "200 docs/1.0/index.html"),
        ("/docs/1.0", "302 /docs/1.0/"),
        ("/", "200 index.html"),
        ("/missing", "404"),
        // By a function only: website endpoints answer both paths.
        ("/docs/?x=1&y", "302 /docs?x=1&y"),
        ("/about/", "302 /about"),
    ];
    for mode in MODES {
        for (trailing_slash, answers) in [(TrailingSlash::Add, &ADD[..]), (TrailingSlash::Remove, &REMOVE[..])] {
            let configure = |config: &mut Config| {
                config.mode = mode;
                config.publish.clean_urls = true;
                config.publish.trailing_slash = trailing_slash;
            };
            let (site, dir) = (TestSite::applied_with(configure).await, tempfile::tempdir().unwrap());
            site_with_pages(dir.path());
            let result = deployed(&site, dir.path()).await;
            let is_told = result.rules.not_honored.iter().any(|one| one.rule.contains("trailing_slash"));
            assert_eq!(is_told, mode != Mode::Origin && trailing_slash == TrailingSlash::Remove, "{mode}");
            let edges = Edges::of(&site).await;
            let mut wrong = Vec::new();
            for (path, expected) in answers {
                let answer = seen(&edges, &site, mode, path).await;
                let expected = match (mode, trailing_slash, *path) {
                    (Mode::Dns, TrailingSlash::Remove, "/docs/?x=1&y") => "200 docs/index.html",
                    (Mode::Dns, TrailingSlash::Remove, "/about/") => "404",
                    _ => expected,
                };
                if answer != expected {
                    wrong.push(format!("{mode} {trailing_slash:?} {path}: {answer}, expected {expected}"));
                }
            }
            assert_eq!(wrong, [""; 0]);
            // Rules that would lead back.
            let circle = match trailing_slash {
                TrailingSlash::Remove => "/docs /docs/ 301\n",
                _ => "/docs/ /docs 301\n",
            };
            write(dir.path(), "_redirects", circle);
            let configure_strict = |config: &mut Config| {
                configure(config);
                config.publish.redirects_syntax = twinsite_site::Syntax::CloudflarePages;
            };
            let site = TestSite::open(site.cloud, configure_strict).await;
            let refused = site.deploy(dir.path()).await.unwrap_err().to_string();
            assert!(refused.contains("in a circle: "), "{mode} {trailing_slash:?}: {refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn navigations_of_a_single_page_application_get_its_page_and_missing_files_stay_missing() {
    for mode in [Mode::Origin, Mode::Layered] {
        let configure = |config: &mut Config| {
            config.mode = mode;
            config.publish.spa = true;
        };
        let (site, dir) = (TestSite::applied_with(configure).await, tempfile::tempdir().unwrap());
        site_with_pages(dir.path());
        let result = deployed(&site, dir.path()).await;
        let is_told = result.rules.not_honored.iter().any(|one| one.rule.contains("spa"));
        assert_eq!(is_told, mode == Mode::Layered);
        let edges = Edges::of(&site).await;
        let browser = [("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html,*/*")];
        let older = [("Accept", "text/html,application/xhtml+xml")];
        let fetch = [("Sec-Fetch-Mode", "cors"), ("Accept", "text/html")];
        let json = [("Accept", "application/json")];
        let requests: [Asked<'_>; 12] = [
            ("/app/users", &browser, 200, "index.html"),
            ("/app/users/", &browser, 200, "index.html"),
            ("/app/users?tab=1", &older, 200, "index.html"),
            ("/app", &older, 200, "index.html"),
            ("/app/users", &fetch, 404, "404.html"),
            ("/app/users", &json, 404, "404.html"),
            ("/app/users", &[], 404, "404.html"),
            ("/app/main.js", &browser, 404, "404.html"),
            ("/app/photo.png", &older, 404, "404.html"),
            ("/docs/", &browser, 200, "docs/index.html"),
            ("/about.html", &browser, 200, "about.html"),
            ("/LICENSE", &browser, 200, "LICENSE"),
        ];
        let asked: Vec<_> = requests.iter().map(|(path, headers, ..)| request_of(path, headers)).collect();
        for ((path, headers, status, body), answer) in requests.iter().zip(edges.urllib(&asked)) {
            let given = (answer.status, answer.body.as_str());
            assert_eq!(given, (u64::from(*status), *body), "{mode} {path} {headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_key_value_store_edges_serve_what_they_can_and_status_says_so() {
    for mode in [Mode::Origin, Mode::Layered] {
        for clean_urls in [true, false] {
            let configure = |config: &mut Config| {
                config.mode = mode;
                config.publish.clean_urls = clean_urls;
            };
            let (site, dir) = (TestSite::applied_with(configure).await, tempfile::tempdir().unwrap());
            site_with_pages(dir.path());
            write(dir.path(), "_redirects", "/old /about.html\n");
            deployed(&site, dir.path()).await;
            let edges = Edges::of(&site).await;
            assert_eq!(seen(&edges, &site, mode, "/old").await, "301 /about.html");
            let read = edges.response("/.well-known/twinsite/origin.txt?rules").await;
            assert_eq!(read.body.len(), 32, "{mode}");
            site.cloud.world().set_outages(Outages { stores_unreadable: true, ..Outages::default() });
            for (path, expected) in [
                ("/docs/", "200 docs/index.html"),
                ("/docs/1.0/", "200 docs/1.0/index.html"),
                ("/about.html", "200 about.html"),
                ("/", "200 index.html"),
                ("/about", if clean_urls { "200 about.html" } else { "" }),
                ("/docs", if clean_urls && mode == Mode::Origin { "" } else { "302 /docs/" }),
                ("/old", if mode == Mode::Origin && !clean_urls { "302 /old/" } else { "404" }),
            ] {
                if expected.is_empty() || mode == Mode::Layered && path == "/old" {
                    continue;
                }
                assert_eq!(seen(&edges, &site, mode, path).await, expected, "{mode} {clean_urls} {path}");
            }
            let unread = edges.response("/.well-known/twinsite/origin.txt?rules").await;
            assert_eq!(unread.body, b"unreadable".as_slice(), "{mode}");
        }
    }
}
