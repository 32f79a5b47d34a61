//! A table of URLs, asked in every mode and of each standby. All answer the same, but for the differences that are listed here.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use twinsite_core::{Mode, Side};
use twinsite_dns_failover::probe::dns_query;

use crate::auth::python;
use crate::edges::Edges;
use crate::site::TestSite;
use crate::write;

const TABLE: &str = include_str!("cases/urls.txt");

fn part(name: &str) -> &'static str {
    let rest = TABLE.split_once(&format!("## {name}\n")).unwrap().1;
    rest.split("\n## ").next().unwrap().trim_end()
}

/// Asks every target for every URL, as it is, over one connection each.
const ASK: &str = r"
import http.client, json, socket, ssl, sys
given = json.load(sys.stdin)
answers = []
for target in given['targets']:
    context = ssl.create_default_context(cadata=given['authority'])
    def connect():
        connection = http.client.HTTPConnection(target['host'], target['port'], timeout=20)
        connection.sock = socket.create_connection((target['address'], target['port']), 20)
        if target['tls']: connection.sock = context.wrap_socket(connection.sock, server_hostname=target['host'])
        return connection
    connection, seen = connect(), []
    for method, path, header in given['requests']:
        headers = dict([header.split(':', 1)]) if header != '-' else {}
        try:
            connection.request(method, path, headers=dict(headers, Host=target['host']))
            answer = connection.getresponse()
        except http.client.RemoteDisconnected:
            connection = connect()
            connection.request(method, path, headers=dict(headers, Host=target['host']))
            answer = connection.getresponse()
        body = answer.read().decode('utf-8', 'replace')
        seen.append([answer.status, answer.headers.get('location', ''), body])
        if answer.will_close: connection = connect()
    answers.append(seen)
json.dump(answers, sys.stdout)
";

/// A request of the table.
#[derive(Clone, Copy)]
struct Line {
    method: &'static str,
    path: &'static str,
    header: &'static str,
    status: u16,
    what: &'static str,
}

fn lines() -> Vec<Line> {
    let line = |line: &'static str| {
        let [method, path, header, status, what] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        Line { method, path, header, status: status.parse().unwrap(), what }
    };
    part("requests").lines().map(line).collect()
}

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// CloudFront, in a mode with a function.
    Edge(Mode),
    /// A website endpoint: the site in mode `dns`, the standby in mode `layered`.
    Website(Mode, Side),
}

/// What a target answers: as the table says, or a documented difference.
fn expected(target: Target, line: Line) -> (u16, String) {
    let Line { method: _, path, header: _, status, what } = line;
    let what = what.replace('\u{a0}', " ");
    let (bare, _) = path.split_once('?').unwrap_or((path, ""));
    if let Target::Website(..) = target {
        // S3 reads a `+` in a path as a space, and redirects to a folder as it was asked for, without the query.
        if bare.contains('+') {
            let is_another = ["/a+b", "/a+b.html"].contains(&bare);
            return if is_another { (200, "a b.html".to_owned()) } else { (404, "-".to_owned()) };
        }
        // Rules with patterns, conditions or other statuses than 301.
        let rules = ["/found", "/see", "/temp", "/perm", "/news", "/item/", "/year/", "/q", "/both/"];
        if (301..400).contains(&status) && rules.iter().any(|rule| bare.starts_with(rule))
            || what == "docs/guide.html" && bare.starts_with("/item/")
        {
            return (404, "-".to_owned());
        }
        // Redirects lose the query.
        if (301..400).contains(&status) && path.contains('?') && !what.starts_with("/about?x=1") {
            return (status, what.split('?').next().unwrap_or_default().to_owned());
        }
        if path == "/old?x=1" {
            return (status, "/about".to_owned());
        }
    }
    (status, what)
}

impl Edges {
    async fn website_target(&self, site: &TestSite, side: Side) -> Value {
        let host = site.context.site().website_host(side);
        let server = SocketAddr::new(self.directory.name_server, self.directory.ports.dns);
        let found = dns_query(server, &host, Duration::from_secs(5)).await.unwrap();
        json!({"address": found.addresses().next().unwrap(), "port": self.directory.ports.http, "host": host, "tls": false})
    }

    fn ask(&self, targets: &[Value], lines: &[Line]) -> Vec<Vec<(u16, String, String)>> {
        let requests: Vec<_> =
            lines.iter().map(|line| json!([line.method, line.path, line.header.replace('\u{a0}', " ")])).collect();
        let given = json!({"authority": self.directory.authority, "targets": targets, "requests": requests});
        serde_json::from_slice(&python(ASK, &given)).unwrap()
    }
}

/// A location may be encoded in more than one way.
fn decoded(location: &str) -> String {
    percent_encoding::percent_decode_str(location).decode_utf8_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mode_and_standby_answers_the_table_of_urls_but_for_the_listed_differences() {
    let lines = lines();
    assert!(lines.len() >= 300, "{}", lines.len());
    let mut wrong = Vec::new();
    for mode in [Mode::Origin, Mode::Layered, Mode::Dns] {
        let site = TestSite::applied_with(|config| {
            config.mode = mode;
            config.publish.clean_urls = true;
        });
        let (site, dir) = (site.await, tempfile::tempdir().unwrap());
        for key in part("files").lines() {
            write(dir.path(), key, key);
        }
        write(dir.path(), "_redirects", part("rules"));
        site.deploy(dir.path()).await.unwrap();
        let edges = Edges::of(&site).await;
        let (mut targets, mut asked) = (Vec::new(), Vec::new());
        if mode != Mode::Dns {
            targets.push(Target::Edge(mode));
            let (address, port) = (edges.address(), edges.directory.ports.https);
            asked.push(json!({"address": address, "port": port, "host": "www.example.com", "tls": true}));
        }
        for side in Side::BOTH.into_iter().filter(|_| mode.public_buckets()) {
            targets.push(Target::Website(mode, side));
            asked.push(edges.website_target(&site, side).await);
        }
        for (target, answers) in targets.iter().zip(edges.ask(&asked, &lines)) {
            for (line, (status, location, body)) in lines.iter().zip(answers) {
                // Website endpoints answer with the URL of the endpoint, or with a path.
                let location = match location.split_once(".amazonaws.com") {
                    Some((_, rest)) => rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()).to_owned(),
                    None => location,
                };
                let status = if status == 403 && matches!(target, Target::Website(..)) { 404 } else { status };
                let what = match status {
                    200 if line.method == "HEAD" => line.what.replace('\u{a0}', " "),
                    200 => body,
                    // A byte may be a part of a letter.
                    206 => line.what.chars().take(1).collect(),
                    300..=399 => location,
                    404 if line.method == "GET" && body != "404.html" => format!("another page: {body}"),
                    _ => "-".to_owned(),
                };
                let (expected_status, expected_what) = expected(*target, *line);
                let expected_what =
                    if expected_status == 206 { line.what.chars().take(1).collect() } else { expected_what };
                if status != expected_status || decoded(&what) != decoded(&expected_what) {
                    let Line { method, path, header, .. } = line;
                    wrong.push(format!(
                        "{target:?} {method} {path} {header}: {status} {what}, expected {expected_status} {expected_what}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
