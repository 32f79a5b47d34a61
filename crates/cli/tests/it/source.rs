//! Which directories are published, what is withheld from them, and how that is said.

use serde_json::json;

use crate::{CONFIG, Project};

fn refused(project: &Project, args: &[&str], code: i32, parts: &[&str]) {
    let ran = project.run(&[args, &["--local"]].concat());
    assert_eq!(ran.code(), code, "{args:?}: {}", ran.err());
    for part in parts {
        assert!(ran.err().contains(part), "{args:?} does not say `{part}`: {}", ran.err());
    }
}

#[test]
fn the_root_of_a_project_and_a_directory_without_index_are_refused_with_a_way_out() {
    let project = Project::new();
    project.write("dist/index.html", "built");
    project.write("index.html", "source");
    refused(
        &project,
        &["deploy", "."],
        2,
        &["root of a project", "`twinsite.toml`", "deploy ./dist", "--allow-project-root"],
    );
    project.write("site/browser/index.html", "x");
    refused(&project, &["deploy", "site"], 2, &["no `index.html` at its top", "--allow-no-index"]);
    project.local(&["deploy", "dist", "--apply"]);
    project.local(&["deploy", "site", "--allow-no-index", "--delete", "none"]);
    let all = project.json(&["deploy", ".", "--allow-project-root", "--delete", "none", "--dry-run"]);
    assert!(!all.to_string().contains("twinsite.toml"), "{all}");
    project.write("twinsite.toml", &format!("{CONFIG}[publish]\nrequire_index = false\nrefuse_project_root = false\n"));
    project.local(&["deploy", "site", "--delete", "none"]);
}

#[test]
fn a_site_that_has_lost_most_of_its_pages_replaces_nothing() {
    let project = Project::new();
    for n in 0..60 {
        project.write(&format!("public/page-{n}/index.html"), "page");
    }
    project.local(&["deploy", "--apply"]);
    project.write("other/index.html", "home");
    refused(&project, &["deploy", "other"], 1, &["62 of 65", "50 % of all pages", "--max-delete 62"]);
    refused(&project, &["deploy", "other", "--yes"], 1, &["50 % of all pages"]);
    assert_eq!(project.json(&["deploy"])["primary"]["unchanged"], json!(65));
    assert_eq!(project.json(&["deploy", "other", "--max-delete", "62"])["primary"]["deleted"], json!(62));
}

#[test]
fn what_is_withheld_is_named_and_can_be_published_on_purpose() {
    let project = Project::new();
    for name in [".env", ".ssh/id_rsa", "dump.sql", ".well-known/twinsite/stop.txt"] {
        project.write(&format!("public/{name}"), "secret");
    }
    let first = project.local(&["deploy", "--apply"]).err();
    for part in
        ["3 names", "prefix is reserved", "`.env` (environment file)", "`.ssh/`", "`!/.env`", "`.well-known/twinsite/`"]
    {
        assert!(first.contains(part), "no `{part}` in {first}");
    }
    let all = project.local(&["deploy", "-v"]).err();
    assert!(all.contains("withhold dump.sql  database or dump"), "{all}");
    project.write("public/.twinsiteignore", "!/.env\n!/.well-known/twinsite/\ndrats/\n");
    let ran = project.local(&["deploy"]);
    assert!(ran.out().contains("1 put"), "{}", ran.out());
    assert!(
        ran.err().contains("2 names") && ran.err().contains("`drats/` in `.twinsiteignore`, line 3"),
        "{}",
        ran.err()
    );
}

#[test]
fn ignore_rules_that_cannot_be_understood_publish_nothing() {
    let project = Project::new();
    project.write("public/.twinsiteignore", "*.map\nab[c\n");
    refused(&project, &["deploy"], 2, &["public/.twinsiteignore", "line 2, column 3", "not closed"]);
    std::fs::write(project.path().join("public/.twinsiteignore"), b"secr\xe9t.txt").unwrap();
    refused(&project, &["deploy"], 2, &["line 1, column 5", "UTF-8"]);
    std::fs::remove_file(project.path().join("public/.twinsiteignore")).unwrap();
    for pattern in ["ab[c", "!", "[z-a]"] {
        project.write("twinsite.toml", &format!("{CONFIG}[publish]\nignore = [\"*.map\", \"{pattern}\"]\n"));
        refused(&project, &["deploy"], 2, &["line 10, column 20", "ignore pattern"]);
    }
    assert!(!project.path().join(".twinsite/local").exists());
}

#[test]
fn a_site_without_a_document_for_missing_pages_is_told_of_it() {
    let project = Project::new();
    assert!(!project.local(&["deploy", "--apply"]).err().contains("there is no `404.html`"));
    std::fs::remove_file(project.path().join("public/404.html")).unwrap();
    let said = project.local(&["deploy", "--dry-run"]).err();
    assert!(said.contains("there is no `404.html`") && said.contains("not_found"), "{said}");
    let config = std::fs::read_to_string(project.path().join("twinsite.toml")).unwrap();
    project.write("twinsite.toml", &format!("{config}\n[publish]\nnot_found = \"\"\n"));
    assert!(!project.local(&["deploy", "--dry-run"]).err().contains("there is no"), "none is wanted");
}

/// Packs `public` with the system's own tools.
fn pack(project: &Project, command: &str) {
    let ran = std::process::Command::new("sh").args(["-c", command]).current_dir(project.path()).output().unwrap();
    assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn archives_are_published_as_their_directory_is() {
    let project = Project::new();
    project.local(&["deploy", "--apply"]);
    let python = "python3 -c \"import os, zipfile; z = zipfile.ZipFile('site.zip', 'w', zipfile.ZIP_DEFLATED); \
                  [z.write(os.path.join(d, f), os.path.relpath(os.path.join(d, f), 'public')) for d, _, fs in os.walk('public') for f in fs]\"";
    for (command, name) in [
        ("tar -cf site.tar -C public .", "site.tar"),
        ("tar -czf site.tgz -C public .", "site.tgz"),
        ("tar --format=pax -czf no-name -C public .", "no-name"),
        (python, "site.zip"),
    ] {
        pack(&project, command);
        let deployed = project.json(&["deploy", name]);
        assert_eq!((&deployed["primary"]["put"], &deployed["primary"]["unchanged"]), (&json!(0), &json!(5)), "{name}");
        project.local(&["verify", name]);
    }
    project.write("public/about/index.html", "changed");
    pack(&project, "tar -czf site.tgz -C public .");
    let mut command = project.command(&["deploy", "-", "--local", "--json"]);
    let input = std::fs::File::open(project.path().join("site.tgz")).unwrap();
    let ran = crate::Ran(command.stdin(input).output().unwrap());
    assert_eq!((ran.code(), &ran.lines().pop().unwrap()["primary"]["put"]), (0, &json!(1)), "{}", ran.err());
}

#[test]
fn archives_that_lead_elsewhere_are_refused() {
    let project = Project::new();
    project.local(&["apply"]);
    let tar = |name: &str, kind: &str| {
        format!(
            "python3 -c \"import io, tarfile; t = tarfile.open('evil.tar', 'w'); i = tarfile.TarInfo('{name}'); i.type = {kind}; \
             i.linkname = '/etc/passwd'; i.size = 0; t.addfile(i, io.BytesIO(b''))\""
        )
    };
    for (name, kind, said) in [
        ("../evil", "tarfile.REGTYPE", "leads out"),
        ("/evil", "tarfile.REGTYPE", "leads out"),
        ("a/../../evil", "tarfile.REGTYPE", "leads out"),
        ("link", "tarfile.SYMTYPE", "neither a file nor a folder"),
        ("link", "tarfile.LNKTYPE", "neither a file nor a folder"),
        ("pipe", "tarfile.FIFOTYPE", "neither a file nor a folder"),
    ] {
        pack(&project, &tar(name, kind));
        let ran = project.run(&["deploy", "evil.tar", "--local"]);
        assert!(ran.code() == 2 && ran.err().contains(said), "{name} {kind}: {} {}", ran.code(), ran.err());
    }
    project.write("no.tar", "no archive at all");
    let ran = project.run(&["deploy", "no.tar", "--local"]);
    assert!(ran.code() == 2 && ran.err().contains("no.tar"), "{} {}", ran.code(), ran.err());
}
