//! `cargo xtask tidy`: the house's own checks. Each finding names the file, the line and what to do.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use walkdir::WalkDir;

use crate::process::root;

const MAX_LINES: usize = 400;

/// What each crate may import from the workspace; development dependencies are free.
const FLOORS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("aws", &["core"]),
    ("sync", &["core", "aws"]),
    ("s3-site", &["core", "aws"]),
    ("cdn", &["core", "aws"]),
    ("dns-failover", &["core", "aws"]),
    ("local", &["core", "aws"]),
    ("cli", &["core", "aws", "sync", "s3-site", "cdn", "dns-failover", "local"]),
];

/// Fails with every finding at once.
pub(crate) fn run() -> Result<()> {
    let root = root();
    let mut findings = architecture(&root)?;
    for member in members(&root)? {
        findings.extend(manifest(&root, &member)?);
        for file in sources(&member) {
            findings.extend(source(&root, &file)?);
        }
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

fn architecture(root: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("read ARCHITECTURE.md")?;
    let missing = members(root)?.into_iter().map(|member| name(&member));
    let missing =
        missing.filter(|name| !text.contains(&format!("`crates/{name}`")) && !text.contains(&format!("`{name}`")));
    Ok(missing.map(|name| format!("ARCHITECTURE.md:1: does not name `{name}`: add it to the code map")).collect())
}

fn manifest(root: &Path, member: &Path) -> Result<Vec<String>> {
    let path = member.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
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
            findings.push(format!("{file}:{line}: `{member}` may not import `{key}`: see ARCHITECTURE.md, floors"));
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
    FLOORS.iter().any(|(name, below)| *name == member && below.contains(&dependency))
}

fn source(root: &Path, path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let file = shown(root, path);
    let lines = text.lines().count();
    let mut findings = Vec::new();
    if lines > MAX_LINES {
        findings.push(format!("{file}:{MAX_LINES}: {lines} lines: split it, {MAX_LINES} is the cap"));
    }
    if file.ends_with("src/lib.rs") && !text.starts_with("//!") {
        findings.push(format!("{file}:1: open with `//!`: what the crate does and never does"));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(member: &str, text: &str) -> Vec<String> {
        manifest_findings(member, &text.parse().unwrap(), text, "Cargo.toml")
    }

    #[test]
    fn a_crate_may_not_import_from_its_own_floor() {
        let text = "[lints]\nworkspace = true\n[dependencies]\ntwinsite-cdn.workspace = true\n";
        let found = findings("s3-site", text);
        assert_eq!(found, ["Cargo.toml:4: `s3-site` may not import `twinsite-cdn`: see ARCHITECTURE.md, floors"]);
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
}
