//! The website endpoints of S3.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html>

mod config;
mod decide;
mod page;

use http::{Method, Request, Response, header};
use s3s::Body;

use super::{Current, Doc, S3};
use crate::protocol::request::host_of;
use config::Website;
use decide::{Answer, Found, Objects, decide};
pub(crate) use page::{error_page, object};

/// Answers a request to the website endpoint of a bucket.
pub(crate) fn answer(s3: &S3, bucket: &str, request: &Request<Body>) -> Response<Body> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return page::error_page(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
    }
    let site = match configuration_of(s3, bucket) {
        Ok(site) => site,
        Err(failure) => return failure,
    };
    let Some(key) = decoded(request.uri().path()) else {
        return page::error_page(400, "InvalidURI", "The specified URI couldn't be parsed.");
    };
    // With the port, which the endpoints of AWS do not need.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or(host_of(request));
    match decide(&site, &Bucket { s3, name: bucket }, &key, host) {
        Answer::Object(version) => page::object(s3, &version, request),
        Answer::Error { status, key, document } => page::error_document(s3, status, &key, &document, request),
        Answer::Redirect { status, location } => page::redirect(status, &location),
        Answer::Failure { status, key } => page::standard(status, &key),
    }
}

fn configuration_of(s3: &S3, bucket: &str) -> Result<Website, Response<Body>> {
    if s3.bucket(bucket).is_none() {
        return Err(page::error_page(404, "NoSuchBucket", "The specified bucket does not exist"));
    }
    let missing = "The specified bucket does not have a website configuration";
    let text = s3.doc(bucket, Doc::Website);
    let text = text.map_err(|_| page::error_page(404, "NoSuchWebsiteConfiguration", missing))?;
    Website::parse(&text).map_err(|error| page::error_page(500, "InternalError", &error))
}

/// The key that a path names. S3 reads `+` as a space, in paths too.
pub(crate) fn decoded(path: &str) -> Option<String> {
    let path = path.strip_prefix('/').unwrap_or(path).replace('+', " ");
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !path.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_encoding::percent_decode_str(&path).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A bucket, read anonymously.
struct Bucket<'a> {
    s3: &'a S3,
    name: &'a str,
}

impl Objects for Bucket<'_> {
    fn find(&self, key: &str) -> Found {
        let readable = self.s3.anonymous_may_read(self.name, key);
        match self.s3.current(self.name, key) {
            // Keys of KMS are for callers with a signature, and archived objects for nobody.
            Ok(Current::Object(version)) if readable && version.kms.is_none() && !version.is_archived() => {
                Found::Object(version)
            }
            Ok(Current::DeleteMarker(_) | Current::Missing) if self.s3.anonymous_may_list(self.name) => Found::Missing,
            // Without permission to list, a missing key is not distinguished from a private one.
            Ok(Current::Object(_) | Current::DeleteMarker(_) | Current::Missing) | Err(_) => Found::Denied,
        }
    }
}
