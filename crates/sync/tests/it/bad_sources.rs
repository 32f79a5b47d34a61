use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use twinsite_sync::{Fault, Rules, SourceError, walk};

use crate::{site, write};

fn faults(dir: &std::path::Path) -> Vec<Fault> {
    match walk(dir, &Rules::web()) {
        Err(SourceError::Unpublishable(problems)) => problems.into_iter().map(|problem| problem.fault).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_source_that_is_missing_empty_or_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(walk(dir.path().join("none"), &Rules::web()), Err(SourceError::Missing(_))));
    assert!(matches!(walk(dir.path(), &Rules::web()), Err(SourceError::Empty(_))));
    write(dir.path(), "file", "x");
    assert!(matches!(walk(dir.path().join("file"), &Rules::web()), Err(SourceError::NotADirectory(_))));
    write(dir.path(), ".twinsiteignore", "*");
    assert!(matches!(walk(dir.path(), &Rules::web()), Err(SourceError::Empty(_))));
}

#[test]
fn links_within_are_followed_and_all_others_refused() {
    let (dir, outside) = (site(), site());
    symlink("assets", dir.path().join("static")).unwrap();
    assert!(walk(dir.path(), &Rules::web()).unwrap().get(&"static/app.css".parse().unwrap()).is_some());
    symlink("nowhere", dir.path().join("broken")).unwrap();
    symlink(outside.path(), dir.path().join("out")).unwrap();
    symlink("..", dir.path().join("assets/up")).unwrap();
    let faults = faults(dir.path());
    assert!(faults.contains(&Fault::Broken) && faults.contains(&Fault::Loop), "{faults:?}");
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Escapes(_))), "{faults:?}");
    write(dir.path(), ".twinsiteignore", "broken\nout\nup\nstatic\n");
    walk(dir.path(), &Rules::web()).unwrap();
}

#[test]
fn what_is_not_a_file_is_never_opened() {
    let dir = site();
    let _listener = UnixListener::bind(dir.path().join("socket")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(pipe.success());
    assert_eq!(faults(dir.path()), [Fault::NotAFile, Fault::NotAFile]);
}

#[test]
fn names_that_cannot_be_keys_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = site();
    std::fs::write(dir.path().join(OsStr::from_bytes(b"bad\xff")), "x").unwrap();
    let deep = ["d".repeat(250), "e".repeat(250), "f".repeat(250), "g".repeat(250), "h".repeat(30)].join("/");
    write(dir.path(), &deep, "x");
    let faults = faults(dir.path());
    assert!(faults.contains(&Fault::NotUtf8) && faults.contains(&Fault::TooLong(1034)), "{faults:?}");
}

#[test]
fn names_that_are_only_odd_are_kept_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let odd = ["a b", "a+b", "100%", "a#b", "a&b", "a?b", "~a", "it's", "Ü", "U\u{308}", ".hidden", "t\tn\n", "A", "a"];
    for name in odd {
        write(dir.path(), name, name);
    }
    let source = walk(dir.path(), &Rules::web()).unwrap();
    let mut keys: Vec<_> = source.objects().iter().map(|object| object.key.as_str()).collect();
    let mut names = odd.to_vec();
    keys.sort_unstable();
    names.sort_unstable();
    assert_eq!(keys, names);
}
