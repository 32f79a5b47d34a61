//! The beginning of a file, where its name does not tell what it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::withheld;
use crate::Key;

/// How many bytes of a file are read to know its type or to find a private key in it; none for most.
pub(super) fn needed(key: &Key) -> u64 {
    /// A private key may follow a chain of certificates.
    const KEY: u64 = 64 * 1024;
    let extension = key.extension();
    match extension.as_str() {
        key if withheld::may_be_key(key) => KEY,
        "" => KEY,
        "ts" | "mts" | "m2ts" => 189,
        // What may be compressed, or in another encoding than UTF-8. Browsers look for a declaration in as many bytes.
        _ if super::types::is_text_based(&extension) => 1024,
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

/// How a file is compressed that is called by the name of what is in it.
///
/// Brotli has no signature: what is no text, and can be decompressed to text as far as it was read, is Brotli.
/// <https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1>, <https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1>
pub(super) fn encoding(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        // UTF-16.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [] => None,
        _ if !is_text(head) && is_brotli(head) => Some("br"),
        _ => None,
    }
}

fn is_brotli(head: &[u8]) -> bool {
    let mut state = BrotliState::new(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
    let mut text = vec![0; 4096];
    let (mut unread, mut read, mut room, mut written, mut total) = (head.len(), 0, text.len(), 0, 0);
    let ended = BrotliDecompressStream(
        &mut unread,
        &mut read,
        head,
        &mut room,
        &mut written,
        &mut text,
        &mut total,
        &mut state,
    );
    text.truncate(written);
    !matches!(ended, BrotliResult::ResultFailure) && !text.is_empty() && is_text(&text)
}

/// The encoding that a page or a style sheet declares, by a byte order mark, `<meta charset>` or `@charset`.
/// <https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding>
pub(super) fn declared_charset(extension: &str, head: &[u8]) -> Option<String> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => return Some("utf-8".to_owned()),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("utf-16".to_owned()),
        _ => {}
    }
    let text: String = head.iter().map(|b| char::from(*b).to_ascii_lowercase()).collect();
    let label = match extension {
        "css" => text.strip_prefix("@charset \"")?.split('"').next()?.to_owned(),
        "html" | "htm" | "shtml" | "" => {
            let text = without_comments(&text);
            let mut tags = text.split("<meta").skip(1).filter_map(|rest| rest.split('>').next());
            tags.find_map(|tag| {
                let value = tag.split_once("charset")?.1.trim_start().strip_prefix('=')?.trim_start();
                let value = value.trim_start_matches(['"', '\'']);
                Some(value.split(['"', '\'', ';', '/']).next()?.split_whitespace().next()?.to_owned())
            })?
        }
        _ => return None,
    };
    let is_label = !label.is_empty() && label.len() <= 24;
    let is_label = is_label && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    // A declaration that can be read as ASCII is not in UTF-16.
    let label = if label.starts_with("utf-16") { "utf-8".to_owned() } else { label };
    is_label.then_some(label)
}

fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = behind.split_once("-->").map_or("", |(_, behind)| behind);
    }
    kept + rest
}

/// True for bytes that are no UTF-8; the last character may be cut.
pub(super) fn is_no_utf8(head: &[u8]) -> bool {
    std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some())
}

/// True for a JSON object or array, as far as it was read.
pub(super) fn is_json(head: &[u8]) -> bool {
    if !matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return false;
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(head) {
        Ok(_) => true,
        Err(error) => error.is_eof(),
    }
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
