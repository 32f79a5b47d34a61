//! `Content-Type` by name.

use crate::Key;

/// The types that matter on the web and that tables get wrong or lack.
const OVERRIDES: [(&str, &str); 27] = [
    ("js", "text/javascript"), // RFC 9239
    ("mjs", "text/javascript"),
    ("cjs", "text/javascript"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("avif", "image/avif"),
    ("webp", "image/webp"),
    ("jxl", "image/jxl"),
    ("ico", "image/x-icon"),
    ("woff", "font/woff"), // RFC 8081
    ("woff2", "font/woff2"),
    ("ttf", "font/ttf"),
    ("otf", "font/otf"),
    ("eot", "application/vnd.ms-fontobject"),
    ("xml", "application/xml"),
    ("rss", "application/rss+xml"),
    ("atom", "application/atom+xml"),
    ("xhtml", "application/xhtml+xml"),
    ("md", "text/markdown"),
    ("ics", "text/calendar"),
    ("vtt", "text/vtt"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("txt", "text/plain"),
];

/// Feeds that only their names tell from other XML.
const FEEDS: [(&str, &str); 4] = [
    ("rss.xml", "application/rss+xml"),
    ("atom.xml", "application/atom+xml"),
    ("feed.xml", "application/atom+xml"),
    ("feed.atom", "application/atom+xml"),
];

/// The type that an object is served with, with a charset for text: browsers would guess one otherwise.
///
/// JSON has no charset (RFC 8259 fixes UTF-8), nor have SVG and other XML, which declare their own.
pub(super) fn content_type(key: &Key) -> String {
    let (name, extension) = (key.name(), key.extension());
    let known = FEEDS.iter().find(|(feed, _)| *feed == name).or(OVERRIDES.iter().find(|(ext, _)| *ext == extension));
    let kind = match known {
        Some((_, kind)) => (*kind).to_owned(),
        None if extension.is_empty() => bare(name).to_owned(),
        None => mime_guess::from_ext(&extension).first_or_octet_stream().essence_str().to_owned(),
    };
    if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind }
}

/// Names without an extension that have a meaning of their own.
fn bare(name: &str) -> &'static str {
    match name {
        "CNAME" | "LICENSE" | "README" | "COPYING" | "AUTHORS" | "CHANGELOG" | "NOTICE" | "Makefile" => "text/plain",
        "apple-app-site-association" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_web() {
        for (key, kind) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.MJS", "text/javascript; charset=utf-8"),
            ("app.css", "text/css; charset=utf-8"),
            ("app.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("feed.xml", "application/atom+xml"),
            ("sitemap.xml", "application/xml"),
            ("data.json", "application/json"),
            ("logo.svg", "image/svg+xml"),
            ("photo.avif", "image/avif"),
            ("font.woff2", "font/woff2"),
            ("paper.pdf", "application/pdf"),
            ("unknown.zzz", "application/octet-stream"),
            ("LICENSE", "text/plain; charset=utf-8"),
            ("blob", "application/octet-stream"),
        ] {
            assert_eq!(content_type(&key.parse().unwrap()), kind, "{key}");
        }
    }
}
