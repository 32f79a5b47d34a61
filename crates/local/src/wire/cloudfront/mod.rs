//! CloudFront on the wire (restXml).
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html>

mod distributions;
mod functions;
mod invalidations;
mod named;
mod tags;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use s3s::Body;

use super::reply;
use crate::world::World;
use crate::world::cloudfront::{Element, Fault, Kind};

const VERSION: &str = "/2020-05-31/";

/// What an operation answers.
#[derive(Default)]
struct Answer {
    status: StatusCode,
    body: Option<Element>,
    etag: Option<String>,
    /// Updates of functions answer with a header that CloudFront misspells.
    ettag: Option<String>,
    location: Option<String>,
    /// A body that is not XML: a function's code.
    raw: Option<Vec<u8>>,
}

type Answered = Result<Answer, Fault>;

impl Answer {
    fn ok(body: Element) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    fn created(body: Element, etag: &str, location: &str) -> Self {
        let (etag, location) = (Some(etag.to_owned()), Some(format!("https://cloudfront.amazonaws.com{location}")));
        Self { status: StatusCode::CREATED, body: Some(body), etag, location, ..Self::default() }
    }

    fn tagged(body: Element, etag: &str) -> Self {
        Self { etag: Some(etag.to_owned()), ..Self::ok(body) }
    }

    fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::default() }
    }
}

/// A request, taken apart.
struct Call<'a> {
    world: &'a World,
    path: Vec<String>,
    query: BTreeMap<String, String>,
    if_match: Option<&'a str>,
    body: &'a [u8],
}

impl Call<'_> {
    fn id(&self) -> &str {
        self.path.get(1).map_or("", String::as_str)
    }

    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn body(&self) -> Result<Element, Fault> {
        Element::parse(self.body).map_err(|error| Fault::new("MalformedInput", 400, error))
    }

    /// A page of a list whose items are ordered by an id, in the form that all lists of CloudFront have.
    fn listed(&self, root: &str, all: Vec<(String, Element)>) -> Answer {
        let most = self.query("MaxItems").parse().unwrap_or(100).clamp(1, 100);
        let from = self.query("Marker").to_owned();
        let mut rest = all.into_iter().filter(|(id, _)| *id > from);
        let page: Vec<_> = rest.by_ref().take(most).collect();
        let truncated = rest.next().is_some();
        let last = page.last().map(|(id, _)| id.clone()).filter(|_| truncated);
        let items: Vec<_> = page.into_iter().map(|(_, item)| item).collect();
        let mut children = vec![
            Element::leaf("Marker", from),
            Element::leaf("MaxItems", most.to_string()),
            Element::leaf("IsTruncated", truncated.to_string()),
            Element::leaf("Quantity", items.len().to_string()),
            Element::node("Items", items),
        ];
        children.extend(last.map(|id| Element::leaf("NextMarker", id)));
        Answer::ok(Element::node(root, children))
    }
}

fn segments(path: &str) -> Vec<String> {
    let rest = path.strip_prefix(VERSION).unwrap_or_default();
    let parts = rest.split('/').filter(|part| !part.is_empty());
    parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

fn queried(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned())).collect()
}

/// The operation that a request asks for, by its AWS name.
pub(super) fn operation(request: &Request<Bytes>) -> String {
    let path = segments(request.uri().path());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    name(request.method(), &path, &queried(request.uri().query().unwrap_or_default())).to_owned()
}

fn name(method: &Method, path: &[&str], query: &BTreeMap<String, String>) -> &'static str {
    match (method.as_str(), path) {
        ("POST", ["distribution"]) if query.contains_key("WithTags") => "CreateDistributionWithTags",
        ("POST", ["distribution"]) => "CreateDistribution",
        ("GET", ["distribution"]) => "ListDistributions",
        ("GET", ["distribution", _]) => "GetDistribution",
        ("DELETE", ["distribution", _]) => "DeleteDistribution",
        ("GET", ["distribution", _, "config"]) => "GetDistributionConfig",
        ("PUT", ["distribution", _, "config"]) => "UpdateDistribution",
        ("POST", ["distribution", _, "invalidation"]) => "CreateInvalidation",
        ("GET", ["distribution", _, "invalidation"]) => "ListInvalidations",
        ("GET", ["distribution", _, "invalidation", _]) => "GetInvalidation",
        ("POST", ["origin-access-control"]) => "CreateOriginAccessControl",
        ("GET", ["origin-access-control"]) => "ListOriginAccessControls",
        ("GET", ["origin-access-control", _]) => "GetOriginAccessControl",
        ("DELETE", ["origin-access-control", _]) => "DeleteOriginAccessControl",
        ("GET", ["origin-access-control", _, "config"]) => "GetOriginAccessControlConfig",
        ("PUT", ["origin-access-control", _, "config"]) => "UpdateOriginAccessControl",
        ("POST", ["response-headers-policy"]) => "CreateResponseHeadersPolicy",
        ("GET", ["response-headers-policy"]) => "ListResponseHeadersPolicies",
        ("GET", ["response-headers-policy", _]) => "GetResponseHeadersPolicy",
        ("PUT", ["response-headers-policy", _]) => "UpdateResponseHeadersPolicy",
        ("DELETE", ["response-headers-policy", _]) => "DeleteResponseHeadersPolicy",
        ("GET", ["response-headers-policy", _, "config"]) => "GetResponseHeadersPolicyConfig",
        ("POST", ["function"]) => "CreateFunction",
        ("GET", ["function"]) => "ListFunctions",
        ("GET", ["function", _]) => "GetFunction",
        ("PUT", ["function", _]) => "UpdateFunction",
        ("DELETE", ["function", _]) => "DeleteFunction",
        ("GET", ["function", _, "describe"]) => "DescribeFunction",
        ("POST", ["function", _, "publish"]) => "PublishFunction",
        ("GET", ["tagging"]) => "ListTagsForResource",
        ("POST", ["tagging"]) if query.get("Operation").is_some_and(|text| text == "Untag") => "UntagResource",
        ("POST", ["tagging"]) => "TagResource",
        _ => "Unknown",
    }
}

/// Answers a request.
pub(super) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    let query = queried(request.uri().query().unwrap_or_default());
    let if_match = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let call = Call { world, path: segments(request.uri().path()), query, if_match, body: request.body() };
    match call.carry_out(request.method()) {
        Ok(answer) => written(answer),
        Err(Fault { code, status, message }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply::error(status, code, &message)
        }
    }
}

impl Call<'_> {
    fn carry_out(&self, method: &Method) -> Answered {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match name(method, &path, &self.query) {
            "CreateDistributionWithTags" => self.create_distribution(true),
            "CreateDistribution" => self.create_distribution(false),
            "ListDistributions" => Ok(self.list_distributions()),
            "GetDistribution" => self.get_distribution(),
            "DeleteDistribution" => self.delete_distribution(),
            "GetDistributionConfig" => self.get_distribution_config(),
            "UpdateDistribution" => self.update_distribution(),
            "CreateInvalidation" => self.create_invalidation(),
            "ListInvalidations" => self.list_invalidations(),
            "GetInvalidation" => self.get_invalidation(path.get(3).copied().unwrap_or_default()),
            "CreateOriginAccessControl" => self.create_named(Kind::Control),
            "ListOriginAccessControls" => Ok(self.list_named(Kind::Control)),
            "GetOriginAccessControl" => self.get_named(Kind::Control, false),
            "GetOriginAccessControlConfig" => self.get_named(Kind::Control, true),
            "UpdateOriginAccessControl" => self.update_named(Kind::Control),
            "DeleteOriginAccessControl" => self.delete_named(Kind::Control),
            "CreateResponseHeadersPolicy" => self.create_named(Kind::Headers),
            "ListResponseHeadersPolicies" => Ok(self.list_named(Kind::Headers)),
            "GetResponseHeadersPolicy" => self.get_named(Kind::Headers, false),
            "GetResponseHeadersPolicyConfig" => self.get_named(Kind::Headers, true),
            "UpdateResponseHeadersPolicy" => self.update_named(Kind::Headers),
            "DeleteResponseHeadersPolicy" => self.delete_named(Kind::Headers),
            "CreateFunction" => self.create_function(),
            "ListFunctions" => Ok(self.list_functions()),
            "GetFunction" => self.get_function(),
            "DescribeFunction" => self.describe_function(),
            "UpdateFunction" => self.update_function(),
            "PublishFunction" => self.publish_function(),
            "DeleteFunction" => self.delete_function(),
            "ListTagsForResource" => self.list_tags(),
            "TagResource" => self.tag(),
            "UntagResource" => self.untag(),
            _ => Err(Fault::new("InvalidAction", 400, "The operation is not emulated")),
        }
    }
}

fn written(answer: Answer) -> Response<Body> {
    let Answer { status, body, etag, ettag, location, raw } = answer;
    let mut response = match (body, raw) {
        (Some(body), _) => reply::xml(status, body.print()),
        (None, Some(raw)) => reply::typed(status, "application/octet-stream", bytes::Bytes::from(raw)),
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
