//! What paths mean that do not tell by their look: `/about` may be a file or a folder, and so may `/docs/1.0`.

use crate::files::Files;

/// Characters of a path's fingerprint.
const FINGERPRINT: usize = 7;

/// Paths in a list at most: each takes a fingerprint and a letter, and a value has at most 1,024 characters.
const MAX_PATHS: usize = 120;

/// Paths in a list on average.
const USUAL_PATHS: usize = 48;

/// Lists of paths, as the key value store has them at `u:0`, `u:1`, and so on.
///
/// A path belongs to the list with the number of its first hash modulo the number of lists. An entry is the path's second hash in base 36,
/// with leading zeros, and `d` for a folder or `f` for a file. Two paths of a list with the same second hash are one in four thousand
/// million.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathLists(pub(super) Vec<String>);

impl PathLists {
    /// The folders of a site, and its files that look like folders; `None` if a list would be too long for a value.
    pub(super) fn of(files: &Files) -> Option<Self> {
        let files_without_dot = files.without_dot().map(|path| (path, 'f'));
        let all: Vec<(&str, char)> = files.folders().map(|path| (path, 'd')).chain(files_without_dot).collect();
        // A power of two, so that one more path seldom changes every list.
        let count = all.len().div_ceil(USUAL_PATHS).next_power_of_two();
        let mut lists = vec![Vec::new(); count];
        for (path, kind) in all {
            let number = usize::try_from(hash(path, FIRST)).ok()? % count;
            lists[number].push(format!("{}{kind}", fingerprint(path)));
        }
        if lists.iter().any(|list| list.len() > MAX_PATHS) {
            return None;
        }
        let text = |mut list: Vec<String>| {
            list.sort();
            list.concat()
        };
        Some(Self(lists.into_iter().map(text).collect()))
    }

    /// The keys of the store. A list without paths has none.
    pub(super) fn keys(&self) -> impl Iterator<Item = (String, String)> {
        let lists = self.0.iter().enumerate().filter(|(_, list)| !list.is_empty());
        lists.map(|(number, list)| (format!("u:{number}"), list.clone()))
    }

    /// Bytes of keys and values.
    pub(super) fn size(&self) -> usize {
        self.keys().map(|(key, value)| key.len() + value.len()).sum()
    }
}

/// A hash in numbers that JavaScript has without loss.
struct Hash {
    factor: u64,
    modulus: u64,
}

const FIRST: Hash = Hash { factor: 131, modulus: 4_294_967_291 };
const SECOND: Hash = Hash { factor: 257, modulus: 4_294_967_279 };

fn hash(path: &str, Hash { factor, modulus }: Hash) -> u64 {
    path.bytes().fold(7, |hash, byte| (hash * factor + u64::from(byte)) % modulus)
}

fn fingerprint(path: &str) -> String {
    let mut rest = hash(path, SECOND);
    let mut digits = vec![b'0'; FINGERPRINT];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(rest % 36).unwrap_or_default()];
        rest /= 36;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_fit_into_values_and_hashes_are_stable() {
        let keys: Vec<String> = (0..100_000).map(|n| format!("posts/2024/{n}/index.html")).collect();
        let files = Files::of_keys(keys.iter().map(String::as_str), "index.html");
        let lists = PathLists::of(&files).unwrap();
        assert_eq!(lists.0.iter().map(String::len).sum::<usize>(), 100_000 * 8);
        assert!(lists.0.iter().all(|list| list.len() <= 1024) && lists.size() < 1_000_000, "{}", lists.size());
        assert_eq!((hash("/about", FIRST), fingerprint("/about")), (3_525_172_618, "0lt7lp6".to_owned()));
    }
}
