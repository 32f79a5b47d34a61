//! Which service a request is for.

use http::{Request, header};
use s3s::Body;

use crate::wire::s3::aws_host;

/// A service of the embedded cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Website { bucket: String },
    Control(Control),
    Unknown,
}

/// A service whose requests are small: they are read whole before they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Acm,
    CloudFront,
    CloudWatch,
    Iam,
    Route53,
    S3Account,
    Sns,
    Sts,
}

impl Control {
    /// By the name that requests are signed for, which is also how its host name begins.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "acm" => Self::Acm,
            "cloudfront" => Self::CloudFront,
            "monitoring" => Self::CloudWatch,
            "sns" => Self::Sns,
            "iam" => Self::Iam,
            "route53" => Self::Route53,
            "s3-control" => Self::S3Account,
            "sts" => Self::Sts,
            _ => return None,
        })
    }
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
    if host.contains(".s3-control.") {
        return Service::Control(Control::S3Account);
    }
    if aws_host(host).is_some() {
        return Service::S3;
    }
    if host.contains("amazonaws.") {
        let known = Control::of(host.split('.').next().unwrap_or_default());
        return known.map_or(Service::Unknown, Service::Control);
    }
    by_shape(request)
}

fn by_shape(request: &Request<Body>) -> Service {
    // S3 Control signs as S3.
    if request.uri().path().starts_with("/v20180820/") && request.headers().contains_key("x-amz-account-id") {
        return Service::Control(Control::S3Account);
    }
    let signed = scope(request).and_then(|scope| Control::of(scope.service));
    signed.map_or(Service::S3, Service::Control)
}

/// What a request was signed for.
pub(crate) struct Scope<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Reads `Credential=KEY/DATE/REGION/SERVICE/aws4_request`; `None` for requests that are not signed this way.
pub(crate) fn scope<B>(request: &Request<B>) -> Option<Scope<'_>> {
    let authorization = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let mut parts = authorization.split("Credential=").nth(1)?.split(',').next()?.split('/');
    let (access_key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some(Scope { access_key, region, service })
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
    fn requests_find_their_service() {
        let get = |host: &str| service(host, "/", "s3");
        let website = |bucket: &str| Service::Website { bucket: bucket.to_owned() };
        assert_eq!(get("b.s3.us-west-2.amazonaws.com"), Service::S3);
        assert_eq!(get("www.example.com.s3-website-us-west-2.amazonaws.com"), website("www.example.com"));
        assert_eq!(get("b.s3-website.eu-central-1.amazonaws.com:80"), website("b"));
        assert_eq!(get("000000000000.s3-control.us-east-1.amazonaws.com"), Service::Control(Control::S3Account));
        assert_eq!(get("sts.us-east-1.amazonaws.com"), Service::Control(Control::Sts));
        assert_eq!(get("route53.amazonaws.com"), Service::Control(Control::Route53));
        assert_eq!(get("127.0.0.1:9000"), Service::S3);
        assert_eq!(get("ec2.us-east-1.amazonaws.com"), Service::Unknown);
        assert_eq!(service("localhost:9000", "/", "sts"), Service::Control(Control::Sts));
        assert_eq!(service("localhost:9000", "/bucket", "s3"), Service::S3);
    }
}
