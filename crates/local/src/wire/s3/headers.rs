//! Content headers and checksums between the wire and the world.

use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::dto::{self, ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use crate::world::{Checksums, Condition, Headers, Version};

/// Reads the content headers of any input that has them.
macro_rules! headers_of {
    ($input:expr) => {
        $crate::world::Headers {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $input.content_encoding.take(),
            content_language: $input.content_language.take(),
            expires: $input.expires.take().and_then(|time| $crate::wire::s3::headers::http_date(&time)),
            website_redirect: $input.website_redirect_location.take(),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use headers_of;

/// Writes the content headers of a version into any output that has them.
macro_rules! with_headers {
    ($output:ident { $($rest:tt)* }, $version:expr) => {{
        let version: &$crate::world::Version = $version;
        let headers = version.headers.clone();
        s3s::dto::$output {
            content_type: Some(headers.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
            cache_control: headers.cache_control,
            content_disposition: headers.content_disposition,
            content_encoding: headers.content_encoding,
            content_language: headers.content_language,
            expires: headers.expires.as_deref().and_then($crate::wire::s3::headers::timestamp_of_date),
            website_redirect_location: headers.website_redirect,
            metadata: (!headers.metadata.is_empty()).then(|| headers.metadata.into_iter().collect()),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(s3s::dto::ETag::Strong(version.etag.clone())),
            last_modified: Some(version.modified.into()),
            server_side_encryption: Some(s3s::dto::ServerSideEncryption::from_static("AES256")),
            version_id: $crate::wire::s3::headers::shown_id(version),
            $($rest)*
        }
    }};
}
pub(super) use with_headers;

/// Copies stored checksums into any output that has the five fields.
macro_rules! set_checksums {
    ($output:expr, $sums:expr) => {{
        let sums: &$crate::world::Checksums = $sums;
        $output.checksum_crc32 = sums.get("CRC32").cloned();
        $output.checksum_crc32c = sums.get("CRC32C").cloned();
        $output.checksum_crc64nvme = sums.get("CRC64NVME").cloned();
        $output.checksum_sha1 = sums.get("SHA1").cloned();
        $output.checksum_sha256 = sums.get("SHA256").cloned();
    }};
}
pub(super) use set_checksums;

/// The checksums that any input declares.
macro_rules! declared {
    ($input:expr) => {
        $crate::wire::s3::headers::collect([
            ("CRC32", $input.checksum_crc32.take()),
            ("CRC32C", $input.checksum_crc32c.take()),
            ("CRC64NVME", $input.checksum_crc64nvme.take()),
            ("SHA1", $input.checksum_sha1.take()),
            ("SHA256", $input.checksum_sha256.take()),
        ])
    };
}
pub(super) use declared;

pub(super) fn collect(sums: [(&str, Option<String>); 5]) -> Checksums {
    sums.into_iter().filter_map(|(name, sum)| Some((name.to_owned(), sum?))).collect()
}

/// A version's id as headers show it: not at all when versioning was never on.
pub(super) fn shown_id(version: &Version) -> Option<String> {
    (version.id != "null").then(|| version.id.clone())
}

pub(super) fn http_date(time: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(dto::TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

pub(super) fn timestamp_of_date(text: &str) -> Option<Timestamp> {
    Timestamp::parse(dto::TimestampFormat::HttpDate, text).ok()
}

/// The tags of an `x-amz-tagging` header: a query string.
pub(super) fn tags_of(header: Option<&str>) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// The condition of a write.
pub(super) fn write_condition(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<Condition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some(condition)) if condition.is_any() => Ok(Condition::Absent),
        (Some(condition), None) => match condition.as_etag() {
            Some(etag) => Ok(Condition::Is(etag.value().to_owned())),
            None => Err(not_implemented()),
        },
        (_, Some(_)) => Err(not_implemented()),
    }
}

fn not_implemented() -> S3Error {
    s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented")
}

/// The four conditions of a read.
#[derive(Default)]
pub(super) struct ReadCondition {
    pub(super) matches: Option<ETagCondition>,
    pub(super) none_match: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    /// `304` or `412` as RFC 9110 §13 orders them.
    pub(super) fn check(&self, version: &Version) -> S3Result<()> {
        let is = |condition: &ETagCondition| {
            condition.is_any() || condition.as_etag().is_some_and(|etag: &ETag| etag.value() == version.etag)
        };
        let newer = |time: &Timestamp| version.modified > SystemTime::from(time::OffsetDateTime::from(time.clone()));
        let failed = match (&self.matches, &self.unmodified_since) {
            (Some(condition), _) => !is(condition),
            (None, Some(time)) => newer(time),
            (None, None) => false,
        };
        if failed {
            return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
        }
        let same = match (&self.none_match, &self.modified_since) {
            (Some(condition), _) => is(condition),
            (None, Some(time)) => !newer(time),
            (None, None) => false,
        };
        if same { Err(not_modified(version)) } else { Ok(()) }
    }
}

fn not_modified(version: &Version) -> S3Error {
    let mut error = s3_error!(NotModified);
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = format!("\"{}\"", version.etag).parse() {
        headers.insert(http::header::ETAG, value);
    }
    if let Ok(value) = httpdate::fmt_http_date(version.modified).parse() {
        headers.insert(http::header::LAST_MODIFIED, value);
    }
    error.set_headers(headers);
    error
}

/// What an absent header map means for copies: the source's headers.
pub(super) fn replaced(directive: Option<&dto::MetadataDirective>, new: Headers, source: &Headers) -> Headers {
    // A website redirect is never copied: it must be sent again.
    // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    match directive.map(dto::MetadataDirective::as_str) {
        Some("REPLACE") => new,
        _ => Headers { website_redirect: new.website_redirect, ..source.clone() },
    }
}
