//! The drill and the switch, by the real binary: on this machine, in fast time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use twinsite_local::Cloud;
use twinsite_local::World;
use twinsite_local::s3::{Condition, Doc, NewObject};

use crate::{CONFIG, Project};

fn site(mode: &str) -> Project {
    let project = Project::new();
    project.write("twinsite.toml", &CONFIG.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]")));
    project.local(&["deploy", "--apply"]);
    project
}

#[test]
fn in_every_mode_visitors_reach_the_backup_within_the_budget_and_come_back() {
    for (mode, least, https) in [("dns", 50.0, true), ("origin", 0.0, false), ("layered", 50.0, true)] {
        let project = site(mode);
        let report = project.json(&["drill", "--speed", "30", "--html", "report.html"]);
        let second =
            |name: &str| report["marks"][name].as_f64().unwrap_or_else(|| panic!("{mode}: no {name}: {report}"));
        let over = second("failed_over");
        assert!(least <= over && over <= report["bound_seconds"].as_f64().unwrap(), "{mode}: {over} s");
        assert!(second("failed_back") > second("restored") && report["verdict"] == json!("met"), "{mode}");
        assert_eq!(report["lost"]["https"].as_u64().unwrap() > 0, https, "{mode}: website endpoints speak no TLS");
        assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0, "{mode}: all is as it was");
        let page = std::fs::read_to_string(project.path().join("report.html")).unwrap();
        assert!(page.contains("id=\"chart\"") && page.contains("objective met"));
    }
}

#[test]
fn an_objective_that_is_missed_is_exit_code_4_and_the_stop_object_breaks_nothing() {
    let project = site("layered");
    let missed = project.run(&["drill", "--local", "--speed", "30", "--objective", "20s", "--how", "stop-object"]);
    assert_eq!(missed.code(), 4, "{}", missed.err());
    assert!(missed.out().contains("objective missed: the failover took too long"), "{}", missed.out());
    assert!(missed.err().contains("dns                 backup"), "{}", missed.err());
    let behind = project.local(&["drill", "--speed", "30", "--how", "replication"]).out();
    assert!(behind.contains("catches up with it") && behind.contains("lost         0 of"), "{behind}");
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
    let refused = |how: &str, said: &str| {
        let ran = project.run(&["drill", "--local", "--how", how]);
        assert!(ran.code() == 2 && ran.err().contains(said), "{}", ran.err());
    };
    refused("fire", "`website`, `policy`");
    project.write("twinsite.toml", &CONFIG.replace("[primary]", "mode = \"origin\"\n[primary]"));
    refused("stop-object", "breaks nothing that mode `origin` depends on");
    assert_eq!(project.run(&["drill", "--local", "--objective", "soon"]).code(), 2);
}

#[test]
fn a_drill_does_not_begin_unless_all_is_well() {
    let project = Project::new();
    let refused = |project: &Project, said: &str| {
        let ran = project.run(&["drill", "--local", "--speed", "50"]);
        assert!(ran.code() == 1 && ran.err().contains(said), "no `{said}` in {}", ran.err());
    };
    refused(&project, "twinsite apply");
    project.local(&["deploy", "--apply"]);
    project.local(&["failover"]);
    refused(&project, "failed over to the backup by hand");
    assert!(project.local(&["status"]).out().contains("failed over to the backup by hand"));
    project.local(&["failback"]);
    assert!(project.local(&["failback"]).out().contains("nothing to do"));
    project.write("twinsite.toml", &CONFIG.replace("[primary]", "[publish]\nnot_found = \"lost.html\"\n[primary]"));
    refused(&project, "differs from its configuration: 2 steps");
}

fn started(project: &Project, args: &[&str]) -> Child {
    project.command(args).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Waits until a process says something.
fn until_it_says(child: &mut Child, word: &str) {
    let lines = BufReader::new(child.stderr.as_mut().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    for line in lines {
        said.push(line);
        if said.last().is_some_and(|line| line.contains(word)) {
            return;
        }
    }
    panic!("no `{word}` in {said:?}");
}

fn signal(child: &Child, signal: &str) {
    std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
}

#[test]
fn killed_in_the_middle_everybody_says_so_until_it_is_put_back() {
    let project = site("dns");
    let mut drill = started(&project, &["drill", "--local", "--speed", "5"]);
    until_it_says(&mut drill, "https               failed");
    // The embedded cloud writes a few times a second.
    std::thread::sleep(Duration::from_millis(600));
    signal(&drill, "-KILL");
    drill.wait().unwrap();
    for command in [&["plan"][..], &["status"], &["deploy"], &["verify"]] {
        let said = project.run(&[command, &["--local"]].concat()).err();
        assert!(said.contains("drill --restore"), "{command:?}: {said}");
    }
    assert!(project.run(&["drill", "--local"]).err().contains("has left the primary broken (website)"));
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 3);
    assert!(project.local(&["drill", "--restore"]).out().contains("restored: website"));
    assert!(project.local(&["drill", "--restore"]).out().contains("nothing to restore"));
    let plan = project.run(&["plan", "--local", "--check"]);
    assert!(plan.code() == 0 && !plan.err().contains("warning"), "{}", plan.err());
}

#[test]
fn stopped_in_the_middle_it_puts_the_primary_back_first() {
    let project = site("dns");
    let mut drill = started(&project, &["drill", "--local", "--speed", "5"]);
    until_it_says(&mut drill, "https               failed");
    signal(&drill, "-INT");
    assert_eq!(drill.wait().unwrap().code(), Some(130));
    let plan = project.run(&["plan", "--local", "--check"]);
    assert!(plan.code() == 0 && !plan.err().contains("warning"), "{}", plan.err());
}

/// `twinsite local` in a process of its own.
pub(crate) struct Server(Child, Value);

impl Server {
    pub(crate) fn start(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(&[&["local", "--json"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self(child, serde_json::from_str(&line).unwrap())
    }

    /// Breaks and mends the world.
    pub(crate) fn faults(&self, faults: &Value) {
        let address = self.1["api"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let (mut stream, body) = (TcpStream::connect(&address).unwrap(), faults.to_string());
        let head = format!("PUT /_twinsite/faults HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(&self.0, "-INT");
        self.0.wait().unwrap();
    }
}

#[test]
fn with_every_control_plane_and_the_primary_gone_the_switch_still_works() {
    let project = site("layered");
    let server = Server::start(&project, &["--speed", "30"]);
    let out = json!({"regions_out": ["us-east-1"], "control_out": true});
    server.faults(&out);
    assert_ne!(project.run(&["status", "--local"]).code(), 0, "nobody answers");
    project.local(&["failover"]);
    server.faults(&json!({}));
    assert!(project.local(&["status"]).out().contains("failed over to the backup by hand"));
    project.local(&["failback"]);
}

/// The embedded cloud of a project, opened as its owner would not.
pub(crate) fn world(project: &Project, change: impl FnOnce(&World)) {
    let cloud = Cloud::open(&project.path().join(".twinsite/local")).unwrap();
    change(cloud.world());
}

#[test]
fn they_do_not_come_back_to_a_primary_that_is_ill_or_behind() {
    const PRIMARY: &str = "www-example-com-000000000000-us-east-1";
    let project = site("dns");
    project.local(&["failover"]);
    let refused = |said: &str| {
        let ran = project.run(&["failback", "--local"]);
        assert!(ran.code() == 1 && ran.err().contains(said) && ran.err().contains("--force"), "{}", ran.err());
    };
    let mut website = None;
    world(&project, |world| {
        world.s3().update_bucket(PRIMARY, |settings| website = settings.docs.remove(&Doc::Website)).unwrap();
    });
    refused("the primary is unhealthy: HTTP status 404");
    world(&project, |world| {
        world
            .s3()
            .update_bucket(PRIMARY, |settings| drop(settings.docs.insert(Doc::Website, website.unwrap())))
            .unwrap();
        let new = NewObject { key: "only-here.html".into(), ..NewObject::default() };
        world.s3().put_object("www.example.com", new, &Condition::None).unwrap();
    });
    refused("1 object differs, first `only-here.html` (not in the primary)");
    let drill = project.run(&["drill", "--local"]);
    assert!(drill.err().contains("by hand"), "{}", drill.err());
    project.local(&["failback", "--force"]);
    world(&project, |world| {
        let other = NewObject { key: "404.html".into(), ..NewObject::default() };
        world.s3().put_object("www.example.com", other, &Condition::None).unwrap();
    });
    let drill = project.run(&["drill", "--local"]);
    assert!(drill.code() == 1 && drill.err().contains("out of sync"), "{}", drill.err());
    assert!(drill.err().contains("1 object differs, first `404.html` (size)"), "{}", drill.err());
    project.local(&["backfill"]);
    let verified = project.local(&["verify"]).out();
    assert!(verified.contains("only-here.html  not in the primary; kept"), "{verified}");
}

#[test]
fn a_deploy_during_a_drill_is_warned_and_works_and_a_backup_that_fails_too_is_told() {
    let project = site("dns");
    let server = Server::start(&project, &["--speed", "20"]);
    let mut drill = started(&project, &["drill", "--local"]);
    until_it_says(&mut drill, "https               failed");
    project.write("public/new.html", "published meanwhile");
    let deployed = project.local(&["deploy"]);
    assert!(deployed.err().contains("broken on purpose") && deployed.out().contains("1 put"), "{}", deployed.err());
    assert_eq!(drill.wait().unwrap().code(), Some(0));
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
    // Route 53 answers the primary when neither side is healthy: visitors never get anywhere.
    let mut drill = started(&project, &["drill", "--local", "--objective", "60s"]);
    until_it_says(&mut drill, "https               failed");
    server.faults(&json!({"regions_out": ["us-west-2"]}));
    until_it_says(&mut drill, "backup              missing");
    until_it_says(&mut drill, "restoring the primary");
    // The journal is in the backup: it is cleared when that is back.
    server.faults(&json!({}));
    drill.wait().unwrap();
    project.local(&["drill", "--restore"]);
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
}

#[test]
fn a_drill_on_a_served_cloud_uses_its_doors_and_a_stale_backup_is_refused() {
    let project = site("dns");
    let server = Server::start(&project, &["--speed", "30"]);
    let report = project.json(&["drill"]);
    assert_eq!((&report["speed"], &report["verdict"]), (&json!(30), &json!("met")));
    let status = project.local(&["status"]).out();
    assert!(status.contains("DNS leads to  the distribution") && status.contains("healthy"), "{status}");
    server.faults(&json!({"cdn_out": true}));
    let refused = project.run(&["drill", "--local"]);
    assert!(
        refused.code() == 1 && refused.err().contains("visitors are not served by the primary"),
        "{}",
        refused.err()
    );
}
