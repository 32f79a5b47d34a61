//! The permissions that operations of ACM need.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html>

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::{Acm, operation};
use crate::iam::{Keys, Permission};
use crate::protocol::json::pairs;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(acm: &Acm, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let (name, input) = (operation(request), serde_json::from_slice::<Value>(request.body()).unwrap_or_default());
    let arn = input["CertificateArn"].as_str();
    let certificate = arn.and_then(|arn| acm.get(arn).ok());
    let keys = certificate.map_or_else(Keys::default, |found| Keys::default().with_resource_tags(&found.tags));
    let keys = keys.with_request_tags(&pairs(&input["Tags"]).collect());
    // A certificate that is requested, or imported for the first time, has no ARN yet.
    let (action, resource) = match name {
        "ListCertificates" | "RequestCertificate" => (name, "*"),
        "ImportCertificate" => (name, arn.unwrap_or("*")),
        "DescribeCertificate" | "DeleteCertificate" | "ListTagsForCertificate" | "AddTagsToCertificate" => (name, arn?),
        _ => return None,
    };
    let own = Permission::new(format!("acm:{action}"), resource).with(&keys);
    // To request or to import with tags is to tag.
    let tags = input["Tags"].is_array() && ["RequestCertificate", "ImportCertificate"].contains(&action);
    let tag = tags.then(|| Permission::new("acm:AddTagsToCertificate", resource).with(&keys));
    Some(std::iter::once(own).chain(tag).collect())
}
