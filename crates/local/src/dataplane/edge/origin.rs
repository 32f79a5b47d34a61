//! Requests to origins: to website endpoints anonymously, to buckets as the distribution.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use s3s::Body;

use super::rules::Origin;
use crate::cloudfront::Distribution;
use crate::context::OutageSymptom;
use crate::dataplane::net::{Destination, destination_of};
use crate::iam::{Caller, Policy, Verdict};
use crate::protocol::reply;
use crate::s3::{Current, aws_host, website};
use crate::world::World;

/// A response of an origin.
#[derive(Clone, Debug)]
pub(super) struct OriginResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A request to an origin.
#[derive(Clone, Debug)]
pub(super) struct OriginRequest<'a> {
    pub(super) method: &'a Method,
    /// The path, percent-encoded.
    pub(super) path: &'a str,
    /// The `ETag` of the cached response, to revalidate it.
    pub(super) if_none_match: Option<&'a str>,
}

impl OriginRequest<'_> {
    /// The request for a host and path.
    fn build(&self, host: &str, path: &str) -> Option<Request<Body>> {
        let mut request = Request::builder().method(self.method).uri(path).header(header::HOST, host);
        if let Some(etag) = self.if_none_match {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        request.body(Body::empty()).ok()
    }
}

/// Sends a request to an origin; `None` when it does not respond, after the time that the attempts take.
pub(super) async fn fetch(
    world: &World,
    distribution: &Distribution,
    origin: Origin<'_>,
    request: &OriginRequest<'_>,
) -> Option<OriginResponse> {
    let path = format!("{}{}", origin.path(), request.path);
    let http_request = request.build(origin.host(), &path)?;
    let region = match destination_of(origin.host()) {
        Some(Destination::Website(region)) => Some(region),
        Some(Destination::Edge | Destination::Api(_)) | None => {
            aws_host(origin.host()).map(|(_, region)| region.to_owned())
        }
    };
    let outages = world.outages();
    let late = region.and_then(|region| match outages.slow_regions.get(&region) {
        _ if outages.symptom == OutageSymptom::Hang && outages.regions_out.contains(&region) => Some(Duration::MAX),
        Some(seconds) => Some(Duration::from_secs(*seconds)),
        None => None,
    });
    if let Some(late) = late {
        // A request that is not answered in time is repeated, as one that could not connect is.
        // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html>
        let is_too_late = late >= origin.read_timeout();
        world.clock().sleep(if is_too_late { origin.read_timeout() * origin.attempts() } else { late }).await;
        if is_too_late {
            return None;
        }
    }
    let response = if origin.is_custom() {
        fetch_website(world, origin, &http_request)
    } else {
        fetch_object(world, distribution, origin, &http_request)
    };
    let Some(response) = response else {
        world.clock().sleep(origin.connect_timeout() * origin.attempts()).await;
        return None;
    };
    let (head, stream) = response.into_parts();
    // An incomplete body counts as no response.
    let body = stream.collect().await.ok()?.to_bytes();
    Some(OriginResponse { status: head.status, headers: head.headers, body })
}

fn fetch_website(world: &World, origin: Origin<'_>, request: &Request<Body>) -> Option<Response<Body>> {
    // Website endpoints listen on port 80 only.
    if origin.http_port() != Some(80) {
        return None;
    }
    let Some(Destination::Website(region)) = destination_of(origin.host()) else { return None };
    if world.outages().regions_out.contains(&region) {
        return None;
    }
    let bucket = origin.host().split(".s3-website").next()?;
    Some(website::answer(world.s3(), bucket, request))
}

/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>
fn fetch_object(
    world: &World,
    distribution: &Distribution,
    origin: Origin<'_>,
    request: &Request<Body>,
) -> Option<Response<Body>> {
    let (bucket, region) = aws_host(origin.host())?;
    let settings = world.s3().bucket(bucket);
    if world.outages().regions_out.contains(region) {
        return None;
    }
    let Some(settings) = settings.filter(|settings| settings.region == region) else {
        return Some(error(StatusCode::NOT_FOUND, "NoSuchBucket"));
    };
    let Some(key) = website::decoded(request.uri().path()) else {
        return Some(error(StatusCode::BAD_REQUEST, "InvalidURI"));
    };
    let signs = world.account(|account, _| {
        let control = account.cloudfront.controls.get(origin.control());
        control.is_some_and(|control| control.config.at("SigningBehavior") == "always")
    });
    let arn = distribution.arn();
    let caller = if signs { Caller::Distribution(&arn) } else { Caller::Anonymous };
    let policy = settings.policy.as_deref().and_then(|text| Policy::parse(text).ok());
    let may = |action: &str, resource: &str| {
        let resource = format!("arn:aws:s3:::{bucket}{resource}");
        policy.as_ref().is_some_and(|policy| policy.verdict(&caller, action, &resource) == Verdict::Allow)
    };
    if !may("s3:GetObject", &format!("/{key}")) {
        return Some(error(StatusCode::FORBIDDEN, "AccessDenied"));
    }
    match world.s3().current(bucket, &key) {
        Ok(Current::Object(version)) if version.is_archived() => {
            Some(error(StatusCode::FORBIDDEN, "InvalidObjectState"))
        }
        Ok(Current::Object(version)) => {
            let mut response = website::object(world.s3(), &version, request);
            // Only website endpoints follow the redirects of objects.
            if let Some(to) = &version.headers.website_redirect
                && let Ok(value) = to.parse()
            {
                response.headers_mut().insert("x-amz-website-redirect-location", value);
            }
            Some(response)
        }
        Ok(_) if may("s3:ListBucket", "") => Some(error(StatusCode::NOT_FOUND, "NoSuchKey")),
        Ok(_) | Err(_) => Some(error(StatusCode::FORBIDDEN, "AccessDenied")),
    }
}

fn error(status: StatusCode, code: &str) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    reply::typed(status, "application/xml", text)
}
