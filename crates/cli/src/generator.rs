//! Which generator builds the site in a directory, and where its output is.

use std::path::{Component, Path};

use schemars::JsonSchema;
use serde::Serialize;

/// A generator of sites that was recognised by its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Generator {
    /// Its name.
    pub(crate) name: &'static str,
    /// The directory into which it builds, by its configuration or its default.
    pub(crate) output: String,
    /// The error document that fits its sites.
    #[serde(skip)]
    pub(crate) not_found: &'static str,
    /// What to do before its output can be published; `null` if nothing.
    pub(crate) note: Option<&'static str>,
}

/// A generator, and how it is recognised.
struct Known {
    name: &'static str,
    /// Names of configuration files without their extension, which is one of `extensions`.
    stems: &'static [&'static str],
    extensions: &'static [&'static str],
    /// Packages of npm of which one is a dependency of the project.
    packages: &'static [&'static str],
    output: &'static str,
    /// The key of its configuration that names another directory.
    key: Option<&'static str>,
}

const SCRIPTS: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts"];

/// The more special first: `SvelteKit`, Astro and Docusaurus projects have Vite or React, too.
const KNOWN: [Known; 10] = [
    // <https://docusaurus.io/docs/deployment>
    Known {
        name: "Docusaurus",
        stems: &["docusaurus.config"],
        extensions: SCRIPTS,
        packages: &["@docusaurus/core"],
        output: "build",
        key: None,
    },
    // <https://www.gatsbyjs.com/docs/reference/gatsby-cli/#build>
    Known {
        name: "Gatsby",
        stems: &["gatsby-config"],
        extensions: SCRIPTS,
        packages: &["gatsby"],
        output: "public",
        key: None,
    },
    // <https://nextjs.org/docs/app/guides/static-exports>
    Known {
        name: NEXT,
        stems: &["next.config"],
        extensions: SCRIPTS,
        packages: &["next"],
        output: "out",
        key: Some("distDir"),
    },
    // <https://docs.astro.build/en/reference/configuration-reference/#outdir>
    Known {
        name: "Astro",
        stems: &["astro.config"],
        extensions: SCRIPTS,
        packages: &["astro"],
        output: "dist",
        key: Some("outDir"),
    },
    // <https://svelte.dev/docs/kit/adapter-static>
    Known {
        name: SVELTEKIT,
        stems: &[],
        extensions: &[],
        packages: &["@sveltejs/kit"],
        output: "build",
        key: Some("pages"),
    },
    // <https://www.11ty.dev/docs/config/>
    Known {
        name: "Eleventy",
        stems: &[".eleventy", "eleventy.config"],
        extensions: SCRIPTS,
        packages: &["@11ty/eleventy"],
        output: "_site",
        key: Some("output"),
    },
    // <https://gohugo.io/configuration/all/#publishdir>
    Known {
        name: HUGO,
        stems: &["hugo", "config/_default/hugo", "config"],
        extensions: &["toml", "yaml", "yml", "json"],
        packages: &[],
        output: "public",
        key: Some("publishDir"),
    },
    // <https://www.mkdocs.org/user-guide/configuration/#site_dir>
    Known {
        name: "MkDocs",
        stems: &["mkdocs"],
        extensions: &["yml", "yaml"],
        packages: &[],
        output: "site",
        key: Some("site_dir"),
    },
    // <https://jekyllrb.com/docs/configuration/options/>
    Known {
        name: JEKYLL,
        stems: &["_config"],
        extensions: &["yml", "yaml", "toml"],
        packages: &[],
        output: "_site",
        key: Some("destination"),
    },
    // <https://vite.dev/config/build-options#build-outdir>
    Known {
        name: VITE,
        stems: &["vite.config"],
        extensions: SCRIPTS,
        packages: &["vite"],
        output: "dist",
        key: Some("outDir"),
    },
];

const NEXT: &str = "Next.js";
const SVELTEKIT: &str = "SvelteKit";
const HUGO: &str = "Hugo";
const JEKYLL: &str = "Jekyll";
const VITE: &str = "Vite";

/// The generator of the project in a directory, if it is one that is known. Files that cannot be read are as good as missing.
pub(crate) fn detect(dir: &Path) -> Option<Generator> {
    let packages = packages(dir);
    for known in &KNOWN {
        let files = known.stems.iter().flat_map(|stem| known.extensions.iter().map(move |end| format!("{stem}.{end}")));
        let file = files.map(|name| dir.join(name)).find(|path| path.is_file());
        if file.is_none() && !known.packages.iter().any(|name| packages.iter().any(|package| package == name)) {
            continue;
        }
        let text = file.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        // Other tools have files of these names, too.
        let is_other = match known.name {
            HUGO => {
                file.as_ref().is_some_and(|path| path.file_stem().is_some_and(|stem| stem == "config"))
                    && value_of(&text, "baseURL").is_none()
            }
            JEKYLL => !["_posts", "_layouts", "Gemfile"].iter().any(|name| dir.join(name).exists()),
            _ => false,
        };
        if is_other {
            continue;
        }
        let config = match known.name {
            SVELTEKIT => std::fs::read_to_string(dir.join("svelte.config.js")).unwrap_or_default(),
            _ => text,
        };
        let configured = known.key.and_then(|key| value_of(&config, key)).filter(|path| is_below(path));
        let note = match known.name {
            NEXT if value_of(&config, "output").as_deref() != Some("export") => {
                Some("set output: 'export' in the configuration of Next.js: only a static export can be published")
            }
            NEXT if !config.contains("trailingSlash") => {
                Some("set trailingSlash: true in the configuration of Next.js, so that every page has a folder")
            }
            SVELTEKIT if !packages.iter().any(|package| package == "@sveltejs/adapter-static") => {
                Some("use @sveltejs/adapter-static: only a static build can be published")
            }
            _ => None,
        };
        // Paths of an application that runs in the browser are missing objects.
        let is_application = known.name == VITE && !dir.join("public/404.html").exists();
        return Some(Generator {
            name: known.name,
            output: configured.unwrap_or_else(|| known.output.to_owned()),
            not_found: if is_application { "index.html" } else { "404.html" },
            note,
        });
    }
    None
}

/// The packages of npm that a project depends on.
fn packages(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("package.json")).unwrap_or_default();
    let project: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let all = ["dependencies", "devDependencies"].into_iter().filter_map(|key| project[key].as_object());
    all.flat_map(|packages| packages.keys().cloned()).collect()
}

/// The value of the first key of this name in a configuration that is a script, TOML, YAML or JSON: `key: 'value'`, `key = "value"`,
/// `key: value`. Comments are passed over. What a script computes is not found out.
fn value_of(text: &str, key: &str) -> Option<String> {
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//") && !line.starts_with('#')) {
        for (at, _) in line.match_indices(key) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || "_.-$".contains(c)) {
                continue;
            }
            let rest = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            let Some(rest) = rest.strip_prefix([':', '=']) else { continue };
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|c| ['"', '\'', '`'].contains(c));
            let value = match quote {
                Some(quote) => rest[1..].split(quote).next(),
                None if rest.contains(['(', '{', ',']) => None,
                None => rest.split(" #").next().map(str::trim),
            };
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                return Some(value.to_owned());
            }
        }
    }
    None
}

/// Whether a path leads to a directory below the project.
fn is_below(path: &str) -> bool {
    let path = Path::new(path);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(plain) && path.components().any(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> Option<Generator> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        detect(dir.path())
    }

    #[test]
    fn generators_are_recognised_by_their_files() {
        let package = |names: &[&str]| {
            let all: Vec<String> = names.iter().map(|name| format!("\"{name}\": \"1\"")).collect();
            format!("{{\"devDependencies\": {{{}}}}}", all.join(","))
        };
        let next = "module.exports = { output: 'export', trailingSlash: true }";
        for (files, name, output) in [
            (&[("hugo.toml", "baseURL = 'https://example.org/'")][..], "Hugo", "public"),
            (&[("hugo.yaml", "baseURL: x\npublishDir: dist/site # here")], "Hugo", "dist/site"),
            (&[("config.toml", "baseURL = \"x\"\npublishDir = \"../up\"")], "Hugo", "public"),
            (&[("config/_default/hugo.toml", "")], "Hugo", "public"),
            (&[("astro.config.mjs", "export default defineConfig({\n  outDir: './www',\n})")], "Astro", "./www"),
            (&[("astro.config.ts", "// outDir: 'old'\n"), ("vite.config.ts", "")], "Astro", "dist"),
            (&[("docusaurus.config.ts", "")], "Docusaurus", "build"),
            (&[("next.config.js", next)], "Next.js", "out"),
            (&[("mkdocs.yml", "site_name: x\nsite_dir: html\n")], "MkDocs", "html"),
            (&[("gatsby-config.js", "")], "Gatsby", "public"),
            (&[("eleventy.config.js", "return { dir: { input: 'src', output: 'www' } }")], "Eleventy", "www"),
            (&[(".eleventy.js", "")], "Eleventy", "_site"),
            (&[("_config.yml", "title: x"), ("Gemfile", "gem 'jekyll'")], "Jekyll", "_site"),
            (&[("vite.config.ts", "build: { outDir: 'www' }")], "Vite", "www"),
            (
                &[
                    ("package.json", &package(&["@sveltejs/kit", "vite", "@sveltejs/adapter-static"])),
                    ("vite.config.js", ""),
                ],
                "SvelteKit",
                "build",
            ),
            (&[("package.json", &package(&["@11ty/eleventy"]))], "Eleventy", "_site"),
            (&[("package.json", &package(&["vite"]))], "Vite", "dist"),
        ] {
            let found = project(files).unwrap_or_else(|| panic!("{name} is not recognised"));
            assert_eq!((found.name, found.output.as_str(), found.note), (name, output, None), "{files:?}");
        }
        for files in [&[][..], &[("config.toml", "[server]")], &[("_config.yml", "a: b")], &[("package.json", "{")]] {
            assert_eq!(project(files), None, "{files:?}");
        }
    }

    #[test]
    fn what_cannot_be_published_as_it_is_built_is_named() {
        let note = |files: &[(&str, &str)]| project(files).unwrap().note.unwrap();
        assert!(note(&[("next.config.mjs", "export default {}")]).contains("output: 'export'"));
        assert!(note(&[("next.config.ts", "const c = { output: \"export\" }")]).contains("trailingSlash"));
        let kit = "{\"devDependencies\": {\"@sveltejs/kit\": \"2\", \"@sveltejs/adapter-node\": \"5\"}}";
        assert!(note(&[("package.json", kit)]).contains("adapter-static"));
        assert_eq!(project(&[("vite.config.js", "")]).unwrap().not_found, "index.html");
        assert_eq!(project(&[("vite.config.js", ""), ("public/404.html", "")]).unwrap().not_found, "404.html");
    }
}
