//! Which objects go first: a page must never be there before what it names.

use crate::{Key, Wave};

/// Names that point at assets although they are not HTML.
const NAMES: [&str; 8] = [
    "sw.js",
    "service-worker.js",
    "manifest.json",
    "asset-manifest.json",
    "robots.txt",
    "feed.xml",
    "rss.xml",
    "atom.xml",
];

/// The wave of an object.
pub(super) fn wave_of(key: &Key, index: &str, not_found: Option<&str>) -> Wave {
    if key.as_str() == index || Some(key.as_str()) == not_found {
        return Wave::Entry;
    }
    let name = key.name();
    let page = ["html", "htm", "xhtml", "webmanifest", "rss", "atom"].contains(&key.extension().as_str());
    let sitemap = name.starts_with("sitemap") && key.extension() == "xml";
    if page || sitemap || name == index || NAMES.contains(&name) { Wave::Pages } else { Wave::Assets }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_come_after_pages_and_pages_after_assets() {
        let wave = |key: &str| wave_of(&key.parse().unwrap(), "index.html", Some("404.html"));
        assert_eq!((wave("index.html"), wave("404.html")), (Wave::Entry, Wave::Entry));
        for page in ["about/index.html", "a.htm", "feed.xml", "sitemap-1.xml", "sw.js", "site.webmanifest"] {
            assert_eq!(wave(page), Wave::Pages, "{page}");
        }
        for asset in ["app.js", "data.xml", "a/b.css", "x.json"] {
            assert_eq!(wave(asset), Wave::Assets, "{asset}");
        }
    }
}
