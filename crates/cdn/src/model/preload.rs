//! Top-level domains whose names browsers reach over HTTPS only.

/// Whole top-level domains on the HSTS preload list, which browsers contain.
/// <https://source.chromium.org/chromium/chromium/src/+/main:net/http/transport_security_state_static.json>
const PRELOADED: [&str; 28] = [
    "android",
    "app",
    "bank",
    "boo",
    "channel",
    "chrome",
    "dad",
    "day",
    "dev",
    "esq",
    "foo",
    "gle",
    "gmail",
    "google",
    "hangout",
    "ing",
    "insurance",
    "meme",
    "mov",
    "new",
    "nexus",
    "page",
    "phd",
    "play",
    "prof",
    "rsvp",
    "youtube",
    "zip",
];

/// The top-level domain of a name, if it is on the list.
pub(crate) fn preloaded_tld(domain: &str) -> Option<&str> {
    let tld = domain.rsplit('.').next()?;
    PRELOADED.contains(&tld).then_some(tld)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_preloaded_domains_are_found() {
        assert_eq!(preloaded_tld("www.example.dev"), Some("dev"));
        assert_eq!(preloaded_tld("dev.example.com"), None);
    }
}
