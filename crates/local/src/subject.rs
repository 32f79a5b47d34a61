//! What a request is about.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::protocol::query::Form;
use crate::protocol::request::{host_of, segments};
use crate::s3::aws_host;
use crate::services::ControlPlane;

/// The role, certificate, distribution, zone… that a request names; empty if it names none.
pub(crate) fn subject_of(service: ControlPlane, request: &Request<Bytes>) -> String {
    let path = request.uri().path();
    let segment = |version: &str, index: usize| segments(path, version).into_iter().nth(index).unwrap_or_default();
    match service {
        ControlPlane::Acm => {
            let input: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            input["CertificateArn"].as_str().unwrap_or_default().to_owned()
        }
        ControlPlane::ApiGateway => crate::apigateway::subject(request),
        ControlPlane::CloudFront => segment("/2020-05-31/", 1),
        ControlPlane::KeyValueStore => crate::keyvaluestore::subject(request),
        ControlPlane::Iam => Form::parse(request).text("RoleName").to_owned(),
        // `tags/healthcheck/ID`, `healthcheck/ID`, `hostedzone/ID/rrset`.
        ControlPlane::Route53 if path.contains("/tags/") => segment("/2013-04-01/", 2),
        ControlPlane::Route53 => segment("/2013-04-01/", 1),
        ControlPlane::CloudWatch | ControlPlane::S3Control | ControlPlane::Sns | ControlPlane::Sts => String::new(),
    }
}

/// The bucket of a request to S3; empty if it names none.
pub(crate) fn bucket_of<B>(request: &Request<B>) -> String {
    if let Some((bucket, _)) = aws_host(host_of(request)).filter(|(bucket, _)| !bucket.is_empty()) {
        return bucket.to_owned();
    }
    let path = request.uri().path().trim_start_matches('/');
    path.split('/').next().unwrap_or_default().to_owned()
}
