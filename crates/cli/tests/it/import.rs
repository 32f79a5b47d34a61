//! `import` by the real binary: what it writes, what it refuses to overwrite, and what it prints.

use crate::Project;

/// A site of which the configuration was lost.
fn lost() -> Project {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    std::fs::rename(project.path().join("twinsite.toml"), project.path().join("old.toml")).unwrap();
    project
}

#[test]
fn a_lost_configuration_is_written_again_and_nothing_is_pending() {
    let project = lost();
    let file = project.path().join("twinsite.toml");
    let dry = project.local(&["import", "--domain", "www.example.com", "--dry-run"]);
    assert!(dry.out().contains("[site]\ndomain = \"www.example.com\"") && dry.out().contains("nothing was written"));
    assert!(!file.exists());
    let result = project.json(&["import", "--domain", "www.example.com"]);
    assert_eq!((&result["event"], &result["mode"]), (&"imported".into(), &"layered".into()));
    assert_eq!(result["plan"]["steps"].as_array().unwrap().len(), 0, "{result}");
    assert_eq!((&result["refused"], &result["path"]), (&serde_json::Value::Null, &"twinsite.toml".into()));
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(result["configuration"], written);
    let checked = project.run(&["plan", "--check", "--local"]);
    assert_eq!(checked.code(), 0, "{}", checked.out());

    let again = project.run(&["import", "--domain", "www.example.com", "--local"]);
    assert_eq!(again.code(), 2, "{}", again.err());
    assert!(again.err().contains("already exists") && again.err().contains("--force"), "{}", again.err());
    project.write("twinsite.toml", "broken");
    project.local(&["import", "--domain", "www.example.com", "--force"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
}

#[test]
fn stdout_has_the_configuration_alone() {
    let project = lost();
    let printed = project.local(&["import", "--bucket", "s3://www.example.com", "--output", "-"]);
    project.write("twinsite.toml", &printed.out());
    let checked = project.run(&["plan", "--check", "--local"]);
    assert_eq!(checked.code(), 0, "{}{}", checked.out(), checked.err());
}

#[test]
fn what_is_not_there_or_not_named_is_refused() {
    let project = Project::new();
    std::fs::remove_file(project.path().join("twinsite.toml")).unwrap();
    for (args, code, told) in [
        (&["import"][..], 2, "pass --bucket, --distribution or --domain"),
        (
            &["import", "--domain", "www.example.com"],
            1,
            "no distribution of this account has `www.example.com` as alias",
        ),
        (&["import", "--domain", "WWW.example.com"], 2, "lower case"),
        (&["import", "--bucket", "B"], 2, "--bucket"),
    ] {
        let ran = project.run(&[args, &["--local"]].concat());
        assert_eq!(ran.code(), code, "{args:?}: {}", ran.err());
        assert!(ran.err().contains(told), "{args:?}: {}", ran.err());
    }
    assert!(!project.path().join("twinsite.toml").exists());
}
