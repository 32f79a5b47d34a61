//! Checksums of bytes in memory.

use crc_fast::CrcAlgorithm;

use crate::{ETag, Md5};

/// The MD5 of some bytes.
pub fn md5(bytes: &[u8]) -> Md5 {
    Md5(md5_simd::digest(bytes))
}

/// The entity tag of an object of these parts.
pub fn multipart_etag(parts: &[Md5]) -> ETag {
    let joined: Vec<u8> = parts.iter().flat_map(|part| part.0).collect();
    ETag::Multipart(md5(&joined), u32::try_from(parts.len()).unwrap_or(u32::MAX))
}

/// The CRC-64/NVME of some bytes.
pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes)
}
