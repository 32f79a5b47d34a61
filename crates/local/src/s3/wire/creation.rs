//! The tags of a `CreateBucket` request, which `s3s` does not know.

use http::Request;
use http_body_util::BodyExt;
use s3s::{Body, StdError, dto};
use serde::Deserialize;

use super::operation::operation;

/// The tags of a `CreateBucket` request, as an extension of the request.
#[derive(Clone, Debug)]
pub(super) struct CreationTags(pub(super) Vec<dto::Tag>);

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateBucketConfiguration {
    tags: Tags,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tags {
    tag: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// Reads the tags of a request, if it creates a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html>
pub(crate) async fn with_creation_tags(request: Request<Body>) -> Result<Request<Body>, StdError> {
    if operation(&request) != "CreateBucket" {
        return Ok(request);
    }
    let (mut head, body) = request.into_parts();
    let bytes = body.collect().await?.to_bytes();
    // A body that cannot be parsed is rejected by `s3s`.
    if let Ok(CreateBucketConfiguration { tags }) = quick_xml::de::from_reader(&*bytes) {
        let tags = tags.tag.into_iter().map(|Tag { key, value }| dto::Tag { key: Some(key), value: Some(value) });
        head.extensions.insert(CreationTags(tags.collect()));
    }
    Ok(Request::from_parts(head, Body::from(bytes)))
}
