//! Stopped or killed at a named request: the exit code, what is said, what is left, and the next run.

use serde_json::json;
use twinsite_local::ACCOUNT;
use twinsite_local::s3::Current;

use crate::Project;
use crate::drill::{site, world};
use crate::history::with_older_objects;
use crate::server::{Ended, Process, Server, signal};

/// After these, requests in flight are completed and the command ends by itself.
const SIGNALS: [&str; 3] = ["-INT", "-TERM", "-HUP"];
/// So they do after these, which end a process at once by default.
const OTHER_SIGNALS: [&str; 5] = ["-QUIT", "-USR1", "-USR2", "-ALRM", "-XCPU"];

/// The request at which a command is stopped.
struct At(&'static str, u64);

/// Stops a command by a signal while the server holds one of its requests.
fn stopped(project: &Project, server: &Server, args: &[&str], at: &At, how: &str) -> Ended {
    server.pause(at.0, at.1);
    let mut process = Process::start(project, &[args, &["--local"]].concat());
    server.until_held(&mut process);
    end_by(process, server, how)
}

fn end_by(mut process: Process, server: &Server, how: &str) -> Ended {
    signal(&process.child, how);
    if how == "-KILL" {
        process.child.wait().unwrap();
    } else {
        process.until_it_says("stopping: requests in flight are completed");
    }
    server.release();
    process.end()
}

/// Stops a command by each signal, and kills it; each time on a copy of the project. `left` sees what is left after a signal,
/// `converges` runs the next command.
fn by_each_signal(
    project: &Project,
    args: &[&str],
    at: &At,
    left: impl Fn(&Project, &Ended),
    converges: impl Fn(&Project),
) {
    for how in [&SIGNALS[..], &["-KILL"]].concat() {
        let copy = project.copy();
        let server = Server::start(&copy, &[]);
        let ended = stopped(&copy, &server, args, at, how);
        if how == "-KILL" {
            assert_eq!(ended.code, None, "{how}: {}", ended.err);
        } else {
            assert_eq!(ended.code, Some(130), "{how}: {}", ended.err);
            left(&copy, &ended);
        }
        converges(&copy);
    }
}

fn says(ended: &Ended, parts: &[&str]) {
    for part in parts {
        assert!(ended.err.contains(part), "no `{part}` in {}", ended.err);
    }
}

/// A deployed site with changes that are not published yet.
fn changed() -> Project {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    for n in 0..40 {
        project.write(&format!("public/pages/{n:02}.html"), &format!("page {n}"));
    }
    project.write("public/index.html", "second");
    // Edges may hold assets: it is invalidated.
    project.write("public/assets/app.css", "body{color:red}");
    project
}

fn publishes(project: &Project) {
    // The lock was released, or its holder is known to be dead.
    project.local(&["deploy", "--lock-timeout", "5s"]);
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    assert_eq!(project.json(&["deploy"])["primary"]["unchanged"], json!(45));
}

#[test]
fn a_deploy_that_is_stopped_while_it_uploads_is_completed_by_the_next() {
    // The first put is the lock.
    let left = |_: &Project, ended: &Ended| {
        says(ended, &["error: could not publish", "stopped on request: ", " objects done, ", " left", "hint: "]);
    };
    by_each_signal(&changed(), &["deploy"], &At("PutObject", 5), left, publishes);
}

#[test]
fn every_signal_that_can_be_handled_releases_the_lock() {
    let project = changed();
    let server = Server::start(&project, &[]);
    for how in OTHER_SIGNALS {
        let ended = stopped(&project, &server, &["deploy", "--force"], &At("PutObject", 5), how);
        assert_eq!(ended.code, Some(130), "{how}: {}", ended.err);
        let status = project.status();
        assert!(!status.contains("its lock is left"), "{how}: {status}");
    }
    publishes(&project);
}

#[test]
fn a_rollback_that_is_stopped_while_it_copies_is_completed_by_the_next() {
    let project = changed();
    project.local(&["deploy"]);
    let left = |_: &Project, ended: &Ended| says(ended, &["stopped on request", " objects done, ", " left"]);
    let converges = |project: &Project| {
        project.local(&["rollback", "1", "--lock-timeout", "5s"]);
        for n in 0..40 {
            std::fs::remove_file(project.path().join(format!("public/pages/{n:02}.html"))).unwrap();
        }
        project.write("public/index.html", "<link href=assets/app.css>");
        project.write("public/assets/app.css", "body{}");
        assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    };
    by_each_signal(&project, &["rollback", "1"], &At("CopyObject", 1), left, converges);
}

/// One request after the other, from the first to the last; each with its only outcome.
#[test]
fn a_deploy_that_is_stopped_at_any_stage_says_what_is_done() {
    let (nothing, all) = ("stopped on request\n", "42 put");
    for (operation, at, code, said) in [
        ("GetCallerIdentity", 1, 130, nothing),
        ("ListObjectsV2", 1, 130, nothing),
        // The lock.
        ("PutObject", 1, 130, "stopped on request: 0 objects done, 42 left"),
        // What follows the last object is completed: without it, visitors would not get the release. Only the backup is not
        // waited for.
        ("CreateInvalidation", 1, 130, "not awaited: stopped on request"),
        // The lock is deleted last.
        ("DeleteObject", 1, 0, all),
    ] {
        let project = changed();
        let server = Server::start(&project, &[]);
        let ended = stopped(&project, &server, &["deploy"], &At(operation, at), "-INT");
        assert_eq!(ended.code, Some(code), "{operation}: {}", ended.err);
        assert!((ended.out + &ended.err).contains(said), "{operation}: {}", ended.err);
        publishes(&project);
    }
}

/// Stopped while it waits for the backup, a deploy has published: what is left is the backup.
#[test]
fn a_deploy_that_is_stopped_while_it_waits_for_the_backup_reports_what_is_published() {
    let project = changed();
    let puts = project.copy().json(&["deploy"])["requests"]["PutObject"].as_u64().unwrap();
    let server = Server::start(&project, &[]);
    // The record of the release is the last object that is put.
    let ended = stopped(&project, &server, &["deploy"], &At("PutObject", puts), "-TERM");
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    assert!(ended.out.contains("42 put") && ended.out.contains("not awaited: stopped on request"), "{}", ended.out);
    publishes(&project);
}

#[test]
fn an_apply_that_is_stopped_while_it_plans_changes_nothing() {
    let project = Project::new();
    project.local(&["plan"]);
    let server = Server::start(&project, &[]);
    server.requests();
    let ended = stopped(&project, &server, &["apply"], &At("ListDistributions", 1), "-HUP");
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    says(&ended, &["could not plan the site", "stopped on request"]);
    let requests = server.requests();
    let changes =
        |operation: &&String| ["Create", "Put", "Change", "Request"].iter().any(|verb| operation.starts_with(verb));
    assert_eq!(requests.as_object().unwrap().keys().find(changes), None, "{requests}");
}

#[test]
fn a_second_interrupt_ends_the_process_at_once_and_other_signals_do_not() {
    let project = changed();
    let server = Server::start(&project, &[]);
    server.pause("PutObject", 5);
    let mut deploy = Process::start(&project, &["deploy", "--local"]);
    server.until_held(&mut deploy);
    // As CI systems do.
    signal(&deploy.child, "-INT");
    deploy.until_it_says("stopping: ");
    signal(&deploy.child, "-TERM");
    signal(&deploy.child, "-HUP");
    server.release();
    let ended = deploy.end();
    assert_eq!(ended.code, Some(130));
    says(&ended, &["stopped on request: "]);
    server.pause("PutObject", 3);
    let mut deploy = Process::start(&project, &["deploy", "--local", "--force"]);
    server.until_held(&mut deploy);
    signal(&deploy.child, "-INT");
    deploy.until_it_says("stopping: ");
    signal(&deploy.child, "-INT");
    // Its request is still held.
    let ended = deploy.end();
    assert_eq!(ended.code, Some(130));
    assert!(ended.out.contains("stopped at once"), "{}", ended.out);
    server.release();
    publishes(&project);
}

fn fills(project: &Project) {
    project.local(&["backfill", "--lock-timeout", "5s"]);
    assert_eq!(project.run(&["verify", "--local"]).code(), 0);
    assert!(project.local(&["backfill"]).out().contains("nothing to do"));
}

#[test]
fn a_backfill_that_is_stopped_while_it_copies_is_completed_by_the_next() {
    let left =
        |_: &Project, ended: &Ended| says(ended, &["stopped on request: ", " objects done, ", " left", "hint: "]);
    by_each_signal(&with_older_objects(400), &["backfill", "--engine", "copy"], &At("CopyObject", 2), left, fills);
}

#[test]
fn a_backfill_that_is_stopped_while_its_job_runs_is_completed_by_the_next() {
    let left = |_: &Project, ended: &Ended| {
        says(ended, &["error: could not backfill", "stopped on request while waiting for batch job", "hint: "]);
    };
    by_each_signal(&with_older_objects(5), &["backfill", "--engine", "batch"], &At("DescribeJob", 1), left, fills);
}

#[test]
fn an_apply_that_is_stopped_is_completed_by_the_next() {
    let left = |project: &Project, ended: &Ended| {
        says(ended, &["error: could not apply", "not started", "hint: "]);
        assert!(!ended.out.contains("applied"), "{}", ended.out);
        assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 3);
    };
    let converges = |project: &Project| {
        project.local(&["apply"]);
        assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    };
    by_each_signal(&Project::new(), &["apply"], &At("PutBucketVersioning", 1), left, converges);
}

/// The stage of a drill at which it is stopped.
#[derive(Clone, Copy)]
struct Stage {
    mode: &'static str,
    /// Options of the drill.
    args: &'static [&'static str],
    /// The requests that lead there, one after the other.
    requests: &'static [(&'static str, u64)],
    /// Whether anything has been broken by then.
    broken: bool,
}

fn drill_is_stopped(stage: Stage) {
    let project = site(stage.mode);
    for how in [&SIGNALS[..], &["-KILL"]].concat() {
        let copy = project.copy();
        let server = Server::start(&copy, &["--speed", "60"]);
        let mut requests = stage.requests.iter();
        let (operation, at) = requests.next().unwrap();
        server.pause(operation, *at);
        server.requests();
        let mut process = Process::start(&copy, &[&["drill", "--local"], stage.args].concat());
        server.until_held(&mut process);
        for (operation, at) in requests {
            // Releases the one that is held.
            server.pause(operation, *at);
            server.until_held(&mut process);
        }
        let ended = end_by(process, &server, how);
        let plan = || copy.run(&["plan", "--local", "--check"]);
        if how == "-KILL" {
            assert_eq!(ended.code, None);
            if stage.broken {
                assert!(plan().err().contains("drill --restore"), "{}", plan().err());
            }
            copy.local(&["drill", "--restore"]);
            copy.local(&["drill"]);
        } else {
            assert_eq!(ended.code, Some(130), "{how}: {}", ended.err);
            let hint = if stage.broken { "the primary was restored" } else { "nothing was broken" };
            says(&ended, &["stopped on request", hint]);
            let broke = server.requests()["PutBucketPolicy"].as_u64().unwrap_or_default();
            assert!(stage.broken || broke == 0, "{how}: the primary was broken {broke} times");
        }
        let plan = plan();
        assert!(plan.code() == 0 && plan.err().is_empty(), "{how}: {}{}", plan.out(), plan.err());
        assert_eq!(copy.run(&["verify", "--local"]).code(), 0);
        drop(server);
        has_no_probe_object(&copy);
    }
}

const POLICY: Stage = Stage { mode: "origin", args: &[], requests: &[], broken: true };
const REPLICATION: Stage = Stage { args: &["--how", "replication"], ..POLICY };

#[test]
fn a_drill_that_is_stopped_in_its_preconditions_breaks_nothing() {
    drill_is_stopped(Stage { requests: &[("HeadObject", 1)], broken: false, ..POLICY });
}

#[test]
fn a_drill_that_is_stopped_before_the_outage_breaks_nothing() {
    // The journal is the only object that this drill puts.
    drill_is_stopped(Stage { requests: &[("PutObject", 1)], broken: false, ..POLICY });
}

#[test]
fn a_drill_that_is_stopped_while_the_outage_begins_restores_the_primary() {
    drill_is_stopped(Stage { requests: &[("PutBucketPolicy", 1)], ..POLICY });
}

#[test]
fn a_drill_that_is_stopped_during_the_outage_restores_the_primary() {
    // Visitors move by DNS, long after the health checkers were first asked.
    let requests = &[("DeleteBucketWebsite", 1), ("GetHealthCheckStatus", 2)];
    drill_is_stopped(Stage { mode: "dns", requests, ..POLICY });
}

#[test]
fn a_drill_that_is_stopped_while_it_restores_restores_the_primary() {
    drill_is_stopped(Stage { requests: &[("PutBucketPolicy", 2)], ..POLICY });
}

#[test]
fn a_drill_of_replication_that_is_stopped_while_the_backup_falls_behind_leaves_no_probe_object() {
    // After the journal, the probe object is put twice: while replication is off, and when it is on again.
    drill_is_stopped(Stage { requests: &[("PutObject", 2)], ..REPLICATION });
    drill_is_stopped(Stage { requests: &[("PutBucketReplication", 2)], ..REPLICATION });
}

#[test]
fn a_drill_of_replication_that_is_stopped_while_the_backup_catches_up_leaves_no_probe_object() {
    drill_is_stopped(Stage { requests: &[("PutObject", 3)], ..REPLICATION });
    drill_is_stopped(Stage { requests: &[("PutObject", 3), ("GetObject", 1)], ..REPLICATION });
}

/// The probe object of a drill of replication, which visitors can read.
fn has_no_probe_object(project: &Project) {
    world(project, |world| {
        let buckets = world.s3().buckets(ACCOUNT);
        assert_eq!(buckets.len(), 2);
        for bucket in buckets {
            let current = world.s3().current(&bucket.name, ".well-known/twinsite/drill.txt").unwrap();
            assert!(!matches!(current, Current::Object(_)), "{}", bucket.name);
        }
    });
}
