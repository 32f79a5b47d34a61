//! Asking an origin: a website endpoint as anybody would, or a bucket in the distribution's name.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use s3s::Body;

use super::rules::Origin;
use crate::plane::net::{Place, place_of};
use crate::wire::reply;
use crate::wire::s3::aws_host;
use crate::world::cloudfront::Distribution;
use crate::world::{Caller, Current, Policy, Verdict, World};

/// An answer of an origin, whole.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What is asked of an origin.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a Method,
    /// The path, still encoded.
    pub(super) path: &'a str,
    /// The entity tag of what is remembered already.
    pub(super) known: Option<&'a str>,
}

/// Asks an origin; `None` when nobody answers there.
pub(super) async fn fetch(
    world: &World,
    distribution: &Distribution,
    origin: Origin<'_>,
    ask: &Ask<'_>,
) -> Option<Fetched> {
    let path = format!("{}{}", origin.path(), ask.path);
    let response = if origin.is_custom() {
        website(world, origin, &path, ask)?
    } else {
        bucket(world, distribution, origin, &path, ask)?
    };
    let (head, body) = response.into_parts();
    // A body that breaks off is an origin that does not answer.
    let body = body.collect().await.ok()?.to_bytes();
    Some(Fetched { status: head.status, headers: head.headers, body })
}

fn website(world: &World, origin: Origin<'_>, path: &str, ask: &Ask<'_>) -> Option<Response<Body>> {
    // Nobody listens for TLS there, nor at other ports.
    if origin.http_port() != Some(80) {
        return None;
    }
    let Some(Place::Website(region)) = place_of(origin.host()) else { return None };
    if world.faults().regions_out.contains(&region) {
        return None;
    }
    let bucket = origin.host().split(".s3-website").next()?;
    let request = Request::builder().method(ask.method).uri(path).header(header::HOST, origin.host());
    let request = ask.known.into_iter().fold(request, |request, etag| request.header(header::IF_NONE_MATCH, etag));
    let request = request.body(Body::empty()).ok()?;
    Some(crate::website::answer(world, bucket, &request))
}

/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>
fn bucket(
    world: &World,
    distribution: &Distribution,
    origin: Origin<'_>,
    path: &str,
    ask: &Ask<'_>,
) -> Option<Response<Body>> {
    let (bucket, region) = aws_host(origin.host())?;
    let settings = world.bucket(bucket);
    if world.faults().regions_out.contains(region) {
        return None;
    }
    let Some(settings) = settings.filter(|settings| settings.region == region) else {
        return Some(refusal(StatusCode::NOT_FOUND, "NoSuchBucket"));
    };
    let key = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
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
        return Some(refusal(StatusCode::FORBIDDEN, "AccessDenied"));
    }
    match world.current(bucket, &key) {
        Ok(Current::Object(version)) => {
            let request = Request::builder().method(ask.method).uri(path);
            let request =
                ask.known.into_iter().fold(request, |request, etag| request.header(header::IF_NONE_MATCH, etag));
            let mut response = crate::website::object(world, &version, &request.body(Body::empty()).ok()?);
            // Only website endpoints follow redirects of objects.
            if let Some(to) = &version.headers.website_redirect
                && let Ok(value) = to.parse()
            {
                response.headers_mut().insert("x-amz-website-redirect-location", value);
            }
            Some(response)
        }
        Ok(_) if may("s3:ListBucket", "") => Some(refusal(StatusCode::NOT_FOUND, "NoSuchKey")),
        Ok(_) | Err(_) => Some(refusal(StatusCode::FORBIDDEN, "AccessDenied")),
    }
}

fn refusal(status: StatusCode, code: &str) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    reply::typed(status, "application/xml", text)
}
