//! The documentation's own commands, run as a reader would.

use std::process::{Command, Stdio};

use crate::{CONFIG, Project, Ran};

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

/// What a generator has written once, from the suite of `twinsite-sync`.
fn write_output(project: &Project, directory: &str, generator: &str) {
    let list = format!("{}/../sync/tests/it/frameworks/{generator}.txt", env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(list).unwrap();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, content) = line.split_once("  ").unwrap_or((line, line));
        project.write(&format!("{directory}/{name}"), content);
    }
}

#[test]
fn the_guides_publish_what_their_generators_write() {
    let pages = [
        ("astro", include_str!("../../../../docs/src/guides/astro.md")),
        ("docusaurus", include_str!("../../../../docs/src/guides/docusaurus.md")),
        ("hugo", include_str!("../../../../docs/src/guides/hugo.md")),
        ("mkdocs", include_str!("../../../../docs/src/guides/mkdocs.md")),
        ("next", include_str!("../../../../docs/src/guides/nextjs.md")),
        ("vite", include_str!("../../../../docs/src/guides/vite.md")),
    ];
    let project = Project::new();
    project.local(&["apply"]);
    for (generator, page) in pages {
        let commands = blocks(page, "console").concat();
        let command = commands.lines().find(|line| line.starts_with("twinsite deploy ")).unwrap();
        let directory = command.trim_start_matches("twinsite deploy ");
        write_output(&project, directory, generator);
        // What the guide configures is added to what the project has.
        let configured: String = blocks(page, "toml").concat();
        project.write("twinsite.toml", &format!("{CONFIG}\n{configured}"));
        // The sites have nothing in common, so that each takes the place of the one before.
        let deployed = project.local(&["deploy", directory, "--max-delete", "100%"]).out();
        assert!(deployed.contains("backup   in sync"), "{generator}: {deployed}");
        let verified = project.run(&["verify", directory, "--local"]);
        assert!(verified.code() == 0 || verified.out().contains("superseded"), "{generator}: {}", verified.out());
    }
}
