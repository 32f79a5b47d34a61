//! Paths of URLs in one form, so that rules and requests can be compared.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// What JavaScript's `encodeURIComponent` leaves as it is: the function in CloudFront uses that.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What cannot be in a `Location` header as it is. Percent signs stay: what is encoded already remains so.
const LOCATION: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// A path in canonical form: a single leading slash, each segment decoded and encoded again. `%2F` in a segment stays encoded.
/// Segments that are malformed stay as they are.
pub(crate) fn canonical(path: &str) -> String {
    let path = format!("/{}", path.trim_start_matches('/'));
    path.split('/').map(canonical_segment).collect::<Vec<_>>().join("/")
}

/// A segment, or the value of a query parameter, in canonical form.
pub(crate) fn canonical_segment(segment: &str) -> String {
    match decoded(segment) {
        Some(text) => utf8_percent_encode(&text, SEGMENT).to_string(),
        None => segment.to_owned(),
    }
}

/// The decoded text; `None` where JavaScript's `decodeURIComponent` throws.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A target as it can be sent in a header.
pub(crate) fn location(target: &str) -> String {
    utf8_percent_encode(target, LOCATION).to_string()
}

/// A canonical path without its trailing slash; `/` stays.
pub(crate) fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(bare) => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_form() {
        for (path, expected) in [
            ("/a/b", "/a/b"),
            ("//evil.example/x", "/evil.example/x"),
            ("/caf%C3%A9", "/caf%C3%A9"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/café", "/caf%C3%A9"),
            ("/%61", "/a"),
            ("/a%2Fb", "/a%2Fb"),
            ("/100%", "/100%"),
            ("/%zz/%61", "/%zz/a"),
            ("/%ff", "/%ff"),
            ("/a+b@c", "/a%2Bb%40c"),
            ("/it's(~)!*", "/it's(~)!*"),
            ("/", "/"),
            ("", "/"),
            ("/a/", "/a/"),
        ] {
            assert_eq!(canonical(path), expected, "{path}");
        }
    }

    #[test]
    fn trailing_slashes_are_removed_but_for_the_root() {
        assert_eq!(["/", "/a/", "/a", "/a/b/"].map(without_slash), ["/", "/a", "/a", "/a/b"]);
    }

    #[test]
    fn targets_can_be_headers() {
        assert_eq!(location("/a%20b/ü \"x\"\\"), "/a%20b/%C3%BC%20%22x%22%5C");
        assert_eq!(location("https://a.example:8080/x?a=b&c#d"), "https://a.example:8080/x?a=b&c#d");
    }
}
