//! The cache of the edges.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html>

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::cloudfront::Invalidation;

/// The TTLs of the managed policy `CachingOptimized`.
const MIN_TTL: Duration = Duration::from_secs(1);
const DEFAULT_TTL: Duration = Duration::from_hours(24);
const MAX_TTL: Duration = Duration::from_hours(24 * 365);

/// The size of the cache, and the maximum size of a response in it.
const CAPACITY: usize = 256 << 20;
pub(super) const MAX_RESPONSE: u64 = 32 << 20;

/// The cache key. With that policy, it excludes the query string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) distribution: String,
    pub(super) target: String,
    pub(super) path: String,
}

/// A cached response of an origin.
#[derive(Clone, Debug)]
pub(super) struct CachedResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When it was received.
    pub(super) stored: SystemTime,
    /// When it becomes stale.
    pub(super) until: SystemTime,
}

impl CachedResponse {
    pub(super) fn etag(&self) -> Option<&str> {
        self.headers.get(header::ETAG)?.to_str().ok()
    }
}

/// The cache, which all edges share.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: BTreeMap<Key, CachedResponse>,
    /// The size of all bodies.
    bytes: usize,
}

impl Cache {
    /// The response of a key, fresh or stale, unless it was invalidated.
    pub(super) fn get(&self, key: &Key, invalidations: &[Invalidation]) -> Option<CachedResponse> {
        let cached = self.entries.lock().unwrap_or_else(PoisonError::into_inner).by_key.get(key).cloned()?;
        let later = invalidations.iter().filter(|one| one.created >= cached.stored);
        let invalidated = later.flat_map(|one| &one.paths).any(|pattern| matches(pattern, &key.path));
        (!invalidated).then_some(cached)
    }

    pub(super) fn put(&self, key: Key, response: CachedResponse) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Entries { by_key, bytes } = &mut *entries;
        *bytes += response.body.len();
        *bytes -= by_key.insert(key, response).map_or(0, |old| old.body.len());
        while *bytes > CAPACITY {
            // The first to become stale is evicted first.
            let Some(first) = by_key.iter().min_by_key(|(_, cached)| cached.until).map(|(key, _)| key.clone()) else {
                return;
            };
            *bytes -= by_key.remove(&first).map_or(0, |old| old.body.len());
        }
    }
}

/// Whether the path of an invalidation matches a request.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == pattern,
    }
}

/// The directives of `Cache-Control`.
fn directives(headers: &HeaderMap) -> Vec<String> {
    let control = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    control.split(',').map(|word| word.trim().to_ascii_lowercase()).collect()
}

/// The age that an origin sets for shared caches, if any.
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = directives(headers);
    let seconds = |name: &str| {
        let found = directives.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        found.and_then(|text| text.trim_matches('"').parse().ok()).map(Duration::from_secs)
    };
    seconds("s-maxage").or_else(|| seconds("max-age"))
}

/// How long a response is fresh.
pub(super) fn ttl_of(headers: &HeaderMap, now: SystemTime) -> Duration {
    let directives = directives(headers);
    let has = |directive: &str| directives.iter().any(|one| one == directive);
    // With a minimum TTL above zero, even such responses are cached for that long.
    if has("no-store") || has("no-cache") || has("private") {
        return MIN_TTL;
    }
    let expires = || {
        let text = headers.get(header::EXPIRES)?.to_str().ok()?;
        let until = httpdate::parse_http_date(text).ok()?;
        Some(until.duration_since(now).unwrap_or_default())
    };
    max_age(headers).or_else(expires).unwrap_or(DEFAULT_TTL).clamp(MIN_TTL, MAX_TTL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, text.parse().unwrap());
        headers
    }

    #[test]
    fn cache_control_decides_within_the_policy() {
        let seconds = |text: &str| ttl_of(&control(text), SystemTime::UNIX_EPOCH).as_secs();
        assert_eq!(seconds("public, max-age=60"), 60);
        assert_eq!(seconds("max-age=60, s-maxage=5"), 5);
        assert_eq!((seconds("max-age=0"), seconds("no-store"), seconds("public")), (1, 1, 86_400));
        assert_eq!(ttl_of(&HeaderMap::new(), SystemTime::UNIX_EPOCH), DEFAULT_TTL);
    }

    #[test]
    fn invalidations_apply_to_earlier_responses() {
        let cache = Cache::default();
        let key = Key { distribution: "E1".into(), target: "t".into(), path: "/a/b".into() };
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let (headers, body) = (HeaderMap::new(), Bytes::from_static(b"x"));
        cache.put(key.clone(), CachedResponse { status: StatusCode::OK, headers, body, stored: at(5), until: at(50) });
        let invalidated = |path: &str, created| {
            let (id, reference, paths) = (String::new(), String::new(), vec![path.to_owned()]);
            cache
                .get(&key, &[Invalidation { id, reference, paths, created: at(created), completed: at(created) }])
                .is_none()
        };
        assert!(invalidated("/a/*", 6) && invalidated("/a/b", 5) && invalidated("/*", 9));
        assert!(!invalidated("/a/*", 4) && !invalidated("/a", 6) && !invalidated("/b*", 6));
    }
}
