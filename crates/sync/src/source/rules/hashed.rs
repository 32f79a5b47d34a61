//! Names that carry a digest of their content, which browsers may keep for a year.
//!
//! A wrong yes keeps a stale file in browsers until they forget it, so looks alone never suffice: the file must be of a kind that
//! bundlers write, and the digest must have the form, and the place, that a bundler gives it. A wrong no costs a request.

use std::collections::HashSet;

use super::kinds::{Kind, bundled_kind};
use crate::Key;

/// Folders in which a generator writes nothing but names with digests, or a folder named by a digest.
const IMMUTABLE: [&[&str]; 5] =
    [&["_next", "static"], &["_app", "immutable"], &["_astro"], &["_nuxt"], &["_expo", "static"]];

/// Folders that bundlers write to, beside other things.
const BUNDLERS: [&str; 14] = [
    "assets",
    "static",
    "js",
    "css",
    "chunks",
    "media",
    "build",
    "dist",
    "bundles",
    "packs",
    "javascripts",
    "stylesheets",
    "entries",
    "immutable",
];

/// How a bundler writes a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    separator: char,
    alphabet: Alphabet,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Alphabet {
    /// webpack, Hugo, Rails, Docusaurus, Gatsby.
    Hex,
    /// esbuild, Angular.
    Base32,
    /// Rollup, Vite, Astro.
    Base64,
}

/// True when the name alone, or its folder, says that it carries a digest.
pub(super) fn is_hashed(key: &Key) -> bool {
    let Some(kind) = kind(key) else { return false };
    is_in_immutable_folder(key) || forms(key).any(|(form, runs)| is_certain(key, kind, form, runs))
}

/// True below a folder of a generator in which everything is immutable.
pub(super) fn is_in_immutable_folder(key: &Key) -> bool {
    let folders: Vec<&str> = folders(key).collect();
    let known = IMMUTABLE.iter().any(|path| folders.windows(path.len()).any(|window| window == *path));
    // Gatsby: `static/DIGEST/WIDTH/name.jpg`.
    let digest = |name: &str| name.len() == 32 && name.bytes().all(is_hex);
    known || folders.windows(2).any(|pair| pair[0] == "static" && digest(pair[1]))
}

fn kind(key: &Key) -> Option<Kind> {
    bundled_kind(&key.extension())
}

fn folders(key: &Key) -> impl Iterator<Item = &str> {
    key.as_str().rsplit_once('/').map_or("", |(folders, _)| folders).split('/')
}

/// From so many runs on, a text is no word or date: `cafe2024` has two, `2024dec25` three, digests about five.
const RANDOM: usize = 4;

fn is_certain(key: &Key, kind: Kind, form: Form, runs: usize) -> bool {
    let bundler = || folders(key).any(|folder| BUNDLERS.contains(&folder));
    let random = runs >= RANDOM;
    // One run less is enough for code: Angular's `polyfills-FFHMD2TL.js`, Workbox's `workbox-4754cb34.js`.
    let likely = runs == RANDOM - 1 && kind.is_code();
    match form.alphabet {
        Alphabet::Hex => random || likely,
        Alphabet::Base32 => random && (kind.is_code() || bundler()) || likely,
        Alphabet::Base64 => random && form.len == 8 && (kind.is_code() || bundler()),
    }
}

/// The digests that a name may have, and of how many runs each is.
fn forms(key: &Key) -> impl Iterator<Item = (Form, usize)> {
    let mut parts: Vec<&str> = key.name().split('.').collect();
    // The extension, and what a source map belongs to.
    parts.pop();
    if key.extension() == "map" && parts.last().is_some_and(|part| bundled_kind(part).is_some()) {
        parts.pop();
    }
    let uuid = parts.first().is_some_and(|stem| is_uuid(stem));
    let count = parts.len();
    // A digest stands last, or before a word such as `min` or `chunk`.
    let last = parts.into_iter().enumerate().skip(count.saturating_sub(2)).filter(move |_| !uuid);
    last.flat_map(|(at, part)| {
        let whole = (at > 0).then_some(('.', part));
        let tail = part.rsplit_once('-').map(|(_, tail)| ('-', tail));
        // Rollup's digests may have dashes in them.
        let eight =
            part.len().checked_sub(9).filter(|at| part.as_bytes()[*at] == b'-').and_then(|at| part.get(at + 1..));
        [whole, tail, eight.map(|tail| ('-', tail))]
            .into_iter()
            .flatten()
            .filter_map(|(separator, text)| form(separator, text))
    })
}

fn form(separator: char, text: &str) -> Option<(Form, usize)> {
    if !(8..=64).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
        return None;
    }
    let has = |test: fn(&u8) -> bool| text.bytes().any(|b| test(&b));
    let (digit, lower, upper) = (has(u8::is_ascii_digit), has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    let (alphabet, runs) = if text.bytes().all(is_hex) {
        if !(digit && lower) {
            return None;
        }
        (
            Alphabet::Hex,
            if text.len() >= 16 {
                RANDOM
            } else if is_date(text) {
                1
            } else {
                runs(text)
            },
        )
    } else if text.len() == 8 && text.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)) {
        (Alphabet::Base32, if digit { runs(text) } else { 1 })
    } else if text.len() <= 22 && upper && lower {
        (Alphabet::Base64, if starts_with_year(text) { 1 } else { runs(text) })
    } else {
        return None;
    };
    Some((Form { separator, alphabet, len: text.len() }, runs))
}

fn is_hex(b: u8) -> bool {
    b.is_ascii_digit() || (b'a'..=b'f').contains(&b)
}

fn starts_with_year(text: &str) -> bool {
    (text.starts_with("19") || text.starts_with("20")) && text.bytes().take(4).all(|b| b.is_ascii_digit())
}

/// A day with the name of a month that consists of hexadecimal digits: `24dec2026`, `2026feb1`.
fn is_date(text: &str) -> bool {
    let month = text.find("dec").or_else(|| text.find("feb"));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    month.is_some_and(|at| digits(&text[..at]) && digits(&text[at + 3..]))
}

fn is_uuid(stem: &str) -> bool {
    let lengths: Vec<usize> = stem.split('-').map(str::len).collect();
    lengths.ends_with(&[8, 4, 4, 4, 12])
}

/// How often words and numbers take turns: `Spring2026` has two, a digest of eight characters about five.
fn runs(text: &str) -> usize {
    let class = |b: u8| match b {
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'a'..=b'z' => 3,
        _ => 0,
    };
    let (mut count, mut before) = (0, 0);
    for now in text.bytes().map(class) {
        let capitalized = before == 2 && now == 3;
        if now != 0 && now != before && !capitalized {
            count += 1;
        }
        before = now;
    }
    count
}

/// What a site's bundler has been seen to do, which decides where a name alone does not.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Forms of digests, by the folder in which a name has been certain.
    forms: HashSet<(String, Form)>,
    /// Names that a manifest lists.
    listed: HashSet<String>,
    /// Names that a page loads as modules.
    loaded: HashSet<String>,
}

impl Evidence {
    /// Looks at all names.
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a Key>) -> Self {
        let mut evidence = Self::default();
        // Angular: of `styles-5INURTSO.css` alone nobody can tell; words in capitals with a digit do not come in twos.
        let mut twins: HashSet<(String, Form)> = HashSet::new();
        for key in keys {
            let Some(kind) = kind(key).filter(|kind| kind.is_code() && *kind != Kind::Map) else { continue };
            // The same text may be found as two forms.
            let mut own = HashSet::new();
            for (form, runs) in forms(key).filter(|(form, _)| own.insert(*form)) {
                let form_here = (folder_of(key).to_owned(), form);
                let is_twin = form.alphabet == Alphabet::Base32 && runs > 1 && !twins.insert(form_here.clone());
                if is_twin || is_certain(key, kind, form, runs) {
                    evidence.forms.insert(form_here);
                }
            }
        }
        evidence
    }

    /// Adds the names in a bundler's manifest, wherever they stand in it.
    pub(crate) fn read_manifest(&mut self, text: &[u8]) {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(text) else { return };
        let mut values = vec![&value];
        while let Some(value) = values.pop() {
            match value {
                serde_json::Value::String(text) => drop(self.listed.insert(name_of(text).to_owned())),
                serde_json::Value::Array(items) => values.extend(items),
                serde_json::Value::Object(fields) => values.extend(fields.values()),
                _ => {}
            }
        }
    }

    /// Adds the names that a page loads as bundlers write it: as modules, or with `crossorigin`.
    pub(crate) fn read_page(&mut self, text: &str) {
        for tag in text.split('<').filter(|tag| tag.starts_with("script") || tag.starts_with("link")) {
            let tag = tag.split('>').next().unwrap_or_default();
            if !["module", "crossorigin"].iter().any(|mark| tag.contains(mark)) {
                continue;
            }
            let urls = ["src=", "href="].into_iter().filter_map(|name| tag.split_once(name));
            for (_, rest) in urls {
                let url =
                    rest.trim_start_matches(['"', '\'']).split(['"', '\'', ' ', '?', '#']).next().unwrap_or_default();
                self.loaded.insert(name_of(url).to_owned());
            }
        }
    }

    /// Learns how digests are written from the names that a manifest or a page has told: the other names of that folder follow.
    pub(crate) fn learn<'a>(&mut self, keys: impl Iterator<Item = &'a Key>) {
        for key in keys.filter(|key| kind(key).is_some_and(Kind::is_code)) {
            if self.listed.contains(key.name()) || self.loaded.contains(key.name()) {
                let folder = folder_of(key);
                self.forms.extend(forms(key).map(|(form, _)| (folder.to_owned(), form)));
            }
        }
    }

    /// True when a name that is not certain by itself carries a digest.
    pub(crate) fn confirms(&self, key: &Key) -> bool {
        let Some(kind) = kind(key) else { return false };
        let bare = key.as_str().strip_suffix(".map").and_then(|text| text.rsplit('/').next()).unwrap_or(key.name());
        forms(key).any(|(form, _)| {
            self.listed.contains(bare)
                || kind.is_code() && self.loaded.contains(bare)
                || kind.is_code() && self.forms.contains(&(folder_of(key).to_owned(), form))
        })
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn folder_of(key: &Key) -> &str {
    key.as_str().rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(key: &str) -> bool {
        is_hashed(&key.parse().unwrap())
    }

    #[test]
    fn digests_of_bundlers_are_recognised() {
        for yes in [
            "assets/index-D_b-8xQz.js",
            "assets/index-BhX3k2Qz.js",
            "main-FQ7XZ2BA.js",
            "media/logo-FQ7XZ2BA.png",
            "app.3f2a9c1b.js",
            "app.3f2a9c1b.css",
            "app.3f2a9c1b.js.map",
            "static/js/main.3f2a9c1b.chunk.js",
            "font.0a1b2c3d4e5f.woff2",
            "_next/static/chunks/webpack.js",
            "_next/static/Zk3x/_buildManifest.js",
            "docs/_next/static/css/app.css",
            "_astro/index.DiwrgTda.css",
            "_astro/photo.Cz0yq1Bt_Z1abCd.webp",
            "_app/immutable/entry/start.js",
            "css/main.min.6f1a5e0b7c2d4f8a9b3c1d0e5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6.css",
            "component---src-pages-index-js-3f2a9c1b0d4e5f6a7b8c.js",
            "static/d7a7e7a0c1b2d3e4f5061728394a5b6c/f0a1b/photo.jpg",
            "assets/js/935f2afb.3a9f2d1c.js",
            "assets/javascripts/bundle.56dfad97.min.js",
            "assets/images/plan-6ce24c58023cc2f8fd88fe9d219db6c6.png",
            "assets/index.md.BhX3k2Qz.lean.js",
            "workbox-1d305bb8.js",
            "workbox-4754cb34.js",
            "polyfills-FFHMD2TL.js",
        ] {
            assert!(hashed(yes), "{yes}");
        }
    }

    #[test]
    fn looks_alone_never_suffice() {
        for no in [
            "brochure-Spring2026.pdf",
            "report-2024Q1Final.pdf",
            "assets/report.3f2a9c1b.pdf",
            "assets/data-3f2a9c1b.json",
            "assets/archive-3f2a9c1b.zip",
            "page.3f2a9c1b.html",
            "assets/brochure-Spring26.png",
            "assets/report-2024Q1Final.png",
            "assets/hero-HomePage.png",
            "assets/poster-SUMMER24.png",
            "photo-original1.jpg",
            "2024-11-23.png",
            "photo-2024dec25.jpg",
            "logo-20241123.svg",
            "550e8400-e29b-41d4-a716-4466554400ab.jpg",
            "img/photo-D_b-8xQz.jpg",
            "menu.cafe2024.css",
            "assets/app-facade01.js",
            "deadbeef.js",
            "a.deadbeef.js",
            "theme-1dec2026.css",
            "theme-2026feb1.css",
            "menu-SUMMER24.css",
            "grid-3COLUMNS.css",
            "polyfills-FFHMD2TL.pdf",
            "logo-FFHMD2TL.png",
            "app.min.js",
            "jquery-3.7.1.js",
            "app.css",
            "README",
        ] {
            assert!(!hashed(no), "{no}");
        }
    }

    #[test]
    fn what_a_bundler_is_seen_to_do_decides_the_rest() {
        let keys: Vec<Key> =
            ["assets/index-BhX3k2Qz.js", "main-FQ7XZ2BA.js", "app.js"].map(|key| key.parse().unwrap()).into();
        let mut evidence = Evidence::of(keys.iter());
        let confirms = |evidence: &Evidence, key: &str| evidence.confirms(&key.parse().unwrap());
        assert!(confirms(&evidence, "assets/lazy-DiwrgTda.js") && confirms(&evidence, "polyfills-CFQRCPPX.js"));
        for no in ["assets/hero-HomePage.png", "other/lazy-DiwrgTda.js", "assets/brochure-Spring26.pdf", "app.js"] {
            assert!(!confirms(&evidence, no), "{no}");
        }
        let twins: Vec<Key> = ["styles-5INURTSO.css", "main-ABCDEF2X.js"].map(|key| key.parse().unwrap()).into();
        let found = Evidence::of(twins.iter());
        assert!(confirms(&found, "styles-5INURTSO.css") && !confirms(&found, "css/styles-5INURTSO.css"));
        assert!(!confirms(&Evidence::of(twins.iter().take(1)), "styles-5INURTSO.css"), "alone it may be a word");
        evidence.read_manifest(br#"{"a.js":{"file":"x/a-DiwrgTda.js","assets":["x/logo-HomePage.png"]}}"#);
        assert!(confirms(&evidence, "x/a-DiwrgTda.js") && confirms(&evidence, "x/logo-HomePage.png"));
        assert!(confirms(&evidence, "x/a-DiwrgTda.js.map"));
        evidence.read_page(r#"<script type="module" crossorigin src="/y/b-DiwrgTda.js?v=1"></script>"#);
        assert!(confirms(&evidence, "y/b-DiwrgTda.js") && !confirms(&evidence, "y/c-DiwrgTda.js"));
    }
}
