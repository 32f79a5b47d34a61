//! Protected paths as clients meet them: Python's urllib asks, and answers are compared with what RFC 7617 says.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use twinsite_core::{Mode, Run, wait};
use twinsite_local::Outages;
use twinsite_site::{
    AdoptBuckets, Config, DeployResult, PasswordHash, ProtectedPath, SourceDirectory, apply, plan, plan_deploy,
};

use crate::edges::Edges;
use crate::site::{OPTIONS, TestSite};
use crate::write;

const PASSWORD: &str = "correct:horse \u{fc}";

/// Asks through urllib: of each request the method, the path, headers, and a user with a password; prints status, headers and body.
const ASK: &str = r"
import json, socket, ssl, sys, urllib.error, urllib.request
given = json.load(sys.stdin)
real = socket.getaddrinfo
socket.getaddrinfo = lambda host, port, *rest, **more: real(given['address'], port, *rest, **more)
context = ssl.create_default_context(cadata=given['authority'])
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *rest): return None
answers = []
for one in given['requests']:
    url = 'https://www.example.com:%d%s' % (given['port'], one['path'])
    handlers = [urllib.request.HTTPSHandler(context=context), Stay()]
    if 'user' in one:
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, url, one['user'], one['password'])
        handlers.append(urllib.request.HTTPBasicAuthHandler(known))
    request = urllib.request.Request(url, method=one.get('method', 'GET'), headers=one.get('headers', {}))
    try: answer = urllib.request.build_opener(*handlers).open(request, timeout=20)
    except urllib.error.HTTPError as error: answer = error
    body = answer.read().decode('utf-8', 'replace')
    answers.append([answer.status, {name.lower(): value for name, value in answer.headers.items()}, body])
json.dump(answers, sys.stdout)
";

/// What a script in Python prints, which reads JSON.
pub(crate) fn python(script: &str, given: &Value) -> Vec<u8> {
    tokio::task::block_in_place(|| {
        let mut python = Command::new("python3");
        let mut python = python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
        python.wait_with_output().unwrap().stdout
    })
}

/// A response as urllib has it.
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: String,
}

/// A request with headers.
pub(crate) fn request_of(path: &str, headers: &[(&str, &str)]) -> Value {
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({"path": path, "headers": headers})
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().unwrap_or_default()
    }
}

impl Edges {
    pub(crate) fn urllib(&self, requests: &[Value]) -> Vec<Answer> {
        let given = json!({
            "address": self.address(), "port": self.directory.ports.https, "authority": self.directory.authority, "requests": requests,
        });
        let answers: Vec<(u64, Value, String)> = serde_json::from_slice(&python(ASK, &given)).unwrap();
        answers.into_iter().map(|(status, headers, body)| Answer { status, headers, body }).collect()
    }

    fn statuses(&self, requests: &[Value]) -> Vec<u64> {
        self.urllib(requests).iter().map(|answer| answer.status).collect()
    }
}

fn protect(config: &mut Config, paths: &[(&str, &str)]) {
    config.mode = Mode::Origin;
    config.auth = twinsite_site::Protection::default();
    for (path, user) in paths {
        let users = BTreeMap::from([((*user).to_owned(), PasswordHash::new(PASSWORD, [3; 16]))]);
        config.auth.add(ProtectedPath::new(path, users).unwrap()).unwrap();
    }
}

const PATHS: [(&str, &str); 4] =
    [("/admin/*", "j\u{f6}rg"), ("/team", "alice"), ("/*.pdf", "alice"), ("/admin/deep/*", "bob")];

async fn published() -> (TestSite, tempfile::TempDir, Edges) {
    let site = TestSite::applied_with(|config| {
        protect(config, &PATHS);
        config.publish.clean_urls = true;
    });
    let (site, dir) = (site.await, tempfile::tempdir().unwrap());
    for key in [
        "index.html",
        "404.html",
        "admin.html",
        "admin/index.html",
        "admin/secret.html",
        "admin/deep/x.txt",
        "team.html",
        "docs/plan.pdf",
        "public.css",
    ] {
        write(dir.path(), key, &format!("{key}: {}", "0123456789".repeat(20)));
    }
    write(dir.path(), "_redirects", "/in /admin/secret 200\n/to /admin/secret\n/admin/old /admin/secret\n");
    let DeployResult::Published(_) = site.deploy(dir.path()).await.unwrap() else { panic!("skipped") };
    let edges = Edges::of(&site).await;
    (site, dir, edges)
}

fn with(path: &str, user: &str, password: &str) -> Value {
    json!({"path": path, "user": user, "password": password})
}

/// A request with an `Authorization` header that no client sends by itself.
fn odd(path: &str, authorization: &str) -> Value {
    json!({"path": path, "headers": {"Authorization": authorization}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protected_paths_ask_for_a_password_and_let_only_their_users_in() {
    let (site, _dir, edges) = published().await;
    // Every spelling of a path that S3 would take for a protected one, without a password.
    let closed = [
        "/admin",
        "/admin/",
        "/admin/index.html",
        "/admin.html",
        "/admin/secret",
        "/admin/secret.html",
        "/%61dmin/secret.html",
        "/admin%2Fsecret.html",
        "/admin%2fsecret.html",
        "//admin/secret.html",
        "/./admin/secret.html",
        "/x/../admin/secret.html",
        "/x/%2E%2E/admin/secret.html",
        "/admin/missing",
        "/admin/missing.png",
        "/team",
        "/team.html",
        "/team/",
        "/team/index.html",
        "/docs/plan.pdf",
        "/docs/pl%61n.pdf",
        "/in",
        "/admin/old",
        "/admin/deep/x.txt",
    ];
    let requests: Vec<Value> =
        closed.iter().flat_map(|path| ["GET", "HEAD"].map(|method| json!({"path": path, "method": method}))).collect();
    for (request, answer) in requests.iter().zip(edges.urllib(&requests)) {
        assert_eq!(answer.status, 401, "{request}: {}", answer.body);
        assert_eq!(
            answer.header("www-authenticate"),
            "Basic realm=\"www.example.com\", charset=\"UTF-8\"",
            "{request}"
        );
        assert_eq!(
            (answer.header("cache-control"), answer.header("x-robots-tag")),
            ("no-store", "noindex"),
            "{request}"
        );
        assert!(!answer.body.contains("0123456789"), "{request}");
    }
    // Below the reserved prefix nothing is served but what health checks ask for.
    let reserved = [json!({"path": "/.well-known/twinsite/../../admin/secret.html", "method": "GET"})];
    assert!(edges.urllib(&reserved).iter().all(|answer| answer.status == 404));
    let open = ["/", "/public.css", "/.well-known/twinsite/health.txt", "/.well-known/twinsite/edge.txt"];
    assert_eq!(edges.statuses(&open.map(|path| json!({"path": path}))), [200; 4]);
    let redirect = &edges.urllib(&[json!({"path": "/to"})])[0];
    assert_eq!((redirect.status, redirect.header("location")), (301, "/admin/secret"));

    // With a password: a colon and other letters than ASCII are part of it. Twice, so that the second is from the cache.
    let admin = "j\u{f6}rg";
    for (path, status) in [
        ("/admin/secret", 200),
        ("/admin/secret.html", 200),
        ("/in", 200),
        ("/admin/missing.png", 404),
        ("/admin/old", 301),
    ] {
        for answer in edges.urllib(&[with(path, admin, PASSWORD), with(path, admin, PASSWORD)]) {
            assert_eq!(answer.status, status, "{path}");
            if status < 400 {
                assert_eq!(
                    (answer.header("cache-control"), answer.header("x-robots-tag")),
                    ("no-store", "noindex"),
                    "{path}"
                );
            }
        }
    }
    assert_eq!(edges.statuses(&[json!({"path": "/admin/secret"}), with("/admin/secret", admin, "wrong")]), [401, 401]);
    let part =
        json!({"path": "/docs/plan.pdf", "user": "alice", "password": PASSWORD, "headers": {"Range": "bytes=0-3"}});
    let part = &edges.urllib(&[part])[0];
    assert_eq!((part.status, part.body.as_str()), (206, "docs"));
    let head = json!({"path": "/team", "user": "alice", "password": PASSWORD, "method": "HEAD"});
    assert_eq!(
        edges.statuses(&[head, json!({"path": "/docs/plan.pdf", "headers": {"Range": "bytes=0-3"}})]),
        [200, 401]
    );
    // The longest path decides, and a user of one path is nobody at another.
    assert_eq!(
        edges.statuses(&[
            with("/admin/deep/x.txt", "bob", PASSWORD),
            with("/admin/deep/x.txt", admin, PASSWORD),
            with("/admin/secret", "bob", PASSWORD),
            with("/admin/secret", "", PASSWORD),
            with("/admin/secret", &"x".repeat(600), PASSWORD),
            odd("/admin/secret", "Basic"),
            odd("/admin/secret", "Basic !!!"),
            odd("/admin/secret", "Basic 6Q=="),
            odd("/admin/secret", "Bearer x"),
            odd("/admin/secret", "Basic YWxpY2U="),
        ]),
        [200, 401, 401, 401, 401, 401, 401, 401, 401, 401]
    );
    // `basic` in any case. <https://www.rfc-editor.org/rfc/rfc7617#section-2>: "alice:correct:horse ü" in UTF-8, by Python's base64.
    assert_eq!(edges.statuses(&[odd("/team", "bASIC  YWxpY2U6Y29ycmVjdDpob3JzZSDDvA==")]), [200]);

    // Without the store, nobody gets in, and everybody gets the rest.
    site.cloud.world().set_outages(Outages { stores_unreadable: true, ..Outages::default() });
    let statuses =
        edges.statuses(&[with("/admin/secret", admin, PASSWORD), json!({"path": "/team"}), json!({"path": "/"})]);
    assert_eq!(statuses, [503, 503, 200]);
    site.cloud.world().set_outages(Outages::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_change_with_apply_and_nothing_is_published_before_edges_ask_for_passwords() {
    let (site, dir, edges) = published().await;
    let ask = |paths: &[(&str, &str)]| {
        edges.statuses(&paths.iter().map(|(path, user)| with(path, user, PASSWORD)).collect::<Vec<_>>())
    };
    assert_eq!(ask(&[("/admin/secret", "j\u{f6}rg"), ("/team", "alice")]), [200, 200]);
    let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    assert!(planned.is_empty());
    // Another user, and a path more.
    let site = TestSite::open(site.cloud, |config| {
        protect(config, &[("/admin/*", "carol"), ("/team", "alice"), ("/public.css", "carol")]);
        config.publish.clean_urls = true;
    });
    let site = site.await;
    let refused = site.deploy_with(dir.path(), OPTIONS).await.unwrap_err();
    assert!(refused.to_string().contains("/public.css"), "{refused}");
    let source = SourceDirectory::read(site.context.config(), dir.path(), None, None).await.unwrap();
    assert!(plan_deploy(&site.context, source, &Default::default(), &Run::silent()).await.is_err());
    let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
    wait::pause(&Run::silent(), Duration::from_millis(50)).await;
    let seen = ask(&[
        ("/admin/secret", "j\u{f6}rg"),
        ("/admin/secret", "carol"),
        ("/team", "alice"),
        ("/public.css", "carol"),
    ]);
    assert_eq!(seen, [401, 200, 200, 200]);
    site.deploy_with(dir.path(), OPTIONS).await.unwrap();
    // No password any more, and no user in the store.
    let site = TestSite::open(site.cloud, |config| {
        config.mode = Mode::Origin;
        config.publish.clean_urls = true;
    });
    let site = site.await;
    let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
    Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
    assert_eq!(edges.statuses(&[json!({"path": "/admin/secret"}), json!({"path": "/public.css"})]), [200, 200]);
    assert!(plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap().is_empty());
}
