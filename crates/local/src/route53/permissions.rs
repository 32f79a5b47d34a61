//! The permissions that operations of Route 53 need.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html>

use bytes::Bytes;
use http::Request;

use super::wire::{VERSION, changed_records, operation};
use super::{Route53, TaggedResource};
use crate::iam::{Keys, Permission};
use crate::protocol::request::segments;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(route53: &Route53, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let name = operation(request);
    let path = segments(request.uri().path(), VERSION);
    let (second, third) = (path.get(1).map_or("", String::as_str), path.get(2).map_or("", String::as_str));
    let on = |resource: String| Some(vec![Permission::new(format!("route53:{name}"), resource)]);
    let of = |kind: &str, id: &str| format!("arn:aws:route53:::{kind}/{id}");
    let tags = |kind: TaggedResource, id: &str| {
        Keys::default().with_resource_tags(&route53.tags(kind, id).unwrap_or_default())
    };
    match name {
        // These have no resource types.
        "CreateHostedZone" | "ListHostedZones" | "ListHostedZonesByName" | "CreateHealthCheck" | "ListHealthChecks" => {
            on("*".to_owned())
        }
        "ChangeResourceRecordSets" => {
            let records = changed_records(request);
            let distinct = |values: Vec<String>| std::collections::BTreeSet::from_iter(values);
            let keys = tags(TaggedResource::HostedZone, second)
                .with_all("route53:ChangeResourceRecordSetsNormalizedRecordNames", distinct(records.names))
                .with_all("route53:ChangeResourceRecordSetsRecordTypes", distinct(records.types))
                .with_all("route53:ChangeResourceRecordSetsActions", distinct(records.actions));
            Some(vec![Permission::new("route53:ChangeResourceRecordSets", of("hostedzone", second)).with(&keys)])
        }
        "GetHostedZone"
        | "DeleteHostedZone"
        | "ListResourceRecordSets"
        | "ListResourceRecordSetProtections"
        | "CreateResourceRecordSetProtections"
        | "DeleteResourceRecordSetProtections" => on(of("hostedzone", second)),
        "GetChange" => on(of("change", second)),
        "GetHealthCheck" | "GetHealthCheckStatus" | "UpdateHealthCheck" | "DeleteHealthCheck" => {
            let keys = tags(TaggedResource::HealthCheck, second);
            Some(vec![Permission::new(format!("route53:{name}"), of("healthcheck", second)).with(&keys)])
        }
        // One entry for each resource would be needed to be exact; `*` of a kind is at least as strict.
        "ListTagsForResources" => on(of(second, "*")),
        "ListTagsForResource" | "ChangeTagsForResource" => {
            let kind = if second == "healthcheck" { TaggedResource::HealthCheck } else { TaggedResource::HostedZone };
            Some(vec![Permission::new(format!("route53:{name}"), of(second, third)).with(&tags(kind, third))])
        }
        _ => None,
    }
}
