//! What people and programs read.

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
    insta::assert_snapshot!("plan", project.local(&["plan"]).err());
    let applied = project.local(&["apply"]).err();
    insta::assert_snapshot!("apply", steps_in_order(&applied));
    insta::assert_snapshot!("apply_again", project.local(&["apply"]).err());
    insta::assert_snapshot!("dry_run", project.local(&["deploy", "--dry-run"]).err());
    insta::assert_snapshot!("deploy", settled(&project.local(&["deploy"]).err()));
    insta::assert_snapshot!("deploy_again", project.local(&["deploy"]).err());
    insta::assert_snapshot!("destroy", project.run(&["destroy", "--local"]).err());
}

/// Steps of one wave end in any order: what comes after the plan is sorted.
fn steps_in_order(text: &str) -> String {
    let at = text.find("fingerprint").and_then(|at| Some(at + text[at..].find('\n')?)).unwrap();
    let (plan, steps) = text.split_at(at);
    let mut steps: Vec<&str> = steps.lines().filter(|line| !line.contains("waiting for")).collect();
    steps.sort_unstable();
    let steps: Vec<_> = steps.into_iter().map(|step| step.split(" (").next().unwrap_or(step)).collect();
    format!("{plan}{}", steps.join("\n"))
}

/// What differs from run to run: times, and the ids that follow from how many things were made before.
fn of_any_run(mut line: Value) -> String {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if ["seconds", "fingerprint", "time"].contains(&key.as_str()) && !value.is_null() {
                        *value = Value::from("…");
                    }
                    walk(value);
                }
            }
            Value::Array(list) => list.iter_mut().for_each(walk),
            // A certificate of 198 days has 197 left a moment later.
            Value::String(text) if text.ends_with(" days left") => "N days left".clone_into(text),
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

/// The events and fields that `docs/json.md` names.
fn documented() -> Vec<(Vec<String>, String)> {
    let text = include_str!("../../../../docs/json.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let columns = rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Vec<_>>());
    columns
        .map(|columns| {
            let names = columns[0].split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (names, columns[2].clone())
        })
        .collect()
}

fn check(line: &Value, documented: &[(Vec<String>, String)]) {
    let event = line["event"].as_str().unwrap();
    let row = documented.iter().find(|(names, _)| names.iter().any(|name| name == event));
    let (_, fields) = row.unwrap_or_else(|| panic!("`{event}` is not documented"));
    for field in line.as_object().unwrap().keys().filter(|field| *field != "event") {
        assert!(fields.contains(&format!("`{field}`")), "`{field}` of `{event}` is not documented");
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
    for part in ["primary transfer", "backup verify", "files", "MiB/", "/s", "left"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    let last = shown.trim_end().lines().last().unwrap();
    assert!(last.starts_with("look at it:"), "the bars are gone at the end: {last}");
    let plain = project.local(&["deploy", "--force"]).err();
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
