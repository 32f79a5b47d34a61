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
    let content_encoding = if is_text_based(&extension) { content::encoding(head) } else { None };
    // What is compressed cannot be looked into.
    let plain = if content_encoding.is_some() { &[] } else { head };
    let content_type = match content::declared_charset(&extension, plain) {
        _ if !kind.starts_with("text/") => kind,
        Some(charset) => format!("{kind}; charset={charset}"),
        // Browsers guess better than a wrong name would tell them.
        None if content::is_no_utf8(plain) => kind,
        None => format!("{kind}; charset=utf-8"),
    };
    Served { content_type, content_encoding }
}

/// True for what consists of text: it may be compressed under its own name, or declare an encoding of its own.
pub(super) fn is_text_based(extension: &str) -> bool {
    if matches!(extension, "" | "ts" | "mts" | "m2ts" | "cts" | "gz" | "tgz") {
        return false;
    }
    let kind = by_extension(extension);
    let text = ["text/", "font/ttf", "font/otf", "application/wasm", "application/vnd.ms-fontobject", "image/x-icon"];
    let ends = ["json", "xml", "javascript", "yaml", "toml", "jsonl", "x-ndjson", "mpegurl"];
    text.iter().any(|start| kind.starts_with(start)) || ends.iter().any(|end| kind.ends_with(end))
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
        // `.well-known/openid-configuration`, `assetlinks` and others.
        _ if content::is_json(head) => "application/json",
        _ if content::root_element(head).is_some() && head.trim_ascii_start().starts_with(b"<?xml") => xml("", head),
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
            (".well-known/openid-configuration", b"{\"issuer\": \"https://example.com\"}", "application/json"),
            (".well-known/assetlinks", b" [{\"relation\": [", "application/json"),
            ("_redirects", b"{not json", "text/plain; charset=utf-8"),
            ("feed", b"<?xml version='1.0'?><rss version='2.0'>", "application/rss+xml"),
            ("sitemap", b"<?xml version='1.0'?>\n<urlset>", "application/xml"),
            ("latin.html", b"<!doctype html><meta charset=iso-8859-1><p>caf\xe9", "text/html; charset=iso-8859-1"),
            (
                "old.htm",
                b"<META http-equiv=Content-Type content='text/html; charset=Windows-1251'>",
                "text/html; charset=windows-1251",
            ),
            ("new.html", b"<meta charset=\"UTF-8\"><p>caf\xc3\xa9", "text/html; charset=utf-8"),
            ("comment.html", b"<!-- <meta charset=koi8-r> --><p>caf\xc3\xa9", "text/html; charset=utf-8"),
            ("wide.html", b"\xff\xfe<\0p\0>\0", "text/html; charset=utf-16"),
            ("odd.html", b"<meta charset=\"x\ny\">", "text/html; charset=x"),
            ("evil.html", b"<meta charset='a,b'>", "text/html; charset=utf-8"),
            ("undeclared.html", b"<p>caf\xe9 au lait", "text/html"),
            ("latin.css", b"@charset \"iso-8859-15\";", "text/css; charset=iso-8859-15"),
            ("latin.js", b"alert('caf\xe9 ')", "text/javascript"),
            ("notes.txt", b"caf\xe9 au lait", "text/plain"),
            ("cut.txt", b"caf\xc3", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(kind(key, head), wanted, "{key}");
        }
    }

    /// The Brotli stream has one uncompressed block, assembled by hand from RFC 7932, section 9.2.
    #[test]
    fn what_is_compressed_under_the_name_of_its_content_says_so() {
        let encoding = |key: &str, head: &[u8]| served(&key.parse().unwrap(), head).content_encoding;
        let gzip: &[u8] = &[0x1f, 0x8b, 8, 0];
        for key in
            ["logo.svgz", "a.svg", "a.css", "a.js", "a.mjs", "a.html", "a.json", "a.xml", "a.txt", "a.wasm", "a.map"]
        {
            assert_eq!(encoding(key, gzip), Some("gzip"), "{key}");
            assert_eq!(encoding(key, &[0x28, 0xb5, 0x2f, 0xfd, 4]), Some("zstd"), "{key}");
            assert_eq!(encoding(key, b"<svg>"), None, "{key}");
        }
        for key in ["a.gz", "a.tgz", "a.tar.gz", "a.png", "a.zip", "unknown.zzz", "a"] {
            assert_eq!(encoding(key, gzip), None, "{key}");
        }
        let text = b"body { color: red } body { color: red }\n";
        let stored = [&[0x8b, 0x13, 0x80][..], text, &[0x03]].concat();
        assert_eq!(encoding("a.css", &stored), Some("br"));
        assert_eq!(encoding("a.css", &stored[..20]), Some("br"), "cut");
        assert_eq!(encoding("a.html", b"<p>caf\xe9 au lait\x01"), None, "Latin-1 is no Brotli");
        assert_eq!(encoding("a.js", &[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), None);
    }
}
