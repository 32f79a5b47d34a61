//! The service that a request is for.

use http::Request;
use s3s::Body;

use crate::protocol::request::{host_of, scope};
use crate::s3::aws_host;
use crate::services::ControlPlane;

/// The destination of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Website { bucket: String },
    Control(ControlPlane),
    Unknown,
}

/// Routes by host as AWS does; at a plain address, by path and signature.
pub(crate) fn service_of(request: &Request<Body>) -> Service {
    let host = host_of(request);
    if let Some(bucket) = website_bucket(host) {
        return Service::Website { bucket: bucket.to_owned() };
    }
    if host.contains(".s3-control.") {
        return Service::Control(ControlPlane::S3Control);
    }
    if aws_host(host).is_some() {
        return Service::S3;
    }
    if host.ends_with(".cloudfront-kvs.global.api.aws") {
        return Service::Control(ControlPlane::KeyValueStore);
    }
    if host.contains("amazonaws.") {
        let known = ControlPlane::by_signing_name(host.split('.').next().unwrap_or_default());
        return known.map_or(Service::Unknown, Service::Control);
    }
    by_path_and_signature(request)
}

fn by_path_and_signature(request: &Request<Body>) -> Service {
    // S3 Control requests are signed for `s3`.
    if request.uri().path().starts_with("/v20180820/") && request.headers().contains_key("x-amz-account-id") {
        return Service::Control(ControlPlane::S3Control);
    }
    let signed = scope(request).and_then(|scope| ControlPlane::by_signing_name(scope.service));
    signed.map_or(Service::S3, Service::Control)
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

    fn service(host: &str, path: &str, signed_for: &str) -> Service {
        let request = Request::builder().method("POST").uri(path).header("host", host);
        let credential =
            format!("AWS4-HMAC-SHA256 Credential=K/20261123/us-east-1/{signed_for}/aws4_request, Signature=x");
        service_of(&request.header("authorization", credential).body(Body::empty()).unwrap())
    }

    #[test]
    fn requests_are_routed_by_host_path_and_signature() {
        let get = |host: &str| service(host, "/", "s3");
        let website = |bucket: &str| Service::Website { bucket: bucket.to_owned() };
        assert_eq!(get("b.s3.us-west-2.amazonaws.com"), Service::S3);
        assert_eq!(get("www.example.com.s3-website-us-west-2.amazonaws.com"), website("www.example.com"));
        assert_eq!(get("b.s3-website.eu-central-1.amazonaws.com:80"), website("b"));
        assert_eq!(get("000000000000.s3-control.us-east-1.amazonaws.com"), Service::Control(ControlPlane::S3Control));
        assert_eq!(get("sts.us-east-1.amazonaws.com"), Service::Control(ControlPlane::Sts));
        assert_eq!(get("route53.amazonaws.com"), Service::Control(ControlPlane::Route53));
        let store = Service::Control(ControlPlane::KeyValueStore);
        assert_eq!(get("111122223333.cloudfront-kvs.global.api.aws"), store);
        let credential =
            "AWS4-ECDSA-P256-SHA256 Credential=K/20261123/cloudfront-keyvaluestore/aws4_request, Signature=x";
        let asymmetric = Request::builder().uri("/").header("host", "127.0.0.1").header("authorization", credential);
        assert_eq!(service_of(&asymmetric.body(Body::empty()).unwrap()), store);
        assert_eq!(get("127.0.0.1:9000"), Service::S3);
        assert_eq!(get("ec2.us-east-1.amazonaws.com"), Service::Unknown);
        assert_eq!(service("localhost:9000", "/", "sts"), Service::Control(ControlPlane::Sts));
        assert_eq!(service("localhost:9000", "/bucket", "s3"), Service::S3);
    }
}
