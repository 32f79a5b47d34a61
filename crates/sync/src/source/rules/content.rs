//! The beginning of a file, where its name does not tell what it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::withheld;
use crate::Key;

/// How many bytes of a file are read to know its type or to find a private key in it; none for most.
pub(super) fn needed(key: &Key) -> u64 {
    /// A private key may follow a chain of certificates.
    const KEY: u64 = 64 * 1024;
    let extension = key.extension();
    match extension.as_str() {
        key if withheld::may_be_key(key) => KEY,
        "xml" | "rss" | "atom" | "rdf" => 1024,
        "ts" | "mts" | "m2ts" => 189,
        "svgz" | "svg" => 2,
        _ => 0,
    }
}

/// Reads the beginning of a file.
pub(super) fn read(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    if bytes > 0 {
        File::open(path)?.take(bytes).read_to_end(&mut head)?;
    }
    Ok(head)
}

/// The name of the first element of an XML document, without its prefix.
pub(super) fn root_element(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let (end, skipped) = match rest.get(..2)? {
            "<?" => ("?>", 2),
            "<!" if rest.starts_with("<!--") => ("-->", 3),
            "<!" => (">", 1),
            _ => break,
        };
        let at = rest.find(end)?;
        rest = rest.get(at + skipped..)?.trim_start();
    }
    let name = rest.strip_prefix('<')?;
    let name: String = name.chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '-' | '_')).collect();
    let local = name.rsplit(':').next().unwrap_or_default().to_owned();
    (!local.is_empty()).then_some(local)
}

/// True for RSS 1.0, which is RDF.
pub(super) fn is_rss_1(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).contains("http://purl.org/rss/1.0/")
}

/// True for a page without a name that says so.
pub(super) fn is_html(head: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&head[..head.len().min(256)])
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// True for text in UTF-8 without control characters; the last character may be cut.
pub(super) fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    valid && !head.iter().any(|b| *b < b' ' && !b"\t\n\r\x0c\x1b".contains(b))
}

/// True for the packets of an MPEG transport stream, which begin with the same byte.
pub(super) fn is_transport_stream(head: &[u8]) -> bool {
    head.first() == Some(&0x47) && head.get(188).is_none_or(|b| *b == 0x47)
}

/// True for gzip.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_element_is_found_behind_declarations_and_comments() {
        for (text, root) in [
            ("<rss version=\"2.0\">", Some("rss")),
            (
                "\u{feff}<?xml version=\"1.0\"?>\n<?xml-stylesheet href=\"a.xsl\"?>\n<!-- <feed> -->\n<feed xmlns=\"…\">",
                Some("feed"),
            ),
            ("<!DOCTYPE x>\n<rdf:RDF>", Some("RDF")),
            ("<urlset>", Some("urlset")),
            ("text", None),
            ("<?xml", None),
            ("", None),
        ] {
            assert_eq!(root_element(text.as_bytes()).as_deref(), root, "{text}");
        }
    }
}
