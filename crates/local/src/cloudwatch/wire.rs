//! CloudWatch on the wire (rpc-v2-cbor, which the Rust SDK uses, and awsJson1.0, which the AWS CLI uses).
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html>

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use super::{Alarm, CloudWatch};
use crate::context::{ServiceError, change_tags};
use crate::protocol::json::{add_page, pairs, strings, tag_list};
use crate::protocol::request::{region_of, target};
use crate::protocol::{cbor, reply};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Cbor,
    Json,
}

fn format_of(request: &Request<Bytes>) -> Format {
    if target(request).is_some() { Format::Json } else { Format::Cbor }
}

/// The operation of a request: the last part of its path or of its target.
pub(crate) fn operation(request: &Request<Bytes>) -> &str {
    let in_path = || request.uri().path().split_once("/operation/").map(|(_, name)| name);
    target(request).or_else(in_path).unwrap_or("Unknown")
}

/// The input of a request.
pub(super) fn input_of(request: &Request<Bytes>) -> Result<Value, ServiceError> {
    let invalid = |message: String| ServiceError::invalid("InvalidParameterValueException", message);
    match format_of(request) {
        Format::Cbor => cbor::decode(request.body()).map_err(|error| invalid(error.to_string())),
        Format::Json => serde_json::from_slice(request.body()).map_err(|error| invalid(error.to_string())),
    }
}

/// Answers a request to CloudWatch.
pub(crate) fn answer(cloudwatch: &mut CloudWatch, request: &Request<Bytes>) -> Result<Response<Body>, ServiceError> {
    let input = input_of(request)?;
    let output = call(cloudwatch, operation(request), &input, region_of(request))?;
    Ok(encode(format_of(request), StatusCode::OK, &output))
}

fn call(cloudwatch: &mut CloudWatch, operation: &str, input: &Value, region: &str) -> Result<Value, ServiceError> {
    let resource = input["ResourceARN"].as_str().unwrap_or_default();
    match operation {
        "PutMetricAlarm" => cloudwatch.put_alarm(region, input.clone())?,
        "DescribeAlarms" => return Ok(describe_alarms(cloudwatch, input, region)),
        "DeleteAlarms" => cloudwatch.delete_alarms(region, &strings(&input["AlarmNames"]))?,
        "ListTagsForResource" => return Ok(json!({"Tags": tag_list(&cloudwatch.alarm_mut(resource)?.tags)})),
        "TagResource" | "UntagResource" => {
            let tags = &mut cloudwatch.alarm_mut(resource)?.tags;
            change_tags(tags, pairs(&input["Tags"]), &strings(&input["TagKeys"]));
        }
        other => return Err(ServiceError::not_implemented(&format!("CloudWatch {other}"))),
    }
    Ok(json!({}))
}

fn describe_alarms(cloudwatch: &CloudWatch, input: &Value, region: &str) -> Value {
    let names = strings(&input["AlarmNames"]);
    let prefix = input["AlarmNamePrefix"].as_str().unwrap_or_default();
    let selected = |alarm: &Alarm| {
        let name = alarm.settings["AlarmName"].as_str().unwrap_or_default();
        name.starts_with(prefix) && (names.is_empty() || names.iter().any(|wanted| wanted == name))
    };
    let mut all = Vec::new();
    for (arn, alarm) in cloudwatch.alarms_in(region).filter(|(_, alarm)| selected(alarm)) {
        let mut item = alarm.settings.clone();
        item["AlarmArn"] = json!(arn);
        item["StateValue"] = json!(alarm.state);
        all.push(item);
    }
    let size = input["MaxRecords"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(50).clamp(1, 100);
    let mut output = json!({"CompositeAlarms": []});
    add_page(&mut output, "MetricAlarms", &all, &input["NextToken"], size);
    output
}

fn encode(format: Format, status: StatusCode, value: &Value) -> Response<Body> {
    match format {
        Format::Json => reply::typed(status, "application/x-amz-json-1.0", value.to_string()),
        Format::Cbor => {
            let mut response = reply::typed(status, "application/cbor", Bytes::from(cbor::encode(value)));
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            response
        }
    }
}

/// An error in the format of the request.
pub(crate) fn error_response(request: &Request<Bytes>, error: &ServiceError) -> Response<Body> {
    let code = format!("com.amazonaws.cloudwatch#{}", error.code);
    let body = json!({"__type": code, "message": error.message});
    encode(format_of(request), reply::status_of(error), &body)
}
