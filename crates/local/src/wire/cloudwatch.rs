//! CloudWatch on the wire (rpc-v2-cbor, and awsJson1.0).
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html>

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use super::{cbor, reply};
use crate::route::scope;
use crate::world::World;
use crate::world::cloudwatch::{Alarm, Fault};

/// How a client speaks: the Rust SDK in CBOR, the AWS CLI in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Cbor,
    Json,
}

fn target(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get("x-amz-target").and_then(|target| target.to_str().ok())
}

/// The operation that a request asks for: the last part of its path, or of its target.
pub(super) fn operation(request: &Request<Bytes>) -> String {
    let named = target(request).map(|target| target.rsplit('.').next().unwrap_or_default());
    let named = named.or_else(|| request.uri().path().split_once("/operation/").map(|(_, name)| name));
    named.unwrap_or("Unknown").to_owned()
}

/// Answers a request to CloudWatch.
pub(super) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    let region = scope(request).map_or("us-east-1", |scope| scope.region);
    let speech = if target(request).is_some() { Speech::Json } else { Speech::Cbor };
    let invalid = |error: String| Fault::InvalidParameter(error);
    let sent = match speech {
        Speech::Cbor => cbor::read(request.body()).map_err(|error| invalid(error.to_string())),
        Speech::Json => serde_json::from_slice(request.body()).map_err(|error| invalid(error.to_string())),
    };
    match sent.and_then(|sent| carry_out(world, &operation(request), &sent, region)) {
        Ok(value) => written(speech, StatusCode::OK, &value),
        Err(fault) => refusal(speech, &fault),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn carry_out(world: &World, operation: &str, sent: &Value, region: &str) -> Result<Value, Fault> {
    match operation {
        "PutMetricAlarm" => {
            world.change_account(|account, _| account.cloudwatch.put(region, sent.clone()))?;
            Ok(json!({}))
        }
        "DescribeAlarms" => Ok(describe(world, sent, region)),
        "DeleteAlarms" => {
            let names = texts(&sent["AlarmNames"]);
            world.change_account(|account, _| account.cloudwatch.delete(region, &names))?;
            Ok(json!({}))
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => tags(world, operation, sent),
        other => Err(Fault::InvalidParameter(format!("The operation {other} is not emulated"))),
    }
}

fn describe(world: &World, sent: &Value, region: &str) -> Value {
    let names = texts(&sent["AlarmNames"]);
    let prefix = sent["AlarmNamePrefix"].as_str().unwrap_or_default();
    let asked = |alarm: &Alarm| {
        let name = alarm.settings["AlarmName"].as_str().unwrap_or_default();
        name.starts_with(prefix) && (names.is_empty() || names.iter().any(|asked| asked == name))
    };
    let all: Vec<Value> = world.account(|account, _| {
        let alarms = account.cloudwatch.alarms(region).filter(|(_, alarm)| asked(alarm));
        let shown = |(arn, alarm): (&String, &Alarm)| {
            let mut shown = alarm.settings.clone();
            shown["AlarmArn"] = json!(arn);
            shown["StateValue"] = json!(alarm.state);
            shown
        };
        alarms.map(shown).collect()
    });
    let most = sent["MaxRecords"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(50).clamp(1, 100);
    let from: usize = sent["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or_default();
    let page: Vec<&Value> = all.iter().skip(from).take(most).collect();
    let mut answer = json!({"MetricAlarms": page, "CompositeAlarms": []});
    if from + most < all.len() {
        answer["NextToken"] = json!((from + most).to_string());
    }
    answer
}

fn tags(world: &World, operation: &str, sent: &Value) -> Result<Value, Fault> {
    let arn = sent["ResourceARN"].as_str().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tags = world.change_account(|account, _| {
        let tags = &mut account.cloudwatch.alarm_mut(arn)?.tags;
        if operation == "TagResource" {
            let added = sent["Tags"].as_array().into_iter().flatten();
            tags.extend(added.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))));
        }
        let gone = texts(&sent["TagKeys"]);
        tags.retain(|key, _| !gone.contains(key));
        Ok::<_, Fault>(tags.clone())
    })?;
    let tags: Vec<Value> = tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(if operation == "ListTagsForResource" { json!({"Tags": tags}) } else { json!({}) })
}

fn written(speech: Speech, status: StatusCode, value: &Value) -> Response<Body> {
    match speech {
        Speech::Json => reply::typed(status, "application/x-amz-json-1.0", value.to_string()),
        Speech::Cbor => {
            let mut response = reply::typed(status, "application/cbor", Bytes::from(cbor::write(value)));
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            response
        }
    }
}

/// For clients that speak CBOR, as ours does.
pub(super) fn refusal_of(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    written(Speech::Cbor, status, &json!({"__type": format!("com.amazonaws.cloudwatch#{code}"), "message": message}))
}

fn refusal(speech: Speech, fault: &Fault) -> Response<Body> {
    let (status, code) = match fault {
        Fault::ResourceNotFound(_) => (StatusCode::NOT_FOUND, "ResourceNotFound"),
        Fault::InvalidParameter(_) => (StatusCode::BAD_REQUEST, "InvalidParameterValueException"),
        Fault::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceFault"),
    };
    let code = format!("com.amazonaws.cloudwatch#{code}");
    written(speech, status, &json!({"__type": code, "message": fault.to_string()}))
}
