//! One version of one object.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Chunk, Replicated};

/// A version of an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The object's key.
    pub key: String,
    /// The version's id; `null` when it was written while versioning was off.
    pub id: String,
    /// When it was written, in whole seconds.
    pub modified: SystemTime,
    /// Entity tag without quotes; empty on delete markers.
    pub etag: String,
    /// Content headers and metadata.
    pub headers: Headers,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Checksums other than the entity tag.
    pub checksums: Checksums,
    /// What the body consists of: one part for a plain put. `None` on delete markers.
    pub parts: Option<Vec<Part>>,
    /// How far it has got to another bucket; `None` when no rule was about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicated: Option<Replicated>,
}

/// One part of a body, as it was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, from 1.
    pub number: i32,
    /// Its entity tag without quotes.
    pub etag: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes are.
    pub chunks: Vec<Chunk>,
    /// Its checksums.
    pub checksums: Checksums,
}

/// Checksums by the name of their algorithm, in base64: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
pub type Checksums = BTreeMap<String, String>;

/// What an object is served with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`, as sent.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
    /// `x-amz-meta-*` without the prefix.
    pub metadata: BTreeMap<String, String>,
}

impl Version {
    /// True for a delete marker.
    pub fn is_marker(&self) -> bool {
        self.parts.is_none()
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.all_parts().iter().map(|part| part.size).sum()
    }

    /// The parts; none on delete markers.
    pub fn all_parts(&self) -> &[Part] {
        self.parts.as_deref().unwrap_or_default()
    }

    /// True when it was put in several parts, as its entity tag shows.
    pub fn is_multipart(&self) -> bool {
        self.etag.contains('-')
    }

    /// Where the bytes are, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.all_parts().iter().flat_map(|part| &part.chunks)
    }
}
