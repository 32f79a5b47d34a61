//! What people and programs read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::Value;

use crate::Project;

/// Times and rates differ from run to run, and how often the backup is looked at until it has followed.
fn settled(text: &str) -> String {
    let mut words: Vec<&str> = text
        .split(' ')
        .map(|word| if word.parse::<f64>().is_ok_and(|_| word.contains('.')) { "N" } else { word })
        .collect();
    if let Some(at) = words.iter().position(|word| word.starts_with("HeadObject")) {
        words[at - 1] = "N";
    }
    words.join(" ")
}

#[test]
fn plan_apply_deploy_and_destroy_read_well() {
    let project = Project::new();
    insta::assert_snapshot!("plan", project.local(&["plan"]).out());
    let applied = project.local(&["apply"]);
    insta::assert_snapshot!("apply", format!("{}\n\n{}", applied.out(), in_order(&applied.err())));
    insta::assert_snapshot!("apply_again", project.local(&["apply"]).out());
    insta::assert_snapshot!("dry_run", project.local(&["deploy", "--dry-run"]).out());
    insta::assert_snapshot!("deploy", settled(&project.local(&["deploy"]).out()));
    insta::assert_snapshot!("deploy_again", project.local(&["deploy"]).out());
    let declined = project.run(&["destroy", "--local"]);
    insta::assert_snapshot!("destroy", format!("{}\n{}", declined.out(), declined.err()));
}

/// The steps of a wave complete in any order.
fn in_order(progress: &str) -> String {
    let mut steps: Vec<&str> = progress.lines().filter(|line| !line.contains("waiting for")).collect();
    steps.sort_unstable();
    let steps: Vec<_> = steps.into_iter().map(|step| step.split(" (").next().unwrap_or(step)).collect();
    steps.join("\n")
}

/// What differs from run to run: times, and the ids that follow from how many things were made before.
fn of_any_run(mut line: Value) -> String {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if ["seconds", "fingerprint", "time", "expires"].contains(&key.as_str()) && !value.is_null() {
                        *value = Value::from("…");
                    }
                    walk(value);
                }
            }
            Value::Array(list) => list.iter_mut().for_each(walk),
            Value::String(text) => {
                let digits = |at: usize| text[at..].chars().take(12).all(|c| c.is_ascii_digit());
                if let Some(at) = text.find("hc-").filter(|at| text.len() >= at + 15 && digits(at + 3)) {
                    text.replace_range(at + 3..at + 15, "N");
                }
            }
            _ => {}
        }
    }
    walk(&mut line);
    line.to_string()
}

#[test]
fn what_programs_read_of_plan_apply_status_and_destroy_stays() {
    let project = Project::new();
    for (name, args) in [
        ("plan_json", &["plan"][..]),
        ("apply_json", &["apply"]),
        ("status_json", &["status"]),
        ("destroy_json", &["destroy", "--yes"]),
    ] {
        let lines = project.local(&[args, &["--json"]].concat()).lines();
        let mut lines: Vec<String> =
            lines.into_iter().filter(|line| line["event"] != "waiting").map(of_any_run).collect();
        lines.sort_unstable();
        insta::assert_snapshot!(name, lines.join("\n"));
    }
}

#[test]
fn errors_read_well() {
    let project = Project::new();
    insta::assert_snapshot!("no_bucket", project.run(&["deploy", "--local"]).err());
    insta::assert_snapshot!("no_source", project.run(&["deploy", "--local", "none"]).err());
    project.write("twinsite.toml", &crate::CONFIG.replace("domain", "domian"));
    insta::assert_snapshot!("bad_config", project.run(&["deploy", "--local"]).err());
}

/// The schema that is generated from the code, and the guide beside it.
const SCHEMA: &str = include_str!("../../../../docs/json-schema.json");
const GUIDE: &str = include_str!("../../../../docs/json.md");

/// The kinds of line in the schema: the fields of each, by its `event`.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    fn fields(schema: &Value, root: &Value, found: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            fields(&root["$defs"][reference.trim_start_matches("#/$defs/")], root, found);
        }
        found.extend(schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys().cloned()));
    }
    fn events(schema: &Value, root: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
        if let Some(event) = schema["properties"]["event"]["const"].as_str() {
            fields(schema, root, found.entry(event.to_owned()).or_default());
            return;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            events(&root["$defs"][reference.trim_start_matches("#/$defs/")], root, found);
        }
        for list in ["anyOf", "oneOf"] {
            schema[list].as_array().into_iter().flatten().for_each(|one| events(one, root, found));
        }
    }
    let root: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut found = BTreeMap::new();
    events(&root, &root, &mut found);
    found
}

#[test]
fn the_guide_to_json_names_every_event_of_the_schema() {
    let documented = documented();
    assert!(documented.len() > 20, "{documented:?}");
    for event in documented.keys() {
        assert!(GUIDE.contains(&format!("`{event}`")), "`{event}` is missing in docs/json.md");
    }
}

fn check(line: &Value, documented: &BTreeMap<String, BTreeSet<String>>) {
    let event = line["event"].as_str().unwrap();
    let fields = documented.get(event).unwrap_or_else(|| panic!("`{event}` is not in the schema"));
    for field in line.as_object().unwrap().keys() {
        assert!(fields.contains(field), "`{field}` of `{event}` is not in the schema");
    }
}

#[test]
fn json_is_valid_documented_and_alone_on_stdout() {
    let project = Project::new();
    let documented = documented();
    for args in [
        &["plan"][..],
        &["status"],
        &["apply"],
        &["deploy", "--dry-run"],
        &["deploy"],
        &["deploy", "none"],
        &["verify"],
        &["failover"],
        &["failback"],
        &["drill", "--speed", "60"],
        &["drill", "--restore"],
        &["destroy", "--yes"],
    ] {
        let ran = project.run(&[args, &["--local", "--json"]].concat());
        let lines = ran.lines();
        assert!(!lines.is_empty() && ran.err().is_empty(), "{args:?}: {}", ran.err());
        for line in &lines {
            check(line, &documented);
        }
    }
}

/// A result can be piped and redirected; progress and warnings do not get into it.
#[test]
fn results_are_on_stdout_and_progress_is_not() {
    let project = Project::new();
    let applied = project.local(&["deploy", "--apply"]);
    assert!(
        applied.out().starts_with("primary  5 put") && applied.err().contains("+ cdn/distribution ("),
        "{}",
        applied.out()
    );
    for (args, result) in [
        (&["plan"][..], "nothing to do"),
        (&["status"], "www.example.com, mode layered"),
        (&["verify"], "no differences"),
        (&["releases"], "*    1  "),
        (&["backfill"], "nothing to do"),
        (&["deploy"], "primary  nothing to do"),
    ] {
        let ran = project.local(args);
        assert!(ran.out().starts_with(result), "{args:?}: {}", ran.out());
        assert!(ran.err().is_empty(), "{args:?}: {}", ran.err());
    }
}

#[test]
fn quiet_says_nothing_and_verbose_names_objects() {
    let project = Project::new();
    let quiet = project.local(&["deploy", "--apply", "-q"]);
    assert!(quiet.err().is_empty() && quiet.out().is_empty());
    project.write("public/new.txt", "x");
    let verbose = project.local(&["deploy", "-v"]).err();
    assert!(verbose.contains("primary put     new.txt  absent"), "{verbose}");
    assert!(project.run(&["completions", "bash"]).out().contains("twinsite"));
}

/// `script` gives a program a terminal; every Debian has it.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_bars_show_files_bytes_rate_and_time_left() {
    let project = Project::new();
    for n in 0..400 {
        project.write(&format!("public/pages/{n}.html"), &"page ".repeat(2000));
    }
    let deploy = format!("stty cols 120; {} deploy --apply --local", env!("CARGO_BIN_EXE_twinsite"));
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &deploy, "/dev/null"]).current_dir(project.path()).env("TERM", "xterm");
    let shown = String::from_utf8_lossy(&script.output().unwrap().stdout).into_owned();
    for part in ["primary transfer", "files", "MiB/", "/s", "left"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    let last = shown.trim_end().lines().last().unwrap();
    assert!(last.starts_with("to view it:"), "the bars are gone at the end: {last}");
    let plain = project.local(&["deploy", "--force"]);
    let plain = plain.out() + &plain.err();
    assert!(!plain.contains('\u{1b}') && !plain.contains('\r'), "no terminal, no bars: {plain}");
}

#[test]
fn local_serves_both_websites_and_other_commands_use_it() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    let mut command = project.command(&["local", "--json"]);
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let serving: Value = serde_json::from_str(&line).unwrap();
    for side in ["primary", "backup"] {
        let address = serving[side]["website"].as_str().unwrap();
        let address = address.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /about/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("about"), "{answer}");
    }
    project.write("public/new.txt", "through the server");
    let deployed = project.json(&["deploy"]);
    assert_eq!(deployed["primary"]["put"], serde_json::json!(1));
    // Both buckets, and once more what was recorded: nobody else has published meanwhile.
    assert_eq!(deployed["requests"]["ListObjectsV2"], serde_json::json!(3));
    std::process::Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert_eq!(project.json(&["deploy"])["primary"]["unchanged"], serde_json::json!(6));
}
