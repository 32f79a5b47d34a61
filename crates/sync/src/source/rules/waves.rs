//! Which objects go first: a page must never be there before what it names.

use super::kinds::Kind;
use crate::{Key, Wave};

/// The wave of an object.
pub(super) fn wave_of(key: &Key, kind: Kind, index: &str, not_found: Option<&str>) -> Wave {
    if key.as_str() == index || Some(key.as_str()) == not_found {
        return Wave::Entry;
    }
    match kind {
        Kind::Page | Kind::Data => Wave::Pages,
        _ => Wave::Assets,
    }
}
