use serde_json::json;

use crate::{CONFIG, Project};

#[test]
fn the_second_deploy_sends_nothing_makes_list_requests_only_and_says_so() {
    let project = Project::new();
    let first = project.json(&["deploy", "--apply"]);
    // Five objects, a ledger, and the record of the release.
    assert_eq!((&first["primary"]["put"], &first["backup"]["replicated"]), (&json!(5), &json!(7)));
    assert_eq!((&first["backup"]["state"], &first["backup"]["copied"]), (&json!("in-sync"), &json!([])));
    assert_eq!(first["release"]["id"], json!(1));
    let second = project.json(&["deploy"]);
    assert_eq!(second["primary"]["unchanged"], json!(5));
    assert_eq!(second["requests"], json!({"ListObjectsV2": 2}));
    assert!(project.local(&["deploy"]).out().contains("nothing to do: 5 objects up to date"));
}

#[test]
fn one_changed_byte_is_one_object_and_a_new_mtime_is_none() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    project.write("public/about/index.html", "about");
    assert_eq!(project.json(&["deploy"])["primary"]["put"], json!(0));
    project.write("public/about/index.html", "abouT");
    let lines = project.local(&["deploy", "--json"]).lines();
    let objects: Vec<_> = lines.iter().filter(|line| line["event"] == "object").collect();
    assert_eq!(objects.len(), 1);
    assert!(objects.iter().all(|o| o["key"] == "about/index.html" && o["reason"] == "content"), "{objects:?}");
}

#[test]
fn a_header_rule_rewrites_what_it_matches_in_place() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    let rule = "[[publish.headers]]\nmatch = \"assets/*.css\"\ncache_control = \"no-store\"\n";
    project.write("twinsite.toml", &format!("{CONFIG}{rule}"));
    let report = project.json(&["deploy"]);
    assert_eq!((&report["primary"]["rewritten"], &report["primary"]["bytes"]), (&json!(1), &json!(0)));
    assert_eq!(report["requests"]["CopyObject"], json!(1));
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    assert_eq!(project.json(&["deploy"])["requests"], json!({"ListObjectsV2": 2}));
}

#[test]
fn deletes_are_guarded_and_only_of_what_was_published() {
    let project = Project::new();
    project.write("twinsite.toml", &format!("{CONFIG}[publish]\nkeep_releases = 1\n"));
    project.local(&["deploy", "--apply"]);
    std::fs::remove_dir_all(project.path().join("public/assets")).unwrap();
    let refused = project.run(&["deploy", "--local", "--max-delete", "1"]);
    assert_eq!(refused.code(), 1);
    assert!(refused.err().contains("--max-delete 2"), "{}", refused.err());
    assert_eq!(project.json(&["deploy", "--delete", "none"])["primary"]["deleted"], json!(0));
    assert_eq!(project.json(&["deploy"])["primary"]["deleted"], json!(2));
}

#[test]
fn plan_is_what_apply_does_and_afterwards_there_is_none() {
    let project = Project::new();
    let check = project.run(&["plan", "--local", "--check", "--json"]);
    assert_eq!(check.code(), 3);
    let plan = check.lines().pop().unwrap();
    let fingerprint = plan["fingerprint"].as_str().unwrap();
    let wrong = project.run(&["apply", "--local", "--expect", "0000"]);
    assert!(wrong.code() == 1 && wrong.err().contains("nothing was changed"), "{}", wrong.err());
    let applied = project.json(&["apply", "--expect", fingerprint]);
    assert_eq!(applied["steps"], json!(plan["steps"].as_array().unwrap().len()));
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    assert!(project.local(&["apply"]).out().contains("nothing to do"));
}

#[test]
fn verify_names_what_differs_and_exits_3() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    assert!(project.local(&["verify", "public"]).out().contains("no differences"));
    assert!(project.local(&["verify"]).out().contains("no differences"));
    project.write("public/index.html", "<link href=assets/APP.css>");
    project.write("public/new.txt", "new");
    let drift = project.run(&["verify", "public", "--local"]);
    assert_eq!(drift.code(), 3);
    assert!(drift.out().contains("index.html  content") && drift.out().contains("new.txt  absent"), "{}", drift.out());
}

#[test]
fn destroy_wants_to_hear_the_domain_and_then_leaves_nothing() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    let declined = project.run(&["destroy", "--local"]);
    assert!(declined.code() == 1 && declined.err().contains("--yes"), "{}", declined.err());
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    project.local(&["destroy", "--yes"]);
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 3);
    assert!(project.local(&["destroy", "--yes"]).out().contains("nothing to destroy"));
}

#[test]
fn init_writes_a_configuration_that_works_once() {
    let project = Project::new();
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    let made = project.run(&["init", "--domain", "docs.example.org", "--backup", "eu-central-1"]);
    assert_eq!(made.code(), 0, "{}", made.err());
    assert!(project.local(&["plan"]).out().contains("docs.example.org"));
    assert!(made.out().contains("next: `twinsite plan`"), "{}", made.out());
    let other = project.run(&["init", "--domain", "docs.example.org", "--config", "docs.toml"]);
    for command in ["plan", "apply", "deploy"] {
        let argument = if command == "deploy" { " public" } else { "" };
        assert!(other.out().contains(&format!("`twinsite {command}{argument} --config docs.toml`")), "{}", other.out());
    }
    // Editors find the schema by the first line.
    let written = std::fs::read_to_string(project.path().join("docs.toml")).unwrap();
    let schema = written.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
    assert!(schema.ends_with("/docs/src/reference/twinsite.schema.json"), "{schema}");
    assert!(!project.path().join(".gitignore").exists(), "the directory is in no work tree");
    for (args, part) in [
        (["--backup", "eu-cental-1"], "did you mean `eu-central-1`?"),
        (["--backup", "eu-central-9"], "did you mean `eu-central-1`?"),
        (["--mode", "layred"], "did you mean `layered`?"),
    ] {
        let wrong = project.run(&[&["init", "--domain", "a.example.org", "--config", "new.toml"][..], &args].concat());
        assert!(wrong.code() == 2 && wrong.err().contains(part), "{}", wrong.err());
    }
    assert!(!project.path().join("new.toml").exists());
    let again = project.run(&["init", "--domain", "docs.example.org"]);
    assert!(again.code() == 2 && again.err().contains("already exists"), "{}", again.err());
}
