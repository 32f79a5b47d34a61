//! CloudFront `KeyValueStore`: the data plane of key value stores (restJson1). The stores themselves belong to CloudFront.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-kvp.html>

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use s3s::Body;
use serde_json::{Value, json};
use twinsite_core::Arn;

use crate::cloudfront::{CloudFront, KeyChanges, KeyValueStore};
use crate::context::{ACCOUNT, Now, ServiceError, Tags};
use crate::iam::{Keys, Permission};
use crate::protocol::reply;
use crate::protocol::request::{parameters, segments};

const PREFIX: &str = "/key-value-stores/";

/// The ARN of the store and the key that a request names, decoded.
fn path_of(request: &Request<Bytes>) -> Vec<String> {
    segments(request.uri().path(), PREFIX)
}

/// The AWS name of the operation that a request is for.
pub(crate) fn operation(request: &Request<Bytes>) -> &'static str {
    let path = path_of(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (request.method(), path.as_slice()) {
        (&Method::GET, [_]) => "DescribeKeyValueStore",
        (&Method::GET, [_, "keys"]) => "ListKeys",
        (&Method::POST, [_, "keys"]) => "UpdateKeys",
        (&Method::GET, [_, "keys", _]) => "GetKey",
        (&Method::PUT, [_, "keys", _]) => "PutKey",
        (&Method::DELETE, [_, "keys", _]) => "DeleteKey",
        _ => "Unknown",
    }
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfrontkeyvaluestore.html>
pub(crate) fn permissions(cloudfront: &CloudFront, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let (name, arn) = (operation(request), path_of(request).into_iter().next()?);
    if name == "Unknown" {
        return None;
    }
    let tags: Tags = cloudfront.store_by_arn(&arn).map(|store| store.tags.clone()).unwrap_or_default();
    let keys = Keys::default().with_resource_tags(&tags);
    Some(vec![Permission::new(format!("cloudfront-keyvaluestore:{name}"), arn).with(&keys)])
}

/// The name of the store that a request is about.
pub(crate) fn subject(request: &Request<Bytes>) -> String {
    path_of(request).into_iter().next().unwrap_or_default()
}

/// Answers a request.
pub(crate) fn answer(
    cloudfront: &mut CloudFront,
    request: &Request<Bytes>,
    now: Now,
) -> Result<Response<Body>, ServiceError> {
    let path = path_of(request);
    let arn = path.first().map_or("", String::as_str);
    // An ARN of another account or kind is refused as AWS does, without telling whether it exists.
    if !arn.parse::<Arn>().is_ok_and(|arn| arn.account() == ACCOUNT && arn.resource().starts_with("key-value-store/")) {
        return Err(ServiceError::new("AccessDeniedException", 403, "Access denied."));
    }
    let if_match = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let key = path.get(2).cloned().unwrap_or_default();
    let input = || serde_json::from_slice::<Value>(request.body()).map_err(|error| invalid(error.to_string()));
    let changes = match operation(request) {
        "DescribeKeyValueStore" => return describe(find(cloudfront, arn)?, now),
        "ListKeys" => return list(find(cloudfront, arn)?, request),
        "GetKey" => return get(find(cloudfront, arn)?, &key),
        "PutKey" => KeyChanges { puts: vec![(key, text(&input()?, "Value")?)], deletes: Vec::new() },
        "DeleteKey" => KeyChanges { puts: Vec::new(), deletes: vec![key] },
        "UpdateKeys" => changes_in(&input()?)?,
        _ => {
            let what = format!("CloudFront KeyValueStore {} {}", request.method(), request.uri().path());
            return Err(ServiceError::not_implemented(&what));
        }
    };
    let store = cloudfront.change_keys(arn, if_match, changes, now)?;
    with_etag(&store, &json!({"ItemCount": store.keys().len(), "TotalSizeInBytes": store.size()}))
}

fn find<'a>(cloudfront: &'a CloudFront, arn: &str) -> Result<&'a KeyValueStore, ServiceError> {
    cloudfront.store_by_arn(arn).ok_or_else(crate::cloudfront::no_resource)
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::invalid("ValidationException", message)
}

fn text(input: &Value, name: &str) -> Result<String, ServiceError> {
    input[name].as_str().map(str::to_owned).ok_or_else(|| invalid(format!("{name} is missing.")))
}

fn changes_in(input: &Value) -> Result<KeyChanges, ServiceError> {
    let items = |name: &str| input[name].as_array().cloned().unwrap_or_default();
    let puts =
        items("Puts").iter().map(|item| Ok((text(item, "Key")?, text(item, "Value")?))).collect::<Result<_, _>>()?;
    let deletes = items("Deletes").iter().map(|item| text(item, "Key")).collect::<Result<_, _>>()?;
    Ok(KeyChanges { puts, deletes })
}

fn describe(store: &KeyValueStore, now: Now) -> Result<Response<Body>, ServiceError> {
    let seconds = |time: std::time::SystemTime| {
        time.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    };
    let body = json!({
        "ItemCount": store.keys().len(), "TotalSizeInBytes": store.size(), "KvsARN": store.arn(),
        "Created": seconds(store.created), "LastModified": seconds(store.keys_modified), "Status": store.status(now.time),
    });
    with_etag(store, &body)
}

fn get(store: &KeyValueStore, key: &str) -> Result<Response<Body>, ServiceError> {
    let value = store.keys().get(key).ok_or_else(crate::cloudfront::no_resource)?;
    let (count, size) = (store.keys().len(), store.size());
    Ok(json_response(&json!({"Key": key, "Value": value, "ItemCount": count, "TotalSizeInBytes": size})))
}

fn list(store: &KeyValueStore, request: &Request<Bytes>) -> Result<Response<Body>, ServiceError> {
    let query = parameters(request);
    let after = query.get("NextToken").map_or("", String::as_str);
    let most = match query.get("MaxResults").map(|text| text.parse::<usize>()) {
        None => 10,
        Some(Ok(most)) if (1..=50).contains(&most) => most,
        Some(_) => return Err(invalid("MaxResults must be between 1 and 50.")),
    };
    let mut rest = store.keys().iter().filter(|(key, _)| key.as_str() > after);
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let items: Vec<Value> = page.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut body = json!({"Items": items});
    if let (Some(_), Some((last, _))) = (rest.next(), page.last()) {
        body["NextToken"] = json!(last);
    }
    Ok(json_response(&body))
}

fn json_response(body: &Value) -> Response<Body> {
    reply::typed(StatusCode::OK, "application/json", body.to_string())
}

fn with_etag(store: &KeyValueStore, body: &Value) -> Result<Response<Body>, ServiceError> {
    let mut response = json_response(body);
    let etag = HeaderValue::try_from(&store.keys_etag).map_err(ServiceError::internal)?;
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

/// An error as restJson1 services write it.
/// <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>
pub(crate) fn error_response(error: &ServiceError) -> Response<Body> {
    let body = json!({"Message": error.message}).to_string();
    let mut response = reply::typed(reply::status_of(error), "application/json", body);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error.code));
    response
}
