//! Internal links of the documentation: every file, and every anchor of a heading, that a page links to exists; every page of the
//! book is in its table of contents.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

/// Pages outside of which nothing is looked for.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", "public"];

/// Where the pages of the book are, and its table of contents.
const BOOK: &str = "docs/src";
const CONTENTS: &str = "docs/src/SUMMARY.md";

/// One broken link, or page without a link, per entry.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    let entries = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| !is_skipped(entry));
    for entry in entries {
        let path = entry?.into_path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            pages.insert(path.strip_prefix(root)?.to_owned(), text);
        }
    }
    Ok(page_findings(&pages, |file| root.join(file).exists()))
}

fn is_skipped(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_type().is_dir() && SKIPPED.contains(&entry.file_name().to_string_lossy().as_ref())
}

fn page_findings(pages: &BTreeMap<PathBuf, String>, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    let mut listed = Vec::new();
    for (page, text) in pages {
        for (line, target) in links(text) {
            if let Some(file) = in_repository(&target) {
                if !exists(Path::new(file)) {
                    findings.push(format!("{}:{line}: there is no `{file}`", page.display()));
                }
                continue;
            }
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(f, a)| (f, Some(a)));
            let linked = if file.is_empty() { page.clone() } else { normal(&page.with_file_name(""), file) };
            let shown = page.display();
            if page == Path::new(CONTENTS) {
                listed.push(linked.clone());
            }
            if page.starts_with(BOOK) && !linked.starts_with(BOOK) {
                findings.push(format!(
                    "{shown}:{line}: `{target}` is not part of the book: use an address of the repository"
                ));
            } else if !exists(&linked) {
                findings.push(format!("{shown}:{line}: there is no `{}`", linked.display()));
            } else if let (Some(anchor), Some(text)) = (anchor, pages.get(&linked))
                && !anchors(text).iter().any(|known| known == anchor)
            {
                findings.push(format!("{shown}:{line}: `{}` has no heading `#{anchor}`", linked.display()));
            }
        }
    }
    let book = pages.keys().filter(|page| page.starts_with(BOOK) && *page != Path::new(CONTENTS));
    let unlisted = book.filter(|page| !listed.contains(page));
    findings.extend(unlisted.map(|page| format!("{CONTENTS}:1: does not list `{}`", page.display())));
    findings
}

/// The file that an address of the repository names, as it is on the main branch.
fn in_repository(target: &str) -> Option<&str> {
    let path = target.strip_prefix(env!("CARGO_PKG_REPOSITORY"))?;
    let file = path.strip_prefix("/blob/main/").or_else(|| path.strip_prefix("/tree/main/"))?;
    file.split('#').next()
}

/// A relative path from a folder, without `.` and `..`.
fn normal(folder: &Path, relative: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in folder.join(relative).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// The lines of a page that are not code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        (!code && !fence).then_some((index + 1, line))
    })
}

/// The targets of the links of a page: `[text](target)`. Inline code has none.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        let targets = plain.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        found.extend(targets.map(|target| (number, target.to_owned())));
    }
    found
}

/// The anchors of the headings of a page, as GitHub and mdBook make them.
fn anchors(text: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    let mut found = Vec::new();
    for (_, line) in headings {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = counts.entry(anchor.clone()).or_default();
        found.push(if *count == 0 { anchor.clone() } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pages: &[(&str, &str)]) -> Vec<String> {
        let pages: BTreeMap<PathBuf, String> =
            pages.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect();
        page_findings(&pages, |file| pages.contains_key(file))
    }

    #[test]
    fn broken_files_and_anchors_are_found() {
        let readme = "[a](docs/src/a.md#two-words) [b](docs/src/b.md) [c](docs/src/a.md#three)\n[d](https://x.test)\n";
        let page =
            "# Two `words`\n\n[up](../../README.md)\n[x](#two-words)\n```\n[code](none.md)\n```\n`[inline](none.md)`\n";
        let contents = "- [A](a.md)\n";
        let found = found(&[("README.md", readme), ("docs/src/a.md", page), ("docs/src/SUMMARY.md", contents)]);
        assert_eq!(
            found,
            [
                "README.md:1: there is no `docs/src/b.md`",
                "README.md:1: `docs/src/a.md` has no heading `#three`",
                "docs/src/a.md:3: `../../README.md` is not part of the book: use an address of the repository",
            ]
        );
    }

    #[test]
    fn addresses_of_files_of_the_repository_are_checked() {
        let page = format!("[a]({0}/blob/main/b.md) [c]({0}/tree/main/README.md#x)\n", env!("CARGO_PKG_REPOSITORY"));
        assert_eq!(found(&[("README.md", &page)]), ["README.md:1: there is no `b.md`"]);
    }

    #[test]
    fn every_page_of_the_book_is_in_its_table_of_contents() {
        let found =
            found(&[("docs/src/SUMMARY.md", "- [A](a.md)\n"), ("docs/src/a.md", "# A\n"), ("docs/src/b.md", "# B\n")]);
        assert_eq!(found, ["docs/src/SUMMARY.md:1: does not list `docs/src/b.md`"]);
    }

    #[test]
    fn equal_headings_are_numbered() {
        assert_eq!(anchors("# A b\n## A b\n### [C-d]\n"), ["a-b", "a-b-1", "c-d"]);
    }
}
