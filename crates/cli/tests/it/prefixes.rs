//! Prefixes: parts of the buckets that teams publish on their own, as an independent listing shows them.

use std::net::SocketAddr;

use serde_json::json;
use twinsite_aws::{EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY};

use crate::environment::create_bucket;
use crate::front::{Request, send};
use crate::server::Server;
use crate::{CONFIG, Project, Ran};

/// Two plain buckets in an embedded cloud that is served.
struct Buckets {
    server: Server,
    api: SocketAddr,
    _home: Project,
}

impl Buckets {
    fn start() -> Self {
        let home = Project::new();
        let server = Server::start(&home, &["--memory"]);
        let api: SocketAddr = server.api().trim_start_matches("http://").parse().unwrap();
        for bucket in ["one", "two"] {
            create_bucket(api, bucket);
            let body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            let headers =
                vec![("host".to_owned(), api.to_string()), ("content-length".to_owned(), body.len().to_string())];
            let (method, target) = ("PUT".to_owned(), format!("/{bucket}?versioning"));
            let mut request = Request { method, target, headers, body: body.to_vec() };
            request.sign();
            let answer = String::from_utf8_lossy(&request.forward(api)).into_owned();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        Self { server, api, _home: home }
    }

    fn run(&self, project: &Project, args: &[&str]) -> Ran {
        let buckets = ["--bucket", "s3://one", "--bucket", "s3://two", "--endpoint-url", self.server.api(), "--json"];
        let mut command = project.command(&[args, &buckets].concat());
        command.env("AWS_ACCESS_KEY_ID", EMBEDDED_ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", EMBEDDED_SECRET_KEY);
        Ran(command.output().unwrap())
    }

    fn ok(&self, project: &Project, args: &[&str]) -> serde_json::Value {
        let ran = self.run(project, args);
        assert_eq!(ran.code(), 0, "{args:?}: {}{}", ran.err(), ran.out());
        ran.lines().pop().unwrap()
    }

    /// The keys of the objects that visitors may get, as `ListObjectsV2` has them.
    fn keys(&self, bucket: &str) -> Vec<String> {
        let listing = send(self.api, "GET", &format!("/{bucket}?list-type=2"), &[]);
        let keys = listing.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned());
        keys.filter(|key| !key.starts_with(".twinsite/")).collect()
    }

    fn text(&self, path: &str) -> String {
        let answer = send(self.api, "GET", path, &[]);
        answer.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned()
    }
}

#[test]
fn two_teams_share_plain_buckets_and_neither_deletes_or_rolls_back_what_is_the_others() {
    let buckets = Buckets::start();
    let (main, docs) = (Project::new(), Project::new());
    docs.write("public/index.html", "docs 1");
    let all = ["404.html", "about/index.html", "assets/a b+ü.svg", "assets/app.css", "index.html"];
    buckets.ok(&main, &["deploy"]);
    let first = buckets.ok(&docs, &["deploy", "--prefix", "/docs"]);
    assert_eq!((&first["prefix"], &first["release"]["id"]), (&json!("docs/"), &json!(1)));
    for bucket in ["one", "two"] {
        let mut expected: Vec<String> = all.iter().map(|key| (*key).to_owned()).collect();
        expected.extend(all.iter().map(|key| format!("docs/{key}")));
        expected.sort();
        assert_eq!(buckets.keys(bucket), expected);
    }
    // Each deletes and rolls back its own.
    std::fs::remove_dir_all(docs.path().join("public/about")).unwrap();
    docs.write("public/index.html", "docs 2");
    assert_eq!(buckets.ok(&docs, &["deploy", "--prefix", "docs"])["primary"]["deleted"], json!(1));
    main.write("public/index.html", "main 2");
    buckets.ok(&main, &["deploy", "--delete", "all", "--yes"]);
    assert_eq!(buckets.text("/one/docs/index.html"), "docs 2");
    buckets.ok(&docs, &["rollback", "--prefix", "docs/"]);
    for bucket in ["one", "two"] {
        assert_eq!(buckets.text(&format!("/{bucket}/docs/index.html")), "docs 1");
        assert_eq!(buckets.text(&format!("/{bucket}/index.html")), "main 2");
        assert!(buckets.keys(bucket).contains(&"docs/about/index.html".to_owned()));
    }
    let ids = |releases: &serde_json::Value| releases["releases"].as_array().unwrap().len();
    assert_eq!(ids(&buckets.ok(&docs, &["releases", "--prefix", "docs"])), 3);
    assert_eq!(ids(&buckets.ok(&main, &["releases"])), 2);
    let dry = buckets.ok(&docs, &["deploy", "--prefix", "docs", "--dry-run"]);
    assert_eq!(dry["prefix"], json!("docs/"));
    let puts = dry["primary"]["put"].as_array().unwrap();
    assert!(puts.iter().all(|put| put["key"].as_str().unwrap().starts_with("docs/")), "{dry}");
    buckets.ok(&docs, &["verify"]);
    docs.write("public/index.html", "docs 1");
    docs.write("public/about/index.html", "about");
    buckets.ok(&docs, &["verify", "public", "--prefix", "docs"]);
    // What would be somebody else's is refused.
    main.write("public/docs/index.html", "mine");
    let refused = buckets.run(&main, &["deploy"]);
    assert_eq!(refused.code(), 2, "{}", refused.out());
    assert!(
        refused.out().contains("below the prefix `docs/`") && refused.out().contains("--prefix docs/"),
        "{}",
        refused.out()
    );
    for nested in ["docs/v2", "d ocs", ".twinsite", "docs/-/x"] {
        let refused = buckets.run(&docs, &["deploy", "--prefix", nested]);
        assert_eq!(refused.code(), 2, "{nested}: {}", refused.out());
    }
    assert_eq!(buckets.text("/one/docs/index.html"), "docs 1");
    // Without its index document, a directory is refused like any other.
    std::fs::remove_file(docs.path().join("public/index.html")).unwrap();
    assert_eq!(buckets.run(&docs, &["deploy", "--prefix", "docs"]).code(), 2);
}

#[test]
fn a_prefix_of_a_site_is_served_and_probed_in_every_mode() {
    for mode in ["dns", "origin", "layered"] {
        let project = Project::new();
        project.write("twinsite.toml", &CONFIG.replacen("[site]", &format!("[site]\nmode = \"{mode}\""), 1));
        project.local(&["deploy", "--apply"]);
        project.write("docs/index.html", "docs");
        project.write("docs/guide/index.html", "guide");
        let deployed = project.json(&["deploy", "docs", "--prefix", "docs", "--probe"]);
        assert_eq!(
            (&deployed["url"], &deployed["checked"]),
            (&json!("https://www.example.com/docs/"), &json!(true)),
            "{mode}"
        );
        let text = project.local(&["deploy", "docs", "--prefix", "docs"]).out();
        assert!(text.contains("prefix   docs/") && text.contains("https://www.example.com/docs/"), "{text}");
        let status = project.status();
        assert!(status.contains("docs/: release 1"), "{mode}: {status}");
        let verified = project.local(&["verify"]).out();
        assert!(verified.contains("no differences"), "{mode}: {verified}");
        project.write("docs/index.html", "docs 2");
        project.json(&["deploy", "docs", "--prefix", "docs", "--rollback-on-failure"]);
        project.json(&["rollback", "--prefix", "docs"]);
        let main = project.json(&["deploy"]);
        assert_eq!((&main["primary"]["put"], &main["primary"]["deleted"]), (&json!(0), &json!(0)), "{mode}");
        let purged = project.run(&["deploy", "--purge", "docs/guide/index.html", "--local", "--yes"]);
        assert!(purged.code() == 2 && purged.err().contains("--prefix docs/"), "{mode}: {}", purged.err());
    }
}

#[test]
fn what_makes_no_sense_with_a_prefix_is_refused() {
    let project = Project::new();
    for args in [
        &["deploy", "--prefix", "docs", "--apply"][..],
        &["deploy", "--take-over"],
        &["iam-policy", "--role", "reader", "--prefix", "docs", "--account", "111122223333"],
    ] {
        let refused = project.run(args);
        assert_eq!(refused.code(), 2, "{args:?}: {}{}", refused.err(), refused.out());
    }
    let policy = project.run(&["iam-policy", "--role", "publisher", "--prefix", "docs", "--account", "111122223333"]);
    assert_eq!(policy.code(), 0, "{}", policy.err());
    assert!(
        policy.out().contains("/.twinsite/prefixes/docs/-/*") && !policy.out().contains("example-com/*\""),
        "{}",
        policy.out()
    );
}
