//! Answers of website endpoints as HTTP.

use std::ops::Range;
use std::time::SystemTime;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use s3s::Body;
use s3s::dto::StreamingBlob;

use crate::world::{Version, World};

/// An object, or the part of it that was asked for, unless the visitor has it already.
pub(crate) fn object(world: &World, version: &Version, request: &Request<Body>) -> Response<Body> {
    if is_known(version, request) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(&mut response, version);
        return response;
    }
    let size = version.size();
    let asked = text(request, header::RANGE).and_then(|range| s3s::dto::Range::parse(range).ok());
    match asked.map(|range| range.check(size)) {
        None => body(world, version, 0..size, request),
        Some(Err(_)) => failure(416, "InvalidRange", "The requested range is not satisfiable"),
        Some(Ok(range)) => {
            let shown = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            let mut response = body(world, version, range, request);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(&mut response, header::CONTENT_RANGE, &shown);
            response
        }
    }
}

/// The site's own error page, with the status it stands for.
pub(super) fn error_document(
    world: &World,
    status: u16,
    document: &Version,
    request: &Request<Body>,
) -> Response<Body> {
    let mut response = body(world, document, 0..document.size(), request);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    response
}

/// A redirect.
pub(super) fn redirect(status: u16, location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::MOVED_PERMANENTLY);
    set(&mut response, header::LOCATION, location);
    set(&mut response, header::CONTENT_LENGTH, "0");
    response
}

/// S3's own page for a key that is missing or private.
pub(super) fn standard(status: u16, key: &str) -> Response<Body> {
    match status {
        403 => failure(403, "AccessDenied", "Access Denied"),
        _ => failure(404, "NoSuchKey", &format!("The specified key does not exist. Key: {key}")),
    }
}

/// S3's own error page.
pub(crate) fn failure(status: u16, code: &str, message: &str) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let shown = message.replace('&', "&amp;").replace('<', "&lt;");
    let html = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n<li>Code: {code}</li>\n\
         <li>Message: {shown}</li>\n</ul>\n<hr/>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, HeaderName::from_static("x-amz-error-code"), code);
    set(&mut response, HeaderName::from_static("x-amz-error-message"), message);
    response
}

fn body(world: &World, version: &Version, range: Range<u64>, request: &Request<Body>) -> Response<Body> {
    let length = range.end - range.start;
    let body = if request.method() == Method::HEAD {
        Body::empty()
    } else {
        Body::from(s3s::stream::DynByteStream::from(StreamingBlob::wrap(world.body(version, range))))
    };
    let mut response = Response::new(body);
    describe(&mut response, version);
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    response
}

fn describe(response: &mut Response<Body>, version: &Version) {
    let headers = &version.headers;
    let kind = headers.content_type.as_deref().unwrap_or("binary/octet-stream");
    set(response, header::CONTENT_TYPE, kind);
    set(response, header::ETAG, &format!("\"{}\"", version.etag));
    set(response, header::LAST_MODIFIED, &httpdate::fmt_http_date(version.modified));
    set(response, header::ACCEPT_RANGES, "bytes");
    for (name, value) in [
        (header::CACHE_CONTROL, &headers.cache_control),
        (header::CONTENT_ENCODING, &headers.content_encoding),
        (header::CONTENT_DISPOSITION, &headers.content_disposition),
        (header::CONTENT_LANGUAGE, &headers.content_language),
        (header::EXPIRES, &headers.expires),
    ] {
        if let Some(value) = value {
            set(response, name, value);
        }
    }
    if version.id != "null" {
        set(response, HeaderName::from_static("x-amz-version-id"), &version.id);
    }
    if let Some(status) = version.replicated {
        set(response, HeaderName::from_static("x-amz-replication-status"), status.as_str());
    }
    for (name, value) in &headers.metadata {
        if let Ok(name) = HeaderName::from_bytes(format!("x-amz-meta-{name}").as_bytes()) {
            set(response, name, value);
        }
    }
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        response.headers_mut().insert(name, value);
    }
}

fn text(request: &Request<Body>, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

/// Whether the visitor's copy is still good, as RFC 9110 §13.1 decides.
fn is_known(version: &Version, request: &Request<Body>) -> bool {
    if let Some(tags) = text(request, header::IF_NONE_MATCH) {
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
        return tags.split(',').map(bare).any(|tag| tag == "*" || tag == version.etag);
    }
    let since = text(request, header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
    since.is_some_and(|since: SystemTime| version.modified <= since)
}
