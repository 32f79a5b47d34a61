//! The output of generators: what each file is served with, and when it is sent.
//!
//! `frameworks/NAME.txt` has a line for each file: its path, and the beginning of its content behind two spaces, if that matters.
//! `frameworks/NAME.expected` says what becomes of it. `TWINSITE_UPDATE=1` rewrites the expectations; read the difference.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use twinsite_sync::{Rules, Wave, walk};

use crate::write;

fn described(tree: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    for line in tree.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let (path, text) = line.split_once("  ").unwrap_or((line, "x"));
        write(dir.path(), path, text);
    }
    let source = walk(dir.path(), &Rules::web()).unwrap();
    let mut text = String::new();
    for object in source.objects() {
        let wave = match object.wave {
            Wave::Assets => "assets",
            Wave::Pages => "pages",
            Wave::Entry => "entry",
        };
        let cache = match object.headers.cache_control.as_deref() {
            Some("public, max-age=0, must-revalidate") => "revalidate",
            Some("public, max-age=3600") => "hour",
            Some("public, max-age=31536000, immutable") => "immutable",
            other => panic!("{other:?}"),
        };
        let kind = object.headers.content_type.as_deref().unwrap_or_default();
        let encoding = object.headers.content_encoding.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
        writeln!(text, "{wave:<6}  {cache:<10}  {kind}{encoding}  {}", object.key).unwrap();
    }
    for one in source.withheld() {
        writeln!(text, "withheld  {one}").unwrap();
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "how tests are run is not configuration")]
#[test]
fn the_output_of_generators_is_served_as_they_expect() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/frameworks");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    assert!(names.len() >= 10, "{names:?}");
    let mut wrong = Vec::new();
    for path in names {
        let is = described(&fs::read_to_string(&path).unwrap());
        let expected = path.with_extension("expected");
        if std::env::var_os("TWINSITE_UPDATE").is_some() {
            fs::write(&expected, &is).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != is {
            wrong.push(format!("{}:\n{is}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
