//! Whether a directory is the output of a build: one that is not replaces a site by something that nobody wanted to publish.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::{Key, Source, SourceError, SourceObject};

/// What is required of a directory before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceChecks {
    /// It has an index document at the top, which is not empty.
    pub index: bool,
    /// It is not the root of a project, with its sources and dependencies.
    pub output_only: bool,
}

impl Default for SourceChecks {
    fn default() -> Self {
        Self { index: true, output_only: true }
    }
}

/// What is at the top of a project and of no build's output.
const PROJECT: &[&str] = &[
    "node_modules",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "deno.json",
    "twinsite.toml",
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "Cargo.toml",
    "go.mod",
    "Gemfile",
    "composer.json",
    "pyproject.toml",
    "hugo.toml",
    "hugo.yaml",
    "mkdocs.yml",
    "mkdocs.yaml",
    "_config.yml",
    "angular.json",
    "gatsby-config.js",
    "gatsby-config.ts",
    "tsconfig.json",
    ".eleventy.js",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "mix.exs",
    "Dockerfile",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yaml",
    "requirements.txt",
    "venv",
    ".venv",
    "__pycache__",
    "bower.json",
    "bower_components",
    "Makefile",
    "main.tf",
    ".github",
    ".gitlab-ci.yml",
    "bitbucket-pipelines.yml",
    "book.toml",
    "conf.py",
    "config.toml",
    "zola.toml",
    "antora-playbook.yml",
    "antora.yml",
    "Package.swift",
    "pubspec.yaml",
    "stack.yaml",
    "deps.edn",
];

/// Beginnings of configuration files of generators, which have several extensions.
const CONFIGURATIONS: &[&str] = &[
    "astro.config.",
    "vite.config.",
    "next.config.",
    "nuxt.config.",
    "svelte.config.",
    "docusaurus.config.",
    "eleventy.config.",
    "webpack.config.",
    "rspack.config.",
];

/// Where generators put their output.
const OUTPUTS: &[&str] = &[
    "dist",
    "build",
    "public",
    "_site",
    "out",
    "site",
    ".output/public",
    "_build/html",
    "docs/.vitepress/dist",
    ".vitepress/dist",
    "book",
    "build/client",
    "target/site",
    "www",
];

/// Refuses the root of a project. The rules of the source do not matter: whoever publishes it has named the wrong directory.
pub(crate) fn check_root(root: &Path, checks: SourceChecks, index: &str) -> Result<(), SourceError> {
    if !checks.output_only {
        return Ok(());
    }
    let found = project_files(root);
    if found.is_empty() {
        Ok(())
    } else {
        Err(SourceError::Project { root: root.to_owned(), found, output: output_in(root, index) })
    }
}

/// Refuses a source without an index document.
pub(crate) fn check_index(source: &Source, checks: SourceChecks, index: &str) -> Result<(), SourceError> {
    if !checks.index {
        return Ok(());
    }
    let key: Option<Key> = index.parse().ok();
    let key = key.and_then(|key| match source.prefix() {
        Some(prefix) => prefix.join(&key).ok(),
        None => Some(key),
    });
    match key.as_ref().and_then(|key| source.get(key)) {
        Some(object) if !is_blank(object) => Ok(()),
        found => Err(SourceError::NoIndex {
            root: source.root.clone(),
            index: index.to_owned(),
            empty: found.is_some(),
            output: output_in(&source.root, index),
        }),
    }
}

/// True for a file of nothing but white space, as far as a build that went wrong would write it.
fn is_blank(object: &SourceObject) -> bool {
    const MOST: u64 = 64 * 1024;
    let mut text = Vec::new();
    let opened = object.file().filter(|_| object.size <= MOST).map(|(path, _)| fs::File::open(path));
    match opened {
        None => object.size == 0,
        // That it cannot be read is reported when it is hashed.
        Some(Err(_)) => false,
        Some(Ok(file)) => {
            file.take(MOST).read_to_end(&mut text).is_ok()
                && String::from_utf8_lossy(&text)
                    .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0')
                    .is_empty()
        }
    }
}

/// Names at the top that only a project has, in order.
fn project_files(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let known =
        |name: &String| PROJECT.contains(&name.as_str()) || CONFIGURATIONS.iter().any(|start| name.starts_with(start));
    let mut found: Vec<String> = names.filter(known).collect();
    found.sort();
    found
}

/// The directory below that is likely to be the output: one that has an index document.
pub(crate) fn output_in(root: &Path, index: &str) -> Option<PathBuf> {
    let has_index = |dir: &PathBuf| dir.join(index).is_file();
    let known = OUTPUTS.iter().map(|name| root.join(name));
    // Angular: `dist/NAME/browser`.
    let below = ["dist", "docs"].iter().flat_map(|name| fs::read_dir(root.join(name)).into_iter().flatten().flatten());
    let below = below.flat_map(|entry| [entry.path().join("browser"), entry.path()]);
    known.chain(below).find(has_index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rules, read_source};

    fn write(dir: &Path, name: &str) {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }

    #[test]
    fn the_root_of_a_project_is_refused_and_its_output_named() {
        for (project, output) in [
            ("package.json", "dist"),
            ("node_modules/x/index.js", "build"),
            (".git/HEAD", "_site"),
            (".git", "out"),
            ("twinsite.toml", "public"),
            ("hugo.toml", "public"),
            ("vite.config.mts", "dist"),
            ("angular.json", "dist/shop/browser"),
            ("book.toml", "book"),
            ("pom.xml", "target/site"),
            (".github/workflows/ci.yml", "public"),
            ("requirements.txt", "site"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), "index.html");
            write(dir.path(), project);
            write(dir.path(), &format!("{output}/index.html"));
            let refused = read_source(dir.path(), &Rules::web(), SourceChecks::default()).unwrap_err();
            let SourceError::Project { found, output: likely, .. } = &refused else { panic!("{refused}") };
            assert_eq!((found.len(), likely), (1, &Some(dir.path().join(output))), "{refused}");
            let allowed = SourceChecks { output_only: false, ..SourceChecks::default() };
            read_source(dir.path(), &Rules::web(), allowed).unwrap();
            read_source(dir.path().join(output), &Rules::web(), SourceChecks::default()).unwrap();
        }
    }

    #[test]
    fn a_directory_without_an_index_document_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "app.js");
        write(dir.path(), "browser/index.html");
        let read = |checks| read_source(dir.path(), &Rules::web(), checks);
        assert!(matches!(read(SourceChecks::default()), Err(SourceError::NoIndex { empty: false, .. })));
        read(SourceChecks { index: false, output_only: true }).unwrap();
        fs::write(dir.path().join("index.html"), "").unwrap();
        assert!(matches!(read(SourceChecks::default()), Err(SourceError::NoIndex { empty: true, .. })));
        fs::write(dir.path().join("index.html"), "x").unwrap();
        read(SourceChecks::default()).unwrap();
    }

    #[test]
    fn an_index_document_without_a_word_is_refused() {
        let source = |text: &[u8]| {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("index.html"), text).unwrap();
            read_source(dir.path(), &Rules::web(), SourceChecks::default()).map(drop)
        };
        for blank in
            [&b""[..], b" ", b"\r\n\t \n", b"\xef\xbb\xbf\n", "\u{a0}\u{3000}\n".as_bytes(), b"\0\0\0", &[b' '; 5000]]
        {
            assert!(matches!(source(blank), Err(SourceError::NoIndex { empty: true, .. })), "{blank:?}");
        }
        for full in [&b"x"[..], b"\n<p>", b"\xff\xfe<\0"] {
            source(full).unwrap();
        }
    }
}
