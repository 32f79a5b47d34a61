//! Headers, checksums, tags and conditions on the wire.

use std::time::SystemTime;

use s3s::dto::{self, ETag, ETagCondition, ServerSideEncryption, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::super::{Checksums, Condition, Headers, Kms, Version, error, no_such_bucket};
use super::service::S3Wire;
use crate::context::{ServiceError, Tags};

/// The headers in an input.
macro_rules! headers_of {
    ($input:expr) => {
        $crate::s3::Headers {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $crate::s3::wire::headers::content_encoding($input.content_encoding.take()),
            content_language: $input.content_language.take(),
            expires: $input.expires.take().and_then(|time| $crate::s3::wire::headers::http_date(&time)),
            website_redirect: $input.website_redirect_location.take(),
            storage_class: $crate::s3::wire::headers::storage_class($input.storage_class.take()),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use headers_of;

/// An output with the headers of a version.
macro_rules! with_headers {
    ($output:ident { $($rest:tt)* }, $version:expr) => {{
        let version: &$crate::s3::Version = $version;
        let headers = version.headers.clone();
        s3s::dto::$output {
            content_type: Some(headers.content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
            cache_control: headers.cache_control,
            content_disposition: headers.content_disposition,
            content_encoding: headers.content_encoding,
            content_language: headers.content_language,
            expires: headers.expires.as_deref().and_then($crate::s3::wire::headers::timestamp_of_date),
            website_redirect_location: headers.website_redirect,
            metadata: (!headers.metadata.is_empty()).then(|| headers.metadata.into_iter().collect()),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(s3s::dto::ETag::Strong(version.etag.clone())),
            last_modified: Some(version.modified.into()),
            server_side_encryption: Some($crate::s3::wire::headers::encryption(version.kms.as_ref())),
            ssekms_key_id: version.kms.as_ref().map(|kms| kms.key.clone()),
            bucket_key_enabled: version.kms.as_ref().map(|kms| kms.bucket_key),
            storage_class: headers.storage_class.map(s3s::dto::StorageClass::from),
            version_id: $crate::s3::wire::headers::version_id(version),
            $($rest)*
        }
    }};
}
pub(super) use with_headers;

/// Sets the encryption of an output.
macro_rules! set_encryption {
    ($output:expr, $kms:expr) => {{
        let kms: Option<&$crate::s3::Kms> = $kms;
        $output.server_side_encryption = Some($crate::s3::wire::headers::encryption(kms));
        $output.ssekms_key_id = kms.map(|kms| kms.key.clone());
        $output.bucket_key_enabled = kms.map(|kms| kms.bucket_key).filter(|used| *used);
    }};
}
pub(super) use set_encryption;

/// The encryption that an input asks for, else the default of its bucket.
macro_rules! kms_of {
    ($wire:expr, $input:expr) => {
        $crate::s3::wire::headers::kms(
            $wire,
            &$input.bucket,
            $input.server_side_encryption.as_ref(),
            $input.ssekms_key_id.as_deref(),
            $input.bucket_key_enabled,
        )
    };
}
pub(super) use kms_of;

/// Sets the checksums of an output.
macro_rules! set_checksums {
    ($output:expr, $sums:expr) => {{
        let sums: &$crate::s3::Checksums = $sums;
        $output.checksum_crc32 = sums.get("CRC32").cloned();
        $output.checksum_crc32c = sums.get("CRC32C").cloned();
        $output.checksum_crc64nvme = sums.get("CRC64NVME").cloned();
        $output.checksum_sha1 = sums.get("SHA1").cloned();
        $output.checksum_sha256 = sums.get("SHA256").cloned();
    }};
}
pub(super) use set_checksums;

/// The checksums that an input declares.
macro_rules! declared {
    ($input:expr) => {
        $crate::s3::wire::headers::collect([
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

/// The encryption in responses.
pub(super) fn encryption(kms: Option<&Kms>) -> ServerSideEncryption {
    ServerSideEncryption::from_static(match kms {
        None => ServerSideEncryption::AES256,
        Some(kms) if kms.dual_layer => ServerSideEncryption::AWS_KMS_DSSE,
        Some(_) => ServerSideEncryption::AWS_KMS,
    })
}

/// The encryption of a new object.
pub(super) fn kms(
    wire: &S3Wire,
    bucket: &str,
    asked: Option<&ServerSideEncryption>,
    key: Option<&str>,
    bucket_key: Option<bool>,
) -> S3Result<Option<Kms>> {
    let settings = wire.s3.bucket(bucket).ok_or_else(no_such_bucket)?;
    let default = Kms::default_of(&settings);
    match asked.map(ServerSideEncryption::as_str) {
        None => Ok(default),
        Some("aws:kms") => {
            let bucket_key = bucket_key.unwrap_or_else(|| default.is_some_and(|default| default.bucket_key));
            Ok(Some(Kms::new(key, bucket_key, &settings.region)))
        }
        Some("AES256") if key.is_some() => Err(s3_error!(
            InvalidArgument,
            "Server Side Encryption with AWS KMS managed key requires HTTP header \
             x-amz-server-side-encryption : aws:kms"
        )),
        Some("AES256") => Ok(None),
        Some("aws:kms:dsse") => Ok(Some(Kms::new(key, false, &settings.region).in_two_layers())),
        Some("aws:fsx") => Err(ServiceError::not_implemented("the encryption `aws:fsx`").into()),
        Some(_) => Err(s3_error!(InvalidArgument, "The encryption method specified is not supported")),
    }
}

/// `Content-Encoding` without what describes the transfer to S3 only.
pub(super) fn content_encoding(sent: Option<String>) -> Option<String> {
    let sent = sent?;
    let kept: Vec<&str> =
        sent.split(',').map(str::trim).filter(|one| *one != "aws-chunked" && !one.is_empty()).collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// The storage class; `None` for the default one.
pub(super) fn storage_class(sent: Option<dto::StorageClass>) -> Option<String> {
    sent.map(|class| class.as_str().to_owned()).filter(|class| class != "STANDARD")
}

/// The id of a version in responses; none when versioning is not enabled.
pub(super) fn version_id(version: &Version) -> Option<String> {
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
pub(super) fn tags_of(header: Option<&str>) -> S3Result<Tags> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    checked_tags(pairs.map(|(name, value)| (decode(name), decode(value))))
}

/// How many tags an object may have.
const MAX_TAGS: usize = 10;

/// The tags of an object, if S3 accepts them.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
pub(super) fn checked_tags(pairs: impl Iterator<Item = (String, String)>) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for (name, value) in pairs {
        if name.starts_with("aws:") {
            let message = "Your TagKey cannot be prefixed with aws:";
            return Err(ServiceError::invalid("InvalidTag", message).with("TagKey", name).into());
        }
        if tags.insert(name.clone(), value).is_some() {
            let message = "Cannot provide multiple Tags with the same key";
            return Err(ServiceError::invalid("InvalidTag", message).with("TagKey", name).into());
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(ServiceError::invalid("BadRequest", "Object tags cannot be greater than 10").into());
    }
    Ok(tags)
}

/// The precondition of a write.
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

/// The precondition of a copy, on its destination: S3 has it, the types of `s3s` do not.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub(super) fn condition_of(headers: &http::HeaderMap) -> S3Result<Condition> {
    let condition = |name| {
        let value: Option<&http::HeaderValue> = headers.get(name);
        value.map(|value| ETagCondition::parse_http_header(value.as_bytes())).transpose()
    };
    let (matches, none_match) = (condition(http::header::IF_MATCH), condition(http::header::IF_NONE_MATCH));
    let invalid = |_| s3_error!(InvalidArgument, "A precondition is not an entity tag");
    write_condition(matches.map_err(invalid)?.as_ref(), none_match.map_err(invalid)?.as_ref())
}

fn not_implemented() -> S3Error {
    s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented")
}

/// The preconditions of a read.
#[derive(Default)]
pub(super) struct ReadCondition {
    pub(super) matches: Option<ETagCondition>,
    pub(super) none_match: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
    /// What the names of the headers begin with.
    pub(super) prefix: &'static str,
}

impl ReadCondition {
    /// The header for which a copy fails where a read is answered with 304.
    pub(super) fn header_of_not_modified(&self) -> &'static str {
        match self.none_match {
            Some(_) => "x-amz-copy-source-If-None-Match",
            None => "x-amz-copy-source-If-Modified-Since",
        }
    }

    /// Fails with 304 or 412, in the order of RFC 9110 §13.
    pub(super) fn check(&self, version: &Version) -> S3Result<()> {
        let is = |condition: &ETagCondition| {
            condition.is_any() || condition.as_etag().is_some_and(|etag: &ETag| etag.value() == version.etag)
        };
        let newer = |time: &Timestamp| version.modified > SystemTime::from(time::OffsetDateTime::from(time.clone()));
        let failed = match (&self.matches, &self.unmodified_since) {
            (Some(condition), _) if !is(condition) => Some("If-Match"),
            (None, Some(time)) if newer(time) => Some("If-Unmodified-Since"),
            _ => None,
        };
        if let Some(header) = failed {
            return Err(error::precondition_failed(&format!("{}{header}", self.prefix)).into());
        }
        let same = match (&self.none_match, &self.modified_since) {
            (Some(condition), _) => is(condition),
            (None, Some(time)) => !newer(time),
            (None, None) => false,
        };
        if same { Err(not_modified(version)) } else { Ok(()) }
    }
}

/// The preconditions of `GetObject` and `HeadObject`.
macro_rules! read_condition {
    ($input:expr) => {
        $crate::s3::wire::headers::ReadCondition {
            matches: $input.if_match.take(),
            none_match: $input.if_none_match.take(),
            modified_since: $input.if_modified_since.take(),
            unmodified_since: $input.if_unmodified_since.take(),
            prefix: "",
        }
    };
}
pub(super) use read_condition;

/// The preconditions of copies, on the source.
macro_rules! copy_condition {
    ($input:expr) => {
        $crate::s3::wire::headers::ReadCondition {
            matches: $input.copy_source_if_match.take(),
            none_match: $input.copy_source_if_none_match.take(),
            modified_since: $input.copy_source_if_modified_since.take(),
            unmodified_since: $input.copy_source_if_unmodified_since.take(),
            prefix: "x-amz-copy-source-",
        }
    };
}
pub(super) use copy_condition;

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

/// The headers of a copy: those of the source, unless the directive is `REPLACE`.
pub(super) fn headers_of_copy(directive: Option<&dto::MetadataDirective>, new: Headers, source: &Headers) -> Headers {
    // The website redirect is never copied.
    // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    match directive.map(dto::MetadataDirective::as_str) {
        Some("REPLACE") => new,
        // Neither is the storage class.
        _ => Headers { website_redirect: new.website_redirect, storage_class: new.storage_class, ..source.clone() },
    }
}
