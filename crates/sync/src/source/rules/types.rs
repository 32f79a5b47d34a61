//! `Content-Type` and `Content-Encoding`, by name, and by content where a name can mean several things.

use super::content;
use crate::Key;

/// The types that matter on the web and that tables get wrong or lack.
const OVERRIDES: &[(&str, &str)] = &[
    ("js", "text/javascript"), // RFC 9239
    ("mjs", "text/javascript"),
    ("cjs", "text/javascript"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("topojson", "application/json"),
    ("jsonld", "application/ld+json"),
    ("geojson", "application/geo+json"), // RFC 7946
    ("ndjson", "application/x-ndjson"),
    ("jsonl", "application/jsonl"),
    ("importmap", "application/importmap+json"),
    ("webmanifest", "application/manifest+json"),
    ("yaml", "application/yaml"), // RFC 9512
    ("yml", "application/yaml"),
    ("toml", "application/toml"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("svgz", "image/svg+xml"),
    ("avif", "image/avif"),
    ("webp", "image/webp"),
    ("jxl", "image/jxl"),
    ("apng", "image/apng"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("ico", "image/x-icon"),
    ("cur", "image/x-icon"),
    ("woff", "font/woff"), // RFC 8081
    ("woff2", "font/woff2"),
    ("ttf", "font/ttf"),
    ("otf", "font/otf"),
    ("ttc", "font/collection"),
    ("eot", "application/vnd.ms-fontobject"),
    ("xml", "application/xml"),
    ("xsl", "application/xslt+xml"),
    ("xslt", "application/xslt+xml"),
    ("rss", "application/rss+xml"),
    ("atom", "application/atom+xml"),
    ("rdf", "application/rdf+xml"),
    ("opml", "text/x-opml"),
    ("gpx", "application/gpx+xml"),
    ("xhtml", "application/xhtml+xml"),
    ("md", "text/markdown"),
    ("markdown", "text/markdown"),
    ("ics", "text/calendar"),
    ("vcf", "text/vcard"),
    ("csv", "text/csv"),
    ("vtt", "text/vtt"),
    ("srt", "application/x-subrip"),
    ("appcache", "text/cache-manifest"),
    ("wgsl", "text/wgsl"),
    ("glsl", "text/plain"),
    ("log", "text/plain"),
    ("txt", "text/plain"),
    ("pub", "text/plain"),
    ("rsc", "text/x-component"),
    ("data", "application/octet-stream"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("m4s", "video/iso.segment"),
    ("webm", "video/webm"),
    ("mov", "video/quicktime"),
    ("ogv", "video/ogg"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("mpd", "application/dash+xml"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("gltf", "model/gltf+json"),
    ("glb", "model/gltf-binary"),
    ("usdz", "model/vnd.usdz+zip"),
    ("br", "application/octet-stream"),
    ("tgz", "application/gzip"),
];

/// What a file is served as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Served {
    /// With a charset for text: browsers would guess one otherwise.
    pub(super) content_type: String,
    pub(super) content_encoding: Option<&'static str>,
}

/// What a file is served as. `head` is its beginning as far as it was needed.
///
/// JSON has no charset (RFC 8259 fixes UTF-8), nor have SVG and other XML, which declare their own.
pub(super) fn served(key: &Key, head: &[u8]) -> Served {
    let extension = key.extension();
    let kind = match extension.as_str() {
        "" => bare(key.name(), head).to_owned(),
        "xml" | "rss" | "atom" | "rdf" => xml(&extension, head).to_owned(),
        "ts" | "mts" | "m2ts" | "cts" if content::is_transport_stream(head) => "video/mp2t".to_owned(),
        // TypeScript has no registered type.
        "ts" | "mts" | "cts" | "tsx" | "jsx" => "text/plain".to_owned(),
        other => by_extension(other),
    };
    let content_type = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
    let gzipped = ["svg", "svgz"].contains(&extension.as_str()) && content::is_gzip(head);
    Served { content_type, content_encoding: gzipped.then_some("gzip") }
}

fn by_extension(extension: &str) -> String {
    match OVERRIDES.iter().find(|(known, _)| *known == extension) {
        Some((_, kind)) => (*kind).to_owned(),
        None => mime_guess::from_ext(extension).first_or_octet_stream().essence_str().to_owned(),
    }
}

/// Feeds of all kinds are called `feed.xml`: the root element tells them apart.
fn xml(extension: &str, head: &[u8]) -> &'static str {
    const RSS: &str = "application/rss+xml";
    const ATOM: &str = "application/atom+xml";
    match content::root_element(head).as_deref() {
        Some("rss") => return RSS,
        Some("feed") => return ATOM,
        Some("RDF") if extension != "rdf" && content::is_rss_1(head) => return RSS,
        _ => {}
    }
    match extension {
        "rss" => RSS,
        "atom" => ATOM,
        "rdf" => "application/rdf+xml",
        _ => "application/xml",
    }
}

/// Names without an extension: some have a meaning of their own, others are pages or text.
fn bare(name: &str, head: &[u8]) -> &'static str {
    match name {
        "apple-app-site-association" => "application/json",
        _ if content::is_html(head) => "text/html",
        "CNAME" | "LICENSE" | "README" | "COPYING" | "AUTHORS" | "CHANGELOG" | "NOTICE" | "Makefile" => "text/plain",
        _ if !head.is_empty() && content::is_text(head) => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(key: &str, head: &[u8]) -> String {
        served(&key.parse().unwrap(), head).content_type
    }

    #[test]
    fn types_follow_the_web() {
        for (key, wanted) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.MJS", "text/javascript; charset=utf-8"),
            ("app.css", "text/css; charset=utf-8"),
            ("app.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("map.geojson", "application/geo+json"),
            ("sitemap.xml", "application/xml"),
            ("data.json", "application/json"),
            ("table.csv", "text/csv; charset=utf-8"),
            ("logo.svg", "image/svg+xml"),
            ("photo.avif", "image/avif"),
            ("song.m4a", "audio/mp4"),
            ("song.opus", "audio/ogg"),
            ("list.m3u8", "application/vnd.apple.mpegurl"),
            ("font.woff2", "font/woff2"),
            ("paper.pdf", "application/pdf"),
            ("unknown.zzz", "application/octet-stream"),
            ("LICENSE", "text/plain; charset=utf-8"),
            ("blob", "application/octet-stream"),
        ] {
            assert_eq!(kind(key, b""), wanted, "{key}");
        }
    }

    #[test]
    fn content_decides_where_a_name_does_not() {
        let mut stream = vec![0; 189];
        (stream[0], stream[188]) = (0x47, 0x47);
        for (key, head, wanted) in [
            ("feed.xml", &b"<?xml version='1.0'?><rss version='2.0'>"[..], "application/rss+xml"),
            ("feed.xml", b"<feed xmlns='http://www.w3.org/2005/Atom'>", "application/atom+xml"),
            ("index.xml", b"<rss>", "application/rss+xml"),
            ("atom.xml", b"<rss>", "application/rss+xml"),
            ("rss.xml", b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'>", "application/rss+xml"),
            ("feed.xml", b"<other/>", "application/xml"),
            ("news.rss", b"", "application/rss+xml"),
            ("clip.ts", &stream, "video/mp2t"),
            ("main.ts", b"export const a = 1;", "text/plain; charset=utf-8"),
            ("about", b"<!DOCTYPE html><p>", "text/html; charset=utf-8"),
            ("_redirects", b"/a /b", "text/plain; charset=utf-8"),
            ("blob", b"\0\x01", "application/octet-stream"),
            ("apple-app-site-association", b"{}", "application/json"),
        ] {
            assert_eq!(kind(key, head), wanted, "{key}");
        }
    }

    #[test]
    fn compressed_svg_says_so_if_it_is() {
        let encoding = |head: &[u8]| served(&"logo.svgz".parse().unwrap(), head).content_encoding;
        assert_eq!((encoding(&[0x1f, 0x8b]), encoding(b"<s")), (Some("gzip"), None));
    }
}
