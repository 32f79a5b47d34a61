//! Reserved prefixes and keys of a bucket. Nothing below them is published, compared or deleted as content.

/// The prefix of twinsite's own records, which are never served.
pub const PRIVATE: &str = ".twinsite/";

/// The key of the redirect table of a release. It is published, compared, deleted and brought back like content, although it is below a
/// reserved prefix, so that visitors cannot request it.
pub const REDIRECT_TABLE: &str = ".twinsite/redirects";

/// The prefix of the records that say which side is active. They are about the whole bucket, whatever prefixes it has.
pub(crate) const ACTIVE: &str = ".twinsite/active/";

/// The prefix of manifests.
pub(crate) const MANIFESTS: &str = ".twinsite/ledger/";

/// The prefix of release records.
pub(crate) const RELEASES: &str = ".twinsite/releases/";

/// True for every spelling of a reserved prefix: in another case, with compatible or invisible characters, percent-encoded, with
/// backslashes, empty segments, `.` or `..`. Keys are compared to the byte, but file systems, clients and browsers are not so
/// exact: whatever one of them may take for a reserved key is not published. Of paths that name no file, such as `a/..`, it is
/// true as well.
pub(crate) fn resembles_reserved(path: &str) -> bool {
    let mut segments: Vec<&str> = Vec::new();
    let folded = folded(path);
    for segment in folded.split(['/', '\\']) {
        match segment.trim_matches(' ') {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name.trim_end_matches(['.', ' '])),
        }
    }
    let reserved = |prefix: &str| {
        let mut wanted = prefix.split('/').filter(|segment| !segment.is_empty());
        let mut given = segments.iter();
        wanted.all(|segment| given.next() == Some(&segment))
    };
    segments.is_empty() || reserved(PRIVATE) || reserved(twinsite_core::probe::FOLDER)
}

/// A path in lower case, decoded, in Unicode's compatibility form, without characters that are not seen.
fn folded(path: &str) -> String {
    let is_plain = |b: u8| b.is_ascii() && b != b'%' && !b.is_ascii_control();
    if path.bytes().all(is_plain) {
        return path.to_ascii_lowercase();
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let composed = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize(&decoded).into_owned();
    composed.chars().filter(|c| !is_invisible(*c)).flat_map(char::to_lowercase).collect()
}

/// Characters that file systems or browsers drop, or that are not seen.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::resembles_reserved;

    #[test]
    fn every_spelling_of_a_reserved_prefix_is_recognised() {
        for yes in [
            ".twinsite",
            ".twinsite/lock",
            "/.twinsite/lock",
            "a/../.twinsite/lock",
            ".TWINSITE/x",
            ".well-known//twinsite/stop.txt",
            "./.well-known/./twinsite/stop.txt",
            ".well-known\\twinsite\\stop.txt",
            ".well-known%2FTwinsite/stop.txt",
            "．twinsite/x",
            ".twin\u{200d}site/x",
            ".twinsite. /x",
            "..",
            "a/..",
        ] {
            assert!(resembles_reserved(yes), "{yes}");
        }
        for no in
            [".twinsiteignore", "a/.twinsite/x", ".well-known/security.txt", ".well-known/twinsites/x", "100%", "Ü"]
        {
            assert!(!resembles_reserved(no), "{no}");
        }
    }
}
