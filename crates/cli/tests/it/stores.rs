//! Plain buckets, in S3 and in stores that have less of it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use twinsite_aws::{EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY};

use crate::environment::create_bucket;
use crate::front::{Front, Request, Rule, response, s3_error, send};
use crate::server::Server;
use crate::{Project, Ran};

/// An embedded cloud with buckets, and a server in front of it that does less.
pub(crate) struct Store {
    pub(crate) _home: Project,
    pub(crate) _server: Server,
    pub(crate) behind: SocketAddr,
    pub(crate) front: Front,
}

impl Store {
    pub(crate) fn start(buckets: &[&str], rule: impl Rule) -> Self {
        let home = Project::new();
        let server = Server::start(&home, &["--memory"]);
        let behind: SocketAddr = server.api().trim_start_matches("http://").parse().unwrap();
        for bucket in buckets {
            create_bucket(behind, bucket);
        }
        Self { _home: home, _server: server, behind, front: Front::start(behind, rule) }
    }

    fn enable_versioning(&self, bucket: &str) {
        let body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let mut request = Request {
            method: "PUT".to_owned(),
            target: format!("/{bucket}?versioning"),
            headers: vec![
                ("host".to_owned(), self.behind.to_string()),
                ("content-length".to_owned(), body.len().to_string()),
            ],
            body: body.to_vec(),
        };
        request.sign();
        let answer = String::from_utf8_lossy(&request.forward(self.behind)).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn run(&self, project: &Project, args: &[&str]) -> Ran {
        let mut command = project.command(&[args, &["--endpoint-url", &self.front.url()]].concat());
        command.env("AWS_ACCESS_KEY_ID", EMBEDDED_ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", EMBEDDED_SECRET_KEY);
        command.env("AWS_MAX_ATTEMPTS", "2");
        Ran(command.output().unwrap())
    }

    pub(crate) fn ok(&self, project: &Project, args: &[&str]) -> Ran {
        let ran = self.run(project, args);
        assert_eq!(ran.code(), 0, "{args:?}: {}{}", ran.err(), ran.out());
        ran
    }

    fn json(&self, project: &Project, args: &[&str]) -> Value {
        self.ok(project, &[args, &["--json"]].concat()).lines().pop().unwrap()
    }

    /// An object as any client gets it.
    fn get(&self, path: &str) -> String {
        send(self.behind, "GET", path, &[])
    }

    fn has(&self, path: &str, body: &str) -> bool {
        let answer = self.get(path);
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(body)
    }
}

fn without_rule(_: &mut Request) -> Option<Vec<u8>> {
    None
}

/// Without a configuration file.
pub(crate) fn project() -> Project {
    let project = Project::new();
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    std::fs::write(project.path().join("public/large.bin"), vec![7; 3 << 20]).unwrap();
    project
}

const ONE: [&str; 3] = ["deploy", "--bucket", "s3://site"];
const TWO: [&str; 5] = ["deploy", "--bucket", "s3://site", "--bucket", "s3://copy"];

#[test]
fn a_directory_is_published_to_one_bucket_and_rolled_back() {
    let (store, project) = (Store::start(&["site"], without_rule), project());
    store.enable_versioning("site");
    let planned = store.json(&project, &[&ONE[..], &["--dry-run"]].concat());
    assert_eq!((planned["primary"]["put"].as_array().unwrap().len(), &planned["backup"]), (6, &Value::Null));
    assert!(!store.has("/site/index.html", ""));
    let deployed = store.json(&project, &ONE);
    assert_eq!((&deployed["primary"]["put"], &deployed["backup"]["state"]), (&json!(6), &json!("none")));
    assert_eq!(deployed["release"]["id"], json!(1));
    assert!(store.has("/site/about/index.html", "about"));
    assert!(store.get("/site/index.html").contains("content-type: text/html"), "{}", store.get("/site/index.html"));
    assert!(store.ok(&project, &ONE).out().contains("nothing to do"));
    project.write("public/about/index.html", "changed");
    std::fs::remove_file(project.path().join("public/404.html")).unwrap();
    let changed = store.json(&project, &ONE);
    assert_eq!((&changed["primary"]["put"], &changed["primary"]["deleted"]), (&json!(1), &json!(1)));
    assert!(!store.has("/site/404.html", ""));
    let verify = ["verify", "public", "--bucket", "s3://site"];
    store.ok(&project, &verify);
    let back = store.json(&project, &["rollback", "--bucket", "s3://site"]);
    assert_eq!(back["release"]["restores"], json!(1));
    assert!(store.has("/site/about/index.html", "about") && store.has("/site/404.html", "lost"));
    assert_eq!(store.run(&project, &verify).code(), 3);
    let releases = store.json(&project, &["releases", "--bucket", "s3://site"]);
    assert_eq!(releases["releases"].as_array().unwrap().len(), 3);
    // No service but S3 was called: the front has seen everything.
    let seen = store.front.seen();
    assert!(seen.iter().all(|request| request.target.starts_with("/site")), "{seen:?}");
}

#[test]
fn a_second_bucket_is_a_copy_and_is_repaired() {
    let (store, project) = (Store::start(&["site", "copy"], without_rule), project());
    let deployed = store.json(&project, &TWO);
    assert_eq!(deployed["backup"]["state"], json!("in-sync"));
    assert!(deployed["backup"]["waited_seconds"].as_f64().unwrap() < 20.0, "{deployed}");
    assert!(store.has("/copy/about/index.html", "about") && store.has("/copy/.twinsite/releases/0000000001.gz", ""));
    let both = ["--bucket", "s3://site", "--bucket", "s3://copy"];
    store.ok(&project, &[&["verify", "public"], &both[..]].concat());
    send(store.behind, "DELETE", "/copy/about/index.html", &[]);
    assert_eq!(store.run(&project, &[&["verify"], &both[..]].concat()).code(), 3);
    assert_eq!(store.json(&project, &[&["backfill"], &both[..]].concat())["copied"], json!(1));
    assert!(store.has("/copy/about/index.html", "about"));
    std::fs::remove_file(project.path().join("public/404.html")).unwrap();
    assert_eq!(store.json(&project, &TWO)["backup"]["state"], json!("in-sync"));
    assert!(!store.has("/copy/404.html", "") && !store.has("/site/404.html", ""));
}

#[test]
fn a_second_bucket_in_another_store_is_filled_through_this_machine() {
    let (store, other) = (Store::start(&["site"], without_rule), Store::start(&["copy"], without_rule));
    let project = project();
    std::fs::write(project.path().join("public/huge.bin"), vec![9; 70 << 20]).unwrap();
    let backup = format!("s3://copy?endpoint={}", other.front.url());
    let buckets = ["--bucket", "s3://site", "--bucket", &backup];
    let deployed = store.json(&project, &[&["deploy"], &buckets[..]].concat());
    assert_eq!(deployed["backup"]["state"], json!("in-sync"), "{deployed}");
    assert!(other.has("/copy/about/index.html", "about"));
    assert!(other.get("/copy/assets/app.css").contains("content-type: text/css"));
    assert!(other.get("/copy/huge.bin").len() > 70 << 20);
    store.ok(&project, &[&["verify", "public"], &buckets[..]].concat());
    assert!(store.ok(&project, &[&["deploy"], &buckets[..]].concat()).out().contains("nothing to do"));
    let copies = [&store, &other].map(|store| {
        let seen = store.front.seen();
        seen.iter().filter(|request| request.header("x-amz-copy-source").is_some()).count()
    });
    assert_eq!(copies, [0, 0]);
}

#[test]
fn what_is_wrong_with_buckets_is_said_before_anything_is_changed() {
    let (store, project) = (Store::start(&["site", "full"], without_rule), project());
    send(store.behind, "PUT", "/full/index.html", &[]);
    for (args, code, said) in [
        (&["deploy", "--bucket", "s3://site/below/a/prefix"][..], 2, "--prefix"),
        (&["deploy", "--bucket", "site"], 2, "s3://NAME"),
        (&["deploy", "--bucket", "s3://site?colour=red"], 2, "parameter"),
        (&["deploy", "--bucket", "s3://a", "--bucket", "s3://b", "--bucket", "s3://c"], 2, "no more"),
        (&["deploy", "--bucket", "s3://site", "--bucket", "s3://site"], 2, "its own backup"),
        (&["deploy", "--bucket", "s3://nowhere"], 1, "create it first"),
        (&["deploy", "--bucket", "s3://site", "--local"], 2, "--local"),
        (&["deploy", "--bucket", "s3://site", "--apply"], 2, "--apply"),
        (&["deploy", "--region", "us-east-1"], 2, "--bucket"),
        (&["deploy", "--bucket", "s3://full"], 1, "--yes"),
        (&["verify", "--bucket", "s3://site"], 2, "single bucket"),
        (&["backfill", "--bucket", "s3://site"], 2, "no backup"),
        (&["rollback", "--bucket", "s3://site"], 2, "no release before"),
    ] {
        let ran = store.run(&project, args);
        assert!(ran.code() == code && ran.err().contains(said), "{args:?}: {} {}", ran.code(), ran.err());
    }
    let wrote = store.front.seen().iter().filter(|request| request.method != "GET" && request.method != "HEAD").count();
    assert_eq!(wrote, 0);
    store.ok(&project, &["deploy", "--bucket", "s3://full", "--yes"]);
    let warned = store.ok(&project, &ONE).err();
    assert!(warned.contains("the bucket `site` keeps no versions"), "{warned}");
    project.write("public/about/index.html", "changed");
    store.ok(&project, &ONE);
    let lost = store.run(&project, &["rollback", "--bucket", "s3://site"]);
    assert!(lost.code() == 1 && lost.err().contains("keeps no versions"), "{}", lost.err());
}

/// Ignores conditions without a word.
fn ignoring_conditions(request: &mut Request) -> Option<Vec<u8>> {
    if request.header("if-match").or(request.header("if-none-match")).is_some() {
        request.remove(|name| name == "if-match" || name == "if-none-match");
        request.sign();
    }
    None
}

/// Refuses conditions of writes.
fn refusing_conditions(request: &mut Request) -> Option<Vec<u8>> {
    let is_conditional = request.header("if-match").or(request.header("if-none-match")).is_some();
    (is_conditional && request.method != "GET").then(|| s3_error(501, "NotImplemented"))
}

/// Refuses them as an invalid argument.
fn rejecting_conditions(request: &mut Request) -> Option<Vec<u8>> {
    refusing_conditions(request).map(|_| s3_error(400, "InvalidArgument"))
}

fn is_checksum(name: &str) -> bool {
    name.starts_with("x-amz-checksum-") && name != "x-amz-checksum-mode" || name == "x-amz-sdk-checksum-algorithm"
}

/// Knows no checksum but `Content-MD5`, and insists on that for `DeleteObjects`.
fn without_checksums(request: &mut Request) -> Option<Vec<u8>> {
    let has_checksum = request.headers.iter().any(|(name, _)| is_checksum(name));
    let is_batch = request.method == "POST" && request.query() == "delete";
    if has_checksum {
        return Some(s3_error(501, "NotImplemented"));
    }
    (is_batch && request.header("content-md5").is_none()).then(|| s3_error(400, "InvalidRequest"))
}

/// The same, with another code.
fn rejecting_checksums(request: &mut Request) -> Option<Vec<u8>> {
    without_checksums(request).map(|_| s3_error(400, "InvalidRequest"))
}

/// Has neither `CopyObject`, `DeleteObjects`, `ListObjectVersions`, `GetBucketVersioning`, tagging nor `HeadBucket`.
fn with_few_operations(request: &mut Request) -> Option<Vec<u8>> {
    let query = request.query();
    let missing = request.header("x-amz-copy-source").is_some()
        || ["delete", "versions", "versioning", "tagging"]
            .iter()
            .any(|name| query.split('&').any(|part| part.trim_end_matches('=') == *name));
    let is_bucket = request.path().matches('/').count() == 1;
    if request.method == "HEAD" && is_bucket {
        return Some(response(501, ""));
    }
    missing.then(|| s3_error(501, "NotImplemented"))
}

/// Everything at once.
fn with_nothing_but_the_basics(request: &mut Request) -> Option<Vec<u8>> {
    without_checksums(request).or_else(|| refusing_conditions(request)).or_else(|| with_few_operations(request))
}

/// Publishes to a store that lacks something, changes and deletes, and returns what the first and the second deploy said.
fn published(rule: fn(&mut Request) -> Option<Vec<u8>>) -> (Store, [String; 2]) {
    let (store, project) = (Store::start(&["site", "copy"], rule), project());
    for name in ["old/1.html", "old/2.html"] {
        project.write(&format!("public/{name}"), name);
    }
    let first = store.ok(&project, &TWO).err();
    for bucket in ["site", "copy"] {
        assert!(store.has(&format!("/{bucket}/about/index.html"), "about"), "{bucket}");
        assert!(store.get(&format!("/{bucket}/large.bin")).len() > 3 << 20, "{bucket}");
    }
    // Dates have a resolution of one second, and tell objects whose headers alone have changed from older copies.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    project.write("public/about/index.html", "changed");
    for name in ["old/1.html", "old/2.html"] {
        std::fs::remove_file(project.path().join("public").join(name)).unwrap();
    }
    // Only its headers change.
    project.write(
        "twinsite.toml",
        &format!("{}\n[[publish.headers]]\nmatch = \"large.bin\"\ncache_control = \"no-cache\"\n", crate::CONFIG),
    );
    let second = store.ok(&project, &TWO).err();
    for bucket in ["site", "copy"] {
        assert!(store.has(&format!("/{bucket}/about/index.html"), "changed"), "{bucket}");
        assert!(!store.has(&format!("/{bucket}/old/1.html"), "") && !store.has(&format!("/{bucket}/old/2.html"), ""));
        let large = store.get(&format!("/{bucket}/large.bin"));
        assert!(large[..1000].contains("cache-control: no-cache"), "{bucket}: {}", &large[..1000]);
    }
    assert!(!store.has("/site/.twinsite/lock", ""));
    (store, [first, second])
}

#[test]
fn stores_without_conditional_writes_are_found_out_and_left_to_the_lock() {
    for rule in [ignoring_conditions, refusing_conditions, rejecting_conditions] {
        let (store, said) = published(rule);
        for said in said {
            assert_eq!(said.matches("does not support conditional writes").count(), 1, "{said}");
        }
        // Found out once: the second deploy does not try any more.
        let seen = store.front.seen();
        let recorded = seen.iter().position(|request| request.target.contains("/site/.twinsite/limits")).unwrap();
        let later =
            seen[recorded..].iter().filter(|request| request.method == "PUT" && request.target.contains("/site/"));
        let later: Vec<&Request> = later.filter(|request| request.header("if-none-match").is_some()).collect();
        assert!(later.is_empty(), "{later:?}");
    }
}

#[test]
fn two_deploys_to_a_store_without_conditional_writes_take_turns() {
    let (store, project) = (Store::start(&["site"], ignoring_conditions), project());
    let other = project.copy();
    other.write("public/other.html", "other");
    let ran = std::thread::scope(|scope| {
        let both = [&project, &other].map(|project| scope.spawn(|| store.run(project, &ONE)));
        both.map(|thread| thread.join().unwrap())
    });
    for ran in &ran {
        assert_eq!(ran.code(), 0, "{}", ran.err());
    }
    let releases = store.json(&project, &["releases", "--bucket", "s3://site"]);
    assert_eq!(releases["releases"].as_array().unwrap().len(), 2);
}

#[test]
fn stores_without_checksums_get_an_md5() {
    for rule in [without_checksums, rejecting_checksums] {
        let (store, [first, second]) = published(rule);
        assert_eq!(first.matches("the primary's store does not support CRC-64/NVME").count(), 1, "{first}");
        assert!(!second.contains("CRC-64"), "said once: {second}");
        let sums = store
            .front
            .seen()
            .iter()
            .filter(|request| request.headers.iter().any(|(name, _)| is_checksum(name)))
            .count();
        assert!(sums <= 8, "tried again and again: {sums}");
    }
}

#[test]
fn stores_with_few_operations_are_published_to() {
    let (_, [first, _]) = published(with_few_operations);
    assert!(first.contains("keeps no versions"), "{first}");
    published(with_nothing_but_the_basics);
}

/// Lists keys as they are, although it says that it encodes them.
struct ListsPlainKeys {
    says: bool,
}

impl Rule for ListsPlainKeys {
    fn request(&self, _: &mut Request) -> Option<Vec<u8>> {
        None
    }

    fn response(&self, request: &Request, response: Vec<u8>) -> Vec<u8> {
        if !request.query().contains("list-type=2") {
            return response;
        }
        let text = String::from_utf8(response).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut body = body.replace('+', " ");
        while let Some(at) = body.find('%') {
            let bytes = body.as_bytes()[at..].chunks(3).take_while(|three| three[0] == b'%');
            let bytes: Vec<u8> =
                bytes.map(|three| u8::from_str_radix(str::from_utf8(&three[1..]).unwrap(), 16).unwrap()).collect();
            let text = String::from_utf8(bytes.clone()).unwrap().replace('%', "\u{1}");
            body.replace_range(at..at + 3 * bytes.len(), &text);
        }
        body = body.replace('\u{1}', "%");
        if !self.says {
            body = body.replace("<EncodingType>url</EncodingType>", "");
        }
        let head: Vec<&str> =
            head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("content-length")).collect();
        format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into_bytes()
    }
}

#[test]
fn odd_names_in_listings_that_are_not_encoded_are_taken_as_they_are() {
    for says in [true, false] {
        let (store, project) = (Store::start(&["site"], ListsPlainKeys { says }), project());
        project.write("public/assets/1+1=2.svg", "<svg/>");
        project.write("public/assets/100%.svg", "<svg/>");
        store.ok(&project, &ONE);
        let again = store.ok(&project, &ONE).out();
        assert!(again.contains("nothing to do"), "{again}");
    }
}

#[test]
fn an_error_that_is_not_in_the_form_of_s3_is_shown_with_status_host_and_the_start_of_its_body() {
    let page = "<html>\u{1b}[31m<h1>Bad gateway</h1>\n";
    let store =
        Store::start(&["site"], move |_: &mut Request| Some(response(418, &format!("{page}{}", "x".repeat(500)))));
    let project = project();
    let failed = store.run(&project, &ONE);
    assert_eq!(failed.code(), 1);
    for part in ["status 418", &store.front.address.to_string(), "HeadBucket", "`site`"] {
        assert!(failed.err().contains(part), "no {part}: {}", failed.err());
    }
    let store = Store::start(&["site"], move |request: &mut Request| {
        (request.method == "GET").then(|| response(400, &format!("{page}{}", "x".repeat(500))))
    });
    let failed = store.run(&project, &ONE).err();
    for part in ["status 400", "ListObjectsV2", "\\u{1b}[31m<h1>Bad gateway</h1>\\nxxx", "…"] {
        assert!(failed.contains(part), "no {part}: {failed}");
    }
    assert!(!failed.contains('\u{1b}') && failed.len() < 1000, "{failed}");
}
