//! The whole site, by the real binary.

use serde_json::{Value, json};

use crate::{CONFIG, Project};

fn with(project: &Project, extra: &str) {
    project.write("twinsite.toml", &format!("{CONFIG}{extra}"));
}

#[test]
fn a_site_is_planned_applied_shown_and_destroyed() {
    let project = Project::new();
    let plan = project.local(&["plan", "-v"]).out();
    for part in ["+ cdn/distribution", "known after", "usually 2 to 5 minutes", "costs about $", "what it survives"] {
        assert!(plan.contains(part), "no `{part}` in {plan}");
    }
    insta::assert_snapshot!("status_before", project.status());
    project.local(&["apply"]);
    insta::with_settings!({filters => vec![(r"hc-\d+", "hc-N"), (r"\d+ days left", "N days left"), (r"127\.\d+\.\d+\.\d+", "ADDRESS")]}, {
        insta::assert_snapshot!("status", project.status());
    });
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    let destroyed = project.local(&["destroy", "--yes"]).err();
    let place = |step: &str| destroyed.find(&format!("- {step} (")).unwrap_or_else(|| panic!("no {step}: {destroyed}"));
    assert!(place("dns/records") < place("cdn/distribution") && place("cdn/distribution") < place("primary/bucket"));
    assert_eq!(project.json(&["plan"])["steps"].as_array().unwrap().len(), 35);
}

#[test]
fn what_edges_hold_is_invalidated_and_an_unchanged_site_asks_cloudfront_nothing() {
    let project = Project::new();
    assert_eq!(project.json(&["deploy", "--apply"])["invalidation"]["state"], json!("none"), "nothing was cached yet");
    project.write("public/about/index.html", "edges ask for it each second");
    assert_eq!(project.json(&["deploy", "--wait"])["invalidation"]["state"], json!("none"));
    project.write("public/assets/app.css", "edges hold it for an hour");
    let changed = project.json(&["deploy", "--wait"]);
    assert_eq!(changed["invalidation"], json!({"state": "accepted", "paths": 1, "usd": 0.005}));
    assert_eq!(changed["requests"]["CreateInvalidation"], json!(1));
    project.write("public/assets/app.css", "and again");
    let text = project.local(&["deploy"]).out();
    assert!(
        text.contains("cdn      1 path invalidated (free among the account's first 1,000 a month, else $0.005)"),
        "{text}"
    );
    assert_eq!(project.json(&["deploy"])["requests"], json!({"ListObjectsV2": 2}));
}

#[test]
fn settings_that_would_lock_visitors_out_are_refused_with_a_way_out() {
    let project = Project::new();
    with(&project, "[cdn]\nsecurity_headers = true\n");
    let refused = project.run(&["plan", "--local"]);
    assert_eq!(refused.code(), 1);
    assert!(
        refused.err().contains("over HTTP only") && refused.err().contains("accept_http_standby"),
        "{}",
        refused.err()
    );
    with(&project, "[cdn]\nsecurity_headers = true\naccept_http_standby = true\n");
    project.local(&["plan"]);
    for (bad, said) in [
        ("[cdn]\nprice_class = \"300\"", "`100`, `200`, `all`"),
        ("[dns]\nhealth_interval = 20", "20 is neither 10 nor 30"),
        ("[dns]\nfailure_threshold = 11", "11 is not 1 to 10"),
        ("[cdn]\ncertificate_arn = \"c\"", "line 10"),
    ] {
        with(&project, &format!("{bad}\n"));
        let refused = project.run(&["plan", "--local"]);
        assert!(refused.code() == 2 && refused.err().contains(said), "{}", refused.err());
    }
}

/// Each environment is a site of its own, with everything that is named after its domain.
#[test]
fn environments_are_sites_apart_and_hints_repeat_them() {
    let project = Project::new();
    let staging =
        "\n[vars]\nname = \"staging\"\n[env.staging.site]\ndomain = \"${name}.example.com\"\nmode = \"dns\"\n";
    project.write("twinsite.toml", &format!("{CONFIG}{staging}"));
    project.local(&["deploy", "--apply"]);
    let in_staging = |args: &[&str]| project.run(&[args, &["--local", "--env", "staging"]].concat());
    let refused = in_staging(&["deploy"]);
    assert!(refused.err().contains("`twinsite apply --local --env staging`"), "{}", refused.err());
    project.write("public/index.html", "of staging");
    let deployed = in_staging(&["deploy", "--apply"]);
    assert!(deployed.code() == 0 && deployed.out().contains("staging.example.com"), "{}", deployed.out());
    for args in [&["plan", "--check"][..], &["verify", "public"]] {
        assert_eq!(in_staging(args).code(), 0, "{args:?}");
    }
    assert_eq!(project.run(&["verify", "public", "--local"]).code(), 3, "production has another page");
    assert_eq!(in_staging(&["destroy", "--yes"]).code(), 0);
    assert_eq!(project.run(&["plan", "--check", "--local"]).code(), 0);
    let unknown = project.run(&["plan", "--local", "--env", "stagin"]);
    assert!(unknown.code() == 2 && unknown.err().contains("did you mean `staging`?"), "{}", unknown.err());
    let policy = project.run(&["iam-policy", "--role", "reader", "--account", "111122223333", "--env", "staging"]);
    assert!(
        policy.out().contains("staging.example.com") && !policy.out().contains("www.example.com"),
        "{}",
        policy.out()
    );
}

/// Until a change of mode is applied, the buckets of the former mode serve visitors.
#[test]
fn a_mode_that_was_changed_and_not_applied_endangers_nothing() {
    for (former, mode) in [("layered", "origin"), ("origin", "dns"), ("dns", "origin")] {
        let project = Project::new();
        let config = |mode: &str| CONFIG.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]"));
        project.write("twinsite.toml", &config(former));
        project.write("public/_redirects", "/old /new\n");
        project.local(&["deploy", "--apply"]);
        project.local(&["deploy", "--force"]);
        project.write("twinsite.toml", &config(mode));
        for command in ["plan", "status"] {
            let said = project.run(&[command, "--local"]).err();
            assert!(!said.contains("destroy --former"), "{former} {mode}: {said}");
        }
        let destroyed = project.run(&["destroy", "--former", "--yes", "--local"]);
        assert_eq!(destroyed.code(), 1, "{}", destroyed.err());
        assert!(destroyed.err().contains("visitors may be served") && destroyed.err().contains("twinsite apply"));
        project.write("public/index.html", "of the other mode");
        for args in [&["deploy"][..], &["deploy", "--dry-run"], &["rollback"], &["rollback", "--dry-run"]] {
            let refused = project.run(&[args, &["--local"]].concat());
            let said = refused.err();
            assert_eq!(refused.code(), 1, "{args:?} {said}");
            assert!(said.contains("changed and not applied") && said.contains("`twinsite apply --local`"), "{said}");
        }
        // Nothing has changed.
        project.write("twinsite.toml", &config(former));
        project.write("public/index.html", "hello");
        assert_eq!(project.run(&["plan", "--check", "--local"]).code(), 0, "{former} {mode}");
        let verified = project.run(&["verify", "--local"]);
        assert_eq!(verified.code(), 0, "{former} {mode}: {}", verified.out());
        // As the hint says.
        project.write("twinsite.toml", &config(mode));
        for command in ["apply", "plan"] {
            // What paths mean is told by deploys.
            let said = project.local(&[command]).err();
            assert_eq!(
                said.contains("publish it again: `twinsite deploy --local`"),
                mode == "origin",
                "{former} {mode}: {said}"
            );
        }
        project.local(&["deploy"]);
        assert!(!project.local(&["plan"]).err().contains("publish it again"), "{former} {mode}");
        project.local(&["destroy", "--former", "--yes"]);
        assert_eq!(project.run(&["verify", "--local"]).code(), 0, "{former} {mode}");
        // What another mode left behind can be deleted after the site itself.
        project.write("twinsite.toml", &config(former));
        project.local(&["apply"]);
        project.write("twinsite.toml", &config(mode));
    }
}

#[test]
fn a_bucket_that_another_mode_left_behind_is_named_and_goes_when_told_to() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    assert!(!project.run(&["status", "--local"]).err().contains("another mode"));
    project.write("twinsite.toml", &CONFIG.replace("[primary]", "mode = \"origin\"\n[primary]"));
    project.local(&["apply"]);
    for command in ["plan", "status"] {
        let said = project.run(&[command, "--local"]).err();
        assert!(said.contains("`www.example.com` in us-west-2 belonged to this site in another mode"), "{said}");
        assert!(said.contains("destroy --former"), "{said}");
    }
    let gone = project.local(&["destroy", "--former", "--yes"]).out();
    assert!(gone.contains("- backup/former-bucket") && gone.contains("destroyed: 1 step"), "{gone}");
    assert_eq!(project.run(&["plan", "--local", "--check"]).code(), 0);
    assert!(project.local(&["destroy", "--former", "--yes"]).out().contains("nothing to destroy"));
    // What nobody asked for goes with the site, at the latest.
    project.write("twinsite.toml", CONFIG);
    project.local(&["apply"]);
    let all = project.local(&["destroy", "--yes"]).out();
    assert!(all.contains("- backup/former-bucket") && all.contains("- backup/bucket"), "{all}");
}

fn policy(project: &Project, args: &[&str]) -> Value {
    let ran = project.run(&[&["iam-policy", "--account", "111122223333"], args].concat());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    serde_json::from_str(&ran.out()).unwrap()
}

/// The documents of a policy, which are an array if there are several.
fn documents(policy: &Value) -> Vec<Value> {
    policy.as_array().cloned().unwrap_or_else(|| vec![policy.clone()])
}

fn actions(policy: &Value) -> Vec<String> {
    let documents = documents(policy);
    let statements = documents.iter().flat_map(|one| one["Statement"].as_array().unwrap());
    let statements = statements.filter(|s| s["Effect"] == "Allow");
    let actions = statements.flat_map(|s| match &s["Action"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    });
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn policies_name_this_sites_resources_and_no_more_than_a_role_needs() {
    let project = Project::new();
    for role in ["reader", "publisher", "applier", "operator", "boundary"] {
        let policy = policy(&project, &["--role", role]);
        let actions = actions(&policy);
        assert!(actions.iter().all(|action| !action.contains('*')), "{role}: {actions:?}");
        for document in documents(&policy) {
            assert!(document.to_string().len() < 6144, "{role}: AWS takes no larger managed policy");
        }
        insta::assert_snapshot!(format!("policy_{role}"), format!("{policy:#}"));
    }
    let publisher = actions(&policy(&project, &["--role", "publisher"]));
    assert!(publisher.contains(&"s3:PutObject".to_owned()) && !publisher.iter().any(|a| a.starts_with("s3:PutBucket")));
    let trust = policy(&project, &["--role", "publisher", "--github", "acme/site"]);
    let sub = &trust["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"];
    assert_eq!(*sub, serde_json::json!(["repo:acme/site:environment:production"]));
    let both = policy(&project, &["--role", "publisher", "--github", "acme/site", "--github-ids", "65/1296"]);
    let sub = &both["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"];
    assert_eq!(sub[1], "repo:acme@65/site@1296:environment:production");
    let without =
        project.run(&["iam-policy", "--role", "publisher", "--account", "111122223333", "--github", "acme/site"]);
    assert!(without.err().contains("--github-ids"), "{}", without.err());
    let json = project.run(&["iam-policy", "--role", "applier", "--account", "111122223333", "--json"]);
    let json: Value = serde_json::from_str(&json.out()).unwrap();
    assert!(json["event"] == "policy" && json["documents"][0]["characters"].as_u64().unwrap() <= 6144, "{json}");
    // The trust policy is the same for every role, and one line of JSON.
    let github = ["iam-policy", "--account", "111122223333", "--github", "acme/site"];
    let line = project.run(&[&github[..], &["--json"]].concat()).out();
    let trust: Value = line.lines().last().unwrap().parse().unwrap();
    assert!(trust["Statement"].is_array(), "{line}");
    let loose = project.run(&["iam-policy", "--role", "reader", "--account", "111122223333", "--github", "acme/*"]);
    assert!(loose.code() == 2 && loose.err().contains("other repositories"), "{}", loose.err());
}

#[test]
fn a_certificate_from_elsewhere_is_imported_used_and_renewed_in_place() {
    let project = Project::new();
    let made = rcgen::generate_simple_self_signed(vec!["www.example.com".to_owned()]).unwrap();
    project.write("cert.pem", &made.cert.pem());
    project.write("key.pem", &made.signing_key.serialize_pem());
    let import = &["cert", "import", "--cert", "cert.pem", "--key", "key.pem"];
    let first = project.json(import)["arn"].clone();
    assert_eq!(project.json(import)["arn"], first, "again is a renewal");
    let plan = project.local(&["plan", "-v"]).out();
    assert!(
        plan.contains("ViewerCertificate.ACMCertificateArn = arn:aws:acm") && !plan.contains("certificate/request"),
        "{plan}"
    );
    project.local(&["apply"]);
    project.write("key.pem", "no key");
    let refused = project.run(&[&import[..], &["--local"]].concat());
    assert!(refused.code() == 2 && refused.err().contains("not in PEM form"), "{}", refused.err());
}
