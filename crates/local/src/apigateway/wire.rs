//! API Gateway v2 on the wire (restJson1).
//!
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-reference.html>

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

use super::{Api, ApiGateway, DomainName, Members, Stage, bad_request, not_found};
use crate::acm::Acm;
use crate::context::{Now, ServiceError, Tags, change_tags, hosted_zone};
use crate::protocol::reply::{self, rfc3339};
use crate::protocol::request::{decoded, parameters, region_of, segments};

const VERSION: &str = "/v2/";
/// How many items a page has unless the request says so.
const PAGE: usize = 25;

fn path_of(request: &Request<Bytes>) -> Vec<String> {
    segments(request.uri().path(), VERSION)
}

/// The AWS name of the operation that a request is for.
pub(crate) fn operation(request: &Request<Bytes>) -> &'static str {
    let path = path_of(request);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (request.method().as_str(), path.as_slice()) {
        ("POST", ["apis"]) => "CreateApi",
        ("GET", ["apis"]) => "GetApis",
        ("GET", ["apis", _]) => "GetApi",
        ("PATCH", ["apis", _]) => "UpdateApi",
        ("DELETE", ["apis", _]) => "DeleteApi",
        ("POST", ["apis", _, "integrations"]) => "CreateIntegration",
        ("GET", ["apis", _, "integrations"]) => "GetIntegrations",
        ("GET", ["apis", _, "integrations", _]) => "GetIntegration",
        ("PATCH", ["apis", _, "integrations", _]) => "UpdateIntegration",
        ("DELETE", ["apis", _, "integrations", _]) => "DeleteIntegration",
        ("POST", ["apis", _, "routes"]) => "CreateRoute",
        ("GET", ["apis", _, "routes"]) => "GetRoutes",
        ("GET", ["apis", _, "routes", _]) => "GetRoute",
        ("PATCH", ["apis", _, "routes", _]) => "UpdateRoute",
        ("DELETE", ["apis", _, "routes", _]) => "DeleteRoute",
        ("POST", ["apis", _, "stages"]) => "CreateStage",
        ("GET", ["apis", _, "stages"]) => "GetStages",
        ("GET", ["apis", _, "stages", _]) => "GetStage",
        ("PATCH", ["apis", _, "stages", _]) => "UpdateStage",
        ("DELETE", ["apis", _, "stages", _]) => "DeleteStage",
        ("POST", ["domainnames"]) => "CreateDomainName",
        ("GET", ["domainnames"]) => "GetDomainNames",
        ("GET", ["domainnames", _]) => "GetDomainName",
        ("PATCH", ["domainnames", _]) => "UpdateDomainName",
        ("DELETE", ["domainnames", _]) => "DeleteDomainName",
        ("POST", ["domainnames", _, "apimappings"]) => "CreateApiMapping",
        ("GET", ["domainnames", _, "apimappings"]) => "GetApiMappings",
        ("DELETE", ["domainnames", _, "apimappings", _]) => "DeleteApiMapping",
        ("GET", ["tags", _]) => "GetTags",
        ("POST", ["tags", _]) => "TagResource",
        ("DELETE", ["tags", _]) => "UntagResource",
        _ => "Unknown",
    }
}

/// The API or domain name that a request is about.
pub(crate) fn subject(request: &Request<Bytes>) -> String {
    path_of(request).into_iter().nth(1).unwrap_or_default()
}

/// The tags that a request sets.
pub(super) fn tags_of(input: &Members) -> Tags {
    let tags = input.get("tags").and_then(Value::as_object).into_iter().flatten();
    tags.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// Answers a request.
pub(crate) fn answer(
    gateway: &mut ApiGateway,
    acm: &Acm,
    request: &Request<Bytes>,
    now: Now,
) -> Result<Response<Body>, ServiceError> {
    let (path, region) = (path_of(request), region_of(request));
    let at = |index: usize| path.get(index).map(String::as_str).unwrap_or_default();
    let (first, second) = (at(1), at(3));
    let mut input = Members::new();
    if !request.body().is_empty() {
        let body = serde_json::from_slice(request.body());
        input = body.map_err(|error| bad_request(format!("Unable to parse the request body: {error}")))?;
    }
    let tags = tags_of(&input);
    let without_tags = || {
        input
            .iter()
            .filter(|(name, _)| *name != "tags")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Members>()
    };
    let (status, body) = match operation(request) {
        "CreateApi" => (201, api_json(gateway.create_api(region, without_tags(), tags, now)?)),
        "GetApis" => {
            let apis = gateway.apis().filter(|api| api.region == region);
            (200, page(apis.map(api_json).collect(), request)?)
        }
        "GetApi" => (200, api_json(gateway.api(region, first)?)),
        "UpdateApi" => (200, api_json(gateway.update_api(region, first, input)?)),
        "DeleteApi" => (204, gateway.delete_api(region, first).map(|()| Value::Null)?),
        "CreateIntegration" => {
            let id = gateway.create_integration(region, first, input)?;
            (201, with_id(&gateway.api(region, first)?.integrations[&id], "integrationId", &id))
        }
        "GetIntegrations" => {
            let all = gateway.api(region, first)?.integrations.iter();
            (200, page(all.map(|(id, members)| with_id(members, "integrationId", id)).collect(), request)?)
        }
        "GetIntegration" => {
            let found = gateway.api(region, first)?.integrations.get(second);
            (200, with_id(found.ok_or_else(|| not_found("Integration"))?, "integrationId", second))
        }
        "UpdateIntegration" => {
            gateway.update_integration(region, first, second, input)?;
            (200, with_id(&gateway.api(region, first)?.integrations[second], "integrationId", second))
        }
        "DeleteIntegration" => (204, gateway.delete_integration(region, first, second).map(|()| Value::Null)?),
        "CreateRoute" => {
            let id = gateway.put_route(region, first, None, input)?;
            (201, with_id(&gateway.api(region, first)?.routes[&id], "routeId", &id))
        }
        "GetRoutes" => {
            let all = gateway.api(region, first)?.routes.iter();
            (200, page(all.map(|(id, members)| with_id(members, "routeId", id)).collect(), request)?)
        }
        "GetRoute" => {
            let found = gateway.api(region, first)?.routes.get(second).ok_or_else(|| not_found("Route"))?;
            (200, with_id(found, "routeId", second))
        }
        "UpdateRoute" => {
            gateway.put_route(region, first, Some(second), input)?;
            (200, with_id(&gateway.api(region, first)?.routes[second], "routeId", second))
        }
        "DeleteRoute" => {
            let removed = gateway.api_mut(region, first)?.routes.remove(second);
            (204, removed.map(|_| Value::Null).ok_or_else(|| not_found("Route"))?)
        }
        "CreateStage" => {
            let name = gateway.create_stage(region, first, without_tags(), tags)?;
            (201, stage_json(&gateway.api(region, first)?.stages[&name]))
        }
        "GetStages" => (200, page(gateway.api(region, first)?.stages.values().map(stage_json).collect(), request)?),
        "GetStage" => {
            let found = gateway.api(region, first)?.stages.get(second);
            (200, stage_json(found.ok_or_else(|| not_found("stage"))?))
        }
        "UpdateStage" => {
            gateway.update_stage(region, first, second, input)?;
            (200, stage_json(&gateway.api(region, first)?.stages[second]))
        }
        "DeleteStage" => {
            let removed = gateway.api_mut(region, first)?.stages.remove(second);
            (204, removed.map(|_| Value::Null).ok_or_else(|| not_found("stage"))?)
        }
        _ => answer_about_domain_names(gateway, acm, request, now, &input)?,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Ok(reply::typed(status, "application/json", body))
}

/// Answers a request about custom domain names, API mappings or tags.
fn answer_about_domain_names(
    gateway: &mut ApiGateway,
    acm: &Acm,
    request: &Request<Bytes>,
    now: Now,
    input: &Members,
) -> Result<(u16, Value), ServiceError> {
    let (path, region) = (path_of(request), region_of(request));
    let at = |index: usize| path.get(index).map(String::as_str).unwrap_or_default();
    let (first, second) = (at(1), at(3));
    let tags = tags_of(input);
    Ok(match operation(request) {
        "CreateDomainName" => (201, domain_json(gateway.create_domain(region, input, tags, acm, now)?, now)),
        "GetDomainNames" => {
            let domains = gateway.domains().filter(|domain| domain.region == region);
            (200, page(domains.map(|domain| domain_json(domain, now)).collect(), request)?)
        }
        "GetDomainName" => (200, domain_json(gateway.domain(region, first)?, now)),
        "UpdateDomainName" => {
            gateway.update_domain(region, first, input, acm, now)?;
            (200, domain_json(gateway.domain(region, first)?, now))
        }
        "DeleteDomainName" => (204, gateway.delete_domain(region, first).map(|()| Value::Null)?),
        "CreateApiMapping" => {
            let id = gateway.create_mapping(region, first, input)?;
            (201, with_id(&gateway.domain(region, first)?.mappings[&id], "apiMappingId", &id))
        }
        "GetApiMappings" => {
            let all = gateway.domain(region, first)?.mappings.iter();
            (200, page(all.map(|(id, members)| with_id(members, "apiMappingId", id)).collect(), request)?)
        }
        "DeleteApiMapping" => {
            let removed = gateway.domain_mut(region, first)?.mappings.remove(second);
            (204, removed.map(|_| Value::Null).ok_or_else(|| not_found("ApiMapping"))?)
        }
        "GetTags" => (200, json!({"tags": gateway.tags_mut(region, first)?})),
        "TagResource" => {
            change_tags(gateway.tags_mut(region, first)?, tags, &[]);
            (201, json!({}))
        }
        "UntagResource" => {
            change_tags(gateway.tags_mut(region, first)?, Tags::new(), &tag_keys(request));
            (204, Value::Null)
        }
        _ => {
            let what = format!("API Gateway {} {}", request.method(), request.uri().path());
            return Err(ServiceError::not_implemented(&what));
        }
    })
}

fn with_id(members: &Members, name: &str, id: &str) -> Value {
    let mut all = members.clone();
    all.insert(name.to_owned(), json!(id));
    Value::Object(all)
}

fn api_json(api: &Api) -> Value {
    let mut all = api.members.clone();
    let endpoint = format!("https://{}.execute-api.{}.amazonaws.com", api.id, api.region);
    all.insert("apiId".to_owned(), json!(api.id));
    all.insert("apiEndpoint".to_owned(), json!(endpoint));
    all.insert("createdDate".to_owned(), json!(rfc3339(api.created)));
    all.insert("tags".to_owned(), json!(api.tags));
    Value::Object(all)
}

fn stage_json(stage: &Stage) -> Value {
    let mut all = stage.members.clone();
    all.insert("tags".to_owned(), json!(stage.tags));
    Value::Object(all)
}

fn domain_json(domain: &DomainName, now: Now) -> Value {
    let mut configuration = domain.configuration.clone();
    let status = if domain.available <= now.time { "AVAILABLE" } else { "UPDATING" };
    configuration.insert("domainNameStatus".to_owned(), json!(status));
    configuration.insert("apiGatewayDomainName".to_owned(), json!(domain.target));
    configuration.insert("hostedZoneId".to_owned(), json!(hosted_zone(&domain.region)));
    json!({
        "domainName": domain.name,
        "domainNameArn": format!("arn:aws:apigateway:{}::/domainnames/{}", domain.region, domain.name),
        "apiMappingSelectionExpression": "$request.basepath",
        "domainNameConfigurations": [configuration],
        "routingMode": "API_MAPPING_ONLY",
        "tags": domain.tags,
    })
}

/// One page of a list. The token is the index of the next item.
fn page(items: Vec<Value>, request: &Request<Bytes>) -> Result<Value, ServiceError> {
    let query = parameters(request);
    let number = |name: &str, default: usize| match query.get(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| bad_request(format!("Invalid {name} specified: {text}"))),
    };
    let (from, size) = (number("nextToken", 0)?, number("maxResults", PAGE)?.max(1));
    let count = items.len();
    let mut page = json!({"items": items.into_iter().skip(from).take(size).collect::<Vec<_>>()});
    if from + size < count {
        page["nextToken"] = json!((from + size).to_string());
    }
    Ok(page)
}

/// The keys of `tagKeys=A&tagKeys=B`.
fn tag_keys(request: &Request<Bytes>) -> Vec<String> {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').filter_map(|pair| pair.strip_prefix("tagKeys=")).map(decoded).collect()
}

/// An error as restJson1 services write it.
pub(crate) fn error_response(error: &ServiceError) -> Response<Body> {
    let body = json!({"message": error.message}).to_string();
    let mut response = reply::typed(reply::status_of(error), "application/json", body);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error.code));
    response
}

/// The name of the HTTP verb as an action of IAM.
pub(super) fn action(method: &Method) -> String {
    format!("apigateway:{method}")
}

/// The path of a request as that of a resource in IAM.
pub(super) fn resource_path(request: &Request<Bytes>) -> String {
    request.uri().path().strip_prefix("/v2").unwrap_or_default().to_owned()
}
