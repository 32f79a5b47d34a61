//! URLs of keys.

use std::fmt::Write;

/// The path of the URL of an object, with its leading slash: what browsers send for it.
///
/// Encoded are the characters of the path percent-encode set of the URL Standard, in UTF-8; `|`, which Chromium encodes beyond it; and
/// three more that would not arrive as part of the name: `%` and `\`, which have a meaning of their own, and `+`, which S3 takes for
/// a space. Parsers of URLs leave the result as it is. A name with a segment `.` or `..` has no URL that browsers can ask for.
///
/// <https://url.spec.whatwg.org/#path-percent-encode-set>
///
/// ```
/// use twinsite_core::url_path;
///
/// assert_eq!(url_path("img/photo (1).jpg"), "/img/photo%20(1).jpg");
/// assert_eq!(url_path("50%/über.html"), "/50%25/%C3%BCber.html");
/// ```
pub fn url_path(key: &str) -> String {
    let mut path = String::with_capacity(key.len() + 1);
    path.push('/');
    for byte in key.bytes() {
        if is_encoded(byte) {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        } else {
            path.push(char::from(byte));
        }
    }
    path
}

fn is_encoded(byte: u8) -> bool {
    !byte.is_ascii_graphic() || b"\"#<>?^`{}|%\\+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::url_path;

    /// The names and paths that `tests/url_paths.py` has written.
    const BY_PYTHON: &str = include_str!("../tests/url_paths.tsv");

    #[test]
    fn paths_are_those_that_python_makes() {
        let mut names = 0;
        for line in BY_PYTHON.lines() {
            let (name, path) = line.split_once('\t').unwrap();
            assert_eq!(url_path(name), path, "{name}");
            names += 1;
        }
        assert!(names > 100, "{names} names");
    }

    proptest! {
        #[test]
        fn a_parser_of_urls_leaves_paths_as_they_are(key in "([a-z!-/:-@\\[-`{-~ü\u{301}日😀\u{0}-\u{20}]{0,9}/?){1,4}") {
            prop_assume!(!key.split('/').any(|segment| segment == "." || segment == ".."));
            let path = url_path(&key);
            let parsed = url::Url::parse(&format!("https://www.example.com{path}")).unwrap();
            prop_assert_eq!(parsed.path(), &path);
            prop_assert_eq!((parsed.query(), parsed.fragment()), (None, None));
            let decoded = percent_encoding::percent_decode_str(&path[1..]).decode_utf8().unwrap();
            prop_assert_eq!(decoded, key);
        }
    }
}
