//! The permissions that operations of CloudWatch need.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>

use bytes::Bytes;
use http::Request;

use super::CloudWatch;
use super::wire::{input_of, operation};
use crate::iam::{Keys, Permission};
use crate::protocol::json::{pairs, strings};
use crate::protocol::request::region_of;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(cloudwatch: &CloudWatch, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let (name, input, region) = (operation(request), input_of(request).unwrap_or_default(), region_of(request));
    let on = |arn: String| {
        let alarm = cloudwatch.alarms_in(region).find(|(other, _)| **other == arn);
        let keys = alarm.map_or_else(Keys::default, |(_, alarm)| Keys::default().with_resource_tags(&alarm.tags));
        let keys = keys.with_request_tags(&pairs(&input["Tags"]).collect());
        Permission::new(format!("cloudwatch:{name}"), arn).with(&keys)
    };
    match name {
        "PutMetricAlarm" => {
            let put = on(CloudWatch::arn(region, input["AlarmName"].as_str()?));
            // To create with tags is to tag.
            let tag = input["Tags"]
                .is_array()
                .then(|| Permission { action: "cloudwatch:TagResource".to_owned(), ..put.clone() });
            Some(std::iter::once(put).chain(tag).collect())
        }
        "DescribeAlarms" => Some(vec![Permission::new("cloudwatch:DescribeAlarms", CloudWatch::arn(region, "*"))]),
        "DeleteAlarms" => {
            Some(strings(&input["AlarmNames"]).iter().map(|alarm| on(CloudWatch::arn(region, alarm))).collect())
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => {
            Some(vec![on(input["ResourceARN"].as_str()?.to_owned())])
        }
        _ => None,
    }
}
