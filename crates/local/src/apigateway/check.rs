//! What API Gateway refuses.

use serde_json::{Value, json};

use super::{Api, Members, bad_request, is_issued, text};
use crate::acm::Acm;
use crate::context::ServiceError;

/// Headers that cannot be changed, besides those with a reserved prefix.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>
const RESERVED_HEADERS: [&str; 16] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
];
const RESERVED_PREFIXES: [&str; 5] = ["access-control-", "apigw-", "proxy-", "x-amz-", "x-amzn-"];

/// The members that are kept, with defaults; others that are set are not implemented.
fn kept(what: &str, members: Members, known: &[&str], defaults: Value) -> Result<Members, ServiceError> {
    let is_set = |value: &Value| !value.is_null();
    if let Some((name, _)) = members.iter().find(|(name, value)| is_set(value) && !known.contains(&name.as_str())) {
        return Err(ServiceError::not_implemented(&format!("`{name}` of {what} of API Gateway")));
    }
    let Value::Object(mut all) = defaults else { return Ok(members) };
    all.extend(members.into_iter().filter(|(_, value)| is_set(value)));
    Ok(all)
}

fn required(members: &Members, name: &str) -> Result<String, ServiceError> {
    let found = Some(text(members, name)).filter(|text| !text.is_empty());
    found.map(str::to_owned).ok_or_else(|| {
        bad_request(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

fn one_of(members: &Members, name: &str, values: &[&str]) -> Result<(), ServiceError> {
    match members.get(name).map(|value| value.as_str().unwrap_or_default()) {
        Some(value) if !values.contains(&value) => Err(bad_request(format!("Invalid {name} specified: {value}"))),
        _ => Ok(()),
    }
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html>
pub(super) fn check_api(members: Members) -> Result<Members, ServiceError> {
    let known = [
        "name",
        "protocolType",
        "description",
        "version",
        "disableExecuteApiEndpoint",
        "ipAddressType",
        "routeSelectionExpression",
        "apiKeySelectionExpression",
    ];
    let defaults = json!({
        "disableExecuteApiEndpoint": false,
        "ipAddressType": "ipv4",
        "routeSelectionExpression": "${request.method} ${request.path}",
        "apiKeySelectionExpression": "$request.header.x-api-key",
    });
    let members = kept("an API", members, &known, defaults)?;
    required(&members, "name")?;
    if required(&members, "protocolType")? != "HTTP" {
        return Err(ServiceError::not_implemented("WebSocket APIs"));
    }
    one_of(&members, "ipAddressType", &["ipv4", "dualstack"])?;
    Ok(members)
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html>
pub(super) fn check_integration(members: Members) -> Result<Members, ServiceError> {
    let known = [
        "integrationType",
        "integrationMethod",
        "integrationUri",
        "connectionType",
        "payloadFormatVersion",
        "timeoutInMillis",
        "requestParameters",
        "description",
    ];
    let defaults = json!({"connectionType": "INTERNET", "payloadFormatVersion": "1.0", "timeoutInMillis": 30000});
    let members = kept("an integration", members, &known, defaults)?;
    if required(&members, "integrationType")? != "HTTP_PROXY" {
        return Err(ServiceError::not_implemented("integrations other than HTTP_PROXY"));
    }
    one_of(&members, "connectionType", &["INTERNET"])?;
    if text(&members, "payloadFormatVersion") != "1.0" {
        return Err(bad_request("HTTP_PROXY integrations only support payload format version 1.0"));
    }
    one_of(&members, "integrationMethod", &["ANY", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])?;
    required(&members, "integrationMethod")?;
    let uri = required(&members, "integrationUri")?;
    let host = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') {
        return Err(bad_request("Invalid HTTP endpoint specified for URI"));
    }
    let timeout = members.get("timeoutInMillis").and_then(Value::as_u64).unwrap_or_default();
    if !(50..=30_000).contains(&timeout) {
        return Err(bad_request("Timeout should be between 50 ms and 30000 ms"));
    }
    for key in members.get("requestParameters").and_then(Value::as_object).into_iter().flat_map(Members::keys) {
        check_parameter(key)?;
    }
    Ok(members)
}

fn check_parameter(key: &str) -> Result<(), ServiceError> {
    let lower = key.to_ascii_lowercase();
    let header =
        ["append", "overwrite", "remove"].iter().find_map(|verb| lower.strip_prefix(&format!("{verb}:header.")));
    let Some(header) = header else {
        let known = lower == "overwrite:path" || lower.contains(":querystring.");
        return Err(if known {
            ServiceError::not_implemented("parameter mappings of paths and query strings")
        } else {
            bad_request(format!("Invalid mapping expression specified: {key}"))
        });
    };
    if RESERVED_HEADERS.contains(&header) || RESERVED_PREFIXES.iter().any(|prefix| header.starts_with(prefix)) {
        return Err(bad_request(format!("Operations on header {header} are restricted")));
    }
    if lower.starts_with("remove:") {
        Ok(())
    } else {
        Err(ServiceError::not_implemented("headers that are set by an API"))
    }
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html>
pub(super) fn check_route(members: Members, api: &Api) -> Result<Members, ServiceError> {
    let known = ["routeKey", "target", "authorizationType", "apiKeyRequired"];
    let members = kept("a route", members, &known, json!({"authorizationType": "NONE", "apiKeyRequired": false}))?;
    if required(&members, "routeKey")? != "$default" {
        return Err(ServiceError::not_implemented("routes other than $default"));
    }
    if text(&members, "authorizationType") != "NONE" {
        return Err(ServiceError::not_implemented("routes with authorization"));
    }
    let target = text(&members, "target");
    let is_there =
        |target: &str| target.strip_prefix("integrations/").is_some_and(|id| api.integrations.contains_key(id));
    if !target.is_empty() && !is_there(target) {
        return Err(bad_request(format!("Invalid target specified: {target}")));
    }
    Ok(members)
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html>
pub(super) fn check_stage(members: Members) -> Result<Members, ServiceError> {
    let known = ["stageName", "autoDeploy", "description"];
    let members = kept("a stage", members, &known, json!({"autoDeploy": false}))?;
    let name = required(&members, "stageName")?;
    if name != "$default" && !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(bad_request("Stage name only allows a-zA-Z0-9_- or $default"));
    }
    Ok(members)
}

/// The configuration of a custom domain name.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames.html>
pub(super) fn check_domain(name: &str, region: &str, input: &Members, acm: &Acm) -> Result<Members, ServiceError> {
    let known = ["domainName", "domainNameConfigurations", "routingMode", "tags"];
    let input = kept("a domain name", input.clone(), &known, json!({"routingMode": "API_MAPPING_ONLY"}))?;
    if name.is_empty() || !name.contains('.') {
        return Err(bad_request("Invalid domain name specified"));
    }
    if text(&input, "routingMode") != "API_MAPPING_ONLY" {
        return Err(ServiceError::not_implemented("routing rules of API Gateway"));
    }
    let configurations = input.get("domainNameConfigurations").and_then(Value::as_array).cloned().unwrap_or_default();
    let [Value::Object(configuration)] = configurations.as_slice() else {
        return Err(bad_request("Only one DomainNameConfiguration can be specified"));
    };
    let known = ["certificateArn", "certificateName", "endpointType", "securityPolicy", "ipAddressType"];
    let defaults = json!({"endpointType": "REGIONAL", "securityPolicy": "TLS_1_2", "ipAddressType": "ipv4"});
    let configuration = kept("a domain name", configuration.clone(), &known, defaults)?;
    if text(&configuration, "endpointType") != "REGIONAL" {
        return Err(bad_request("Invalid endpoint type specified for an HTTP API: only REGIONAL is supported"));
    }
    one_of(&configuration, "securityPolicy", &["TLS_1_2"])?;
    one_of(&configuration, "ipAddressType", &["ipv4", "dualstack"])?;
    let arn = required(&configuration, "certificateArn")?;
    if !arn.starts_with(&format!("arn:aws:acm:{region}:")) {
        return Err(bad_request(format!("The provided certificate {arn} must be in the region {region}.")));
    }
    let certificate =
        acm.get(&arn).map_err(|_| bad_request(format!("The provided certificate {arn} does not exist.")))?;
    if !is_issued(&certificate.status) {
        return Err(bad_request(format!("The provided certificate {arn} is not issued.")));
    }
    if !certificate.covers(name) {
        return Err(bad_request(format!("The provided certificate does not match the domain name {name}.")));
    }
    Ok(configuration)
}
