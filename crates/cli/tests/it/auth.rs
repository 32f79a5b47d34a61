//! Protected paths: the real binary makes hashes, and refuses what it cannot protect.

use std::io::Write as _;
use std::process::Stdio;

use crate::{CONFIG, Project, Ran};

/// `printf 'correct horse battery'`, hashed by Python: `hmac.new(b'00' * 16, …, 'sha256').hexdigest()`.
const HASH: &str =
    "hmac-sha256:00000000000000000000000000000000:ab52e1e1b2b7faa0bed913195fbb2706683be3635c3006fc5ea86317a2bc54c1";

fn hash(project: &Project, args: &[&str], password: &str) -> Ran {
    let mut command = project.command(&[&["auth", "hash"], args].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    Ran(child.wait_with_output().unwrap())
}

#[test]
fn hashes_are_made_of_standard_input_and_each_has_its_own_salt() {
    let project = Project::new();
    let hashes = ["correct horse battery\n", "correct horse battery\r\n"].map(|password| {
        let ran = hash(&project, &[], password);
        assert_eq!(ran.code(), 0, "{}", ran.err());
        ran.out().trim().to_owned()
    });
    assert_ne!(hashes[0], hashes[1]);
    assert!(hashes.iter().all(|hash| hash.starts_with("hmac-sha256:") && hash.len() == 109), "{hashes:?}");
    let json = hash(&project, &["--json"], "correct horse battery");
    assert!(json.lines().pop().unwrap()["hash"].as_str().unwrap().starts_with("hmac-sha256:"), "{}", json.out());
    let short = hash(&project, &[], "secret\n");
    assert_eq!(short.code(), 2, "{}", short.err());
    assert!(short.err().contains("fewer than 12 characters") && !short.err().contains("secret"), "{}", short.err());
}

#[test]
fn only_mode_origin_protects_paths_and_hashes_are_checked_without_being_shown() {
    let project = Project::new();
    let plan = |mode: &str, hash: &str| {
        let config = CONFIG.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]"));
        project.write(
            "twinsite.toml",
            &format!("{config}[[auth]]\npath = \"/admin/*\"\nusers = {{ alice = \"{hash}\" }}\n"),
        );
        let mut command = project.command(&["plan", "--local"]);
        Ran(command.env("ALICE", HASH).output().unwrap())
    };
    for mode in ["dns", "layered"] {
        let refused = plan(mode, HASH);
        assert_eq!(refused.code(), 2, "{}", refused.err());
        let told = refused.err();
        assert!(told.contains("/admin/*") && told.contains("mode = \"origin\"") && told.contains("public"), "{told}");
    }
    for wrong in ["$2y$10$abcdefghijklmnopqrstuv", "topsecretpassword"] {
        let refused = plan("origin", wrong);
        assert_eq!(refused.code(), 2, "{}", refused.err());
        assert!(refused.err().contains("twinsite auth hash") && !refused.err().contains(wrong), "{}", refused.err());
    }
    let planned = plan("origin", "${ALICE}");
    assert_eq!(planned.code(), 0, "{}", planned.err());
    assert!(!planned.out().contains(HASH.rsplit(':').next().unwrap()), "{}", planned.out());
}
