//! Objects on both ends: what is on disk, and what is in the bucket.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use twinsite_core::Invalid;
use twinsite_core::edge;

use super::layout::{MANIFESTS, PRIVATE, REDIRECT_TABLE, RELEASES};

/// An object's key: the exact bytes of the file's relative path, with `/` between its parts. Clones share them: plans, reports and
/// records all name the same objects.
///
/// Limits: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The longest key S3 takes, in bytes of UTF-8.
    pub const MAX_LEN: usize = 1024;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the last `/`.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The name's extension in lower case, without the dot; empty when it has none.
    pub fn extension(&self) -> String {
        match self.name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    /// True for what belongs to both buckets: everything but a bucket's own notes and what its health checks ask for.
    pub fn is_replicated(&self) -> bool {
        !self.is_reserved() || self.0.starts_with(MANIFESTS) || self.0.starts_with(RELEASES)
    }

    /// True for keys below twinsite's reserved prefixes: its notes, which are never served, and the objects that health
    /// checks ask for. Neither is published, compared or deleted. The redirect table is not among them: it is part of a release.
    pub fn is_reserved(&self) -> bool {
        (self.0.starts_with(PRIVATE) || self.0.starts_with(twinsite_core::probe::FOLDER)) && !self.is_redirect_table()
    }

    /// True for the key of the redirect table.
    pub fn is_redirect_table(&self) -> bool {
        self.as_str() == REDIRECT_TABLE
    }

    /// The key of the redirect table.
    pub fn redirect_table() -> Self {
        REDIRECT_TABLE.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Key {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.len() {
            0 => Err(Invalid::new("key", text, "is empty")),
            1..=Self::MAX_LEN => Ok(Self(text.into())),
            len => Err(Invalid::new("key", text, format!("has {len} bytes; S3 takes at most {}", Self::MAX_LEN))),
        }
    }
}

/// The MD5 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Md5(pub [u8; 16]);

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Md5({self})")
    }
}

/// An entity tag, by its form. Two are equal if their texts are.
///
/// The form alone does not say whether the tag is a digest of the bytes: with SSE-KMS, DSSE-KMS and SSE-C it has the same form and is
/// none. [`TagKind`] says which, where the response of a request tells; a listing does not.
///
/// What an `ETag` is: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ETag {
    /// 32 hexadecimal digits: of an object that was put in one part, the MD5 of its bytes unless the tag is opaque.
    Md5(Md5),
    /// 32 hexadecimal digits and the number of parts: the MD5 of the parts' MD5s unless the tag is opaque.
    Multipart(Md5, u32),
    /// Of any other form, as of stores with tags of their own; kept without quotes.
    Opaque(Box<str>),
}

/// Whether an entity tag is a digest of the object's bytes.
///
/// It is if the object is encrypted with SSE-S3 or not at all, and not if it is encrypted with SSE-KMS, DSSE-KMS or SSE-C:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// The MD5 of the bytes, or of the MD5s of the parts.
    #[default]
    Digest,
    /// Another value for every write: it says nothing about the bytes.
    Opaque,
}

impl ETag {
    /// Reads a header or listing value, quoted or not.
    pub fn parse(text: &str) -> Self {
        let bare = text.trim_start_matches("W/").trim_matches('"');
        let opaque = || Self::Opaque(bare.into());
        let (digits, parts) = match bare.split_once('-') {
            None => (bare, None),
            Some((digits, parts)) => (digits, Some(parts)),
        };
        let mut md5 = [0; 16];
        if hex::decode_to_slice(digits, &mut md5).is_err() {
            return opaque();
        }
        let read = match parts.map(str::parse) {
            None => Self::Md5(Md5(md5)),
            Some(Ok(parts)) => Self::Multipart(Md5(md5), parts),
            Some(Err(_)) => return opaque(),
        };
        // Preconditions compare tags as texts: one that would not be written as it was read, in capitals say, is kept as it is.
        if read.to_string() == bare { read } else { opaque() }
    }
}

impl fmt::Display for ETag {
    /// Without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(md5) => md5.fmt(f),
            Self::Multipart(md5, parts) => write!(f, "{md5}-{parts}"),
            Self::Opaque(text) => f.write_str(text),
        }
    }
}

/// The headers that an object is served with, complete: a rewrite replaces all of them, so none may be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// `Content-Type`, with its charset for text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `x-amz-website-redirect-location`: the website endpoint answers 301 with this location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// `x-amz-meta-*`, without the prefix, names in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Headers {
    /// Those of a record of twinsite's own, which nobody may keep a copy of.
    pub(crate) fn of_record(content_type: &str) -> Self {
        Self {
            content_type: Some(content_type.to_owned()),
            cache_control: Some("no-store".to_owned()),
            ..Self::default()
        }
    }

    /// Whether edges of CloudFront may serve a copy without asking for the object again. A redirect is served without
    /// `Cache-Control` by website endpoints, and held for a day.
    pub fn are_held(&self) -> bool {
        self.website_redirect.is_some() || edge::ttl(self.cache_control.as_deref()) > edge::MIN_TTL
    }
}

/// When an object is sent: a wave starts only when the one before is done, so no page is ever there before its assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wave {
    /// Styles, scripts, images, fonts and everything else that pages name.
    Assets,
    /// HTML, feeds, sitemaps, service workers, manifests: what names assets.
    Pages,
    /// The documents visitors come in by: the index document and the error document at the top.
    Entry,
}

/// Where the bytes of an object are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// In a file.
    File {
        /// Where it is.
        place: Place,
        /// What identifies this state of the file.
        stamp: Stamp,
    },
    /// In memory: an object that twinsite makes, of at most a few megabytes.
    Memory(Bytes),
    /// In a noncurrent version, which the bucket keeps.
    Version {
        /// Its entity tag.
        etag: ETag,
        /// The digest of its bytes, as an entity tag would have it, where its own tag does not tell.
        digest: Option<ETag>,
        /// The version's id, where it is known.
        version: Option<String>,
    },
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below this directory, where its key says: all files of a site share the directory, and a path of its own would be
    /// the largest part of what is kept of each.
    Under(Arc<Path>),
    /// Anywhere else.
    At(Box<Path>),
}

/// Something that is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceObject {
    /// Where it goes.
    pub key: Key,
    /// Where its bytes are.
    pub body: Body,
    /// Its size in bytes when it was found.
    pub size: u64,
    /// What it is to be served with; a site has many objects and few sets of headers.
    pub headers: Arc<Headers>,
    /// When it is sent.
    pub wave: Wave,
}

impl SourceObject {
    /// The file it is in, if it is in one, and what it was when it was found.
    pub fn file(&self) -> Option<(PathBuf, Stamp)> {
        match &self.body {
            Body::File { place: Place::Under(root), stamp } => {
                Some((root.join(self.key.as_str().trim_start_matches('/')), *stamp))
            }
            Body::File { place: Place::At(path), stamp } => Some((path.to_path_buf(), *stamp)),
            Body::Memory(_) | Body::Version { .. } => None,
        }
    }

    /// The same bytes with the same headers under another key.
    #[must_use]
    pub fn copy_to(&self, key: Key) -> Self {
        let body = match (&self.body, self.file()) {
            (Body::File { .. }, Some((path, stamp))) => Body::File { place: Place::At(path.into()), stamp },
            (body, _) => body.clone(),
        };
        Self { key, body, size: self.size, headers: Arc::clone(&self.headers), wave: self.wave }
    }

    /// An object that is made rather than found.
    pub fn in_memory(key: Key, bytes: Bytes, headers: Arc<Headers>, wave: Wave) -> Self {
        Self { key, size: bytes.len() as u64, body: Body::Memory(bytes), headers, wave }
    }

    /// The digest of a noncurrent version as an entity tag would have it, as far as it is known.
    pub(crate) fn version_digest(&self) -> Option<ETag> {
        match &self.body {
            Body::File { .. } | Body::Memory(_) => None,
            Body::Version { etag, digest, .. } => Some(digest.as_ref().unwrap_or(etag).clone()),
        }
    }

    /// True when its bytes are here, in a file or in memory.
    pub fn is_local(&self) -> bool {
        matches!(self.body, Body::File { .. } | Body::Memory(_))
    }
}

/// What the file system says about a file, to notice that it has changed: as git's index keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since the epoch, which is good until 2262.
    pub mtime: i64,
    /// Change time in nanoseconds since the epoch; 0 where the system has none.
    pub ctime: i64,
    /// Inode; 0 where the system has none.
    pub inode: u64,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteObject {
    /// Its key.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// Its entity tag.
    pub etag: ETag,
    /// When it was last written, in seconds since the epoch.
    pub modified: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_read_for_what_they_say() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        assert!(matches!(ETag::parse(&format!("\"{md5}\"")), ETag::Md5(_)));
        assert!(matches!(ETag::parse(&format!("{md5}-12")), ETag::Multipart(_, 12)));
        assert_eq!(ETag::parse("\"abc\""), ETag::Opaque("abc".into()));
        let capitals = md5.to_uppercase();
        for text in [
            md5,
            &capitals,
            "d41d8cd98f00b204e9800998ecf8427e-3",
            "d41d8cd98f00b204e9800998ecf8427e-003",
            "abc",
            "d41d8cd98f00b204e9800998ecf8427e-x",
        ] {
            assert_eq!(ETag::parse(text).to_string(), text);
        }
        assert_ne!(ETag::parse(md5), ETag::parse(&capitals));
    }

    #[test]
    fn keys_are_bounded_in_bytes() {
        assert!("ü".repeat(512).parse::<Key>().is_ok());
        assert!("ü".repeat(513).parse::<Key>().is_err());
        assert!("".parse::<Key>().is_err());
    }

    #[test]
    fn extensions_are_of_the_name_alone() {
        let extension = |key: &str| key.parse::<Key>().unwrap().extension();
        assert_eq!([extension("a/b.CSS"), extension("a.b/c"), extension(".htaccess")], ["css", "", ""]);
    }
}
