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

#[test]
fn the_plan_of_a_new_site_fits_on_one_screen() {
    for mode in ["dns", "origin", "layered"] {
        let project = Project::new();
        project.write(
            "twinsite.toml",
            &crate::CONFIG.replace("\n\n[primary]", &format!("\nmode = \"{mode}\"\n\n[primary]")),
        );
        let plan = project.local(&["plan"]).out();
        assert!(plan.lines().count() <= 40, "{mode}: {} lines\n{plan}", plan.lines().count());
        let wide: Vec<&str> = plan.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{mode}: {wide:?}");
        // Every step is named, and -v shows each with its properties.
        let json = project.json(&["plan"]);
        let verbose = project.local(&["plan", "-v"]).out();
        for step in json["steps"].as_array().unwrap() {
            let name = step["step"].as_str().unwrap();
            assert!(plan.contains(name.rsplit('/').next().unwrap()), "{mode}: {name}\n{plan}");
            assert!(verbose.lines().any(|line| line.split(' ').nth(1) == Some(name)), "{mode}: {name}\n{verbose}");
            for change in step["changes"].as_array().unwrap() {
                assert_ne!(change["before"], change["after"], "{name}");
                let after = change["after"].as_str().unwrap();
                assert!(after.contains('\n') || after.is_empty() || verbose.contains(after), "{name}: {change}");
            }
        }
    }
}

#[test]
fn what_a_changed_configuration_changes_is_shown_from_the_value_before_to_the_value_after() {
    let project = Project::new();
    project.local(&["apply"]);
    let change = "[publish]\nnot_found = \"lost.html\"\n[cdn]\nprice_class = \"all\"\nredirect_to_https = false\n[dns]\nttl = 30\n";
    project.write("twinsite.toml", &format!("{}{change}", crate::CONFIG));
    insta::assert_snapshot!("plan_changed", project.local(&["plan"]).out());
    insta::assert_snapshot!("plan_changed_verbose", project.local(&["plan", "-v"]).out());
    let status = project.status();
    assert!(status.contains("    PriceClass: PriceClass_100 -> PriceClass_All"), "{status}");
    let json = project.json(&["plan"]);
    let steps = json["steps"].as_array().unwrap().iter();
    let changes: Vec<&Value> = steps.flat_map(|step| step["changes"].as_array().unwrap()).collect();
    let price = serde_json::json!({"property": "PriceClass", "before": "PriceClass_100", "after": "PriceClass_All"});
    assert!(changes.contains(&&price), "{json}");
    let applied = project.local(&["apply", "--yes"]);
    assert!(applied.out().contains("PriceClass: PriceClass_100 -> PriceClass_All"), "{}", applied.out());
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
                    if ["seconds", "fingerprint", "time", "requested", "expires", "days_left", "values"]
                        .contains(&key.as_str())
                        && !value.is_null()
                    {
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
        let lines = project.run(&[args, &["--local", "--json"]].concat()).lines();
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
const SCHEMA: &str = include_str!("../../../../docs/src/reference/json-schema.json");
const GUIDE: &str = include_str!("../../../../docs/src/reference/json.md");

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
        assert!(GUIDE.contains(&format!("`{event}`")), "`{event}` is missing in docs/src/reference/json.md");
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
        &["drills"],
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
    // Both buckets, once more what was recorded, because nobody else has published meanwhile, and both buckets at the end, because other
    // programs may have written to them.
    assert_eq!(deployed["requests"]["ListObjectsV2"], serde_json::json!(5));
    std::process::Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert_eq!(project.json(&["deploy"])["primary"]["unchanged"], serde_json::json!(6));
}

#[test]
fn errors_without_a_terminal_begin_with_the_word_error() {
    let project = Project::new();
    let mut failed = 0;
    for args in [
        &["frobnicate"][..],
        &["plan", "--frobnicate"],
        &["plan"],
        &["plan", "--config", "none.toml"],
        &["deploy", "--local", "none"],
        &["deploy", "--local", "--max-delete", "lots"],
        &["deploy", "--local"],
        &["init"],
        &["failback", "--local", "--config", "none/none.toml", "--profile", "none"],
        &["drill"],
        &["drill", "--local", "--how", "fire"],
        &["releases", "7", "--local"],
        &["rollback", "--local"],
        &["cert", "import", "--cert", "none", "--key", "none", "--local"],
        &["iam-policy", "--role", "reader", "--account", "1"],
    ] {
        let ran = project.run(args);
        assert_eq!(ran.code() == 0, ran.err().is_empty(), "{args:?}: {}", ran.err());
        failed += usize::from(ran.code() != 0);
        assert!(ran.code() == 0 || ran.err().starts_with("error: "), "{args:?}: {}", ran.err());
    }
    assert!(failed >= 13, "{failed}");
}

/// A number of one is not followed by a plural.
fn numbers_agree(args: &[&str], text: &str) {
    for line in text.lines().filter(|line| !line.starts_with("requests ")) {
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['(', ')', ',', ':'])).collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "1") {
            let plural = pair[1].ends_with('s') && pair[1].chars().all(|c| c.is_ascii_lowercase()) && pair[1] != "s";
            assert!(!plural, "{args:?}: `{}` in `{line}`", pair.join(" "));
        }
    }
}

#[test]
fn one_is_followed_by_a_singular() {
    let project = Project::new();
    for name in ["404.html", "about", "assets"] {
        let path = project.path().join("public").join(name);
        std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path)).unwrap();
    }
    let config = crate::CONFIG.replace("[primary]", "[publish]\nkeep_releases = 1\n[primary]");
    project.write("twinsite.toml", &config);
    let said = |args: &[&str]| {
        let ran = project.run(&[args, &["--local"]].concat());
        let text = ran.out() + &ran.err();
        numbers_agree(args, &text);
        text
    };
    said(&["deploy", "--apply"]);
    assert!(said(&["releases"]).contains(" 1 object, "));
    assert!(said(&["releases", "1"]).contains("1 object ("));
    assert!(said(&["status"]).contains("1 object"));
    project.write("public/index.html", "two");
    said(&["deploy", "--dry-run"]);
    assert!(said(&["verify", "public"]).contains("1 difference"));
    let deployed = said(&["deploy"]);
    assert!(deployed.contains("expired  release 1, "), "{deployed}");
    said(&["releases", "2", "2"]);
    project.write("twinsite.toml", &config.replace("[primary]", "[dns]\nttl = 30\n[primary]"));
    assert!(said(&["plan"]).contains("1 step in 1 wave"));
    assert!(said(&["drill"]).contains("1 step is pending"));
    assert!(said(&["apply"]).contains("applied: 1 step"));
    crate::drill::world(&project, |world| {
        crate::history::put(world, crate::history::BACKUP, "index.html", "changed in the backup");
    });
    assert!(said(&["drill"]).contains("1 object differs, first `index.html`"));
    said(&["backfill", "--dry-run"]);
    said(&["backfill"]);
}

/// The folder holds a private key, among other things that are of no use elsewhere.
#[test]
fn what_belongs_to_this_machine_is_kept_out_of_git_and_from_others() {
    use std::os::unix::fs::PermissionsExt;

    let project = Project::new();
    let ignored = |folder: &str| std::fs::read_to_string(project.path().join(folder).join(".gitignore")).ok();
    let mode = |name: &str| std::fs::metadata(project.path().join(name)).unwrap().permissions().mode() & 0o777;
    project.local(&["plan"]);
    drop(crate::server::Server::start(&project, &[]));
    assert_eq!(ignored(".twinsite").as_deref(), Some("*\n"));
    assert_eq!(ignored(".twinsite/local"), None);
    assert_eq!((mode(".twinsite/local"), mode(".twinsite/local/ca.key")), (0o700, 0o600));
    // A folder that was there before is its owner's.
    std::fs::remove_file(project.path().join(".twinsite/.gitignore")).unwrap();
    project.local(&["deploy", "--apply"]);
    assert_eq!(ignored(".twinsite"), None);
    // The index alone, and a state directory elsewhere.
    std::fs::remove_dir_all(project.path().join(".twinsite")).unwrap();
    project.local(&["deploy", "--apply", "--state", "elsewhere"]);
    assert_eq!((ignored(".twinsite").as_deref(), ignored("elsewhere").as_deref()), (Some("*\n"), Some("*\n")));
    assert!(project.path().join(".twinsite/index").exists());
}
