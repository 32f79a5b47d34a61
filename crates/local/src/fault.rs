//! Trouble on purpose: what real networks and services do to their callers.

use std::sync::{Arc, PoisonError, RwLock};

use http::{Method, Request};
use s3s::Body;

use crate::route::{Service, host_of};

/// A request as it arrives.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The operation's AWS name: `PutObject`, `GetCallerIdentity`.
    pub operation: String,
    /// The host it was sent to, which tells bucket and region.
    pub host: &'a str,
    /// The path, still encoded.
    pub path: &'a str,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// It is answered.
    #[default]
    None,
    /// The connection breaks before anything is done.
    Refuse,
    /// It is carried out, but the connection breaks before the answer arrives.
    LoseReply,
    /// It is answered with 503 `SlowDown`.
    SlowDown,
    /// It is refused with an error code of the service's, in the service's own format.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: &'static str,
    },
}

/// A connection that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection reset by the embedded cloud")]
pub(crate) struct Refused;

type Decide = dyn Fn(&Seen<'_>) -> Trouble + Send + Sync;

/// Decides on trouble; none by default.
#[derive(Default)]
pub(crate) struct Hook(RwLock<Option<Arc<Decide>>>);

impl Hook {
    pub(crate) fn set(&self, hook: impl Fn(&Seen<'_>) -> Trouble + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    pub(crate) fn decide(&self, seen: &Seen<'_>) -> Trouble {
        let hook = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        hook.map_or(Trouble::None, |decide| decide(seen))
    }
}

/// The operation that a request to a service with streamed bodies asks for.
pub(crate) fn data_operation(service: &Service, request: &Request<Body>) -> String {
    match service {
        Service::S3 => s3_operation(request),
        Service::Website { .. } => "Website".to_owned(),
        Service::Control(_) | Service::Unknown => "Unknown".to_owned(),
    }
}

pub(crate) fn verb(method: &Method) -> &'static str {
    match method.as_str() {
        "PUT" => "Put",
        "DELETE" => "Delete",
        "HEAD" => "Head",
        "POST" => "Post",
        _ => "Get",
    }
}

/// The sub-resources whose operations are named after them.
const CONFIGS: [(&str, &str); 12] = [
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
    ("policy", "BucketPolicy"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("encryption", "BucketEncryption"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("cors", "BucketCors"),
    ("tagging", "BucketTagging"),
    ("location", "BucketLocation"),
    ("attributes", "ObjectAttributes"),
    ("replication", "BucketReplication"),
];

/// The name of an S3 operation, from the request line and headers.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
fn s3_operation(request: &Request<Body>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let virtual_host = crate::wire::s3::aws_host(host_of(request)).is_some_and(|(bucket, _)| !bucket.is_empty());
    let path = request.uri().path().trim_start_matches('/');
    let in_object =
        if virtual_host { !path.is_empty() } else { path.split_once('/').is_some_and(|(_, k)| !k.is_empty()) };
    let in_bucket = virtual_host || !path.is_empty();
    if let Some((_, name)) = CONFIGS.iter().find(|(sub, _)| has(sub)) {
        let name = if in_object { name.replace("Bucket", "Object") } else { (*name).to_owned() };
        return format!("{}{name}", verb(request.method()));
    }
    let copies = request.headers().contains_key("x-amz-copy-source");
    let name = match (in_object, in_bucket) {
        (true, _) => object_operation(request.method().as_str(), has("uploadId"), has("uploads"), copies),
        (false, true) => bucket_operation(request.method().as_str(), has),
        (false, false) => "ListBuckets",
    };
    name.to_owned()
}

fn object_operation(method: &str, in_upload: bool, uploads: bool, copies: bool) -> &'static str {
    match (method, in_upload, copies) {
        ("PUT", true, true) => "UploadPartCopy",
        ("PUT", true, false) => "UploadPart",
        ("PUT", false, true) => "CopyObject",
        ("PUT", false, false) => "PutObject",
        ("POST", _, _) if uploads => "CreateMultipartUpload",
        ("POST", _, _) => "CompleteMultipartUpload",
        ("DELETE", true, _) => "AbortMultipartUpload",
        ("DELETE", false, _) => "DeleteObject",
        ("HEAD", _, _) => "HeadObject",
        (_, true, _) => "ListParts",
        (_, false, _) => "GetObject",
    }
}

fn bucket_operation(method: &str, has: impl Fn(&str) -> bool) -> &'static str {
    match method {
        "PUT" => "CreateBucket",
        "POST" => "DeleteObjects",
        "DELETE" => "DeleteBucket",
        "HEAD" => "HeadBucket",
        _ if has("uploads") => "ListMultipartUploads",
        _ if has("versions") => "ListObjectVersions",
        _ if has("list-type") => "ListObjectsV2",
        _ => "ListObjects",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, uri: &str, copy: Option<&str>) -> String {
        let mut request = Request::builder().method(method).uri(uri).header("host", "127.0.0.1");
        if let Some(source) = copy {
            request = request.header("x-amz-copy-source", source);
        }
        s3_operation(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn operations_have_their_aws_names() {
        for (method, uri, name) in [
            ("GET", "/", "ListBuckets"),
            ("PUT", "/b", "CreateBucket"),
            ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2"),
            ("GET", "/b/?versions", "ListObjectVersions"),
            ("PUT", "/b?versioning", "PutBucketVersioning"),
            ("GET", "/b/k?tagging", "GetObjectTagging"),
            ("PUT", "/b/k", "PutObject"),
            ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("POST", "/b/k?uploads", "CreateMultipartUpload"),
            ("HEAD", "/b/k", "HeadObject"),
        ] {
            assert_eq!(operation(method, uri, None), name, "{method} {uri}");
        }
        assert_eq!(operation("PUT", "/b/k", Some("b/j")), "CopyObject");
    }
}
