//! The last steps of an edge response: compression, headers, conditional requests.

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use s3s::Body;

use super::rules::Behavior;

/// Sizes that are compressed, in bytes.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html>
const COMPRESSED: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;

/// The `x-cache` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheResult {
    Hit,
    RefreshHit,
    Miss,
    Error,
}

impl CacheResult {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "Hit from cloudfront",
            Self::RefreshHit => "RefreshHit from cloudfront",
            Self::Miss => "Miss from cloudfront",
            Self::Error => "Error from cloudfront",
        }
    }
}

/// A response before it is adapted to the request.
pub(super) struct EdgeResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) cache: CacheResult,
    /// Seconds since it was received from the origin.
    pub(super) age: u64,
}

/// Adapts a response to the request, and adds headers.
pub(super) fn finish_response(
    response: EdgeResponse,
    request: &Request<()>,
    behavior: Option<Behavior<'_>>,
) -> Response<Body> {
    let EdgeResponse { status, mut headers, mut body, cache, age } = response;
    let matches = is_not_modified(request, &headers);
    let asked = if status == StatusCode::OK && !matches {
        asked_range(request, &headers, body.len())
    } else {
        AskedRange::Whole
    };
    let whole = asked == AskedRange::Whole;
    let mut status = status;
    match asked {
        AskedRange::Bytes(range) => {
            status = StatusCode::PARTIAL_CONTENT;
            let (first, last, size) = (range.start, range.end - 1, body.len());
            set(&mut headers, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
            body = body.slice(range);
        }
        AskedRange::Unsatisfiable => {
            status = StatusCode::RANGE_NOT_SATISFIABLE;
            set(&mut headers, header::CONTENT_RANGE, &format!("bytes */{}", body.len()));
            body = Bytes::new();
        }
        AskedRange::Whole => {}
    }
    let compress = whole && behavior.is_some_and(Behavior::compresses);
    let encoding = encoding(request).filter(|_| compress && is_compressible(&headers, body.len()));
    if let Some(encoding) = encoding
        && let Some(smaller) = encoding.compress(&body)
    {
        body = smaller;
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        weaken(&mut headers);
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(&mut headers, header::CONTENT_LENGTH, &body.len().to_string());
    set(&mut headers, HeaderName::from_static("x-cache"), cache.as_str());
    set(&mut headers, header::VIA, "1.1 embedded.cloudfront.net (CloudFront)");
    if cache == CacheResult::Hit {
        set(&mut headers, header::AGE, &age.to_string());
    }
    let not_modified = status == StatusCode::OK && matches;
    let without_body = not_modified || request.method() == Method::HEAD;
    let mut response = Response::new(if without_body { Body::empty() } else { Body::from(body) });
    *response.status_mut() = if not_modified { StatusCode::NOT_MODIFIED } else { status };
    if not_modified {
        headers.remove(header::CONTENT_LENGTH);
    }
    *response.headers_mut() = headers;
    response
}

/// Adds the headers of the response headers policy of a cache behavior. That happens before the function at viewer-response is invoked,
/// which sees them and can change them.
/// <https://aws.amazon.com/blogs/networking-and-content-delivery/amazon-cloudfront-introduces-response-headers-policies/>
pub(super) fn add_policy_headers(headers: &mut HeaderMap, behavior: Behavior<'_>) {
    for (name, value) in SECURITY.iter().filter(|_| behavior.security_headers()) {
        let value = HeaderValue::from_static(value);
        if *name == OVERRIDING {
            headers.insert(*name, value);
        } else {
            headers.entry(*name).or_insert(value);
        }
    }
}

/// The only header of that policy which takes the place of the origin's.
const OVERRIDING: &str = "x-content-type-options";

/// The headers of the managed policy `SecurityHeadersPolicy`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>
const SECURITY: [(&str, &str); 5] = [
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("x-xss-protection", "1; mode=block"),
];

/// Whether the copy of the viewer is still valid.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-13.1>
fn is_not_modified(request: &Request<()>, headers: &HeaderMap) -> bool {
    if request.headers().contains_key(header::IF_NONE_MATCH) {
        return headers.get(header::ETAG).is_some_and(|etag| if_none_match(request, etag));
    }
    let date = |headers: &HeaderMap, name: HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).and_then(|date| httpdate::parse_http_date(date).ok())
    };
    let since = date(request.headers(), header::IF_MODIFIED_SINCE);
    since.zip(date(headers, header::LAST_MODIFIED)).is_some_and(|(since, modified)| modified <= since)
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AskedRange {
    Whole,
    Bytes(Range<usize>),
    /// There are no such bytes.
    Unsatisfiable,
}

/// The range that a request asks for. Several ranges are answered with the whole.
fn asked_range(request: &Request<()>, headers: &HeaderMap, size: usize) -> AskedRange {
    let text = |headers: &HeaderMap, name: HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    if let Some(known) = text(request.headers(), header::IF_RANGE) {
        let current = [text(headers, header::ETAG), text(headers, header::LAST_MODIFIED)];
        if !current.into_iter().flatten().any(|one| one == known) {
            return AskedRange::Whole;
        }
    }
    let asked = text(request.headers(), header::RANGE).unwrap_or_default();
    let bounds = asked.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'));
    let Some((first, last)) = bounds else { return AskedRange::Whole };
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(last)) if first.is_empty() => size.saturating_sub(last)..size,
        _ => return AskedRange::Whole,
    };
    if range.start < range.end { AskedRange::Bytes(range) } else { AskedRange::Unsatisfiable }
}

fn if_none_match(request: &Request<()>, etag: &HeaderValue) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    let tags = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let etag = etag.to_str().map(bare).unwrap_or_default();
    tags.is_some_and(|tags| tags.split(',').map(bare).any(|tag| tag == "*" || tag == etag))
}

/// How bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn compress(self, body: &[u8]) -> Option<Bytes> {
        match self {
            Self::Brotli => {
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, WINDOW);
                encoder.write_all(body).ok()?;
                Some(encoder.into_inner().into())
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).ok()?;
                encoder.finish().ok().map(Bytes::from)
            }
        }
    }
}

/// The parameters of Brotli: it should not take longer than gzip does.
const BUFFER: usize = 64 << 10;
const QUALITY: u32 = 4;
const WINDOW: u32 = 20;

/// The encoding of the response: Brotli when the viewer accepts both.
fn encoding(request: &Request<()>) -> Option<Encoding> {
    let accepted = request.headers().get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |encoding: Encoding| {
        accepted.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            parts.next() == Some(encoding.name()) && !parts.any(|part| ["q=0", "q=0.0", "q=0.00"].contains(&part))
        })
    };
    [Encoding::Brotli, Encoding::Gzip].into_iter().find(|encoding| accepts(*encoding))
}

fn is_compressible(headers: &HeaderMap, size: usize) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE);
    let texts = ["text/", "application/javascript", "application/json", "application/xml", "application/wasm"];
    let compressible =
        texts.iter().any(|start| kind.starts_with(start)) || kind.contains("+xml") || kind.contains("font");
    compressible && COMPRESSED.contains(&size) && text(header::CONTENT_ENCODING).is_empty()
}

/// A compressed body is only semantically equivalent.
fn weaken(headers: &mut HeaderMap) {
    let weak = headers.get(header::ETAG).and_then(|value| value.to_str().ok()).filter(|etag| !etag.starts_with("W/"));
    if let Some(weak) = weak.map(|etag| format!("W/{etag}")) {
        set(headers, header::ETAG, &weak);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The default error page.
pub(super) fn error_response(status: StatusCode, reason: &str) -> EdgeResponse {
    let text = format!(
        "<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head>\n<body><h1>{}</h1>\n\
         <h2>The request could not be satisfied.</h2>\n<p>{reason}</p>\n</body></html>\n",
        status.as_u16()
    );
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    EdgeResponse { status, headers, body: Bytes::from(text), cache: CacheResult::Error, age: 0 }
}

/// A redirect to HTTPS.
pub(super) fn redirect(to: &str) -> EdgeResponse {
    let mut headers = HeaderMap::new();
    set(&mut headers, header::LOCATION, to);
    EdgeResponse {
        status: StatusCode::MOVED_PERMANENTLY,
        headers,
        body: Bytes::new(),
        cache: CacheResult::Miss,
        age: 0,
    }
}
