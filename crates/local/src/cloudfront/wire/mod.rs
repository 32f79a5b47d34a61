//! CloudFront on the wire (restXml).
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html>

mod controls;
mod distributions;
mod functions;
mod invalidations;
mod stores;
mod tags;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use s3s::Body;

use super::{CloudFront, Element};
use crate::acm::Acm;
use crate::context::{Now, ServiceError, Tags};
use crate::protocol::reply;
use crate::protocol::request::{parameters, segments};
use crate::s3::S3;

pub(super) const VERSION: &str = "/2020-05-31/";

/// The output of an operation.
#[derive(Default)]
struct Output {
    status: StatusCode,
    body: Option<Element>,
    etag: Option<String>,
    /// `UpdateFunction` returns its `ETag` in a header that CloudFront misspells.
    ettag: Option<String>,
    location: Option<String>,
    /// A body that is not XML: the code of a function.
    raw: Option<Vec<u8>>,
}

type Reply = Result<Output, ServiceError>;

impl Output {
    fn ok(body: Element) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    /// 201 with the location of the new resource, below the API's version.
    fn created(body: Element, etag: &str, path: &str) -> Self {
        let location = Some(format!("https://cloudfront.amazonaws.com{VERSION}{path}"));
        Self { status: StatusCode::CREATED, location, ..Self::with_etag(body, etag) }
    }

    fn with_etag(body: Element, etag: &str) -> Self {
        Self { etag: Some(etag.to_owned()), ..Self::ok(body) }
    }

    fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::default() }
    }

    fn into_response(self) -> Response<Body> {
        let Self { status, body, etag, ettag, location, raw } = self;
        let mut response = match (body, raw) {
            (Some(body), _) => reply::xml(status, body.to_xml()),
            (None, Some(raw)) => reply::typed(status, "application/octet-stream", Bytes::from(raw)),
            (None, None) => reply::xml(status, String::new()),
        };
        let ettag_name = header::HeaderName::from_static("ettag");
        for (name, value) in [(header::ETAG, etag), (ettag_name, ettag), (header::LOCATION, location)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A request and the state that it applies to.
struct Call<'a> {
    cloudfront: &'a mut CloudFront,
    acm: &'a Acm,
    s3: &'a S3,
    now: Now,
    id: &'a str,
    query: BTreeMap<String, String>,
    if_match: Option<&'a str>,
    body: &'a [u8],
}

impl Call<'_> {
    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn body(&self) -> Result<Element, ServiceError> {
        Element::parse(self.body).map_err(|error| ServiceError::invalid("MalformedInput", error))
    }

    /// One page of a list of items with their ids, which order them.
    fn page(&self, root: &str, all: impl Iterator<Item = (String, Element)>) -> Output {
        let max_items = self.query("MaxItems").parse().unwrap_or(100).clamp(1, 100);
        let marker = self.query("Marker");
        let mut rest = all.filter(|(id, _)| id.as_str() > marker);
        let page: Vec<_> = rest.by_ref().take(max_items).collect();
        let is_truncated = rest.next().is_some();
        let next_marker = page.last().map(|(id, _)| id.clone()).filter(|_| is_truncated);
        let mut children = vec![
            Element::leaf("Marker", marker),
            Element::leaf("MaxItems", max_items.to_string()),
            Element::leaf("IsTruncated", is_truncated.to_string()),
            Element::leaf("Quantity", page.len().to_string()),
            Element::node("Items", page.into_iter().map(|(_, item)| item).collect()),
        ];
        children.extend(next_marker.map(|id| Element::leaf("NextMarker", id)));
        Output::ok(Element::node(root, children))
    }
}

/// The tags that a request sets: those of a new distribution, or those that are added to a resource.
pub(super) fn request_tags(request: &Request<Bytes>) -> Tags {
    let body = Element::parse(request.body()).ok();
    let tags = body.as_ref().map(|body| body.child("Tags").unwrap_or(body));
    tags::tags_in(tags)
}

/// The AWS name of the operation that a request is for.
pub(crate) fn operation(request: &Request<Bytes>) -> &'static str {
    let path = segments(request.uri().path(), VERSION);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    operation_at(request.method(), &path, &parameters(request))
}

fn operation_at(method: &Method, path: &[&str], query: &BTreeMap<String, String>) -> &'static str {
    match (method.as_str(), path) {
        ("POST", ["distribution"]) if query.contains_key("WithTags") => "CreateDistributionWithTags",
        ("POST", ["distribution"]) => "CreateDistribution",
        ("GET", ["distribution"]) => "ListDistributions",
        ("GET", ["distribution", _]) => "GetDistribution",
        ("DELETE", ["distribution", _]) => "DeleteDistribution",
        ("GET", ["distribution", _, "config"]) => "GetDistributionConfig",
        ("PUT", ["distribution", _, "config"]) => "UpdateDistribution",
        ("POST", ["distribution", _, "invalidation"]) => "CreateInvalidation",
        ("GET", ["distribution", _, "invalidation", _]) => "GetInvalidation",
        ("POST", ["origin-access-control"]) => "CreateOriginAccessControl",
        ("GET", ["origin-access-control"]) => "ListOriginAccessControls",
        ("GET", ["origin-access-control", _]) => "GetOriginAccessControl",
        ("DELETE", ["origin-access-control", _]) => "DeleteOriginAccessControl",
        ("PUT", ["origin-access-control", _, "config"]) => "UpdateOriginAccessControl",
        ("POST", ["function"]) => "CreateFunction",
        ("GET", ["function", _]) => "GetFunction",
        ("PUT", ["function", _]) => "UpdateFunction",
        ("DELETE", ["function", _]) => "DeleteFunction",
        ("GET", ["function", _, "describe"]) => "DescribeFunction",
        ("POST", ["function", _, "publish"]) => "PublishFunction",
        ("POST", ["key-value-store"]) => "CreateKeyValueStore",
        ("GET", ["key-value-store"]) => "ListKeyValueStores",
        ("GET", ["key-value-store", _]) => "DescribeKeyValueStore",
        ("PUT", ["key-value-store", _]) => "UpdateKeyValueStore",
        ("DELETE", ["key-value-store", _]) => "DeleteKeyValueStore",
        ("GET", ["tagging"]) => "ListTagsForResource",
        ("POST", ["tagging"]) if query.get("Operation").is_some_and(|text| text == "Untag") => "UntagResource",
        ("POST", ["tagging"]) => "TagResource",
        _ => "Unknown",
    }
}

/// Answers a request to CloudFront.
pub(crate) fn answer(
    cloudfront: &mut CloudFront,
    acm: &Acm,
    s3: &S3,
    request: &Request<Bytes>,
    now: Now,
) -> Result<Response<Body>, ServiceError> {
    let (path, query) = (segments(request.uri().path(), VERSION), parameters(request));
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let id = path.get(1).copied().unwrap_or_default();
    let if_match = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let operation = operation_at(request.method(), &path, &query);
    let mut call = Call { cloudfront, acm, s3, now, id, query, if_match, body: request.body() };
    let output = match operation {
        "CreateDistributionWithTags" => call.create_distribution_with_tags(),
        "CreateDistribution" => call.create_distribution(),
        "ListDistributions" => Ok(call.list_distributions()),
        "GetDistribution" => call.get_distribution(),
        "DeleteDistribution" => call.delete_distribution(),
        "GetDistributionConfig" => call.get_distribution_config(),
        "UpdateDistribution" => call.update_distribution(),
        "CreateInvalidation" => call.create_invalidation(),
        "GetInvalidation" => call.get_invalidation(path.get(3).copied().unwrap_or_default()),
        "CreateOriginAccessControl" => call.create_access_control(),
        "ListOriginAccessControls" => Ok(call.list_access_controls()),
        "GetOriginAccessControl" => call.get_access_control(),
        "UpdateOriginAccessControl" => call.update_access_control(),
        "DeleteOriginAccessControl" => call.delete_access_control(),
        "CreateFunction" => call.create_function(),
        "GetFunction" => call.get_function(),
        "DescribeFunction" => call.describe_function(),
        "UpdateFunction" => call.update_function(),
        "PublishFunction" => call.publish_function(),
        "DeleteFunction" => call.delete_function(),
        "CreateKeyValueStore" => call.create_store(),
        "ListKeyValueStores" => Ok(call.list_stores()),
        "DescribeKeyValueStore" => call.describe_store(),
        "UpdateKeyValueStore" => call.update_store(),
        "DeleteKeyValueStore" => call.delete_store(),
        "ListTagsForResource" => call.list_tags(),
        "TagResource" => call.tag(),
        "UntagResource" => call.untag(),
        _ => Err(ServiceError::not_implemented(&format!("CloudFront {} {}", request.method(), request.uri().path()))),
    };
    output.map(Output::into_response)
}
