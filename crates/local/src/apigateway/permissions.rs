//! The permissions that operations of API Gateway need: HTTP methods of paths.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html>

use bytes::Bytes;
use http::Request;

use super::wire::{action, operation, resource_path, tags_of};
use super::{ApiGateway, Members};
use crate::iam::{Keys, Permission};
use crate::protocol::request::region_of;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(gateway: &ApiGateway, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let name = operation(request);
    if name == "Unknown" {
        return None;
    }
    let (region, path) = (region_of(request), resource_path(request));
    let arn = |path: &str| format!("arn:aws:apigateway:{region}::{path}");
    let input: Members = serde_json::from_slice(request.body()).unwrap_or_default();
    let tags = tags_of(&input);
    let subject = super::subject(request);
    let existing = gateway.api(region, &subject).map(|api| &api.tags);
    let existing = existing.or_else(|_| gateway.domain(region, &subject).map(|domain| &domain.tags));
    let keys = existing.map_or_else(|_| Keys::default(), |tags| Keys::default().with_resource_tags(tags));
    let keys = keys.with_request_tags(&tags);
    let own = Permission::new(action(request.method()), arn(&path)).with(&keys);
    // To create with tags is to tag.
    let is_creation = name.starts_with("Create") && !tags.is_empty();
    let tag = is_creation.then(|| Permission::new("apigateway:POST", arn(&format!("/tags/{path}"))).with(&keys));
    Some(std::iter::once(own).chain(tag).collect())
}
