//! Requests that are accepted and never answered: it is said what is waited for, and a signal ends the wait.

use std::time::{Duration, Instant};

use crate::Project;
use crate::server::{Process, Server, signal};

/// A deployed site with a change that has to be invalidated.
fn changed() -> Project {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/index.html", "second");
    project.write("public/assets/app.css", "body{color:red}");
    project
}

/// Stops a deploy by a signal while an operation is not answered, after it has said so if `said`.
fn stopped(operation: &str, said: bool) {
    let project = changed();
    let server = Server::start(&project, &[]);
    server.pause(operation, 1);
    let mut process = Process::start(&project, &["deploy", "--local"]);
    server.until_held(&mut process);
    if said {
        process.until_it_says(&format!("to respond to {operation}"));
    }
    let started = Instant::now();
    signal(&process.child, "-TERM");
    let ended = process.end();
    assert_eq!(ended.code, Some(130), "{operation}: {}", ended.err);
    assert!(started.elapsed() < Duration::from_secs(8), "{operation}: {:?}, {}", started.elapsed(), ended.err);
    server.release();
    // The lock was released: the next deploy waits for nobody.
    let next = project.run(&["deploy", "--local"]);
    assert_eq!(next.code(), 0, "{operation}: {}", next.err());
    assert!(!next.err().contains("to finish"), "{operation}: {}", next.err());
    assert_eq!(project.run(&["verify", "--local"]).code(), 0, "{operation}");
}

#[test]
fn a_wait_without_a_response_is_named_and_a_signal_ends_it() {
    for (operation, said) in [
        ("ListObjectsV2", true),
        ("CreateInvalidation", true),
        ("GetCallerIdentity", false),
        ("HeadObject", false),
        ("PutObject", false),
    ] {
        stopped(operation, said);
    }
}
