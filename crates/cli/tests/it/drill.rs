//! The drill and the switch, by the real binary: on this machine, in fast time.

use serde_json::json;
use twinsite_local::Cloud;
use twinsite_local::World;
use twinsite_local::s3::{Condition, Current, Doc, NewObject};

use yaml_rust2::{Yaml, YamlLoader};

use crate::help::listed;
use crate::history::{BACKUP, put};
use crate::server::{Process, Server, signal};
use crate::{CONFIG, Project};

pub(crate) fn site(mode: &str) -> Project {
    let project = Project::new();
    project.write("twinsite.toml", &CONFIG.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]")));
    project.local(&["deploy", "--apply"]);
    project
}

#[test]
fn in_every_mode_visitors_reach_the_backup_within_the_budget_and_come_back() {
    for (mode, least, https) in [("dns", 50.0, true), ("origin", 0.0, false), ("layered", 0.0, false)] {
        let project = site(mode);
        let report = project.json(&["drill", "--speed", "30", "--html", "report.html", "--markdown", "report.md"]);
        let second =
            |name: &str| report["marks"][name].as_f64().unwrap_or_else(|| panic!("{mode}: no {name}: {report}"));
        let over = second("failed_over");
        assert!(least <= over && over <= report["bound_seconds"].as_f64().unwrap(), "{mode}: {over} s");
        assert!(second("failed_back") > second("restored") && report["verdict"] == json!("met"), "{mode}");
        assert_eq!(report["lost"]["https"].as_u64().unwrap() > 0, https, "{mode}: website endpoints speak no TLS");
        assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0, "{mode}: all is as it was");
        let page = std::fs::read_to_string(project.path().join("report.html")).unwrap();
        assert!(page.contains("id=\"chart\"") && page.contains("objective met"));
        let markdown = std::fs::read_to_string(project.path().join("report.md")).unwrap();
        assert!(
            markdown.contains("✅ **objective met") && markdown.contains(&format!("| after {over:.0} s (bound ")),
            "{markdown}"
        );
        assert_eq!(markdown.matches("| HTTPS | ").count(), 1, "{markdown}");
    }
}

#[test]
fn an_objective_that_is_missed_is_exit_code_4_and_the_stop_object_breaks_nothing() {
    let project = site("layered");
    let missed = project.run(&["drill", "--local", "--speed", "30", "--objective", "20s", "--how", "switch"]);
    assert_eq!(missed.code(), 4, "{}", missed.err());
    assert!(missed.out().contains("objective missed: the failover took too long"), "{}", missed.out());
    assert!(missed.err().contains("dns                 backup"), "{}", missed.err());
    let behind = project.local(&["drill", "--speed", "30", "--how", "replication"]).out();
    assert!(behind.contains("catches up with it") && behind.matches(" 0 lost").count() == 2, "{behind}");
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
fn the_loss_of_the_region_and_of_cloudfront_is_survived_as_the_mode_promises() {
    let (through, moved, nothing) = ("uninterrupted", "after-failover", "none");
    for (mode, outages) in [
        ("layered", &[("region", [through; 2]), ("silence", [through; 2]), ("cdn", [moved, nothing])][..]),
        ("origin", &[("region", [through; 2]), ("silence", [through; 2])]),
        ("dns", &[("region", [moved, nothing]), ("silence", [moved, nothing])]),
    ] {
        let project = site(mode);
        for (outage, promised) in outages {
            // Health checkers give up after real time, too.
            let report = project.json(&["drill", "--speed", "20", "--how", outage, "--html", "report.html"]);
            let about = format!("{outage} in {mode}: {report:#}");
            assert_eq!((&report["outage"], &report["verdict"]), (&json!(outage), &json!("met")), "{about}");
            for (protocol, promised) in ["http", "https"].into_iter().zip(promised) {
                let seen = &report["visitors"][protocol];
                assert_eq!((&seen["promised"], &seen["kept"]), (&json!(promised), &json!(true)), "{about}");
                assert_eq!(seen["lost"], report["lost"][protocol], "{about}");
                assert_eq!(seen["lost"].as_u64() > Some(0), *promised != through, "{about}");
            }
            let wait = report["visitors"]["https"]["longest_wait"].as_f64().unwrap();
            assert!(wait < 30.0 && (wait > 15.0 || !(*outage == "silence" && mode != "dns")), "{about}");
            assert_eq!(report["checkers_readable"], json!(*outage == "cdn"), "{about}");
            assert!(report["marks"]["detected"].as_f64().is_some(), "{about}");
            assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0, "{about}");
        }
        assert_eq!(project.run(&["verify", "--local"]).code(), 0, "{mode}");
    }
}

/// What visitors of a protocol were promised, and whether they got it.
fn promised(report: &serde_json::Value, protocol: &str) -> (String, bool) {
    let seen = &report["visitors"][protocol];
    (seen["promised"].as_str().unwrap().to_owned(), seen["kept"].as_bool().unwrap())
}

#[test]
fn with_an_https_standby_visitors_keep_https_when_cloudfront_is_gone() {
    let project = Project::new();
    project.write("twinsite.toml", &CONFIG.replace("[backup]", "[backup]\nstandby = \"https\""));
    let first = project.local(&["deploy", "--apply"]);
    assert!(first.err().contains("HTTPS standby") && first.err().contains("twinsite apply"), "{}", first.err());
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 3, "DNS does not lead to the standby yet");
    let planned = project.json(&["plan"]);
    let steps: Vec<_> = planned["steps"].as_array().unwrap().iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps, [json!("standby/proof"), json!("dns/records")]);
    project.local(&["apply"]);
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    let report = project.json(&["drill", "--speed", "20", "--how", "cdn"]);
    assert_eq!(report["verdict"], json!("met"), "{report:#}");
    assert_eq!(promised(&report, "https"), ("after-failover".to_owned(), true), "{report:#}");
    assert_eq!(promised(&report, "http").0, "none", "API Gateway does not listen for HTTP");
    assert!(report["marks"]["failed_over"].as_f64().is_some(), "{report:#}");
}

#[test]
fn an_outage_that_cannot_be_is_refused_before_anything_is_touched() {
    let project = Project::new();
    let refused = |args: &[&str], said: &[&str]| {
        let ran = project.run(args);
        assert_eq!(ran.code(), 2, "{args:?}: {}", ran.err());
        for said in said {
            assert!(ran.err().contains(said), "{args:?}, no `{said}`: {}", ran.err());
        }
    };
    for mode in ["layered", "origin", "dns"] {
        project.write("twinsite.toml", &CONFIG.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]")));
        let default = if mode == "origin" { "--how policy" } else { "--how website" };
        for outage in ["region", "silence"] {
            refused(&["drill", "--how", outage], &["no API of AWS", "--local", default]);
        }
        match mode {
            "layered" => refused(&["drill", "--how", "cdn"], &["no API of AWS takes CloudFront away", "--how switch"]),
            "origin" => refused(&["drill", "--local", "--how", "cdn"], &["its buckets are private", default]),
            _ => refused(&["drill", "--local", "--how", "cdn"], &["DNS follows the health of the primary bucket"]),
        }
        let ran = project.run(&["drill", "--json", "--how", "region"]);
        assert_eq!((ran.code(), &ran.lines().pop().unwrap()["exit"]), (2, &json!(2)), "{}", ran.out());
    }
    assert!(!project.path().join(".twinsite").exists());
}

/// The embedded cloud is in this outage.
fn assert_in_force(server: &Server, outage: &str) {
    let faults = server.current_faults();
    match outage {
        "cdn" => assert_eq!((&faults["cdn_out"], &faults["control_out"]), (&json!(true), &json!(false))),
        _ => assert_eq!((&faults["regions_out"], &faults["control_out"]), (&json!(["us-east-1"]), &json!(true))),
    }
    assert_eq!(faults["symptom"], json!(if outage == "silence" { "hang" } else { "reset" }));
}

#[test]
fn killed_or_stopped_in_the_middle_the_region_and_cloudfront_are_put_back() {
    let project = site("layered");
    let server = Server::start(&project, &["--speed", "20"]);
    let none = server.current_faults();
    let status = project.run(&["status", "--local", "--json"]).lines().pop().unwrap();
    let edge =
        status["visitors"]["dns"]["value"]["values"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    // A visitor who knows nothing of twinsite.
    let is_served = || server.visit(&edge, "www.example.com").is_some_and(|status| status < 400);
    assert!(is_served());
    for outage in ["region", "silence", "cdn"] {
        for stop in ["-INT", "-TERM", "-HUP", "-KILL"] {
            let mut drill = Process::start(&project, &["drill", "--local", "--how", outage]);
            drill.until_it_says("breaking ");
            // The first sample of the outage.
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert_in_force(&server, outage);
            assert_eq!(is_served(), outage != "cdn", "{outage}");
            signal(&drill.child, stop);
            let started = std::time::Instant::now();
            let ended = drill.end();
            if stop == "-KILL" {
                assert_in_force(&server, outage);
                let refused = project.run(&["drill", "--local", "--how", outage]).err();
                assert!(refused.contains(&format!("broken ({outage})")), "{refused}");
                let restored = project.json(&["drill", "--restore"]);
                assert_eq!((&restored["outage"], &restored["damaged"]), (&json!(outage), &json!(false)));
            } else {
                assert_eq!(ended.code, Some(130), "{outage} {stop}: {}", ended.err);
                assert!(ended.err.contains("was restored"), "{outage} {stop}: {}", ended.err);
            }
            assert!(started.elapsed().as_secs() < 30, "{outage} {stop}: {:?}", started.elapsed());
            assert_eq!(server.current_faults(), none, "{outage} {stop}");
            assert!(is_served(), "{outage} {stop}");
            let listed = project.json(&["drills"]);
            let last = listed["drills"].as_array().unwrap().last().cloned().unwrap_or_default();
            let how = if stop == "-KILL" { "restored" } else { "interrupted" };
            assert_eq!((&last["outage"], &last["ended"]), (&json!(outage), &json!(how)), "{outage} {stop}: {listed:#}");
            assert!(project.local(&["drill", "--restore"]).out().contains("nothing to restore"), "{outage} {stop}");
        }
    }
}

#[test]
fn every_drill_leaves_a_record_that_is_listed_compared_and_drawn() {
    const OLD: &str = r#"{"version":1,"started":1000,"mode":"layered","outage":"policy","embedded":true,"speed":9,"ended":"interrupted"}"#;
    let project = site("layered");
    assert!(project.local(&["drills"]).out().contains("no drill has been recorded"));
    world(&project, |world| {
        for number in 0..120 {
            put(world, BACKUP, &format!(".twinsite/drills/{number:012}-policy.json"), OLD);
        }
        put(world, BACKUP, ".twinsite/drills/999999999990-policy.json", "{}");
        put(world, BACKUP, ".twinsite/drills/999999999991-policy.json", &"[".repeat(100_000));
        put(world, BACKUP, ".twinsite/drills/nothing\u{1b}[2J.json", "x");
    });
    let first = project.json(&["drill", "--speed", "30", "--how", "policy", "--markdown", "first.md"]);
    let second = project.json(&[
        "drill",
        "--speed",
        "30",
        "--how",
        "policy",
        "--html",
        "second.html",
        "--markdown",
        "second.md",
    ]);
    let listed = project.json(&["drills"]);
    assert_eq!(listed["event"], json!("drills"));
    let drills = listed["drills"].as_array().unwrap();
    // The newest hundred names, two of which are damaged.
    assert_eq!((drills.len(), drills[0]["ended"].as_str()), (98, Some("interrupted")));
    let (before, last) = (&drills[96], &drills[97]);
    for (drill, of) in [(before, &first), (last, &second)] {
        assert_eq!(
            (&drill["outage"], &drill["started"], &drill["ended"]),
            (&json!("policy"), &of["started"], &json!("completed"))
        );
        assert_eq!((&drill["measured"]["marks"], &drill["measured"]["verdict"]), (&of["marks"], &of["verdict"]));
        assert_eq!(drill["measured"]["visitors"], of["visitors"]);
    }
    assert_eq!((&before["compared"], &last["compared"]["started"]), (&json!(null), &first["started"]));
    let moved = |of: &serde_json::Value| of["marks"]["failed_over"].as_f64().unwrap();
    let differs = last["compared"]["failed_over"].as_f64().unwrap() - (moved(&second) - moved(&first));
    assert!(differs.abs() < 0.001, "{last}");
    let damaged: Vec<&str> =
        listed["damaged"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(damaged.len(), 3, "{damaged:?}");
    let text = project.local(&["drills"]).out();
    assert!(text.starts_with(second["started"].as_str().unwrap()) && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("objective met; detected after") && text.contains("is no record of a drill"), "{text}");
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    assert!(!read("first.md").contains("### Drills of this outage"));
    let row = format!("| {} | after ", first["started"].as_str().unwrap());
    assert!(
        read("second.md").contains("### Drills of this outage") && read("second.md").contains(&row),
        "{}",
        read("second.md")
    );
    let page = read("second.html");
    assert_eq!((page.matches("<rect class=\"kept\"").count(), page.matches("class=\"date\"").count()), (2, 2));
    world(&project, |world| {
        let is_kept = |number: u64| {
            let current = world.s3().current(BACKUP, &format!(".twinsite/drills/{number:012}-policy.json"));
            matches!(current, Ok(Current::Object(_)))
        };
        // Beside two drills and two damaged records.
        assert_eq!((0..120).filter(|number| is_kept(*number)).collect::<Vec<_>>(), (24..120).collect::<Vec<_>>());
    });
    project.local(&["destroy", "--yes"]);
    assert!(project.local(&["destroy", "--yes"]).out().contains("nothing to destroy"));
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
    assert!(project.status().contains("failed over to the backup by hand"));
    project.local(&["failback"]);
    assert!(project.local(&["failback"]).out().contains("nothing to do"));
    project.write("twinsite.toml", &CONFIG.replace("[primary]", "[publish]\nnot_found = \"lost.html\"\n[primary]"));
    refused(&project, "differs from its configuration: ");
    // All that is not as it must be is named at once.
    world(&project, |world| {
        put(world, BACKUP, "index.html", "another");
        let (backup, health) = (BACKUP, ".well-known/twinsite/health.txt");
        assert!(matches!(world.s3().current(backup, health), Ok(Current::Object(_))));
        put(world, BACKUP, health, "not the word");
    });
    for said in
        ["differs from its configuration: ", "the buckets are out of sync: ", "the backup does not serve the site"]
    {
        refused(&project, said);
    }
    refused(&project, "twinsite backfill");
}

/// Every command, with its options, while the primary is broken. `init`, `import`, `auth`, `completions` and `man` do not open the site, and `local`
/// serves the cloud in which it is; `failover` and `iam-policy --account` say in their help that they do not warn.
const COMMANDS: [&[&str]; 26] = [
    &["drills"],
    &["plan"],
    &["plan", "--json"],
    &["status"],
    &["doctor"],
    &["verify"],
    &["verify", "public"],
    &["deploy"],
    &["deploy", "--dry-run"],
    &["deploy", "--force"],
    &["diff"],
    &["pull", "pulled"],
    &["releases"],
    &["releases", "1"],
    &["releases", "1", "2"],
    &["rollback", "--dry-run"],
    &["rollback", "1"],
    &["backfill"],
    &["backfill", "--dry-run"],
    &["failback"],
    &["failback", "--force"],
    &["cert", "import", "--cert", "cert.pem", "--key", "key.pem"],
    &["iam-policy", "--role", "reader"],
    &["destroy"],
    &["destroy", "--former"],
    // Restores what the drill has broken, and so comes last. The journal remains.
    &["apply"],
];
const WITHOUT_WARNING: [&str; 8] = ["auth", "completions", "failover", "help", "import", "init", "local", "man"];

#[test]
fn killed_in_the_middle_every_command_warns_until_it_is_restored() {
    let project = site("dns");
    project.write("public/index.html", "the second release");
    project.local(&["deploy"]);
    let made = rcgen::generate_simple_self_signed(vec!["www.example.com".to_owned()]).unwrap();
    project.write("cert.pem", &made.cert.pem());
    project.write("key.pem", &made.signing_key.serialize_pem());
    let server = Server::start(&project, &["--speed", "60"]);
    server.pause("DeleteBucketWebsite", 1);
    let mut drill = Process::start(&project, &["drill", "--local"]);
    server.until_held(&mut drill);
    server.pause("GetHealthCheckStatus", 1);
    server.until_held(&mut drill);
    signal(&drill.child, "-KILL");
    drill.end();
    server.release();
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 3, "the website configuration is missing");
    let drill = project.run(&["drill", "--local"]).err();
    assert!(drill.contains("has left the primary broken (website)") && drill.contains("drill --restore"), "{drill}");
    let help = project.run(&["--help"]).out();
    for command in listed(&help) {
        let known = COMMANDS.iter().any(|args| args[0] == command);
        assert!(known != WITHOUT_WARNING.contains(&command) || command == "drill", "{command}");
    }
    let warning = "a drill has not been completed: the primary may still be broken on purpose";
    for args in COMMANDS {
        let ran = project.run(&[args, &["--local"]].concat());
        let said = if args.contains(&"--json") { ran.out() } else { ran.err() };
        assert!(said.contains(warning) && said.contains("drill --restore"), "{args:?}: {said}");
        assert_eq!(said.matches(warning).count(), 1, "{args:?}: {said}");
    }
    for args in [&["failover"][..], &["iam-policy"]] {
        let help = project.run(&[args, &["--help"]].concat()).out().replace('\n', " ");
        assert!(help.contains("does not warn about an interrupted drill"), "{help}");
    }
    assert!(project.local(&["drill", "--restore"]).out().contains("restored: website"));
    assert!(project.local(&["drill", "--restore"]).out().contains("nothing to restore"));
    let plan = project.run(&["plan", "--local", "--check"]);
    assert!(!plan.err().contains("warning"), "{}", plan.err());
}

#[test]
fn with_every_control_plane_and_the_primary_gone_the_switch_still_works() {
    let project = site("layered");
    let server = Server::start(&project, &["--speed", "30"]);
    let out = json!({"regions_out": ["us-east-1"], "control_out": true});
    server.faults(&out);
    // What the backup and the name servers tell is there.
    let status = project.status();
    assert!(status.contains("could not be read") && status.contains("backup        www.example.com"), "{status}");
    project.local(&["failover"]);
    server.faults(&json!({}));
    assert!(project.status().contains("failed over to the backup by hand"));
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
    let mut drill = Process::start(&project, &["drill", "--local"]);
    drill.until_it_says("https               failed");
    project.write("public/new.html", "published meanwhile");
    let deployed = project.local(&["deploy"]);
    assert!(deployed.err().contains("broken on purpose") && deployed.out().contains("1 put"), "{}", deployed.err());
    assert_eq!(drill.end().code, Some(0));
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
    // Route 53 answers the primary when neither side is healthy: visitors never get anywhere.
    let mut drill = Process::start(&project, &["drill", "--local", "--objective", "60s"]);
    drill.until_it_says("https               failed");
    server.faults(&json!({"regions_out": ["us-west-2"]}));
    drill.until_it_says("backup              missing");
    drill.until_it_says("restoring the primary");
    // The journal is in the backup: it is cleared when that is back.
    server.faults(&json!({}));
    drill.end();
    project.local(&["drill", "--restore"]);
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
}

#[test]
fn a_drill_on_a_served_cloud_uses_its_doors_and_a_stale_backup_is_refused() {
    let project = site("dns");
    let server = Server::start(&project, &["--speed", "30"]);
    let report = project.json(&["drill"]);
    assert_eq!((&report["speed"], &report["verdict"]), (&json!(30), &json!("met")));
    let status = project.status();
    assert!(status.contains("DNS   leads to the distribution") && status.contains("healthy"), "{status}");
    server.faults(&json!({"cdn_out": true}));
    let refused = project.run(&["drill", "--local"]);
    assert!(
        refused.code() == 1 && refused.err().contains("visitors are not served by the primary"),
        "{}",
        refused.err()
    );
}

#[test]
fn after_a_damaged_journal_what_a_drill_may_have_broken_is_restored_from_the_configuration() {
    const PRIMARY: &str = "www-example-com-000000000000-us-east-1";
    let project = site("layered");
    let damage = || {
        world(&project, |world| {
            let journal = NewObject { key: ".twinsite/drill.json".into(), ..NewObject::default() };
            world.s3().put_object("www.example.com", journal, &Condition::None).unwrap();
        });
    };
    damage();
    let refused = project.run(&["drill", "--local"]);
    assert!(refused.code() == 1 && refused.err().contains("damaged"), "{}", refused.err());
    let restored = project.local(&["drill", "--restore"]).out();
    assert!(restored.contains("was damaged") && restored.contains("nothing to restore"), "{restored}");
    damage();
    world(&project, |world| {
        world.s3().update_bucket(PRIMARY, |settings| drop(settings.docs.remove(&Doc::Website))).unwrap();
        let switch = NewObject { key: ".well-known/twinsite/stop.txt".into(), ..NewObject::default() };
        world.s3().put_object("www.example.com", switch, &Condition::None).unwrap();
    });
    let restored = project.json(&["drill", "--restore"]);
    assert_eq!(restored["outages"], json!(["website", "switch"]), "{restored}");
    assert_eq!(restored["damaged"], json!(true));
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    assert!(project.local(&["drill", "--restore"]).out().contains("no drill was interrupted"));
}

/// The only document of a YAML text.
fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

#[test]
fn a_schedule_is_printed_that_the_scheduler_can_read_and_nothing_is_touched() {
    let project = Project::new();
    let schedule = |args: &[&str]| {
        let ran = project.run(&[&["drill", "--schedule"], args].concat());
        assert_eq!(ran.code(), 0, "{args:?}: {}", ran.err());
        ran.out()
    };
    let workflow = yaml(&schedule(&["github", "--how", "policy", "--objective", "3m"]));
    let steps = workflow["jobs"]["drill"]["steps"].as_vec().unwrap();
    let drill = steps.iter().find_map(|step| step["run"].as_str().filter(|run| run.contains("--yes"))).unwrap();
    assert_eq!(
        drill.trim(),
        "twinsite drill --yes --how policy --objective 180s --markdown drill.md --html drill.html"
    );
    assert_eq!(workflow["permissions"]["id-token"].as_str(), Some("write"));
    // Every input of the action exists.
    let action = yaml(include_str!("../../../../action.yml"));
    let uses =
        steps.iter().find(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with("twinsite/"))).unwrap();
    assert_eq!(uses["uses"].as_str().unwrap(), format!("twinsite/twinsite@v{}", env!("CARGO_PKG_VERSION")));
    for input in uses["with"].as_hash().unwrap().keys() {
        assert!(!action["inputs"][input.as_str().unwrap()].is_badvalue(), "{input:?}");
    }
    assert_eq!(
        action["runs"]["steps"].as_vec().unwrap().last().unwrap()["if"].as_str(),
        Some("inputs.install-only != 'true'")
    );

    let template = yaml(&schedule(&["eventbridge"]));
    let build = template["Resources"]["Project"]["Properties"]["Source"]["BuildSpec"].as_str().unwrap();
    let build = yaml(build);
    let command = build["phases"]["build"]["commands"][0].as_str().unwrap();
    assert_eq!(command, "twinsite drill --yes --how website --html drill.html --markdown drill.md");
    assert_eq!(build["phases"]["build"]["finally"][0].as_str(), Some("twinsite drill --restore"));
    for (name, resource) in template["Resources"].as_hash().unwrap() {
        assert!(resource["Type"].as_str().unwrap().starts_with("AWS::"), "{name:?}");
    }

    // A shell runs the line as cron does, with a command of the same name; `%` is a line break unless it is escaped.
    std::fs::create_dir(project.path().join("it's 100%")).unwrap();
    project.write("it's 100%/site.toml", CONFIG);
    let ran = project.command(&["drill", "--schedule", "cron", "--config", "site.toml"]);
    let ran = { ran }.current_dir(project.path().join("it's 100%")).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    let line = printed.lines().find(|line| !line.starts_with('#')).unwrap();
    let command = line.splitn(6, ' ').nth(5).unwrap();
    assert!(!command.replace("\\%", "").contains('%'), "{line}");
    project.write("bin/twinsite", "#!/bin/sh\npwd\nfor word in \"$@\"; do echo \"<$word>\"; done\nexit 4\n");
    let script = format!("PATH=\"$1:$PATH\"; chmod +x \"$1/twinsite\"; {}", command.replace("\\%", "%"));
    let bin = project.path().join("bin");
    let ran = std::process::Command::new("sh").args(["-c", &script, "sh"]).arg(&bin).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(4), "{said}");
    assert!(
        said.contains("it's 100%\n<drill>\n<--yes>\n<--how>\n<website>\n<--config>\n<site.toml>\n<--html>\n<drill-2"),
        "{said}"
    );
    assert!(said.contains("<drill>\n<--restore>\n<--config>\n<site.toml>"), "{said}");

    let json = project.run(&["drill", "--schedule", "cron", "--json"]).lines().pop().unwrap();
    assert_eq!((&json["event"], &json["scheduler"]), (&json!("drill-schedule"), &json!("cron")));
    for refused in
        [&["github", "--how", "region"][..], &["cron", "--local"], &["github", "--config", "${{ x }}.toml"], &["at"]]
    {
        let ran = project.run(&[&["drill", "--schedule"], refused].concat());
        assert_eq!(ran.code(), 2, "{refused:?}: {}", ran.err());
    }
    assert!(!project.path().join(".twinsite").exists());
}
