//! The time of this machine.

/// Seconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "how old a release is, people reckon in their own time")]
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
