//! Parts of requests that several services need.

use std::collections::BTreeMap;

use http::{Method, Request, header};
use percent_encoding::percent_decode_str;

/// The host that a request names, without its port.
pub(crate) fn host_of<B>(request: &Request<B>) -> &str {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| request.uri().host()).unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The credential scope of a signature.
pub(crate) struct Scope<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Parses `Credential=KEY/DATE/REGION/SERVICE/aws4_request`; `None` for requests without such a header. An asymmetric signature (`SigV4A`)
/// has no region in its scope: it is valid in the regions that a header names, which may be all.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
pub(crate) fn scope<B>(request: &Request<B>) -> Option<Scope<'_>> {
    let authorization = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let mut parts = authorization.split("Credential=").nth(1)?.split(',').next()?.split('/');
    if authorization.starts_with("AWS4-ECDSA-P256-SHA256") {
        let (access_key, _date, service) = (parts.next()?, parts.next()?, parts.next()?);
        let region = request.headers().get("x-amz-region-set").and_then(|set| set.to_str().ok()).unwrap_or("*");
        return Some(Scope { access_key, region, service });
    }
    let (access_key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some(Scope { access_key, region, service })
}

/// The region that a request was signed for.
pub(crate) fn region_of<B>(request: &Request<B>) -> &str {
    scope(request).map_or("us-east-1", |scope| scope.region)
}

/// The operation in `X-Amz-Target: SERVICE.OPERATION`.
pub(crate) fn target<B>(request: &Request<B>) -> Option<&str> {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    target.rsplit('.').next()
}

/// The name that an operation of a REST service starts with, by method.
pub(crate) fn verb(method: &Method) -> &'static str {
    match method.as_str() {
        "PUT" => "Put",
        "DELETE" => "Delete",
        "HEAD" => "Head",
        "POST" => "Post",
        _ => "Get",
    }
}

/// The decoded segments of a path below a version prefix such as `/2013-04-01/`.
pub(crate) fn segments(path: &str, version: &str) -> Vec<String> {
    let rest = path.strip_prefix(version).unwrap_or_default();
    rest.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
}

/// The decoded parameters of a query string.
pub(crate) fn parameters<B>(request: &Request<B>) -> BTreeMap<String, String> {
    let query = request.uri().query().unwrap_or_default();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

/// A percent-encoded text, decoded.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
