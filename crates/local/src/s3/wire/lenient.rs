//! Requests that S3 reads more leniently than the crate that serves it here: malformed ranges are ignored, entity tags need
//! no quotes, and a presigned URL may have headers among its parameters.
//!
//! Their signature covers what was sent. So they are rewritten after it was verified, and then served without one.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method, Request, Uri};
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Request, S3Response, S3Result};

use super::super::S3;
use super::{access, service};

/// The headers with entity tags.
const ETAGS: [&str; 4] = ["if-match", "if-none-match", "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match"];

/// The headers other than `x-amz-*` that a presigned URL may have among its parameters.
const CONDITIONS: [&str; 4] = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// Serves such requests once their signature is verified.
pub(super) struct Lenient {
    unsigned: S3Service,
}

impl Lenient {
    pub(super) fn new(s3: &S3) -> Self {
        let mut builder = S3ServiceBuilder::new(service::S3Wire { s3: s3.clone() });
        builder.set_host(access::Hosts);
        Self { unsigned: builder.build() }
    }
}

#[async_trait::async_trait]
impl S3Route for Lenient {
    fn is_match(&self, _: &Method, uri: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        let presigned = is_presigned(uri);
        let signed = presigned || headers.contains_key(header::AUTHORIZATION);
        let malformed = || {
            ETAGS.iter().any(|name| headers.get(*name).is_some_and(|value| quoted(value).is_some()))
                || headers.get(header::RANGE).is_some_and(is_ignored)
        };
        signed && ((presigned && hoisted(uri).next().is_some()) || malformed())
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let S3Request { input, method, uri, mut headers, .. } = request;
        for (name, value) in hoisted(&uri) {
            headers.entry(name).or_insert(value);
        }
        for name in ETAGS {
            if let Some(value) = headers.get(name).and_then(quoted) {
                headers.insert(name, value);
            }
        }
        if headers.get(header::RANGE).is_some_and(is_ignored) {
            headers.remove(header::RANGE);
        }
        for name in ["authorization", "x-amz-content-sha256", "x-amz-decoded-content-length"] {
            headers.remove(name);
        }
        let mut unsigned = Request::new(input);
        *unsigned.method_mut() = method;
        *unsigned.uri_mut() = without_signature(&uri);
        *unsigned.headers_mut() = headers;
        let response = self.unsigned.call(unsigned).await.map_err(|_| s3s::s3_error!(InternalError))?;
        let (head, body) = response.into_parts();
        Ok(S3Response { headers: head.headers, ..S3Response::with_status(body, head.status) })
    }
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    let query = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    query.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn is_presigned(uri: &Uri) -> bool {
    pairs(uri).any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Signature"))
}

/// Whether a parameter belongs to the signature itself.
fn is_of_signature(name: &str) -> bool {
    let own = ["algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token"];
    name.to_ascii_lowercase().strip_prefix("x-amz-").is_some_and(|rest| own.contains(&rest))
}

fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    (name.starts_with("x-amz-") && !is_of_signature(&name)) || CONDITIONS.contains(&name.as_str())
}

/// The headers among the parameters.
fn hoisted(uri: &Uri) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    pairs(uri).filter(|(name, _)| is_header(name)).filter_map(|(name, value)| {
        let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?))
    })
}

fn without_signature(uri: &Uri) -> Uri {
    let rest = uri.query().unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !is_of_signature(name) && !is_header(name)
    });
    let query = rest.collect::<Vec<_>>().join("&");
    let path = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
    path.parse().unwrap_or_else(|_| uri.clone())
}

/// An entity tag with the quotes that it lacks; `None` when it is well-formed.
fn quoted(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let bare = text.strip_prefix("W/").unwrap_or(text);
    let well_formed = text == "*" || (bare.len() > 1 && bare.starts_with('"') && bare.ends_with('"'));
    (!well_formed).then(|| format!("\"{}\"", text.trim_matches('"')).parse().ok()).flatten()
}

/// Whether a range is not one that S3 reads: the whole object is returned then.
fn is_ignored(value: &HeaderValue) -> bool {
    let parsed = value.to_str().ok().and_then(|text| text.trim().strip_prefix("bytes=")).and_then(|range| {
        let (first, last) = range.trim().split_once('-')?;
        let number = |text: &str| (!text.is_empty()).then(|| text.trim().parse::<u64>());
        match (number(first), number(last)) {
            (Some(Ok(first)), Some(Ok(last))) => (first <= last).then_some(()),
            (Some(Ok(_)), None) | (None, Some(Ok(_))) => Some(()),
            _ => None,
        }
    });
    parsed.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_headers_are_told_from_well_formed_ones() {
        let ignored = |text: &str| is_ignored(&text.parse().unwrap());
        assert!(["bytes=1-0", "bytes=a-", "bytes=0-1,3-4", "lines=0-1", "bytes=-"].into_iter().all(ignored));
        assert!(!["bytes=0-0", "bytes=5-", "bytes=-5"].into_iter().any(ignored));
        let mended = |text: &str| quoted(&text.parse().unwrap()).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(mended("abc\"").as_deref(), Some("\"abc\""));
        assert_eq!((mended("\"abc\""), mended("*"), mended("W/\"a\"")), (None, None, None));
    }
}
