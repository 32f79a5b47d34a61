//! How long browsers and caches may keep an object, unless a rule says otherwise.

use crate::{Key, Wave};

/// `Cache-Control` by default.
pub(super) fn default_for(key: &Key, wave: Wave) -> &'static str {
    match wave {
        Wave::Pages | Wave::Entry => "public, max-age=0, must-revalidate",
        Wave::Assets if is_hashed(key.name()) => "public, max-age=31536000, immutable",
        Wave::Assets => "public, max-age=3600",
    }
}

/// True when a name carries a digest of its content, as bundlers write it: `app.3f2a9c1b.css`, `index-BhX3k2Qz.js`.
///
/// Careful on purpose: a wrong yes would keep a stale file in browsers for a year. The digest must stand between a separator
/// and the extension, have eight or more characters, and mix letters and digits (all hexadecimal, or with both cases).
fn is_hashed(name: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    if ["html", "htm", "xml", "json"].contains(&extension) {
        return false;
    }
    let Some(digest) = stem.rsplit(['.', '-']).next().filter(|digest| digest.len() < stem.len()) else { return false };
    let has = |test: fn(char) -> bool| digest.chars().any(test);
    let mixed = has(|c| c.is_ascii_digit()) && has(|c| c.is_ascii_alphabetic());
    let hex = digest.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let cases = has(|c| c.is_ascii_lowercase()) && has(|c| c.is_ascii_uppercase());
    let word = digest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    digest.len() >= 8 && word && mixed && (hex || cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_digest_are_kept_for_a_year() {
        for yes in ["app.3f2a9c1b.css", "index-BhX3k2Qz.js", "font.0a1b2c3d4e5f.woff2", "a.b-C3d4E5f6G.png"] {
            assert!(is_hashed(yes), "{yes}");
        }
        for no in [
            "app.css",
            "app.min.js",
            "jquery-3.7.1.js",
            "2024-11-23.png",
            "deadbeef.js",
            "a.deadbeef.js",
            "logo-20241123.svg",
            "report-12345678.pdf",
            "page.3f2a9c1b.html",
            "README",
            "photo-original1.jpg",
        ] {
            assert!(!is_hashed(no), "{no}");
        }
    }
}
