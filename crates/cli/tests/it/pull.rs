//! `pull` and `diff`, compared with the files that were published.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::Project;
use crate::drill::world;
use crate::front::Request;
use crate::history::{PRIMARY, put};
use crate::server::Server;
use crate::stores::Store;

/// The files below a directory, with their bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let found = Command::new("find").args([".", "-type", "f"]).current_dir(dir).output().unwrap();
    let names = String::from_utf8(found.stdout).unwrap();
    names.lines().map(|name| (name.to_owned(), std::fs::read(dir.join(name)).unwrap())).collect()
}

#[test]
fn every_release_comes_back_byte_for_byte() {
    let project = Project::new();
    std::fs::write(project.path().join("public/large.bin"), vec![7; 40 << 20]).unwrap();
    project.local(&["deploy", "--apply"]);
    let (first, public) = (files(&project.path().join("public")), project.path().join("public"));
    project.write("public/about/index.html", "changed");
    std::fs::remove_file(public.join("404.html")).unwrap();
    project.local(&["deploy"]);
    let planned = project.json(&["pull", "live", "--dry-run"]);
    assert_eq!((&planned["event"], &planned["release"]), (&json!("pull-dry-run"), &json!(2)));
    assert_eq!(planned["new"].as_array().unwrap().len(), files(&public).len());
    assert!(!project.path().join("live").exists());
    let pulled = project.json(&["pull", "live"]);
    assert_eq!((&pulled["release"], &pulled["missing"]), (&json!(2), &json!([])));
    assert_eq!(files(&project.path().join("live")), files(&public));
    // Once more there is nothing to do, also for the file that was sent in parts.
    let again = project.json(&["pull", "live"]);
    assert_eq!((&again["written"], &again["unchanged"]), (&json!(0), &json!(files(&public).len())));
    project.local(&["pull", "old", "--release", "1"]);
    assert_eq!(files(&project.path().join("old")), first);
    let none = project.run(&["pull", "none", "--release", "7", "--local"]);
    assert!(none.code() == 2 && none.err().contains("release 7 does not exist"), "{}", none.err());
}

#[test]
fn files_with_other_content_are_replaced_only_if_asked() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("work/about/index.html", "my edit");
    project.write("work/notes.txt", "mine");
    let refused = project.run(&["pull", "work", "--local"]);
    assert!(refused.code() == 1 && refused.err().contains("`about/index.html` exists"), "{}", refused.err());
    assert!(refused.err().contains("--force"), "{}", refused.err());
    assert_eq!(files(&project.path().join("work")).len(), 2);
    project.local(&["pull", "work", "--force"]);
    let mut expected = files(&project.path().join("public"));
    expected.insert("./notes.txt".to_owned(), b"mine".to_vec());
    assert_eq!(files(&project.path().join("work")), expected);
}

#[test]
fn with_the_primary_region_gone_the_backup_has_it() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    let server = Server::start(&project, &[]);
    for symptom in ["reset", "unavailable", "hang"] {
        server.faults(&json!({"regions_out": ["us-east-1"], "symptom": symptom}));
        let dir = format!("from-{symptom}");
        project.local(&["pull", &dir]);
        assert_eq!(files(&project.path().join(&dir)), files(&project.path().join("public")), "{symptom}");
    }
}

#[test]
fn objects_that_others_put_lead_nowhere_else() {
    let project = Project::new();
    project.local(&["apply"]);
    let evil = ["../evil", "a/../../evil", "/evil", "a//b", "folder/", "./x", ".twinsite/releases/evil"];
    world(&project, |world| {
        for key in evil.iter().chain(&["fine/ü.html"]) {
            put(world, PRIMARY, key, "text");
        }
    });
    let pulled = project.json(&["pull", "site/below"]);
    assert_eq!((&pulled["release"], &pulled["written"]), (&Value::Null, &json!(1)), "{pulled:#}");
    assert_eq!(pulled["left_out"].as_array().unwrap().len(), 6, "{pulled:#}");
    assert_eq!(files(&project.path().join("site")).keys().collect::<Vec<_>>(), ["./below/fine/ü.html"]);
}

/// Breaks the connection in the middle of the first response to a download of the large file.
fn breaking_once(request: &mut Request, broken: &AtomicBool, behind: std::net::SocketAddr) -> Option<Vec<u8>> {
    let is_download = request.method == "GET" && request.path() == "/site/large.bin";
    if !is_download || broken.swap(true, Ordering::Relaxed) {
        return None;
    }
    let mut answer = request.forward(behind);
    answer.truncate(1 << 20);
    Some(answer)
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let project = crate::stores::project();
    let store = Store::start(&["site"], |_: &mut Request| None);
    let behind = store.behind;
    store.ok(&project, &["deploy", "--bucket", "s3://site"]);
    let front =
        crate::front::Front::start(behind, move |request: &mut Request| breaking_once(request, &BROKEN, behind));
    let store = Store { front, ..store };
    store.ok(&project, &["pull", "site", "--bucket", "s3://site"]);
    assert_eq!(files(&project.path().join("site")), files(&project.path().join("public")));
    let ranges: Vec<_> = store.front.seen().iter().filter_map(|seen| seen.header("range").map(str::to_owned)).collect();
    assert!(matches!(&ranges[..], [range] if range.ends_with("-3145727") && range != "bytes=0-3145727"), "{ranges:?}");
}

#[test]
fn differences_are_shown_with_the_lines_that_changed() {
    let project = Project::new();
    project.write("public/page.html", "one\ntwo\n\u{1b}[31mthree\n");
    project.local(&["deploy", "--apply"]);
    assert!(project.local(&["diff"]).out().contains("no differences"), "nothing was changed");
    project.write("public/page.html", "one\n2\n\u{1b}[31mthree\n");
    project.write("public/new.html", "new");
    std::fs::write(project.path().join("public/assets/app.css"), [0xff, 0xfe, 0]).unwrap();
    std::fs::remove_file(project.path().join("public/about/index.html")).unwrap();
    let ran = project.local(&["diff"]);
    for line in ["removed  about/index.html", "content  assets/app.css", "added    new.html", "  -two\n", "  +2\n"] {
        assert!(ran.out().contains(line), "{line}: {}", ran.out());
    }
    assert!(ran.out().contains("4 differences") && !ran.out().contains('\u{1b}'), "{}", ran.out());
    assert!(!project.local(&["diff", "--names"]).out().contains("-two"));
    let found = project.run(&["diff", "--check", "--json", "--local"]);
    assert_eq!(found.code(), 3);
    let files = found.lines().pop().unwrap()["files"].clone();
    let kinds: Vec<_> = files.as_array().unwrap().iter().map(|file| (&file["key"], &file["kind"])).collect();
    let expected = [
        ("about/index.html", "removed"),
        ("assets/app.css", "content"),
        ("new.html", "added"),
        ("page.html", "content"),
    ];
    let expected = expected.map(|(key, kind)| (json!(key), json!(kind)));
    assert_eq!(kinds, expected.iter().map(|(key, kind)| (key, kind)).collect::<Vec<_>>());
    // The same of an archive.
    let packed =
        Command::new("tar").args(["-cf", "site.tar", "-C", "public", "."]).current_dir(project.path()).status();
    assert!(packed.unwrap().success());
    assert!(project.local(&["diff", "site.tar"]).out().contains("  +2\n"));
    // Nothing was published.
    assert_eq!(project.json(&["releases"])["releases"].as_array().unwrap().len(), 1);
}
