//! Which service a request is for.

use http::{Method, Request, header};
use s3s::Body;

use crate::wire::s3::aws_host;

/// A service of the embedded cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    S3Control,
    Sts,
    Website { bucket: String },
    Unknown { host: String },
}

/// The host that a request names, without its port.
pub(crate) fn host_of<B>(request: &Request<B>) -> &str {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| request.uri().host()).unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Goes by the host, as AWS does; at a plain address, by the shape of the request.
pub(crate) fn service_of(request: &Request<Body>) -> Service {
    let host = host_of(request);
    if let Some(bucket) = website_bucket(host) {
        return Service::Website { bucket: bucket.to_owned() };
    }
    if host.contains(".s3-control.") || host.starts_with("s3-control.") {
        return Service::S3Control;
    }
    if host.starts_with("sts.") && host.contains(".amazonaws.com") {
        return Service::Sts;
    }
    if aws_host(host).is_some() {
        return Service::S3;
    }
    if host.contains("amazonaws.") {
        return Service::Unknown { host: host.to_owned() };
    }
    by_shape(request)
}

fn by_shape(request: &Request<Body>) -> Service {
    let form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let form = form.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if request.method() == Method::POST && request.uri().path() == "/" && form {
        return Service::Sts;
    }
    if request.uri().path().starts_with("/v20180820/") && request.headers().contains_key("x-amz-account-id") {
        return Service::S3Control;
    }
    Service::S3
}

/// The bucket of `BUCKET.s3-website-REGION.amazonaws.com`.
fn website_bucket(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    let (bucket, region) = host.rsplit_once(".s3-website-").or_else(|| host.rsplit_once(".s3-website."))?;
    region.parse::<twinsite_core::Region>().is_ok().then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(method: Method, host: &str, path: &str, kind: &str) -> Service {
        let request = Request::builder().method(method).uri(path).header("host", host);
        service_of(&request.header("content-type", kind).body(Body::empty()).unwrap())
    }

    #[test]
    fn requests_find_their_service() {
        let get = |host: &str| service(Method::GET, host, "/", "");
        let website = |bucket: &str| Service::Website { bucket: bucket.to_owned() };
        assert_eq!(get("b.s3.us-west-2.amazonaws.com"), Service::S3);
        assert_eq!(get("www.example.com.s3-website-us-west-2.amazonaws.com"), website("www.example.com"));
        assert_eq!(get("b.s3-website.eu-central-1.amazonaws.com:80"), website("b"));
        assert_eq!(get("000000000000.s3-control.us-east-1.amazonaws.com"), Service::S3Control);
        assert_eq!(get("sts.us-east-1.amazonaws.com"), Service::Sts);
        assert_eq!(get("127.0.0.1:9000"), Service::S3);
        assert_eq!(get("ec2.us-east-1.amazonaws.com"), Service::Unknown { host: "ec2.us-east-1.amazonaws.com".into() });
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(service(Method::POST, "localhost:9000", "/", form), Service::Sts);
        assert_eq!(service(Method::POST, "localhost:9000", "/bucket", form), Service::S3);
    }
}
