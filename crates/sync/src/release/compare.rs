//! What differs between two releases.

use super::Release;
use crate::Key;

/// How an object differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Only the later one has it.
    Added,
    /// Only the earlier one has it.
    Removed,
    /// Its bytes differ.
    Content,
    /// Only what it is served with differs.
    Metadata,
}

impl Kind {
    /// The one word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Content => "content",
            Self::Metadata => "metadata",
        }
    }
}

/// An object that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its key.
    pub key: Key,
    /// How.
    pub kind: Kind,
}

/// What became of `before` in `after`, in the order of the keys.
pub fn compare(before: &Release, after: &Release) -> Vec<Difference> {
    let one = |key: &Key, kind| Difference { key: key.clone(), kind };
    let mut found: Vec<Difference> = Vec::new();
    for entry in &after.entries {
        match before.get(&entry.key) {
            None => found.push(one(&entry.key, Kind::Added)),
            Some(old) if old.identity() != entry.identity() || old.size != entry.size => {
                found.push(one(&entry.key, Kind::Content));
            }
            Some(old) if before.headers(old) != after.headers(entry) => found.push(one(&entry.key, Kind::Metadata)),
            Some(_) => {}
        }
    }
    let removed = before.entries.iter().filter(|entry| after.get(&entry.key).is_none());
    found.extend(removed.map(|entry| one(&entry.key, Kind::Removed)));
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found
}
