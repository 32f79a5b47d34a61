//! The documentation's own commands, run as a reader would.

use std::process::{Command, Stdio};

use crate::Ran;

/// The blocks of a page with this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Runs commands in a shell, in an empty directory, with `twinsite` on the path. The first that fails ends it.
fn run_in_order(script: &str) -> Ran {
    let project = tempfile::tempdir().unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_twinsite")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", binary.display());
    let mut shell = Command::new("sh");
    shell.args(["-euxc", script]).current_dir(project.path()).env_clear().env("PATH", path).env("HOME", project.path());
    let ran = Ran(shell.env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null()).output().unwrap());
    assert_eq!(ran.code(), 0, "{}\n{}", ran.out(), ran.err());
    ran
}

#[test]
fn the_quick_start_without_an_account_ends_green() {
    let page = include_str!("../../../../docs/src/quick-start-local.md");
    let commands = blocks(page, "sh");
    assert!(commands.len() >= 6, "{commands:?}");
    // The page is not served for ever, but it is seen that the last deploy before the drill is what visitors would get.
    let said = run_in_order(&commands.concat()).out();
    for expected in [
        "release  1",
        "nothing to do: 3 objects up to date",
        "www.example.com, mode layered: healthy",
        "restores release 1",
        "objective met",
        "destroyed: ",
    ] {
        assert!(said.contains(expected), "`{expected}` is missing in {said}");
    }
    let shown = blocks(page, "text");
    let line = shown[0].lines().next().unwrap();
    assert!(line.starts_with("primary  3 put (169 B)") && said.contains(line.split(',').next().unwrap()), "{line}");
}

#[test]
fn completions_and_man_pages_are_written() {
    run_in_order(&blocks(include_str!("../../../../docs/src/install.md"), "sh").concat());
    let pages = run_in_order(
        "twinsite man man1 --json; grep -c . man1/twinsite-cert-import.1; grep -q 'dry.*run' man1/twinsite-deploy.1",
    );
    let out = pages.out();
    let result: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    let names: Vec<&str> = result["pages"].as_array().unwrap().iter().filter_map(|page| page.as_str()).collect();
    assert!(result["event"] == "man-pages" && names.len() > 18 && names.contains(&"twinsite.1"), "{names:?}");
}
