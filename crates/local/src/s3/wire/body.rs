//! Request bodies: stored chunk by chunk and hashed meanwhile.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use crc_fast::CrcAlgorithm;
use futures::StreamExt;
use md5_simd::Md5;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};

use super::super::{CHUNK, Checksums, Part, S3};

/// The digests that a request declares.
#[derive(Default)]
pub(super) struct Declared {
    /// `Content-MD5`.
    pub(super) md5: Option<String>,
    /// Checksums in headers.
    pub(super) sums: Checksums,
    /// The algorithm to compute when the value is absent or in the trailer.
    pub(super) algorithm: Option<String>,
    /// The trailing headers.
    pub(super) trailer: Option<TrailingHeaders>,
}

/// Stores a body as one part, and verifies the declared digests.
pub(super) async fn receive(s3: &S3, body: Option<StreamingBlob>, declared: Declared) -> S3Result<Part> {
    if declared.sums.len() > 1 {
        let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
        return Err(super::super::error::invalid_request(message).into());
    }
    let mut hash = Hash::new(declared.sums.keys().chain(declared.algorithm.as_ref()));
    let mut chunks = Vec::new();
    let mut pending = BytesMut::new();
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            let bytes: Bytes = bytes.map_err(incomplete)?;
            hash.update(&bytes);
            if pending.is_empty() && chunks.is_empty() && bytes.len() >= CHUNK {
                chunks.push(s3.store_chunk(bytes)?);
                continue;
            }
            pending.extend_from_slice(&bytes);
            while pending.len() >= CHUNK {
                chunks.push(s3.store_chunk(pending.split_to(CHUNK).freeze())?);
            }
        }
    }
    if !pending.is_empty() {
        chunks.push(s3.store_chunk(pending.freeze())?);
    }
    let size = chunks.iter().map(|chunk| chunk.size).sum();
    let Hashed { etag, checksums, crc64nvme } = hash.finish(&declared)?;
    Ok(Part { number: 1, etag, size, chunks, checksums, crc64nvme })
}

fn incomplete(error: s3s::StdError) -> S3Error {
    let mut incomplete = s3_error!(IncompleteBody, "The body is incomplete, or differs from what was signed");
    incomplete.set_source(error);
    incomplete
}

/// MD5, the requested checksums, and the one that every object has.
struct Hash {
    md5: Md5,
    sums: ChecksumHasher,
    crc64nvme: Crc64Nvme,
}

/// The digests of a body.
struct Hashed {
    etag: String,
    checksums: Checksums,
    crc64nvme: String,
}

fn hasher<'a>(algorithms: impl Iterator<Item = &'a str>) -> ChecksumHasher {
    let mut sums = ChecksumHasher::default();
    for algorithm in algorithms {
        match algorithm {
            "CRC32" => sums.crc32 = Some(Crc32::new()),
            "CRC32C" => sums.crc32c = Some(Crc32c::new()),
            "CRC64NVME" => sums.crc64nvme = Some(Crc64Nvme::new()),
            "SHA1" => sums.sha1 = Some(Sha1::new()),
            "SHA256" => sums.sha256 = Some(Sha256::new()),
            _ => {}
        }
    }
    sums
}

fn sums_of(hasher: ChecksumHasher) -> Checksums {
    let sum = hasher.finalize();
    super::headers::collect([
        ("CRC32", sum.checksum_crc32),
        ("CRC32C", sum.checksum_crc32c),
        ("CRC64NVME", sum.checksum_crc64nvme),
        ("SHA1", sum.checksum_sha1),
        ("SHA256", sum.checksum_sha256),
    ])
}

/// The checksum of a whole object from those of its parts; `None` when it cannot be computed from them.
pub(super) fn combined(algorithm: &str, parts: &[&Part]) -> Option<String> {
    let kind = match algorithm {
        "CRC32" => CrcAlgorithm::Crc32IsoHdlc,
        "CRC32C" => CrcAlgorithm::Crc32Iscsi,
        "CRC64NVME" => CrcAlgorithm::Crc64Nvme,
        _ => return None,
    };
    let width = if algorithm == "CRC64NVME" { 8 } else { 4 };
    let sum_of = |part: &Part| {
        let known = part.checksums.get(algorithm);
        let text = known.or(Some(&part.crc64nvme).filter(|_| algorithm == "CRC64NVME"))?;
        let bytes = STANDARD.decode(text).ok()?;
        Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let mut parts = parts.iter();
    let first = sum_of(parts.next()?)?;
    let sum =
        parts.try_fold(first, |sum, part| Some(crc_fast::checksum_combine(kind, sum, sum_of(part)?, part.size)))?;
    Some(STANDARD.encode(&sum.to_be_bytes()[8 - width..]))
}

/// A checksum over chunks, in base64; empty for an unknown algorithm.
pub(super) fn checksum<T: AsRef<[u8]>>(
    algorithm: &str,
    pieces: impl IntoIterator<Item = std::io::Result<T>>,
) -> std::io::Result<String> {
    let mut hasher = hasher([algorithm].into_iter());
    for piece in pieces {
        hasher.update(piece?.as_ref());
    }
    Ok(sums_of(hasher).remove(algorithm).unwrap_or_default())
}

impl Hash {
    fn new<'a>(algorithms: impl Iterator<Item = &'a String>) -> Self {
        Self { md5: Md5::new(), sums: hasher(algorithms.map(String::as_str)), crc64nvme: Crc64Nvme::new() }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sums.update(bytes);
        self.crc64nvme.update(bytes);
    }

    fn finish(self, declared: &Declared) -> S3Result<Hashed> {
        let md5 = self.md5.finalize();
        if declared.md5.as_ref().is_some_and(|sent| *sent != STANDARD.encode(md5)) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        let sums = sums_of(self.sums);
        for (name, value) in &sums {
            let trailing = declared.trailing(name);
            if declared.sums.get(name).or(trailing.as_ref()).is_some_and(|sent| sent != value) {
                let message = format!("The {name} you specified did not match the calculated checksum.");
                return Err(S3Error::with_message(s3s::S3ErrorCode::BadDigest, message));
            }
        }
        Ok(Hashed { etag: hex::encode(md5), checksums: sums, crc64nvme: STANDARD.encode(self.crc64nvme.finalize()) })
    }
}

impl Declared {
    /// A checksum in the trailer.
    fn trailing(&self, algorithm: &str) -> Option<String> {
        let header = format!("x-amz-checksum-{}", algorithm.to_lowercase());
        self.trailer.as_ref()?.read(|headers| Some(headers.get(&header)?.to_str().ok()?.to_owned()))?
    }
}

/// The algorithm of the checksum in the trailer: `x-amz-trailer: x-amz-checksum-crc32`.
pub(super) fn trailer_algorithm(headers: &http::HeaderMap) -> Option<String> {
    let trailer = headers.get("x-amz-trailer")?.to_str().ok()?;
    Some(trailer.strip_prefix("x-amz-checksum-")?.to_uppercase())
}
