//! HTTP responses of website endpoints.

use std::ops::Range;
use std::time::SystemTime;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use s3s::Body;
use s3s::dto::StreamingBlob;

use crate::s3::{S3, Version};

/// An object or the requested range of it, or 304.
pub(crate) fn object(s3: &S3, version: &Version, request: &Request<Body>) -> Response<Body> {
    if is_not_modified(version, request) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        set_headers(&mut response, version);
        return response;
    }
    let size = version.size();
    let range = text(request, header::RANGE).and_then(|range| s3s::dto::Range::parse(range).ok());
    match range.map(|range| range.check(size)) {
        None => body(s3, version, 0..size, request),
        Some(Err(_)) => error_page(416, "InvalidRange", "The requested range is not satisfiable"),
        Some(Ok(range)) => {
            let shown = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            let mut response = body(s3, version, range, request);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(&mut response, header::CONTENT_RANGE, &shown);
            response
        }
    }
}

/// The error document of the site, with the headers of the error.
pub(super) fn error_document(
    s3: &S3,
    status: u16,
    key: &str,
    document: &Version,
    request: &Request<Body>,
) -> Response<Body> {
    let mut response = body(s3, document, 0..document.size(), request);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    let (code, message) = error_of(status);
    set_error(&mut response, code, message);
    if status == 404 {
        set(&mut response, HeaderName::from_static("x-amz-error-detail-key"), key);
    }
    response
}

/// The error of a key that is private or missing.
fn error_of(status: u16) -> (&'static str, &'static str) {
    match status {
        403 => ("AccessDenied", "Access Denied"),
        _ => ("NoSuchKey", "The specified key does not exist."),
    }
}

fn set_error(response: &mut Response<Body>, code: &str, message: &str) {
    set(response, HeaderName::from_static("x-amz-error-code"), code);
    set(response, HeaderName::from_static("x-amz-error-message"), message);
}

/// A redirect.
pub(super) fn redirect(status: u16, location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::MOVED_PERMANENTLY);
    set(&mut response, header::LOCATION, location);
    set(&mut response, header::CONTENT_LENGTH, "0");
    if status == 302 {
        set_error(&mut response, "Found", "Resource Found");
    }
    response
}

/// The default error page for a missing or private key.
pub(super) fn standard(status: u16, key: &str) -> Response<Body> {
    let (code, message) = error_of(status);
    let detail = (status == 404).then_some(key);
    page(status, code, message, detail)
}

/// The default error page.
pub(crate) fn error_page(status: u16, code: &str, message: &str) -> Response<Body> {
    page(status, code, message, None)
}

fn page(status: u16, code: &str, message: &str, key: Option<&str>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let shown = escape(message);
    let detail = key.map(|key| format!("<li>Key: {}</li>\n", escape(key))).unwrap_or_default();
    let html = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n<li>Code: {code}</li>\n\
         <li>Message: {shown}</li>\n{detail}</ul>\n<hr/>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    set_error(&mut response, code, message);
    if let Some(key) = key {
        set(&mut response, HeaderName::from_static("x-amz-error-detail-key"), key);
    }
    response
}

fn body(s3: &S3, version: &Version, range: Range<u64>, request: &Request<Body>) -> Response<Body> {
    let length = range.end - range.start;
    let body = if request.method() == Method::HEAD {
        Body::empty()
    } else {
        Body::from(s3s::stream::DynByteStream::from(StreamingBlob::wrap(s3.body(version, range))))
    };
    let mut response = Response::new(body);
    set_headers(&mut response, version);
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    response
}

fn set_headers(response: &mut Response<Body>, version: &Version) {
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

/// Whether the copy of the client is still valid, according to RFC 9110 §13.1.
fn is_not_modified(version: &Version, request: &Request<Body>) -> bool {
    if let Some(tags) = text(request, header::IF_NONE_MATCH) {
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
        return tags.split(',').map(bare).any(|tag| tag == "*" || tag == version.etag);
    }
    let since = text(request, header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
    since.is_some_and(|since: SystemTime| version.modified <= since)
}
