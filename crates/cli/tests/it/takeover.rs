//! A deploy that is suspended for longer than its lease, while another one takes over: the real processes, stopped by signals.

use crate::server::{Process, Server, signal};
use crate::{Project, Ran};

fn differences(project: &Project, dir: &str) -> Ran {
    project.run(&["verify", dir, "--local"])
}

/// The clock of the embedded cloud runs 60 times as fast, and with it the age of a lock: a minute of silence takes a second.
#[cfg(unix)]
#[test]
fn a_suspended_deploy_changes_nothing_of_its_successor() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    for n in 0..60 {
        project.write(&format!("first/pages/{n:02}.html"), &format!("first {n}"));
        project.write(&format!("first/assets/first{n:02}.css"), &format!("first {n}"));
        project.write(&format!("second/pages/{n:02}.html"), &format!("second {n}"));
    }
    project.write("first/index.html", "first");
    project.write("second/index.html", "second");
    for n in 30..90 {
        project.write(&format!("second/more/{n:02}.html"), &format!("more {n}"));
    }
    // The first put is the lock; assets, pages and the index follow.
    for at in [3, 40, 62, 80, 110, 122] {
        let copy = project.copy();
        let server = Server::start(&copy, &["--speed", "60"]);
        server.pause("PutObject", at);
        let mut suspended =
            Process::start(&copy, &["deploy", "first", "--delete", "all", "--max-delete", "500", "--local"]);
        server.until_held(&mut suspended);
        signal(&suspended.child, "-STOP");
        server.release();
        let successor = copy.run(&["deploy", "second", "--delete", "all", "--max-delete", "500", "--local"]);
        assert_eq!(successor.code(), 0, "at {at}: {}", successor.err());
        signal(&suspended.child, "-CONT");
        let ended = suspended.end();
        assert_eq!(ended.code, Some(1), "at {at}: {}{}", ended.out, ended.err);
        let told = ["the lock was lost", "release 2 was made by another deploy"];
        assert!(told.iter().any(|text| ended.err.contains(text)), "at {at}: {}", ended.err);
        let found = differences(&copy, "second");
        assert!(found.out().contains("no differences"), "at {at}: {}", found.out());
        let releases = copy.json(&["releases"]);
        assert_eq!(releases["releases"].as_array().unwrap().len(), 2, "at {at}: only the successor has made a release");
    }
}
