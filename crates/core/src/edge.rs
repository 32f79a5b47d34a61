//! For how long CloudFront's edges keep what an origin has answered.

use std::time::Duration;

/// The TTLs of the managed cache policy `CachingOptimized`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>
pub const MIN_TTL: Duration = Duration::from_secs(1);
const DEFAULT_TTL: Duration = Duration::from_hours(24);
const MAX_TTL: Duration = Duration::from_hours(24 * 365);

/// How long an edge keeps an error by default.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html>
pub const ERROR_TTL: Duration = Duration::from_secs(10);

/// For how long an edge may serve a response with this `Cache-Control` before it asks the origin again, with the managed cache
/// policy `CachingOptimized`. For the whole lifetime of a response that may be served stale.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html>
///
/// ```
/// use std::time::Duration;
/// use twinsite_core::edge::{MIN_TTL, ttl};
///
/// assert_eq!(ttl(Some("public, max-age=0, must-revalidate")), MIN_TTL);
/// assert_eq!(ttl(Some("public, max-age=3600")), Duration::from_secs(3600));
/// ```
pub fn ttl(cache_control: Option<&str>) -> Duration {
    let directives: Vec<String> =
        cache_control.unwrap_or_default().split(',').map(|word| word.trim().to_ascii_lowercase()).collect();
    // Of a directive that is given twice, the longer counts: what is kept is overrated rather than underrated.
    let seconds = |name: &str| {
        let values = directives.iter().filter_map(|word| word.strip_prefix(name)?.trim_start().strip_prefix('='));
        let numbers =
            values.map(|value| value.trim().trim_matches('"').parse().map_or(DEFAULT_TTL, Duration::from_secs));
        numbers.max()
    };
    let has = |name: &str| directives.iter().any(|word| word == name);
    let fresh = if has("no-store") || has("no-cache") || has("private") {
        MIN_TTL
    } else {
        seconds("s-maxage").or_else(|| seconds("max-age")).unwrap_or(DEFAULT_TTL)
    };
    let stale = seconds("stale-while-revalidate").max(seconds("stale-if-error")).unwrap_or_default();
    fresh.saturating_add(stale).clamp(MIN_TTL, MAX_TTL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_decide_within_the_policy() {
        let seconds = |text: &str| ttl(Some(text)).as_secs();
        assert_eq!((seconds("max-age=60"), seconds("Max-Age = \"60\""), seconds("public,max-age=0")), (60, 60, 1));
        assert_eq!((seconds("max-age=60, s-maxage=0"), seconds("max-age=0, s-maxage=5")), (1, 5));
        assert_eq!((seconds("no-cache"), seconds("no-store, max-age=60"), seconds("private")), (1, 1, 1));
        assert_eq!((seconds("max-age=0, stale-while-revalidate=30"), seconds("max-age=0, stale-if-error=9")), (30, 9));
        assert_eq!((ttl(None), seconds("public"), seconds("max-age=soon")), (DEFAULT_TTL, 86_400, 86_400));
        assert_eq!((seconds("max-age=0, max-age=7"), seconds("max-age=99999999999")), (7, MAX_TTL.as_secs()));
    }
}
