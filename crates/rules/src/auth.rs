//! Paths of a site that ask for a user name and a password.
//!
//! A function in CloudFront checks them. It has HMAC and SHA-256, about a millisecond, and no bcrypt
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html>): a hash is computed as quickly by
//! whoever has stolen it, so that only long passwords are safe then.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::compile::headers::expression;
use crate::path::canonical_segment;

/// The part of the function that asks for passwords: `denial(request, uri, head)` returns a response, or `null` if the visitor may see the
/// path, and `sealed(uri, response)` keeps responses of protected paths out of caches and of search engines. It needs the modules
/// `cloudfront` as `cf` and `crypto`, and the constants `AUTH`, `REALM` and `INDEX`.
pub const AUTH_CODE: &str = include_str!("compile/auth.js");

/// What starts the text of a hash.
const SCHEME: &str = "hmac-sha256";

/// The block size of SHA-256, in bytes.
const BLOCK: usize = 64;

/// The longest name of a user, in bytes: a key of the store has at most 512, and a byte may take three in it.
const MAX_NAME: usize = 128;

/// The most protected paths: they are part of the function, whose size is limited.
const MAX_PATHS: usize = 10;

/// The longest path of one, in bytes, for the same reason.
const MAX_PATH: usize = 60;

/// A salted hash of a password: `hmac-sha256:SALT:HASH`, both in hexadecimal digits. The key of the HMAC is the text of the salt.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PasswordHash(String);

/// Hashes are not printed with what they are part of.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PasswordHash {
    /// The fewest characters of a password. One of twelve random letters and digits takes decades of computing to find.
    pub const MIN_PASSWORD: usize = 12;

    /// Hashes a password. The salt must be random.
    pub fn new(password: &str, salt: [u8; 16]) -> Self {
        let salt = hex::encode(salt);
        let hash = hex::encode(hmac(salt.as_bytes(), password.as_bytes()));
        Self(format!("{SCHEME}:{salt}:{hash}"))
    }
}

impl FromStr for PasswordHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice = "make one with `twinsite auth hash`";
        if ["$2a$", "$2b$", "$2y$", "$argon2", "$6$", "$apr1$"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(format!("functions in CloudFront cannot check hashes of this kind: {advice}"));
        }
        let is_hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        match text.split(':').collect::<Vec<_>>()[..] {
            [SCHEME, salt, hash] if is_hex(salt, 32) && is_hex(hash, 64) => Ok(Self(text.to_owned())),
            // Not the text itself: it may be a password.
            _ => Err(format!("it is no hash of a password, which is `{SCHEME}:SALT:HASH`: {advice}")),
        }
    }
}

/// <https://www.rfc-editor.org/rfc/rfc2104>
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    block[..key.len()].copy_from_slice(key);
    let keyed = |mask: u8| Sha256::new().chain_update(block.map(|byte| byte ^ mask));
    let inner = keyed(0x36).chain_update(message).finalize();
    keyed(0x5c).chain_update(inner).finalize().into()
}

/// A path, or all paths below one, that some users may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedPath {
    path: String,
    users: BTreeMap<String, PasswordHash>,
}

impl ProtectedPath {
    /// A path as in header rules, and the users by their names. A page is protected under each of its paths: `/team` means `/team/`,
    /// `/team.html` and `/team/index.html`, too.
    ///
    /// # Errors
    /// What is wrong with the path or with the users.
    pub fn new(path: &str, users: BTreeMap<String, PasswordHash>) -> Result<Self, String> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (last, others) = segments.split_last().ok_or("a path starts with `/`")?;
        if !path.starts_with('/') || path.starts_with("//") {
            return Err("a path starts with one `/`".to_owned());
        }
        if path.len() > MAX_PATH {
            return Err(format!("a protected path has at most {MAX_PATH} bytes"));
        }
        if path.contains(['?', '#', '\\'])
            || path.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        {
            return Err("a path has no query and no spaces: write `%20`".to_owned());
        }
        if others.iter().any(|segment| segment.contains('*')) || last.matches('*').count() > 1 {
            return Err("`*` is supported once, in the last segment of a path".to_owned());
        }
        if segments.iter().any(|segment| [".", ".."].contains(segment))
            || others.iter().any(|segment| segment.is_empty())
        {
            return Err("a path has neither empty segments nor `.` and `..`".to_owned());
        }
        if path.starts_with("/.well-known/twinsite") {
            return Err("`/.well-known/twinsite/` is for health checks, which have no password".to_owned());
        }
        if users.is_empty() {
            return Err("a protected path needs users: `users = { NAME = \"HASH\" }`".to_owned());
        }
        let is_wrong = |name: &&String| {
            name.is_empty() || name.len() > MAX_NAME || name.contains(|c: char| c == ':' || c.is_control())
        };
        match users.keys().find(is_wrong) {
            Some(name) => {
                let name = name.escape_debug();
                Err(format!("`{name}`: the name of a user has 1 to {MAX_NAME} bytes, and no colon"))
            }
            None => Ok(Self { path: path.to_owned(), users }),
        }
    }

    /// The path as it was written.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names of the users.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// A regular expression over paths as `protectionOf` of the function compares them.
    fn expression(&self) -> String {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        let bare = if last.contains('*') { &self.path } else { self.path.strip_suffix(".html").unwrap_or(&self.path) };
        expression(bare)
    }

    /// By which keys of the store name the path.
    fn id(&self) -> String {
        hex::encode(&Sha256::digest(&self.path)[..4])
    }
}

/// All protected paths of a site. Of those that match, the longest applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection(Vec<ProtectedPath>);

impl Protection {
    /// The key that says which users the store has: a digest of all of them. It is put last.
    pub const HEAD: &str = "auth";

    /// Adds a path.
    ///
    /// # Errors
    /// The path is there already, or there are too many.
    pub fn add(&mut self, path: ProtectedPath) -> Result<(), String> {
        if self.0.iter().any(|other| other.expression() == path.expression()) {
            return Err(format!("`{}` is protected twice", path.path));
        }
        if self.0.len() == MAX_PATHS {
            return Err(format!("there are more than {MAX_PATHS} protected paths"));
        }
        self.0.push(path);
        self.0.sort_by(|one, other| other.path.len().cmp(&one.path.len()).then_with(|| one.path.cmp(&other.path)));
        Ok(())
    }

    /// Whether no path is protected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths, the longest first.
    pub fn paths(&self) -> &[ProtectedPath] {
        &self.0
    }

    /// What the function's code has of it, as JSON: pairs of an id and a regular expression. There is nothing secret in it.
    pub fn code(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|path| (path.id(), path.expression())).collect();
        serde_json::json!(pairs).to_string()
    }

    /// The keys of the store, with their values; none without protected paths.
    ///
    /// - `a:ID:USER`: the hash of the user's password, by the id of a path.
    /// - `auth`: a digest of these.
    pub fn keys(&self) -> BTreeMap<String, String> {
        let users = self.0.iter().flat_map(|path| {
            let id = path.id();
            path.users.iter().map(move |(name, hash)| (format!("a:{id}:{}", canonical_user(name)), hash.0.clone()))
        });
        let mut keys: BTreeMap<String, String> = users.collect();
        if let Some(head) = self.head() {
            keys.insert(Self::HEAD.to_owned(), head);
        }
        keys
    }

    /// The value of the key [`Self::HEAD`], if there is one.
    pub fn head(&self) -> Option<String> {
        let mut digest = Sha256::new();
        for ProtectedPath { path, users } in &self.0 {
            digest.update(format!("{}:{path}\n", path.len()));
            for (name, hash) in users {
                digest.update(format!("{}:{name} {hash}\n", name.len()));
            }
        }
        (!self.0.is_empty()).then(|| hex::encode(&digest.finalize()[..16]))
    }

    /// Whether a key of the store is one of these.
    pub fn owns(key: &str) -> bool {
        key == Self::HEAD || key.starts_with("a:")
    }

    /// Whether visitors need a password for the front page.
    pub fn covers_front_page(&self) -> bool {
        self.0.iter().any(|path| ["/", "/*", "/index", "/index.html"].contains(&path.path.as_str()))
    }
}

/// A name as JavaScript's `encodeURIComponent` has it; a name is no path, so that a percent sign is text.
fn canonical_user(name: &str) -> String {
    canonical_segment(&name.replace('%', "%25"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> BTreeMap<String, PasswordHash> {
        [("alice".to_owned(), PasswordHash::new("correct horse", [7; 16]))].into()
    }

    /// Computed with Python: `hmac.new(b'07' * 16, b'correct horse', 'sha256').hexdigest()`.
    #[test]
    fn hashes_are_hmacs_with_the_salt_as_the_key() {
        let hash = PasswordHash::new("correct horse", [7; 16]).to_string();
        assert_eq!(
            hash,
            format!("hmac-sha256:{}:7563601133dac2f4c9b22fbc61cdd84f19913e314671565c43cf30bc61ea31fb", "07".repeat(16))
        );
        assert_eq!(hash.parse::<PasswordHash>().unwrap().to_string(), hash);
        for wrong in ["", "secret", "$2y$10$abc", "hmac-sha256:00:11", &hash.to_uppercase()] {
            let fault = wrong.parse::<PasswordHash>().unwrap_err();
            assert!(fault.contains("twinsite auth hash") && (wrong.is_empty() || !fault.contains(wrong)), "{fault}");
        }
        assert!(!format!("{:?}", ProtectedPath::new("/a", users())).contains("hmac"));
    }

    #[test]
    fn paths_are_checked_and_the_longest_is_the_first() {
        for wrong in ["", "a", "//a", "/a/*/b", "/a**", "/a?b", "/a b", "/../a", "/a//b", "/.well-known/twinsite/*"] {
            assert!(ProtectedPath::new(wrong, users()).is_err(), "{wrong}");
        }
        assert!(ProtectedPath::new("/a", BTreeMap::new()).is_err());
        let mut protection = Protection::default();
        for path in ["/*", "/admin/*", "/team.html"] {
            protection.add(ProtectedPath::new(path, users()).unwrap()).unwrap();
        }
        assert!(protection.add(ProtectedPath::new("/team", users()).unwrap()).is_err());
        assert_eq!(
            protection.paths().iter().map(ProtectedPath::path).collect::<Vec<_>>(),
            ["/team.html", "/admin/*", "/*"]
        );
        assert_eq!(protection.keys().len(), 4);
        assert!(protection.keys().keys().all(|key| Protection::owns(key)));
        assert!(!protection.code().contains("hmac"));
    }
}
