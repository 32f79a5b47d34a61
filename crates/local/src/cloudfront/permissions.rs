//! The permissions that operations of CloudFront need.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html>

use bytes::Bytes;
use http::Request;

use super::CloudFront;
use super::wire::{operation, request_tags};
use crate::context::{ACCOUNT, Tags};
use crate::iam::{Keys, Permission};
use crate::protocol::request::{parameters, segments};

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(cloudfront: &CloudFront, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let name = operation(request);
    let path = segments(request.uri().path(), super::wire::VERSION);
    let id = path.get(1).map_or("", String::as_str);
    let arn = |kind: &str| format!("arn:aws:cloudfront::{ACCOUNT}:{kind}/{id}");
    let of_distribution = |id: &str| cloudfront.distribution(id).ok().map(|found| found.tags.clone());
    let of_store = |name: &str| cloudfront.store(name).ok();
    let of_function = |id: &str| cloudfront.function(id).ok().map(|found| found.tags.clone());
    let on = |resource: String, tags: Option<Tags>| {
        let keys = Keys::default().with_resource_tags(&tags.unwrap_or_default());
        Some(vec![Permission::new(format!("cloudfront:{name}"), resource).with(&keys)])
    };
    match name {
        "CreateDistribution" | "CreateDistributionWithTags" => {
            let resource = format!("arn:aws:cloudfront::{ACCOUNT}:distribution/*");
            let keys = Keys::default().with_request_tags(&request_tags(request));
            let create = Permission::new("cloudfront:CreateDistribution", resource.as_str()).with(&keys);
            let tag = Permission::new("cloudfront:TagResource", resource).with(&keys);
            Some(std::iter::once(create).chain((name != "CreateDistribution").then_some(tag)).collect())
        }
        "GetDistribution"
        | "GetDistributionConfig"
        | "UpdateDistribution"
        | "DeleteDistribution"
        | "CreateInvalidation"
        | "GetInvalidation" => on(arn("distribution"), of_distribution(id)),
        // These have no resource types.
        "ListDistributions" | "ListOriginAccessControls" | "CreateOriginAccessControl" | "CreateFunction" => {
            on("*".to_owned(), None)
        }
        "GetOriginAccessControl" | "UpdateOriginAccessControl" | "DeleteOriginAccessControl" => {
            on(arn("origin-access-control"), None)
        }
        // <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html>
        "CreateKeyValueStore" => {
            let keys = Keys::default().with_request_tags(&request_tags(request));
            let resource = format!("arn:aws:cloudfront::{ACCOUNT}:key-value-store/*");
            let create = Permission::new("cloudfront:CreateKeyValueStore", "*").with(&keys);
            let tag = Permission::new("cloudfront:TagResource", resource).with(&keys);
            Some(std::iter::once(create).chain((!request_tags(request).is_empty()).then_some(tag)).collect())
        }
        "ListKeyValueStores" => on("*".to_owned(), None),
        "DescribeKeyValueStore" | "UpdateKeyValueStore" | "DeleteKeyValueStore" => {
            let found = of_store(id);
            // A request names a store, and its ARN has its id.
            let resource = found.map_or_else(|| arn("key-value-store"), crate::cloudfront::KeyValueStore::arn);
            on(resource, found.map(|store| store.tags.clone()))
        }
        "GetFunction" | "DescribeFunction" | "UpdateFunction" | "DeleteFunction" | "PublishFunction" => {
            on(arn("function"), of_function(id))
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => {
            let resource = parameters(request).remove("Resource")?;
            let id = resource.rsplit('/').next().unwrap_or_default();
            let tags = if resource.contains(":function/") {
                of_function(id)
            } else if resource.contains(":key-value-store/") {
                cloudfront.store_by_arn(&resource).map(|store| store.tags.clone())
            } else {
                of_distribution(id)
            };
            let keys = Keys::default().with_resource_tags(&tags.unwrap_or_default());
            let keys = keys.with_request_tags(&request_tags(request));
            Some(vec![Permission::new(format!("cloudfront:{name}"), resource).with(&keys)])
        }
        _ => None,
    }
}
