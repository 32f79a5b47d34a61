//! `cargo xtask tidy`: checks of structure and style. Each finding names the file, the line and what to do.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use walkdir::WalkDir;

use crate::process::root;
use crate::{cycles, links, messages};

const MAX_LINES: usize = 600;

/// Parameters that are tuple patterns: a named struct says what they are. This number may only shrink.
const TUPLE_PARAMETERS: usize = 22;

/// Crates whose modules still import one another. This list may only shrink.
const CYCLIC: &[&str] = &[];

/// Crates that are used alone: each has a README, licences, two examples and metadata for docs.rs.
const PUBLISHED: &[&str] = &["cdn", "dns-failover", "https-standby", "local", "s3-site", "site", "sync"];

/// What each crate may import from the workspace; development dependencies are free.
const LAYERS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("aws", &["core"]),
    ("aws-session", &["core", "aws"]),
    ("rules", &[]),
    ("sync", &["core", "aws"]),
    ("s3-site", &["core", "aws"]),
    ("cdn", &["core", "aws", "rules"]),
    ("dns-failover", &["core", "aws"]),
    ("https-standby", &["core", "aws"]),
    ("local", &["core", "aws"]),
    ("site", &["core", "aws", "aws-session", "rules", "sync", "s3-site", "cdn", "dns-failover", "https-standby"]),
    ("cli", &["core", "aws", "rules", "sync", "s3-site", "cdn", "dns-failover", "site", "local"]),
    ("xtask", &[]),
];

/// Fails with every finding at once.
pub(crate) fn run() -> Result<()> {
    let root = root();
    let mut findings = architecture(&root)?;
    findings.extend(links::findings(&root)?);
    findings.extend(messages::findings(&root)?);
    let mut tuples = Vec::new();
    for member in members(&root)? {
        findings.extend(manifest(&root, &member)?);
        findings.extend(published(&root, &member)?);
        findings.extend(module_cycles(&root, &member)?);
        for file in sources(&member) {
            findings.extend(source(&root, &file)?);
            tuples.extend(tuple_parameters(&shown(&root, &file), &read(&file)?));
        }
    }
    if tuples.len() != TUPLE_PARAMETERS {
        let count = tuples.len();
        let list = if count > TUPLE_PARAMETERS { format!(":\n  {}", tuples.join("\n  ")) } else { String::new() };
        findings.push(format!("{count} parameters are tuple patterns, tidy.rs allows {TUPLE_PARAMETERS}{list}"));
    }
    if findings.is_empty() {
        return Ok(());
    }
    bail!("tidy found {}:\n{}", findings.len(), findings.join("\n"))
}

fn members(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root.join("crates")).context("list crates")?;
    let mut members: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    members.push(root.join("xtask"));
    members.sort();
    Ok(members)
}

fn sources(member: &Path) -> Vec<PathBuf> {
    let files = WalkDir::new(member).into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

fn module_cycles(root: &Path, member: &Path) -> Result<Vec<String>> {
    let found = cycles::findings(member, &shown(root, member))?;
    let listed = CYCLIC.contains(&name(member).as_str());
    Ok(match (listed, found.is_empty()) {
        (true, true) => {
            vec![format!("{}: has no cycle any more: remove it from CYCLIC in tidy.rs", shown(root, member))]
        }
        (true, false) => Vec::new(),
        (false, _) => found,
    })
}

fn published(root: &Path, member: &Path) -> Result<Vec<String>> {
    if !PUBLISHED.contains(&name(member).as_str()) {
        return Ok(Vec::new());
    }
    let folder = shown(root, member);
    let files = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"].into_iter().filter(|file| !member.join(file).exists());
    let mut findings: Vec<String> = files.map(|file| format!("{folder}: add {file}")).collect();
    let examples = std::fs::read_dir(member.join("examples")).map_or(0, Iterator::count);
    if examples < 2 {
        findings.push(format!("{folder}: has {examples} examples, two are expected"));
    }
    let manifest = read(&member.join("Cargo.toml"))?;
    for key in ["readme", "documentation", "[package.metadata.docs.rs]"] {
        if !manifest.lines().any(|line| line.starts_with(key)) {
            findings.push(format!("{folder}/Cargo.toml: add `{key}`"));
        }
    }
    Ok(findings)
}

/// Parameters of the form `(a, b): (A, B)`.
fn tuple_parameters(file: &str, text: &str) -> Vec<String> {
    let pattern = |line: &str| {
        let rest = line.split_once('(').map(|(_, rest)| rest)?;
        let (names, rest) = rest.split_once(')')?;
        let plain = names.contains(", ") && names.chars().all(|c| c.is_alphanumeric() || "_ ,".contains(c));
        (plain && rest.starts_with(": (")).then_some(())
    };
    let lines = text.lines().enumerate().filter(|(_, line)| {
        let start = line.trim_start();
        start.starts_with('(') && pattern(start).is_some()
    });
    lines.map(|(index, line)| format!("{file}:{}: {}", index + 1, line.trim())).collect()
}

fn architecture(root: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("read ARCHITECTURE.md")?;
    let there: Vec<String> = members(root)?.iter().map(|member| name(member)).collect();
    Ok(architecture_findings(&text, &there))
}

fn architecture_findings(text: &str, there: &[String]) -> Vec<String> {
    let named = |name: &String| text.contains(&format!("`crates/{name}`")) || text.contains(&format!("`{name}`"));
    let missing = there.iter().filter(|name| !named(name));
    let missing = missing.map(|name| format!("ARCHITECTURE.md:1: does not name `{name}`: add it to the code map"));
    let gone = text.lines().enumerate().flat_map(|(line, text)| {
        let names = text.split("`crates/").skip(1).filter_map(|rest| rest.split(['`', '/']).next());
        names.filter(|name| !there.iter().any(|there| there == name)).map(move |name| (line + 1, name))
    });
    let gone = gone.map(|(line, name)| format!("ARCHITECTURE.md:{line}: there is no `crates/{name}`"));
    missing.chain(gone).collect()
}

fn manifest(root: &Path, member: &Path) -> Result<Vec<String>> {
    let path = member.join("Cargo.toml");
    let text = read(&path)?;
    let table: Table = text.parse().with_context(|| format!("parse {}", path.display()))?;
    Ok(manifest_findings(&name(member), &table, &text, &shown(root, &path)))
}

fn manifest_findings(member: &str, table: &Table, text: &str, file: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !inherits(table.get("lints")) {
        findings.push(format!("{file}:1: add `[lints] workspace = true`"));
    }
    for (section, key, value) in dependencies(table) {
        let line = text.lines().position(|line| line.starts_with(key)).map_or(1, |index| index + 1);
        if !inherits(Some(value)) {
            findings.push(format!("{file}:{line}: write `{key}.workspace = true`"));
        }
        if section == "dependencies" && !allowed(member, key) {
            findings.push(format!("{file}:{line}: `{member}` may not import `{key}`: see ARCHITECTURE.md, layers"));
        }
    }
    findings
}

fn dependencies(table: &Table) -> impl Iterator<Item = (&'static str, &String, &Value)> {
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    sections.into_iter().flat_map(|section| {
        let entries = table.get(section).and_then(Value::as_table).into_iter().flatten();
        entries.map(move |(key, value)| (section, key, value))
    })
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn allowed(member: &str, dependency: &str) -> bool {
    let Some(dependency) = dependency.strip_prefix("twinsite-") else { return true };
    LAYERS.iter().any(|(name, below)| *name == member && below.contains(&dependency))
}

fn source(root: &Path, path: &Path) -> Result<Vec<String>> {
    let text = read(path)?;
    Ok(source_findings(&shown(root, path), &text))
}

/// Modules in which a word may be used, and what to do elsewhere.
struct AllowedModules {
    word: &'static str,
    modules: &'static [&'static str],
    instead: &'static str,
}

const ALLOWED: &[AllowedModules] = &[
    AllowedModules {
        word: "aws_sdk_",
        modules: &[
            "wire",
            "calls",
            "observe",
            "session",
            "fixed_endpoint",
            "throttles",
            "lib",
            "s3",
            "clients",
            "local",
            "whole_site",
            "tests",
        ],
        instead: "SDK types stay in wire, calls and observe: give other modules a type of this crate",
    },
    AllowedModules { word: "indicatif::", modules: &["render"], instead: "bars belong to crates/cli/src/render" },
];

/// What a commit must not have in it, in two halves so that this file does not have it either.
const NOWHERE: &[(&str, &str)] = &[("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Use", "rs/")];

fn source_findings(file: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        findings.push(format!("{file}:{MAX_LINES}: {lines} lines: split it, {MAX_LINES} is the cap"));
    }
    if file.ends_with("src/lib.rs") {
        findings.extend(opening(file, text));
    }
    // This file has the words in its rules.
    let code = file.contains("/src/") && !file.ends_with("tidy.rs");
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let comment = line.trim_start().starts_with("//");
        let misplaced =
            ALLOWED.iter().filter(|allowed| code && !comment && line.contains(allowed.word) && !allowed.has(file));
        findings.extend(misplaced.map(|allowed| format!("{file}:{number}: `{}`: {}", allowed.word, allowed.instead)));
        let machine = NOWHERE.iter().any(|(a, b)| line.contains(&format!("{a}{b}")));
        if machine {
            findings.push(format!("{file}:{number}: names a path of one machine: use a relative or temporary one"));
        }
    }
    findings
}

impl AllowedModules {
    /// A file belongs to a module if it, or a folder above it below `src`, has the module's name.
    fn has(&self, file: &str) -> bool {
        let inside = file.split("/src/").last().unwrap_or_default().trim_end_matches(".rs");
        inside.split('/').any(|part| self.modules.contains(&part))
    }
}

/// Every library opens with what it is for, and an example that is compiled.
fn opening(file: &str, text: &str) -> Option<String> {
    // The example is in the README then, which is compiled as part of the documentation.
    if text.starts_with("#![doc = include_str!(\"../README.md\")]") {
        return None;
    }
    let opening: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if opening.is_empty() {
        return Some(format!("{file}:1: open with `//!`: what the crate does and never does"));
    }
    let example = opening.iter().any(|line| ["//! ```", "//! ```no_run"].contains(line));
    let library = !file.starts_with("crates/cli/");
    (library && !example).then(|| format!("{file}:1: give the crate's documentation an example that compiles"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(member: &str, text: &str) -> Vec<String> {
        manifest_findings(member, &text.parse().unwrap(), text, "Cargo.toml")
    }

    #[test]
    fn a_crate_may_not_import_from_its_own_layer() {
        let text = "[lints]\nworkspace = true\n[dependencies]\ntwinsite-cdn.workspace = true\n";
        let found = findings("s3-site", text);
        assert_eq!(found, ["Cargo.toml:4: `s3-site` may not import `twinsite-cdn`: see ARCHITECTURE.md, layers"]);
    }

    #[test]
    fn development_dependencies_are_free() {
        let text = "[lints]\nworkspace = true\n[dev-dependencies]\ntwinsite-local.workspace = true\n";
        assert!(findings("s3-site", text).is_empty());
    }

    #[test]
    fn a_version_outside_the_workspace_is_found() {
        let found = findings("core", "[lints]\nworkspace = true\n[dependencies]\nserde = \"1\"\n");
        assert_eq!(found, ["Cargo.toml:4: write `serde.workspace = true`"]);
    }

    #[test]
    fn words_have_their_modules() {
        let sdk = "use aws_sdk_s3::Client;\n";
        assert!(source_findings("crates/s3-site/src/apply/calls.rs", sdk).is_empty());
        assert!(source_findings("crates/s3-site/tests/it/main.rs", sdk).is_empty());
        assert_eq!(source_findings("crates/s3-site/src/diff.rs", sdk).len(), 1);
        assert_eq!(source_findings("crates/sync/src/plan.rs", "use indicatif::ProgressBar;\n").len(), 1);
        let path = format!("let x = \"{}{}me/x\";\n", "/ho", "me/");
        assert_eq!(source_findings("crates/core/src/run.rs", &path).len(), 1);
    }

    #[test]
    fn libraries_open_with_an_example() {
        assert_eq!(source_findings("crates/core/src/lib.rs", "mod a;\n").len(), 1);
        assert_eq!(source_findings("crates/core/src/lib.rs", "//! It is.\n").len(), 1);
        assert!(source_findings("crates/core/src/lib.rs", "//! It is.\n//! ```\n//! ```\n").is_empty());
    }

    #[test]
    fn the_architecture_names_what_is_there_and_nothing_else() {
        let there = ["core".to_owned(), "cli".to_owned()];
        assert!(architecture_findings("`crates/core` and `crates/cli/src`, `cli`", &there).is_empty());
        let found = architecture_findings("`cli`\n`crates/gone`", &there);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn tuple_patterns_are_found_among_parameters() {
        let text = "fn f(\n    (a, b): (&A, &B),\n    c: (A, B),\n) {\n    let (a, b) = c;\n}\n";
        assert_eq!(tuple_parameters("x.rs", text), ["x.rs:2: (a, b): (&A, &B),"]);
    }
}
