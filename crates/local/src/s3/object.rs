//! Object versions.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Chunk, Kms, ReplicationStatus};
use crate::context::Tags;

/// A version of an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The key.
    pub key: String,
    /// The version id; `null` when versioning was not enabled.
    pub id: String,
    /// `Last-Modified`, in whole seconds.
    pub modified: SystemTime,
    /// The `ETag` without quotes; empty for delete markers.
    pub etag: String,
    /// Headers and metadata.
    pub headers: Headers,
    /// Tags.
    pub tags: Tags,
    /// Checksums.
    pub checksums: Checksums,
    /// The parts of the body, one unless uploaded in several; `None` for delete markers.
    pub parts: Option<Vec<Part>>,
    /// The replication status; `None` when no rule applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicated: Option<ReplicationStatus>,
    /// The key of KMS that it is encrypted with; `None` for S3's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms: Option<Kms>,
}

/// A part of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The part number, from 1.
    pub number: i32,
    /// The `ETag` without quotes.
    pub etag: String,
    /// The size in bytes.
    pub size: u64,
    /// The bytes.
    pub chunks: Vec<Chunk>,
    /// Checksums that were asked for.
    pub checksums: Checksums,
    /// The checksum from which that of the whole object is computed when none was asked for, in base64.
    #[serde(default)]
    pub crc64nvme: String,
}

/// Checksums by the name of their algorithm, in base64: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
pub type Checksums = BTreeMap<String, String>;

/// The headers that an object is returned with.
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
    /// `Expires`, as received.
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
    /// `x-amz-storage-class`; `None` for `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `x-amz-meta-*` without the prefix.
    pub metadata: BTreeMap<String, String>,
}

impl Part {
    /// The checksums that were asked for or, when none was, the default one.
    pub(super) fn checksums_or_default(&self) -> Checksums {
        let default = || Checksums::from([("CRC64NVME".to_owned(), self.crc64nvme.clone())]);
        if self.checksums.is_empty() { default() } else { self.checksums.clone() }
    }
}

impl Version {
    /// Whether it is a delete marker.
    pub fn is_marker(&self) -> bool {
        self.parts.is_none()
    }

    /// Whether it has to be restored before it can be read.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html>
    pub fn is_archived(&self) -> bool {
        matches!(self.headers.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"))
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.all_parts().iter().map(|part| part.size).sum()
    }

    /// The parts; none for delete markers.
    pub fn all_parts(&self) -> &[Part] {
        self.parts.as_deref().unwrap_or_default()
    }

    /// Whether it was created by a multipart upload, as its `ETag` shows.
    pub fn is_multipart(&self) -> bool {
        self.etag.contains('-')
    }

    /// The chunks of the body, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.all_parts().iter().flat_map(|part| &part.chunks)
    }
}
