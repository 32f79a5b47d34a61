//! Between the engine's words and the SDK's types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Object, ServerSideEncryption};
use aws_smithy_types::DateTime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use twinsite_aws::{AwsError, Kind, timeouts_for};

use crate::store::{Head, PartMade, Written};
use crate::{Content, ETag, Headers, Key, Md5, RemoteObject, StoreError, TagKind};

/// Sets all content headers of any request that has them.
macro_rules! with_headers {
    ($request:expr, $headers:expr) => {{
        let headers: &$crate::Headers = $headers;
        let metadata = (!headers.metadata.is_empty()).then(|| headers.metadata.clone().into_iter().collect());
        $request
            .set_content_type(headers.content_type.clone())
            .set_cache_control(headers.cache_control.clone())
            .set_content_encoding(headers.content_encoding.clone())
            .set_content_disposition(headers.content_disposition.clone())
            .set_content_language(headers.content_language.clone())
            .set_website_redirect_location(headers.website_redirect.clone())
            .set_metadata(metadata)
    }};
}
pub(super) use with_headers;

/// Sets the encryption of any request that creates an object, if one was configured.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html>
macro_rules! with_encryption {
    ($request:expr, $encryption:expr) => {{
        let encryption: Option<&$crate::Encryption> = $encryption;
        $request
            .set_server_side_encryption(encryption.map(|one| one.algorithm.as_str().into()))
            .set_ssekms_key_id(encryption.and_then(|one| one.kms_key.clone()))
    }};
}
pub(super) use with_encryption;

/// Sets the precondition of any write that has one.
macro_rules! with_condition {
    ($request:expr, $condition:expr) => {{
        let condition: &$crate::store::Condition = $condition;
        match condition {
            $crate::store::Condition::None => $request,
            $crate::store::Condition::Absent => $request.if_none_match("*"),
            $crate::store::Condition::Is(etag) => $request.if_match($crate::store::s3::wire::quoted(etag)),
        }
    }};
}
pub(super) use with_condition;

/// `Content-MD5`.
pub(super) fn content_md5(md5: &Md5) -> String {
    STANDARD.encode(md5.0)
}

/// A CRC-64/NVME as `x-amz-checksum-crc64nvme` has it.
pub(super) fn crc64(sum: u64) -> String {
    STANDARD.encode(sum.to_be_bytes())
}

/// A key in an address: percent-encoded but for slashes.
pub(super) fn encoded(key: &Key) -> String {
    const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(key.as_str(), KEY).to_string()
}

/// `x-amz-copy-source`.
pub(super) fn copy_source(bucket: &str, key: &Key) -> String {
    format!("{bucket}/{}", encoded(key))
}

/// All content headers as they are on the wire.
pub(super) fn header_pairs(headers: &Headers) -> impl Iterator<Item = (Cow<'static, str>, &str)> {
    let Headers {
        content_type,
        cache_control,
        content_encoding,
        content_disposition,
        content_language,
        website_redirect,
        metadata,
    } = headers;
    let named = [
        ("content-type", content_type),
        ("cache-control", cache_control),
        ("content-encoding", content_encoding),
        ("content-disposition", content_disposition),
        ("content-language", content_language),
        ("x-amz-website-redirect-location", website_redirect),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.into(), value.as_deref()?)));
    named.chain(metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}").into(), value.as_str())))
}

pub(super) fn remote(object: &Object, encoding: KeyEncoding) -> Result<RemoteObject, StoreError> {
    let size = object.size().and_then(|size| u64::try_from(size).ok());
    let modified = object.last_modified().map(DateTime::secs);
    remote_object(&encoding.decoded(object.key().unwrap_or_default()), size, object.e_tag(), modified)
}

/// An object as a listing tells of it.
pub(super) fn remote_object(
    text: &str,
    size: Option<u64>,
    etag: Option<&str>,
    modified: Option<i64>,
) -> Result<RemoteObject, StoreError> {
    let broken = |what: &str| StoreError::Broken(format!("the listing shows `{text}` without its {what}"));
    Ok(RemoteObject {
        key: text.parse().map_err(|_| broken("key"))?,
        size: size.ok_or_else(|| broken("size"))?,
        etag: ETag::parse(etag.filter(|etag| !etag.is_empty()).ok_or_else(|| broken("entity tag"))?),
        modified: modified.ok_or_else(|| broken("date"))?,
    })
}

/// How keys are encoded in a response. `encoding-type=url` is asked for, because control characters in keys break the XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyEncoding {
    /// As S3 does it: a space is `+`, and `+` is `%2B`.
    Url,
    /// As in a path: a space is `%20`, and `+` is itself.
    Percent,
    /// Not at all, although it was asked for.
    None,
}

impl KeyEncoding {
    /// The encoding of these keys, in a response that says that they are encoded, or does not. Some stores say so and leave them as
    /// they are, and some encode spaces in another way than S3.
    pub(super) fn of<'k>(says: bool, keys: impl Iterator<Item = &'k str>) -> Self {
        if !says {
            return Self::None;
        }
        let mut encoding = Self::Url;
        for key in keys {
            if !is_encoded(key) {
                return Self::None;
            }
            if key.contains("%20") {
                encoding = Self::Percent;
            }
        }
        encoding
    }

    pub(super) fn decoded(self, key: &str) -> Cow<'_, str> {
        // Most keys are as they are.
        if self == Self::None || !key.contains(['+', '%']) {
            return key.into();
        }
        let plus = if self == Self::Url { key.replace('+', " ") } else { key.to_owned() };
        percent_encoding::percent_decode_str(&plus).decode_utf8_lossy().into_owned().into()
    }
}

/// False for what no encoder leaves as it is: spaces, controls, letters that are not ASCII, and a `%` before anything but two digits.
fn is_encoded(key: &str) -> bool {
    let digits = |rest: &[u8]| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
    let bytes = key.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => digits(&bytes[at + 1..]),
        byte => byte.is_ascii_graphic(),
    })
}

pub(super) fn head(answer: HeadObjectOutput) -> Head {
    let tag_kind = tag_kind(answer.server_side_encryption(), answer.sse_customer_algorithm());
    let metadata: BTreeMap<String, String> = answer.metadata.unwrap_or_default().into_iter().collect();
    let etag = ETag::parse(answer.e_tag.as_deref().unwrap_or_default());
    let size = answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
    let headers = Headers {
        content_type: answer.content_type,
        cache_control: answer.cache_control,
        content_encoding: answer.content_encoding.filter(|encoding| !encoding.is_empty()),
        content_disposition: answer.content_disposition,
        content_language: answer.content_language,
        website_redirect: answer.website_redirect_location,
        metadata,
    };
    Head { headers, etag, tag_kind, size, part_size: None }
}

pub(super) fn completed(parts: &[PartMade]) -> CompletedMultipartUpload {
    let parts = parts.iter().map(|part| {
        let number = i32::try_from(part.number).unwrap_or(i32::MAX);
        CompletedPart::builder().part_number(number).e_tag(part.etag.to_string()).build()
    });
    CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build()
}

/// An entity tag as headers want it.
pub(super) fn quoted(etag: &ETag) -> String {
    format!("\"{etag}\"")
}

/// The id of a version that is kept; S3 writes `null` for one that is not.
pub(super) fn kept(version: Option<String>) -> Option<String> {
    version.filter(|id| id != "null")
}

pub(super) fn copied(answer: CopyObjectOutput) -> Written {
    let result = answer.copy_object_result;
    let etag = result.as_ref().and_then(|result| result.e_tag()).map(ETag::parse);
    let modified = result.as_ref().and_then(|result| result.last_modified()).map(DateTime::secs);
    let tag_kind = tag_kind(answer.server_side_encryption.as_ref(), answer.sse_customer_algorithm.as_deref());
    Written { version: kept(answer.version_id), etag, tag_kind, modified }
}

/// What the encryption in a response says of the entity tag: `x-amz-server-side-encryption`, and
/// `x-amz-server-side-encryption-customer-algorithm`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>
pub(super) fn tag_kind(encryption: Option<&ServerSideEncryption>, customer: Option<&str>) -> TagKind {
    match (encryption, customer) {
        (None | Some(ServerSideEncryption::Aes256), None) => TagKind::Digest,
        (_, Some(_)) | (Some(_), None) => TagKind::Opaque,
    }
}

/// What the response to a write tells.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) written: Written,
    /// `x-amz-checksum-crc64nvme`: the checksum of what has arrived.
    pub(super) crc64: Option<String>,
}

/// The outcome of a conditional write.
#[derive(Debug)]
pub(super) enum Conditional {
    Written(Answered),
    /// The condition did not hold.
    Refused(Sent),
}

/// What a refused write would have left, by which an object that it did leave in an earlier attempt is recognised.
#[derive(Debug)]
pub(super) enum Sent {
    Content(Content),
    /// A copy of the object onto itself: its bytes are those that are there.
    SameBytes,
    /// A copy of an object with this entity tag, in another store.
    CopyOf(ETag),
}

/// True if the precondition of a write did not hold, or another write to the key was in progress.
pub(super) fn refused(error: &AwsError) -> bool {
    let code = matches!(error.code.as_deref(), Some("ConditionalRequestConflict" | "NoSuchKey"));
    error.kind == Kind::Precondition || code
}

/// Time for a body of so many bytes, or for a copy that S3 answers when it is complete.
pub(super) fn patience(bytes: u64) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts_for(bytes))
}
/// True if a request may have been refused because the store does not support one of its headers, or the operation.
pub(super) fn may_lack(error: &AwsError) -> bool {
    let code = error.code.as_deref();
    let vague = matches!(code, None | Some("InvalidRequest" | "InvalidArgument" | "InvalidHeader" | "MalformedXML"));
    error.is_unknown_operation() && error.status != Some(404) || error.status == Some(400) && vague
}

/// Replaces the checksum that the SDK has calculated by `Content-MD5`, which every store supports.
pub(super) fn use_content_md5(request: &mut aws_sdk_s3::config::http::HttpRequest) {
    let Some(md5) = request.body().bytes().map(crate::md5) else { return };
    let headers = request.headers_mut();
    let names: Vec<String> = headers.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        if name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm" {
            headers.remove(&name);
        }
    }
    headers.insert("content-md5", content_md5(&md5));
}
