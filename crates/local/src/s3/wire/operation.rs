//! The names of S3 operations.

use http::Request;
use s3s::Body;

use super::access::aws_host;
use crate::protocol::request::{host_of, verb};

/// The subresources that operations are named after.
const SUBRESOURCES: [(&str, &str); 12] = [
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

/// The AWS name of the operation that a request is for.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
pub(crate) fn operation(request: &Request<Body>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let virtual_host = aws_host(host_of(request)).is_some_and(|(bucket, _)| !bucket.is_empty());
    let path = request.uri().path().trim_start_matches('/');
    let in_object =
        if virtual_host { !path.is_empty() } else { path.split_once('/').is_some_and(|(_, k)| !k.is_empty()) };
    let in_bucket = virtual_host || !path.is_empty();
    if let Some((_, name)) = SUBRESOURCES.iter().find(|(sub, _)| has(sub)) {
        let name = if in_object { name.replace("Bucket", "Object") } else { (*name).to_owned() };
        return format!("{}{name}", verb(request.method()));
    }
    let name = match (in_object, in_bucket) {
        (true, _) => {
            let is_copy = request.headers().contains_key("x-amz-copy-source");
            match (request.method().as_str(), has("uploadId"), is_copy) {
                ("PUT", true, true) => "UploadPartCopy",
                ("PUT", true, false) => "UploadPart",
                ("PUT", false, true) => "CopyObject",
                ("PUT", false, false) => "PutObject",
                ("POST", _, _) if has("uploads") => "CreateMultipartUpload",
                ("POST", _, _) => "CompleteMultipartUpload",
                ("DELETE", true, _) => "AbortMultipartUpload",
                ("DELETE", false, _) => "DeleteObject",
                ("HEAD", _, _) => "HeadObject",
                (_, true, _) => "ListParts",
                (_, false, _) => "GetObject",
            }
        }
        (false, true) => bucket_operation(request.method().as_str(), has),
        (false, false) => "ListBuckets",
    };
    name.to_owned()
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

    fn operation_of(method: &str, uri: &str, copy: Option<&str>) -> String {
        let mut request = Request::builder().method(method).uri(uri).header("host", "127.0.0.1");
        if let Some(source) = copy {
            request = request.header("x-amz-copy-source", source);
        }
        super::operation(&request.body(Body::empty()).unwrap())
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
            assert_eq!(operation_of(method, uri, None), name, "{method} {uri}");
        }
        assert_eq!(operation_of("PUT", "/b/k", Some("b/j")), "CopyObject");
    }
}
