//! Several names, as visitors meet them: over DNS, HTTP and HTTPS, by a client in Python that shares no code with the product.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Project;
use crate::server::Server;

fn project(mode: &str, domain: &str, aliases: &[&str]) -> Project {
    let project = Project::new();
    let aliases = json!(aliases);
    project.write(
        "twinsite.toml",
        &format!(
            "[site]\ndomain = \"{domain}\"\naliases = {aliases}\nmode = \"{mode}\"\n\n[primary]\nregion = \"us-east-1\"\n\n\
             [backup]\nregion = \"us-west-2\"\n"
        ),
    );
    project.write("public/a b/ü.html", "odd");
    project
}

/// The chains of responses to some visits; `None` without Python.
fn visits(project: &Project, server: &Server, urls: &[&str]) -> Option<Vec<Vec<Value>>> {
    let mut world = server.serving().clone();
    world["visits"] = json!(urls);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/visitor.py");
    let started = Command::new("python3")
        .arg(script)
        .current_dir(project.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = started.ok()?;
    child.stdin.take().unwrap().write_all(world.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The status and the address of each response.
fn shown(chain: &[Value]) -> Vec<String> {
    let show = |visit: &Value| format!("{} {}", visit["status"], visit["url"].as_str().unwrap());
    chain.iter().map(show).collect()
}

#[test]
fn aliases_lead_to_the_domain_with_path_and_query_unchanged_over_http_and_https() {
    const ODD: &str = "/a%20b/%C3%BC.html?b=1&a=%2F&b=2&1=x&empty=&q=a+b";
    for mode in ["origin", "layered", "dns"] {
        let project = project(mode, "www.example.com", &["example.com", "www.example.org"]);
        project.local(&["deploy", "public", "--apply"]);
        let server = Server::start(&project, &[]);
        let urls: Vec<String> = ["example.com", "www.example.org"]
            .iter()
            .flat_map(|host| ["https", "http"].map(|scheme| format!("{scheme}://{host}{ODD}")))
            .collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let Some(chains) = visits(&project, &server, &urls) else { return };
        for chain in &chains {
            let last = chain.last().unwrap();
            // Where HTTP is not redirected to HTTPS, visitors stay with the protocol that they came with.
            let scheme =
                if mode == "dns" { chain[0]["url"].as_str().unwrap().split(':').next().unwrap() } else { "https" };
            assert_eq!(last["url"], json!(format!("{scheme}://www.example.com{ODD}")), "{mode}: {chain:#?}");
            assert_eq!((&last["status"], &last["body"]), (&json!(200), &json!("odd")), "{mode}: {:?}", shown(chain));
            assert!(chain[..chain.len() - 1].iter().all(|visit| visit["status"] == json!(301)), "{:?}", shown(chain));
        }
        // What health checks ask is the same for every name.
        if mode != "dns" {
            let edge = ["example.com", "www.example.org", "www.example.com"]
                .map(|host| format!("https://{host}/.well-known/twinsite/edge.txt"));
            let chains = visits(&project, &server, &edge.each_ref().map(String::as_str)).unwrap();
            let bodies: Vec<&Value> = chains.iter().map(|chain| &chain[0]["body"]).collect();
            assert!(chains.iter().all(|chain| chain.len() == 1 && chain[0]["status"] == json!(200)), "{chains:#?}");
            assert_eq!(bodies[0], bodies[2]);
        }
        let status: Value =
            serde_json::from_str(project.run(&["status", "--local", "--json"]).out().lines().last().unwrap()).unwrap();
        let names: Vec<&Value> = status["aliases"].as_array().unwrap().iter().map(|alias| &alias["name"]).collect();
        assert_eq!(names, [&json!("example.com"), &json!("www.example.org")]);
        let text = project.run(&["status", "--local"]).out();
        assert!(text.contains("example.com: redirected to www.example.com"), "{text}");
        drop(server);
        project.local(&["destroy", "--yes"]);
    }
}

#[test]
fn the_apex_may_be_the_domain_and_www_its_alias() {
    for mode in ["origin", "layered"] {
        let project = project(mode, "example.com", &["www.example.com"]);
        project.local(&["deploy", "public", "--apply"]);
        let server = Server::start(&project, &[]);
        let Some(chains) =
            visits(&project, &server, &["http://www.example.com/about/?x=1", "https://example.com/about/"])
        else {
            return;
        };
        assert_eq!(
            shown(&chains[0]),
            [
                "301 http://www.example.com/about/?x=1",
                "301 https://www.example.com/about/?x=1",
                "200 https://example.com/about/?x=1"
            ],
            "{mode}"
        );
        assert_eq!(shown(&chains[1]), ["200 https://example.com/about/"], "{mode}");
    }
}

#[test]
fn after_a_dns_failover_redirect_buckets_lead_to_the_standby() {
    for (mode, outage) in [("layered", json!({"cdn_out": true})), ("dns", json!({"regions_out": ["us-east-1"]}))] {
        let project = project(mode, "www.example.com", &["example.com", "www.example.org"]);
        project.local(&["deploy", "public", "--apply"]);
        let server = Server::start(&project, &["--speed", "30"]);
        server.faults(&outage);
        let since = Instant::now();
        loop {
            let urls = ["http://example.com/about/", "http://www.example.org/about/"];
            let Some(chains) = visits(&project, &server, &urls) else { return };
            let arrived = |chain: &Vec<Value>| {
                let last = chain.last().unwrap();
                let by_bucket = chain[0]["target"].as_str().unwrap_or_default();
                last["status"] == json!(200)
                    && last["body"] == json!("about")
                    && chain.len() == 2
                    && (by_bucket.contains(".s3-website-us-west-2.") || by_bucket == "example.com")
                    && chain[0]["location"] == json!("http://www.example.com/about/")
            };
            if chains.iter().all(arrived) {
                break;
            }
            assert!(since.elapsed() < Duration::from_mins(1), "{mode}: {chains:#?}");
            std::thread::sleep(Duration::from_millis(300));
        }
        server.faults(&json!({}));
    }
}

#[test]
fn rules_for_hosts_are_accepted_if_an_alias_does_what_they_say_and_reported_otherwise() {
    let project = project("origin", "www.example.com", &["example.com"]);
    project.write(
        "public/_redirects",
        "https://example.com/* https://www.example.com/:splat 301!\nhttp://example.com/* https://www.example.com/:splat\n\
         https://example.com/old /new 301\nhttps://example.net/* https://www.example.com/:splat 301!\n",
    );
    let deployed = project.json(&["deploy", "public", "--apply"]);
    let told = deployed["rules"]["not_honored"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0]["reason"].as_str().unwrap().contains("`example.com` is in `site.aliases`"), "{told:#?}");
    assert!(told[1]["reason"].as_str().unwrap().contains("other hosts"), "{told:#?}");
}
