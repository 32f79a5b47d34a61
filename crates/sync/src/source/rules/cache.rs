//! How long browsers and caches may keep an object, unless a rule says otherwise.

use super::hashed;
use super::kinds::Kind;
use crate::Key;

/// For names that carry a digest of their content.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For what must never be older than the rest of the site.
const REVALIDATED: &str = "public, max-age=0, must-revalidate";
/// For everything else.
const HOUR: &str = "public, max-age=3600";

/// `Cache-Control` by default.
pub(super) fn default_for(key: &Key, kind: Kind) -> &'static str {
    match kind {
        Kind::Page | Kind::Data => REVALIDATED,
        kind if kind.is_bundled() && hashed::is_hashed(key) => IMMUTABLE,
        _ => HOUR,
    }
}
