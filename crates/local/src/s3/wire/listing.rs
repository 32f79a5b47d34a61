//! List operations.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Response, S3Result, s3_error};

use super::super::{ListQuery, ObjectsPage, Version, VersionEntry};
use super::service::S3Wire;

/// `encoding-type=url` leaves these characters unencoded.
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// The `encoding-type` of keys in a response.
struct Encoder {
    url: bool,
}

impl Encoder {
    fn new(kind: Option<&EncodingType>) -> Self {
        Self { url: kind.is_some_and(|kind| kind.as_str() == "url") }
    }

    fn key(&self, key: &str) -> String {
        if self.url { utf8_percent_encode(key, URL).to_string() } else { key.to_owned() }
    }

    fn some(&self, key: Option<&String>) -> Option<String> {
        key.map(|key| self.key(key))
    }

    fn prefixes(&self, prefixes: &[String]) -> Option<Vec<CommonPrefix>> {
        let entries = prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.key(prefix)) });
        (!prefixes.is_empty()).then(|| entries.collect())
    }

    fn object(&self, version: &Version) -> Object {
        Object {
            key: Some(self.key(&version.key)),
            e_tag: Some(ETag::Strong(version.etag.clone())),
            size: i64::try_from(version.size()).ok(),
            last_modified: Some(version.modified.into()),
            storage_class: Some(ObjectStorageClass::from(class_of(version))),
            ..Object::default()
        }
    }

    fn version(&self, VersionEntry { version, is_latest }: &VersionEntry) -> ObjectVersion {
        ObjectVersion {
            key: Some(self.key(&version.key)),
            version_id: Some(version.id.clone()),
            is_latest: Some(*is_latest),
            e_tag: Some(ETag::Strong(version.etag.clone())),
            size: i64::try_from(version.size()).ok(),
            last_modified: Some(version.modified.into()),
            storage_class: Some(ObjectVersionStorageClass::from(class_of(version))),
            ..ObjectVersion::default()
        }
    }

    fn delete_marker(&self, VersionEntry { version, is_latest }: &VersionEntry) -> DeleteMarkerEntry {
        DeleteMarkerEntry {
            key: Some(self.key(&version.key)),
            version_id: Some(version.id.clone()),
            is_latest: Some(*is_latest),
            last_modified: Some(version.modified.into()),
            owner: None,
        }
    }
}

fn class_of(version: &Version) -> String {
    version.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())
}

fn limit(max_keys: Option<i32>) -> S3Result<usize> {
    let max_keys = max_keys.unwrap_or(1000);
    let limit = usize::try_from(max_keys).map_err(|_| s3_error!(InvalidArgument, "max-keys must not be negative"))?;
    Ok(limit.min(1000))
}

fn list_objects(wire: &S3Wire, bucket: &str, query: &ListQuery) -> S3Result<ObjectsPage> {
    if query.limit == 0 {
        return Ok(ObjectsPage::default());
    }
    Ok(wire.s3.list_objects(bucket, query)?)
}

pub(super) fn v2(wire: &S3Wire, input: ListObjectsV2Input) -> S3Result<S3Response<ListObjectsV2Output>> {
    let encoder = Encoder::new(input.encoding_type.as_ref());
    let token = input.continuation_token.as_deref().map(|token| {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
    });
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: token.transpose()?.or_else(|| input.start_after.clone()),
        limit: limit(input.max_keys)?,
    };
    let page = list_objects(wire, &input.bucket, &query)?;
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoder.key(&query.prefix)),
        delimiter: encoder.some(query.delimiter.as_ref()),
        start_after: encoder.some(input.start_after.as_ref()),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        contents: Some(page.objects.iter().map(|version| encoder.object(version)).collect()),
        common_prefixes: encoder.prefixes(&page.prefixes),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.map(|key| URL_SAFE_NO_PAD.encode(key)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub(super) fn v1(wire: &S3Wire, input: ListObjectsInput) -> S3Result<S3Response<ListObjectsOutput>> {
    let encoder = Encoder::new(input.encoding_type.as_ref());
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone(),
        limit: limit(input.max_keys)?,
    };
    let page = list_objects(wire, &input.bucket, &query)?;
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoder.key(&query.prefix)),
        delimiter: encoder.some(query.delimiter.as_ref()),
        marker: Some(encoder.key(input.marker.as_deref().unwrap_or_default())),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        contents: Some(page.objects.iter().map(|version| encoder.object(version)).collect()),
        common_prefixes: encoder.prefixes(&page.prefixes),
        is_truncated: Some(page.next.is_some()),
        next_marker: encoder.some(page.next.as_ref()),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub(super) fn versions(
    wire: &S3Wire,
    input: ListObjectVersionsInput,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let encoder = Encoder::new(input.encoding_type.as_ref());
    let query = ListQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.key_marker.clone(),
        limit: limit(input.max_keys)?,
    };
    let page = wire.s3.list_versions(&input.bucket, &query, input.version_id_marker.as_deref())?;
    let (markers, objects): (Vec<_>, Vec<_>) = page.versions.iter().partition(|entry| entry.version.is_marker());
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encoder.key(&query.prefix)),
        delimiter: encoder.some(query.delimiter.as_ref()),
        key_marker: Some(encoder.key(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        max_keys: Some(input.max_keys.unwrap_or(1000).min(1000)),
        versions: Some(objects.into_iter().map(|entry| encoder.version(entry)).collect()),
        delete_markers: Some(markers.into_iter().map(|entry| encoder.delete_marker(entry)).collect()),
        common_prefixes: encoder.prefixes(&page.prefixes),
        is_truncated: Some(page.next.is_some()),
        next_key_marker: encoder.some(page.next.as_ref().map(|marker| &marker.key)),
        next_version_id_marker: page.next.and_then(|marker| marker.version),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}
