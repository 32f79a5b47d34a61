//! What an HTTP API cannot pass on.

/// Responses larger than this are not passed on, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
pub const UNREACHABLE_SIZE: u64 = 10 << 20;

/// Whether the object with a key can be reached through the standby. HTTP APIs decode paths before they pass them on, more than once as
/// public reports have it: a `%` is then refused or decoded again, what follows a `?` is no path any more, and a `+` arrives at S3 as it
/// is, which reads it as a space. Of adjacent slashes, one is left.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
pub fn is_reachable(key: &str) -> bool {
    !key.contains(['+', '%', '?']) && !key.contains("//") && !key.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_lose_characters_on_the_way_cannot_be_reached() {
        for key in ["index.html", "a b.txt", "ü/index.html", "a#b", "a&b=c", "photo(1).jpg"] {
            assert!(is_reachable(key), "{key}");
        }
        for key in ["a+b.txt", "100%.txt", "what?.html", "a//b", "/a"] {
            assert!(!is_reachable(key), "{key}");
        }
    }
}
