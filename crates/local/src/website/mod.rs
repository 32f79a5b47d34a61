//! S3's website endpoints: GET and HEAD of public objects, as one bucket's configuration says.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html>

mod config;
mod decide;
mod page;

use http::{Method, Request, Response};
use s3s::Body;

use crate::world::{Current, Doc, World};
use config::Website;
use decide::{Answer, Found, Look, decide};
pub(crate) use page::{failure, object};

/// Answers a request to a bucket's website endpoint.
pub(crate) fn answer(world: &World, bucket: &str, request: &Request<Body>) -> Response<Body> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return page::failure(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
    }
    let site = match configured(world, bucket) {
        Ok(site) => site,
        Err(failure) => return failure,
    };
    let Some(key) = decoded(request.uri().path()) else {
        return page::failure(400, "InvalidURI", "The specified URI couldn't be parsed.");
    };
    let host = crate::route::host_of(request).to_owned();
    match decide(&site, &Bucket { world, name: bucket }, &key, &host) {
        Answer::Object(version) => page::object(world, &version, request),
        Answer::Error { status, document } => page::error_document(world, status, &document, request),
        Answer::Redirect { status, location } => page::redirect(status, &location),
        Answer::Failure { status, key } => page::standard(status, &key),
    }
}

fn configured(world: &World, bucket: &str) -> Result<Website, Response<Body>> {
    if world.bucket(bucket).is_none() {
        return Err(page::failure(404, "NoSuchBucket", "The specified bucket does not exist"));
    }
    let missing = "The specified bucket does not have a website configuration";
    let text = world.doc(bucket, Doc::Website);
    let text = text.map_err(|_| page::failure(404, "NoSuchWebsiteConfiguration", missing))?;
    Website::parse(&text).map_err(|error| page::failure(500, "InternalError", &error))
}

fn decoded(path: &str) -> Option<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    percent_encoding::percent_decode_str(path).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A bucket as strangers see it.
struct Bucket<'a> {
    world: &'a World,
    name: &'a str,
}

impl Look for Bucket<'_> {
    fn look(&self, key: &str) -> Found {
        let readable = self.world.anonymous_may_read(self.name, key);
        match self.world.current(self.name, key) {
            Ok(Current::Object(version)) if readable => Found::Object(version),
            Ok(Current::DeleteMarker(_) | Current::Missing) if self.world.anonymous_may_list(self.name) => {
                Found::Missing
            }
            // Who may not list is not told whether there is such a key.
            Ok(Current::Object(_) | Current::DeleteMarker(_) | Current::Missing) | Err(_) => Found::Denied,
        }
    }
}
