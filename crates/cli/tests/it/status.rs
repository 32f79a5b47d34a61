//! `status` by the real binary, with the data plane served: what visitors get, what is out of reach, and the exit code.

use serde_json::{Value, json};

use crate::drill::{site, world};
use crate::history::{BACKUP, PRIMARY, put};
use crate::server::{Process, Server, signal};
use crate::{CONFIG, Project, Ran};

/// Regions last: checkers take a moment to see that they are back.
const PARTS: [&str; 6] = ["route53", "cloudfront", "acm", "cloudwatch", "primary", "backup"];

/// A published site whose regions hold no service that is in one region only.
fn published() -> Project {
    let project = Project::new();
    let config = CONFIG.replace("us-east-1", "eu-west-1");
    project.write("twinsite.toml", &format!("{config}\n[alerts]\nemail = [\"ops@example.com\"]\n"));
    project.local(&["deploy", "--apply"]);
    project
}

fn faults(dead: &[&str], symptom: &str) -> Value {
    let regions = [("primary", "eu-west-1"), ("backup", "us-west-2")].into_iter();
    let regions: Vec<_> = regions.filter(|(name, _)| dead.contains(name)).map(|(_, region)| region).collect();
    let services: Vec<_> = dead.iter().filter(|name| !["primary", "backup"].contains(name)).collect();
    json!({"regions_out": regions, "services_out": services, "symptom": symptom})
}

/// The status as JSON, valid by the schema.
fn status(project: &Project) -> (i32, Value) {
    let ran = project.run(&["status", "--local", "--json"]);
    let status = ran.lines().pop().unwrap_or_else(|| panic!("no JSON: {}", ran.err()));
    assert_valid(&status);
    (ran.code(), status)
}

/// Judges a line by the schema in the documentation.
pub(crate) fn assert_valid(line: &Value) {
    let root: Value = serde_json::from_str(include_str!("../../../../docs/src/reference/json-schema.json")).unwrap();
    assert!(is_valid(line, &root, &root), "not valid by the schema: {line:#}");
}

/// As far as the schema goes: references, types, constants, required properties, arrays, alternatives.
fn is_valid(value: &Value, schema: &Value, root: &Value) -> bool {
    let Some(rules) = schema.as_object() else { return schema != &json!(false) };
    rules.iter().all(|(rule, of)| match rule.as_str() {
        "$ref" => is_valid(value, &root["$defs"][of.as_str().unwrap().trim_start_matches("#/$defs/")], root),
        "type" => {
            let is = |name: &Value| match name.as_str().unwrap() {
                "null" => value.is_null(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                "string" => value.is_string(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                other => panic!("unknown type {other}"),
            };
            of.as_array().map_or_else(|| is(of), |all| all.iter().any(is))
        }
        "const" => value == of,
        "enum" => of.as_array().unwrap().contains(value),
        "required" => of.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "properties" => of.as_object().unwrap().iter().all(|(name, of)| match value.get(name) {
            Some(value) => is_valid(value, of, root),
            None => true,
        }),
        "items" => value.as_array().is_none_or(|all| all.iter().all(|one| is_valid(one, of, root))),
        "anyOf" => of.as_array().unwrap().iter().any(|of| is_valid(value, of, root)),
        "oneOf" => of.as_array().unwrap().iter().filter(|of| is_valid(value, of, root)).count() == 1,
        "allOf" => of.as_array().unwrap().iter().all(|of| is_valid(value, of, root)),
        _ => true,
    })
}

fn check(project: &Project, server: &Server, dead: &[&str], symptom: &str) {
    server.faults(&faults(dead, symptom));
    let (code, status) = status(project);
    let about = format!("{dead:?} {symptom}: {status:#}");
    let answers = |part: &Value| part["answer"] == "known";
    for (name, part) in [
        ("primary", &status["primary"]["bucket"]),
        ("backup", &status["backup"]["bucket"]),
        ("route53", &status["zone"]),
        ("cloudfront", &status["distribution"]),
        ("acm", &status["certificate"]),
        ("cloudwatch", &status["alerts"][1]["alarms"]),
    ] {
        assert_eq!(answers(part), !dead.contains(&name), "{name}: {about}");
    }
    // APIs that do not respond do not concern visitors.
    let expected: &[i32] = match (dead.contains(&"primary"), dead.contains(&"backup"), dead.is_empty()) {
        (true, false, _) => &[5],
        // Until the checkers have noticed, nothing is known to be wrong: edges serve what they hold.
        (_, true, _) => &[5, 6],
        (false, false, false) => &[6],
        (false, false, true) => &[0],
    };
    assert!(expected.contains(&code), "exit code {code}: {about}");
    let health = match code {
        0 => "healthy",
        5 => "degraded",
        _ => "unknown",
    };
    assert_eq!(status["health"], json!(health), "{about}");
    let side = match (dead.contains(&"primary"), dead.contains(&"backup")) {
        (false, _) => json!("primary"),
        (true, false) => json!("backup"),
        (true, true) => Value::Null,
    };
    assert_eq!(status["visitors"]["side"], side, "{about}");
    // A visitor who knows nothing of twinsite gets the same.
    let address = status["visitors"]["dns"]["value"]["values"].as_array().unwrap().last().unwrap().as_str().unwrap();
    let seen = server.visit(address, "www.example.com").map(u64::from);
    assert_eq!(status["visitors"]["http"]["value"]["status"].as_u64(), seen, "{about}");
}

#[test]
fn every_subset_of_services_that_are_gone_leaves_the_rest_of_the_screen() {
    let project = published();
    let server = Server::start(&project, &["--speed", "30"]);
    // Until the checkers have reported, an alarm of a calculated check may be on.
    let recovers = || {
        server.faults(&json!({}));
        while status(&project).0 != 0 {}
    };
    recovers();
    for set in 0_u32..1 << PARTS.len() {
        let dead: Vec<_> =
            PARTS.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0).map(|(_, name)| *name).collect();
        check(&project, &server, &dead, "reset");
    }
    recovers();
    for dead in PARTS.iter().map(|part| vec![*part]).chain([PARTS.to_vec()]) {
        check(&project, &server, &dead, "unavailable");
    }
    recovers();
    for dead in [vec!["route53", "cloudfront"], vec!["primary"], PARTS.to_vec()] {
        let started = std::time::Instant::now();
        check(&project, &server, &dead, "hang");
        assert!(started.elapsed().as_secs() < 20, "a part was waited for: {:?}", started.elapsed());
    }
}

/// The screen, without what differs from run to run.
fn screen(ran: &Ran) -> String {
    let out = ran.out();
    for line in out.lines() {
        let is_one_word = line.split_whitespace().any(|word| word.chars().count() > 60);
        assert!(line.chars().count() <= 80 || is_one_word, "more than 80 columns: {line}");
    }
    let last = out.split("\n\n").last().unwrap();
    assert!(last.starts_with("next: "), "{out}");
    out
}

fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"hc-\d+", "hc-N"),
        (r"\d+ days left", "N days left"),
        (r"127\.\d+\.\d+\.\d+", "ADDRESS"),
        (r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME"),
        (r"(edge|primary|backup|stop|serving) (healthy|not reported yet|UNHEALTHY)", "$1 HEALTH"),
        (r"on \S+ \(process \d+\)", "on HOST (process N)"),
    ]
}

#[test]
fn what_people_read_in_an_outage() {
    let project = site("layered");
    let server = Server::start(&project, &["--speed", "10"]);
    insta::with_settings!({filters => filters()}, {
        insta::assert_snapshot!("status_healthy", screen(&project.run(&["status", "--local"])));
        server.faults(&json!({"regions_out": ["us-west-2"]}));
        insta::assert_snapshot!("status_backup_gone", screen(&project.run(&["status", "--local"])));
        server.faults(&faults(&["route53", "acm"], "unavailable"));
        insta::assert_snapshot!("status_services_gone", screen(&project.run(&["status", "--local"])));
    });
}

#[test]
fn a_deploy_that_was_killed_is_named_with_what_completes_it() {
    let project = site("layered");
    let server = Server::start(&project, &[]);
    project.write("public/index.html", "second");
    project.write("public/new.html", "new");
    server.pause("PutObject", 3);
    let mut deploy = Process::start(&project, &["deploy", "--local"]);
    server.until_held(&mut deploy);
    let (code, running) = status(&project);
    assert_eq!(code, 0, "a deploy that is running is no problem: {running:#}");
    assert!(running["findings"][0]["text"].as_str().unwrap().contains("is running"), "{running:#}");
    signal(&deploy.child, "-KILL");
    deploy.child.wait().unwrap();
    server.release();
    let (code, killed) = status(&project);
    assert_eq!(code, 5, "{killed:#}");
    assert_eq!(killed["primary"]["publish"]["value"]["lock"]["abandoned"], json!(true), "{killed:#}");
    let text = screen(&project.run(&["status", "--local"]));
    assert!(text.contains("was interrupted") && text.contains("`twinsite deploy --local`"), "{text}");
    project.local(&["deploy", "--lock-timeout", "5s"]);
    assert_eq!(status(&project).0, 0);
}

#[test]
fn without_credentials_and_network_there_is_a_screen_and_not_an_error() {
    let project = Project::new();
    let ran = project.run(&["status", "--endpoint-url", "http://127.0.0.1:9"]);
    assert_eq!(ran.code(), 6, "{}{}", ran.out(), ran.err());
    let text = screen(&ran);
    assert!(text.contains("no credentials were found") && text.contains("aws sso login"), "{text}");
    assert!(!text.contains("visitors get no page"), "this machine has no network: {text}");
}

#[test]
fn in_a_pipe_a_watch_shows_each_change_once() {
    let project = site("layered");
    let server = Server::start(&project, &[]);
    let mut watch = Process::start(&project, &["status", "--watch", "--local"]);
    // Each poll lists the distributions twice, the second time for the plan: the first has been shown when the third request comes.
    for _ in 0..3 {
        server.pause("ListDistributions", 1);
        server.until_held(&mut watch);
        server.release();
    }
    signal(&watch.child, "-INT");
    let ended = watch.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(ended.out.matches("www.example.com, mode layered").count(), 1, "{}", ended.out);
    assert!(!ended.out.contains('\u{1b}'), "{}", ended.out);
}

#[test]
fn plan_and_verify_report_an_outage_within_seconds_and_compare_what_is_there() {
    let project = published();
    let server = Server::start(&project, &[]);
    for symptom in ["reset", "unavailable"] {
        for dead in ["primary", "backup"] {
            server.faults(&faults(&[dead], symptom));
            let started = std::time::Instant::now();
            let plan = project.run(&["plan", "--check", "--local"]);
            assert_eq!(plan.code(), 1, "not the code of differences: {}", plan.err());
            assert!(
                plan.err().contains("twinsite status --local") && plan.err().contains("failover"),
                "{}",
                plan.err()
            );
            let verify = project.run(&["verify", "--local"]);
            assert_eq!(verify.code(), 1, "{}", verify.err());
            assert!(verify.err().contains("`twinsite verify public --local`"), "{}", verify.err());
            let compared = project.run(&["verify", "public", "--local"]);
            assert_eq!(compared.code(), 6, "{}{}", compared.out(), compared.err());
            assert!(compared.out().contains("not compared: "), "{}", compared.out());
            assert!(compared.out().contains("no differences in what could be compared"), "{}", compared.out());
            assert!(started.elapsed().as_secs() < 45, "{dead} {symptom}: {:?}", started.elapsed());
        }
    }
    project.write("public/new.html", "not published yet");
    server.faults(&faults(&["primary"], "reset"));
    let differs = project.run(&["verify", "public", "--local", "--json"]);
    let line = differs.lines().pop().unwrap();
    assert_valid(&line);
    assert_eq!(differs.code(), 3, "{line}");
    assert_eq!(line["differences"][0]["key"], json!("new.html"), "{line}");
    assert_eq!(line["differences"][0]["bucket"], json!("www.example.com"), "{line}");
}

#[test]
fn a_region_that_is_not_known_is_refused_before_anything_is_touched() {
    let project = Project::new();
    let unknown = CONFIG.replace("us-west-2", "eu-central-9");
    project.write("twinsite.toml", &unknown);
    for args in [
        &["plan", "--local"][..],
        &["apply", "--local"],
        &["deploy", "--apply", "--local"],
        &["verify", "--local"],
        &["destroy", "--local", "--yes"],
    ] {
        let ran = project.run(args);
        assert_eq!(ran.code(), 2, "{args:?}: {}", ran.err());
        let said = "the region `eu-central-9` of the backup is not known to this version of twinsite: did you mean `eu-central-1`?";
        assert!(ran.err().contains(said) && ran.err().contains("new_regions = [\"eu-central-9\"]"), "{}", ran.err());
    }
    // What the hint says works.
    project.write(
        "twinsite.toml",
        &unknown
            .replace("[primary]", "new_regions = [\"eu-central-9\"]\n\n[primary]")
            .replace("[site]", "[site]\nmode = \"origin\""),
    );
    assert!(!project.local(&["apply"]).err().contains("not known"));
    let bucket = project.run(&["verify", "public", "--bucket", "s3://b?region=eu-central-8"]);
    assert_eq!(bucket.code(), 2, "{}", bucket.err());
    assert!(bucket.err().contains("did you mean `eu-central-1`?"), "{}", bucket.err());
    // Another store has regions of its own.
    let store = project.run(&[
        "verify",
        "public",
        "--bucket",
        "s3://b?region=eu-central-8",
        "--endpoint-url",
        "http://127.0.0.1:9",
    ]);
    assert!(!store.err().contains("not known to this version"), "{}", store.err());
}

#[test]
fn a_web_page_instead_of_a_response_is_named_as_what_it_is() {
    let page = "<!DOCTYPE html><html><head><title>Hotel Wi-Fi: sign in</title></head></html>";
    let url = crate::bad_input::answering(false, "200 OK", page);
    let project = Project::new();
    for args in [&["plan"][..], &["verify"], &["deploy"]] {
        let mut command = project.command(&[args, &["--endpoint-url", &url]].concat());
        command.env("AWS_ACCESS_KEY_ID", "AKIDTEST").env("AWS_SECRET_ACCESS_KEY", "secret");
        let ran = Ran(command.output().unwrap());
        let said = ran.err();
        assert!(ran.code() == 1 && said.contains("a web page (\"Hotel Wi-Fi: sign in\")"), "{said}");
        assert!(!said.contains("Error {") && !said.contains('{') && !said.contains("DOCTYPE"), "{said}");
    }
}

#[test]
fn the_state_is_written_as_a_page_whatever_it_is() {
    let project = site("layered");
    let _server = Server::start(&project, &[]);
    let page = || std::fs::read_to_string(project.path().join("status.html")).unwrap();
    let ran = project.run(&["status", "--local", "--html", "status.html"]);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let healthy = page();
    assert!(healthy.contains("class=\"met\">healthy") && healthy.contains("in sync"), "{healthy}");
    project.local(&["failover"]);
    let ran = project.run(&["status", "--local", "--html", "status.html", "--json"]);
    assert_eq!(ran.code(), 5, "{}", ran.err());
    let degraded = page();
    assert!(
        degraded.contains("class=\"missed\">DEGRADED") && degraded.contains("<h2>What to do next</h2>"),
        "{degraded}"
    );
    assert!(degraded.contains("<code>twinsite failback --local</code>"), "{degraded}");
    for page in [&healthy, &degraded] {
        for strange in ["<script", "@import", "url(", "http-equiv", "src="] {
            assert!(!page.contains(strange), "`{strange}`");
        }
    }
    let refused = project.run(&["status", "--local", "--html", "no/such/folder/status.html"]);
    assert!(
        refused.code() == 1 && refused.err().contains("could not write `no/such/folder/status.html`"),
        "{}",
        refused.err()
    );
}

/// While both sides are up, their health objects say nothing of from where an edge serves pages.
#[test]
fn visitors_of_a_site_that_is_failed_over_are_served_by_the_backup() {
    let project = site("layered");
    let _server = Server::start(&project, &[]);
    for (args, side, origin) in [
        (&["failover"][..], json!("backup"), json!("backup")),
        (&["failback", "--percent", "10"], Value::Null, json!("10% primary")),
        (&["failback"], json!("primary"), json!("primary")),
    ] {
        project.local(args);
        let (code, read) = status(&project);
        assert_eq!((&read["visitors"]["side"], &read["served_from"]["value"]), (&side, &origin), "{args:?}: {read:#}");
        assert_eq!(code, if origin == "primary" { 0 } else { 5 }, "{read:#}");
        let said = read["findings"].to_string();
        assert_eq!(said.contains("10 % of the visitors"), origin == "10% primary", "{said}");
        assert_eq!(said.contains("`twinsite failback --percent 30 --local`"), origin == "10% primary", "{said}");
        assert_eq!(said.contains("failed over to the backup by hand"), origin == "backup", "{said}");
        let next = read["next"].as_array().unwrap();
        let named = next.iter().chain(read["findings"].as_array().unwrap().iter().map(|one| &one["next"]));
        for text in named.filter_map(Value::as_str).filter(|text| text.contains("`twinsite ")) {
            assert!(text.contains(" --local`"), "{text}");
        }
    }
    let text = screen(&project.run(&["status", "--local"]));
    assert!(text.contains("HTTPS 200 from the primary through CloudFront"), "{text}");
}

#[test]
fn a_redirect_to_https_is_not_said_to_serve_visitors_whom_https_does_not() {
    let project = site("layered");
    let server = Server::start(&project, &[]);
    server.faults(&json!({"regions_out": ["us-east-1", "us-west-2"]}));
    let (code, read) = status(&project);
    assert_eq!(code, 5, "{read:#}");
    let said = read["findings"].to_string();
    assert!(said.contains("visitors get no page") && !said.contains("over HTTP only"), "{read:#}");
}

#[test]
fn a_damaged_record_of_the_live_release_is_named_and_a_rollback_goes_to_the_release_before() {
    let project = site("layered");
    for content in ["second", "third"] {
        project.write("public/index.html", content);
        project.local(&["deploy"]);
    }
    let live = project.json(&["releases"])["live"].as_u64().unwrap();
    for bucket in [PRIMARY, BACKUP] {
        world(&project, |world| put(world, bucket, &format!(".twinsite/releases/{live:010}.gz"), "junk"));
    }
    let _server = Server::start(&project, &[]);
    let (code, read) = status(&project);
    assert_eq!(code, 5, "{read:#}");
    let said = read["findings"].to_string();
    assert!(said.contains(&format!("the record of release {live} is damaged")), "{read:#}");
    let releases = project.local(&["releases"]).out();
    assert!(releases.contains(&format!("release {live} is live")) && !releases.contains("* is live"), "{releases}");
    let verified = project.run(&["verify", "--local", "--json"]);
    assert_eq!(verified.code(), 3, "{}{}", verified.out(), verified.err());
    let line = verified.lines().pop().unwrap();
    let damaged =
        line["differences"].as_array().unwrap().iter().filter(|one| one["reason"].to_string().contains("damaged"));
    assert_eq!(damaged.count(), 2, "{line}");
    let back = project.json(&["rollback"]);
    let id = &back["release"]["id"];
    let made = project.json(&["releases"])["releases"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&made["restores"], &made["id"]), (&json!(live - 1), id), "not one too far: {back}");
    assert_eq!(status(&project).0, 0);
}

/// A region that accepts connections and never responds.
#[test]
fn a_region_that_never_responds_is_reported_within_a_minute() {
    let project = published();
    let server = Server::start(&project, &[]);
    for dead in ["primary", "backup"] {
        server.faults(&faults(&[dead], "hang"));
        let timed = |args: &[&str], limit: u64| {
            let started = std::time::Instant::now();
            let ran = project.run(args);
            assert!(started.elapsed().as_secs() < limit, "{dead} {args:?}: {:?}", started.elapsed());
            ran
        };
        let releases = timed(&["releases", "--local"], 30);
        assert_eq!(releases.code(), 0, "{}", releases.err());
        assert!(releases.out().contains(&format!("the {dead} could not be read")), "{}", releases.out());
        let verify = timed(&["verify", "public", "--local"], 45);
        assert_eq!(verify.code(), 6, "{}{}", verify.out(), verify.err());
    }
    let started = std::time::Instant::now();
    let plan = project.run(&["plan", "--local"]);
    assert!(plan.code() == 1 && plan.err().contains("no response within"), "{}", plan.err());
    assert!(started.elapsed().as_secs() < 75, "{:?}", started.elapsed());
}
