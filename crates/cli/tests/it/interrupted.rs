//! Killed or stopped in the middle: the next run completes the job.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::Project;

fn big_project(files: usize) -> Project {
    let project = Project::new();
    for n in 0..files {
        project.write(&format!("public/pages/{n:04}.html"), &format!("page {n}"));
    }
    project.local(&["apply"]);
    project
}

/// Starts a deploy, signals it after a while, and returns its exit code.
fn signalled(project: &Project, signal: &str, after: Duration) -> Option<i32> {
    let mut command = project.command(&["deploy", "--local"]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let id = child.id().to_string();
    std::process::Command::new("kill").args([signal, &id]).status().unwrap();
    child.wait().unwrap().code()
}

#[test]
fn killed_anywhere_the_next_deploy_completes() {
    let project = big_project(600);
    for milliseconds in [20, 60, 150] {
        signalled(&project, "-KILL", Duration::from_millis(milliseconds));
    }
    project.local(&["deploy"]);
    assert_eq!(project.json(&["deploy"])["primary"]["unchanged"], json!(605));
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_exits_130() {
    let project = big_project(1500);
    let code = signalled(&project, "-INT", Duration::from_millis(120));
    assert!(code == Some(130) || code == Some(0), "{code:?}");
    project.local(&["deploy"]);
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
}
