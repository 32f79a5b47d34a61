//! What edges remember, and for how long.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html>

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::world::cloudfront::Invalidation;

/// The times of the managed policy `CachingOptimized`.
const LEAST: Duration = Duration::from_secs(1);
const USUAL: Duration = Duration::from_hours(24);
const MOST: Duration = Duration::from_hours(24 * 365);

/// How many bytes are remembered in all, and how large one answer may be.
const ROOM: usize = 256 << 20;
pub(super) const LARGEST: u64 = 32 << 20;

/// What a request is remembered by. The query is not part of it, as that policy says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) distribution: String,
    pub(super) target: String,
    pub(super) path: String,
    pub(super) head: bool,
}

/// An answer of an origin.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When it came.
    pub(super) stored: SystemTime,
    /// Until when it is fresh.
    pub(super) until: SystemTime,
}

impl Kept {
    pub(super) fn etag(&self) -> Option<&str> {
        self.headers.get(header::ETAG)?.to_str().ok()
    }
}

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: Mutex<(BTreeMap<Key, Kept>, usize)>,
}

impl Cache {
    /// What is remembered of a key and not invalidated since; fresh or not.
    pub(super) fn get(&self, key: &Key, invalidations: &[Invalidation]) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).0.get(key).cloned()?;
        let since = invalidations.iter().filter(|one| one.created >= kept.stored);
        let gone = since.flat_map(|one| &one.paths).any(|pattern| covers(pattern, &key.path));
        (!gone).then_some(kept)
    }

    pub(super) fn put(&self, key: Key, kept: Kept) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, bytes) = &mut *guard;
        *bytes += kept.body.len();
        *bytes -= all.insert(key, kept).map_or(0, |old| old.body.len());
        while *bytes > ROOM {
            // What runs out first goes first.
            let Some(first) = all.iter().min_by_key(|(_, kept)| kept.until).map(|(key, _)| key.clone()) else { return };
            *bytes -= all.remove(&first).map_or(0, |old| old.body.len());
        }
    }
}

/// True when an invalidation's path is about a request's.
fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == pattern,
    }
}

/// For how long an answer is fresh.
pub(super) fn lifetime(headers: &HeaderMap, now: SystemTime) -> Duration {
    let control = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let words: Vec<String> = control.split(',').map(|word| word.trim().to_ascii_lowercase()).collect();
    let seconds = |name: &str| {
        let found = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        found.and_then(|text| text.trim_matches('"').parse().ok()).map(Duration::from_secs)
    };
    let says = |word: &str| words.iter().any(|there| there == word);
    // With a least time above zero, even what says not to be kept is, for that long.
    if says("no-store") || says("no-cache") || says("private") {
        return LEAST;
    }
    let expires = || {
        let text = headers.get(header::EXPIRES)?.to_str().ok()?;
        let until = httpdate::parse_http_date(text).ok()?;
        Some(until.duration_since(now).unwrap_or_default())
    };
    let said = seconds("s-maxage").or_else(|| seconds("max-age")).or_else(expires).unwrap_or(USUAL);
    said.clamp(LEAST, MOST)
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
        let seconds = |text: &str| lifetime(&control(text), SystemTime::UNIX_EPOCH).as_secs();
        assert_eq!(seconds("public, max-age=60"), 60);
        assert_eq!(seconds("max-age=60, s-maxage=5"), 5);
        assert_eq!((seconds("max-age=0"), seconds("no-store"), seconds("public")), (1, 1, 86_400));
        assert_eq!(lifetime(&HeaderMap::new(), SystemTime::UNIX_EPOCH), USUAL);
    }

    #[test]
    fn invalidations_are_about_what_was_kept_before() {
        let cache = Cache::default();
        let key = Key { distribution: "E1".into(), target: "t".into(), path: "/a/b".into(), head: false };
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let (headers, body) = (HeaderMap::new(), Bytes::from_static(b"x"));
        cache.put(key.clone(), Kept { status: StatusCode::OK, headers, body, stored: at(5), until: at(50) });
        let gone = |path: &str, created| {
            let (id, reference, paths) = (String::new(), String::new(), vec![path.to_owned()]);
            cache
                .get(&key, &[Invalidation { id, reference, paths, created: at(created), completed: at(created) }])
                .is_none()
        };
        assert!(gone("/a/*", 6) && gone("/a/b", 5) && gone("/*", 9));
        assert!(!gone("/a/*", 4) && !gone("/a", 6) && !gone("/b*", 6));
    }
}
