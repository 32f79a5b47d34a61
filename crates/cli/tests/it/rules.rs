//! Redirect rules and header rules: the real binary says what becomes of each.

use serde_json::{Value, json};

use crate::{CONFIG, Project};

const RULES: &str = "/old /about/\n/news/* /blog/:splat 302\n/api/* https://api.example.com/:splat 200\n";

fn told(rules: &Value) -> Vec<(String, Value)> {
    let all = rules["not_honored"].as_array().unwrap().iter();
    all.map(|one| (one["place"].as_str().unwrap().to_owned(), one["target"].clone())).collect()
}

#[test]
fn what_is_not_honoured_is_listed_in_every_mode_by_dry_runs_and_by_deploys() {
    for mode in ["dns", "origin", "layered"] {
        let project = Project::new();
        let redirect = "[[redirects]]\nfrom = \"/moved\"\nto = \"/about/\"\nstatus = 308\n";
        let config = CONFIG.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]"));
        project.write("twinsite.toml", &format!("{config}{redirect}"));
        project.write("public/_redirects", RULES);
        project.write("public/_headers", "/*\n  X-Frame-Options: DENY\n  Cache-Control: max-age=7\n");
        let nothing = ("_redirects:3".to_owned(), Value::Null);
        let header = |target: Value| ("_headers:2".to_owned(), target);
        let website = |place: &str| (place.to_owned(), json!("website-endpoint"));
        // A redirect object has no query, and neither patterns nor other statuses are possible.
        let of_website = ["_redirects:1", "_redirects:2", "twinsite.toml:10"].map(website);
        // A function adds headers that S3 does not store, where CloudFront has one.
        let expected: Vec<_> = match mode {
            // The managed security headers of errors stay.
            "origin" => vec![header(json!("cloudfront")), nothing],
            "layered" => [header(json!("website-endpoint")), nothing].into_iter().chain(of_website).collect(),
            _ => [header(Value::Null), nothing].into_iter().chain(of_website).collect(),
        };
        project.local(&["apply", "--yes"]);
        let planned = project.json(&["deploy", "--dry-run"]);
        assert_eq!((&planned["rules"]["redirects"], &planned["rules"]["headers"]), (&json!(3), &json!(1)), "{mode}");
        assert_eq!(told(&planned["rules"]), expected, "{mode}");
        let shown = project.local(&["deploy", "--dry-run"]);
        assert!(shown.err().contains("rules that are not honoured: proxying to another host"), "{}", shown.err());
        let is_told = shown.err().contains("S3 does not store such headers");
        assert_eq!(is_told, mode == "dns", "{}", shown.err());
        assert_eq!(shown.err().contains("website endpoints do not honour"), mode != "origin", "{}", shown.err());
        assert!(shown.out().contains("3 redirect rules, 1 header rule; "), "{}", shown.out());
        let deployed = project.json(&["deploy"]);
        assert_eq!(told(&deployed["rules"]), expected, "{mode}");
        assert_ne!(deployed["invalidation"]["state"], json!("pending"), "{mode}: {deployed:#}");
        // The same directory again: nothing to do, and no request more than before, but for redirects that were copied to the backup within
        // the second in which they were written.
        let again = project.json(&["deploy"]);
        let mut requests = again["requests"].clone();
        if mode != "origin" {
            requests.as_object_mut().unwrap().remove("HeadObject");
        }
        assert_eq!((&again["primary"]["put"], &requests), (&json!(0), &json!({"ListObjectsV2": 2})), "{mode}");
        assert!(project.local(&["verify", "public"]).out().contains("no differences"), "{mode}");
        // Without rules, what they have become is deleted.
        std::fs::remove_file(project.path().join("public/_redirects")).unwrap();
        std::fs::remove_file(project.path().join("public/_headers")).unwrap();
        project.write("twinsite.toml", &config);
        let without = project.json(&["deploy"]);
        // The table tells in mode `origin` what paths mean, too.
        let objects = if mode == "origin" { 0 } else { 3 };
        assert_eq!(without["primary"]["deleted"], json!(objects), "{mode}");
    }
}

#[test]
fn malformed_rules_and_circles_are_errors_with_their_lines() {
    let project = Project::new();
    project.local(&["apply", "--yes"]);
    for (file, text, message) in [
        ("_redirects", "# rules\n/old\n", "_redirects:2:5: the rule has no target"),
        ("_redirects", "/a /b\n/b /a\n", "redirects in a circle: /a -> /b -> /a"),
        ("_redirects", "/a https://www.example.com/a\n", "redirects in a circle: /a -> /a"),
        ("_headers", "/x\n  nothing\n", "_headers:2:3: `nothing` is neither a path nor `Name: value`"),
    ] {
        project.write(&format!("public/{file}"), text);
        for args in [&["deploy", "--local"][..], &["deploy", "--dry-run", "--local"], &["deploy", "--local", "--json"]]
        {
            let refused = project.run(args);
            let said = refused.err() + &refused.out();
            assert!(refused.code() == 2 && said.contains(message), "{args:?}: {} {said}", refused.code());
        }
        std::fs::remove_file(project.path().join("public").join(file)).unwrap();
    }
}
