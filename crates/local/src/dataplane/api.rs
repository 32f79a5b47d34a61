//! The Regional endpoints of API Gateway: HTTP APIs that pass requests on to website endpoints.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html>

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use s3s::Body;
use serde_json::json;

use super::net::{Destination, destination_of};
use crate::apigateway::{NoTarget, Target};
use crate::context::{OutageSymptom, random_id};
use crate::protocol::reply;
use crate::protocol::request::host_of;
use crate::s3::website;
use crate::world::World;

/// The size of the largest response, in bytes. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const MAX_BODY: usize = 10 << 20;
/// The size of the largest request line with all headers, in bytes.
const MAX_HEAD: usize = 10_240;
/// What is encoded in the path that an integration is sent. `+` is not, which S3 reads as a space.
const ENCODED: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Answers a request to the Regional endpoints of a region.
pub(super) async fn answer(world: &World, region: &str, request: &Request<()>, viewer: IpAddr) -> Response<Body> {
    let host = host_of(request).to_ascii_lowercase();
    let found = world.account(|account, now| account.api_gateway.target(region, &host, now.time));
    let mut response = match found {
        Err(NoTarget::Forbidden) => message(StatusCode::FORBIDDEN, "Forbidden"),
        Err(NoTarget::NotFound) => message(StatusCode::NOT_FOUND, "Not Found"),
        Ok(_) if size_of_head(request) > MAX_HEAD => {
            message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
        }
        Ok(target) => match integration_path(request.uri().path()) {
            None => message(StatusCode::BAD_REQUEST, "Bad Request"),
            Some(path) => integrate(world, &target, request, &path, viewer).await,
        },
    };
    if let Ok(id) = HeaderValue::try_from(random_id().get(..16).unwrap_or_default()) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    let date = httpdate::fmt_http_date(world.clock().now());
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    response
}

fn message(status: StatusCode, text: &str) -> Response<Body> {
    reply::typed(status, "application/json", json!({"message": text}).to_string())
}

fn size_of_head(request: &Request<()>) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len() + " HTTP/1.1\r\n ".len();
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + headers.sum::<usize>()
}

/// The path that an integration is sent; `None` if the request is refused. Captured from AWS: paths are decoded twice, a path ends at a
/// `?` that this brings about, and a `%` that begins no escape is refused. Adjacent slashes are merged.
fn integration_path(path: &str) -> Option<String> {
    let once = decoded(path.as_bytes())?;
    let twice = decoded(&once)?;
    let end = twice.iter().position(|byte| *byte == b'?').unwrap_or(twice.len());
    let mut merged: Vec<u8> = Vec::with_capacity(end);
    for byte in &twice[..end] {
        if *byte != b'/' || merged.last() != Some(&b'/') {
            merged.push(*byte);
        }
    }
    Some(percent_encode(&merged, &ENCODED).to_string())
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let is_escape = |at: usize| text.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    let stray = text.iter().enumerate().any(|(at, byte)| *byte == b'%' && !is_escape(at));
    let decoded = || percent_encoding::percent_decode(text).collect();
    (!stray).then(decoded)
}

/// Sends a request to the website endpoint of an integration.
async fn integrate(
    world: &World,
    target: &Target,
    request: &Request<()>,
    path: &str,
    viewer: IpAddr,
) -> Response<Body> {
    let unavailable = || message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
    let Some((host, base)) = website_of(&target.uri) else { return unavailable() };
    let Some(Destination::Website(region)) = destination_of(host) else { return unavailable() };
    let outages = world.outages();
    if outages.regions_out.contains(&region) {
        if outages.symptom == OutageSymptom::Hang {
            world.clock().sleep(target.timeout).await;
        }
        return unavailable();
    }
    if let Some(seconds) = outages.slow_regions.get(&region) {
        let late = std::time::Duration::from_secs(*seconds);
        world.clock().sleep(late.min(target.timeout)).await;
        if late >= target.timeout {
            return unavailable();
        }
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut sent = Request::new(Body::empty());
    *sent.method_mut() = request.method().clone();
    let Ok(uri) = format!("{base}{path}{query}").parse() else {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    };
    *sent.uri_mut() = uri;
    *sent.headers_mut() = sent_headers(target, request, host, viewer);
    let bucket = host.split(".s3-website").next().unwrap_or_default();
    if world.s3().bucket(bucket).is_none_or(|bucket| bucket.region != region) {
        return website::error_page(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    let (head, body) = website::answer(world.s3(), bucket, &sent).into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    // A response to HEAD has the length of what it describes, and no body.
    let body: Bytes = body.to_bytes();
    Response::from_parts(head, body.into())
}

/// The host and the path of an integration URI, if it is a website endpoint at the port of HTTP.
fn website_of(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    Some((host.strip_suffix(":80").unwrap_or(host), path.trim_end_matches('/')))
}

/// The headers of a request as an integration is sent them: `Forwarded` in place of `X-Forwarded-*`, and the host of the integration.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
fn sent_headers(target: &Target, request: &Request<()>, host: &str, viewer: IpAddr) -> HeaderMap {
    let mut headers = request.headers().clone();
    let hop = ["connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade"];
    let forwarded = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded"];
    let removed = target.removed_headers.iter().map(String::as_str);
    for name in hop.into_iter().chain(forwarded).chain(removed) {
        headers.remove(name);
    }
    let visited = host_of(request);
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(header::FORWARDED, format!("by=127.0.0.1;for={viewer};host={visited};proto=https"));
    put(header::HOST, host.to_owned());
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What AWS was seen to pass on: <https://github.com/hotsock/voker>, `vokerhttp/testdata/ingress-paths.json`.
    #[test]
    fn paths_are_decoded_twice_and_encoded_again() {
        let path = |sent: &str| integration_path(sent);
        for (sent, passed) in [
            ("/", "/"),
            ("/dir/", "/dir/"),
            ("/a%20b", "/a%20b"),
            ("/%C3%BC", "/%C3%BC"),
            ("/a%2Fb", "/a/b"),
            ("/a%23b", "/a%23b"),
            ("/a%3Fb", "/a"),
            ("/a%252Fb", "/a/b"),
            ("/a%2525b", "/a%25b"),
            ("/a%2Bb", "/a+b"),
            ("/a//b", "/a/b"),
        ] {
            assert_eq!(path(sent).as_deref(), Some(passed), "{sent}");
        }
        assert_eq!(path("/a%25dir"), None);
    }
}
