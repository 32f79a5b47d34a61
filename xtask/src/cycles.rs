//! Import cycles between the top-level modules of a crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

/// An import of one top-level module by another, and where it was found first.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

/// A source file: its path below `src`, and its text.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// One line for each cycle between the top-level modules of a crate.
pub(crate) fn findings(member: &Path, shown: &str) -> Result<Vec<String>> {
    let src = member.join("src");
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&src) {
        let path = entry.with_context(|| format!("list {}", src.display()))?.into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            let path = path.strip_prefix(&src)?.to_string_lossy().into_owned();
            files.push(SourceFile { path, text });
        }
    }
    Ok(cycles(&imports(&files))
        .into_iter()
        .map(|cycle| format!("{shown}/src: modules import one another: {cycle}"))
        .collect())
}

/// The top-level module of a file; `None` for `lib.rs` and `main.rs`, which only declare and re-export.
fn module_of(path: &str) -> Option<String> {
    let first = path.split('/').next()?.trim_end_matches(".rs");
    let root = ["lib", "main"].contains(&first) || path.split('/').any(|part| part == "tests" || part == "tests.rs");
    (!root).then(|| first.to_owned())
}

pub(crate) fn imports(files: &[SourceFile]) -> Imports {
    let modules: BTreeSet<String> = files.iter().filter_map(|file| module_of(&file.path)).collect();
    let exports = files.iter().filter(|file| file.path == "lib.rs").flat_map(|file| re_exports(&file.text, &modules));
    let exports: BTreeMap<String, String> = exports.collect();
    let mut imports = Imports::new();
    for file in files {
        let Some(from) = module_of(&file.path) else { continue };
        // `super` leaves a top-level module only from its own file.
        let top = !file.path.contains('/') || file.path.ends_with(&format!("{from}/mod.rs"));
        let code = file.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (line, name) in paths(code, top) {
            let Some(to) = modules.get(&name).or_else(|| exports.get(&name)).filter(|to| **to != from) else {
                continue;
            };
            let place = format!("{}:{line}", file.path);
            imports.entry(from.clone()).or_default().entry(to.clone()).or_insert(place);
        }
    }
    imports
}

/// The first segments of the paths that begin with `crate::`, or with `super::` where that is the root; with their lines.
fn paths(code: &str, super_is_root: bool) -> Vec<(usize, String)> {
    let roots: &[&str] = if super_is_root { &["crate::", "super::"] } else { &["crate::"] };
    let mut found = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(root) {
            let line = code[..at].matches('\n').count() + 1;
            let start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
            if code[start..at].trim_start().starts_with("//") {
                continue;
            }
            let rest = &code[at + root.len()..];
            found.extend(first_segments(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// `a::b` gives `a`; `{a::b, c, d::{e, f}}` gives `a`, `c`, `d`.
fn first_segments(path: &str) -> Vec<String> {
    let name =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut item, mut items) = (0, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(std::mem::take(&mut item)),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                item.push(c);
            }
        }
    }
    items.push(item);
    items.iter().map(|item| name(item)).filter(|name| !name.is_empty()).collect()
}

/// The names that `lib.rs` re-exports, with the module that each comes from.
fn re_exports(text: &str, modules: &BTreeSet<String>) -> Vec<(String, String)> {
    let statements = text.split(';').filter_map(|statement| statement.split_once("use "));
    let sources = statements.filter_map(|(_, path)| {
        let (module, names) = path.split_once("::")?;
        modules.get(module.trim().trim_start_matches("crate::")).map(|module| (module.clone(), names.to_owned()))
    });
    let names = |names: &str| -> Vec<String> {
        let last = names.rsplit_once("::{").map_or(names, |(_, last)| last);
        last.split([',', '{', '}']).map(|name| name.trim().rsplit("::").next().unwrap_or_default().to_owned()).collect()
    };
    sources.flat_map(|(module, list)| names(&list).into_iter().map(move |name| (name, module.clone()))).collect()
}

/// Each strongly connected component of more than one module, with an example for every import within it.
pub(crate) fn cycles(imports: &Imports) -> Vec<String> {
    let reaches = |from: &String| -> BTreeSet<&String> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            for to in imports.get(module).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(to) {
                    next.push(to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|module| (module, reaches(module))).collect();
    let mutual = |a: &String, b: &String| {
        reached.get(a).is_some_and(|all| all.contains(b)) && reached.get(b).is_some_and(|all| all.contains(a))
    };
    let mut done: BTreeSet<&String> = BTreeSet::new();
    let mut found = Vec::new();
    for module in imports.keys() {
        if done.contains(module) || !mutual(module, module) {
            continue;
        }
        let component: Vec<&String> = imports.keys().filter(|other| mutual(module, other)).collect();
        done.extend(&component);
        let inside = |name: &String| component.contains(&name);
        let edges = component.iter().flat_map(|from| {
            let to = imports[*from].iter().filter(|(to, _)| inside(to));
            to.map(move |(to, place)| format!("{from} -> {to} ({place})"))
        });
        found.push(edges.collect::<Vec<_>>().join(", "));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
        cycles(&imports(&files.iter().map(file).collect::<Vec<_>>()))
    }

    #[test]
    fn modules_that_import_one_another_are_a_cycle() {
        let cycle = [("a.rs", "use crate::b::B;\n"), ("b/mod.rs", "fn f() { super::a::g() }\n")];
        assert_eq!(found(&cycle), ["a -> b (a.rs:1), b -> a (b/mod.rs:1)"]);
        assert!(found(&[("a.rs", "use crate::b::B;\n"), ("b.rs", "use std::fmt;\n")]).is_empty());
    }

    #[test]
    fn groups_and_re_exports_are_resolved() {
        let lib = ("lib.rs", "mod a;\nmod b;\npub use b::{B, c::C};\n");
        let through = [lib, ("a.rs", "use crate::{C, x::{y, z}};\n"), ("b.rs", "use crate::a;\n")];
        assert_eq!(found(&through), ["a -> b (a.rs:1), b -> a (b.rs:1)"]);
    }

    #[test]
    fn tests_comments_and_a_modules_own_files_do_not_count() {
        let own = [
            ("a.rs", "// crate::b\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n"),
            ("b/c.rs", "use super::d;\nuse crate::b::d;\nuse crate::a;\n"),
        ];
        assert!(found(&own).is_empty());
    }
}
